"""Limited-memory BFGS through SciPy, with the analytic score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.climb import Climbs, TracePoint, flat, polished, trace_point
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

_CLOSE = 1e-8
_RESTARTS = 20


class _CollapsedError(Exception):
    """The line search asked for a component narrower than the data resolve."""


class _Objective:
    """Minus log-likelihood over rescaled coordinates, remembering its last state."""

    def __init__(self, problem: Problem, state: State, tolerance: float) -> None:
        self.problem, self.tolerance = problem, tolerance
        # Unit steps in complete-data standard errors: L-BFGS starts from a multiple of identity.
        self.unit = 1.0 / np.sqrt((np.linalg.inv(state.whitener[0]) ** 2).sum(axis=0))
        self.last = self.best = state
        held = problem.constraints
        ends = np.stack([held.lower, held.upper], axis=1) / self.unit[:, None]
        self.bounds = ends if held.has_bounds else None
        self.trace: list[TracePoint] = [trace_point(state, "start")]

    def __call__(self, scaled: Array) -> tuple[float, Array]:
        """Minus log-likelihood and its gradient."""
        self.last = self.problem.evaluate((scaled * self.unit)[None])
        if self.last.sds.min() < self.problem.floor:
            raise _CollapsedError
        return -float(self.last.loglike[0]), -self.last.score[0] * self.unit

    def accepted(self, scaled: Array) -> None:
        """Record an iterate, and stop when its Newton decrement is small enough."""
        if not np.array_equal((scaled * self.unit)[None], self.last.free):
            self.last = self.problem.evaluate((scaled * self.unit)[None])
        self.best = self.last
        self.trace.append(trace_point(self.best, "lbfgs"))
        if self.arrived(self.tolerance):
            raise StopIteration

    def arrived(self, tolerance: float) -> bool:
        """Whether the last iterate is at a maximum to a tolerance in the decrement."""
        return bool(self.best.is_concave[0] and self.best.decrement[0] <= tolerance)


def lbfgs(problem: Problem, start: Array, *, max_steps: int, tolerance: float) -> Climbs:
    """Return the end of one L-BFGS ascent from free coordinates (1, p).

    SciPy's line search compares log-likelihoods and so cannot see below their rounding; it is
    restarted while that helps, and from a decrement of 1e-8 on one undamped Newton step ends it.
    """
    from scipy.optimize import minimize

    objective = _Objective(problem, problem.evaluate(start), tolerance)
    outcome = Outcome.MAX_STEPS
    for _ in range(_RESTARTS):
        left = max_steps - len(objective.trace) + 1
        before = float(objective.best.decrement[0])
        if left <= 0 or objective.arrived(tolerance):
            break
        try:
            minimize(
                objective,
                objective.best.free[0] / objective.unit,
                jac=True,
                method="L-BFGS-B",
                callback=objective.accepted,
                bounds=objective.bounds,
                options={"maxiter": left, "maxfun": 20 * left, "ftol": 0.0, "gtol": 0.0},
            )
        except _CollapsedError:
            outcome = Outcome.COMPONENT_COLLAPSED
            break
        if float(objective.best.decrement[0]) >= before:
            break
    state = objective.best
    if objective.arrived(max(tolerance, _CLOSE)):
        outcome, state = Outcome.CONVERGED, polished(problem, state, max(tolerance, _CLOSE))
    elif flat(problem, state)[0]:
        outcome = Outcome.COMPONENTS_NOT_DISTINCT
    trace = objective.trace
    if (state.free != objective.best.free).any():
        trace.append(trace_point(state, "newton"))
    return Climbs(state, (outcome,), np.array([len(trace) - 1]), tuple(trace))
