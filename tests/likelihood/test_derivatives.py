"""Score and Hessian are slopes: errors of differences fall as h^2; batches are single mixtures."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.likelihood.derivatives import Derivatives, derivatives, expectations, from_sums
from bactrian.likelihood.quantities import evaluate
from bactrian.likelihood.sums import Sums, sum_rows
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import from_working, to_working

Array = NDArray[np.float64]

RNG = np.random.default_rng(20240613)
X = np.concatenate([RNG.normal(-1.0, 0.8, 30), RNG.normal(2.0, 1.5, 30)])
W = RNG.gamma(2.0, 0.5, X.size)
MIXTURES = {
    1: NormalMixture([1.0], [0.5], [2.0]),
    2: NormalMixture([0.3, 0.7], [-1.2, 1.5], [0.7, 1.6]),
    3: NormalMixture([0.2, 0.3, 0.5], [-1.2, 0.3, 2.0], [0.7, 1.6, 1.1]),
    5: NormalMixture([0.1, 0.2, 0.3, 0.25, 0.15], [-2.0, -1.0, 0.5, 2.0, 3.0], [1.0, 0.6, 1, 2, 1]),
}
each_size = pytest.mark.parametrize("k", MIXTURES)


def at(theta: Array) -> Derivatives:
    """The derivatives of the rows at working coordinates."""
    mixture = from_working(theta)
    return derivatives(X, W, mixture.weights[None], mixture.means[None], mixture.sds[None])


def assert_slope(function: Callable[[float], Array], slope: Array) -> None:
    """Halving the step of a central difference divides its error by four.

    The next term of the error's series is of relative size h^2 f5 / (20 f3); with h = 1/64 it
    shifts the ratio by far less than the 10 % granted. Rounding is 1e-16 |f| / h, here below a
    thousandth of the error; a slope wrong by more than that would spoil the ratio.
    """
    errors = [(function(h) - function(-h)) / (2 * h) - slope for h in (1 / 32, 1 / 64)]
    ratio = np.linalg.norm(errors[0]) / np.linalg.norm(errors[1])
    assert ratio == pytest.approx(4.0, rel=0.1)


def along(theta: Array, direction: Array, name: str) -> Callable[[float], Array]:
    """A quantity as a function of the way along a direction."""
    return lambda h: np.asarray(getattr(at(theta + h * direction), name)[0])


def directions(size: int) -> Array:
    """Skew unit vectors that span the space: along a mean alone, log f may be a parabola."""
    return np.asarray(np.linalg.qr(np.random.default_rng(size).normal(size=(size, size)))[0])


@each_size
def test_the_score_is_the_slope_of_the_log_likelihood(k: int) -> None:
    theta = to_working(MIXTURES[k])
    for direction in directions(theta.size):
        assert_slope(along(theta, direction, "loglike"), at(theta).score[0] @ direction)


@each_size
def test_the_hessian_is_the_slope_of_the_score(k: int) -> None:
    theta = to_working(MIXTURES[k])
    for direction in directions(theta.size):
        assert_slope(along(theta, direction, "score"), at(theta).hessian[0] @ direction)


def test_a_slope_off_by_a_thousandth_is_noticed() -> None:
    theta, ones = to_working(MIXTURES[2]), np.ones(5)
    slope = at(theta).score[0].sum()
    assert_slope(along(theta, ones, "loglike"), slope)
    for wrong in (1.001, 0.999):
        with pytest.raises(AssertionError):
            assert_slope(along(theta, ones, "loglike"), wrong * slope)


@each_size
def test_a_batch_is_its_mixtures_one_by_one(k: int) -> None:
    """Sums over rows may be taken in another order: n roundings of the sum of magnitudes."""
    theta = to_working(MIXTURES[k]) + RNG.normal(0.0, 0.3, (4, 3 * k - 1))
    mixtures = [from_working(row) for row in theta]
    batch = derivatives(
        X,
        W,
        *(np.stack([getattr(m, name) for m in mixtures]) for name in ("weights", "means", "sds")),
    )
    for s, mixture in enumerate(mixtures):
        single = at(to_working(mixture))
        for ours, other in zip(batch, single, strict=True):
            assert ours[s] == pytest.approx(other[0], rel=1e-12, abs=1e-12 * W.sum())
        whole = evaluate(X, mixture, coordinates="working", sample_weight=W)
        assert batch.loglike[s] == pytest.approx(whole.loglike, rel=1e-13)


@each_size
def test_sums_of_parts_of_the_rows_assemble_to_the_whole(k: int) -> None:
    m = MIXTURES[k]
    batch = m.weights[None], m.means[None], m.sds[None]
    halves = [sum_rows(X[part], W[part], *batch) for part in (slice(0, 20), slice(20, None))]
    both = Sums(*(first + second for first, second in zip(*halves, strict=True)))
    found, whole = from_sums(both, batch[0], batch[2]), derivatives(X, W, *batch)
    for ours, other in zip(found, whole, strict=True):
        assert ours == pytest.approx(other, rel=1e-12, abs=1e-12 * W.sum())


@each_size
def test_expectations_are_the_first_order_part(k: int) -> None:
    m = MIXTURES[k]
    full = derivatives(X, W, m.weights[None], m.means[None], m.sds[None])
    first = expectations(X, W, m.weights[None], m.means[None], m.sds[None])
    for ours, other in zip(first, (full.loglike, full.counts, full.spreads), strict=True):
        assert ours.shape == other.shape
        assert ours == pytest.approx(other, rel=1e-13, abs=1e-13 * W.sum())


@each_size
def test_counts_and_spreads_are_their_definitions(k: int) -> None:
    m = MIXTURES[k]
    found = derivatives(X, W, m.weights[None], m.means[None], m.sds[None])
    r = m.responsibilities(X)
    for j in range(k):
        u = (X - m.means[j]) / m.sds[j]
        wr = W * r[:, j]
        assert found.counts[0, j] == pytest.approx(math.fsum(wr), rel=1e-13)
        for row, feature in enumerate((u, (u * u - 1.0) / 2.0)):
            size = math.fsum(wr * (1.0 + u * u))
            assert abs(found.spreads[0, row, j] - math.fsum(wr * feature)) <= 1e-14 * size


def test_a_rare_component_keeps_the_digits_of_its_logit() -> None:
    """N_1 and W pi_1 are about 1e-9 each, of a W of 60: their difference has all its digits."""
    rare = NormalMixture([1e-9, 1.0 - 1e-9], [0.5, 0.5], [1.8, 1.9])
    found = evaluate(X, rare, coordinates="working")
    ratio = rare.sds[1] / rare.sds[0]
    odds = [math.log(ratio) - ((x - 0.5) / 1.8) ** 2 / 2 + ((x - 0.5) / 1.9) ** 2 / 2 for x in X]
    # r - pi = pi (1 - pi) (e^odds - 1) / (1 + pi (e^odds - 1)), the denominator one to 1e-9
    exact = 1e-9 * math.fsum(math.expm1(o) * (1.0 - 1e-9 * math.exp(o)) for o in odds)
    assert found.score[0] == pytest.approx(exact, rel=1e-13)


def test_an_overflowing_curvature_is_infinite_and_silent() -> None:
    """Warnings are errors here; 1 / sd^2 is 1e400."""
    mixture = NormalMixture([0.5, 0.5], [0.0, 1e-200], [1e-200, 1e-200])
    found = evaluate(np.array([0.0, 1e-200]), mixture, coordinates="working")
    assert np.isfinite(found.score).all()
    assert found.hessian[1, 1] == found.hessian[2, 2] == -np.inf
    assert not np.isnan(found.hessian).any()
