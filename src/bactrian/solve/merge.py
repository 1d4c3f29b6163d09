"""Ascents that have come together near a maximum go on as one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

_NEAR_MAXIMUM = 0.01
_TOGETHER = 0.04


def following(problem: Problem, state: State) -> NDArray[np.intp]:
    """Return for each ascent (S,) the one it can leave the rest of the way to, or -1.

    Two ascents are together when both are within a tenth of a standard error of a maximum by
    their Newton decrement and within a fifth of a *complete-data* standard error of each other,
    which is smaller than an observed one.
    """
    leader = np.full(len(state), -1)
    near = np.flatnonzero(state.is_concave & (state.decrement < _NEAR_MAXIMUM))
    if near.size < 2:
        return leader
    near = near[np.argsort(state.decrement[near], kind="stable")]
    weights, means, sds = _in_order(state, near)
    total = problem.sample.total
    while near.size > 1:
        apart = np.log(weights[1:] / weights[0]) ** 2
        apart += ((means[1:] - means[0]) / sds[0]) ** 2
        apart += 2.0 * np.log(sds[1:] / sds[0]) ** 2
        together = total * (apart @ weights[0]) < _TOGETHER
        leader[near[1:][together]] = near[0]
        rest = np.flatnonzero(~together) + 1
        near, weights, means, sds = near[rest], weights[rest], means[rest], sds[rest]
    return leader


def _in_order(state: State, index: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """Weights, means and sds of some ascents, their components in the order of the means."""
    row = np.arange(index.size)[:, None]
    order = state.means[index].argsort(axis=1)
    return (
        state.weights[index][row, order],
        state.means[index][row, order],
        state.sds[index][row, order],
    )
