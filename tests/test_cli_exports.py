"""What the command line leaves for other programs: SQL, a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import bactrian as bt
from bactrian import cli
from bactrian.cli.wording import summary_in_options
from tests.problems import draw

X = draw("overlapping", 200)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rows as a file in a folder of their own."""
    pytest.importorskip("duckdb")
    path = tmp_path / "data.csv"
    path.write_text("size\n" + "".join(f"{x!r}\n" for x in X.tolist()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of `bactrian fit`."""
    status = cli.main(["fit", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("what", ["posterior", "class", "component", "logpdf"])
def test_the_expression_alone_is_printed(
    data: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    duckdb = pytest.importorskip("duckdb")
    option = ["--sql"] if what == "posterior" else ["--sql", what]
    status, out, err = ran(capsys, "data.csv", *option)
    assert (status, err) == (0, "")
    fit = bt.fit(str(data))
    assert out == fit.to_sql(what=what) + "\n"  # type: ignore[arg-type]
    with duckdb.connect() as engine:
        found = engine.execute(f"select {out} from 'data.csv'").fetchall()
    assert len(found) == X.size
    if what == "posterior":
        expected = fit.mixture.responsibilities(X)[:, 1]
        assert np.array(found)[:, 0] == pytest.approx(expected, abs=1e-12)


def test_the_cut_and_the_dialect_are_those_asked_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = ["--sql", "class", "--threshold", "false-positive-rate=0.05", "--dialect", "sqlite"]
    assert (
        ran(capsys, "data.csv", *rule)[1]
        == bt.fit(str(data)).to_sql(what="class", false_positive_rate=0.05, dialect="sqlite") + "\n"
    )


def test_the_whole_fit_is_written(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data.parent / "fit.json").write_text("old", encoding="utf-8")
    status, out, _ = ran(capsys, "data.csv", "-o", "fit.json", "--level", "0.9")
    fit = bt.fit(data.name)
    assert status == 0
    assert out == f"{summary_in_options(fit.summary(0.9))}\n"
    text = (data.parent / "fit.json").read_text(encoding="utf-8")
    assert text == fit.to_json(0.9) + "\n"
    assert bt.Fit.from_json(text).loglike == fit.loglike
    assert sorted(os.listdir(data.parent)) == ["data.csv", "fit.json"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--dialect", "sqlite"], 2, "--dialect goes with --sql"),
        (["--sql", "--json"], 2, "leave one of them"),
        (["--sql", "logpdf", "--threshold"], 2, "--threshold goes with --sql class"),
        (["-o", "nowhere/fit.json"], 1, "there is no folder 'nowhere'"),
        (["-o", "data.csv"], 1, "the output would take the place of the rows in 'data.csv'"),
        (["-o", "."], 1, "'.' is a directory: name a file in it, such as './fit.json'"),
        (["-o", ""], 1, "'' names no file to write: give it a name, such as 'fit.json'"),
        (["--sql", "--method", "em"], 0, ""),
    ],
)
def test_what_does_not_go_together_is_refused(
    data: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    before = data.read_bytes()
    found, _, err = ran(capsys, "data.csv", *arguments)
    assert (found, words in err) == (status, True)
    assert err.count("\n") == (status > 0)
    assert data.read_bytes() == before
    assert os.listdir(data.parent) == ["data.csv"]


def test_a_fit_that_is_no_maximum_prints_no_expression(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text("size\n1\n2\n3\n4\n5\n100\n", encoding="utf-8")
    status, out, err = ran(capsys, "data.csv", "--sql")
    assert (status, out) == (1, "")
    assert "No admissible maximum exists" in err
    assert "--equal-variances" in err


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data.parent / "taken").mkdir()
    status, _, err = ran(capsys, "data.csv", "-o", "taken")
    assert (status, err.count("\n")) == (1, 1)
    assert "'taken' is a directory: name a file in it" in err
    assert sorted(os.listdir(data.parent)) == ["data.csv", "taken"]
