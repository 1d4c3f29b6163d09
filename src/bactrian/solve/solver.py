"""One column in, the certified maximum out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture
from bactrian.solve.cautions import cautions
from bactrian.solve.certificate import Certificate, Optimum, decrement_of
from bactrian.solve.climb import MAX_TRIES, TOLERANCE, Climbs, TracePoint, climb
from bactrian.solve.given import are_same, free_of, joined
from bactrian.solve.lbfgs import lbfgs
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.search import Root, Search, order_of, problem_of, search
from bactrian.solve.starts import criterion
from bactrian.solve.state import State
from bactrian.solve.steps import em_step, gradient_step, newton_step
from bactrian.solve.thinning import LARGE

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """How one ascent is made: a function from problem, start and largest number of steps."""

    run: Callable[[Problem, Array, int], Climbs]
    max_steps: int


def _stepping(step: object, max_tries: int = MAX_TRIES) -> Callable[[Problem, Array, int], Climbs]:
    """An ascent by the one loop with a given step."""

    def run(problem: Problem, start: Array, max_steps: int) -> Climbs:
        return climb(
            problem, start, step, max_steps=max_steps, keep_trace=True, max_tries=max_tries  # type: ignore[arg-type]
        )  # fmt: skip

    return run


def _quasi_newton(problem: Problem, start: Array, max_steps: int) -> Climbs:
    """An ascent by SciPy's L-BFGS."""
    return lbfgs(problem, start, max_steps=max_steps, tolerance=TOLERANCE)


METHODS = {
    "newton": Method(_stepping(newton_step), 200),
    "em": Method(_stepping(em_step), 100_000),
    "gradient": Method(_stepping(gradient_step, 30), 20_000),
    "lbfgs": Method(_quasi_newton, 5_000),
}


_ASTRAY = (
    Outcome.COMPONENT_COLLAPSED, Outcome.COMPONENT_VANISHED, Outcome.COMPONENTS_NOT_DISTINCT,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One point of an ascent, in the unit of the data.

    Attributes
    ----------
    mixture : NormalMixture
        Where the ascent stood; components keep the order in which they started.
    loglike : float
        Its log-likelihood.
    decrement : float
        Its Newton decrement: near the maximum, half of it is the log-likelihood to be gained. Where
        the log-likelihood is not concave, negative curvatures are taken by their absolute value:
        there it is not s' (-H)^-1 s.
    kind : {"start", "newton", "em", "gradient", "lbfgs", "unknown"}
        What led here; unknown in fits kept by earlier versions. Every ascent that converges ends
        with a step of Newton's, unless it is there already; steps of another method that are
        refused again and again are replaced by one of EM.
    """

    mixture: NormalMixture
    loglike: float
    decrement: float
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Where the ascent ended, how, and what else there is.

    Attributes
    ----------
    mixture : NormalMixture
        The estimate, components in order of mean.
    loglike : float
        Its log-likelihood, a sum over rows.
    outcome : Outcome
        How it ended.
    n_steps : int
        Steps of the reported ascent, of all kinds: one less than the points of its path.
    trace : tuple of Step
        Its path, from the start on; empty where no admissible maximum was found.
    certificate : Certificate
        The reasons to trust it.
    problem, state
        The function climbed and its value at the end, in local coordinates.
    collapses : (m,) float64
        Where, in local coordinates, components collapsed in the ascents from all starts.
    """

    mixture: NormalMixture
    loglike: float
    outcome: Outcome
    n_steps: int
    trace: tuple[Step, ...]
    certificate: Certificate
    problem: Problem
    state: State
    collapses: Array


def solve(
    sample: Sample,
    constraints: Constraints,
    *,
    method: str = "newton",
    max_steps: int | None = None,
    start: NormalMixture | None = None,
    is_local: bool = False,
) -> Solution:
    """Return the best admissible maximum of the likelihood.

    All starts are climbed by Newton steps, which decides which maximum is the estimate; the named
    method then climbs from the start nearest to it, and its path is reported.

    A start that is given is one more of them. Or, with `is_local`, the named method climbs from
    there, and where it ends is the estimate; the others then tell whether there is a better one.

    Parameters
    ----------
    sample : Sample
        The weighted values.
    constraints : Constraints
        The set of mixtures to choose from, in the unit of the data.
    method : {"newton", "em", "gradient", "lbfgs"}
        How the reported ascent is made.
    max_steps : int, optional
        Largest number of steps of the reported ascent; each method has its default.
    start : NormalMixture, optional
        Where to start as well, or alone; in the unit of the data, a member of the set.
    is_local : bool
        Whether to end where the method leads from there.

    Raises
    ------
    ParameterError
        If the method is unknown.

    Notes
    -----
    Source: derivation, "EM, gradient ascent and Newton" and "Unboundedness".
    """
    if method not in METHODS:
        raise ParameterError(
            f"method={method!r} is unknown; choose one of {', '.join(map(repr, METHODS))}."
        )
    found, problem = search(sample, constraints), problem_of(sample, constraints)
    run, steps = METHODS[method].run, METHODS[method].max_steps if max_steps is None else max_steps
    begun = None if start is None else free_of(problem, start)
    if begun is not None:
        ascent = METHODS[method if is_local else "newton"]
        climbs = ascent.run(problem, begun, steps if is_local else ascent.max_steps)
        found = joined(problem, found, begun, climbs)
        if is_local:
            return _solution(problem, found, climbs)
    if not found.admissible:
        return _without_maximum(problem, found)
    chosen = found.admissible[0]
    origin, at = chosen.start[None], problem.free(*(a[None] for a in chosen.parameters))
    is_given = begun is not None and np.array_equal(begun, origin)
    if method == "newton" and len(sample) > LARGE and not is_given:
        origin = at  # the path there was climbed on the thinned sample
    climbs = run(problem, origin, steps)
    if method == "newton" and max_steps is None and not _is_at(problem, climbs, chosen):
        climbs = run(problem, at, steps)
    return _solution(problem, found, climbs)


def _is_at(problem: Problem, climbs: Climbs, root: Root) -> bool:
    """Whether an ascent ended at a maximum already known."""
    return climbs.outcomes[0] is Outcome.CONVERGED and _same(float(climbs.state.loglike[0]), root)


def _same(loglike: float, root: Root) -> bool:
    """Whether a log-likelihood is that of a maximum, to rounding."""
    return abs(loglike - root.loglike) <= 1e-7 + 1e-12 * abs(root.loglike)


def _solution(problem: Problem, found: Search, climbs: Climbs) -> Solution:
    """The solution at the end of the reported ascent."""
    state, outcome = _in_order(problem, climbs.state), climbs.outcomes[0]
    optima = _optima(problem, found, state, outcome)
    if found.admissible and outcome in _ASTRAY:
        outcome = Outcome.START_LED_NOWHERE
    decrement, max_score = decrement_of(state)
    n_lambda_min = problem.sample.total * float(state.eigenvalues[0, 0])
    certificate = Certificate(
        decrement,
        max_score,
        state.eigenvalues[0],
        n_lambda_min,
        optima,
        found.n_starts,
        cautions(problem, state, outcome, optima, found.collapses),
        problem.sample,
        state,
    )
    return Solution(
        _mixture(problem, state.weights[0], state.means[0], state.sds[0]),
        _loglike(problem, float(state.loglike[0])),
        outcome,
        int(climbs.n_steps[0]),
        tuple(_step(problem, point) for point in climbs.trace),
        certificate,
        problem,
        state,
        found.collapses,
    )


def _without_maximum(problem: Problem, found: Search) -> Solution:
    """The solution where no admissible maximum was found: the best point reached on the way."""
    outcomes = {o: n for o, n in found.outcomes.items() if o is not Outcome.CONVERGED}
    outcome = max(outcomes, key=outcomes.__getitem__, default=Outcome.COMPONENT_COLLAPSED)
    worth = criterion(found.problem, found.last.loglike, found.last.sds)
    worth[~np.isfinite(worth)] = -np.inf
    best = int(worth.argmax())
    state = problem.evaluate(found.last.free[best : best + 1])
    return _solution(problem, found, Climbs(state, (outcome,), np.zeros(1, dtype=np.intp), ()))


def _optima(problem: Problem, found: Search, state: State, outcome: Outcome) -> tuple[Optimum, ...]:
    """The maxima found, with the one that the reported ascent ended at first."""
    listed, loglike = [], float(state.loglike[0])
    for root in found.roots:
        status = "admissible" if root.is_admissible else "rejected: near-degenerate"
        is_end = outcome is Outcome.CONVERGED and root.is_admissible and _same(loglike, root)
        if is_end and are_same(problem, root, state):
            status = "chosen"
        listed.append(
            Optimum(
                _mixture(problem, root.weights, root.means, root.sds),
                _loglike(problem, root.loglike),
                root.criterion - problem.sample.total * float(np.log(problem.sample.scale)),
                loglike - root.loglike,
                root.counts,
                root.hits,
                status,
            )
        )
    return tuple(sorted(listed, key=lambda optimum: optimum.status != "chosen"))


def _in_order(problem: Problem, state: State) -> State:
    """The same point with its components by mean, then sd, then weight."""
    order = order_of(problem, state)
    if (order[1:] > order[:-1]).all():
        return state
    named = (state.weights, state.means, state.sds)
    return problem.evaluate(problem.free(*(array[:, order] for array in named)))


def _mixture(problem: Problem, weights: Array, means: Array, sds: Array) -> NormalMixture:
    """A mixture in the unit of the data from local parameters (K,)."""
    sample = problem.sample
    return NormalMixture(weights, sample.origin + sample.scale * means, sample.scale * sds)


def _loglike(problem: Problem, local: float) -> float:
    """A log-likelihood of the data from one of their local values."""
    return local - problem.sample.total * float(np.log(problem.sample.scale))


def _step(problem: Problem, point: TracePoint) -> Step:
    """One point of the trace in the unit of the data."""
    weights, means, sds = problem.parameters(np.array([point.free]))
    return Step(
        _mixture(problem, weights[0], means[0], sds[0]),
        _loglike(problem, point.loglike),
        point.decrement,
        point.kind,
    )
