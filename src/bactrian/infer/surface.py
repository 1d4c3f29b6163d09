"""The log-likelihood over two of its coordinates, the others at their best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.climb import climb
from bactrian.solve.problem import Problem, without_held
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step
from bactrian.solve.thinning import thinned

Array = NDArray[np.float64]

_MAX_STEPS = 40
_TOLERANCE = 1e-6  # decrement; half of it is the log-likelihood missing, and no contour shows it
_MANY = 1024  # distinct values from which points stand for them


class Surface(NamedTuple):
    """The profile log-likelihood on a grid.

    Attributes
    ----------
    first, second : (a,), (b,) float64
        Values of the two coordinates.
    loglike : (b, a) float64
        The largest log-likelihood there less that of the fit; NaN where none was found.
    """

    first: Array
    second: Array
    loglike: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A log-likelihood some of whose coordinates stay where an ascent starts."""

    problem: Problem
    which: NDArray[np.bool_]

    @property
    def sample(self) -> Sample:
        """The weighted values."""
        return self.problem.sample

    @property
    def floor(self) -> float:
        """The smallest sd that the data resolve."""
        return self.problem.floor

    def evaluate(self, free: Array) -> State:
        """The state, the coordinates held having no slope and unit curvature."""
        found = self.problem.evaluate(free)
        held = np.broadcast_to(self.which, found.free.shape)
        with np.errstate(all="ignore"):
            score, hessian = without_held(held, found.score, found.hessian, found.whitener)
            return State.whitened(
                free=found.free, weights=found.weights, means=found.means, sds=found.sds,
                loglike=found.loglike, score=score, hessian=hessian, counts=found.counts,
                spreads=found.spreads, whitener=found.whitener,
            )  # fmt: skip

    def after_em(self, state: State) -> Array:
        """The EM step of the other coordinates: less than the whole, but it climbs."""
        return np.where(self.which, state.free, self.problem.after_em(state))

    def reach(self, state: State) -> Array:
        """How far a step may go."""
        return self.problem.reach(state)


def surface(
    problem: Problem, state: State, which: tuple[int, int], first: Array, second: Array
) -> Surface:
    """Return the profile log-likelihood over two free coordinates.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    which : (int, int)
        Positions of the two among the free coordinates.
    first, second : (a,), (b,) float64
        Their values, local.

    Notes
    -----
    At every point of the grid the other coordinates are climbed to their maximum from that of the
    fit. Where there are many values a few thousand points stand for them: contours are drawn from
    this, no number is reported. Source: derivation, "Profile likelihood".
    """
    if len(problem.sample) > _MANY:
        problem = Problem(thinned(problem.sample), problem.constraints, problem.floor)
        state = problem.evaluate(state.free)
    grid = np.meshgrid(first, second)
    start = np.tile(state.free, (grid[0].size, 1))
    held = np.zeros(start.shape[1], dtype=np.bool_)
    for place, values in zip(which, grid, strict=True):
        start[:, place], held[place] = values.ravel(), True
    climbs = climb(
        _Held(problem, held), start, newton_step, max_steps=_MAX_STEPS, tolerance=_TOLERANCE
    )
    loglike = climbs.state.loglike - state.loglike[0]
    loglike = np.where(climbs.state.sds.min(axis=1) >= problem.floor, loglike, np.nan)
    return Surface(first, second, loglike.reshape(grid[0].shape))
