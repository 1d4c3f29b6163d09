"""Areas and densities against 50-digit arithmetic."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.model.mixture import Array, NormalMixture

DIGITS = 50
# The Mills ratio is right to two ulp, the exponential to one, each of five products and sums to
# half of one.
ULPS = 5.5

MIXTURES = {
    "single": NormalMixture([1.0], [0.0], [1.0]),
    "single, offset": NormalMixture([1.0], [10.0], [1.0]),
    "overlapping": NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    "far apart": NormalMixture([0.35, 0.65], [0.0, 1e6], [1.0, 1.3]),
    "tiny weight": NormalMixture([1e-9, 1 - 1e-9], [-20.0, 0.0], [1.0, 1.0]),
    "zero weight": NormalMixture([0.0, 1.0], [-1e5, 1.0], [3.0, 0.7]),
    "sd ratio 1e6": NormalMixture([0.5, 0.5], [0.0, 1.0], [1e-6, 1.0]),
    "offset 1e9": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 2.0]),
    "scale 1e150": NormalMixture([0.4, 0.6], [1e150, 3e150], [1e150, 0.5e150]),
    "scale 1e-150": NormalMixture([0.4, 0.6], [1e-150, 3e-150], [1e-150, 0.5e-150]),
    "scale 1e300": NormalMixture([0.4, 0.6], [1e300, 3e300], [1e300, 0.5e300]),
    "scale 1e-300": NormalMixture([0.4, 0.6], [1e-300, 3e-300], [1e-300, 0.5e-300]),
    "three": NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.1, 2.0]),
    "five": NormalMixture(
        [0.1, 0.2, 0.3, 0.25, 0.15], [-3.0, 0.0, 0.0, 4.0, 1000.0], [1.0, 0.1, 2.0, 7.0, 0.001]
    ),
}
each_mixture = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())


def points(mixture: NormalMixture) -> Array:
    """Points in the body and up to 38 sds out on both sides of every component."""
    rng = np.random.default_rng(20240607)
    k = rng.integers(mixture.n_components, size=60)
    return mixture.means[k] + mixture.sds[k] * rng.uniform(-38.0, 38.0, size=60)


def exact(mixture: NormalMixture, x: float, kind: str) -> mpmath.mpf:
    """The lower or upper area, or the density, at a float."""
    total = mpmath.mpf(0)
    for weight, mean, sd in zip(mixture.weights, mixture.means, mixture.sds, strict=True):
        u = (mpmath.mpf(float(x)) - mpmath.mpf(float(mean))) / mpmath.mpf(float(sd))
        if kind == "pdf":
            value = mpmath.npdf(u) / mpmath.mpf(float(sd))
        else:
            value = mpmath.erfc((u if kind == "sf" else -u) / mpmath.sqrt(2)) / 2
        total += mpmath.mpf(float(weight)) * value
    return total


def ulps(value: float, truth: mpmath.mpf) -> float:
    """The error in units of the last place of the value."""
    return float(abs(mpmath.mpf(float(value)) - truth) / mpmath.mpf(float(np.spacing(value))))


@each_mixture
@pytest.mark.parametrize("kind", ["cdf", "sf", "pdf"])
def test_areas_and_density_are_right_to_the_last_digits(mixture: NormalMixture, kind: str) -> None:
    x = points(mixture)
    values = getattr(mixture, kind)(x)
    with mpmath.workdps(DIGITS):
        errors = [
            ulps(value, exact(mixture, at, kind)) for at, value in zip(x, values, strict=True)
        ]
    # The float weights may miss the sum of one, which `1 - upper` assumes, by an ulp.
    assert max(errors) <= ULPS + (mixture.n_components > 1)


@pytest.mark.parametrize("sds", [(1e-300, 1e300), (1e-290, 1.0)])
def test_a_tiny_weight_over_a_tiny_sd_is_an_ordinary_height(sds: tuple[float, float]) -> None:
    """At 36 sds the kernel alone, 1e-282, times the weight would be below the doubles."""
    mixture = NormalMixture([1e-300, 1.0], [0.0, 1.0], sds)
    x = np.linspace(0.0, 37.0, 75) * sds[0]
    with mpmath.workdps(DIGITS):
        errors = [
            ulps(value, exact(mixture, at, "pdf"))
            for at, value in zip(x, mixture.pdf(x), strict=True)
        ]
    assert max(errors) <= ULPS + 1


def test_area_near_zero_of_a_distant_component_is_not_a_staircase() -> None:
    # x - mean is -10 for all of these, yet the areas differ by many ulp.
    mixture = NormalMixture([1.0], [10.0], [1.0])
    x = np.linspace(0.0, 1e-15, 40)
    with mpmath.workdps(DIGITS):
        errors = [
            ulps(v, exact(mixture, at, "cdf")) for at, v in zip(x, mixture.cdf(x), strict=True)
        ]
    assert max(errors) <= ULPS
    # Neighbours are about two ulp apart, which rounding may make equal; a staircase has two steps.
    assert np.unique(mixture.cdf(x)).size > 30


def test_area_where_a_distance_overflows() -> None:
    mixture = NormalMixture([1.0], [-1.7e308], [1e308])
    assert mixture.sf(1.7e308) == pytest.approx(3.3692926567687988e-4, rel=1e-14)  # Q(3.4)
    assert mixture.pdf(1.7e308) == pytest.approx(1.2322191684730199e-311, rel=1e-11)
    assert mixture.logpdf(1.7e308) == pytest.approx(-715.8951469, rel=1e-9)


def test_whole_area_is_one_whatever_the_rounding_of_the_weights() -> None:
    mixture = NormalMixture([0.5, 0.5 - 2.0**-53], [0.0, 1.0], [1.0, 1.0])
    assert sum(mixture.weights.tolist()) != 1.0
    assert mixture.cdf([50.0, np.inf]).tolist() == [1.0, 1.0]
    assert mixture.sf([-50.0, -np.inf]).tolist() == [1.0, 1.0]


def test_component_of_weight_zero_changes_nothing() -> None:
    mixture = NormalMixture([0.0, 0.35, 0.0, 0.65], [-1e300, 0.0, 1.0, 2.0], [1.0, 1.0, 1e-9, 1.3])
    same = NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
    at = np.linspace(-40.0, 40.0, 201)
    for name in ("logpdf", "pdf", "cdf", "sf"):
        np.testing.assert_array_equal(getattr(mixture, name)(at), getattr(same, name)(at))
    p = same.cdf(at)
    np.testing.assert_array_equal(mixture.ppf(p), same.ppf(p))
    np.testing.assert_array_equal(mixture.isf(p), same.isf(p))
    assert (mixture.std(), mixture.mean()) == (same.std(), same.mean())


@each_mixture
def test_areas_add_up_and_rise(mixture: NormalMixture) -> None:
    x = np.sort(points(mixture))
    lower, upper = mixture.cdf(x), mixture.sf(x)
    np.testing.assert_allclose(lower + upper, 1.0, rtol=0.0, atol=4e-16)
    assert (np.diff(lower) >= -2.0 * ULPS * np.spacing(lower[1:])).all()
    assert ((lower >= 0.0) & (lower <= 1.0)).all()


@each_mixture
def test_density_integrates_to_one(mixture: NormalMixture) -> None:
    lowest, highest = mixture.means - 40.0 * mixture.sds, mixture.means + 40.0 * mixture.sds
    edges = np.unique(np.concatenate([lowest, mixture.means, highest]))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    total = 0.0
    for low, high in itertools.pairwise(edges):
        for a, b in _graded(low, high, mixture):
            half = 0.5 * b - 0.5 * a
            total += float(mixture.pdf(a + half * (1.0 + nodes)) @ weights) * half
    # A node is rounded to the spacing of floats there, which moves its density by that in sds.
    in_sds = np.spacing(np.abs(edges).max()) / mixture.sds.min()
    assert total == pytest.approx(1.0, abs=1e-13 + in_sds)


def _graded(low: float, high: float, mixture: NormalMixture) -> list[tuple[float, float]]:
    """Intervals within which no component changes by more than a sd, or is far from its mean."""
    parts, stack = [], [(low, high)]
    while stack:
        a, b = stack.pop()
        middle = 0.5 * a + 0.5 * b
        nearest = np.maximum(np.abs(middle - mixture.means) - (b - a), 0.0)
        if ((b - a) > 4.0 * mixture.sds)[nearest < 40.0 * mixture.sds].any():
            stack += [(a, middle), (middle, b)]
        else:
            parts.append((a, b))
    return parts


@given(
    st.floats(-1.797e308, 1.797e308),
    st.lists(
        st.tuples(
            st.floats(0.0, 1.0),
            st.floats(-1.797e308, 1.797e308),
            st.floats(5e-324, 1.797e308),
        ),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=80, deadline=None)
def test_nothing_is_nan_at_any_finite_point(
    x: float, parts: list[tuple[float, float, float]]
) -> None:
    weights = np.array([part[0] for part in parts]) + 1e-300
    mixture = NormalMixture(
        weights / weights.sum(), [part[1] for part in parts], [part[2] for part in parts]
    )
    at = [x, -1.7e308, 1.7e308, *mixture.means]
    for name in ("logpdf", "pdf", "cdf", "sf"):
        assert not np.isnan(getattr(mixture, name)(at)).any(), name
    shares = mixture.responsibilities(at)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-14)
    assert np.isfinite(mixture.crossings()).all()
    assert not np.isnan(mixture.ppf([0.0, 5e-324, 1e-300, 0.3, 0.5, 0.7, 1 - 2**-53, 1.0])).any()
    assert not np.isnan([mixture.mean(), mixture.std(), mixture.var()]).any()


@each_mixture
def test_ends_of_the_line(mixture: NormalMixture) -> None:
    ends = [-np.inf, np.inf, np.nan]
    np.testing.assert_array_equal(mixture.cdf(ends), [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(mixture.sf(ends), [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(mixture.pdf(ends), [0.0, 0.0, np.nan])
    np.testing.assert_array_equal(mixture.logpdf(ends), [-np.inf, -np.inf, np.nan])
    shares = mixture.responsibilities(ends)
    assert np.isfinite(shares[:2]).all()
    assert np.isnan(shares[2]).all()
