"""One array of rows as a sketch or as sums under a mixture: what every source does to a chunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.full import full_sums
from bactrian.data.loops.kernels import bin_moments, is_worth_compiling
from bactrian.data.passes import FirstOrder
from bactrian.data.sketches.grid import (
    N_MOMENTS,
    chebyshev_sums,
    placed,
    square_sums,
    suitable_exponent,
)
from bactrian.data.sketches.sketch import Sketch
from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]

BLOCK = 4096  # rows; the working arrays of a block stay in the processor's cache
PILOT = 65_536  # rows that tell where the bulk is and how wide
_WINDOW = 8192  # bins that are summed densely: half a megabyte of moments
_EXACT = 2.0**52  # bin numbers up to which there are others between them
_STRAY = 1 << 20  # rows outside the window that are sorted at a time
_NORMAL_IQR = 1.349  # interquartile range of a normal distribution, in standard deviations


def empty_sketch(exponent: int) -> Sketch:
    """Return the sketch of no rows, to which others are added."""
    none = np.empty((0, N_MOMENTS))
    return Sketch(exponent, np.empty(0), none, None, 0, np.inf, -np.inf)


def spread_of(x: Array) -> float:
    """Return a robust spread of the bulk, unit of the data; zero for a constant.

    The smaller of the standard deviation and that of a normal distribution with the same
    interquartile range, where that is not zero: far rows do not widen it, nor do ties narrow it
    to nothing.

    Parameters
    ----------
    x : (n,) float64
        Finite, n >= 1; of long columns a part of the rows is looked at.
    """
    pilot = _pilot(x, PILOT)
    low, high = float(pilot.min()), float(pilot.max())
    if low == high:
        return 0.0
    unit = (pilot - low) / (high - low)  # large numbers are not squared
    first, third = np.quantile(unit, [0.25, 0.75])
    candidates = [float(unit.std()), float(third - first) / _NORMAL_IQR]
    return min((c for c in candidates if c > 0.0), default=1.0) * (high - low)


def sketch_spread(sketch: Sketch) -> float:
    """Return the spread of the rows of a sketch, as ``spread_of``, right to the width of a bin."""
    first, third = sketch.quantile([0.25, 0.75])
    candidates = [sketch.sd, float(third - first) / _NORMAL_IQR]
    return min((c for c in candidates if c > 0.0), default=0.0)


def exponent_for(x: Array) -> int:
    """Return the exponent of the bin width that suits a column (n,), n >= 1."""
    return suitable_exponent(spread_of(x), max(-float(x.min()), float(x.max())))


def rows_within(x: Array, within: Array) -> NDArray[np.bool_]:
    """Return which rows (n,) have low <= x < high for one of the disjoint ranges (m, 2)."""
    ranges = within[np.argsort(within[:, 0])]
    index = np.searchsorted(ranges[:, 0], x, side="right") - 1
    inside: NDArray[np.bool_] = (index >= 0) & (x < ranges[np.maximum(index, 0), 1])
    return inside


def sketch_of(x: Array, w: Array | None, exponent: int, *, compiled: bool | None = None) -> Sketch:
    """Return the sketch of an array, coarsened where it would have too many bins.

    Parameters
    ----------
    x : (n,) float64
        Finite values, unit of the data; n may be zero.
    w : (n,) float64, optional
        Weights, not negative; rows of weight zero are counted and otherwise left out.
    exponent : int
        Bins have width ``2**exponent``.
    compiled : bool, optional
        Whether to take the compiled loop; by default where the array alone is worth compiling it.
    """
    count = x.size
    if w is not None and count and not w.min() > 0.0:
        x, w = x[w > 0.0], w[w > 0.0]
    found, stray = _dense(x, w, exponent, compiled)
    for i in range(0, stray.size, _STRAY):
        some = stray[i : i + _STRAY]
        found = found + _sparse(x[some], None if w is None else w[some], found.exponent)
    return found if found.count == count else replace(found, count=count)


def _pilot(x: Array, size: int) -> Array:
    """A number of rows, evenly spaced."""
    return np.asarray(x[:: -(-x.size // size)], dtype=np.float64)


def _window(x: Array, exponent: int) -> tuple[int, int]:
    """The first bin and the number of bins among which the bulk of the rows is."""
    bins = np.sort(placed(_pilot(x, BLOCK), exponent)[0])
    low, middle, high = bins[[bins.size // 500, bins.size // 2, -1 - bins.size // 500]]
    if max(abs(low), abs(high)) > _EXACT:
        return 0, 0
    # Half as wide again on either side: few rows do not show how far many more would go.
    reach = 0.5 * (high - low) + 1.0
    first, last = np.floor(low - reach), np.ceil(high + reach)
    if last - first >= _WINDOW:
        first = middle - _WINDOW // 2
        last = first + _WINDOW - 1.0
    return int(first), int(last - first) + 1


def _dense(
    x: Array, w: Array | None, exponent: int, compiled: bool | None
) -> tuple[Sketch, NDArray[np.intp]]:
    """The sketch of the rows in a window of bins, and the positions of the others."""
    first, size = _window(x, exponent) if x.size >= BLOCK else (0, 0)
    if size == 0:
        return empty_sketch(exponent), np.arange(x.size)
    found = bin_moments(x, w, exponent, first, size, compiled=compiled)
    at = np.flatnonzero(found.sums[:, 0] > 0.0)
    squares = None if found.squares is None else found.squares[at]
    bins, count = np.add(at, float(first)), x.size - found.outside.size
    sketch = Sketch(
        exponent, bins, found.sums[at], squares, count, found.minimum, found.maximum
    )  # fmt: skip
    return sketch, found.outside


def _sparse(x: Array, w: Array | None, exponent: int) -> Sketch:
    """The sketch of rows wherever they are."""
    bins, t = placed(x, exponent)
    bins, index = np.unique(bins, return_inverse=True)
    moments, squares = chebyshev_sums(t, w, index, bins.size), None
    if w is not None:
        squares = square_sums(t, w, index, bins.size)
    return Sketch(exponent, bins, moments, squares, x.size, float(x.min()), float(x.max()))


def first_order_of(
    x: Array,
    w: Array | None,
    origin: float,
    scale: float,
    weights: Array,
    means: Array,
    sds: Array,
    *,
    compiled: bool | None = None,
) -> FirstOrder:
    """Return the sums over an array at a mixture (K,) of z = (x - origin) / scale.

    Parameters
    ----------
    x : (n,) float64
        Finite values, unit of the data.
    w : (n,) float64, optional
        Weights of the rows; one each by default.
    origin, scale : float
        Of the local coordinates, unit of the data.
    weights, means, sds : (K,) float64
        The mixture, in local coordinates.
    compiled : bool, optional
        Whether to take the compiled loop; by default where the array alone is worth compiling it.

    Notes
    -----
    Blocks of rows are added pairwise, so that rounding grows with the logarithm of their number.
    """
    if is_worth_compiling(x.size) if compiled is None else compiled:
        found = full_sums(x, w, origin, scale, weights, means, sds, compiled=True)
        k = np.arange(len(means))
        own = np.stack([found.products[k, place] for place in (0, 1 + k, 1 + len(means) + k)])
        return FirstOrder(found.loglike, own, float(x.size if w is None else w.sum()))

    def block(i: int) -> Array:
        """The log-likelihood, the sums and the weight of a block of rows, in one array."""
        z = (np.asarray(x[i : i + BLOCK], dtype=np.float64) - origin) / scale
        some = np.ones(z.size) if w is None else w[i : i + BLOCK]
        logpdf, r, features = row_terms(z, weights, means, sds)
        k = len(means)
        wr = some * r
        moments = [wr.sum(-1), np.vecdot(wr, features[1 : k + 1]), np.vecdot(wr, features[k + 1 :])]
        return np.concatenate([[logpdf @ some], *moments, [some.sum()]])

    return unpacked(pairwise_sum(map(block, range(0, x.size, BLOCK)), 3 * len(means) + 2))


def packed(sums: FirstOrder) -> Array:
    """Return the sums as one array (3 K + 2,), which can be added."""
    return np.concatenate([[sums.loglike], sums.sums.ravel(), [sums.total]])


def unpacked(numbers: Array) -> FirstOrder:
    """Return the sums that ``packed`` made one array of."""
    return FirstOrder(float(numbers[0]), numbers[1:-1].reshape(3, -1), float(numbers[-1]))


def pairwise_sum(parts: Iterable[Array], size: int) -> Array:
    """Return the sum (size,) of any number of arrays, kept in logarithmically many of them."""
    waiting: list[tuple[int, Array]] = []  # how many parts each is the sum of, decreasing
    for part in parts:
        count, total = 1, part
        while waiting and waiting[-1][0] == count:
            total = waiting.pop()[1] + total
            count *= 2
        waiting.append((count, total))
    total = np.zeros(size)
    for _, part in reversed(waiting):
        total = part + total
    return total
