"""Statistics of distribution functions: SciPy's, the textbook's at fifty digits, and integrals."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from numpy.typing import NDArray
from scipy import stats

from bactrian.infer.edf import (
    bin_distance,
    bin_statistics,
    binned,
    row_distance,
    row_statistics,
)
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

MIXTURE = NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.5])
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])
SIZES = pytest.mark.parametrize("size", [1, 2, 7, 60, 500])
FAR: tuple[list[float], ...] = ([], [-12.0, 14.5], [-25.0, 40.0], [-60.0, 90.0])


def rows(size: int, seed: int, extra: tuple[float, ...] | list[float] = ()) -> Array:
    """Rows of another mixture, ascending, and some more."""
    rng = np.random.default_rng([size, seed])
    drawn = NormalMixture([0.5, 0.5], [0.2, 3.0], [1.1, 1.2]).sample(size, rng)
    return np.sort(np.append(drawn, extra))


def area(x: float, mixture: NormalMixture = MIXTURE, side: int = 1) -> mpf:
    """The area below a point, or above it, at many digits."""
    terms = zip(mixture.weights.tolist(), mixture.means.tolist(), mixture.sds.tolist(), strict=True)
    return mpmath.fsum(
        mpf(w) * mpmath.erfc(-side * (mpf(x) - mpf(m)) / mpf(s) / mpmath.sqrt(2)) / 2
        for w, m, s in terms
    )


def textbook(x: Array) -> tuple[float, float, float]:
    """D, W2 and A2 of rows, each once, by the formulas with ranks, at fifty digits."""
    n = x.size
    with mpmath.workdps(50):
        z = [area(point) for point in x.tolist()]
        s = [area(point, side=-1) for point in x.tolist()]
        d = max(max(mpf(i + 1) / n - z[i], z[i] - mpf(i) / n) for i in range(n))
        w = mpf(1) / (12 * n) + mpmath.fsum(
            (z[i] - mpf(2 * i + 1) / (2 * n)) ** 2 for i in range(n)
        )
        a = -n - mpmath.fsum(
            (2 * i + 1) * (mpmath.log(z[i]) + mpmath.log(s[n - 1 - i])) for i in range(n)
        ) / mpf(n)  # fmt: skip
        return float(d), float(w), float(a)


def integrals(weights: Array, ends: Array) -> tuple[float, float]:
    """W2 and A2 as integrals over the mixture's law of a step function's squared distance."""
    n = mpmath.fsum(map(mpf, weights.tolist()))
    share, w, a = mpf(0), mpf(0), mpf(0)
    z = [mpf(0), *(area(x) for x in ends.tolist()), mpf(1)]
    for k in range(len(z) - 1):
        low, high = z[k], z[k + 1]
        w += ((share - low) ** 3 - (share - high) ** 3) / 3
        # (c - z)^2 over z (1 - z) is c^2 / z + (1 - c)^2 / (1 - z) - 1.
        a -= high - low
        if k > 0:
            a += share**2 * mpmath.log(high / low)
        if k < weights.size:
            a += (1 - share) ** 2 * mpmath.log((1 - low) / (1 - high))
            share += mpf(float(weights[k])) / n
    return float(n * w), float(n * a)


def straight_integrals(counts: Array, edges: Array) -> tuple[float, float]:
    """W2 and A2 where the empirical distribution function is straight between the edges."""
    n = mpmath.fsum(map(mpf, counts.tolist()))
    z = [mpf(0), *(area(x) for x in edges.tolist()), mpf(1)]
    share, w, a = mpf(0), mpf(0), mpf(0)
    for k, count in enumerate(counts.tolist()):
        here, share = share - z[k], share + mpf(count) / n
        there, width = share - z[k + 1], z[k + 1] - z[k]
        slope = (there - here) / width
        first = here - slope * z[k]
        last = first + slope
        w += width * (here**2 + here * there + there**2) / 3
        a -= slope**2 * width
        if k > 0:
            a += first**2 * mpmath.log(z[k + 1] / z[k])
        if k < counts.size - 1:
            a += last**2 * mpmath.log((1 - z[k]) / (1 - z[k + 1]))
    return float(n * w), float(n * a)


@SEEDS
@SIZES
def test_rows_have_the_statistics_of_scipy(size: int, seed: int) -> None:
    x = rows(size, seed)
    found = row_statistics(x, np.ones(size), MIXTURE)
    d = stats.kstest(x, MIXTURE.cdf).statistic
    assert found.kolmogorov_smirnov == pytest.approx(d, rel=1e-13)
    if size > 1:
        w = stats.cramervonmises(x, MIXTURE.cdf).statistic
        assert found.cramer_von_mises == pytest.approx(w, rel=1e-12)


@SEEDS
@pytest.mark.parametrize("extra", FAR, ids=["near", "far", "farther", "farthest"])
def test_rows_have_the_textbooks_statistics_in_far_tails_too(extra: list[float], seed: int) -> None:
    x = rows(60, seed, extra)
    d, w, a = textbook(x)
    found = row_statistics(x, np.ones(x.size), MIXTURE)
    assert found.kolmogorov_smirnov == pytest.approx(d, rel=1e-13)
    assert found.cramer_von_mises == pytest.approx(w, rel=1e-12)
    # n is taken from a sum of about n: so many digits are lost.
    assert found.anderson_darling == pytest.approx(a, rel=1e-14, abs=1e-15 * x.size)


@SEEDS
def test_a_row_of_weight_three_is_the_row_three_times_over(seed: int) -> None:
    x = rows(40, seed, [-12.0, 14.5])
    counts = np.random.default_rng(seed).integers(1, 6, x.size)
    repeated = textbook(np.repeat(x, counts))
    np.testing.assert_allclose(
        row_statistics(x, counts.astype(np.float64), MIXTURE), repeated, rtol=1e-12
    )


@SEEDS
def test_any_weights_have_the_statistics_that_are_integrals(seed: int) -> None:
    x = rows(40, seed, [-12.0, 14.5])
    weights = np.random.default_rng(seed).gamma(1.0, 2.0, x.size)
    with mpmath.workdps(60):
        known = integrals(weights, x)
    found = row_statistics(x, weights, MIXTURE)
    np.testing.assert_allclose(found[1:], known, rtol=1e-14, atol=1e-15 * weights.sum())


@SEEDS
@pytest.mark.parametrize(("shift", "scale"), [(5.0, -3.0), (1e6, 1.0), (0.0, 1e-100)])
def test_statistics_do_not_depend_on_the_unit(shift: float, scale: float, seed: int) -> None:
    x = rows(60, seed, [-12.0])
    edges = np.arange(-13.0, 12.0, 0.5)
    moved, order = MIXTURE.affine(shift, scale), int(np.sign(scale))
    ones = np.ones(x.size)
    one, other = (
        row_statistics(x, ones, MIXTURE),
        row_statistics((shift + scale * x)[::order], ones, moved),
    )
    lost = 1e-12 + 1e-14 * abs(shift)
    np.testing.assert_allclose(other, one, rtol=lost)
    counts = binned(x, ones, edges)
    one, other = (
        bin_statistics(counts, edges, MIXTURE),
        bin_statistics(counts[::order], (shift + scale * edges)[::order], moved),
    )
    np.testing.assert_allclose(other, one, rtol=lost)


@SEEDS
@pytest.mark.parametrize("extra", FAR[:3], ids=["near", "far", "farther"])
@pytest.mark.parametrize("width", [1.0, 0.2])
def test_bins_have_the_statistics_that_are_integrals(
    width: float, extra: list[float], seed: int
) -> None:
    x = rows(100, seed, extra)
    low = np.floor(x / width)
    edges = width * np.unique(np.concatenate([low, low + 1.0]))
    counts = binned(x, np.ones(x.size), edges)
    assert (counts[0], counts[-1], counts.sum()) == (0.0, 0.0, x.size)
    with mpmath.workdps(500):  # squares of 1e140 cancel
        known = straight_integrals(counts, edges)
    found = bin_statistics(counts, edges, MIXTURE)
    np.testing.assert_allclose(found[1:], known, rtol=1e-11)


@SEEDS
def test_narrow_bins_come_near_the_rows_as_their_width(seed: int) -> None:
    """Within a bin of mass p the rows are off by p at most, so everything is by O(p)."""
    x = rows(400, seed)
    exact = np.array(row_statistics(x, np.ones(x.size), MIXTURE))
    errors = []
    for width in (0.4, 0.04, 0.004):
        edges = np.arange(-8.0, 12.0, width)
        counts = binned(x, np.ones(x.size), edges)
        errors.append(np.abs(np.array(bin_statistics(counts, edges, MIXTURE)) / exact - 1.0))
    assert (errors[1] < 0.4 * errors[0] + 0.02).all()
    assert (errors[2] < 0.02).all()


@SEEDS
@pytest.mark.parametrize("width", [1.0, 0.1, 0.01])
def test_the_largest_distance_is_bracketed_by_bins(width: float, seed: int) -> None:
    x = rows(300, seed)
    if seed == 3:
        x = x + 1.0  # too few below, where the others have too many
    edges = np.arange(-8.0, 12.0, width)
    exact = row_distance(x, np.ones(x.size), MIXTURE)
    counts = binned(x, np.ones(x.size), edges)
    found = bin_distance(counts, edges, MIXTURE)
    assert found.largest <= exact.largest <= found.largest + found.beyond
    bound = 0.0
    for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True):
        share, area = [np.mean(x < end) for end in (low, high)], MIXTURE.cdf([low, high])
        bound = max(bound, share[1] - area[0], area[1] - share[0])
    assert found.largest + found.beyond == pytest.approx(bound, rel=1e-12)
    assert found.largest == bin_statistics(counts, edges, MIXTURE).kolmogorov_smirnov
    there = np.mean(x < found.at) - MIXTURE.cdf(found.at)
    assert abs(there) == pytest.approx(found.largest, rel=1e-12)


@SEEDS
def test_the_largest_distance_is_where_it_is_said_to_be(seed: int) -> None:
    x = rows(200, seed)
    found = row_distance(x, np.ones(x.size), MIXTURE)
    assert found.at in x
    assert found.beyond == 0.0
    assert found.largest == row_statistics(x, np.ones(x.size), MIXTURE).kolmogorov_smirnov
    # A brute force over many points comes as near as their distance allows.
    grid = np.linspace(-6.0, 12.0, 20_001)
    apart = np.abs(np.searchsorted(x, grid, side="right") / x.size - MIXTURE.cdf(grid))
    assert found.largest - 1e-3 <= apart.max() <= found.largest


def test_a_row_beyond_all_logarithms_is_infinitely_far_and_never_nan() -> None:
    x = np.append(rows(50, 1), [1e200, 2e200])
    found = row_statistics(x, np.ones(x.size), MIXTURE)
    assert found.anderson_darling == np.inf
    assert np.isfinite(found[:2]).all()
    edges = np.concatenate([np.arange(-8.0, 12.0, 0.1), [1e200, 1.1e200, 2e200, 2.1e200]])
    binned_too = bin_statistics(binned(x, np.ones(x.size), edges), edges, MIXTURE)
    assert binned_too.anderson_darling == np.inf
    assert np.isfinite(binned_too[:2]).all()


def test_a_row_on_an_edge_is_above_it() -> None:
    counts = binned(np.array([0.0, 1.0, 1.5, 4.0]), np.array([1.0, 2.0, 4.0, 8.0]),
                    np.array([1.0, 2.0, 3.0]))  # fmt: skip
    assert counts.tolist() == [1.0, 6.0, 0.0, 8.0]
