"""Crossings: the points where the most probable component changes."""

from __future__ import annotations

import itertools
import math

import numpy as np

from bactrian.model.extremes import row_terms_anywhere
from bactrian.model.posterior import Array

_EPS = float(np.finfo(np.float64).eps)
_SHARE = 0.3819660112501051  # the golden section
_FAR = 1e100  # sds between the means beyond which weights and heights no longer matter


def crossings(weights: Array, means: Array, sds: Array) -> Array:
    """Return the sorted points where the most probable component changes.

    Parameters
    ----------
    weights, means, sds : (K,) float64
        The mixture; a component of weight zero never wins.

    Returns
    -------
    (m,) float64
        At most two points a pair of components. Where two components only touch (or are the same)
        nothing changes, and there is no point.
    """
    listed = [
        component
        for component in zip(weights.tolist(), means.tolist(), sds.tolist(), strict=True)
        if component[0] > 0.0
    ]
    pairs = itertools.combinations(listed, 2)
    found = sorted(
        (x, abs(x) + abs(origin))
        for origin, points in (_pair_crossings(*pair) for pair in pairs)
        for x in points
        if math.isfinite(x)
    )
    candidates = np.array([x for x, _ in found])
    if len(listed) <= 2 or candidates.size == 0:
        return candidates
    rounding = np.array([4.0 * _EPS * reach for _, reach in found])
    return _changes(candidates, rounding, *(np.array(part) for part in zip(*listed, strict=True)))


def _pair_crossings(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, list[float]]:
    """The narrower mean, and the points where two (weight, mean, sd) are equally probable."""
    (weight, mean, sd), (wide_weight, wide_mean, wide_sd) = sorted(
        (one, other), key=lambda component: component[2]
    )
    height = _log_height(weight, wide_weight, sd, wide_sd)
    return mean, pair_points(mean, sd, wide_mean, wide_sd, height)


def pair_points(
    mean: float, sd: float, wide_mean: float, wide_sd: float, height: float
) -> list[float]:
    """Return the points where a component and one at least as wide are equally high.

    The first one is nearer to the middle of the two means; there is a second where the sds differ,
    and there are none where the wider component is the higher one everywhere.

    Parameters
    ----------
    mean, sd, wide_mean, wide_sd : float
        The two components, the narrower one first.
    height : float
        Log of the narrower one's height over the wider one's, each at its own mean.

    Notes
    -----
    In sds v of the narrower component from its mean the log-odds are zero where
    ``(1 - ρ²) v² - 2 ρ g v - (g² + 2 ℓ) = 0``, with ρ the ratio of the sds, g the distance of the
    means in sds of the wider one and ℓ the height. This form survives equal sds, any offset and
    any scale; Q is the sum without cancellation.
    """
    ratio = sd / wide_sd
    unequal = (wide_sd - sd) / wide_sd * (1.0 + ratio)
    half = 0.5 * mean - 0.5 * wide_mean  # the whole may overflow
    distance = half / wide_sd * 2.0
    if abs(distance) > _FAR:
        found = [mean - half * ratio / (1.0 + ratio) * 2.0]
        if unequal:
            found.append(mean + half * ratio / unequal * (1.0 + ratio) * 2.0)
        return found
    square = distance * distance
    discriminant = square + 2.0 * height * unequal
    if discriminant <= 8.0 * _EPS * (square + 2.0 * unequal * (1.0 + abs(height))):
        return []
    Q = ratio * distance + math.copysign(math.sqrt(discriminant), distance)
    found = [mean - sd * ((square + 2.0 * height) / Q)]
    if unequal:
        found.append(mean + sd * (Q / unequal))
    return found


def _log_height(weight: float, wide_weight: float, sd: float, wide_sd: float) -> float:
    """Log of weight over sd, less the other's: of one quotient, for its digits, if in range."""
    ratio = sd / wide_sd
    quotient = weight / wide_weight / ratio if ratio > 0.0 else math.inf
    if 0.0 < quotient < math.inf:
        return math.log(quotient)
    return math.log(weight) - math.log(wide_weight) - math.log(sd) + math.log(wide_sd)


def _changes(candidates: Array, rounding: Array, weights: Array, means: Array, sds: Array) -> Array:
    """Those candidates on whose two sides different components win.

    Candidates a rounding error apart (three components that meet in one point) count as one.
    """
    with np.errstate(over="ignore"):  # an infinite end counts as the largest float
        apart = np.flatnonzero(np.diff(candidates) > rounding[:-1] + rounding[1:]) + 1
        points = np.array([group[len(group) // 2] for group in np.split(candidates, apart)])
        beside = sds.max() + np.abs(points[[0, -1]]) * 2.0**-40
        ends = points[[0, -1]] + beside * [-1.0, 1.0]
    # Not the middle: in a symmetric mixture two components may touch just there.
    inside = _SHARE * points[:-1] + (1.0 - _SHARE) * points[1:]
    between = np.concatenate([ends[:1], inside, ends[1:]])
    winner = row_terms_anywhere(between, weights, means, sds)[1].argmax(axis=0)
    return np.asarray(points[winner[1:] != winner[:-1]])
