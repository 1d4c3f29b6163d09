"""Smooth functions of a mixture: slopes that are right, and the delta method that uses them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.infer.quantity import (
    LocalQuantity,
    Quantity,
    parameters,
)
from bactrian.infer.scales import slope, transform
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import from_working, to_working
from tests.constrained import CASES, constrained_problem
from tests.problems import Array, draw, drawn_fit, problem, scattered

MIXTURE = {
    1: NormalMixture([1.0], [0.3], [1.7]),
    2: NormalMixture([0.35, 0.65], [0.3, 1.1], [0.8, 1.6]),
    3: NormalMixture([0.2, 0.3, 0.5], [0.3, 1.1, -2.0], [0.8, 1.6, 0.5]),
}
STEP = 1e-3  # fourth-order differences err by about its fourth power over thirty


def differences(function: Callable[[Array], Any], at: Array, step: float = STEP) -> Array:
    """Slopes of a function, one row for each coordinate."""
    rows = []
    for i in range(at.size):
        h = step * np.eye(at.size)[i]
        near = np.asarray(function(at + h)) - np.asarray(function(at - h))
        far = np.asarray(function(at + 2.0 * h)) - np.asarray(function(at - 2.0 * h))
        rows.append((8.0 * near - far) / (12.0 * step))
    return np.array(rows)


def _of_working(quantity: Quantity, vector: Array) -> float:
    """A quantity of the mixture with given working coordinates."""
    return quantity.of(from_working(vector))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_slopes_of_parameters_are_those_of_differences(k: int) -> None:
    for quantity in parameters(k):
        assert quantity.gradient is not None
        known = differences(partial(_of_working, quantity), to_working(MIXTURE[k]))
        np.testing.assert_allclose(quantity.gradient(MIXTURE[k]), known, atol=1e-11)


def test_parameters_are_named_in_order() -> None:
    names = [quantity.name for quantity in parameters(2)]
    assert names == ["weight 1", "mean 1", "sd 1", "weight 2", "mean 2", "sd 2"]
    values = [quantity.of(MIXTURE[2]) for quantity in parameters(2)]
    assert values == [0.35, 0.3, 0.8, 0.65, 1.1, 1.6]


EFFECT = Quantity("effect", lambda m: float((m.means[1] - m.means[0]) / m.sds[0]), unit="none")
TAIL = Quantity("tail", lambda m: float(m.sf(0.5)), "logit", "none")


@pytest.mark.parametrize(
    "name", ["mean 1", "ratios", "equal weights", "three, weight 2", "three, two weights"]
)
def test_slopes_along_free_coordinates_are_those_of_differences(name: str) -> None:
    of = constrained_problem(name)
    free = scattered(of, 1)[0]
    for quantity in (*parameters(CASES[name].n_components), EFFECT, TAIL):
        local = LocalQuantity(quantity, of)
        value, gradient = local.at(free)
        assert value == local.value(free)
        if math.isinf(value):  # a weight of one
            continue
        known = differences(local.value, free)
        # Where there is no gradient, two differences with other steps are compared.
        bound = 1e-8 if quantity.gradient is not None else 1e-6
        np.testing.assert_allclose(gradient, known, rtol=bound, atol=bound)


@pytest.mark.parametrize("name", ["mean 1", "ratios", "three, weight 2", "three, ratios"])
def test_second_slopes_are_those_of_differences(name: str) -> None:
    of = constrained_problem(name)
    free = scattered(of, 1)[0]
    for quantity in (*parameters(CASES[name].n_components), EFFECT, TAIL):
        local = LocalQuantity(quantity, of)
        known = differences(lambda v, at=local.at: at(v).gradient, free, 1e-2)  # type: ignore[misc]
        found = local.hessian(free)
        np.testing.assert_array_equal(found, found.T)
        # Second-order differences of a step of 1e-3.
        np.testing.assert_allclose(found, known, atol=2e-5 * (1.0 + np.abs(known).max()))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_what_is_called_linear_is_linear(k: int) -> None:
    of = problem("three") if k == 3 else problem("apart")
    linear = [quantity.name for quantity in parameters(k) if quantity.is_linear]
    assert set(linear) >= {f"mean {i + 1}" for i in range(k)} | {f"sd {i + 1}" for i in range(k)}
    assert ("weight 1" in linear) == (k == 2)
    if k == of.n_components:
        one, other = scattered(of, 2)
        for quantity in parameters(k):
            local = LocalQuantity(quantity, of)
            middle = local.value(0.5 * (one + other))
            mean = 0.5 * (local.value(one) + local.value(other))
            assert (abs(middle - mean) < 1e-12) == quantity.is_linear


@pytest.mark.parametrize("scale", ["identity", "log"])
def test_the_delta_method_is_the_formula(scale: Any) -> None:
    fit = drawn_fit("overlapping")
    (mu, nu), (sd, _), (_, weight) = (
        fit.mixture.means, fit.mixture.sds, fit.mixture.weights
    )  # fmt: skip

    def function(m: bt.NormalMixture) -> float:
        """The second weight times the difference of the means in sds of the first."""
        return float(m.weights[1] * (m.means[1] - m.means[0]) / m.sds[0])

    found = fit.derive(function, "effect", scale=scale)
    # Slopes along weights, means, variances.
    along = np.array(
        [0.0, (nu - mu) / sd, -weight / sd, weight / sd, -weight * (nu - mu) / (2.0 * sd**3), 0.0]
    )
    known = math.sqrt(along @ fit.covariance() @ along)
    value = weight * (nu - mu) / sd
    assert found.name == "effect"
    assert found.value == pytest.approx(value, rel=1e-13)
    assert found.standard_error == pytest.approx(known, rel=1e-9)
    reach = 1.959963984540054 * known
    if scale == "identity":
        ends = [value - reach, value + reach]
    else:
        ends = [value * math.exp(-reach / value), value * math.exp(reach / value)]
    np.testing.assert_allclose([found.low, found.high], ends, rtol=1e-9)


def test_a_share_is_formed_on_the_logit_scale() -> None:
    fit = drawn_fit("apart")
    found = fit.derive(lambda m: float(m.cdf(3.0)), scale="logit")
    middle = transform("logit", found.value)
    up, down = transform("logit", found.high) - middle, middle - transform("logit", found.low)
    assert up == pytest.approx(down, rel=1e-9)
    known = found.standard_error * slope("logit", found.value) * 1.959963984540054
    assert up == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_a_derived_parameter_is_the_parameter(method: Any) -> None:
    fit = drawn_fit("overlapping")
    known = fit.confint(method=method)["mean 2"]
    found = fit.derive(lambda m: float(m.means[1]), "mean 2", method=method)
    np.testing.assert_allclose(
        [found.value, found.standard_error, found.low, found.high],
        [known.value, known.standard_error, known.low, known.high],
        rtol=1e-8,
    )


@pytest.mark.parametrize("kind", ["outer_product", "sandwich"])
def test_the_kind_of_covariance_goes_into_the_delta_method(kind: Any) -> None:
    fit = drawn_fit("overlapping")
    found = fit.derive(lambda m: float(m.means[1]), kind=kind)
    known = math.sqrt(fit.covariance(kind=kind)[3, 3])
    assert found.standard_error == pytest.approx(known, rel=1e-9)


def test_a_quantity_in_the_unit_of_the_data_is_given_mixtures_of_the_data() -> None:
    x = 1e3 + 50.0 * draw("apart")
    fit = bt.fit(x)
    found = fit.derive(lambda m: float(m.means[1] - m.means[0]))
    covariance = fit.covariance()
    known = math.sqrt(covariance[2, 2] + covariance[3, 3] - 2.0 * covariance[2, 3])
    assert found.value == pytest.approx(float(np.ptp(fit.mixture.means)), rel=1e-14)
    assert found.standard_error == pytest.approx(known, rel=1e-9)


def test_what_depends_on_nothing_free_has_no_error() -> None:
    fit = bt.fit(draw("apart"), fixed={"means": [0.0, 6.0]})
    found = fit.derive(lambda m: float(m.means[1] - m.means[0]))
    assert found.standard_error == 0.0
    assert found.low == found.value == found.high == 6.0
    assert found.note.startswith("constant")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("method", ["wald", "profile"])
def test_a_mixture_without_such_a_value_has_no_interval(value: float, method: Any) -> None:
    found = drawn_fit("apart").derive(lambda m: value, method=method)
    assert not math.isfinite(found.value)
    assert math.isnan(found.low)
    assert "no such value" in found.note


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"function": "means[0]"}, "'means.0.' is no function; pass one of the mixture"),
    ({"function": lambda m: "large"}, "gives 'large'"),
    ({"function": lambda m: None}, "gives None"),
    ({"function": lambda m: m.means}, "not one number"),
    ({"scale": "square"}, "scale='square' is unknown"),
    ({"level": 95}, "level=95"),
    ({"method": "bayes"}, "method='bayes'"),
    ({"kind": "fisher"}, "kind='fisher'"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_cannot_be_derived_is_refused(options: dict[str, Any], words: str) -> None:
    arguments = {"function": lambda m: float(m.means[0]), **options}
    with pytest.raises(bt.ParameterError, match=words):
        drawn_fit("apart").derive(**arguments)


def test_a_point_beyond_all_doubles_has_no_value() -> None:
    of = problem("apart")
    slopes = parameters(2)[2].gradient
    for gradient in (None, slopes):
        local = LocalQuantity(Quantity("sd", lambda m: m.sds[0], "log", gradient=gradient), of)
        free = np.array([0.0, 0.0, 1.0, 1500.0, 0.0])
        found = local.at(free)
        assert math.isnan(found.value)
        assert np.isnan(found.gradient).all()
