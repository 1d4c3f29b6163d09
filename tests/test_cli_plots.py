"""The command that draws: its files, its words, its refusals before anything is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("matplotlib")

import bactrian as bt
from bactrian.cli import main

FAITHFUL = Path(__file__).resolve().parent.parent / "src/bactrian/datasets/faithful.csv"
WAITING = [str(FAITHFUL), "--column", "waiting"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "mixture"),
        (["--threshold", "posterior=0.9"], "cut 69.6 (95 %:"),
        (["--threshold", "--level", "0.8"], "(80 %:"),
        (["--components", "1", "--bins", "9"], "normal density"),
        (["--kind", "responsibilities"], "0.5 at 66.58"),
        (["--kind", "qq", "--samples", "19", "--seed", "1"], "95 % of 19 samples"),
        (["--kind", "pit", "--samples", "0"], "share of rows less that share"),
        (["--kind", "profile", "--parameter", "sd 2", "--level", "0.9"], "90 %: "),
        (["--kind", "path", "--method", "em"], "EM: 32 steps"),
    ],
)
def test_each_kind_is_written(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.svg"
    assert main(["plot", *WAITING, *options, "-o", str(path)]) == 0
    kind = options[1] if options and options[0] == "--kind" else "density"
    k = 1 if "--components" in options else 2
    said = f"{path}: {kind} of waiting, {k} component{'s' * (k > 1)}\n"
    assert capsys.readouterr().out == said
    assert words in path.read_text("utf-8")


def test_a_path_begins_at_the_start_that_is_given(tmp_path: Path) -> None:
    path = tmp_path / "path.svg"
    given = ["--method", "em", "--start", "0.5:55:9,0.5:60:9"]
    assert main(["plot", *WAITING, "--kind", "path", *given, "-o", str(path)]) == 0
    start = bt.NormalMixture([0.5, 0.5], [55.0, 60.0], [9.0, 9.0])
    fit = bt.fit(bt.datasets.load("faithful"), column="waiting", method="em", start=start)
    assert f"EM: {fit.solution.n_steps} steps (1 Newton's)" in path.read_text("utf-8")


def test_the_same_command_writes_the_same_file(tmp_path: Path) -> None:
    texts = []
    for name in ("a.svg", "b.svg"):
        command = ["plot", *WAITING, "--kind", "qq", "--samples", "19", "--seed", "3"]
        assert main([*command, "-o", str(tmp_path / name)]) == 0
        texts.append((tmp_path / name).read_text("utf-8"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["-o", "x.jpg"], 2, "does not end in one of .svg, .png, .pdf"),
        (["-o", "nowhere/x.svg"], 1, "there is no folder 'nowhere'"),
        (["-o", "x.svg", "--kind", "qq", "--bins", "3"], 2, "--bins goes with --kind density, and"),
        (["-o", "x.svg", "--seed", "3"], 2, "--seed goes with --kind qq or pit, and a"),
        (["-o", "x.svg", "--bins", "0"], 2, "--bins 0 is less than 1."),
        (["-o", "x.svg", "--level", "95"], 2, "--level 95 is not between 0 and 1"),
        (["-o", "x.svg", "--threshold", "costs=1"], 2, "--threshold"),
        (
            ["-o", "x.svg", "--kind", "profile", "--parameter", "mean 3"],
            2,
            "--parameter 'mean 3' is none of 'weight 1', 'mean 1', 'sd 1', 'weight 2'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_the_file_is_read(
    options: list[str],
    status: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plot", "not there.csv", *options]) == status
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_rows_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.svg"
    rows.write_text("x\n1\n2\n3\n", encoding="utf-8")
    assert main(["plot", str(rows), "-o", str(rows)]) == 1
    assert "would take the place of the rows" in capsys.readouterr().err
    assert rows.read_text("utf-8") == "x\n1\n2\n3\n"


def test_a_fit_without_a_maximum_is_drawn_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n" + "0\n" * 5 + "1\n2\n3\n4\n7\n", encoding="utf-8")
    path = tmp_path / "x.png"
    assert main(["plot", str(rows), "-o", str(path)]) == 0
    assert "2 components, component collapsed" in capsys.readouterr().out
    assert path.exists()
    assert main(["plot", str(rows), "--kind", "profile", "-o", str(path)]) == 2


def test_advice_names_the_options_of_this_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    lines = [f"{x},{w}" for x, w in zip(range(30), [0.5, 1.5] * 15, strict=True)]
    rows.write_text("\n".join(["x,w", *lines, ""]), encoding="utf-8")
    command = ["plot", str(rows), "--column", "x", "--components", "1", "--weights", "w"]
    command += ["--weight-kind", "sampling", "--kind", "qq", "-o", str(tmp_path / "x.svg")]
    assert main(command) == 2
    assert "; --samples 0 draws the residuals without one.\n" in capsys.readouterr().err
    assert main([*command, "--samples", "0"]) == 0


def test_without_matplotlib_a_sentence_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from bactrian.cli import main\n"
        f"sys.exit(main(['plot', 'not there.csv', '-o', {str(tmp_path / 'x.svg')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "bactrian: error: pictures are drawn by Matplotlib, which is not installed: run "
        "pip install 'bactrian[plot]'\n"
    )
