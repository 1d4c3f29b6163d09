"""Profile-likelihood intervals: all values that the data do not contradict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.bootstrap import matching
from bactrian.infer.quantity import LocalQuantity
from bactrian.solve.constrained import Constrained, constrained_maximum
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

_MAX_SOLVES = 60
_MAX_LEGS = 12
_LEAST_RISE = 0.4  # by which the root grows in a step where the maximum is ill determined
_SHORTER = 0.25  # share of a step to try where one leads nowhere
_HOPELESS = 0.01  # of the unit: a shorter step is not tried
_FARTHEST = 1e4  # of the unit: beyond it, the likelihood has ceased to fall
_RISEN = 0.2  # twice the log-likelihood by which a rival may exceed the fit and be as good
_JUMP, _BEND = 0.05, 0.25  # of a fall, absolute and relative, beyond what its slopes say
_CLOSE = 1e-6  # in signed roots of twice the fall of the log-likelihood
_TOGETHER = 1e-7  # of the distance: two points so close should not differ
_STEP = 0.3  # on the scale of the quantity, where no standard error is known

_OPEN = "the likelihood never falls far enough on this side"
_RISES = "the likelihood rises again on this side, towards another maximum"
_STUCK = (
    "the likelihood could not be followed on this side: a component collapses or vanishes, or a "
    "parameter meets its bound"
)
_LOST = (
    "the likelihood could not be followed on this side: a component collapses or vanishes, a "
    "parameter meets its bound, or the quantity has a kink or an end there"
)
_SWAPPED = "the components change roles on this side before the likelihood falls far enough"
_BOUND = "the fit bounds it there"


class End(NamedTuple):
    """One end of an interval, on the scale of the quantity.

    Attributes
    ----------
    value : float
        Infinite where the likelihood never falls far enough.
    reason : str
        Why there is no end, or empty.
    fall : float
        The largest fall of twice the log-likelihood seen.
    """

    value: float
    reason: str
    fall: float


class _Point(NamedTuple):
    """A point on the way.

    Attributes
    ----------
    distance : float
        From the estimate, on the scale of the quantity.
    fall, slope : float
        Twice the fall of the log-likelihood, and half of the slope of that along the distance.
    state : State
        The maximum there.
    trouble : str
        Why it is not on the way, or nothing.
    """

    distance: float
    fall: float
    slope: float
    state: State
    trouble: str = ""

    @property
    def root(self) -> float:
        """The root of the fall, zero where the likelihood is higher than at the estimate."""
        return math.sqrt(max(self.fall, 0.0))

    def newton(self, wanted: float) -> float:
        """Return the distance where the root is as wanted, to first order."""
        if not self.slope > 0.0:
            return math.nan
        return self.distance + (wanted - self.root) * self.root / self.slope

    def stride(self, rise: float, last: float) -> float:
        """Return the next step: the root grows by so much; at most twice as long as the last."""
        if not self.slope > 0.0:
            return 2.0 * last
        return min(max(rise * self.root / self.slope, 0.5 * last), 2.0 * last)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The profile likelihood of one quantity around a maximum.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    quantity : LocalQuantity
        The quantity as a function of the free coordinates.
    covariance : (p, p) float64
        Inverse of minus the Hessian in free coordinates; NaN where that has none.
    """

    problem: Problem
    state: State
    quantity: LocalQuantity
    covariance: Array

    def fall(self, value: float) -> tuple[float, Constrained]:
        """Return twice the fall of the log-likelihood to where the quantity has a value.

        The value is one on the quantity's scale; with the fall comes the point there. A way that
        is too far for one ascent is gone in several.
        """
        state, share = self.state, 1.0
        for _ in range(_MAX_LEGS):
            at = self.quantity.at(state.free[0])
            aim = value if share == 1.0 else at.value + share * (value - at.value)
            start = self._along(state, at.gradient, aim - at.value)
            found = constrained_maximum(self.problem, start, self.quantity, aim)
            if found.converged and share == 1.0:
                break
            state = found.state if found.converged else state
            share = min(2.0 * share, 1.0) if found.converged else 0.5 * share
        return 2.0 * float(self.state.loglike[0] - found.state.loglike[0]), found

    def end(self, side: int, critical: float) -> End:
        """Return the end of the interval on one side.

        Parameters
        ----------
        side : {-1, 1}
            Below or above the estimate.
        critical : float
            Fall of twice the log-likelihood at the end: the chi-square quantile.

        Notes
        -----
        The way is gone in steps that do not depend on how far the likelihood is to fall, so that
        a wider interval ends where a narrower one does, or beyond; in the last of them Newton's
        method on the signed root of the fall, whose slope the multiplier gives, finds the end.
        Source: derivation, "Profile likelihood".
        """
        here = self.quantity.at(self.state.free[0])
        error = math.sqrt(max(float(here.gradient @ self.covariance @ here.gradient), 0.0))
        unit = error if 0.0 < error < math.inf else _STEP
        wanted, rise = math.sqrt(critical), self._rise
        inner, stride, most = _Point(0.0, 0.0, 0.0, self.state), rise * unit, 0.0
        for _ in range(_MAX_SOLVES):
            found = self._point(side, inner, inner.distance + stride)
            if found.trouble:
                stride *= _SHORTER
                if stride < _HOPELESS * unit:
                    return self._without_end(side, found.trouble, most)
                continue
            most = max(most, found.fall)
            if found.root >= wanted:
                return End(here.value + side * self._between(side, inner, found, wanted), "", most)
            # A slope the other way may be the valley before another maximum, and no end yet.
            if found.distance > _FARTHEST * unit:
                return self._without_end(side, _OPEN, most)
            stride = found.stride(rise, stride)
            inner = found
        return self._without_end(side, _STUCK, most)

    def walk(self, side: int, distances: Array) -> list[tuple[float, float]]:
        """Return values and falls of twice the log-likelihood on one side of the estimate.

        Parameters
        ----------
        side : {-1, 1}
            Below or above.
        distances : (m,) float64
            Positive, ascending, on the scale of the quantity. The walk ends before the first to
            which the likelihood cannot be followed.
        """
        here, inner = self.quantity.value(self.state.free[0]), _Point(0.0, 0.0, 0.0, self.state)
        found: list[tuple[float, float]] = []
        for distance in distances.tolist():
            point = self._point(side, inner, distance)
            if point.trouble:
                break
            found.append((here + side * distance, point.fall))
            inner = point
        return found

    @property
    def _rise(self) -> float:
        """By how much the root should grow in a step: less where the maximum is ill determined."""
        rows = self.problem.sample.total * float(self.state.eigenvalues[0, 0])
        return min(max(math.sqrt(max(rows, 0.0)) / 8.0, _LEAST_RISE), 1.0)

    def _point(self, side: int, start: _Point, distance: float) -> _Point:
        """The point at a distance from the estimate, reached from one that is on the way."""
        at = self.quantity.at(start.state.free[0])
        value = self.quantity.value(self.state.free[0]) + side * distance
        begin = self._along(start.state, at.gradient, value - at.value)
        found = constrained_maximum(self.problem, begin, self.quantity, value)
        fall = 2.0 * float(self.state.loglike[0] - found.state.loglike[0])
        slope, trouble = -side * found.multiplier, self._trouble(found, fall)
        smooth = (start.slope + slope) * (distance - start.distance)
        # Of a smooth profile the slopes give the fall; what falls further is a lesser maximum.
        if not trouble and fall - start.fall - smooth > _JUMP + _BEND * abs(smooth):
            trouble = _STUCK
        return _Point(distance, fall, slope, found.state, trouble)

    def _between(self, side: int, inner: _Point, outer: _Point, wanted: float) -> float:
        """The distance between two points of the way where the root is as wanted.

        That of the outer one where there is no way between them: the interval is then too wide,
        but holds all narrower ones.
        """
        ends = (inner, outer)
        for _ in range(_MAX_SOLVES):
            near = min(ends, key=lambda point: abs(point.root - wanted))
            gap = ends[1].distance - ends[0].distance
            if abs(near.root - wanted) < _CLOSE:
                return near.distance
            if gap < _TOGETHER * ends[1].distance:
                break
            distance = near.newton(wanted)
            if not ends[0].distance < distance < ends[1].distance:
                distance = ends[0].distance + 0.5 * gap
            found = self._point(side, ends[0], distance)
            if found.trouble:
                break
            ends = (found, ends[1]) if found.root < wanted else (ends[0], found)
        return ends[1].distance

    def _trouble(self, found: Constrained, fall: float) -> str:
        """Why a point is not on the way, or nothing."""
        if not found.converged:
            return _STUCK
        if fall < -_RISEN:
            return _RISES
        with np.errstate(over="ignore"):  # a component may be anywhere
            order = matching(self.problem, found.state, self.state)
        return "" if (np.diff(order) > 0).all() else _SWAPPED

    def _without_end(self, side: int, reason: str, fall: float) -> End:
        """The end of the range on one side: a bound of the fit, if it has one there."""
        held, line = self.problem.constraints, self.quantity.line
        which = np.flatnonzero(line.gradient) if line is not None else np.array([], dtype=np.intp)
        if line is not None and which.size == 1 and held.has_bounds:
            ends = line.value + line.gradient[which] * np.concatenate(
                [held.lower[which], held.upper[which]]
            )
            limit = float(ends.min() if side < 0 else ends.max())
            if math.isfinite(limit):
                return End(limit, _BOUND, fall)
        asked = self.quantity.quantity
        if reason == _STUCK and (asked.gradient is None or asked.has_kinks):
            reason = _LOST
        return End(side * math.inf, reason, fall)

    def _along(self, state: State, gradient: Array, change: float) -> Array:
        """Where the maximum moves to first order when the quantity changes by so much."""
        free, whitener = state.free[0], state.whitener[0]
        direction = self.covariance @ gradient
        if not np.isfinite(direction).all() or not gradient @ direction > 0.0:
            direction = whitener @ (whitener.T @ gradient)
        moved: Array = free + direction * (change / float(gradient @ direction))
        return moved
