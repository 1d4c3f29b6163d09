"""The commands test and compare: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import bactrian as bt
from bactrian import cli

WAITING = [str(bt.datasets.path("faithful")), "--column", "waiting"]


def refuse(constant: str) -> NoReturn:
    """Fail on NaN and Infinity, which JSON does not have."""
    raise AssertionError(constant)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    assert cli.main(list(arguments)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def record(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    text = printed(capsys, *arguments, "--json")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said to a command that is not carried out."""
    assert cli.main(list(arguments)) != 0
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_a_test_and_a_verdict_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "test", *WAITING, "--seed", "1")
    fit = bt.fit(bt.datasets.load("faithful")["waiting"])
    test = fit.homogeneity_test()
    assert text == f"{test}\n\nVerdict\n{fit.verdict(test=test, rng=1)}\n"
    assert max(map(len, text.splitlines())) <= 88


def test_the_record_holds_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    found = record(capsys, "test", *WAITING, "--quick", "--components", "3")
    fit = bt.fit(bt.datasets.load("faithful")["waiting"], 3)
    assert found["test"] == fit.homogeneity_test().to_dict()
    assert found["verdict"] == fit.verdict(n_replicates=0).to_dict()
    assert found["verdict"]["goodness"] is None
    assert (found["column"], found["n_obs"], found["outcome"]) == ("waiting", 272, "converged")


def test_a_bootstrap_does_not_depend_on_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    rest = ["--quick", "--method", "bootstrap", "--refits", "39", "--seed", "4"]
    one = record(capsys, "test", *WAITING, *rest, "--workers", "1")
    two = record(capsys, "test", *WAITING, *rest, "--workers", "2")
    assert one == two
    assert one["test"]["p_value"] == 1 / 40
    assert one["test"]["n_replicates"] == 39


def test_equal_variances_and_the_table_reach_the_test(capsys: pytest.CaptureFixture[str]) -> None:
    equal = record(capsys, "test", *WAITING, "--quick", "--equal-variances")
    assert equal["test"]["equal_variances"]
    table = record(capsys, "test", *WAITING, "--quick", "--method", "likelihood_ratio")
    assert table["test"]["method"] == "likelihood_ratio"
    assert 0.0 < table["test"]["p_value"] < 1e-3
    assert "n_replicates" in table["test"]


def test_without_a_maximum_there_is_a_test_but_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.append(np.random.default_rng(3).normal(size=60), 1e6)
    (tmp_path / "x.csv").write_text("x\n" + "".join(f"{v!r}\n" for v in x.tolist()))
    text = printed(capsys, "test", str(tmp_path / "x.csv"))
    assert text.startswith("One component against two: EM-test")
    assert "\n\nNo verdict. " in text
    assert record(capsys, "test", str(tmp_path / "x.csv"))["verdict"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--components", "1"], "--components 1 leaves nothing to test against"),
        (["--refits", "10"], "--refits goes with --method bootstrap"),
        (["--refits", "9", "--method", "bootstrap"], "--refits 9 is too few: no p-value"),
        (["--refits", "0", "--method", "bootstrap"], "--refits 0 is not a positive whole number"),
        (["--workers", "-1"], "--workers -1 is not a positive whole number"),
        (
            ["--components", "3", "--equal-variances"],
            "--method bootstrap",
        ),
        (["--components", "3", "--method", "likelihood_ratio"], "--method bootstrap"),
        (["--components", "9"], "--method bootstrap"),
        (["--weights", "eruptions", "--weight-kind", "sampling"], "sampling weights"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_the_words_of_the_command_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "test", *WAITING, *arguments)
    assert line.startswith("bactrian: error: ")
    assert said in line
    assert "method=" not in line
    assert "weight_kind=" not in line


def test_coarsely_rounded_values_are_tested_by_a_bootstrap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.round(np.random.default_rng(0).normal(size=300))
    (tmp_path / "x.csv").write_text("x\n" + "".join(f"{v!r}\n" for v in x.tolist()))
    found = record(capsys, "test", str(tmp_path / "x.csv"), "--quick", "--seed", "1")
    assert found["test"]["method"] == "bootstrap"
    line = refused(capsys, "test", str(tmp_path / "x.csv"), "--method", "em")
    assert "--method bootstrap draws samples that are rounded alike" in line
    table = printed(capsys, "compare", str(tmp_path / "x.csv"), "--components", "1", "2")
    assert "bactrian test --method bootstrap draws samples" in table.replace("\n", " ")


def test_a_comparison_is_printed_and_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    column = bt.datasets.load("faithful")["waiting"]
    text = printed(capsys, "compare", *WAITING, "--components", "1", "2")
    assert text.replace("to waiting", "to data") == f"{bt.compare(column, [1, 2])}\n"
    found = record(capsys, "compare", *WAITING, "--components", "1", "2", "--equal-variances")
    assert [row["equal_variances"] for row in found["fits"]] == [True, True]
    assert found["column"] == "waiting"
    other = record(capsys, "compare", *WAITING, "--components", "2", "--different-variances")
    assert [row["equal_variances"] for row in other["fits"]] == [False]
