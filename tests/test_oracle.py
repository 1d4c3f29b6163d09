"""The oracle itself: its closed formulas against numerical derivatives, and its allowances."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.model.mixture import NormalMixture
from tests import oracle

MIXTURE = NormalMixture([0.25, 0.5, 0.25], [-1.0, 0.5, 3.0], [0.5, 2.0, 1.25])
X = 0.875


def log_density(theta: list[Any], coordinates: str) -> Any:
    """Log f(X) at a parameter vector, straight from the definition."""
    n = len(MIXTURE.weights)
    if coordinates == "natural":
        weights, rest = theta[:n], theta[n:]
        variances = rest[n:]
    else:
        shares = [mpmath.exp(logit) for logit in [*theta[: n - 1], mpmath.mpf(0)]]
        weights, rest = [share / sum(shares) for share in shares], theta[n - 1 :]
        variances = [mpmath.exp(tau) for tau in rest[n:]]
    terms = [
        p * mpmath.exp(-((X - m) ** 2) / (2 * v)) / mpmath.sqrt(2 * mpmath.pi * v)
        for p, m, v in zip(weights, rest[:n], variances, strict=True)
    ]
    return mpmath.log(sum(terms))


def start(coordinates: str) -> list[Any]:
    """The parameter vector of the mixture; its weights sum to one exactly."""
    arrays = (MIXTURE.weights, MIXTURE.means, MIXTURE.sds)
    p, m, s = ([mpmath.mpf(float(a)) for a in array] for array in arrays)
    if coordinates == "natural":
        return [*p, *m, *(sd**2 for sd in s)]
    return [*(mpmath.log(a / p[-1]) for a in p[:-1]), *m, *(2 * mpmath.log(sd) for sd in s)]


@pytest.mark.parametrize("coordinates", ["natural", "working"])
def test_closed_formulas_are_the_derivatives_of_the_log_density(coordinates: str) -> None:
    """Central differences of step 1e-20 are right to 1e-40, of second order to 1e-38."""
    found = oracle.exact([X], MIXTURE, coordinates)
    with mpmath.workdps(120):
        theta, step = start(coordinates), mpmath.mpf(10) ** -20

        def slope(function: Any, n: int) -> Any:
            def derivative(at: list[Any]) -> Any:
                ahead = [*at[:n], at[n] + step, *at[n + 1 :]]
                behind = [*at[:n], at[n] - step, *at[n + 1 :]]
                return (function(ahead) - function(behind)) / (2 * step)

            return derivative

        def whole(at: list[Any]) -> Any:
            return log_density(at, coordinates)

        assert abs(found.loglike.value - whole(theta)) < mpmath.mpf(10) ** -50
        for a in range(len(theta)):
            first = slope(whole, a)
            assert abs(found.score.value[a] - first(theta)) < mpmath.mpf(10) ** -36
            for b in range(a + 1):
                second = slope(first, b)(theta)
                assert abs(found.hessian.value[a, b] - second) < mpmath.mpf(10) ** -36
                assert found.hessian.value[a, b] == found.hessian.value[b, a]


def test_guard_digits_outlast_the_cancellation_of_a_saturated_row() -> None:
    """In r - r^2 of a row 36 sds from the rival, 280 digits cancel; 50 remain."""
    mixture = NormalMixture([0.5, 0.5], [0.0, 36.0], [1.0, 1.0])
    found = oracle.exact([0.0], mixture, "working").hessian.value
    with mpmath.workdps(60):
        odds = mpmath.exp(mpmath.mpf(36) ** 2 / 2)
        exact = odds / (1 + odds) ** 2 - mpmath.mpf(1) / 4
        cross = -odds / (1 + odds) ** 2 * 36  # the logit and the far mean, u = -36
        assert abs(found[0, 0] / exact - 1) < mpmath.mpf(10) ** -50
        assert abs(found[0, 2] / -cross - 1) < mpmath.mpf(10) ** -50


numbers = st.floats(-1e8, 1e8)
sizes = st.floats(1e-6, 1e6)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(x=numbers, means=st.tuples(numbers, numbers), sds=st.tuples(sizes, sizes))
def test_the_allowance_is_no_more_than_half_an_ulp_of_the_sds(
    x: float, means: tuple[float, float], sds: tuple[float, float]
) -> None:
    """Half an ulp of both sds moves the log-odds by u_1^2 + u_2^2 units: E allows no more."""
    point = oracle.point_at(x, NormalMixture([0.5, 0.5], means, sds))
    with mpmath.workdps(60):
        span = oracle.spans(point, NormalMixture([0.5, 0.5], means, sds))[0][1]
        logs = sum(abs(mpmath.log(s)) + mpmath.log(2) for s in point.sds)
        assert span <= logs + (point.u[0] ** 2 + point.u[1] ** 2) * (1 + mpmath.mpf(10) ** -40)


def test_a_number_is_judged_by_its_scale() -> None:
    entry = oracle.Entry(
        np.array([mpmath.mpf(1), mpmath.mpf(10) ** 400], dtype=object),
        np.array([mpmath.mpf(3), mpmath.mpf(10) ** 400], dtype=object),
    )
    one = np.nextafter(1.0, 2.0)  # off by two units, at a scale of three
    assert oracle.worst([one, np.inf], entry) == pytest.approx(2 / 3)
    for wrong in ([one, -np.inf], [one, 1e308], [np.nan, np.inf], [np.inf, np.inf]):
        assert oracle.worst(wrong, entry) > oracle.LIMIT
    assert oracle.allowance(entry).tolist() == [oracle.LIMIT * 2.0**-53 * 3, np.inf]
