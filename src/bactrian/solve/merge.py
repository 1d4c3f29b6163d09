"""Ascents that have come together near a maximum go on as one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.landscape import Landscape
from bactrian.solve.state import State

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_NEAR_MAXIMUM = 0.01
_TOGETHER = 0.04
_SAME_START = 1e-2


def following(problem: Landscape, state: State) -> Index:
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
    mixtures = (state.weights[near], state.means[near], state.sds[near])
    first = _first_alike(*mixtures, _TOGETHER / problem.sample.total)
    follows = first < np.arange(near.size)
    leader[near[follows]] = near[first[follows]]
    return leader


def gathered(loglike: Array, weights: Array, means: Array, sds: Array) -> Index:
    """Return for each candidate (S,) the best one that it agrees with to about ten percent."""
    order = np.argsort(-np.nan_to_num(loglike, nan=-np.inf), kind="stable")
    leader = np.empty_like(order)
    first = _first_alike(weights[order], means[order], sds[order], _SAME_START)
    leader[order] = order[first]
    return leader


def _first_alike(weights: Array, means: Array, sds: Array, limit: float) -> Index:
    """For each mixture (S,) the position of the first one that it is close to, maybe its own.

    The distance is that of the complete-data information of one row, with components matched in
    the order of their means.
    """
    row, order = np.arange(len(means))[:, None], means.argsort(axis=1)
    weights, means, sds = weights[row, order], means[row, order], sds[row, order]
    log_weights, log_sds = np.log(weights), np.log(sds)
    first, open_ = np.full(len(means), -1), np.arange(len(means))
    while open_.size:
        lead = open_[0]
        apart = (log_weights[open_] - log_weights[lead]) ** 2
        apart += ((means[open_] - means[lead]) / sds[lead]) ** 2
        apart += 2.0 * (log_sds[open_] - log_sds[lead]) ** 2
        close = apart @ weights[lead] < limit
        close[0] = True
        first[open_[close]] = lead
        open_ = open_[~close]
    return first
