"""The command line: what it prints, where, and the status it ends with."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

import bactrian as bt
from bactrian import cli
from bactrian.cli.parser import parser
from bactrian.cli.wording import summary_in_options
from tests.problems import draw

COMMAND = [sys.executable, "-m", "bactrian.cli"]
X = draw("apart", 60)


def run(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error"},
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the same column in every format."""
    frame = pd.DataFrame({"size": X, "name": "a", "times": 1 + np.arange(X.size) % 2})
    frame.to_csv(tmp_path / "data.csv", index=False)
    frame.to_csv(tmp_path / "data.tsv", index=False, sep="\t")
    frame.to_json(tmp_path / "data.jsonl", orient="records", lines=True, double_precision=15)
    frame.to_parquet(tmp_path / "data.parquet")
    frame[["size"]].to_csv(tmp_path / "one.csv", index=False)
    frame[["size"]][:30].to_csv(tmp_path / "part1.csv", index=False)
    frame[["size"]][30:].to_csv(tmp_path / "part2.csv", index=False)
    (tmp_path / "text.csv").write_text("word\nyes\nno\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "constant.csv").write_text("x\n" + "3.7\n" * 20, encoding="utf-8")
    (tmp_path / "gaps.csv").write_text(
        "x\n" + "".join(f"{v!r}\n" for v in X.tolist()) + "NA\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(constant: str) -> NoReturn:
    """Fail on NaN and Infinity, which JSON does not have."""
    raise AssertionError(constant)


def record(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What ``bactrian fit ARGUMENTS --json`` prints."""
    assert cli.main(["fit", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found: dict[str, Any] = json.loads(captured.out, parse_constant=refuse)
    return found


# --- in a process of its own --------------------------------------------------------------------


def test_a_fit_is_printed_and_the_status_is_zero(here: Path) -> None:
    done = run("fit", "data.csv", "--column", "size", cwd=here)
    assert done.returncode == 0
    assert done.stderr == ""
    summary = bt.fit(here / "data.csv", column="size").summary()
    assert done.stdout == f"{summary_in_options(summary)}\n"
    assert "Component 2" in done.stdout


def test_data_that_cannot_be_fitted_end_with_one_sentence_and_status_one(here: Path) -> None:
    done = run("fit", "constant.csv", cwd=here)
    assert done.returncode == 1
    assert done.stdout == ""
    check_one_sentence(done.stderr, "constant")


def test_a_command_not_understood_ends_with_status_two(here: Path) -> None:
    done = run("fit", "one.csv", "--components", "0", cwd=here)
    assert done.returncode == 2
    assert done.stdout == ""
    check_one_sentence(done.stderr, "positive whole number")


def check_one_sentence(stderr: str, words: str) -> None:
    """Standard error holds one line that says what is wrong, and no traceback."""
    assert stderr.startswith("bactrian: error: ")
    assert stderr.count("\n") == 1
    assert stderr.endswith("\n")
    assert "Traceback" not in stderr
    assert words in stderr


def test_standard_input_is_read(here: Path) -> None:
    done = run("fit", "-", "--json", cwd=here, stdin=(here / "one.csv").read_text("utf-8"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["means"] == bt.fit(X).mixture.means.tolist()


def test_a_reader_who_has_enough_is_no_error(here: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        process = subprocess.Popen(
            [*COMMAND, "fit", "one.csv"], cwd=here, stdout=closed, stderr=subprocess.PIPE
        )
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert stderr == b""


def test_a_reader_who_has_enough_is_no_error_on_windows(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Closed(io.FileIO):
        """A pipe that nobody reads, as Windows has it, until something else takes its place."""

        def write(self, block: Any) -> int:
            if os.path.samestat(os.fstat(self.fileno()), os.stat(os.devnull)):
                return super().write(block)
            raise OSError(errno.EINVAL, "Invalid argument")

    closed = Closed(str(here / "nobody"), "w")
    with (
        monkeypatch.context() as patch,
        io.TextIOWrapper(closed, write_through=True) as console,
    ):
        patch.setattr(sys, "stdout", console)
        assert cli.main(["fit", "one.csv"]) == 0
    assert capsys.readouterr().err == ""


def test_the_installed_command_is_the_same(here: Path) -> None:
    script = Path(sys.executable).with_name("bactrian.exe" if os.name == "nt" else "bactrian")
    done = subprocess.run([script, "--version"], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout == f"bactrian {bt.__version__}\n"


# --- in this process ----------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["data.csv", "data.tsv", "data.jsonl", "data.parquet"])
def test_every_format_gives_the_same_fit(
    here: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    found = record(capsys, file, "--column", "size")
    known = bt.fit(X)
    assert found["column"] == "size"
    assert found["n_obs"] == X.size
    # JSON lines hold 15 decimals, the others all digits.
    assert found["loglike"] == pytest.approx(known.loglike, rel=1e-12)
    assert found["outcome"] == "converged"
    if file != "data.jsonl":
        assert found["means"] == known.mixture.means.tolist()


def test_a_glob_is_one_column(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(capsys, "part*.csv")["means"] == bt.fit(X).mixture.means.tolist()


def test_several_files_are_one_column(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a shell hands them on where a glob has no quotes."""
    quoted = record(capsys, "part*.csv")
    parts = sorted(path.name for path in here.glob("part*.csv"))
    assert len(parts) > 1
    assert record(capsys, *parts) == quoted
    sketches = []
    for part in parts:
        sketches.append(f"{part}.sketch")
        assert cli.main(["sketch", part, "-o", sketches[-1]]) == 0
    assert cli.main(["sketch", *parts, "-o", "all.sketch"]) == 0
    capsys.readouterr()
    assert record(capsys, *sketches)["loglike"] == pytest.approx(
        record(capsys, "all.sketch")["loglike"], rel=1e-14
    )


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        (["one.csv", "-"], 2, "name - alone"),
        (["one.csv", "one.csv"], 1, "'one.csv' is named twice"),
        (["one.csv", "nowhere.csv"], 1, "there is no file 'nowhere.csv'"),
    ],
)
def test_files_that_do_not_go_together(
    here: Path, capsys: pytest.CaptureFixture[str], files: list[str], code: int, words: str
) -> None:
    assert cli.main(["fit", *files]) == code
    assert words in capsys.readouterr().err


def test_the_output_takes_the_place_of_no_file_that_is_read(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    before = (here / "part2.csv").read_bytes()
    inputs = (
        ["part1.csv", "part2.csv"],
        ["part*.csv"],
        [str(here / "part[12].csv")],
        ["--query", "select size from 'part2.csv'"],
        ["--query", "select size from read_csv('part?.csv')"],
    )
    for command in ("sketch", "fit", "page"):
        for named in inputs:
            for output in ("part2.csv", "~/part2.csv"):
                assert cli.main([command, *named, "-o", output]) == 1
                assert "take the place of the rows in" in capsys.readouterr().err
    code = "import sys; from bactrian.cli import main; sys.exit(main(sys.argv[1:]))"
    with (here / "part2.csv").open() as stdin:
        ended = subprocess.run(
            [sys.executable, "-c", code, "fit", "-", "-o", "part2.csv"],
            stdin=stdin, capture_output=True, check=False, cwd=here,
        )  # fmt: skip
    assert ended.returncode == 1
    assert b"rows on standard input" in ended.stderr
    assert (here / "part2.csv").read_bytes() == before


def test_the_only_column_of_numbers_needs_no_name(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(capsys, "one.csv")["column"] == "size"


def test_options_reach_the_fit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    column = ("data.csv", "--column", "size")
    found = record(capsys, *column, "--components", "1")
    assert found["n_components"] == 1
    found = record(capsys, *column, "--method", "em", "--equal-variances")
    assert found["method"] == "em"
    assert found["sds"][0] == found["sds"][1]
    found = record(capsys, *column, "--weights", "times")
    assert found["n_obs"] == 90
    found = record(capsys, *column, "--level", "0.5")
    assert {estimate["level"] for estimate in found["estimates"]} == {0.5}
    known = bt.fit(X).confint(0.5)
    assert [e["low"] for e in found["estimates"]] == [e.low for e in known]


def test_missing_values_are_left_out_on_request(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fit", "gaps.csv"]) == 1
    assert "missing" in capsys.readouterr().err
    assert record(capsys, "gaps.csv", "--missing", "drop")["n_missing"] == 1


def test_a_collapse_is_strict_json_and_no_error(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = "".join(f"{v!r}\n" for v in [*X.tolist(), 1e9])
    (here / "far.csv").write_text("x\n" + values, encoding="utf-8")
    found = record(capsys, "far.csv")
    assert found["outcome"] == "component_collapsed"
    assert found["estimates"][0]["standard_error"] is None
    assert "Fit with --equal-variances" in found["outcome_sentence"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data.csv"], "2 columns of numbers, size and times"),
        (["data.csv", "--column", "sze"], "did you mean 'size'"),
        (["data.csv", "--column", "name"], "text"),
        (["one.csv", "--components", "61"], "60 rows"),
        (["one.csv", "--weights", "nope"], "no column 'nope'"),
        (["text.csv"], "word"),
        (["empty.csv"], "empty"),
        (["nowhere.csv"], "nowhere.csv"),
        (["nothing*.csv"], "nothing*.csv"),
        (["constant.csv"], "constant"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_faults_of_the_data_end_with_status_one(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.main(["fit", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    check_one_sentence(captured.err, words)


@pytest.mark.parametrize("level", ["0", "1", "95", "-1", "nan"])
def test_a_level_out_of_range_ends_with_status_two(
    here: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    assert cli.main(["fit", "one.csv", "--level", level]) == 2
    check_one_sentence(capsys.readouterr().err, "between 0 and 1")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fit", "one.csv", "--components", "2.5"],
        ["fit", "one.csv", "--method", "simplex"],
        ["fit", "one.csv", "--missing", "ignore"],
        ["fit", "one.csv", "--unknown"],
        ["plot", "one.csv"],
    ],
    ids=" ".join,
)
def test_usage_errors_end_with_status_two(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: bactrian" in captured.err
    assert "error: " in captured.err


@pytest.mark.parametrize("command", ["fit", "test", "compare", "plot", "page", "sketch", "merge"])
def test_help_shows_the_examples_of_the_command_and_no_others(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    examples = capsys.readouterr().out.partition("examples:\n")[2].partition("\n\n")[0]
    assert examples
    assert all(f"bactrian {command} " in line for line in examples.splitlines())
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    every = capsys.readouterr().out.splitlines()
    assert set(examples.splitlines()) == {line for line in every if f"bactrian {command} " in line}


def test_every_example_of_the_help_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    examples = capsys.readouterr().out.partition("examples:\n")[2].partition("\n\n")[0]
    for line in examples.splitlines():
        words = shlex.split(line)
        assert parser().parse_args(words[words.index("bactrian") + 1 :]).command in line


def test_the_package_is_run_as_a_module() -> None:
    command = [sys.executable, "-m", "bactrian", "--version"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == f"bactrian {bt.__version__}\n"


def test_advice_on_overlapping_components_names_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x\n" + "".join(f"{x}\n" for x in draw("overlapping")), encoding="utf-8")
    assert cli.main(["fit", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "components overlap" in shown
    assert "profile intervals (--intervals profile) less so." in shown


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"]])
def test_help_shows_an_example(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    if "fit" in arguments:
        assert "bactrian fit data.csv --column waiting" in shown
        assert "Exit status: 0" in shown
    assert "usage: bactrian" in shown


def test_standard_input_of_this_process_is_bytes(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = io.BytesIO((here / "one.csv").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw, encoding="utf-8"))
    assert record(capsys, "-")["n_obs"] == X.size


def test_an_interruption_is_quiet(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(options: object) -> int:
        """Somebody presses Ctrl-C."""
        raise KeyboardInterrupt

    monkeypatch.setattr("bactrian.cli.commands.fit_command", interrupted)
    assert cli.main(["fit", "one.csv"]) == 130


def test_sketches_are_made_merged_and_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    x = bt.datasets.load("faithful")["waiting"]
    for name, part in (("one", x[:100]), ("two", x[100:])):
        pd.DataFrame({"waiting": part}).to_csv(f"{name}.csv", index=False)
        assert (
            cli.main(["sketch", f"{name}.csv", "--column", "waiting", "-o", f"{name}.sketch"]) == 0
        )
    assert "two.sketch: Sketch of waiting: 172 rows in" in capsys.readouterr().out
    assert cli.main(["merge", "one.sketch", "two.sketch", "-o", "both.sketch"]) == 0
    assert "both.sketch: Sketch of waiting: 272 rows in" in capsys.readouterr().out
    for path in ("both.sketch", "???.sketch"):
        assert cli.main(["fit", path, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["loglike"] == pytest.approx(bt.fit(x).loglike, rel=1e-13)
    assert cli.main(["merge", "???.sketch", "-o", "both.sketch"]) == 0
    assert "both.sketch: Sketch of waiting: 272 rows in" in capsys.readouterr().out
    for sketches in (["*.sketch"], ["one.sketch", "one.sketch"]):
        assert cli.main(["merge", *sketches, "-o", "both.sketch"]) == 1
        words = "would be added to itself" if sketches == ["*.sketch"] else "is named twice"
        assert words in capsys.readouterr().err
    assert cli.main(["compare", "both.sketch", "--components", "1", "2"]) == 0
    assert "-1034.0017" in capsys.readouterr().out


def test_a_query_over_files_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    x = bt.datasets.load("faithful")["waiting"]
    pd.DataFrame({"waiting": x, "day": np.arange(x.size)}).to_parquet("all.parquet")
    query = "select waiting from 'all.parquet' where day < 200"
    assert cli.main(["fit", "--query", query, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["loglike"] == pytest.approx(bt.fit(x[:200]).loglike, rel=1e-13)
    assert cli.main(["fit", "--query", "select nothing from 'all.parquet'"]) == 1
    assert "the query cannot be run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit"], "no file is named"),
        (["fit", "a.csv", "--query", "select 1"], "names its files itself"),
        (["fit", "--database", "sqlite:///a.db"], "goes with --query"),
        (["sketch", "a.csv", "--weights", "w", "--column", "w", "-o", "o"], "must differ"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_sketch_that_cannot_be_read_leaves_the_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bt.Sketch.of([1.0, 2.0, 3.0]).save("kept.sketch")
    before = Path("kept.sketch").read_bytes()
    Path("bad.sketch").write_bytes(b"PAR1 no")
    assert cli.main(["merge", "kept.sketch", "bad.sketch", "-o", "kept.sketch"]) == 1
    assert "'bad.sketch'" in capsys.readouterr().err
    assert Path("kept.sketch").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.sketch", "kept.sketch"]


@pytest.mark.parametrize("command", [["sketch", "none.csv"], ["merge", "none.sketch"]])
def test_a_folder_that_is_not_there_is_named_before_anything_is_read(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*command, "-o", str(tmp_path / "nowhere" / "x.sketch")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_one_row_in_one_bin_is_not_called_several() -> None:
    assert repr(bt.Sketch.of([1.0])).startswith("<Sketch: 1 row in 1 bin of width ")


def test_a_threshold_is_printed_below_the_fit(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fit", "data.csv", "--column", "size", "--threshold"]) == 0
    table, _, cut = capsys.readouterr().out.partition("\n\nThreshold\n")
    assert table.startswith("Mixture of 2 normal components")
    assert cut == f"{bt.fit(X).threshold()}\n"


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("posterior=0.9", {"posterior": 0.9}),
        ("costs=1:5,prevalence=0.1", {"costs": (1, 5), "prevalence": 0.1}),
        ("false-positive-rate=0.05,components=1:2", {"false_positive_rate": 0.05}),
        ("false-negative-rate=.05", {"false_negative_rate": 0.05}),
        ("density-minimum", {"density_minimum": True}),
    ],
)
def test_the_rule_of_a_threshold_reaches_it(
    here: Path, capsys: pytest.CaptureFixture[str], rule: str, arguments: dict[str, Any]
) -> None:
    command = ["fit", "data.csv", "--column", "size", "--level", "0.9", "--json"]
    assert cli.main([*command, "--threshold", rule]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=refuse)["threshold"]
    assert found == bt.fit(X).threshold(**arguments, level=0.9).to_dict()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("data.csv", "--threshold does not understand 'data.csv'; say posterior=0.9"),
        ("posterior=high", "--threshold does not understand 'posterior=high'"),
        ("density-minimum=1", "--threshold does not understand 'density-minimum=1'"),
        ("posterior=0.5,posterior=0.6", "--threshold says posterior twice"),
        ("costs=1", "such as costs=1:5."),
        ("false-positive-rate=1", "--threshold: false-positive-rate=1.0 is not strictly"),
        ("components=1:1", "count from 1 in the order of the fit: components=1:2."),
    ],
)
def test_a_rule_that_cannot_be_met_is_refused_before_anything_is_read(
    here: Path, capsys: pytest.CaptureFixture[str], rule: str, message: str
) -> None:
    assert cli.main(["fit", "not there.csv", "--threshold", rule]) == 2
    assert message in capsys.readouterr().err


def test_weights_that_are_not_whole_must_be_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"size": X, "share": 0.5}).to_csv(here / "shares.csv", index=False)
    arguments = ["fit", str(here / "shares.csv"), "--column", "size", "--weights", "share"]
    assert cli.main(arguments) == 2
    assert "--weight-kind frequency" in capsys.readouterr().err
    assert cli.main([*arguments, "--weight-kind", "sampling"]) == 0


def test_a_sketch_does_not_take_the_place_of_its_rows(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = here / "one.csv"
    before = rows.read_bytes()
    assert cli.main(["sketch", str(rows), "-o", str(rows)]) == 1
    assert "name another file" in capsys.readouterr().err
    assert rows.read_bytes() == before


def test_sketches_of_different_columns_are_not_merged(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("size", "times"):
        bt.Sketch.of(here / "data.csv", column=name).save(here / f"{name}.sketch")
    output = here / "both.sketch"
    sketches = [str(here / f"{name}.sketch") for name in ("size", "times")]
    assert cli.main(["merge", *sketches, "-o", str(output)]) == 1
    assert "sketches of one quantity" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--intervals bootstrap --refits 0", "--refits 0 is not a positive"),
        ("--intervals bootstrap --seed -3", "--seed -3 is .*; pass a whole number, not negative.$"),
        ("--seed 3", "--seed goes with --intervals bootstrap"),
        ("--intervals profile --refits 9", "--refits goes with --intervals bootstrap"),
        ("--fix means=5", "--fix means has 1 of 2 entries; .* nothing where it is free"),
        ("--fix sds=-1,", "--fix sds: -1 for component 1 is out of range: sds are positive"),
        ("--fix mean=1,", "--fix names 'mean'; what can be held"),
        ("--fix means=nan,", "--fix: 'nan' is not a number"),
        ("--fix means=1,2 --fix sds=1,2 --fix weights=.3,", "to estimate; leave one free.$"),
        ("--bound sds=3:1,", "--bound sds: 3:1 for component 1 .* --fix holds it at one value"),
        ("--bound sds=,:0", "--bound sds: :0 for component 2 leaves no value"),
        ("--bound means=5,", "--bound: '5' has no colon between bounds, as 0.5:2 or 0.5: has"),
        (
            "--fix means=,1 --bound means=,0:2",
            "--bound means for component 2 bounds what --fix means fixes",
        ),
        ("--equal-weights --fix weights=.5,", "--equal-weights .* out of --fix and --bound.$"),
        ("--equal-variances --fix sds=1,2", "contradict --equal-variances or --sd-ratios;"),
        ("--sd-ratios 1,2,3", "--sd-ratios 1,2,3 is not a list of 2 positive numbers"),
        ("--sd-ratios 1,-2.5", "--sd-ratios 1,-2.5 is not a list"),
        ("--start .5:1:2", "--start: weights sum to 0.5"),
        ("--start .5:1,.5:2", "--start .5:1,.5:2 is no list .* write 0.5:50:6,0.5:80:6 for two"),
        ("--start .5:1:2,.5:x:2", "--start: 'x' is not a number"),
        ("--start 1:1:2", "start has 1 component and --components 2 .*: say --components 1, or"),
        ("--sd-ratios 1,nan", "--sd-ratios: 'nan' is not a number"),
        ("--components 1 --threshold", "; fit two with --components 2.$"),
        ("--threshold costs=1:0", "--threshold: costs=1:0 are not two .* such as costs=1:5.$"),
        ("--components 3 --threshold components=2:2", "--threshold: components=2:2 does not name"),
    ],
)
def test_refusals_name_the_options_and_not_the_arguments(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: str, words: str
) -> None:
    assert cli.main(["fit", str(here / "one.csv"), *arguments.split()]) == 2
    assert re.search(words, capsys.readouterr().err.rstrip("\n"))


def test_bootstraps_are_checked_before_anything_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["--seed", "1"], ["--intervals", "bootstrap", "--refits", "-1"]):
        assert cli.main(["fit", "not there.csv", *arguments]) == 2
        assert "not there" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.npy", b"\x93NUMPY" + bytes(90), "a NumPy file: save its column as CSV"),
        ("a.feather", b"ARROW1" + bytes(90), "an Arrow file: save it as Parquet"),
        ("a.sketch", b"no sketch", "no sketch: name what bactrian sketch wrote"),
    ],
)
def test_files_that_only_python_can_read_are_to_be_saved_as_others(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, words: str
) -> None:
    (here / name).write_bytes(content)
    assert cli.main(["fit", str(here / name)]) == 1
    assert words in capsys.readouterr().err


def test_notes_name_options_in_the_table_and_in_the_record(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0.0, 1.0, 200), rng.normal(2.0, 1.0, 60)])
    pd.DataFrame({"x": x}).to_csv(here / "near.csv", index=False)
    arguments = ["fit", str(here / "near.csv"), "--threshold", "density-minimum"]
    assert cli.main(arguments) == 0
    assert "leave density-minimum away" in capsys.readouterr().out.replace("\n      ", " ")
    assert cli.main([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "leave density-minimum away" in record["threshold"]["cut"]["note"]
    assert record["estimates"][0]["note"].endswith("--intervals profile holds better")


def test_a_collapse_is_mended_by_options_wherever_a_line_ends(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "far.csv").write_text("x\n" + "\n".join(map(str, [*range(20), 1e9])))
    assert cli.main(["fit", str(here / "far.csv")]) == 0
    assert "Fit with --equal-variances" in capsys.readouterr().out


def test_names_in_the_data_are_left_as_they_are(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "names.csv").write_text("sample_weight,false_positive_rate\n1,2\n3,4\n")
    assert cli.main(["fit", str(here / "names.csv"), "--column", "x"]) == 1
    words = capsys.readouterr().err
    assert "sample_weight (integer), false_positive_rate (integer)" in words


def test_refits_that_failed_or_were_matched_are_told_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame(bt.datasets.load("faithful"))
    frame.to_csv(here / "faithful.csv", index=False)
    arguments = ["fit", str(here / "faithful.csv"), "--column", "waiting", "--components", "3"]
    bootstrap = ["--intervals", "bootstrap", "--refits", "40", "--seed", "1"]
    assert cli.main([*arguments, *bootstrap]) == 0
    said = capsys.readouterr().out.replace("\n      ", " ")
    assert re.search(r"Note: all intervals: \d+ of 40 refits (failed|had their components)", said)


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252", "cp932"])
def test_every_console_can_show_words(
    encoding: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(encoding: str, *arguments: str) -> tuple[int, str]:
        """The status of the command and what it writes to a console of this encoding."""
        console = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", console)
            status = cli.main([*arguments, "named.csv"])
        return status, console.buffer.getvalue().decode(encoding)

    # Of these characters each code page has some, and the table of a comparison has a dash.
    name = "Ωmega€☃"
    rows = "".join(f"{v!r}\n" for v in X.tolist())
    (here / "named.csv").write_text(f"{name}\n{rows}", encoding="utf-8")
    full = printed("utf-8", "compare")[1]
    assert name in full
    assert "–" in full
    if encoding != "cp1252":
        full = full.replace("–", "-")
    shown = full.encode(encoding, "replace").decode(encoding)
    assert printed(encoding, "compare") == (0, shown)
    status, record = printed(encoding, "fit", "--json")
    assert (status, json.loads(record)["column"]) == (0, name)

    assert f'"{name}"' in printed("utf-8", "fit", "--sql", "class")[1]
    capsys.readouterr()
    assert printed(encoding, "fit", "--sql", "class") == (1, "")
    error = capsys.readouterr().err
    assert error.startswith("bactrian: error: the output holds the character ")
    assert f"which its encoding {encoding} has not: set the environment variable" in error
