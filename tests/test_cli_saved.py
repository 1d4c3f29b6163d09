"""A fit that was saved is no file of rows: where it is read, and where it is drawn from."""

from __future__ import annotations

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
    command = "bactrian page fit.json --quick --level 0.9 -o fit.html"
    assert Path("fit.html").read_text("utf-8") == saved.page(
        level=0.9, n_replicates=0, command=command
    )


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
    Path("fit.json").write_text(saved.to_json()[:-40], encoding="utf-8")
    assert main(["plot", "fit.json", "-o", "x.svg"]) == 1
    assert "not whole JSON" in capsys.readouterr().err
