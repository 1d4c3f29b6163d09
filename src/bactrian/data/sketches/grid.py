"""The dyadic grid: bins whose widths are powers of two, so that any two grids nest."""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError

Array = NDArray[np.float64]

N_MOMENTS = 8
_BINS_PER_SPREAD = 7  # 2**7 to 2**8 bins in one spread
LARGEST_EXPONENT, SMALLEST_EXPONENT = 1023, -1074  # of a double


def suitable_exponent(spread: float, largest: float) -> int:
    """Return the exponent e of the bin width 2**e for a column.

    A spread is 128 to 256 bins wide. Components down to a twentieth of it are then carried to the
    rounding of doubles by four nodes a bin; whether the fitted ones are wider is checked after
    the fit.

    Parameters
    ----------
    spread : float
        About one standard deviation of the bulk, unit of the data; zero for a constant.
    largest : float
        Largest absolute value, unit of the data.
    """
    least = math.frexp(largest)[1] - 1000  # bin numbers stay finite
    if spread > 0.0:
        least = max(least, math.frexp(spread)[1] - 1 - _BINS_PER_SPREAD)
    return min(max(least, SMALLEST_EXPONENT), LARGEST_EXPONENT)


def checked_exponent(exponent: SupportsIndex) -> int:
    """Return an exponent that was asked for as an int.

    Raises
    ------
    ParameterError
        If it is not whole, or that of no double.
    """
    try:
        found = operator.index(exponent)
    except TypeError:
        raise ParameterError(f"exponent={exponent!r} is not a whole number.") from None
    if not SMALLEST_EXPONENT <= found <= LARGEST_EXPONENT:
        raise ParameterError(
            f"exponent={found} is that of no double: it goes from {SMALLEST_EXPONENT} to "
            f"{LARGEST_EXPONENT}."
        )
    return found


def scaled(x: Array | float, exponent: int) -> Array:
    """Return x * 2**exponent, rounded once, also where the power itself is no double."""
    # The edge of a bin may lie beyond the largest double.
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(x, exponent))


def placed(x: Array, exponent: int) -> tuple[Array, Array]:
    """Return the bin numbers and the local coordinates t in [-1, 1) of values (n,).

    The number is floor(x / 2**e), a whole double; t is exact to one rounding, which gives 1 for
    values that are next to nothing below zero. From 2**53 on every double is a whole number, so
    that far values sit at t = -1 of bins of their own.
    """
    position = scaled(np.asarray(x, dtype=np.float64), -exponent)
    bins = np.floor(position)
    return bins, 2.0 * (position - bins) - 1.0


def chebyshev_sums(t: Array, w: Array | None, index: NDArray[np.intp], size: int) -> Array:
    """Return the sums (size, 8) of w T_p(t), p = 0..7, over the rows (n,) of each index."""
    before = np.ones_like(t) if w is None else w
    term = t if w is None else w * t
    sums = np.empty((size, N_MOMENTS))
    for p in range(N_MOMENTS):
        sums[:, p] = np.bincount(index, before, size)
        before, term = term, 2.0 * t * term - before
    return sums


def square_sums(t: Array, w: Array, index: NDArray[np.intp], size: int) -> Array:
    """Return the sums (size, 8) of w^2 T_p(t), not finite where squares are beyond all doubles."""
    with np.errstate(over="ignore", invalid="ignore"):  # whoever needs squares looks at them
        return chebyshev_sums(t, w * w, index, size)


@lru_cache
def halving_map(right: bool) -> Array:
    """Return the (8, 8) map from the moments of a half bin to its share in the whole bin's.

    T_p((t - 1) / 2) or, for the right half, T_p((t + 1) / 2), expanded in T_0(t)..T_7(t).
    """
    shift = 0.5 if right else -0.5
    rows = np.zeros((N_MOMENTS, N_MOMENTS))
    rows[0, 0] = 1.0
    rows[1, :2] = shift, 0.5
    for p in range(2, N_MOMENTS):
        rows[p] = 2.0 * shift * rows[p - 1] + _times_t(rows[p - 1]) - rows[p - 2]
    rows.setflags(write=False)
    return rows


def _times_t(series: Array) -> Array:
    """The Chebyshev series of t times a series of lower degree."""
    product = np.zeros_like(series)
    product[1] = series[0]
    for p in range(1, series.size - 1):
        product[p + 1] += 0.5 * series[p]
        product[p - 1] += 0.5 * series[p]
    return product
