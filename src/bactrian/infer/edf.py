"""How far rows are from a mixture: statistics of their empirical distribution function."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.log_tails import areas
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

_NARROW = 1e-3  # of the tail: where Simpson's rule is exact to rounding, and the formula cancels
_TINY = 1e-280  # tails by which nothing is divided


class EdfStatistics(NamedTuple):
    """Three measures of the distance between an empirical distribution function and a mixture's.

    Attributes
    ----------
    kolmogorov_smirnov : float
        D, the largest distance; no factor for the number of rows.
    cramer_von_mises : float
        n times the mean squared distance, over the mixture's law.
    anderson_darling : float
        The same with each square over F (1 - F), its variance were the mixture known; inf where a
        row is so far out that the logarithm of its tail overflows.
    """

    kolmogorov_smirnov: float
    cramer_von_mises: float
    anderson_darling: float


class Distance(NamedTuple):
    """Where an empirical distribution function is farthest from a mixture's, at known points.

    Attributes
    ----------
    largest : float
        The largest distance at any of the points.
    at : float
        The point.
    beyond : float
        By how much the distance between the points may be larger.
    """

    largest: float
    at: float
    beyond: float


def row_statistics(x: Array, weights: Array, mixture: NormalMixture) -> EdfStatistics:
    """Return the statistics of rows, a row of weight w being the row w times over.

    Parameters
    ----------
    x : (n,) float64
        Distinct values, ascending.
    weights : (n,) float64
        Positive frequency weights.
    mixture : NormalMixture
        In the unit of x.

    Notes
    -----
    For weights of one these are the textbook's, and those of ``scipy.stats.kstest`` and
    ``cramervonmises``. Source: derivation, "Goodness of fit".
    """
    upto, n, found = np.cumsum(weights), float(weights.sum()), areas(x, mixture)
    twice = 2.0 * upto - weights
    largest = float(_jumps(upto, weights, found.lower).max())
    apart, share = found.lower - 0.5 * twice / n, weights / n
    squares = (weights * (apart * apart + share * share / 12.0)).sum()
    logs = twice * found.log_lower + (2.0 * n - twice) * found.log_upper
    return EdfStatistics(largest, float(squares), float(-n - (share * logs).sum()))


def row_distance(x: Array, weights: Array, mixture: NormalMixture) -> Distance:
    """Return where rows are farthest from a mixture; the parameters are those of the statistics.

    The largest distance is at a row: just before or just after the jump there.
    """
    apart = _jumps(np.cumsum(weights), weights, mixture.cdf(x))
    most = int(apart.argmax())
    return Distance(float(apart[most]), float(x[most]), 0.0)


def _jumps(upto: Array, weights: Array, z: Array) -> Array:
    """The larger of the distances before and after the jump at each row (n,)."""
    n = upto[-1]
    return np.asarray(np.maximum(upto / n - z, z - (upto - weights) / n))


def binned(x: Array, weights: Array, edges: Array) -> Array:
    """Return the weights (e + 1,) below the first edge, between the edges (e,), above the last."""
    which = np.searchsorted(edges, x, side="right")
    return np.asarray(np.bincount(which, weights, edges.size + 1), dtype=np.float64)


def bin_distance(counts: Array, edges: Array, mixture: NormalMixture) -> Distance:
    """Return where rows known by their bins are farthest from a mixture, among the edges.

    The parameters are those of `bin_statistics`. Between two edges neither distribution function
    leaves the range of its values there, which bounds their distance.
    """
    z = mixture.cdf(edges)
    apart = np.abs(_apart(counts, z, mixture.sf(edges)))
    most = int(apart.argmax())
    share = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    ends = np.concatenate([[0.0], z, [1.0]])
    bound = np.maximum(share[1:] - ends[:-1], ends[1:] - share[:-1]).max()
    largest = float(apart[most])
    return Distance(largest, float(edges[most]), max(float(bound) - largest, 0.0))


def bin_statistics(counts: Array, edges: Array, mixture: NormalMixture) -> EdfStatistics:
    """Return the statistics of rows that are known by their bins.

    The largest distance is that at the edges; between them the empirical distribution function is
    taken to rise in proportion to the mixture's.

    Parameters
    ----------
    counts : (e + 1,) float64
        Weights below the first edge, between the edges, and above the last.
    edges : (e,) float64
        Ascending.
    mixture : NormalMixture
        In the unit of the edges.

    Notes
    -----
    Source: derivation, "Goodness of fit".
    """
    n, zero, one, found = float(counts.sum()), [0.0], [1.0], areas(edges, mixture)
    z = np.concatenate([zero, found.lower, one])
    s = np.concatenate([one, found.upper, zero])
    apart = np.concatenate([zero, _apart(counts, found.lower, found.upper), zero])
    # Of the two differences the one that does not cancel.
    area = np.where(z[1:] <= 0.5, np.diff(z), -np.diff(s))
    log_z = np.concatenate([[-np.inf], found.log_lower, zero])
    log_s = np.concatenate([zero, found.log_upper, [-np.inf]])
    here, there = apart[:-1], apart[1:]
    squares = (area * (here * here + here * there + there * there)).sum() / 3.0
    with np.errstate(invalid="ignore"):  # two logarithms that overflow
        growth, decay = np.diff(log_z), -np.diff(log_s)
    # 1 / (z (1 - z)) is 1 / z and 1 / (1 - z).
    lower = _over(z[:-1], z[1:], growth, area, here, there)
    upper = _over(s[1:], s[:-1], decay, area, there, here)
    largest = float(np.abs(apart).max())
    return EdfStatistics(largest, n * float(squares), n * float((lower + upper).sum()))


def _over(outer: Array, inner: Array, log_ratio: Array, area: Array, d: Array, e: Array) -> Array:
    """Integrals of squared distance over tail area t, from outer to inner tail areas (m,).

    The distance goes in a straight line from d to e, each (m,). `area` is inner - outer and
    `log_ratio` the log of inner / outer, both without cancellation.
    """
    narrow = (area < _NARROW * outer) & (outer > _TINY)
    rise = e - d
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ends = d * d / outer + 2.0 * (d + e) ** 2 / (outer + inner) + e * e / inner
        # In multiples of the area, so that nothing overflows far out.
        start = np.where(area > 0.0, outer / area, 0.0)
        first = d - rise * start  # what the line would be at t = 0
        squared = np.where(first == 0.0, 0.0, first * first * log_ratio)
        squared[np.isnan(squared)] = np.inf  # both logarithms overflow
        exact = squared + rise * (2.0 * first + rise * (start + 0.5))
        return np.where(narrow, area * ends / 6.0, exact)


def _apart(counts: Array, z: Array, s: Array) -> Array:
    """The empirical distribution function less z at edges (e,), from the nearer tail z or s."""
    n = counts.sum()
    below, above = np.cumsum(counts)[:-1] / n, np.cumsum(counts[::-1])[-2::-1] / n
    return np.asarray(np.where(z <= 0.5, below - z, s - above))
