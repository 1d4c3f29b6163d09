"""Profiles as curves: against fits with the value held, and their own intervals."""

from __future__ import annotations

import numpy as np
import pytest

import bactrian as bt
from bactrian.infer.intervals import Inference
from bactrian.infer.profile_curve import ProfileCurve, profile_curve
from bactrian.infer.quantity import Quantity, parameters
from tests.problems import draw, drawn_fit


def of_fit(fit: bt.Fit, name: str, way: str = "profile") -> ProfileCurve:
    """The profile of a parameter."""
    quantities = {one.name: one for one in parameters(fit.mixture.n_components)}
    inference = Inference(fit.solution.problem, fit.solution.state)
    return profile_curve(inference, quantities[name], way)


@pytest.mark.parametrize(("name", "held"), [("mean 1", "means"), ("sd 1", "sds")])
def test_the_curve_is_the_maximum_with_the_value_held(name: str, held: str) -> None:
    fit = drawn_fit("apart")
    curve = of_fit(fit, name)
    for i in (0, 10, -8, -1):
        other = bt.fit(draw("apart"), fixed={held: [float(curve.values[i]), None]})
        assert fit.loglike + curve.loglike[i] == pytest.approx(other.loglike, abs=1e-6)


def test_the_level_line_meets_the_curve_at_the_interval() -> None:
    curve = of_fit(drawn_fit("overlapping"), "mean 2", "plain_profile")
    assert curve.level_line == pytest.approx(-0.5 * 1.959963984540054**2, rel=1e-12)
    found = curve.estimate
    for end in (found.low, found.high):
        assert np.interp(end, curve.values, curve.loglike) == pytest.approx(
            curve.level_line, abs=0.02
        )
    assert curve.values[0] < found.low < found.high < curve.values[-1]


def test_the_parabola_has_the_standard_error() -> None:
    curve = of_fit(drawn_fit("apart"), "mean 1")
    z = (curve.values - curve.estimate.value) / curve.estimate.standard_error
    np.testing.assert_allclose(curve.quadratic, -0.5 * z**2, rtol=1e-9, atol=1e-12)


def test_values_are_in_the_unit_of_the_data() -> None:
    x = draw("apart")
    plain, moved = of_fit(bt.fit(x), "sd 2"), of_fit(bt.fit(1e9 + 2.0 * x), "sd 2")
    np.testing.assert_allclose(moved.values, 2.0 * plain.values, rtol=1e-5)
    np.testing.assert_allclose(moved.loglike, plain.loglike, atol=1e-4)


def test_an_open_side_is_followed_as_far_as_it_goes() -> None:
    curve = of_fit(bt.fit(draw("overlapping", 80)), "mean 2")
    assert curve.estimate.high == np.inf
    assert curve.estimate.low > -np.inf
    assert (np.diff(curve.values) > 0.0).all()
    assert curve.loglike.max() == 0.0
    assert curve.values.size > 25


def test_what_has_no_error_has_no_profile() -> None:
    fit = bt.fit(draw("apart"), 1)
    with pytest.raises(bt.ParameterError, match="weight 1 has no profile: fixed"):
        of_fit(fit, "weight 1")
    inference = Inference(fit.solution.problem, fit.solution.state)
    with pytest.raises(bt.ParameterError, match="jump has no profile"):
        profile_curve(inference, Quantity("jump", lambda m: float(np.floor(m.means[0]))))
