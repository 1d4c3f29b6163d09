"""The sample that the likelihood sees: local coordinates that keep every digit."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sample import Sample

Array = NDArray[np.float64]

RNG = np.random.default_rng(20240620)
U = 2.0**-53
DATA = {
    "body": RNG.normal(3.0, 2.0, 60),
    "ties": RNG.integers(0, 9, 60).astype(np.float64),
    "offset 1e9": 1e9 + RNG.normal(0.0, 1.0, 60),
    "scale 1e150": 1e150 * RNG.normal(3.0, 2.0, 60),
    "scale 1e-150": 1e-150 * RNG.normal(3.0, 2.0, 60),
    "scale 1e300": 1e300 * RNG.normal(3.0, 2.0, 60),
    "subnormal": 5e-324 * RNG.integers(0, 1000, 60),
    "outlier": np.append(RNG.normal(0.0, 1.0, 59), 1e12),
    "constant": np.full(60, 7.25),
    "one row": np.array([-3.5]),
}
WEIGHTS = RNG.gamma(1.0, 1.0, 60)
each_data = pytest.mark.parametrize("x", DATA.values(), ids=DATA.keys())


@each_data
def test_origin_and_scale_bring_the_values_back(x: Array) -> None:
    """Local values are right to a rounding; adding the datum again rounds once more."""
    sample = Sample.of(x)
    distinct = np.unique(x)
    assert math.frexp(sample.scale)[0] == 0.5  # a power of two
    assert sample.origin in distinct
    back = sample.origin + sample.scale * sample.local
    bound = U * (np.abs(distinct - sample.origin) + 2.0 * np.abs(distinct)) + 2.0**-1074
    assert (np.abs(back - distinct) <= bound).all()
    assert np.array_equal(sample.values, back)


@each_data
def test_local_values_are_exact_differences_rounded_once(x: Array) -> None:
    sample = Sample.of(x)
    for local, value in zip(sample.local, np.unique(x), strict=True):
        exact = (mpmath.mpf(float(value)) - mpmath.mpf(sample.origin)) / mpmath.mpf(sample.scale)
        assert abs(mpmath.mpf(float(local)) - exact) <= U * abs(exact)


@each_data
def test_local_values_are_ascending_and_cannot_be_written_to(x: Array) -> None:
    sample = Sample.of(x, WEIGHTS[: x.size])
    assert (np.diff(sample.local) > 0.0).all()
    assert len(sample) == sample.local.size == sample.weights.size == np.unique(x).size
    for array in (
        sample.local,
        sample.weights,
        sample.with_local(sample.local.copy(), sample.weights.copy()).local,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


@pytest.mark.parametrize(
    "name", [name for name in DATA if name not in ("constant", "one row", "outlier")]
)
def test_the_unit_is_near_the_spread(name: str) -> None:
    """The sd lies within [1/2, 2) units, so that squares neither overflow nor vanish."""
    variance = Sample.of(DATA[name]).local_variance
    assert 0.25 * (1.0 - 64 * U) <= variance < 4.0 * (1.0 + 64 * U)


@pytest.mark.parametrize("power", [-900, -300, -1, 1, 52, 300, 900])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_a_power_of_two_changes_nothing_but_origin_and_scale(
    power: int, weights: Array | None
) -> None:
    for name in ("body", "ties", "offset 1e9"):
        near = Sample.of(DATA[name], weights)
        far = Sample.of(np.ldexp(DATA[name], power), weights)
        assert np.array_equal(far.local, near.local)
        assert np.array_equal(far.weights, near.weights)
        assert far.scale == math.ldexp(near.scale, power)
        assert far.origin == math.ldexp(near.origin, power)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.tuples(st.integers(-5, 5), st.floats(0.0, 10.0)), min_size=1), st.randoms())
def test_neither_order_nor_zero_weights_matter(
    rows: list[tuple[int, float]], random: object
) -> None:
    """To the last bit: tied rows have their weights added in a sorted order."""
    x, w = np.array([row[0] for row in rows], dtype=np.float64), np.array([row[1] for row in rows])
    if not (w > 0.0).any():
        w[0] = 1.0
    one = Sample.of(x, w)
    order = np.arange(x.size)
    getattr(random, "shuffle")(order)  # noqa: B009
    shuffled = np.append(x[order], 99.0), np.append(w[order], 0.0)
    other = Sample.of(*shuffled)
    assert (one.origin, one.scale) == (other.origin, other.scale)
    assert np.array_equal(one.local, other.local)
    assert np.array_equal(one.weights, other.weights)
    assert len(one) == len(set(x[w > 0.0].tolist()))


def test_ties_are_merged_and_their_weights_added() -> None:
    x, w = np.array([2.0, -1.0, 2.0, 5.0, 2.0, -1.0]), np.array([0.5, 1.0, 0.25, 3.0, 2.0, 0.0])
    plain, weighted = Sample.of(x), Sample.of(x, w)
    assert plain.values.tolist() == weighted.values.tolist() == [-1.0, 2.0, 5.0]
    assert plain.weights.tolist() == [2.0, 3.0, 1.0]
    assert weighted.weights.tolist() == [1.0, 2.75, 3.0]
    assert plain.total == 6.0
    assert weighted.total == 6.75
    assert np.array_equal(Sample.of(x, np.ones(6)).weights, plain.weights)
    assert Sample.of(np.array([0.0, -0.0])).local.tolist() == [0.0]


def test_the_datum_is_the_weighted_median() -> None:
    x = np.array([0.0, 1.0, 2.0, 1000.0])
    assert Sample.of(x).origin == 1.0
    assert Sample.of(x, np.array([1.0, 1.0, 1.0, 10.0])).origin == 1000.0
    assert Sample.of(x, np.array([10.0, 1.0, 1.0, 1.0])).origin == 0.0


@each_data
@pytest.mark.parametrize("weighted", [False, True])
def test_the_local_variance_is_that_of_the_local_values(x: Array, weighted: bool) -> None:
    """Two passes: the sum of squares about a mean that is off by n roundings of its terms.

    That error enters by its square only; n + 4 roundings of the terms remain.
    """
    sample = Sample.of(x, WEIGHTS[: x.size] if weighted else None)
    with mpmath.workdps(50):
        z, w = ([mpmath.mpf(float(a)) for a in array] for array in (sample.local, sample.weights))
        total = mpmath.fsum(w)
        mean = mpmath.fsum(a * b for a, b in zip(w, z, strict=True)) / total
        exact = mpmath.fsum(a * (b - mean) ** 2 for a, b in zip(w, z, strict=True)) / total
    assert sample.local_variance == pytest.approx(float(exact), rel=(x.size + 4) * U, abs=0.0)


def test_constant_data_have_the_unit_one() -> None:
    sample = Sample.of(DATA["constant"])
    assert (sample.origin, sample.scale) == (7.25, 1.0)
    assert sample.local.tolist() == [0.0]
    assert sample.weights.tolist() == [60.0]
    assert sample.local_variance == 0.0
