"""The maximum on a surface: where Lagrange's condition holds, and what brute force finds there."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.infer.quantity import LocalQuantity, Quantity, parameters
from bactrian.solve.constrained import constrained_maximum
from tests.brute_force import maximum
from tests.constrained import constrained_fit
from tests.problems import Array, draw, drawn_fit
from tests.reference_fits import our_parameters

GAP = Quantity("gap", lambda m: float(m.means[1] - m.means[0]), unit="length")
RATIO = Quantity("ratio", lambda m: float(m.sds[1] / m.sds[0]), "log", "none")
SHARE = Quantity("share", lambda m: float(m.cdf(0.0)), "logit", "none")
WEIGHT, MEAN, SD = parameters(2)[:3]
EVERY = {"gap": GAP, "ratio": RATIO, "share": SHARE, "weight": WEIGHT, "mean": MEAN, "sd": SD}


@pytest.mark.parametrize("name", list(EVERY))
@pytest.mark.parametrize("change", [-0.3, 0.3])
def test_the_end_is_on_the_surface_and_the_score_is_normal_to_it(name: str, change: float) -> None:
    solution = drawn_fit("apart").solution
    function = LocalQuantity(EVERY[name], solution.problem)
    value = function.value(solution.state.free[0]) + change
    found = constrained_maximum(solution.problem, solution.state.free[0], function, value)
    assert found.converged
    at = found.state.free[0]
    assert function.value(at) == pytest.approx(value, abs=1e-6)
    gradient = function.at(at).gradient
    # In complete-data standard errors, where the decrement along the surface is below 1e-10.
    score = found.state.whitener[0].T @ (found.state.score[0] - found.multiplier * gradient)
    assert np.abs(score).max() < 1e-4
    assert found.state.loglike[0] < solution.state.loglike[0]
    assert found.multiplier * change < 0.0


def test_it_is_the_maximum_that_brute_force_finds() -> None:
    fit = drawn_fit("apart")
    problem, scale = fit.solution.problem, fit.solution.problem.sample.scale
    found = constrained_maximum(
        problem, fit.solution.state.free[0], LocalQuantity(GAP, problem), 5.0 / scale
    )
    known = maximum(
        draw("apart"), 2, {}, n_starts=3, start=our_parameters(fit).ravel(),
        also=lambda p: float(p[3] - p[2]) - 5.0,
    )  # fmt: skip
    lost = float(fit.solution.state.loglike[0] - found.state.loglike[0])
    assert lost == pytest.approx(fit.loglike - known.loglike, abs=1e-7)


def test_constraints_of_the_fit_hold_too() -> None:
    solution = constrained_fit("two bounds").solution
    problem, function = solution.problem, LocalQuantity(parameters(2)[4], solution.problem)
    value = function.value(solution.state.free[0]) + 0.2
    found = constrained_maximum(problem, solution.state.free[0], function, value)
    assert found.converged
    at = found.state.free[0]
    assert (at >= problem.constraints.lower).all()
    assert (at <= problem.constraints.upper).all()
    assert problem.at_bound(at).any()


def test_at_the_maximum_itself_there_is_nothing_to_do() -> None:
    solution = drawn_fit("overlapping").solution
    function = LocalQuantity(MEAN, solution.problem)
    free = solution.state.free[0]
    found = constrained_maximum(solution.problem, free, function, function.value(free))
    assert found.converged
    np.testing.assert_array_equal(found.state.free[0], free)
    assert found.multiplier == pytest.approx(0.0, abs=1e-6)


def test_a_value_that_no_mixture_has_is_not_reached() -> None:
    class Bowl:
        """A function that is nowhere negative."""

        def at(self, free: Array) -> tuple[float, Array]:
            """The sum of squares."""
            return float(free @ free), 2.0 * free

        def hessian(self, free: Array) -> Array:
            """Twice the identity."""
            return 2.0 * np.eye(free.size)

    solution = drawn_fit("apart").solution
    assert not constrained_maximum(solution.problem, solution.state.free[0], Bowl(), -1.0).converged
