"""Quantile residuals: the standardised value of one normal, and roots at fifty digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from scipy import stats

import bactrian as bt
from bactrian.errors import DataTypeError
from bactrian.infer.residuals import quantile_residuals
from bactrian.model.mixture import NormalMixture
from tests.problems import MIXTURES, draw, drawn_fit

FAR = [0.0, 1e-3, 0.7, 1.0, 3.0, 8.0, 37.9, 39.0, 60.0, 704.03, 1e3, 1e6, 1e9, 1e100, 1e160, 1e300]


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("u", FAR)
def test_of_one_normal_they_are_standardised_values(u: float, side: float) -> None:
    # Rounding of an area near a half is an error of 3e-16 in its quantile.
    found = quantile_residuals(side * u * 3.0, NormalMixture([1.0], [0.0], [3.0]))
    assert found == pytest.approx(side * u, rel=1e-15, abs=4e-16)


def exact(x: float, mixture: NormalMixture) -> float:
    """The residual from areas and a root at fifty digits."""
    with mpmath.workdps(50):

        def tail(point: mpf, mean: float, sd: float) -> mpf:
            """The area on the far side of a point."""
            return mpmath.erfc(side * (point - mpf(mean)) / mpf(sd) / mpmath.sqrt(2)) / 2

        side = 1
        parts = list(zip(*(a.tolist() for a in (mixture.weights, mixture.means, mixture.sds)),
                         strict=True))  # fmt: skip
        if mpmath.fsum(w * tail(mpf(x), m, s) for w, m, s in parts) > 0.5:
            side = -1
        log_area = mpmath.log(mpmath.fsum(mpf(w) * tail(mpf(x), m, s) for w, m, s in parts))
        start = float(np.sqrt(-2.0 * float(log_area)))

        def missing(u: mpf) -> mpf:
            """What the log-area of the standard normal lacks there."""
            return mpmath.log(mpmath.erfc(u / mpmath.sqrt(2)) / 2) - log_area

        ends = (0.9 * start - 0.5, start)
        root = mpmath.findroot(missing, ends, solver="anderson", tol=1e-60)
    return side * float(root)


@pytest.mark.parametrize("name", ["overlapping", "rare", "narrow in wide"])
def test_of_a_mixture_they_are_those_of_its_areas(name: str) -> None:
    mixture = MIXTURES[name]
    x = np.array([-300.0, -60.0, -9.0, -1.0, 0.4, 1.1, 3.0, 5.5, 12.0, 70.0, 400.0])
    known = [exact(point, mixture) for point in x.tolist()]
    np.testing.assert_allclose(quantile_residuals(x, mixture), known, rtol=2e-14)


@pytest.mark.parametrize("name", MIXTURES)
def test_they_rise_with_the_value_without_end(name: str) -> None:
    x = np.geomspace(1e-3, 1e300, 2000)
    for side in (-1.0, 1.0):
        found = quantile_residuals(side * x, MIXTURES[name])
        assert np.isfinite(found).all()
        far = x > 1e3
        assert (np.diff(side * found[far]) > 0.0).all()
        assert (np.diff(side * found) >= 0.0).all()


def test_of_drawn_rows_they_are_standard_normal_and_of_others_not() -> None:
    right = quantile_residuals(draw("overlapping", 4000), MIXTURES["overlapping"])
    wrong = quantile_residuals(draw("apart", 4000), MIXTURES["overlapping"])
    assert stats.kstest(right, "norm").pvalue > 0.05
    assert stats.kstest(wrong, "norm").pvalue < 1e-10


def test_shapes_and_what_is_no_number() -> None:
    mixture = MIXTURES["rare"]
    grid = np.arange(6.0).reshape(2, 3)
    assert quantile_residuals(grid, mixture).shape == (2, 3)
    assert isinstance(quantile_residuals(1.0, mixture), float)
    ends = quantile_residuals([-np.inf, np.nan, np.inf], mixture)
    np.testing.assert_array_equal(ends, [-np.inf, np.nan, np.inf])
    with pytest.raises(DataTypeError, match="real numbers"):
        quantile_residuals(["a"], mixture)


def test_a_fit_has_the_residuals_of_its_mixture() -> None:
    fit = drawn_fit("overlapping")
    x = draw("overlapping")
    np.testing.assert_array_equal(fit.quantile_residuals(x), quantile_residuals(x, fit.mixture))
    moved = bt.fit(1e9 + 100.0 * x)
    found = moved.quantile_residuals(1e9 + 100.0 * x)
    np.testing.assert_allclose(found, fit.quantile_residuals(x), atol=1e-7)
