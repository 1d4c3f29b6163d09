"""Wald intervals are symmetric in logit, mean and log sd, and never leave a parameter's range."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import MIXTURES, draw, drawn_fit
from tests.reference_fits import fitted, listed, our_errors

LEVELS = [0.5, 0.9, 0.95, 0.999]


def logit(p: float) -> float:
    """Log-odds."""
    return math.log(p) - math.log1p(-p)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", list(MIXTURES))
def test_intervals_are_symmetric_where_they_are_formed(name: str, level: float) -> None:
    fit = drawn_fit(name)
    quantile = NormalDist().inv_cdf(0.5 + level / 2.0)
    errors = np.sqrt(np.diag(fit.covariance(coordinates="working")))
    k = fit.mixture.n_components
    found = fit.confint(level)
    assert [e.name for e in found] == [
        f"{what} {i + 1}" for i in range(k) for what in ("weight", "mean", "sd")
    ]
    for i in range(k):
        weight, mean, sd = found[3 * i : 3 * i + 3]
        assert mean.high - mean.value == pytest.approx(quantile * mean.standard_error, rel=1e-9)
        assert mean.value - mean.low == pytest.approx(quantile * mean.standard_error, rel=1e-9)
        assert mean.standard_error == pytest.approx(errors[k - 1 + i], rel=1e-9)
        # The logarithm of the sd is half that of the variance.
        reach = quantile * errors[2 * k - 1 + i] / 2.0
        assert math.log(sd.high / sd.value) == pytest.approx(reach, rel=1e-9)
        assert math.log(sd.value / sd.low) == pytest.approx(reach, rel=1e-9)
        spread = weight.value * (1.0 - weight.value)
        reach = quantile * weight.standard_error / spread
        assert logit(weight.high) - logit(weight.value) == pytest.approx(reach, rel=1e-8)
        assert logit(weight.value) - logit(weight.low) == pytest.approx(reach, rel=1e-8)
        assert all(e.level == level and e.method == "wald" for e in (weight, mean, sd))


@pytest.mark.parametrize("kind", ["hessian", "sandwich"])
@pytest.mark.parametrize(
    ("name", "model"),
    [("acidity", "2V"), ("galaxies_mass", "3V"), ("enzyme", "2E"), ("s08_offset_1e9", "2V")],
)
def test_standard_errors_are_the_certified_ones(name: str, model: str, kind: Any) -> None:
    fit, exact = fitted(name, model), listed(name, model)[0]
    known = exact.observed if kind == "hessian" else exact.sandwich
    assert known is not None
    found = [e.standard_error for e in fit.confint(kind=kind)]
    np.testing.assert_allclose(np.reshape(found, (-1, 3)).T, known, rtol=1e-8)


def test_for_two_components_the_weights_have_mirrored_intervals() -> None:
    first, second = (e for e in bt.fit(draw("rare")).confint() if e.name.startswith("weight"))
    assert first.standard_error == pytest.approx(second.standard_error, rel=1e-12)
    assert first.low == pytest.approx(1.0 - second.high, abs=1e-12)


@pytest.mark.parametrize("name", ["s06_n10", "s02_tiny_weight", "globclus_feh", "newcomb"])
@pytest.mark.parametrize("level", [0.95, 1.0 - 1e-12])
def test_intervals_stay_inside_the_ranges(name: str, level: float) -> None:
    for estimate in fitted(name, "2V").confint(level):
        assert estimate.low <= estimate.value <= estimate.high
        if estimate.name.startswith("weight"):
            assert 0.0 <= estimate.low
            assert estimate.high <= 1.0
        if estimate.name.startswith("sd"):
            assert estimate.low >= 0.0


def test_a_higher_level_is_a_wider_interval() -> None:
    fit = bt.fit(draw("overlapping"))
    widths = [[e.high - e.low for e in fit.confint(level)] for level in LEVELS]
    assert (np.diff(widths, axis=0) > 0.0).all()


@pytest.mark.parametrize("scale", [1e150, 1e-150])
def test_standard_errors_of_tiny_and_huge_units_neither_vanish_nor_overflow(scale: float) -> None:
    x = draw("overlapping")
    plain, scaled = our_errors(bt.fit(x)), our_errors(bt.fit(scale * x))
    unit = np.array([[1.0], [scale], [scale]])
    np.testing.assert_allclose(scaled / unit, plain, rtol=1e-9)


def test_the_weight_of_one_component_is_known() -> None:
    weight, mean, sd = bt.fit(draw("apart"), 1).confint()
    assert weight.value == weight.low == weight.high == 1.0
    assert weight.standard_error == 0.0
    assert weight.note == "fixed"
    assert mean.standard_error == pytest.approx(sd.value / math.sqrt(240), rel=1e-12)


def test_without_a_maximum_there_is_no_interval() -> None:
    for estimate in fitted("s11_outlier", "2V").confint():
        assert math.isfinite(estimate.value)
        assert math.isnan(estimate.standard_error)
        assert math.isnan(estimate.low)
        assert math.isnan(estimate.high)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 95.0, math.nan])
def test_a_level_out_of_range_is_refused(level: float) -> None:
    with pytest.raises(bt.ParameterError, match=r"level.*0\.95"):
        bt.fit(draw("apart")).confint(level)


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="wald"):
        bt.fit(draw("apart")).confint(method="likelihood")  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 2])
def test_few_rows_make_profile_intervals_longer_by_the_stated_factor(count: int) -> None:
    fit = bt.fit(draw("apart"), count)
    few = fit.solution.state.counts.min()
    worth = fit.certificate.n_lambda_min
    factor = 1.0 + (400.0 / 240.0 / few + 0.5 / worth if count == 2 else 1.6 / 240.0)
    same_fall = math.erf(math.sqrt(factor * 3.841458820694124 / 2.0))
    one = fit.confint(method="profile")["mean 1"]
    other = fit.confint(same_fall, method="plain_profile")["mean 1"]
    assert one.low == pytest.approx(other.low, rel=1e-6)
    assert one.high == pytest.approx(other.high, rel=1e-6)
    assert one.high > fit.confint(method="plain_profile")["mean 1"].high


def test_an_unknown_interval_is_refused_without_a_maximum_too() -> None:
    fit = fitted("s11_outlier", "2V")
    with pytest.raises(bt.ParameterError, match="wald"):
        fit.confint(method="likelihood")  # type: ignore[arg-type]
    methods: list[Any] = ["profile", "bootstrap"]
    for method in methods:
        assert all(math.isnan(e.low) for e in fit.confint(method=method))
