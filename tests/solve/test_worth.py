"""The gradient function: its series, its summits, its highest point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.solve.worth import HALF, Worth, highest

Array = np.ndarray


def plain(x: Array, shares: Array, places: Array) -> Array:
    """The function by its definition."""
    return np.asarray(np.exp(-0.5 * (places[:, None] - x) ** 2) @ shares)


def values(seed: int, spread: float, size: int = 60) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.sort(np.append(rng.normal(0.0, spread, size), spread * rng.standard_cauchy(5)))
    return x, rng.exponential(1.0, x.size)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0, 1000.0])
def test_the_series_is_the_function_everywhere_in_its_cell(spread: float) -> None:
    x, shares = values(1, spread)
    worth = Worth.of(x)
    series = worth.series(shares)
    for t in (-1.0, -0.3, 0.0, 0.7, 1.0):
        found = series @ t ** np.arange(12)
        known = plain(x, shares, worth.centres + HALF * t)
        assert np.abs(found - known).max() <= 1e-11 * known.max() + 1e-13


@pytest.mark.parametrize("spread", [0.5, 5.0, 50.0])
def test_summits_are_where_it_is_highest(spread: float) -> None:
    x, shares = values(2, spread)
    worth = Worth.of(x)
    places, heights = worth.summits(worth.series(shares))
    near = plain(x, shares, places)
    np.testing.assert_allclose(heights, near, rtol=1e-9)
    for away in (-0.01, 0.01):
        assert (plain(x, shares, places + away) < near).all()
    assert (np.diff(places) > 0.0).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), spread=st.sampled_from([0.1, 1.0, 3.0, 30.0, 1e4]))
def test_the_highest_is_above_every_point_and_close(seed: int, spread: float) -> None:
    x, shares = values(seed, spread)
    bound = highest(x, shares)
    places = np.unique(np.concatenate([x + away for away in np.linspace(-1.0, 1.0, 101)]))
    known = plain(x, shares, places).max()
    assert known <= bound <= known * (1.0 + 6e-5)  # between places 0.02 apart: 0.01^2 / 2


def test_one_value_has_one_summit() -> None:
    worth = Worth.of(np.array([0.0]))  # as far from one of the points looked at as from the next
    places, heights = worth.summits(worth.series(np.array([2.0])))
    np.testing.assert_allclose(places, [0.0], atol=1e-9)
    np.testing.assert_allclose(heights, [2.0], rtol=1e-9)


def test_one_value_has_its_own_height() -> None:
    assert highest(np.array([0.1]), np.array([3.0])) == pytest.approx(3.0, rel=1e-9)


def test_condensed_values_have_the_same_height() -> None:
    rng = np.random.default_rng(3)
    x, shares = np.sort(rng.normal(0.0, 2.0, 4000)), rng.exponential(1.0, 4000)
    worth = Worth.of(x)
    known = worth.summits(worth.series(shares))[1].max()
    assert highest(x, shares) == pytest.approx(known, rel=1e-9)


def test_beyond_one_unit_of_all_values_there_is_no_summit() -> None:
    x, shares = values(4, 20.0)
    places = np.linspace(x[0] - 5.0, x[-1] + 5.0, 100_001)
    height = plain(x, shares, places)
    top = places[1:-1][(height[1:-1] > height[:-2]) & (height[1:-1] > height[2:])]
    assert (np.abs(top[:, None] - x).min(axis=1) <= 1.0).all()
    cells = Worth.of(x).centres
    assert (np.abs(top[:, None] - cells).min(axis=1) <= HALF).all()
