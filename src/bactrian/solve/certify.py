"""One pass over all the rows, at the maximum that a sketch of them has."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Source
from bactrian.errors import DataError
from bactrian.likelihood.first_order import working_score
from bactrian.model.mixture import NormalMixture
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.solver import Solution, Step
from bactrian.solve.state import State

Array = NDArray[np.float64]

_ENOUGH = 1e-18
_MAX_PASSES = 3
_SAME_TOTAL = 1e-9


class _Checked(NamedTuple):
    """A point, its log-likelihood over all rows (local), decrement, largest score, and step.

    With a decrement of no more than `enough`, the step is one of rounding.
    """

    state: State
    loglike: float
    decrement: float
    enough: float
    max_score: float
    step: Array


def certified(solution: Solution, source: Source) -> Solution:
    """Return the solution with the score of all the rows in its certificate.

    Where that score is more than rounding, a Newton step removes it and the rows are read again;
    the Hessian of the sketch serves throughout.

    Raises
    ------
    DataError
        If the rows are not those of the sketch any more.

    Notes
    -----
    Source: derivation, "Binned moments".
    """
    if solution.outcome is not Outcome.CONVERGED or not source.is_rereadable:
        return solution
    best = _checked(solution.problem, solution.state, source)
    path = [best]
    for _ in range(_MAX_PASSES - 1):
        if best.decrement <= best.enough:
            break
        moved = solution.problem.evaluate(best.state.free + best.step)
        again = _checked(solution.problem, moved, source)
        if not again.decrement < best.decrement:
            break
        best = again
        path.append(best)
    return _restated(solution, path)


def _checked(problem: Problem, state: State, source: Source) -> _Checked:
    """The score of all the rows at one point."""
    sample = problem.sample
    weights, means, sds = state.weights[0], state.means[0], state.sds[0]
    found = source.first_order(sample.origin, sample.scale, weights, means, sds)
    if not abs(found.total - sample.total) <= _SAME_TOTAL * sample.total:
        raise DataError(
            f"The data changed while they were read: {sample.total:.12g} rows the first time, "
            f"{found.total:.12g} the second; fit them again when nothing writes to them."
        )
    score = problem.score(state.free[0], working_score(found.sums, weights, sds))
    covariance = np.linalg.inv(-state.hessian[0])
    step = covariance @ score
    errors = np.sqrt(np.diagonal(covariance))
    enough = max(_ENOUGH, _of_rounding(sample.total) * float(covariance.trace()))
    return _Checked(
        state, found.loglike, float(score @ step), enough, float(np.abs(score * errors).max()), step
    )


def _of_rounding(n: float) -> float:
    """The squared error of a score of n rows that were added one after another.

    Engines do so. Every addition is off by up to a half of the last place of what is there so far;
    of those errors, which are as good as random, u n^(3/2) / 32 is left with u = 2**-53. Without
    this the rows of a long table would be read twice more, for steps that lead nowhere.
    """
    return (2.0**-53 * n * math.sqrt(n) / 32.0) ** 2


def _restated(solution: Solution, path: list[_Checked]) -> Solution:
    """The solution as the passes over all the rows found it."""
    *_, best = path
    state, mixture = best.state, _mixture(solution.problem, best.state)
    loglike = _loglike(solution.problem, best)
    change = loglike - solution.loglike
    certificate = solution.certificate
    optima = tuple(
        replace(
            optimum,
            loglike=optimum.loglike + change,
            criterion=optimum.criterion + change,
            mixture=mixture if optimum.status == "chosen" else optimum.mixture,
        )
        for optimum in certificate.optima
    )
    return replace(
        solution,
        mixture=mixture,
        loglike=loglike,
        n_steps=solution.n_steps + len(path) - 1,
        trace=(*solution.trace, *_steps(solution, path[1:])),
        state=state,
        certificate=replace(
            certificate,
            decrement=best.decrement,
            max_score=best.max_score,
            optima=optima,
            state=state,
            rests_on="rows",
        ),
    )


def _steps(solution: Solution, moved: list[_Checked]) -> list[Step]:
    """The steps on all the rows, their components in the order that the path has."""
    ranked = [_ranks(mixture) for mixture in (solution.trace[-1].mixture, solution.mixture)]
    order = np.empty_like(ranked[0])
    order[ranked[0]] = ranked[1]
    found = []
    for point in moved:
        mixture = _mixture(solution.problem, point.state)
        named = NormalMixture(mixture.weights[order], mixture.means[order], mixture.sds[order])
        found.append(Step(named, _loglike(solution.problem, point), point.decrement, "newton"))
    return found


def _ranks(mixture: NormalMixture) -> NDArray[np.intp]:
    """The components by mean, then sd, then weight."""
    return np.lexsort((mixture.weights, mixture.sds, mixture.means))


def _mixture(problem: Problem, state: State) -> NormalMixture:
    """The mixture of a state, in the unit of the data."""
    sample = problem.sample
    return NormalMixture(
        state.weights[0], sample.origin + sample.scale * state.means[0],
        sample.scale * state.sds[0],
    )  # fmt: skip


def _loglike(problem: Problem, point: _Checked) -> float:
    """The log-likelihood of all the rows, in the unit of the data."""
    return point.loglike - problem.sample.total * float(np.log(problem.sample.scale))
