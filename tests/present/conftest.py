"""Summaries of every kind, and the comparison with the golden texts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from bactrian.infer.estimates import Estimate
from bactrian.present.summary import Summary

GOLDEN = Path(__file__).parents[1] / "golden"
UPDATE = "BACTRIAN_UPDATE_GOLDEN"  # set to 1: write the golden texts instead of comparing


def estimate(name: str, value: float, error: float, half: float | None = None) -> Estimate:
    """Return an estimate with a symmetric interval."""
    half = 1.959964 * error if half is None else half
    return Estimate(name, value, error, value - half, value + half, 0.95, "wald")


def component(k: int, *pairs: tuple[float, float]) -> tuple[Estimate, ...]:
    """Return the estimates of component k from pairs of a value and its standard error."""
    names = (f"{kind} {k}" for kind in ("weight", "mean", "sd"))
    return tuple(estimate(name, *pair) for name, pair in zip(names, pairs, strict=True))


NORMAL = Summary(
    column="waiting",
    n_obs=272.0,
    n_components=2,
    equal_variances=False,
    method="newton",
    estimates=(
        *component(1, (0.3608861, 0.0311646), (54.614857, 0.699719), (5.8712187, 0.537298)),
        *component(2, (0.6391139, 0.0311646), (80.091069, 0.504591), (5.8677344, 0.400921)),
    ),
    loglike=-1034.00174,
    aic=2078.00348,
    bic=2096.03270,
    n_params=5,
    outcome="converged",
    outcome_sentence="The fit converged.",
    certainty="Converged: the score is zero to 1e-9 standard errors; 47 of 50 starts ended here, "
    "no other maximum was found.",
    warnings=(),
    gain_bound=0.15156773888690597,
    sd_floor=5.8677344,
)

CASES = {
    "normal": NORMAL,
    "one_component": replace(
        NORMAL,
        n_components=1,
        estimates=component(1, (1.0, nan), (70.897059, 0.822774), (13.569960, 0.581789)),
        loglike=-1095.28910,
        aic=2194.57820,
        bic=2201.78988,
        n_params=2,
    ),
    "three_components": replace(
        NORMAL,
        column="length",
        n_obs=1234567.0,
        n_components=3,
        method="em",
        estimates=(
            *component(1, (0.0996, 0.00996), (-12.3449, 0.0996), (0.5, 0.0075)),
            *component(2, (0.4002, 0.0012), (0.0004, 0.012), (1.25, 0.0081)),
            *component(3, (0.5002, 0.0101), (1254.5, 123.4), (310.4, 87.0)),
        ),
        n_params=8,
    ),
    "equal_variances": replace(
        NORMAL,
        equal_variances=True,
        estimates=(
            *component(1, (0.3607, 0.0310), (54.6105, 0.6510), (5.8687, 0.3190)),
            *component(2, (0.6393, 0.0310), (80.0895, 0.4830), (5.8687, 0.3190)),
        ),
        n_params=4,
    ),
    "collapsed": replace(
        NORMAL,
        column=None,
        n_obs=10.0,
        estimates=(
            *component(1, (0.1, nan), (3.25, nan), (1.25e-8, nan)),
            *component(2, (0.9, nan), (-0.7312345678, nan), (1.0412345678, nan)),
        ),
        loglike=3.14159e-7,
        outcome="component_collapsed",
        outcome_sentence="A component has shrunk onto a single row, where the likelihood has no "
        "bound; remove or check the row 3.25, or fit fewer components with n_components=1.",
        certainty="No maximum was found; the last mixture before the collapse is shown.",
        gain_bound=None,
        warnings=("Component 1 has 1 row.",),
    ),
    "tiny_scale": replace(
        NORMAL,
        estimates=(
            *component(1, (0.36, 0.031), (5.4614857e-149, 6.99719e-151), (5.871e-150, 5.37e-151)),
            *component(2, (0.64, 0.031), (-8.0091e-149, 5.04591e-151), (5.867e-150, 4.0e-151)),
        ),
        loglike=92905.1234567,
    ),
    "far_offset": replace(
        NORMAL,
        estimates=(
            *component(1, (0.36, 0.031), (1000000000.0123456, 0.0699719), (1.0071, 0.0537)),
            *component(2, (0.64, 0.031), (1000000004.0234567, 0.0504591), (0.9867, 0.0400)),
        ),
    ),
    "too_wide": replace(
        NORMAL,
        estimates=(
            *component(1, (0.36, 0.031), (1.000000000012345e150, 1.23e138), (1.0071e141, 5e139)),
            *component(2, (0.64, 0.031), (1.000000000412345e150, 1.23e138), (0.9867e141, 4e139)),
        ),
    ),
    "long_warnings": replace(
        NORMAL,
        column="a column whose name goes on for so long that the title needs another line",
        n_obs=271.5,
        method="lbfgs",
        warnings=(
            "Two maxima are nearly equal: the other one, with means 52.3 and 79.8, has a "
            "log-likelihood lower by 0.31 only; another sample of this size might well have "
            "preferred it. Report both.",
            "Note: the values are rounded to 1, a sixth of the smaller sd; the standard errors "
            "do not know of it.",
        ),
    ),
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, Summary]:
    """Return the name of a case and its summary."""
    return request.param, CASES[request.param]


@pytest.fixture
def normal() -> Summary:
    """Return the summary of an ordinary fit with two components."""
    return NORMAL


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Return the comparison of a text with a golden file, or its writer when refreshing."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get(UPDATE) == "1":
            path.write_text(text + "\n", encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden text {name}: see tests/golden/README.md"
        assert text + "\n" == path.read_text(encoding="utf-8")

    return compare
