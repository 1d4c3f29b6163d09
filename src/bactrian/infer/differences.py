"""Slopes of a function by differences, and whether it has any."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], float]

STEP = 1e-3  # of a coordinate: fourth-order differences err by 1e-12
_NODES = np.array([-2.0, -1.0, 1.0, 2.0])
_WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / 12.0
_EPS = float(np.finfo(np.float64).eps)
_EQUAL = 8.0 * _EPS  # of a value: what rounding alone may change it by
_BENT = 0.02  # of the largest change: a smooth function has a millionth as third difference
_STILL = 1e-6  # of the largest change
_PROBES = (-3.0, -1.0, 1.0, 3.0)

CONSTANT = "constant, the same for all allowed mixtures near the fit"
KINKED = (
    "the function has a kink or a jump at the fit, or too near to it, so it has no slope there and "
    'no standard error: method="bootstrap" needs none'
)
STILL = (
    "the slope of the function is zero at the fit, which says nothing of its error: "
    'method="bootstrap" needs no slope'
)
NO_NEIGHBOURS = (
    "the function gives no number for mixtures close to the fit, so it has no slope there"
)


class Stencil(NamedTuple):
    """The values of a function near a point.

    Attributes
    ----------
    middle : float
        At the point.
    values : (p, 4) float64
        Two steps down, one down, one up and two up along each coordinate.
    steps : (p,) float64
        The steps.
    """

    middle: float
    values: Array
    steps: Array

    @property
    def gradient(self) -> Array:
        """Fourth-order differences (p,); exactly zero along what changes by rounding alone."""
        with np.errstate(invalid="ignore"):  # infinite values
            slopes = self.values @ _WEIGHTS / self.steps
        return np.where(self._changes.max(axis=1) == 0.0, 0.0, slopes)

    @property
    def _changes(self) -> Array:
        """How far the values (p, 4) are from that in the middle; zero where that is rounding."""
        with np.errstate(invalid="ignore"):  # infinite ones
            changes = np.abs(self.values - self.middle)
        return np.where(changes <= _EQUAL * abs(self.middle), 0.0, changes)

    def fault(self, blur: float = 0.0) -> str:
        """Return why there is no slope to be trusted, or nothing.

        Third differences vanish for a quadratic, and are as large as the change of the slope where
        there is a kink, wherever that is between the values.

        Parameters
        ----------
        blur : float
            By how much rounding may shift the point, in steps.
        """
        if not np.isfinite(self.values).all():
            return NO_NEIGHBOURS
        largest = float(self._changes.max())
        if largest == 0.0:
            return CONSTANT
        low, down, up, high = self.values.T
        thirds = np.abs([high - 3.0 * (up - self.middle) - down,
                         up - 3.0 * (self.middle - down) - low])  # fmt: skip
        noise = 16.0 * (_EPS * float(np.abs(self.values).max()) + blur * largest)
        if thirds.max() > _BENT * largest + noise:
            return KINKED
        still = np.abs(self.gradient * self.steps).max() <= _STILL * largest
        return STILL if still else ""


def stencil(function: Function, at: Array, steps: Array) -> Stencil:
    """Return the values of a function around a point (p,), by steps (p,)."""
    moves = np.diag(steps)
    rows = [[function(at + node * move) for node in _NODES] for move in moves]
    return Stencil(function(at), np.array(rows).reshape(at.size, _NODES.size), steps)


def is_constant(function: Function, at: Array, reach: Array) -> bool:
    """Return whether a function stays the same to three times a reach (p,) from a point (p,)."""
    middle = function(at)
    moves = [node * move for move in np.diag(reach) for node in _PROBES]
    return all(abs(function(at + move) - middle) <= _EQUAL * abs(middle) for move in moves)


def second_slopes(function: Function, at: Array, steps: Array) -> Array:
    """Return the second derivatives (p, p) of a function at a point (p,), by steps (p,)."""
    moves, rows = np.diag(steps), np.zeros((at.size, at.size))
    for i in range(at.size):
        for j in range(i + 1):
            both, apart = moves[i] + moves[j], moves[i] - moves[j]
            second = function(at + both) + function(at - both)
            second -= function(at + apart) + function(at - apart)
            rows[i, j] = rows[j, i] = 0.25 * second / (steps[i] * steps[j])
    return rows
