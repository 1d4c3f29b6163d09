"""Modes of a mixture, and the valleys between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bactrian.model.pairs import Component
from bactrian.model.posterior import Array

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture

_REACH = np.linspace(-5.0, 5.0, 81)  # sds around each mean where the slope may change its sign
_EDGE = 8.0  # sds from its mean where a hump apart from the others ends
_BETWEEN = 65
_MOST_STEPS = 200
_LARGEST = float(np.finfo(np.float64).max)
_FARTHEST = 1e307  # sds; twice as many are a double still
_OVERFLOWING, _SHRINK = 2.0**1020, 0.125
_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)


def modes(mixture: NormalMixture) -> Array:
    """Return the sorted points where the density has a local maximum.

    There is at least one, and with two components at most two. All are found with two components,
    but for those narrower than the distance of two floats; with more, two that are a tenth of an
    sd apart, or nearer, may be taken for one.
    """
    if mixture.n_components == 1 or mixture.means.min() == mixture.means.max():
        return mixture.means[:1].copy()
    if np.abs(mixture.means).max() >= _OVERFLOWING:
        return modes(_shrunk(mixture)) / _SHRINK
    found = _turns(mixture, float(mixture.means.min()), float(mixture.means.max()), 1.0)
    if found.size:
        return found
    # An sd below the distance of two floats: no point between them has a slope.
    return mixture.means[[mixture.logpdf(mixture.means).argmax()]]


def valley(mixture: NormalMixture, low: float, high: float) -> float:
    """Return the point of least density among the local minima in an interval; NaN without one."""
    if not low < high:
        return math.nan
    if max(abs(low), abs(high), np.abs(mixture.means).max()) >= _OVERFLOWING:
        return valley(_shrunk(mixture), low * _SHRINK, high * _SHRINK) / _SHRINK
    found = _turns(mixture, low, high, -1.0)
    if found.size < 2:
        return float(found[0]) if found.size else math.nan
    return float(found[mixture.logpdf(found).argmin()])


def _shrunk(mixture: NormalMixture) -> NormalMixture:
    """The mixture in a unit in which differences do not overflow."""
    sds = np.maximum(mixture.sds * _SHRINK, np.nextafter(0.0, 1.0))
    return type(mixture)(mixture.weights, mixture.means * _SHRINK, sds)


def slope_signs(mixture: NormalMixture, x: Array) -> Array:
    """Return the sign of the slope of the density at points (n,): -1, 1, or 0 at a turn."""
    with np.errstate(over="ignore"):
        u = (x - mixture.means[:, None]) / mixture.sds[:, None]
    u = np.clip(u, -_FARTHEST, _FARTHEST)
    size = np.abs(u)
    nearest = size.min(axis=0)
    with np.errstate(over="ignore", under="ignore"):
        # Never by squares of sds or of distances, which overflow.
        logs = _log_heights(mixture)[:, None] + 0.5 * (nearest - size) * (nearest + size)
        heights = np.exp(logs - logs.max(axis=0))
        return np.asarray(-np.sign((heights * u).sum(axis=0)))


def _log_heights(mixture: NormalMixture) -> Array:
    """Logarithms of weights over squared sds (K,)."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mixture.weights) - 2.0 * np.log(mixture.sds))


def balance_turns(lower: Component, upper: Component) -> tuple[float, float]:
    """Return the two points between the means where the balance of two humps turns, or NaN.

    The balance is the log of the rise of the upper weighted density over the fall of the lower
    one, both in absolute value. It falls from one mean to the other except between these points,
    which do not depend on the weights. Where there are none, no weights make the density bimodal.

    Notes
    -----
    Robertson and Fryer (1969), Skandinavisk Aktuarietidskrift 52, 137-146: a cubic.
    Source: derivation, "Thresholds".
    """
    gap, ratio = (upper.mean - lower.mean) / lower.sd, upper.sd / lower.sd
    if not gap > 0.0:
        return math.nan, math.nan
    square, gap_square = ratio * ratio, gap * gap

    def cubic(z: float) -> tuple[float, float]:
        """The cubic and its slope in units of the gap: positive at both ends of (0, 1)."""
        value = ((square - 1.0) * z - square + 2.0) * z - 1.0
        slope = (3.0 * (square - 1.0) * z - 2.0 * (square - 2.0)) * z - 1.0
        return value * z * gap_square + square, slope * gap_square

    root = math.sqrt(square * square - square + 1.0)
    lowest = 1.0 / (2.0 + (1.0 - square) / (root + square))  # the one place where it turns up
    if not cubic(lowest)[0] < 0.0:
        return math.nan, math.nan
    first = _root(cubic, 0.0, lowest, 1.0, _ROUNDING)
    second = _root(cubic, lowest, 1.0, -1.0, _ROUNDING)
    unit = upper.mean - lower.mean
    return lower.mean + unit * first, lower.mean + unit * second


def _turns(mixture: NormalMixture, low: float, high: float, sign: float) -> Array:
    """Points between low and high where the density's slope changes from this sign to the other."""
    points = _places(mixture, low, high)
    signs = slope_signs(mixture, points)
    points, signs = points[signs != 0.0], signs[signs != 0.0]
    found = np.flatnonzero((signs[:-1] == sign) & (signs[1:] == -sign))
    narrowest = float(mixture.sds.min())
    logs = _log_heights(mixture).tolist()
    rows = list(zip(logs, mixture.means.tolist(), mixture.sds.tolist(), strict=True))

    def slope(x: float) -> tuple[float, float]:
        return _slope_and_curvature(rows, x, narrowest)

    brackets = [(float(points[i]), float(points[i + 1])) for i in found]
    return np.array([_root(slope, *ends, sign, _ROUNDING * narrowest) for ends in brackets])


def _root(
    function: Callable[[float], tuple[float, float]],
    low: float,
    high: float,
    sign: float,
    tolerance: float,
) -> float:
    """Where a function changes its sign from this one: Newton's method inside a shrinking bracket.

    A step that does not halve the last one creeps, as between humps far apart: bisect instead.
    """
    x, last = 0.5 * low + 0.5 * high, math.inf
    for _ in range(_MOST_STEPS):
        value, slope = function(x)
        low, high = (x, high) if value * sign > 0.0 else (low, x)
        step = -value / slope if slope * sign < 0.0 else math.inf
        if abs(step) <= _ROUNDING * abs(x) + tolerance:
            return x + step
        newton = low < x + step < high and abs(step) <= 0.5 * last
        following = x + step if newton else 0.5 * low + 0.5 * high
        if following in (x, low, high):
            break
        x, last = following, abs(step) if newton else high - low
    return x


def _slope_and_curvature(
    rows: list[tuple[float, float, float]], x: float, unit: float
) -> tuple[float, float]:
    """First and second derivative of the density at x, up to a common factor.

    Rows are the log of weight over squared sd, mean and sd of each component. Heights are relative
    to the largest and sds to a unit, so that nothing overflows.
    """
    us = [max(-_FARTHEST, min((x - mean) / sd, _FARTHEST)) for _, mean, sd in rows]
    nearest = min(map(abs, us))
    logs = [
        log + 0.5 * (nearest - abs(u)) * (nearest + abs(u))
        for (log, _, _), u in zip(rows, us, strict=True)
    ]
    top = max(logs)
    slope = curvature = 0.0
    for log, (_, _, sd), u in zip(logs, rows, us, strict=True):
        height = math.exp(log - top)
        if height > 0.0:
            slope -= height * u
            curvature += height / (sd / unit) * (u * u - 1.0)
    return slope, curvature / unit


def _places(mixture: NormalMixture, low: float, high: float) -> Array:
    """Where to look at the slope, so that between two neighbours it changes its sign once or never.

    With two components the slope changes its sign with their balance, which turns at known points.
    """
    with np.errstate(over="ignore"):
        # Beyond the neighbours of the outer means, where these are large and the sds tiny.
        margins = np.maximum(1e-6 * mixture.sds.min(), 4.0 * np.spacing(np.abs([low, high])))
        ends = np.clip([low - margins[0], high + margins[1]], -_LARGEST, _LARGEST)
        # Humps far apart are searched each by itself: halving a huge gap would take too long.
        reach = np.maximum(_EDGE * mixture.sds, 4.0 * np.spacing(np.abs(mixture.means)))
        edges = [ends, mixture.means - reach, mixture.means + reach]
    if mixture.n_components == 2:
        order = np.argsort(mixture.means)
        pair = [Component(float(mixture.means[k]), float(mixture.sds[k])) for k in order]
        places = np.concatenate([*edges, balance_turns(pair[0], pair[1])])
    else:
        around = (mixture.means[:, None] + mixture.sds[:, None] * _REACH).ravel()
        between = 2.0 * np.linspace(0.5 * low, 0.5 * high, _BETWEEN)  # their range may overflow
        places = np.concatenate([*edges, between, around])
    return np.unique(places[(places >= ends[0]) & (places <= ends[1])])
