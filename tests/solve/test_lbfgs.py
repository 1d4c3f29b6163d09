"""L-BFGS with the analytic score ends where Newton ends."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.solve.climb import TOLERANCE, climb
from bactrian.solve.lbfgs import lbfgs
from bactrian.solve.outcome import Outcome
from bactrian.solve.steps import newton_step
from tests.problems import MIXTURES, problem, true_start

# With equal variances "narrow in wide" has no second component: both coincide.
CASES = [(name, equal) for name in MIXTURES for equal in (False, True)]
CASES.remove(("narrow in wide", True))


@pytest.mark.parametrize(("name", "equal"), CASES)
def test_it_ends_at_the_maximum_of_newton(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    start = true_start(name, of)
    known = climb(of, start, newton_step, max_steps=200)
    found = lbfgs(of, start, max_steps=2000, tolerance=TOLERANCE)
    assert found.outcomes == (Outcome.CONVERGED,)
    assert found.state.loglike[0] == pytest.approx(known.state.loglike[0], abs=1e-9)
    np.testing.assert_allclose(found.state.free, known.state.free, atol=1e-7)
    assert found.state.decrement[0] < TOLERANCE


def test_it_keeps_its_trace() -> None:
    of = problem("overlapping")
    start = true_start("overlapping", of)
    found = lbfgs(of, start, max_steps=2000, tolerance=TOLERANCE)
    assert found.trace[0].free == tuple(start[0].tolist())
    assert found.trace[-1].free == tuple(found.state.free[0].tolist())
    assert found.n_steps[0] == len(found.trace) - 1
    kinds = [point.kind for point in found.trace]
    assert kinds == ["start", *["lbfgs"] * (len(kinds) - 2), "newton"]
    path = np.array([point.loglike for point in found.trace])
    assert path[-1] >= path[0]


def test_too_few_steps_are_said_to_be_too_few() -> None:
    of = problem("overlapping")
    found = lbfgs(of, true_start("overlapping", of), max_steps=2, tolerance=TOLERANCE)
    assert found.outcomes == (Outcome.MAX_STEPS,)
    assert found.n_steps[0] <= 3
    assert [point.kind for point in found.trace[1:]] == ["lbfgs"] * found.n_steps[0]
    assert len({point.free for point in found.trace}) == len(found.trace)


def test_a_component_on_one_value_collapses() -> None:
    of = problem("overlapping")
    value = of.sample.local[-1]
    start = of.free(np.array([[0.95, 0.05]]), np.array([[0.0, value]]), np.array([[1.0, 1e-3]]))
    found = lbfgs(of, start, max_steps=2000, tolerance=TOLERANCE)
    assert found.outcomes == (Outcome.COMPONENT_COLLAPSED,)
    assert np.isfinite(found.state.loglike).all()


def test_coinciding_components_are_no_maximum() -> None:
    of = problem("narrow in wide", equal_variances=True)
    start = true_start("narrow in wide", of)
    found = lbfgs(of, start, max_steps=2000, tolerance=TOLERANCE)
    assert found.outcomes[0] is not Outcome.CONVERGED
