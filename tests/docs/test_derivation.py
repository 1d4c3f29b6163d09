"""The derivation is executed: its blocks run; its headings are those cited; its math renders."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mpmath import mp

import bactrian as bt
from bactrian.errors import ParameterError
from tests.docs.derivation_text import SETUP, inline_formulas, page_lines, sections

RESULTS = (
    "The model", "The log-likelihood", "Responsibilities", "Gradient: means",
    "Gradient: variances", "Gradient: mixing weights", "The constraint by a Lagrange multiplier",
    "The constraint by softmax", "Working coordinates", "Stationarity equations",
    "EM, gradient ascent and Newton", "Hessian in natural coordinates",
    "Hessian in working coordinates", "Change of coordinates", "Per-row score and information",
    "Any number of components", "Log-odds for two components", "Unboundedness",
    "Binned moments", "Bound on what any mixture could gain", "Constraints", "Sampling weights",
    "Delta method", "Profile likelihood", "Tests between nested fits", "Bootstrap", "EM-test",
    "Likelihood ratio for the number of components", "Thresholds", "Goodness of fit",
)  # fmt: skip


def run(section: str, **replaced: Any) -> None:
    """Run the shared beginning and then the blocks of a section."""
    namespace: dict[str, Any] = {}
    with mp.workdps(mp.dps):
        for heading in (SETUP, section):
            for line, code in sections()[heading].blocks:
                shifted = "\n" * (line - 1) + code
                exec(compile(shifted, "docs/derivation.md", "exec"), namespace)
            namespace |= replaced


@pytest.mark.parametrize("heading", RESULTS)
def test_blocks_of_section_run(heading: str) -> None:
    section = sections()[heading]
    assert section.blocks, "a result has an executed block beneath it"
    for _, code in section.blocks:
        assert re.search(r"^\s*assert ", code, re.MULTILINE), "a block asserts something"
    run(heading)


def askew(value: Any) -> Any:
    """The value, or every entry of it, with an error of a millionth."""
    return value * (1 + 1e-6) + 1e-6 if isinstance(value, float | np.ndarray) else value


def misprinting(function: Any) -> Any:
    """The function with its values askew."""
    return lambda *args, **more: askew(function(*args, **more))


CALLS = ("loglike", "responsibilities", "score", "score_obs", "hessian")


def calls_the_library(heading: str) -> bool:
    codes = [code for _, code in sections()[heading].blocks] if heading in sections() else []
    return any(f"bt.{name}(" in code for name in CALLS for code in codes)


@pytest.mark.parametrize("heading", [name for name in RESULTS if calls_the_library(name)])
def test_blocks_notice_a_wrong_library(heading: str) -> None:
    wrong = {name: getattr(bt, name) for name in bt.__all__}
    wrong |= {name: misprinting(wrong[name]) for name in CALLS}
    with pytest.raises((AssertionError, ParameterError)):  # weights must sum to one
        run(heading, bt=SimpleNamespace(**wrong))


def test_every_result_has_its_heading() -> None:
    assert [heading for heading in sections() if heading in RESULTS] == list(RESULTS)


def test_docstrings_cite_headings_that_exist() -> None:
    cited = []
    for path in (Path(__file__).parents[2] / "src").rglob("*.py"):
        text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
        for source in re.findall(r"Source: derivation, ([^.]*)\.", text):
            cited += [(path.name, name) for name in re.findall(r'"([^"]*)"', source)]
    assert cited
    assert [c for c in cited if c[1] not in RESULTS] == []


# Known to MathJax without extensions; \operatorname, \text and environments are avoided.
MACROS = set(
    r"frac sum prod int partial log exp sqrt max left right mid quad overset mathcal bar hat infty"
    r" pi mu sigma ell alpha tau eta theta rho delta lambda Lambda dots ne ge le leftarrow lvert"
    r" rvert approx cos arccos zeta min"
    r" phi beta Delta".split()
)


def all_math() -> list[tuple[int, str]]:
    """Every formula of the page, displayed or inline, with its line."""
    found: list[tuple[int, str]] = []
    for section in sections().values():
        found += section.displays
        for line, text in section.prose:
            found += [(line, formula) for formula in inline_formulas(text)]
    return found


def test_math_survives_markdown() -> None:
    for line, formula in all_math():
        where = f"docs/derivation.md:{line}: {formula}"
        assert set(re.findall(r"\\([A-Za-z]+)", formula)) <= MACROS, where
        # Markdown removes a backslash before punctuation, reads * ~ ` < > | # and & itself, and
        # takes an underscore after a bracket or a command for the start of an emphasis.
        assert not re.search(r"\\[^A-Za-z]|[*~`<>|#&]|(?<![A-Za-z0-9])_|\]\(", formula), where
        assert formula.count("{") == formula.count("}"), where
        assert formula.strip() == formula != "", where
        assert not re.match(r"[-+=] |\d+[.)] ", formula), f"{where} (a list or a heading)"
        assert "\n" not in formula, where


def test_dollars_are_read_as_math() -> None:
    lines = page_lines()
    for section in sections().values():
        for number, text in section.prose:
            bare = re.sub(r"`[^`]*`", "", text)
            assert bare.count("$") % 2 == 0, f"line {number}: a formula is cut at the line's end"
            for match in re.finditer(r"(.?)\$[^$]+\$(.?)", bare):
                assert re.fullmatch(r"\s?", match[1]), f"line {number}: {match[0]}"
                assert re.fullmatch(r"[\s.,;:)]?", match[2]), f"line {number}: {match[0]}"
        for number, _ in section.displays:
            assert (lines[number - 3], lines[number + 1]) == ("", ""), f"line {number}: no space"
