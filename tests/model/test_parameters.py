"""Coordinates: there and back, and derivatives carried over exactly."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.model.parameters import (
    join_working,
    natural_jacobian,
    need_positive_weights,
    split_working,
)
from tests import oracle

Array = NDArray[np.float64]

U = 2.0**-53
MIXTURES = {
    "one": bt.NormalMixture([1.0], [-3.0], [0.7]),
    "two": bt.NormalMixture([0.35, 0.65], [-0.8, 1.75], [0.75, 1.25]),
    "three": bt.NormalMixture([0.2, 0.5, 0.3], [-1.25, 0.5, 2.5], [0.5, 1.5, 0.75]),
    "five": bt.NormalMixture(
        [0.1, 0.2, 0.3, 0.25, 0.15], [-3.0, 0.0, 0.0, 4.0, 9.0], [1.0, 0.1, 2.0, 7.0, 0.5]
    ),
    "weight 1e-12": bt.NormalMixture([1e-12, 1.0 - 1e-12], [0.0, 1.0], [1.0, 2.0]),
    "weight 1 - 1e-12": bt.NormalMixture([1.0 - 1e-12, 1e-12], [0.0, 1.0], [1.0, 2.0]),
    "last weight 1e-12": bt.NormalMixture([0.4, 0.6 - 1e-12, 1e-12], [0, 1, 2], [1, 2, 3]),
    "scale 1e150": bt.NormalMixture([0.4, 0.6], [1e150, -2e150], [1e150, 3e149]),
    "scale 1e-150": bt.NormalMixture([0.4, 0.6], [1e-150, -2e-150], [1e-150, 3e-151]),
    "sds 1e±150": bt.NormalMixture([0.4, 0.6], [0.0, 1.0], [1e150, 1e-150]),
}
MODERATE = {name: m for name, m in MIXTURES.items() if "150" not in name}
each_mixture = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())
each_moderate = pytest.mark.parametrize("mixture", MODERATE.values(), ids=MODERATE.keys())


@each_mixture
def test_working_coordinates_are_logits_means_and_log_variances(mixture: bt.NormalMixture) -> None:
    """Each logarithm is right to an ulp, the difference of two to the sum of their ulps."""
    theta, k = bt.to_working(mixture), mixture.n_components
    assert theta.shape == (3 * k - 1,)
    for j in range(k - 1):
        first, last = (mpmath.log(mpmath.mpf(float(mixture.weights[i]))) for i in (j, k - 1))
        assert abs(theta[j] - (first - last)) <= 4 * U * (1 + abs(first) + abs(last))
    assert np.array_equal(theta[k - 1 : 2 * k - 1], mixture.means)
    for tau, sd in zip(theta[2 * k - 1 :], mixture.sds, strict=True):
        exact = 2 * mpmath.log(mpmath.mpf(float(sd)))
        assert abs(tau - exact) <= 4 * U * abs(exact)


@each_mixture
def test_there_and_back(mixture: bt.NormalMixture) -> None:
    """An ulp of a logarithm L is an error of |L| ulps in what it is the logarithm of."""
    back = bt.from_working(bt.to_working(mixture))
    logs = np.abs(np.log(mixture.weights))
    bound = 4 * U * (2.0 + logs + logs[-1] + logs.min())
    assert (np.abs(back.weights - mixture.weights) <= bound * mixture.weights).all()
    assert np.array_equal(back.means, mixture.means)
    bound = 4 * U * (1.0 + np.abs(np.log(mixture.sds)))
    assert (np.abs(back.sds - mixture.sds) <= bound * mixture.sds).all()


def test_back_and_there() -> None:
    rng = np.random.default_rng(20240616)
    for k in (1, 2, 3, 5):
        theta = rng.normal(0.0, 5.0, 3 * k - 1)
        again = bt.to_working(bt.from_working(theta))
        # A logit is lost by the rounding of two weights and of their logarithms, all below 30.
        assert again == pytest.approx(theta, abs=200 * U, rel=4 * U)


def test_logits_of_any_size_are_weights() -> None:
    found = bt.from_working(np.array([1000.0, -1000.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0]))
    assert found.weights.tolist() == [1.0, 0.0, 0.0]
    found = bt.from_working(np.array([800.0, 801.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0]))
    assert found.weights[:2] == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)], rel=1e-15)


def test_batches_split_and_join_as_single_vectors_do() -> None:
    rng = np.random.default_rng(20240617)
    vectors = rng.normal(0.0, 2.0, (4, 8))
    weights, means, sds = split_working(vectors)
    for s, vector in enumerate(vectors):
        mixture = bt.from_working(vector)
        assert weights[s] == pytest.approx(mixture.weights, rel=4 * U)
        assert np.array_equal(means[s], mixture.means)
        assert np.array_equal(sds[s], mixture.sds)
        assert join_working(weights, means, sds)[s] == pytest.approx(
            bt.to_working(mixture), abs=16 * U, rel=4 * U
        )


def test_what_is_no_point_in_working_coordinates_is_refused() -> None:
    for wrong in (np.zeros(3), np.zeros(4), np.zeros((1, 5)), np.zeros(0)):
        with pytest.raises(bt.ParameterError, match=r"3K - 1 numbers, not of shape"):
            bt.from_working(wrong)
    for tau in (1420.0, -1492.0, np.nan, np.inf):
        with pytest.raises(bt.ParameterError, match=r"log variances between -1490 and 1419"):
            bt.from_working(np.array([0.0, 0.0, 0.0, 0.0, tau]))
    for tau in (1419.0, -1490.0):
        assert 0.0 < bt.from_working(np.array([0.0, 0.0, 0.0, 0.0, tau])).sds[1] < np.inf
    zero = bt.NormalMixture([0.0, 1.0], [0.0, 1.0], [1.0, 1.0])
    for function in (bt.to_working, need_positive_weights):
        with pytest.raises(bt.ParameterError, match=r"weight zero has no finite working"):
            function(zero)


@pytest.mark.parametrize("spread", ["variances", "sds"])
@each_moderate
def test_the_jacobian_is_the_slope_of_the_natural_coordinates(
    mixture: bt.NormalMixture, spread: str
) -> None:
    """Against the slopes of the definitions in 50 digits, to four roundings."""
    k = mixture.n_components
    found = natural_jacobian(mixture, spread=spread)
    assert found.shape == (3 * k, 3 * k - 1)
    weights = [mpmath.mpf(float(p)) for p in mixture.weights]
    exact = np.full((3 * k, 3 * k - 1), mpmath.mpf(0))
    with mpmath.workdps(50):
        for j in range(k):
            for a in range(k - 1):
                others = sum(weights[i] for i in range(k) if i != j)
                exact[j, a] = weights[j] * (others if a == j else -weights[a])
            exact[k + j, k - 1 + j] = mpmath.mpf(1)
            sd = mpmath.mpf(float(mixture.sds[j]))
            exact[2 * k + j, 2 * k - 1 + j] = sd**2 if spread == "variances" else sd / 2
        for ours, truth in zip(found.flat, exact.flat, strict=True):
            assert abs(mpmath.mpf(float(ours)) - truth) <= 4 * U * abs(truth)


def rows(mixture: bt.NormalMixture) -> tuple[Array, Array]:
    """Rows and weights around a mixture, which is not a maximum for them."""
    rng = np.random.default_rng(20240618)
    k = rng.integers(mixture.n_components, size=24)
    return mixture.means[k] + 1.3 * mixture.sds[k] * rng.normal(0.4, 1.0, 24), rng.gamma(
        2.0, 0.5, 24
    )


def carried(mixture: bt.NormalMixture) -> dict[str, Any]:
    """Natural derivatives, the exact working ones, and the bound on what carries over.

    The natural numbers bring their own allowance; each is multiplied by an entry of the Jacobian,
    and the sums of such products are rounded, at most eight times.
    """
    x, w = rows(mixture)
    natural = bt.evaluate(x, mixture, sample_weight=w)
    scales = oracle.exact(x, mixture, "natural", w)
    score = oracle.allowance(scales.score) + 8 * U * np.abs(natural.score)
    hessian = oracle.allowance(scales.hessian) + 8 * U * np.abs(natural.hessian)
    hessian[~np.isfinite(hessian)] = 0.0  # there only the score is compared
    jacobian = np.abs(natural_jacobian(mixture))
    second = bt.hessian_to_working(np.zeros_like(natural.hessian), natural.score, mixture)
    k = mixture.n_components
    curved = np.zeros_like(second)
    # Second slopes of a weight are at most three products of weights and it.
    curved[: k - 1, : k - 1] = 3.0 * (mixture.weights @ score[:k])
    curved[2 * k - 1 :, 2 * k - 1 :] = np.diag(mixture.variances * score[2 * k :])
    return {
        "natural": natural,
        "working": oracle.exact(x, mixture, "working", w),
        "score bound": jacobian.T @ score,
        "hessian bound": jacobian.T @ hessian @ jacobian + curved,
        "second": second,
    }


@pytest.mark.parametrize(
    "mixture",
    [m for n, m in MIXTURES.items() if "±" not in n],
    ids=[n for n in MIXTURES if "±" not in n],
)
def test_the_natural_score_carries_over_to_the_working_one(mixture: bt.NormalMixture) -> None:
    found = carried(mixture)
    ours = bt.score_to_working(found["natural"].score, mixture)
    exact = found["working"].score.value
    assert (np.abs((ours - exact).astype(float)) <= found["score bound"]).all()
    assert (found["score bound"] <= 1e-12 * np.abs(found["working"].score.scale).max()).all()


@each_moderate
def test_the_natural_hessian_carries_over_to_the_working_one(mixture: bt.NormalMixture) -> None:
    """At scales of 1e±150 a variance's curvature, 1e∓600, is no double: only the score carries."""
    found = carried(mixture)
    natural = found["natural"]
    ours = bt.hessian_to_working(natural.hessian, natural.score, mixture)
    exact = found["working"].hessian.value
    assert (np.abs((ours - exact).astype(float)) <= found["hessian bound"]).all()


@each_moderate
def test_the_second_order_term_is_needed_away_from_a_maximum(mixture: bt.NormalMixture) -> None:
    found = carried(mixture)
    natural = found["natural"]
    without = bt.hessian_to_working(natural.hessian, 0.0 * natural.score, mixture)
    exact = found["working"].hessian.value
    missing = (exact - without).astype(float)
    bound = found["hessian bound"]
    assert (np.abs(missing - found["second"]) <= bound).all()
    k = mixture.n_components
    logs = slice(2 * k - 1, None)
    assert (np.abs(np.diag(missing)[logs]) > 1e6 * np.diag(bound)[logs]).all()
    if k > 1:
        assert np.abs(missing[: k - 1, : k - 1]).max() > 10 * bound[: k - 1, : k - 1].max()
    # At a maximum in the natural coordinates nothing is missing.
    assert np.array_equal(without, bt.hessian_to_working(natural.hessian, np.zeros(3 * k), mixture))


def test_curvature_along_logits_is_symmetric_and_vanishes_along_their_sum() -> None:
    """Adding a constant to all logits, the gauge's too, does not move a weight."""
    mixture = MIXTURES["five"]
    score = np.concatenate([np.arange(1.0, 6.0), np.zeros(10)])
    second = bt.hessian_to_working(np.zeros((15, 15)), score, mixture)
    assert np.abs(second - second.T).max() <= 8 * U * 5.0  # scores up to five
    assert np.abs(second[:4, :4]).min() > 1e-3
    same = bt.hessian_to_working(
        np.zeros((15, 15)), np.concatenate([np.ones(5), np.zeros(10)]), mixture
    )
    assert np.abs(same).max() <= 8 * U
