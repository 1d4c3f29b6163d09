"""Bands around residuals: reproducible, of the level they say, and against SciPy's quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import bactrian as bt
from bactrian.infer.envelopes import Departures, departures
from tests.problems import draw, drawn_fit


def of_fit(fit: bt.Fit, n: int = 39, seed: int = 1, level: float = 0.95) -> Departures:
    """How the rows depart from a fit."""
    return departures(fit.solution.problem, fit.solution.state, n, level, rng=seed)


def test_exact_rows_are_compared_at_each_of_them() -> None:
    x, fit = np.sort(draw("apart")), drawn_fit("apart")
    found = of_fit(fit, 0)
    middle = (np.arange(x.size) + 0.5) / x.size
    np.testing.assert_allclose(found.scores, stats.norm.ppf(middle), rtol=1e-12)
    np.testing.assert_allclose(found.residuals, fit.quantile_residuals(x), atol=1e-9)
    np.testing.assert_allclose(found.excess, middle - fit.mixture.cdf(x), atol=1e-12)
    assert found.residual_band is None
    assert found.excess_band is None


def test_rounded_rows_are_compared_between_their_multiples() -> None:
    x = np.round(draw("apart"), 1)
    fit = bt.fit(x)
    found = of_fit(fit, 0)
    ends = np.unique(np.round(np.concatenate([x - 0.05, x + 0.05]), 2))
    share = np.array([(x < end).mean() for end in ends])
    fitted = np.asarray(fit.mixture.cdf(ends))
    # Between two rows that follow the share stays, and the middle of the fitted ones is shown.
    for p in np.unique(share[(share > 0.0) & (share < 1.0)]):
        here = np.isclose(stats.norm.cdf(found.scores), p, atol=1e-9)
        assert here.sum() == 1
        same = fitted[np.isclose(share, p)]
        np.testing.assert_allclose(found.fitted[here], 0.5 * (same[0] + same[-1]), atol=1e-9)


def test_the_largest_excess_is_the_statistic_of_kolmogorov_to_half_a_row() -> None:
    fit = drawn_fit("apart")
    largest = np.abs(of_fit(fit, 0).excess).max()
    d = fit.goodness_of_fit(1, rng=1).max_distance
    assert largest == pytest.approx(d - 0.5 / fit.n_obs, abs=1e-12)


def test_the_same_seed_gives_the_same_band() -> None:
    fit = drawn_fit("apart")
    one, again, other = of_fit(fit), of_fit(fit), of_fit(fit, seed=2)
    assert one.residual_band is not None
    assert again.residual_band is not None
    assert other.residual_band is not None
    np.testing.assert_array_equal(one.residual_band.low, again.residual_band.low)
    assert not np.array_equal(one.residual_band.low, other.residual_band.low)


def test_a_wider_level_gives_a_wider_band() -> None:
    fit = drawn_fit("apart")
    narrow, wide = of_fit(fit, level=0.5).excess_band, of_fit(fit, level=0.95).excess_band
    assert narrow is not None
    assert wide is not None
    assert (wide.high > narrow.high).all()
    assert (wide.low < narrow.low).all()


def test_rows_from_another_law_leave_the_band_and_outliers_do() -> None:
    rng = np.random.default_rng(4)
    skewed = of_fit(bt.fit(rng.exponential(1.0, 100), 1))
    band = skewed.excess_band
    assert band is not None
    inside = np.interp(skewed.fitted, band.at, band.high)
    assert (skewed.excess > inside).mean() > 0.2
    outlying = of_fit(bt.fit(np.append(rng.normal(size=100), 9.0), 1))
    assert outlying.residual_band is not None
    assert outlying.residuals[-1] > outlying.residual_band.high[-1]


@pytest.mark.parametrize("kind", ["exact", "rounded", "sketched"])
def test_a_fit_of_drawn_rows_is_inside_the_band(kind: str) -> None:
    x = draw("apart", 40_000 if kind == "sketched" else 150)
    found = of_fit(bt.fit(np.round(x, 1) if kind == "rounded" else x), 19 if x.size > 150 else 39)
    band = found.residual_band
    assert band is not None
    at = found.scores
    inner = (at >= band.at[0]) & (at <= band.at[-1])
    assert inner.sum() >= at.size - 8  # drawn samples of many rows are smaller
    low, high = (np.interp(at[inner], band.at, end) for end in (band.low, band.high))
    assert ((found.residuals[inner] > low) & (found.residuals[inner] < high)).all()
    assert (band.high > band.low).all()


@pytest.mark.parametrize(
    ("n", "level", "words"),
    [(10, 0.95, "19 the least"), (199, 95.0, "not between 0 and 1"), (99, 0.999, "999 the least")],
)
def test_what_no_band_can_be_made_of_is_refused(n: int, level: float, words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        of_fit(drawn_fit("apart"), n, level=level)


def test_sampling_weights_have_no_band() -> None:
    x = draw("apart")
    fit = bt.fit(x, sample_weight=np.linspace(0.5, 1.5, x.size), weight_kind="sampling")
    with pytest.raises(bt.ParameterError, match="n_replicates=0 draws the residuals without"):
        of_fit(fit)
    assert of_fit(fit, 0).residuals.size == x.size


@pytest.mark.slow
def test_curves_of_a_true_mixture_leave_the_band_as_often_as_its_level_says() -> None:
    outside = np.zeros(2)
    for seed in range(200):
        x = np.random.default_rng([9, seed]).normal(size=60)
        found = of_fit(bt.fit(x, 1), 199, seed)
        for i, (at, values, band) in enumerate(
            (
                (found.scores, found.residuals, found.residual_band),
                (found.fitted, found.excess, found.excess_band),
            )
        ):
            assert band is not None
            inner = (at >= band.at[0]) & (at <= band.at[-1])
            low, high = (np.interp(at[inner], band.at, end) for end in (band.low, band.high))
            gone = (values[inner] < low - 1e-12) | (values[inner] > high + 1e-12)
            outside[i] += gone.any()
    # Of 200 at 0.05, 10 with an sd of 3.1; between the points of the band a few more.
    assert (outside <= 20.0).all()
    assert (outside >= 2.0).all()
