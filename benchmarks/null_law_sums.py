"""The sums of `likelihood.sums.sum_rows` for two components, compiled for a batch of mixtures.

For the simulation of a null law alone, where a hundred thousand searches pay for the compiler. The
loop over the rows is the library's own for large columns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.kernels import kernel
from bactrian.data.loops.mixture_loops import LOG2_E
from bactrian.data.loops.moment_loops import ROWS
from bactrian.likelihood.sums import Sums
from bactrian.likelihood.sums import sum_rows as library_sums
from bactrian.model.posterior import HALF_LOG_2PI

Array = NDArray[np.float64]

_WIDEST = 2.0**40  # ratio of two sds, and of a mean to an sd, for which the loop is made
_HUGE = 1e60  # sums that are larger, or no numbers, are taken by the library
_LINE = 8
_made: dict[bool, Callable[..., None]] = {}


def sum_rows(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, *, second_order: bool = True
) -> Sums:
    """Return what the library's function of this name does, to rounding."""
    size, k = weights.shape
    if k != 2:
        return library_sums(x, w, weights, means, sds, second_order=second_order)
    is_plain = bool((w == 1.0).all())
    loglike, products = np.empty(size), np.empty((size, 7, 5))
    parts, terms = np.empty((-(-x.size // ROWS), 12)), np.empty((5, ROWS + _LINE))
    good = np.empty(size, np.bool_)
    with np.errstate(all="ignore"):
        logs = np.log(weights) - np.log(sds)
    rows, given = np.ascontiguousarray(x), None if is_plain else np.ascontiguousarray(w)
    _batch(is_plain)(rows, given, logs, np.ascontiguousarray(means), np.ascontiguousarray(sds),
                     terms, parts, loglike, products, good)  # fmt: skip
    if not good.all():
        bad = ~good
        again = library_sums(x, w, weights[bad], means[bad], sds[bad])
        loglike[bad], products[bad] = again
    return Sums(loglike, products if second_order else products[:, :2])


def pair_loop(is_plain: bool) -> Any:
    """The library's compiled loop over rows without weights, or with them."""
    one = np.empty(1)
    return kernel("pair", one, None if is_plain else one)


def _batch(is_plain: bool) -> Callable[..., None]:
    """The compiled loop over mixtures, for rows without weights or with them."""
    if is_plain not in _made:
        import numba

        make = partial(numba.njit, nogil=True, error_model="numpy")
        _made[is_plain] = make(_batch_loop(pair_loop(is_plain), make(point), make(assemble)))
    return _made[is_plain]


def _batch_loop(pair: Any, point: Any, assemble: Any) -> Callable[..., None]:
    """The loop over mixtures, of its compiled parts."""

    def loop(x: Any, w: Any, logs: Any, means: Any, sds: Any, terms: Any, parts: Any,
             loglike: Any, products: Any, good: Any) -> None:  # fmt: skip
        """Fill loglike (S,), products (S, 7, 5) and whether they are to be trusted (S,)."""
        at, sums = np.empty(10), np.empty(12)
        for s in range(len(logs)):
            good[s] = point(logs[s], means[s], sds[s], at)
            if not good[s]:
                continue
            pair(x, w, at, terms, parts)
            for j in range(12):
                sums[j] = 0.0
                for b in range(len(parts)):
                    sums[j] += parts[b, j]
                good[s] = good[s] and abs(sums[j]) < _HUGE
            loglike[s] = sums[0]
            assemble(sums, 0 if sds[s, 0] <= sds[s, 1] else 1, means[s], sds[s], products[s])

    return loop


def point(logs: Any, means: Any, sds: Any, at: Any) -> bool:
    """Fill what the loop over rows takes (10,); false if it is not made for such a mixture.

    logs (2,) are those of weight over sd.
    """
    n = 0 if sds[0] <= sds[1] else 1
    o = 1 - n
    narrow, wide = sds[n], sds[o]
    extent = max(wide, max(abs(means[0]), abs(means[1])))
    at[0], at[1], at[2] = 0.0, means[n], means[o]
    at[3], at[4] = 1.0 / narrow, 1.0 / wide
    at[5] = -0.5 * LOG2_E * ((wide - narrow) / wide)
    at[6] = -0.5 * LOG2_E * ((means[o] - means[n]) / wide)
    at[7] = (logs[n] - logs[o]) * LOG2_E
    at[8], at[9] = logs[n] - HALF_LOG_2PI, logs[o] - HALF_LOG_2PI
    in_range = 1.0 / _WIDEST < narrow and extent < _WIDEST and extent < _WIDEST * narrow
    return bool(in_range and abs(logs[0]) < _HUGE and abs(logs[1]) < _HUGE)


def assemble(sums: Any, n: int, means: Any, sds: Any, products: Any) -> None:
    """Fill the products (7, 5) of one mixture from its sums (12,) of powers of u."""
    maps = np.zeros((2, 5, 3))
    for k in range(2):
        maps[k, 0, 0] = 1.0
        for j in range(2):
            e, slope = (means[k] - means[j]) / sds[j], sds[k] / sds[j]
            maps[k, 1 + j, 0], maps[k, 1 + j, 1] = e, slope
            maps[k, 3 + j, 0] = 0.5 * (e * e - 1.0)
            maps[k, 3 + j, 1], maps[k, 3 + j, 2] = e * slope, 0.5 * slope * slope
    for k in range(2):
        first = 1 if k == n else 4
        for a in range(5):
            total = 0.0
            for p in range(3):
                total += maps[k, a, p] * sums[first + p]
            products[k, a] = total
    for a in range(5):
        for b in range(5):
            total = 0.0
            for p in range(3):
                for q in range(3):
                    total += maps[n, a, p] * maps[n, b, q] * sums[7 + p + q]
            products[2 + a, b] = total
