"""Gauss rules: positive weights inside the bin, and the moments of the rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import chebder, chebval
from numpy.typing import NDArray
from scipy.special import roots_legendre

from bactrian.data.sketches.grid import N_MOMENTS, chebyshev_sums
from bactrian.data.sketches.quadrature import gauss_rules

Array = NDArray[np.float64]
Rule = tuple[Array, Array]


def sums(t: Array, w: Array | None = None) -> Array:
    """The moments (1, 8) of rows in one bin."""
    return chebyshev_sums(np.asarray(t), w, np.zeros(len(t), dtype=np.intp), 1)


def rule(moments: Array) -> Rule:
    """The places and the weights of one bin."""
    bins, t, w = gauss_rules(np.atleast_2d(moments))
    assert (bins == 0).all()
    return t, w


def steepness(order: int) -> Array:
    """The largest derivatives of T_p on [-1, 1], p = 0..7, over the factorial of the order.

    k nodes integrate T_p with an error of this, for order 2 k, times the mean square of the k-th
    orthogonal polynomial. Where that is below 1e-11, no further node is taken.
    """
    basis = np.eye(N_MOMENTS)
    slopes = [chebval(1.0, chebder(row, order)) for row in basis]
    return np.array(slopes) / math.factorial(order)


def check_sound(t: Array, w: Array) -> None:
    """Positive weights at ascending places inside the bin, four at most."""
    assert 1 <= t.size <= 4
    assert (np.diff(t) > 0.0).all()
    assert (np.abs(t) <= 1.0).all()
    assert (w > 0.0).all()


@st.composite
def rows_in_a_bin(draw: st.DrawFn) -> tuple[Array, Array | None]:
    """Places in a bin, spread or in clusters of any width, at the edges too; with weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n = draw(st.integers(1, 40) | st.just(2000))
    centres = rng.uniform(-1.0, 1.0, draw(st.integers(1, 6)))
    if draw(st.booleans()):
        centres[0] = draw(st.sampled_from([-1.0, 1.0 - 2.0**-53, 0.0]))
    width = 10.0 ** -draw(st.integers(0, 17))
    t = np.clip(rng.choice(centres, n) + width * rng.uniform(-1.0, 1.0, n), -1.0, 1.0 - 2.0**-53)
    return t, draw(st.sampled_from([None, rng.gamma(0.5, 1.0, n) + 1e-9]))


@given(rows_in_a_bin())
def test_the_rule_has_the_moments_of_the_rows(rows: tuple[Array, Array | None]) -> None:
    moments = sums(*rows)
    t, w = rule(moments)
    check_sound(t, w)
    # An order is given up where what it would add is 1e-12 of the weight and below.
    errors = np.abs(sums(t, w) - moments)[0] / moments[0, 0]
    assert (errors <= 1e-12 + 1e-11 * steepness(2 * t.size)).all()
    np.testing.assert_allclose(sums(t, w)[:, 0], moments[:, 0], rtol=1e-14)


@given(st.lists(st.integers(-10, 9), min_size=1, max_size=4, unique=True), st.data())
def test_up_to_four_points_are_found_again(places: list[int], data: st.DataObject) -> None:
    expected = np.sort(np.array(places) / 10.0)
    counts = data.draw(st.lists(st.integers(1, 50), min_size=len(places), max_size=len(places)))
    t, w = rule(sums(np.repeat(expected, counts)))
    np.testing.assert_allclose(t, expected, atol=1e-6)
    np.testing.assert_allclose(w, counts, rtol=1e-4)


@pytest.mark.parametrize("places", [[0.37], [-0.81, 0.37], [-0.2, 0.1, 0.6]])
def test_many_equal_rows_leave_no_ghosts(places: list[float]) -> None:
    counts = [300_000 + 7 * k for k in range(len(places))]
    t, w = rule(sums(np.repeat(places, counts)))
    np.testing.assert_allclose(t, places, atol=1e-9)
    np.testing.assert_allclose(w, counts, rtol=1e-7)


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5, 1e-6, 1e-8, 1e-16])
@pytest.mark.parametrize("middle", [-0.999, 0.0, 0.3, 0.95])
def test_two_points_very_near_each_other_give_no_ghost(middle: float, gap: float) -> None:
    t, w = rule(sums(np.array([middle - gap / 2, middle + gap / 2])))
    check_sound(t, w)
    assert t.size <= 2
    assert np.abs(t - middle).max() <= gap
    assert w.sum() == pytest.approx(2.0, rel=1e-15)


def test_even_rows_are_the_rule_of_legendre() -> None:
    # The mean of T_p over [-1, 1] is 1 / (1 - p^2) for even p.
    moments = np.array([1.0 / (1.0 - p * p) if p % 2 == 0 else 0.0 for p in range(N_MOMENTS)])
    for q in (1, 2, 3, 4):
        t, w = rule(moments[: 2 * q])
        expected, weights = roots_legendre(q)
        np.testing.assert_allclose(t, expected, atol=1e-14)
        np.testing.assert_allclose(w, weights / 2.0, rtol=1e-13)


def test_four_nodes_are_exact_up_to_degree_seven_and_no_further() -> None:
    rows = np.linspace(-1.0, 0.99, 5000) ** 3
    t, w = rule(sums(rows))
    errors = [abs(w @ t**degree - (rows**degree).sum()) for degree in range(9)]
    assert max(errors[:8]) < 1e-9
    assert errors[8] > 1e-3


@pytest.mark.parametrize("unit", [1e-300, 1e-20, 1e20, 1e300])
def test_the_unit_of_the_weights_is_a_factor(unit: float) -> None:
    t = np.random.default_rng(3).uniform(-1.0, 1.0, 50)
    plain, moved = rule(sums(t)), rule(unit * sums(t))
    np.testing.assert_allclose(moved[0], plain[0], rtol=1e-10)
    np.testing.assert_allclose(moved[1], unit * plain[1], rtol=1e-10)


@given(rows_in_a_bin(), st.integers(0, 2**31), st.sampled_from([1e-14, 1e-11, 1e-8, 1e-5]))
def test_moments_with_errors_still_give_a_sound_rule(
    rows: tuple[Array, Array | None], seed: int, error: float
) -> None:
    moments = sums(*rows)
    noise = np.random.default_rng(seed).uniform(-error, error, moments.shape)
    noise[:, 0] = 0.0
    t, w = rule(moments * (1.0 + noise) + moments[0, 0] * noise)
    check_sound(t, w)
    assert w.sum() == pytest.approx(moments[0, 0], rel=1e-12)


def test_a_node_outside_the_bin_is_given_up() -> None:
    rows = sums(np.random.default_rng(5).uniform(-0.5, 0.5, 50))
    for place in (-6.4, 6.4):
        ghost = chebval(place, np.eye(N_MOMENTS))
        t, w = rule(rows + 1e-6 * ghost)
        check_sound(t, w)
        assert np.abs(t).max() < 0.6


def test_weights_next_to_the_least_double_stay_positive() -> None:
    t, w = rule(1e-323 * sums(np.linspace(-0.9, 0.9, 9)) / 9.0)
    check_sound(t, w)


def test_bins_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(4)
    several = [sums(rng.uniform(-1.0, 1.0, n)) for n in (1, 2, 3, 4, 9, 100, 1, 50)]
    bins, t, w = gauss_rules(np.concatenate(several))
    assert (np.diff(bins) >= 0).all()
    for b, moments in enumerate(several):
        alone = rule(moments)
        np.testing.assert_allclose(t[bins == b], alone[0], atol=1e-14)
        np.testing.assert_allclose(w[bins == b], alone[1], rtol=1e-12)
