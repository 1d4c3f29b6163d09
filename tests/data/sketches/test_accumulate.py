"""One array as a sketch or as sums: exact against sums taken row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.sketches import accumulate
from bactrian.data.sketches.accumulate import (
    exponent_for,
    first_order_of,
    packed,
    pairwise_sum,
    rows_within,
    sketch_of,
    spread_of,
    unpacked,
)
from bactrian.data.sketches.sketch import CAP, Sketch
from bactrian.likelihood.sums import sum_rows

Array = NDArray[np.float64]


def column(n: int, seed: int = 1) -> Array:
    """Two components and a few far rows."""
    random = np.random.default_rng(seed)
    x = random.normal(np.where(random.random(n) < 0.4, -1.0, 3.0), 1.0)
    x[:: n // 7 + 1] *= 1e6
    return x


def row_by_row(x: Array, w: Array, exponent: int) -> dict[float, Array]:
    """Moments of each bin from cosines, T_p(cos a) = cos(p a), added exactly."""
    width = math.ldexp(1.0, exponent)
    rows: dict[float, list[Array]] = {}
    for value, weight in zip(x.tolist(), w.tolist(), strict=True):
        bin_ = math.floor(value / width)
        angle = math.acos(max(-1.0, min(1.0, 2.0 * (value / width - bin_) - 1.0)))
        rows.setdefault(bin_, []).append(weight * np.cos(np.arange(8) * angle))
    return {b: np.array([math.fsum(p) for p in np.transpose(rows[b])]) for b in sorted(rows)}


@pytest.mark.parametrize("n", [1, 50, 20_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_the_rows(n: int, weighted: bool) -> None:
    x = column(n)
    w = np.random.default_rng(2).uniform(0.5, 2.0, n) if weighted else None
    found = sketch_of(x, w, -5)
    expected = row_by_row(x, np.ones(n) if w is None else w, -5)
    assert found.bins.tolist() == list(expected)
    np.testing.assert_allclose(found.moments, np.array(list(expected.values())), atol=1e-9)
    assert (found.count, found.minimum, found.maximum) == (n, x.min(), x.max())
    if w is None:
        assert found.squares is None
    else:
        assert found.squares is not None
        squared = row_by_row(x, w * w, -5)
        np.testing.assert_allclose(found.squares, np.array(list(squared.values())), atol=1e-9)


def test_rows_of_weight_zero_are_counted_only() -> None:
    x = np.array([1.0, 2.0, 50.0])
    found = sketch_of(x, np.array([1.0, 2.0, 0.0]), 0)
    assert found.bins.tolist() == [1.0, 2.0]
    assert (found.count, found.total, found.maximum) == (3, 3.0, 2.0)
    nothing = sketch_of(x, np.zeros(3), 0)
    assert (nothing.count, nothing.bins.size) == (3, 0)


def test_too_fine_a_grid_is_coarsened_and_keeps_the_rows() -> None:
    x = column(300_000)
    found = sketch_of(x, None, -40)
    assert CAP // 3 < found.bins.size <= CAP
    coarse = sketch_of(x, None, found.exponent)
    assert found.bins.tolist() == coarse.bins.tolist()
    np.testing.assert_allclose(found.moments, coarse.moments, atol=1e-9)


def test_stray_rows_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x = column(50_000)
    whole = sketch_of(x, None, -6)
    monkeypatch.setattr(accumulate, "_STRAY", 100)
    monkeypatch.setattr(accumulate, "_WINDOW", 64)
    in_parts = sketch_of(x, None, -6)
    assert in_parts.bins.tolist() == whole.bins.tolist()
    np.testing.assert_allclose(in_parts.moments, whole.moments, atol=1e-9)
    assert in_parts.count == whole.count


def test_values_whose_bins_have_no_fraction_left() -> None:
    x = np.full(10_000, 1e300)
    x[1::2] = -1e300
    found = sketch_of(x, None, exponent_for(x))
    assert found.bins.size == 2
    assert found.total == 10_000


def test_the_spread_is_that_of_the_bulk() -> None:
    x = np.random.default_rng(3).normal(5.0, 2.0, 200_000)
    assert spread_of(x) == pytest.approx(2.0, rel=0.02)
    x[:200] = 1e9
    assert spread_of(x) == pytest.approx(2.0, rel=0.02)
    tied = np.concatenate([np.zeros(90_000), x[1000:2000]])
    assert spread_of(tied) > 0.0
    assert spread_of(np.array([-1.0, 1.0] * 9)) == 1.0  # and not half of their distance / 0.67
    assert spread_of(np.array([7.0])) == 0.0
    assert spread_of(np.full(9, 0.1)) == 0.0
    assert spread_of(np.array([-8e307, 8e307])) > 1e307


def test_the_grid_follows_the_unit() -> None:
    x = column(10_000)
    e = exponent_for(x)
    assert exponent_for(np.ldexp(x, 100)) == e + 100
    assert math.ldexp(128.0, e) <= spread_of(x) < math.ldexp(256.0, e)
    assert Sketch.coarsen(sketch_of(x, None, e), e + 1).exponent == e + 1


def test_ranges_are_half_open() -> None:
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 9.0])
    within = np.array([[2.0, 3.0], [0.0, 1.0]])
    assert rows_within(x, within).tolist() == [False, True, True, False, True, False, False]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("compiled", [None, True])
def test_sums_are_those_of_the_likelihood(k: int, weighted: bool, compiled: bool | None) -> None:
    if compiled:
        pytest.importorskip("numba")
    x = column(10_001)
    w = np.random.default_rng(2).uniform(0.0, 2.0, x.size) if weighted else None
    weights, means, sds = np.full(k, 1.0 / k), np.linspace(-0.2, 0.2, k), np.linspace(0.3, 0.4, k)
    origin, scale = 1.0, 8.0
    found = first_order_of(x, w, origin, scale, weights, means, sds, compiled=compiled)
    every = np.ones(x.size) if w is None else w
    expected = sum_rows((x - origin) / scale, every, weights[None], means[None], sds[None])
    assert found.loglike == pytest.approx(expected.loglike[0], rel=1e-13)
    np.testing.assert_allclose(found.sums, expected.single[0], rtol=1e-11, atol=1e-9)
    assert found.total == pytest.approx(every.sum(), rel=1e-14)
    again = unpacked(packed(found))
    assert again.loglike == found.loglike
    assert again.total == found.total
    assert np.array_equal(again.sums, found.sums)


def test_no_rows_give_zero_sums() -> None:
    found = first_order_of(np.empty(0), None, 0.0, 1.0, *np.ones((3, 2)))
    assert found.loglike == found.total == 0.0
    assert found.sums.tolist() == [[0.0] * 2] * 3


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 1000])
def test_a_pairwise_sum_is_the_sum(n: int) -> None:
    parts = np.random.default_rng(4).integers(-99, 99, (n, 3)).astype(float)
    assert pairwise_sum(iter(parts), 3).tolist() == parts.sum(0).tolist()


def test_a_pairwise_sum_loses_less_than_a_running_one() -> None:
    parts = np.full((100_000, 1), 0.1)
    running = np.cumsum(parts)[-1]  # one after another; Python's own sum is exact from 3.12 on
    assert abs(pairwise_sum(parts, 1)[0] - 1e4) < 1e-11 < abs(running - 1e4)
