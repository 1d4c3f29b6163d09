"""Where to go next: pure functions from the state of an ascent to a proposed point.

Each takes the problem, the state of a batch of ascents and what they remember of their last
step, and returns free coordinates (S, p).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.landscape import Landscape
from bactrian.solve.state import State

Array = NDArray[np.float64]

_LEAST_CURVATURE = 1e-3
_STATIONARY = 1e-8
_ESCAPE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The displacement (S, p) of the last accepted step and the change of score along it."""

    displacement: Array
    score_change: Array


def newton_step(problem: Landscape, state: State, memory: Memory) -> Array:
    """Return the saddle-free Newton direction in the complete-data metric, shortened to trust.

    Curvatures enter by their absolute value, so that the step always climbs; at a stationary
    point that is not a maximum it leaves along the direction of wrong curvature.

    Source: derivation, "EM, gradient ascent and Newton".
    """
    # Far from a maximum a small curvature is no reason for a long step; near one it is the truth.
    least = np.where(state.is_concave, 0.0, _LEAST_CURVATURE)[:, None]
    along = state.slopes / np.maximum(np.abs(state.eigenvalues), least)
    stuck = (state.eigenvalues[:, 0] < -1e-8) & (state.decrement < _STATIONARY)
    if stuck.any():
        sign = np.where(state.slopes[stuck, 0] < 0.0, -1.0, 1.0)
        along[stuck, 0] = sign * _ESCAPE * np.sqrt(problem.sample.total)
    return shortened(problem, state, _unwhiten(state, along))


def full_newton_step(state: State) -> Array:
    """Return the undamped Newton step's end point, for a state close to a maximum."""
    along = state.slopes / np.where(state.eigenvalues == 0.0, 1.0, state.eigenvalues)
    return state.free + _unwhiten(state, along)


def em_step(problem: Landscape, state: State, memory: Memory) -> Array:
    """Return the EM step: the maximum of the expected complete-data log-likelihood.

    Source: derivation, "EM, gradient ascent and Newton".
    """
    return problem.after_em(state)


def gradient_step(problem: Landscape, state: State, memory: Memory) -> Array:
    """Return a step along the score of the softmax coordinates.

    The trial length is Barzilai and Borwein's (1988), the secant estimate of the curvature along
    the last step; the loop's line search shortens it until the likelihood rises.

    Source: derivation, "EM, gradient ascent and Newton".
    """
    moved = (memory.displacement**2).sum(axis=1)
    bent = -(memory.displacement * memory.score_change).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.where(bent > 0.0, moved / bent, 1.0 / problem.sample.total)
    return shortened(problem, state, length[:, None] * state.score)


def _unwhiten(state: State, along: Array) -> Array:
    """Displacement (S, p) in free coordinates from one along the eigenvectors."""
    white = state.eigenvectors @ along[:, :, None]
    return np.asarray((state.whitener @ white)[:, :, 0])


def shortened(problem: Landscape, state: State, displacement: Array) -> Array:
    """Return the end point of a displacement, shortened to where a quadratic model is believed."""
    excess = np.abs(displacement) / problem.reach(state)
    shrink = np.maximum(1.0, excess.max(axis=1, keepdims=True))
    return np.asarray(state.free + displacement / shrink)
