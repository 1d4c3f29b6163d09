"""The solution belongs to the data: not to the method, the unit, the order of rows or the hour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.solver import METHODS, solve
from tests.problems import MIXTURES, TWO, Array, draw, drawn_fit
from tests.reference_fits import (
    EPS,
    ROUNDING,
    fitted,
    listed,
    loglike_bound,
    our_errors,
    our_parameters,
)

EVERY_METHOD = pytest.mark.parametrize("method", list(METHODS))
SETS = ["acidity", "enzyme", "faithful_waiting", "galaxies_rg", "iris_petal_length", "stamps"]


@EVERY_METHOD
@pytest.mark.parametrize("model", ["2V", "2E"])
@pytest.mark.parametrize("name", SETS)
def test_all_methods_end_at_the_same_maximum(name: str, model: str, method: str) -> None:
    fit, known = fitted(name, model, method), fitted(name, model)
    assert fit.outcome is bt.Outcome.CONVERGED
    assert abs(fit.loglike - known.loglike) <= loglike_bound(listed(name, model)[0])
    # sqrt(decrement) is the distance left, in standard errors, for either of them.
    left = math.sqrt(fit.certificate.decrement) + 1e-10
    errors = np.abs(our_parameters(fit) - our_parameters(known))
    assert (errors <= left * our_errors(known) + 1e-14 * np.abs(our_parameters(known))).all()
    assert fit.options.method == method


@pytest.mark.parametrize("method", ["newton", "em", "gradient"])
@pytest.mark.parametrize("name", SETS)
def test_a_trace_never_falls(name: str, method: str) -> None:
    fit = fitted(name, "2V", method)
    path = np.array([step.loglike for step in fit.trace])
    # n terms are added: a few units of n eps, far below 1e-13 of the sum.
    assert (np.diff(path) >= -1e-13 * np.abs(path[1:])).all()
    assert path[-1] == pytest.approx(fit.loglike, rel=1e-13)  # the components change places
    assert fit.solution.n_steps == len(fit.trace) - 1
    assert fit.trace[0].kind == "start"
    assert {step.kind for step in fit.trace[1:]} <= {method, "newton"}


@EVERY_METHOD
def test_a_trace_is_in_the_unit_of_the_data(method: str) -> None:
    fit = fitted("faithful_waiting", "2V", method)
    for step in fit.trace[:: max(1, len(fit.trace) // 5)]:
        known = bt.loglike(fit.sample.values, step.mixture, sample_weight=fit.sample.weights)
        assert step.loglike == pytest.approx(known, rel=1e-12)
    last = fit.trace[-1].mixture.ordered()
    np.testing.assert_allclose(last.means, fit.mixture.means, rtol=1e-9)


def moved_bound(fit: bt.Fit, largest: float) -> Array:
    """How far (3, K) the rounding of moved data may move the estimate.

    Each row moves by at most eps times the largest value, which is that many sds of the narrowest
    component, and its score by as much times ROUNDING at most; the rest is as in
    `tests.reference_fits`.
    """
    rounding = EPS * (1.0 + largest / fit.mixture.sds.min())
    reach = ROUNDING * rounding * fit.n_obs / math.sqrt(fit.certificate.n_lambda_min)
    reach += math.sqrt(fit.certificate.decrement)
    return np.asarray(reach * our_errors(fit) + ROUNDING * EPS * largest)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize(
    ("a", "b"),
    [(0.0, -1.0), (3.0, 1.0), (-7.25, -0.3), (1e9, 1.0), (0.0, 1e150), (0.0, 1e-150)],
)
@pytest.mark.parametrize("name", TWO)
def test_the_fit_moves_with_the_data(name: str, a: float, b: float, equal: bool) -> None:
    x = draw(name)
    plain, moved = drawn_fit(name, equal), bt.fit(a + b * x, 2, equal_variances=equal)
    largest = float(np.abs(a + b * x).max() / abs(b))
    order = slice(None) if b > 0 else slice(None, None, -1)
    back = np.stack(
        [
            moved.mixture.weights[order],
            ((moved.mixture.means - a) / b)[order],
            (moved.mixture.sds / abs(b))[order],
        ]
    )
    assert (np.abs(back - our_parameters(plain)) <= moved_bound(plain, largest)).all()
    expected = plain.loglike - plain.n_obs * math.log(abs(b))
    # To first order the data move the log-likelihood by their scores, at most |u| / sd each.
    slack = plain.n_obs * EPS * (ROUNDING * largest / plain.mixture.sds.min() + 400.0)
    assert moved.loglike == pytest.approx(expected, abs=slack)
    assert moved.outcome is plain.outcome


@pytest.mark.parametrize("name", list(MIXTURES))
def test_a_power_of_two_changes_no_bit(name: str) -> None:
    x, k = draw(name), MIXTURES[name].n_components
    plain, scaled = drawn_fit(name), bt.fit(2.0**40 * x, k)
    np.testing.assert_array_equal(scaled.mixture.weights, plain.mixture.weights)
    np.testing.assert_array_equal(scaled.mixture.means, 2.0**40 * plain.mixture.means)
    np.testing.assert_array_equal(scaled.mixture.sds, 2.0**40 * plain.mixture.sds)
    assert scaled.certificate.decrement == plain.certificate.decrement


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", list(MIXTURES))
def test_the_order_of_rows_changes_no_bit(name: str, weighted: bool) -> None:
    x, k = draw(name), MIXTURES[name].n_components
    rng = np.random.default_rng(2)
    w = rng.integers(1, 5, x.size).astype(float) if weighted else None
    plain = bt.fit(x, k, sample_weight=w)
    order = rng.permutation(x.size)
    mixed = bt.fit(x[order], k, sample_weight=None if w is None else w[order])
    assert mixed.loglike == plain.loglike
    np.testing.assert_array_equal(our_parameters(mixed), our_parameters(plain))
    assert mixed.to_dict() == plain.to_dict()


def test_the_order_of_ties_with_weights_of_their_own_changes_no_bit() -> None:
    x, rng = np.round(draw("overlapping"), 1), np.random.default_rng(6)
    w, order = rng.random(x.size), rng.permutation(x.size)
    plain = bt.fit(x, sample_weight=w, weight_kind="frequency")
    mixed = bt.fit(x[order], sample_weight=w[order], weight_kind="frequency")
    assert mixed.to_dict() == plain.to_dict()


@EVERY_METHOD
def test_a_repeated_fit_is_the_same_in_every_bit(method: Any) -> None:
    x = draw("overlapping")
    one, other = bt.fit(x, method=method), bt.fit(x, method=method)
    assert one.to_dict() == other.to_dict()
    assert [s.loglike for s in one.trace] == [s.loglike for s in other.trace]


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("name", list(MIXTURES))
def test_a_weight_is_as_many_copies(name: str, equal: bool) -> None:
    x, k = draw(name, 120), MIXTURES[name].n_components
    w = np.random.default_rng(4).integers(0, 4, x.size)
    one = bt.fit(x, k, sample_weight=w, equal_variances=equal)
    other = bt.fit(np.repeat(x, w), k, equal_variances=equal)
    assert one.to_dict() == other.to_dict()
    np.testing.assert_array_equal(one.covariance(), other.covariance())
    np.testing.assert_array_equal(
        one.covariance(kind="sandwich"), other.covariance(kind="sandwich")
    )
    assert one.n_obs == w.sum()


@pytest.mark.parametrize("name", TWO)
def test_components_come_in_order_of_their_means(name: str) -> None:
    assert (np.diff(bt.fit(draw(name)).mixture.means) >= 0.0).all()


def test_max_steps_is_kept_and_said() -> None:
    sample = Sample.of(draw("overlapping"))
    found = solve(sample, unconstrained(2), method="em", max_steps=3)
    assert found.outcome is bt.Outcome.MAX_STEPS
    assert found.n_steps <= 3
    assert found.certificate.optima[0].status == "admissible"


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="newton"):
        solve(Sample.of(draw("apart")), unconstrained(2), method="simplex")
