"""The sums of the compiled loops for one chunk, in NumPy: for small data, or without numba."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.grid import chebyshev_sums, placed

Array = NDArray[np.float64]


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
    squares = None if w is None else chebyshev_sums(t, w * w, index, n_bins)
    low, high = x.min(initial=np.inf), x.max(initial=-np.inf)
    return BinMoments(sums, squares, outside, float(low), float(high))
