"""Slopes by differences, and functions that have none: what is said of them instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.infer.differences import (
    CONSTANT,
    KINKED,
    NO_NEIGHBOURS,
    STEP,
    STILL,
    is_constant,
    second_slopes,
    stencil,
)
from tests.problems import Array, draw, drawn_fit

AT = np.array([0.3, -1.2])
STEPS = np.array([STEP, 2.0 * STEP])


def smooth(v: Array) -> float:
    """A function with known slopes."""
    return float(np.exp(v[0]) * np.sin(v[1]))


def test_slopes_are_those_of_calculus() -> None:
    found = stencil(smooth, AT, STEPS)
    e, s, c = math.exp(0.3), math.sin(-1.2), math.cos(-1.2)
    # Fourth-order differences err by step^4 / 30 times a fifth derivative of about one.
    np.testing.assert_allclose(found.gradient, [e * s, e * c], rtol=0, atol=2e-12)
    assert found.fault() == ""
    second = [[e * s, e * c], [e * c, -e * s]]
    np.testing.assert_allclose(second_slopes(smooth, AT, STEPS), second, atol=1e-5)


@pytest.mark.parametrize("at", [-1.6, -1.0, -2.0 / 3.0, -0.5, -0.1, 0.0, 0.3, 0.5, 2.0 / 3.0, 1.6])
@pytest.mark.parametrize("bend", [0.3, 2.0, -2.0])
def test_a_kink_is_seen_wherever_it_is_between_the_values(at: float, bend: float) -> None:
    kink = AT[0] + at * STEP

    def bent(v: Array) -> float:
        """A slope that changes at the kink."""
        return smooth(v) + bend * abs(float(v[0] - kink))

    assert stencil(bent, AT, STEPS).fault() == KINKED


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda v: 0.1 + 0.2, CONSTANT),
        (lambda v: float((v - AT) @ (v - AT)), STILL),
        (lambda v: 7.0 + float((v - AT) @ (v - AT)), STILL),
        (lambda v: float(v[0] > AT[0]), KINKED),
        (lambda v: math.sqrt(v[0] - AT[0]) if v[0] >= AT[0] else math.nan, NO_NEIGHBOURS),
        (lambda v: float(np.tanh(20.0 * (v[0] - AT[0]))), ""),
        (lambda v: 1e9 + float(v[0]), ""),
    ],
)
def test_what_a_function_does_is_told(function: Callable[[Array], float], fault: str) -> None:
    assert stencil(function, AT, STEPS).fault() == fault


def test_where_rounding_alone_moves_a_function_its_slope_is_zero() -> None:
    found = stencil(lambda v: 1e6 * (math.sin(v[0]) ** 2 + math.cos(v[0]) ** 2), AT, STEPS)
    assert not found.gradient.any()


def test_what_rounding_of_the_point_does_is_no_kink() -> None:
    found = stencil(lambda v: (1e12 + float(v[0])) - 1e12, AT, STEPS)
    assert found.fault(blur=0.0) == KINKED
    assert found.fault(blur=1e12 * 2.0**-53 / STEP) == ""


def test_a_function_that_moves_in_steps_is_not_constant() -> None:
    assert is_constant(lambda v: 3.0, AT, np.ones(2))
    assert not is_constant(lambda v: float(round(v[1])), AT, np.ones(2))
    assert is_constant(lambda v: float(round(v[1])), AT, np.full(2, 0.05))


METHODS: list[Any] = ["wald", "profile"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", ["identity", "log"])
def test_a_constant_has_no_error(method: Any, scale: Any) -> None:
    found = drawn_fit("apart").derive(lambda m: 0.3, method=method, scale=scale)
    assert (found.standard_error, found.low, found.high) == (0.0, found.value, found.value)
    assert found.value == pytest.approx(0.3, rel=1e-15)
    assert found.note == CONSTANT


@pytest.mark.parametrize("method", METHODS)
def test_a_kink_at_the_fit_has_neither_error_nor_interval(method: Any) -> None:
    fit = drawn_fit("apart")
    here = float(fit.mixture.weights[0])
    found = fit.derive(lambda m: abs(m.weights[0] - here), method=method)
    assert found.value == pytest.approx(0.0, abs=1e-15)
    assert np.isnan([found.standard_error, found.low, found.high]).all()
    assert "a kink or a jump" in found.note


def test_a_kink_far_from_the_fit_does_no_harm() -> None:
    fit = drawn_fit("apart")
    known, found = fit.confint()["mean 2"], fit.derive(lambda m: max(m.means))
    assert found.standard_error == pytest.approx(known.standard_error, rel=1e-9)
    assert found.note == ""


def test_steps_have_a_slope_of_zero_which_is_said() -> None:
    found = drawn_fit("apart").derive(lambda m: round(10.0 * m.means[1]))
    assert math.isnan(found.standard_error)
    assert found.note == STILL


def test_refits_need_no_slope() -> None:
    fit = drawn_fit("apart")
    here = float(fit.mixture.weights[0])
    found = fit.derive(lambda m: abs(m.weights[0] - here), method=fit.bootstrap(50, rng=1))
    assert 0.0 < found.low < found.high
    assert "kink" not in found.note


@pytest.mark.parametrize("offset", [0.0, 1e9, 1e12])
def test_an_offset_makes_no_kinks(offset: float) -> None:
    fit = bt.fit(draw("apart") + offset)
    found = fit.derive(lambda m: m.means[1] - m.means[0])
    v = fit.covariance()
    known = math.sqrt(v[2, 2] + v[3, 3] - 2.0 * v[2, 3])
    # Means are rounded to a part in 1e16 of the offset, over steps of a tenth of an sd.
    assert found.standard_error == pytest.approx(known, rel=1e-8 + 1e-14 * offset)


def test_a_profile_that_ends_at_a_kink_says_that_it_may() -> None:
    found = drawn_fit("overlapping").derive(
        lambda m: abs(m.sds[0] - m.sds[1]), method="profile", level=0.999
    )
    assert found.low == -math.inf
    assert "the quantity has a kink or an end there" in found.note
