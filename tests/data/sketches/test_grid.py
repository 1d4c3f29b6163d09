"""The dyadic grid: places without rounding, and the map from halves to their union."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bactrian.data.sketches.grid import (
    LARGEST_EXPONENT,
    N_MOMENTS,
    SMALLEST_EXPONENT,
    chebyshev_sums,
    halving_map,
    placed,
    scaled,
    suitable_exponent,
)
from tests.data.binned import chebyshev, exact_place

UNIT = Fraction(1, 2**53)
EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 0.1, -0.1, 1.0, -1.0, 1e300, -1.7e308, 2.0**53 + 2]
finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREMES)
exponents = st.integers(SMALLEST_EXPONENT, LARGEST_EXPONENT)


@given(finite, exponents)
def test_a_value_is_placed_as_exact_arithmetic_places_it(x: float, exponent: int) -> None:
    assume(math.frexp(x)[1] - exponent < 1000)
    bins, t = placed(np.array([x]), exponent)
    number, place = exact_place(x, exponent)
    # Next to nothing below zero is zero by rounding, or the right edge of the bin before.
    assert -1.0 <= t[0] <= 1.0
    found = Fraction(bins[0]) + Fraction(t[0]) / 2
    assert abs(found - (number + place / 2)) <= UNIT
    assert bins[0] == number or abs(place) > 1 - UNIT


def test_a_whole_number_of_bins_is_the_left_edge() -> None:
    for exponent in (-1074, -3, 0, 5, 900):
        x = scaled(np.array([-5.0, -1.0, 0.0, 1.0, 7.0]), exponent)
        bins, t = placed(x, exponent)
        assert bins.tolist() == [-5.0, -1.0, 0.0, 1.0, 7.0]
        assert (t == -1.0).all()


def test_far_values_have_bins_of_their_own() -> None:
    x = 2.0**53 * np.array([1.0, -1.0, 3.0, 1e200])
    bins, t = placed(x, 0)
    assert bins.tolist() == x.tolist()
    assert (t == -1.0).all()


def test_places_do_not_depend_on_the_unit_nor_on_an_offset_of_whole_bins() -> None:
    x = np.random.default_rng(1).normal(size=500).astype(np.float32).astype(np.float64)
    bins, t = placed(x, -4)
    for power in (-900, -1, 900):
        moved_bins, moved_t = placed(np.ldexp(x, power), power - 4)
        assert (moved_bins == bins).all()
        assert (moved_t == t).all()
    bins_far, t_far = placed(x + 2.0**20, -4)
    assert (bins_far == bins + 2.0**24).all()
    assert np.abs(t_far - t).max() < 1e-8


@pytest.mark.parametrize("exponent", [-1074, -1073, -3, 0, 7, 1023])
def test_scaling_goes_through_no_power_out_of_range(exponent: int) -> None:
    x = math.ldexp(1.5, -exponent) if exponent > -1000 else 1.5 * 2.0**1000
    expected = Fraction(x) * Fraction(2) ** exponent
    assert Fraction(float(scaled(x, exponent))) == expected
    assert scaled(2.0, 1023) == np.inf  # and no warning


def test_sums_are_those_of_the_polynomials() -> None:
    rng = np.random.default_rng(2)
    t, w = rng.uniform(-1.0, 1.0, 400), rng.gamma(1.0, 1.0, 400)
    index = rng.integers(0, 7, 400)
    values = np.polynomial.chebyshev.chebvander(t, N_MOMENTS - 1)
    for weights in (None, w):
        found = chebyshev_sums(t, weights, index, 9)
        for b in range(9):
            rows = values[index == b] * (1.0 if weights is None else w[index == b, None])
            np.testing.assert_allclose(found[b], rows.sum(axis=0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("right", [False, True])
def test_the_halving_map_expands_the_polynomials_of_the_whole_bin(right: bool) -> None:
    # Polynomials of degree 7 that agree in eight points are the same.
    for t in (Fraction(k, 7) for k in range(8)):
        there = (t + (1 if right else -1)) / 2
        for p, row in enumerate(halving_map(right)):
            series = (Fraction(a) * chebyshev(r, t) for r, a in enumerate(row.tolist()))
            assert sum(series) == chebyshev(p, there)
    assert not halving_map(right).flags.writeable


@given(
    st.floats(1e-320, 1e308),
    st.floats(0.0, 1e308),
)
def test_a_spread_is_128_to_256_bins_wide_where_bins_can_be_so_narrow(
    spread: float, more: float
) -> None:
    largest = max(spread, more)
    exponent = suitable_exponent(spread, largest)
    assert SMALLEST_EXPONENT <= exponent <= LARGEST_EXPONENT
    assert math.isfinite(float(scaled(largest, -exponent)))
    ratio = Fraction(spread) / Fraction(2) ** exponent
    if math.frexp(largest)[1] - 1000 <= exponent - 1 and exponent > SMALLEST_EXPONENT:
        assert 128 <= ratio < 256
    else:
        assert ratio < 256


@pytest.mark.parametrize("largest", [0.0, 5e-324, 1.0, 1.7e308])
def test_a_constant_has_a_width_too(largest: float) -> None:
    exponent = suitable_exponent(0.0, largest)
    bins, t = placed(np.array([largest, -largest]), exponent)
    assert np.isfinite(bins).all()
    assert (np.abs(t) <= 1.0).all()
