"""A fit that was saved is no file of rows: where it is read, and where it is drawn from."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import bactrian as bt
from bactrian.cli import main

WAITING = bt.datasets.load("faithful")["waiting"]


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bt.Fit:
    """A fit of three components, saved as fit.json in the working directory, without its rows."""
    monkeypatch.chdir(tmp_path)
    fit = bt.fit({"waiting": WAITING}, 3, column="waiting", equal_variances=True)
    Path("fit.json").write_text(fit.to_json(), encoding="utf-8")
    return fit


@pytest.mark.parametrize(
    "write",
    [
        lambda fit: fit.to_json(),
        lambda fit: fit.to_json(indent=2),
        lambda fit: "\ufeff" + fit.to_json() + "\n",
    ],
)
@pytest.mark.parametrize("name", ["fit.json", "fit", "fit.csv", "f*.json"])
def test_in_python_it_is_called_what_it_is(
    write: Callable[[bt.Fit], str], name: str, saved: bt.Fit
) -> None:
    Path(name.replace("*", "it")).write_text(write(saved), encoding="utf-8")
    words = r"^'.*' is a saved fit, not rows: read it with bactrian\.Fit\.from_json$"
    for read in (bt.fit, bt.compare, bt.Sketch.of):
        with pytest.raises(bt.DataError, match=words):
            read(name)


@pytest.mark.parametrize("command", ["fit", "compare", "test", "sketch"])
def test_commands_for_rows_say_which_others_there_are(
    command: str, saved: bt.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["-o", "x.sketch"] if command == "sketch" else []
    assert main([command, "fit.json", *more]) == 1
    assert capsys.readouterr().err == (
        "bactrian: error: 'fit.json' is a saved fit, not rows: read it with bactrian.Fit.from_json "
        "in Python, or show it with bactrian plot or bactrian page\n"
    )


def test_what_only_looks_like_one_is_read_as_rows(saved: bt.Fit) -> None:
    rows = "".join(f'{{"format": {i}, "column": {x}}}\n' for i, x in enumerate(WAITING))
    Path("rows.jsonl").write_text(rows, encoding="utf-8")
    assert bt.fit("rows.jsonl", column="column").loglike == bt.fit(WAITING).loglike


def test_it_is_drawn_as_it_was_fitted(saved: bt.Fit) -> None:
    rule = ["--threshold", "components=2:3"]
    assert main(["plot", "fit.json", *rule, "-o", "saved.svg"]) == 0
    Path("rows.csv").write_text("waiting\n" + "".join(f"{x}\n" for x in WAITING), encoding="utf-8")
    fitted = ["--components", "3", "--equal-variances"]
    assert main(["plot", "rows.csv", *fitted, *rule, "-o", "rows.svg"]) == 0
    assert Path("saved.svg").read_bytes() == Path("rows.svg").read_bytes()


def test_its_page_is_that_of_the_fit(saved: bt.Fit) -> None:
    assert main(["page", "fit.json", "--quick", "--level", "0.9", "-o", "fit.html"]) == 0
    assert Path("fit.html").read_text("utf-8") == saved.page(level=0.9, n_replicates=0)


def test_what_its_page_says_about_how_it_was_made_makes_it_again(saved: bt.Fit) -> None:
    rows = "\n".join(["day,waiting", "0,", *(f"1,{x}" for x in WAITING), ""])
    Path("rows.csv").write_text(rows, encoding="utf-8")
    asked = ["--column", "waiting", "--missing", "drop", "--equal-variances"]
    assert main(["fit", "rows.csv", *asked, "-o", "two.json"]) == 0
    shown = ["--quick", "--threshold", "posterior=0.9", "--seed", "3"]
    assert main(["page", "two.json", *shown, "-o", "saved.html"]) == 0
    text = Path("saved.html").read_text("utf-8")
    found = re.search(r'<pre tabindex="0"><code>(.*?)</code></pre>', text, re.DOTALL)
    assert found is not None
    calls = html.unescape(found[1])
    assert "missing=" in calls
    exec(calls, {})
    assert Path("fit.html").read_text("utf-8") == text


@pytest.mark.parametrize(
    "option",
    ["--column waiting", "--components=2", "--comp 2", "--fix means=1,,", "--missing drop"],
)
def test_options_that_would_ask_for_another_fit_are_refused(
    option: str, saved: bt.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "fit.json", *option.split(), "-o", "x.svg"]) == 2
    err = capsys.readouterr().err
    assert "says how rows are fitted, and 'fit.json' is a fit that was saved" in err
    assert not Path("x.svg").exists()


def test_one_that_was_changed_is_not_drawn(
    saved: bt.Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    again = "save the fit again with bactrian fit -o."
    whole = saved.to_json()
    for text, fault, remedy in (
        (whole[:400], r"the text is not whole JSON \(.*\)", again),
        (whole.replace('"origin": 76.0', '"origin": 75.0'), "the fit was changed after .*", again),
        (json.dumps(saved.to_dict()), "the record has no exact part, .* leave it out", again),
        (
            whole.replace('"format": 1', '"format": 9'),
            "the fit was written by a newer .*",
            "update .*",
        ),
    ):
        Path("fit.json").write_text(text, encoding="utf-8")
        for command in ("plot", "page"):
            assert main([command, "fit.json", "-o", "x"]) == 1
            words = f"bactrian: error: in 'fit\\.json' {fault}: {remedy}\n"
            assert re.fullmatch(words, capsys.readouterr().err)
        assert not Path("x").exists()
