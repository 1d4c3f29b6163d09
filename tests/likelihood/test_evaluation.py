"""Score and Hessian at any finite row and any mixture, in whatever way the rows are summed."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpmath import mpf
from numpy.typing import NDArray

import bactrian as bt
from bactrian.likelihood import evaluation
from tests import oracle

Array = NDArray[np.float64]
Coordinates = Literal["natural", "working"]

BOTH: tuple[Coordinates, ...] = ("natural", "working")
PAIR = bt.NormalMixture([0.4, 0.6], [50.0, 75.0], [6.0, 8.0])
GUARD = 2600  # digits: fourth powers of 1e308 sds, over fourth powers of sds of 1e-300

signs = st.sampled_from([-1.0, 1.0])


def powers(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive numbers of all orders of magnitude."""
    return st.floats(low, high).map(lambda e: 10.0**e)


def signed(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of either sign and of all orders of magnitude."""
    return st.builds(lambda sign, size: sign * size, signs, powers(low, high))


@st.composite
def any_mixture(draw: st.DrawFn) -> bt.NormalMixture:
    """Sds of all orders, together or apart; rivals so alike that they share the farthest row."""
    k = draw(st.integers(1, 3))
    parts = np.array(draw(st.lists(st.floats(0.1, 1.0), min_size=k, max_size=k)))
    kind = draw(st.sampled_from(["apart", "rivals", "together"]))
    scale = draw(powers(-150, 150))
    if kind == "apart":
        sds = [draw(powers(-150, 150)) for _ in range(k)]
        means = [draw(signed(-150, 200)) for _ in range(k)]
    elif kind == "rivals":
        sds = [scale] * k
        means = [0.0, *(scale * draw(signed(-200, 0)) for _ in range(k - 1))]
    else:
        sds = [scale * draw(st.floats(0.5, 2.0)) for _ in range(k)]
        means = [scale * draw(st.floats(-5.0, 5.0)) for _ in range(k)]
    return bt.NormalMixture(parts / parts.sum(), means, sds)


@st.composite
def any_rows(draw: st.DrawFn) -> tuple[list[float], bt.NormalMixture]:
    """Rows at 1e100 to 1e308, in the body, and where rivals share one; with their mixture."""
    mixture = draw(any_mixture())
    rows = draw(st.lists(signed(100, 307.9), min_size=1, max_size=2))
    if draw(st.booleans()):
        rows.append(float(mixture.means[0] + draw(st.floats(-3, 3)) * mixture.sds[0]))
    if mixture.n_components > 1 and mixture.means[1] != 0.0:
        shared = draw(st.floats(-9, 9)) * mixture.sds[0] / mixture.means[1] * mixture.sds[0]
        rows.append(float(np.clip(shared, -1e307, 1e307)))
    return rows, mixture


def exact(x: list[float], mixture: bt.NormalMixture, coordinates: str, w: Any) -> oracle.Exact:
    """The exact quantities; no allowance for responsibilities below the range of doubles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle, "TINY", mpf(2) ** -9000)
        return oracle.exact(x, mixture, coordinates, w, GUARD)


@pytest.mark.parametrize("coordinates", BOTH)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(case=any_rows(), weights=st.lists(st.floats(0.01, 100.0), min_size=4, max_size=4))
def test_every_row_and_mixture_has_the_right_derivatives(
    coordinates: Coordinates, case: tuple[list[float], bt.NormalMixture], weights: list[float]
) -> None:
    """The rule of `tests.oracle`: infinite beyond the largest double, else right."""
    (x, mixture), w = case, weights[: len(case[0])]
    truth = exact(x, mixture, coordinates, w)
    found = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    rows = bt.score_obs(x, mixture, coordinates=coordinates)
    assert oracle.worst(found.score, truth.score) <= oracle.LIMIT
    assert oracle.worst(found.hessian, truth.hessian) <= oracle.LIMIT
    assert oracle.worst(found.loglike, truth.loglike) <= oracle.LIMIT
    assert oracle.worst(rows, truth.score_obs) <= oracle.LIMIT
    assert oracle.worst(bt.responsibilities(x, mixture), truth.responsibilities) <= oracle.LIMIT
    assert bt.loglike(x, mixture, sample_weight=w) == pytest.approx(found.loglike, rel=1e-13)


def test_responsibilities_below_the_doubles_count_where_sds_are_tiny() -> None:
    """At 45 sds of the narrow one its share is 1e-330, and the slope along its variance 1e13."""
    s = 1e-170
    x, mixture = [45.0 * s, 0.0], bt.NormalMixture([0.5, 0.5], [0.0, 0.0], [s, 2.0 * s])
    for coordinates in BOTH:
        truth = exact(x, mixture, coordinates, [1.0, 1.0])
        rows = bt.score_obs(x, mixture, coordinates=coordinates)
        assert oracle.worst(rows, truth.score_obs) <= oracle.LIMIT
        found = bt.evaluate(x[:1], mixture, coordinates=coordinates)
        truth = exact(x[:1], mixture, coordinates, [1.0])
        assert oracle.worst(found.score, truth.score) <= oracle.LIMIT
        assert oracle.worst(found.hessian, truth.hessian) <= oracle.LIMIT
    assert 1e12 < bt.score(x[:1], mixture)[4] < 1e15


def test_a_row_at_1e155_has_the_slopes_of_its_square() -> None:
    """By hand: all of it is in the second component, u = (x - 75) / 8 and q = u^2 / 2."""
    u = 1e155 / 8.0
    natural, working = (bt.score([1e155], PAIR, coordinates=c) for c in BOTH)
    quotient = 0.5 * (u / 8.0) * (u / 8.0)
    assert natural == pytest.approx([0, 1 / 0.6, 0, u / 8, 0, quotient], rel=1e-15)
    assert working == pytest.approx([-0.4, 0, u / 8, 0, 0.5 * u * u], rel=1e-15)
    assert bt.score([1e156], PAIR)[5] == pytest.approx(100.0 * quotient, rel=1e-15)
    assert bt.score([1e157], PAIR)[5] == np.inf
    assert bt.score([-1e157], PAIR)[[3, 5]] == pytest.approx([-1e157 / 64, np.inf], rel=1e-15)


@pytest.mark.parametrize("coordinates", BOTH)
@pytest.mark.parametrize("k", [2, 3])
def test_far_rows_of_a_large_column_are_summed_as_those_of_a_small_one(
    monkeypatch: pytest.MonkeyPatch, coordinates: Coordinates, k: int
) -> None:
    mixture = bt.NormalMixture([1.0 / k] * k, [50.0, 75.0, 60.0][:k], [6.0, 8.0, 7.0][:k])
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(60.0, 10.0, 3000), [1e160, -3e152, 1e40, 1e78, -1e154]])
    w = rng.uniform(0.0, 2.0, x.size)
    small = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    truth = sum(
        np.nan_to_num(row, posinf=np.inf, neginf=-np.inf)
        for row in w[:, None] * bt.score_obs(x, mixture, coordinates=coordinates)
    )
    monkeypatch.setattr("bactrian.data.loops.kernels.COMPILE_FROM", 1000)
    large = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    finite = np.isfinite(truth)
    assert not finite.all()
    assert np.array_equal(small.score[~finite], truth[~finite])
    np.testing.assert_allclose(small.score[finite], truth[finite], rtol=1e-12)
    np.testing.assert_allclose(large.score, small.score, rtol=1e-12)
    np.testing.assert_allclose(large.hessian, small.hessian, rtol=1e-12)
    assert not np.isnan(large.hessian).any()


def test_a_common_scale_costs_no_wide_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and mixture at 1e200 are brought to an ordinary unit, to the same digits."""
    x = np.random.default_rng(3).normal(60.0, 10.0, 200)
    plain = {c: bt.evaluate(x, PAIR, coordinates=c) for c in BOTH}
    monkeypatch.setattr(evaluation, "far_derivatives", None)
    for power in (700, -700):
        mixture = PAIR.affine(0.0, 2.0**power)
        for coordinates in BOTH:
            found = bt.evaluate(x * 2.0**power, mixture, coordinates=coordinates)
            order = np.repeat([0, -1, -2 if coordinates == "natural" else 0], 2)
            order = order[-found.score.size :] * power
            one = plain[coordinates]
            with np.errstate(over="ignore"):
                expected = np.ldexp(one.score, order)
            assert found.score == pytest.approx(expected, rel=1e-13, abs=0.0)
            assert found.loglike == pytest.approx(
                one.loglike - x.size * power * math.log(2.0), rel=1e-13
            )


def test_an_infinite_sum_both_ways_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights may be so large that doubles overflow for near rows."""
    x, w = np.array([-1.0, 1.0, 0.5]), np.array([3e307, 3e307, 3e307])
    mixture = bt.NormalMixture([0.5, 0.5], [-0.1, 0.1], [0.05, 0.05])
    for coordinates in BOTH:
        truth = oracle.exact(x, mixture, coordinates, w)
        found = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
        assert oracle.worst(found.score, truth.score) <= oracle.LIMIT
        assert oracle.worst(found.hessian, truth.hessian) <= oracle.LIMIT


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("weights", [[0.3, 0.7], [1e-200, 1.0]])
def test_a_large_column_takes_no_memory_beside_its_rows(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, weights: list[float]
) -> None:
    monkeypatch.setattr(
        "bactrian.data.loops.kernels.COMPILE_FROM", 1000 if compiled else 1_000_000_000
    )
    mixture = bt.NormalMixture(weights, [50.0, 75.0], [6.0, 8.0])
    x = np.random.default_rng(8).normal(65.0, 12.0, 2_000_000)
    calls: list[Callable[[Array], Any]] = [
        lambda rows: bt.loglike(rows, mixture),
        lambda rows: bt.score(rows, mixture),
        lambda rows: bt.hessian(rows, mixture),
    ]
    for call in calls:
        call(x[:200_000])  # what is imported and compiled is none of the rows' memory
        tracemalloc.start()
        call(x)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.5 * x.nbytes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("far", [0, 1])
def test_a_log_likelihood_is_the_sum_over_all_blocks_of_rows(
    monkeypatch: pytest.MonkeyPatch, far: int, dtype: Any
) -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(65.0, 12.0, 150_001).astype(dtype)
    x[100] = 1e35 if far else 1.0
    w = rng.integers(0, 4, x.size).astype(np.float64)
    w[100] = 2.0
    logpdf = np.asarray(PAIR.logpdf(x.astype(np.float64)))
    for compile_from in (1000, 1_000_000_000):
        monkeypatch.setattr("bactrian.data.loops.kernels.COMPILE_FROM", compile_from)
        plain, weighted = math.fsum(logpdf), math.fsum(w * logpdf)
        assert bt.loglike(x, PAIR) == pytest.approx(plain, rel=1e-13, abs=0.0)
        assert bt.loglike(x, PAIR, sample_weight=w) == pytest.approx(weighted, rel=1e-13, abs=0.0)
        x_lost = np.append(x.astype(np.float64), 1e200)
        assert bt.loglike(x_lost, PAIR) == -math.inf
