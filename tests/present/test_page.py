"""The page as text: well-formed, complete, escaped, the same for the same fit."""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
import shlex
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.cli import main
from bactrian.cli.pages import _command
from bactrian.errors import DataError, ParameterError
from bactrian.fitting.live import MOST_POINTS, live_of
from bactrian.present.page.document import as_script_data

ROOT = Path(__file__).parent.parent.parent
FILES = Path(bt.__file__).parent / "present" / "page" / "files"
VOID = {"meta", "input", "br", "hr", "link", "img"}
WAITING = ROOT / "src" / "bactrian" / "datasets" / "faithful.csv"
WAITING_VALUES = bt.datasets.load("faithful")["waiting"].tolist()
GAPS = [1.0, 2.0] * 136 + [1.0]
HALVES = [0.5, 1.25] * 136


class Reader(HTMLParser):
    """The elements of a page: it fails where they are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        where = self.open[-1] if self.open else ""
        self.words[where] = self.words.get(where, "") + data


@pytest.fixture(scope="module")
def fit() -> bt.Fit:
    return bt.fit(WAITING, column="waiting")


@pytest.fixture(scope="module")
def text(fit: bt.Fit) -> str:
    return fit.page(n_replicates=39)


def live_data(text: str) -> dict[str, Any]:
    """What the script of the page reads."""
    found = re.search(r'id="live-data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_it_is_well_formed_and_names_are_unique(text: str) -> None:
    page = Reader(text)
    assert len(page.ids) == len(set(page.ids))
    targets = [value[1:] for _, name, value in page.attributes if name == "href"]
    assert targets
    assert set(targets) <= set(page.ids)
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert {name for label in labels for name in label.split()} <= set(page.ids)


def test_nothing_in_it_is_fetched_and_only_its_own_scripts_run(text: str) -> None:
    page = Reader(text)
    fetched = [a for a in page.attributes if a[1] in {"src", "srcset", "action", "data", "poster"}]
    assert fetched == []
    assert [a for a in page.attributes if a[1] == "href" and not a[2].startswith("#")] == []
    policy = next(value for _, name, value in page.attributes if "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert [a for a in page.attributes if a[1].startswith("on")] == []


def test_it_shows_what_printing_shows(fit: bt.Fit, text: str) -> None:
    plain = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    verdict = fit.verdict(n_replicates=39, rng=1)
    threshold = fit.threshold()
    expected = [
        "Mixture of 2 normal components, fitted to waiting (272 rows)", *verdict.sentences,
        "54.61 0.70 53.24 to 55.99", "-1034.0017", "63 of 63 starts", threshold.rule,
        "66.6 1.0 64.5 to 68.6", "Maxima found", "39 samples drawn and fitted",
        ", 2, column=&quot;waiting&quot;)", "n_replicates=39", repr(fit.loglike),
        f"Version {bt.__version__}.", "cff-version", "below the maximum",
    ]  # fmt: skip
    for words in expected:
        assert words.replace("<", "&lt;") in plain, words


def test_pictures_are_in_it_in_the_colours_of_the_page(fit: bt.Fit, text: str) -> None:
    found = re.findall(r"<figcaption>([^<]+)</figcaption>\n<svg.*?</svg>", text, re.DOTALL)
    assert found[:3] == ["Rows and density", "Quantile residuals of the rows", "Responsibilities"]
    style = text.partition("</style>")[0]
    used = set(re.findall(r"var\((--bactrian-[\w-]+),", text))
    assert "--bactrian-line-2" in used
    assert {name for name in used if f"{name}: var(" not in style} == set()
    assert "drawn and fitted stay inside" in text
    assert "drawn and fitted stay inside" not in fit.page(n_replicates=0)


def test_without_matplotlib_there_are_no_pictures(
    fit: bt.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = fit.page(n_replicates=0, thresholds=())
    assert "Pictures need Matplotlib" in text
    assert "<figcaption>Rows and density" not in text
    Reader(text)


def test_the_live_part_holds_the_sample_and_the_fit_exactly(fit: bt.Fit, text: str) -> None:
    data = live_data(text)
    assert data["x"] == fit.sample.local.tolist()
    assert data["w"] == fit.sample.weights.tolist()
    assert data["fit"]["means"] == fit.solution.state.means[0].tolist()
    assert (data["origin"], data["scale"]) == (fit.sample.origin, fit.sample.scale)


def test_many_values_become_the_nodes_of_a_sketch() -> None:
    x = np.random.default_rng(4).normal(1e6, 2.0, 12_000)
    fit = bt.fit(x, 1)
    live = live_of(fit)
    assert len(fit.sample) > MOST_POINTS > len(live.x)
    nodes = fit.sample.origin + fit.sample.scale * np.array(live.x)
    for mixture in (fit.mixture, bt.NormalMixture([0.4, 0.6], [1e6 - 3.0, 1e6 + 1.0], [0.5, 2.0])):
        found = bt.loglike(nodes, mixture, sample_weight=np.array(live.w))
        assert found == pytest.approx(bt.loglike(x, mixture), rel=1e-11)
    assert "in place of the 12,000 rows" in live.about_rows


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "</title>", "a\u2028b", "${x} $$", "'\"&"]
)
def test_a_name_is_escaped_wherever_it_is(name: str) -> None:
    x = bt.datasets.load("faithful")["waiting"]
    text = bt.fit({name: x}, column=name).page(n_replicates=0, thresholds=(), source=f"{name}.csv")
    page = Reader(text)
    assert text.count("<script") == 5
    shown = name.replace("\u2028", "\\u2028")
    assert shown in page.words["h1"]
    assert shown in page.words["title"]
    assert "\u2028" not in text


def test_no_text_among_the_data_ends_their_script() -> None:
    record = {"a": "</script><!--\u2028\u2029&", "b": [0.1, 1]}
    text = as_script_data(record)
    assert set("<>&\u2028\u2029") & set(text) == set()
    assert json.loads(text) == record


def test_the_same_fit_makes_the_same_page(fit: bt.Fit, text: str) -> None:
    assert fit.page(n_replicates=39) == text
    assert bt.fit(WAITING, column="waiting").page(n_replicates=39) == text
    assert bt.Fit.from_json(fit.to_json()).page(n_replicates=39) == text


def test_what_cannot_be_judged_has_a_page_all_the_same(fit: bt.Fit) -> None:
    x = np.asarray(bt.datasets.load("faithful")["waiting"])
    weights = np.linspace(0.5, 1.5, x.size)
    surveyed = bt.fit(x, sample_weight=weights, weight_kind="sampling")
    assert "No verdict. " in surveyed.page(thresholds=())
    assert "rows of equal weight" in surveyed.page(thresholds=())
    assert "One normal curve was fitted" in bt.fit(x, 1).page(n_replicates=39)
    assert "There are no two components" in bt.fit(x, 1).page(n_replicates=0)
    held = bt.fit(x, fixed={"means": [55.0, None]}).page(n_replicates=0, thresholds=())
    assert "What was held in the fit is free here" in held
    assert "below the fit" in held
    assert 'fixed={"means": [55.0, None]}' in calls(held)


def calls(text: str) -> str:
    """What a page says about how it is made again."""
    found = re.search(r'<pre tabindex="0"><code>(.*?)</code></pre>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def pages(fit: bt.Fit) -> dict[str, str]:
    """Pages that were asked for in different ways, and are quickly made."""
    refits = fit.bootstrap(30, rng=3)
    table = fit.homogeneity_test(method="likelihood_ratio")
    drawn = fit.verdict(n_replicates=39, rng=4)
    cuts = [fit.threshold(costs=(1, 5), level=0.9), fit.threshold(posterior=0.9, method=refits)]
    three = bt.fit({"x": WAITING_VALUES}, 3, column="x")
    gaps = bt.fit([*WAITING_VALUES, math.nan], sample_weight=GAPS, missing="drop")
    surveyed = bt.fit([*WAITING_VALUES], sample_weight=HALVES, weight_kind="sampling")
    held = bt.fit(
        WAITING_VALUES, fixed={"means": [55.0, None]}, bounds={"sds": [None, (0.5, None)]},
        method="em", max_steps=900,
    )  # fmt: skip
    between = [three.threshold(components=(2, 3), method="wald")]
    quick: dict[str, Any] = {"n_replicates": 0}
    return {
        "as it comes": fit.page(**quick),
        "no thresholds": fit.page(thresholds=(), **quick),
        "refits": fit.page(thresholds=cuts, method=refits, level=0.9, **quick),
        "a test of one's own": fit.page(verdict=fit.verdict(test=table, n_replicates=0), **quick),
        "samples": fit.page(verdict=drawn, n_replicates=39, rng=2),
        "three": three.page(thresholds=between, **quick),
        "weights and gaps": gaps.page(thresholds=(), **quick),
        "sampling weights": surveyed.page(thresholds=(), **quick),
        "held": held.page(thresholds=(), level=0.99, **quick),
    }


def test_what_a_page_says_about_how_it_is_made_makes_it_again(
    fit: bt.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = {
        "three": {"x": WAITING_VALUES},
        "weights and gaps": [*WAITING_VALUES, math.nan],
    }
    weights = {"weights and gaps": GAPS, "sampling weights": HALVES}
    monkeypatch.chdir(tmp_path)
    for name, text in pages(fit).items():
        shown = calls(text)
        assert "..." not in shown, name
        known = {"data": memory.get(name, WAITING_VALUES), "weights": weights.get(name)}
        exec(shown, known)
        assert Path("fit.html").read_text("utf-8") == text, name


def test_a_generator_is_named_where_it_cannot_be_written(fit: bt.Fit) -> None:
    refits = fit.bootstrap(20, rng=np.random.default_rng(1))
    shown = calls(fit.page(method=refits, n_replicates=0, rng=np.random.default_rng(2)))
    assert "refits = fit.bootstrap(n_replicates=20, rng=rng)\n" in shown
    assert 'fit.page("fit.html", method=refits, n_replicates=0, rng=rng)' in shown


def test_a_verdict_that_is_there_is_shown(fit: bt.Fit) -> None:
    verdict = fit.verdict(n_replicates=0)
    assert verdict.headline in fit.page(verdict=verdict, thresholds=())
    called = fit.page(verdict=verdict, level=0.9, method="profile", thresholds=[fit.threshold()])
    assert "90 % profile interval" in called
    with pytest.raises(ParameterError, match="none of this fit"):
        bt.fit(WAITING, 3, column="waiting").page(verdict=verdict)
    with pytest.raises(ParameterError, match="too few to tell"):
        fit.page(n_replicates=3)


def test_a_file_is_written_whole_or_not_at_all(
    fit: bt.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fit.html"
    assert fit.page(path, n_replicates=0) == path
    before = path.read_bytes()
    assert before.decode() == fit.page(n_replicates=0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DataError, match="No space left on device"):
            fit.page(path, n_replicates=0, level=0.9)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    fit: bt.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bactrian.fitting.page.live_of", lambda _: 1 / 0)
    with pytest.raises(DataError, match="there is no folder"):
        fit.page(tmp_path / "no" / "fit.html")
    with pytest.raises(DataError, match="is a directory: name a file in it"):
        fit.page(tmp_path)


def test_the_command_writes_the_page_of_the_fit(
    fit: bt.Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fit.html"
    arguments = ["page", str(WAITING), "--column", "waiting", "-o", str(path), "--quick"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{path}: converged, log-likelihood -1034.0017\n"
    text = path.read_text("utf-8")
    command = calls(text)
    assert text == fit.page(n_replicates=0, command=command)
    assert command == shlex.join(["bactrian", *arguments])
    cut = ["--threshold", "costs=1:5", "--intervals", "bootstrap", "--refits", "25"]
    assert main([*arguments, *cut]) == 0
    before = path.read_text("utf-8")
    assert main(shlex.split(calls(before))[1:]) == 0
    assert path.read_text("utf-8") == before
    assert main([*arguments[:-1], "--threshold", "posterior=0.9", "--quick"]) == 0
    assert "rises through 0.9" in path.read_text("utf-8")


def test_no_password_of_a_command_is_on_a_page() -> None:
    words = ["--database", "postgresql://anna:gehe:im@x/lab", "--column", "x"]
    assert _command(words) == "bactrian --database 'postgresql://anna:***@x/lab' --column x"
    assert _command(["--database=db://h/x?user=a&password=b%26c"]).count("b%26c") == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"-o": "nowhere/fit.html"}, "there is no folder"),
        ({"--workers": "0"}, "--workers 0 is not a positive"),
        ({"--refits": "9"}, "--refits goes with --intervals bootstrap"),
    ],
)
def test_the_command_refuses_before_it_reads(
    changed: dict[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"-o": str(tmp_path / "fit.html")} | changed
    listed = [part for pair in options.items() for part in pair]
    assert main(["page", str(tmp_path / "no.csv"), *listed]) != 0
    assert words in capsys.readouterr().err


def test_the_command_does_not_write_over_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x\n1\n2\n4\n", encoding="utf-8")
    assert main(["page", str(path), "-o", str(path)]) == 1
    assert "the output would take the place of the rows" in capsys.readouterr().err
    assert path.read_text("utf-8") == "x\n1\n2\n4\n"


def test_the_drawing_library_is_the_file_that_was_released() -> None:
    digest = hashlib.sha256((FILES / "d3.min.js").read_bytes()).hexdigest()
    assert digest in (FILES / "README.md").read_text("utf-8")
    assert "d3js.org v7.9.2 " in (FILES / "d3.min.js").read_text("utf-8")[:60]
    assert "Mike Bostock" in (FILES / "d3.LICENSE").read_text("utf-8")


def test_the_documented_size_is_that_of_the_page(text: str) -> None:
    documented = (ROOT / "docs" / "page.md").read_text("utf-8")
    size = re.search(r"the page above has some (\d+) kB", documented)
    assert size
    assert len(text.encode()) == pytest.approx(1000 * int(size[1]), rel=0.03)


def test_the_citation_is_that_of_the_project() -> None:
    assert (FILES / "CITATION.cff").read_bytes() == (ROOT / "CITATION.cff").read_bytes()
