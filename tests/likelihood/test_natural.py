"""Natural coordinates at the edges: weights of zero, and entries beyond the range of doubles."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from bactrian.likelihood.natural import natural_derivatives
from bactrian.likelihood.sums import BLOCK

LARGEST = float(np.finfo(np.float64).max)


def test_the_slope_along_a_weight_of_zero_is_the_sum_of_density_ratios() -> None:
    """Densities of K = 1 are right to an ulp or two, and so are their ratios."""
    mixture = bt.NormalMixture([0.0, 1.0], [1.0, 0.0], [0.5, 2.0])
    absent, present = (
        bt.NormalMixture([1.0], mixture.means[[k]], mixture.sds[[k]]) for k in (0, 1)
    )
    x = np.linspace(-3.0, 4.0, 15)
    ratios = np.asarray(absent.pdf(x)) / np.asarray(present.pdf(x))
    assert bt.score(x, mixture)[0] == pytest.approx(math.fsum(ratios), rel=1e-14)
    assert bt.hessian(x, mixture)[0, 0] == pytest.approx(-math.fsum(ratios**2), rel=1e-14)
    assert bt.score(x, mixture)[1] == x.size
    assert (bt.score(x, mixture)[[2, 4]] == 0.0).all()  # its mean and variance do not matter


def test_the_slope_along_a_weight_of_zero_is_the_limit_from_above() -> None:
    """With the weight at 1e-300 the density is the same to the last bit."""
    x = np.linspace(-3.0, 4.0, 15)
    found = []
    for weight in (0.0, 1e-300):
        mixture = bt.NormalMixture([weight, 0.4, 0.6], [1.0, 0.0, -1.0], [0.5, 2.0, 1.0])
        found.append((bt.score(x, mixture), bt.hessian(x, mixture)))
    weights = [0, 1, 2]
    assert found[0][0][weights] == pytest.approx(found[1][0][weights], rel=1e-13)
    # The absent component's own mean and variance have slopes of 1e-300.
    assert found[0][0][3:] == pytest.approx(found[1][0][3:], rel=1e-13, abs=1e-290)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12, abs=1e-290)


def test_a_ratio_that_overflows_is_infinite_and_nothing_is_nan() -> None:
    """The row at 60 is exp(1480) times more probable under the absent component."""
    mixture = bt.NormalMixture([0.0, 0.5, 0.5], [0.0, 1.0, 2.0], [3.0, 1.0, 1.0])
    x = np.array([0.0, 60.0, -60.0, 40.0, -39.0])
    score, hessian = bt.score(x, mixture), bt.hessian(x, mixture)
    assert score[0] == np.inf
    assert bt.score_obs(x, mixture)[1, 0] == np.inf
    assert np.isfinite(score[1:]).all()
    assert hessian[0, 0] == -np.inf
    assert not np.isnan(hessian).any()
    assert np.isfinite(hessian[1:, 1:][np.ix_([0, 1, 3, 4], [0, 1, 3, 4])]).all()


@pytest.mark.parametrize("weight", [0.0, 1e-12])
def test_slopes_of_both_signs_beyond_the_largest_double_do_not_make_nan(weight: float) -> None:
    """Each row's slope along the variance is 1e400 or -1e400; their sum is -1e400 and more."""
    mixture = bt.NormalMixture([1.0 - weight, weight], [0.0, 0.0], [1e-200, 2e-200])
    x = np.array([0.0, 3e-200, 0.1e-200, -0.2e-200])
    w = np.array([40.0, 1.0, 1.0, 1.0])
    rows = bt.score_obs(x, mixture)[:, 4]
    assert rows.tolist() == [-np.inf, np.inf, -np.inf, -np.inf]
    score = bt.score(x, mixture, sample_weight=w)
    assert score[4] == -np.inf
    assert not np.isnan(bt.hessian(x, mixture, sample_weight=w)).any()


def test_blocks_of_rows_add_up() -> None:
    """Two full blocks and a rest: the sum over all is the sum of the three, to their rounding."""
    rng = np.random.default_rng(20240614)
    x, w = rng.normal(0.0, 2.0, 2 * BLOCK + 5), rng.gamma(2.0, 0.5, 2 * BLOCK + 5)
    cuts = [slice(0, BLOCK), slice(BLOCK, 2 * BLOCK), slice(2 * BLOCK, None)]
    for weight in (0.0, 0.2):
        mixture = bt.NormalMixture([weight, 0.8 - weight, 0.2], [-1.0, 0.0, 2.0], [1.0, 2.0, 3.0])
        whole = natural_derivatives(x, w, mixture)
        pieces = [natural_derivatives(x[cut], w[cut], mixture) for cut in cuts]
        for ours, *parts in zip(whole, *pieces, strict=True):
            exact = np.apply_along_axis(math.fsum, 0, np.stack(parts))
            rounding = 2.0**-50 * np.abs(np.stack(parts)).sum(axis=0)
            assert (np.abs(ours - exact) <= rounding).all()


def test_largest_entries_stay_finite() -> None:
    """1 / variance is 1e308: finite, though the variance of 1e-308 is nearly subnormal."""
    mixture = bt.NormalMixture([1.0], [0.0], [1e-154])
    found = bt.score([0.0], mixture)
    assert found.tolist() == pytest.approx([1.0, 0.0, -0.5e308], rel=1e-12)
    assert bt.hessian([0.0], mixture)[1, 1] == pytest.approx(-1e308, rel=1e-12)
    assert abs(bt.hessian([0.0], mixture)[1, 1]) < LARGEST
