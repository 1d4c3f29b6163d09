"""Profile-likelihood intervals: all values that the data do not contradict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.bootstrap import matching
from bactrian.infer.quantity import LocalQuantity
from bactrian.solve.constrained import Constrained, constrained_maximum
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

_MAX_SOLVES = 40
_MAX_LEGS = 12
_CLOSE = 1e-6  # in signed roots of twice the fall of the log-likelihood
_HOPELESS = 0.01  # of the first step: nearer, a way that fails is not tried again
_FARTHEST = 1e4  # of the first step: beyond it, the likelihood has ceased to fall
_RISEN = 1e-6
_WIDEST = 2.0  # by which the distance from the estimate may grow at once
_TOGETHER = 1e-7  # of the distance: two tries so close should not differ
_MOST_JUMPS = 3
_SMALL = 0.1  # of the first step
_STEP = 0.3  # on the scale of the quantity, where no standard error is known


_OPEN = "the likelihood never falls far enough on this side"
_RISES = "the likelihood rises again on this side, towards another maximum"
_STUCK = (
    "the likelihood could not be followed on this side: a component collapses or vanishes, or a "
    "parameter meets its bound"
)
_LOST = (
    "the likelihood could not be followed on this side: a component collapses or vanishes, a "
    "parameter meets its bound, or the function has a kink or an end there"
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


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the distance from the estimate at which the signed root is as wanted.

    Attributes
    ----------
    distance : float
        To be tried next.
    wanted : float
        The signed root that is sought.
    inner, outer : float
        Distances at which it was less, and more or not to be had.
    is_closed : bool
        Whether it was more at the outer one.
    most : float
        The largest square of it that was seen.
    first : float
        The first distance tried.
    stride : float
        By how much the distance may grow at once where nothing is known beyond.
    reopened : int
        How often what was known beyond turned out to belong to another maximum.
    verdict : str or None
        Why the search is over: nothing if the last distance is the answer.
    """

    distance: float
    wanted: float
    inner: float = 0.0
    outer: float = math.inf
    is_closed: bool = False
    most: float = 0.0
    first: float = 0.0
    stride: float = math.inf
    reopened: int = 0
    verdict: str | None = None

    def after(self, fall: float, slope: float, trouble: str) -> _Search:
        """Return the search after a try: the fall there, half of its slope, or what is wrong.

        What a long way leads to may be wrong where a short one is not, so it is tried again.
        """
        unit = self.first or self.distance
        if trouble:
            if self.distance - self.inner < _HOPELESS * unit:
                return replace(self, verdict=trouble)
            return replace(
                self, outer=self.distance, is_closed=False, first=unit,
                distance=0.5 * (self.inner + self.distance),
            )  # fmt: skip
        root, most = math.sqrt(max(fall, 0.0)), max(self.most, fall)
        if abs(root - self.wanted) < _CLOSE:
            return replace(self, verdict="", most=most)
        inner, outer, closed = self.inner, self.outer, self.is_closed
        if root < self.wanted:
            inner = self.distance
            # A slope the other way may be the valley before another maximum, and no end yet.
            if math.isinf(outer) and inner > _FARTHEST * unit:
                return replace(self, verdict=_OPEN, most=most)
        else:
            outer, closed = self.distance, True
        if closed and outer - inner < _TOGETHER * outer:
            return self._at_jump(inner, most)
        if not closed and outer - inner < _HOPELESS * unit:
            return replace(self, verdict=_STUCK, most=most)
        step = (self.wanted - root) * root / slope if slope > 0.0 else math.nan
        reach = min(_next(self.distance, step, inner, outer), self.distance + self.stride)
        return replace(
            self, distance=reach, inner=inner, outer=outer, is_closed=closed, most=most,
            first=unit, stride=2.0 * self.stride,
        )  # fmt: skip

    def _at_jump(self, inner: float, most: float) -> _Search:
        """The search where the root jumps past what is wanted: what lies beyond was no maximum.

        It was found by a long way, on another branch; the way from here is gone on in small steps.
        """
        if self.reopened == _MOST_JUMPS:
            return replace(self, verdict=_STUCK, most=most)
        small = _SMALL * self.first
        return replace(
            self, distance=inner + small, inner=inner, outer=math.inf, is_closed=False, most=most,
            stride=small, reopened=self.reopened + 1,
        )  # fmt: skip


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
        Newton's method on the signed root of the fall, whose slope the multiplier gives.
        Source: derivation, "Profile likelihood".
        """
        here = self.quantity.at(self.state.free[0])
        error = math.sqrt(max(float(here.gradient @ self.covariance @ here.gradient), 0.0))
        wanted = math.sqrt(critical)
        first = wanted * error if 0.0 < error < math.inf else _STEP
        search = _Search(first, wanted)
        state, origin = self.state, here.value
        for _ in range(_MAX_SOLVES):
            at = self.quantity.at(state.free[0])
            value = origin + side * search.distance
            start = self._along(state, at.gradient, value - at.value)
            found = constrained_maximum(self.problem, start, self.quantity, value)
            fall = 2.0 * float(self.state.loglike[0] - found.state.loglike[0])
            before = search.inner
            search = search.after(fall, -side * found.multiplier, self._trouble(found, fall))
            if search.verdict is not None:
                if search.verdict == "":
                    return End(value, "", search.most)
                return self._without_end(side, search.verdict, search.most)
            # Always on from the last point that is surely on the way.
            state = found.state if search.inner > before else state
        return self._without_end(side, _STUCK, search.most)

    def _trouble(self, found: Constrained, fall: float) -> str:
        """Why a point is not on the way, or nothing."""
        if not found.converged:
            return _STUCK
        if fall < -_RISEN:
            return _RISES
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
        if reason == _STUCK and self.quantity.quantity.gradient is None:
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


def _next(distance: float, step: float, inner: float, outer: float) -> float:
    """The next distance to try: a Newton step, kept within what is known and doubled at most."""
    if math.isinf(outer):
        if math.isnan(step):
            return distance * _WIDEST
        return min(max(distance + step, distance * 1.01), distance * _WIDEST)
    if not inner < distance + step < outer:  # nor if the step is none
        return 0.5 * (inner + outer)
    return distance + step
