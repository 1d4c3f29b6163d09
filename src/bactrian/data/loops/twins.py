"""The sums of the compiled loops for one chunk, in NumPy: for small data, or without numba."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sketches.grid import chebyshev_sums, placed, square_sums
from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]

_BLOCK = 4096  # rows; their terms stay in the cache


class BinMoments(NamedTuple):
    """Moments of the rows in a window of bins.

    Attributes
    ----------
    sums : (n_bins, 8) float64
        Sums of w T_p(t), p = 0..7, over the rows of each bin.
    squares : (n_bins, 8) float64 or None
        The same with w**2; None where every row counts once.
    outside : (m,) intp
        Rows that are in none of the bins, NaN and infinities among them, ascending.
    minimum, maximum : float
        Of the rows inside; inf and -inf where there is none.
    """

    sums: Array
    squares: Array | None
    outside: NDArray[np.intp]
    minimum: float
    maximum: float


def bin_moments_of_chunk(
    exponent: int, first: int, n_bins: int, x: Any, w: Array | None
) -> BinMoments:
    """Return the moments of one chunk of rows x (n,) with weights w (n,); see `bin_moments`."""
    x = x.astype(np.float64, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):  # rows that are no numbers are outside
        bins, t = placed(x, exponent)
        bins -= first
        inside = (bins >= 0.0) & (bins < n_bins)
    outside = np.flatnonzero(~inside)
    if outside.size:
        x, bins, t = x[inside], bins[inside], t[inside]
        w = None if w is None else w[inside]
    index = bins.astype(np.intp)
    sums = chebyshev_sums(t, w, index, n_bins)
    squares = None if w is None else square_sums(t, w, index, n_bins)
    low, high = x.min(initial=np.inf), x.max(initial=-np.inf)
    return BinMoments(sums, squares, outside, float(low), float(high))


class Point(NamedTuple):
    """One mixture of K components in local coordinates (x - origin) / scale.

    Attributes
    ----------
    origin, scale : float
        Unit of the data; the scale is a power of two.
    weights, means, sds : (K,) float64
        The mixture, in local coordinates.
    pairs : (P, 3) intp
        The pairs j < k of components, and the narrower of the two.
    """

    origin: float
    scale: float
    weights: Array
    means: Array
    sds: Array
    pairs: NDArray[np.intp]

    @property
    def n_sums(self) -> int:
        """How many sums there are, the log-likelihood first."""
        return 1 + 3 * self.sds.size + 5 * len(self.pairs)

    def local(self, x: Any) -> Array:
        """Rows (n,) in local coordinates; first the difference, whose digits an offset needs."""
        power = 1 - math.frexp(self.scale)[1]
        half = power // 2  # the power itself may leave the range of a double
        with np.errstate(over="ignore", under="ignore"):
            z: Array = x.astype(np.float64, copy=False) - self.origin
            z *= math.ldexp(1.0, half)
            z *= math.ldexp(1.0, power - half)
        return z


def full_sums_of_chunk(point: Point, x: Any, w: Array | None) -> Array:
    """Return the sums of one chunk of rows x (n,) with weights w (n,).

    Sums of w log f; of w r_k u_k^j, j = 0..2, for each component; of w r_j r_k u^j, j = 0..4, for
    each pair, with u of the narrower one.
    """
    found = [np.zeros(point.n_sums)]
    for i in range(0, x.size, _BLOCK):
        some = slice(i, i + _BLOCK)
        found.append(_full_sums_of_block(point, x[some], None if w is None else w[some]))
    return column_sums(np.array(found))


def column_sums(sums: Array) -> Array:
    """Return the sums of columns, each pairwise, as NumPy adds only along contiguous memory."""
    return np.asarray(np.ascontiguousarray(sums.T).sum(axis=1))


def _full_sums_of_block(point: Point, x: Any, w: Array | None) -> Array:
    """The sums of rows few enough for the cache."""
    K = point.sds.size
    if w is not None and not w.all():  # nothing times the infinite log-density of a far row
        x, w = x[w != 0.0], w[w != 0.0]
    logpdf, r, features = row_terms(point.local(x), point.weights, point.means, point.sds)
    u = features[1 : K + 1]
    first, second, narrower = point.pairs.T
    shared = r[first] * r[second]
    own = r if w is None else r * w
    shared = shared if w is None else shared * w
    sums = [np.atleast_1d(logpdf.sum() if w is None else logpdf @ w)]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        sums.append(_power_sums(own, u, 3))
        sums.append(_power_sums(shared, u[narrower], 5))
    return np.concatenate(sums)


def _power_sums(terms: Array, u: Array, n_powers: int) -> Array:
    """The sums over rows of terms (m, n) times u^j, j = 0.., as (m * n_powers,)."""
    found = [terms.sum(axis=1), np.vecdot(terms, u)]
    for _ in range(2, n_powers):
        terms = terms * u  # step by step: u^4 alone may overflow where its share is zero
        found.append(np.vecdot(terms, u))
    return np.stack(found, axis=1).ravel()
