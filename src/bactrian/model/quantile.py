"""Quantiles of a normal mixture: the float nearest to the root, at any probability."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bactrian.model.tails import Array, Components, in_blocks, mirrored, tail_sums

_GAIN = 2.0**200  # areas are found in this unit, so that no probability is denormal
_LARGEST = float(np.finfo(np.float64).max)
_PATIENCE = 40  # turns after which only the certain way is taken
_MOST_TURNS = _PATIENCE + 66


def ppf(p: Array, own: Components) -> Array:
    """Return the points below which the areas p (n,) lie; nan outside [0, 1].

    From one half upwards the upper area 1 - p, which is exact there, is solved for: the equation
    is always that of the smaller area, whose terms are free of cancellation. Where the density
    vanishes between two components the exact sums of weights still tell on which side of the gap
    the quantile is; where they leave it open any point of the gap is returned.
    """
    result = np.full_like(p, np.nan)
    result[p == 0.0] = -np.inf
    result[p == 1.0] = np.inf
    low = (p > 0.0) & (p <= 0.5)
    high = (p > 0.5) & (p < 1.0)
    result[low] = in_blocks(lambda area: _lower_quantile(area, own), p[low])
    other = mirrored(own)
    result[high] = -in_blocks(lambda area: _lower_quantile(area, other), 1.0 - p[high])
    return result


def isf(p: Array, own: Components) -> Array:
    """Return the points above which the areas p (n,) lie; nan outside [0, 1]."""
    return -ppf(p, mirrored(own))


@dataclass(slots=True)
class _Search:
    """Where each root is still looked for: one entry a root."""

    where: NDArray[np.intp]
    area: Array
    x: Array
    low: Array
    high: Array
    low_residual: Array
    high_residual: Array
    last_step: Array

    def only(self, chosen: NDArray[np.bool_]) -> _Search:
        """The chosen roots."""
        return _Search(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _lower_quantile(area: Array, own: Components) -> Array:
    """Points below which the areas in (0, 1/2] lie: Newton's method inside a shrinking bracket."""
    with np.errstate(all="ignore"):
        result = np.empty_like(area)
        search = _first_search(area, own)
        narrowest = 0.125 * own.sds.min()
        for turn in range(_MOST_TURNS):
            residual, step, noise = _newton(search.x, search.area * _GAIN, own)
            _shrink(search, residual)
            nearest = np.where(
                np.abs(search.low_residual) < np.abs(search.high_residual),
                search.low,
                search.high,
            )
            # The step tells nothing where a component is lost between two floats.
            met = (search.x + step == search.x) & (np.spacing(np.abs(search.x)) <= narrowest)
            met |= np.abs(residual) <= noise
            closed = np.nextafter(search.low, np.inf) >= search.high
            result[search.where] = np.where(met, search.x, nearest)
            open_ = ~(met | closed)
            if not open_.any():
                break
            search, step = search.only(open_), step[open_]
            _advance(search, step, turn)
        beyond = np.abs(result) >= _LARGEST
        return np.where(beyond, np.copysign(np.inf, result), result)


def _first_search(area: Array, own: Components) -> _Search:
    """A bracket that holds the root whatever the overlap, and a start that is close with little.

    The root lies between the components' own quantiles. Moreover no component holds more than
    `area` below it or more than `1 - area` above it.
    """
    weights, means, sds = own.weights[:, None], own.means[:, None], own.sds[:, None]
    own_quantiles = _normal_quantile(area, means, sds)
    margin = 1e-12 * np.abs(means) + 1e-12 * np.abs(own_quantiles) + 1e-320
    low = np.maximum((own_quantiles - margin).min(axis=0), -_LARGEST)
    high = np.minimum((own_quantiles + margin).max(axis=0), _LARGEST)
    held_below, held_above = area / weights, (1.0 - area) / weights
    cap = np.where(held_below < 1.0, _normal_quantile(held_below, means, sds), np.inf).min(axis=0)
    floor = np.where(held_above < 1.0, -_normal_quantile(held_above, -means, sds), -np.inf).max(
        axis=0
    )
    k = np.searchsorted(own.below[1:-1], area)  # the component, were there no overlap
    share = np.clip((area - own.below[k]) / own.weights[k], 0.0, 1.0)
    start = np.clip(_normal_quantile(share, own.means[k], own.sds[k]), floor, cap)
    unknown = np.full_like(area, np.inf)
    return _Search(
        np.arange(area.size),
        area,
        np.clip(start, low, high),
        low,
        high,
        unknown,
        unknown,
        unknown,
    )


def _normal_quantile(area: Array, means: Array, sds: Array) -> Array:
    """Rough quantiles of normal laws, within the range of floats."""
    from scipy.special import ndtri

    # In a 64th of the unit neither product nor sum overflows.
    deviates = np.clip(ndtri(area), -64.0, 64.0)
    quantiles = means * 0.015625 + sds * 0.015625 * deviates
    return np.asarray(np.clip(quantiles, -_LARGEST / 64.0, _LARGEST / 64.0) * 64.0)


def _newton(x: Array, area: Array, own: Components) -> tuple[Array, Array, Array]:
    """The residual of the area at x, Newton's step, and the residual's own rounding error.

    The equation is ``gap + lower - upper = 0``, with `gap` the weight passed beyond `area`. Of
    its terms those that rise with x are compared with those that fall: the log of their ratio,
    which the step is for, is nearly linear or quadratic in x in the body, a tail and a gap alike.
    """
    unit = (int(own.exponents.max()) + int(own.exponents.min())) // 2
    sums = tail_sums(x, own, _GAIN, unit)
    gap = own.below[sums.passed] * _GAIN - area
    gap += own.below_rest[sums.passed] * _GAIN
    rising = sums.lower + np.maximum(gap, 0.0)
    falling = sums.upper + np.maximum(-gap, 0.0)
    residual = rising - falling
    slope = sums.lower_density / rising + sums.upper_density / falling
    slope = np.where(np.isfinite(slope), slope, np.nan)  # an overflow is no reason not to step
    step = -np.log1p(residual / falling) / slope * np.ldexp(1.0, unit)
    return residual, step, np.spacing(falling)


def _shrink(search: _Search, residual: Array) -> None:
    """Move one end of each bracket to x."""
    below = residual < 0.0
    search.low = np.where(below, search.x, search.low)
    search.low_residual = np.where(below, residual, search.low_residual)
    search.high = np.where(below, search.high, search.x)
    search.high_residual = np.where(below, search.high_residual, residual)


def _advance(search: _Search, step: Array, turn: int) -> None:
    """Take Newton's step where it shortens, else twice that step, else bisect.

    A step that does not shorten is rounding error, or creeps: overshooting brings the other end
    of the bracket near. Every fourth turn bisects instead; late turns bisect by size, which needs
    64 of them at most.
    """
    shortens = np.abs(step) <= 0.5 * search.last_step
    step = np.where(shortens, step, step * 2.0)
    following = search.x + step
    good = (following > search.low) & (following < search.high)
    if turn % 4 == 3:
        good &= shortens
    if turn >= _PATIENCE:
        good[:] = False
    middle = _middle(search.low, search.high, by_size=turn % 8 == 7 or turn >= _PATIENCE)
    search.x = np.where(good, following, middle)
    search.last_step = np.where(good, np.abs(step), search.high - search.low)


def _middle(low: Array, high: Array, by_size: bool) -> Array:
    """A float strictly between two: half-way, or half-way in the order of all floats.

    The second finds a root near zero in a bracket of any width in 64 steps, the first one away
    from zero sooner.
    """
    if by_size:
        ends = _rank(low), _rank(high)
        middle = _from_rank((ends[0] >> 1) + (ends[1] >> 1))
    else:
        middle = 0.5 * low + 0.5 * high
    return np.clip(middle, np.nextafter(low, np.inf), np.nextafter(high, -np.inf))


def _rank(values: Array) -> NDArray[np.int64]:
    """The place of each float in the order of all floats."""
    bits = values.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _from_rank(ranks: NDArray[np.int64]) -> Array:
    """The float at each place."""
    return np.where(ranks < 0, np.int64(-(2**63)) - ranks, ranks).view(np.float64)
