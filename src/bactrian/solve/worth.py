"""What a little weight at each place would be worth: the height that bounds all mixtures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.mesh import condensed

Array = NDArray[np.float64]

HALF = 0.25  # half the width of a cell
_ORDER = 12
_REACH = 9.0  # distance from which a value adds less than 3e-18 of its share
_GROUP = 8  # cells that are summed together
_FINE = 8  # points of a cell where summits are looked for
_APART = 1e-3
_HALVINGS = 40
# More than what is left out, relative to the height: the Taylor remainder (e HALF^2 / 12)^6 = 8e-12
# and the values out of reach; and more than rounding in the moments of condensed values.
_MARGIN = 1e-10
_CLOSE = 1e-12  # how closely the height is bounded, on its own scale

_N = _ORDER - 1
_POWERS = np.arange(_ORDER)
_INSIDE = (2.0 * np.arange(_FINE) + 1.0) / _FINE - 1.0
# Row k holds the Bernstein coefficients of t^k on [-1, 1]: a polynomial is nowhere higher than the
# highest of its coefficients.
_BERNSTEIN = np.array(
    [
        [
            sum(
                (-1) ** (k - i) * math.comb(k, i) * math.comb(_N - k, j - i)
                for i in range(max(0, k + j - _N), min(k, j) + 1)
            )
            / math.comb(_N, j)
            for j in range(_ORDER)
        ]
        for k in range(_ORDER)
    ]
)
# From the coefficients on an interval to those on its halves (de Casteljau).
_LEFT = np.array([[math.comb(j, i) / 2.0**j for j in range(_ORDER)] for i in range(_ORDER)])
_RIGHT = _LEFT[::-1, ::-1]


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """The function h(mu) = sum of s_i exp(-(x_i - mu)^2 / 2), for any shares s_i, as Taylor series.

    All is in units of the one standard deviation. Each of the cells has a series around its
    centre; together they cover whatever is within one unit of a value. Farther away all terms of h
    are convex, so that its summits are within the cells.

    Parameters
    ----------
    centres : (m,) float64
        Middles of the cells, ascending.
    blocks : tuple of (int, int, (r, 12 c) float64)
        For groups of c cells: the first and the last of the r values within reach, and their terms.

    Notes
    -----
    Source: derivation, "Bound on what any mixture could gain".
    """

    centres: Array
    blocks: tuple[tuple[int, int, Array], ...]

    @classmethod
    def of(cls, x: Array) -> Worth:
        """Return the function for ascending values."""
        around = np.floor(x / (2.0 * HALF))[:, None] + np.arange(-2.0, 3.0)
        centres = 2.0 * HALF * (np.unique(around) + 0.5)
        blocks = []
        for first in range(0, centres.size, _GROUP):
            some = centres[first : first + _GROUP]
            ends = some[[0, -1]] + np.array([-1.0, 1.0]) * (HALF + _REACH)
            low, high = map(int, np.searchsorted(x, ends))
            blocks.append((low, high, _terms(x[low:high], some)))
        return cls(centres, tuple(blocks))

    def series(self, shares: Array) -> Array:
        """Return the Taylor coefficients (m, 12) of h in t = (mu - centre) / HALF."""
        found = [shares[low:high] @ terms for low, high, terms in self.blocks]
        return np.concatenate(found).reshape(-1, _ORDER)

    def summits(self, series: Array) -> tuple[Array, Array]:
        """Return the places and the heights of the local maxima."""
        heights = (series @ _INSIDE ** _POWERS[:, None]).ravel()
        beside = np.concatenate([[-1.0], heights, [-1.0]])
        top = np.flatnonzero((heights >= beside[:-2]) & (heights >= beside[2:]))
        cell, t = top // _FINE, _INSIDE[top % _FINE]
        slopes = series[cell, 1:] * _POWERS[1:]
        bends = slopes[:, 1:] * _POWERS[1:-1]
        for _ in range(3):
            powers = t[:, None] ** _POWERS
            slope = (slopes * powers[:, :-1]).sum(axis=1)
            bend = np.minimum((bends * powers[:, :-2]).sum(axis=1), -1e-300)
            with np.errstate(over="ignore"):
                t = t + np.clip(-slope / bend, -1.0 / _FINE, 1.0 / _FINE)
        height = (series[cell] * t[:, None] ** _POWERS).sum(axis=1)
        place = self.centres[cell] + HALF * t
        # Two neighbours of equal height lead to the same summit.
        apart = np.diff(place, prepend=-np.inf) > _APART
        return place[apart], height[apart]


def highest(x: Array, shares: Array) -> float:
    """Return an upper bound, nearly attained, for h over all mu, between the cells' points too."""
    nodes, weights = condensed(x, shares, half_unit_bins(x))
    bends = Worth.of(nodes).series(weights) @ _BERNSTEIN
    known = bends[:, [0, -1]].max()  # the end coefficients are values of the polynomial
    for _ in range(_HALVINGS):
        bends = bends[bends.max(axis=1) > known * (1.0 + _CLOSE)]
        if not bends.size:
            break
        bends = np.concatenate([bends @ _LEFT, bends @ _RIGHT])
        known = max(known, bends[:, [0, -1]].max())
    bound = max(known * (1.0 + _CLOSE), bends.max(initial=0.0))
    return float(bound * (1.0 + _MARGIN))


def half_unit_bins(x: Array) -> NDArray[np.intp]:
    """Return the first value of each occupied bin of half a unit.

    Over half the width the functions summed here are polynomials of degree 15 to 1e-15.
    """
    bins = np.floor(x / (2.0 * HALF))
    return np.flatnonzero(np.concatenate([[True], bins[1:] > bins[:-1]]))


def _terms(x: Array, centres: Array) -> Array:
    """The coefficients (r, 12 c) of exp(-(x - mu)^2 / 2) around each centre: Hermite's."""
    away = x[:, None] - centres
    found = np.empty((_ORDER, *away.shape))
    found[0] = np.exp(-0.5 * away**2)
    away *= HALF
    found[1] = away * found[0]
    for k in range(2, _ORDER):
        found[k] = (away * found[k - 1] - HALF**2 * found[k - 2]) / k
    return found.transpose(1, 2, 0).reshape(x.size, -1)
