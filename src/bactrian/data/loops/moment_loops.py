"""Loops over the rows, written to be compiled: plain functions, given the compiled parts they call.

Nothing here imports the compiler, so that everything can be read, typed and checked without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Loop = Callable[..., Any]

ROWS = 384  # at a time: with 512, what they leave for the next loop fell out of a cache of 32 kB
CARRY = 1024.0  # rows of one bin between two carries; rounding grows with the root of this


def locate(
    x: Any, half: float, rest: float, first: float, n_bins: float, t: Any, index: Any
) -> None:
    """Places in the bins, and bin numbers counted from the first; -1 for rows outside.

    A loop of its own: it becomes vector instructions, which the scatter that follows cannot.
    """
    for i in range(x.size):
        position = np.float64(x[i]) * half * rest
        below = np.floor(position)
        t[i] = 2.0 * (position - below) - 1.0
        b = below - first
        # First the comparisons, which a NaN fails: what it becomes as an integer is undefined.
        b = b if b >= 0.0 else -1.0
        b = b if b < n_bins else -1.0
        index[i] = np.int32(b)


def add_row(sums: Any, b: Any, w: float, t: float) -> None:
    """Add w T_p(t), p = 0..7, to the sums of bin b."""
    twice = t + t
    t2 = twice * t - 1.0
    t3 = twice * t2 - t
    t4 = twice * t3 - t2
    t5 = twice * t4 - t3
    t6 = twice * t5 - t4
    t7 = twice * t6 - t5
    sums[b, 0] += w
    sums[b, 1] += w * t
    sums[b, 2] += w * t2
    sums[b, 3] += w * t3
    sums[b, 4] += w * t4
    sums[b, 5] += w * t5
    sums[b, 6] += w * t6
    sums[b, 7] += w * t7


def carry(sums: Any, b: Any, totals: Any) -> None:
    """Move the sums of bin b to its totals."""
    for p in range(sums.shape[1]):
        totals[b, p] += sums[b, p]
        sums[b, p] = 0.0


def moments(locate: Loop, add_row: Loop, carry: Loop) -> Loop:
    """The loop of `bin_moments` over one chunk."""

    def loop(
        x: Any, w: Any, scale: tuple[float, float], first: float, sums: Any, squares: Any,
        held: Any, outside: Any, t: Any, index: Any,
    ) -> tuple[int, float, float]:  # fmt: skip
        """Fill the sums and the indices of rows outside; return their number and the range.

        The sums (2, n_bins, 8) are those not yet carried and the totals; the rows that a bin holds
        are its T_0 or, where that is a sum of weights, counted in `held`. The places t (ROWS,) and
        their bins (ROWS,) int32 are lost; arrays made here would take long to compile.
        """
        n_outside, low, high = 0, np.inf, -np.inf
        for start in range(0, x.size, ROWS):
            some = x[start : start + ROWS]
            locate(some, scale[0], scale[1], first, np.float64(sums.shape[1]), t, index)
            for i in range(some.size):
                if index[i] < 0:
                    outside[n_outside] = start + i
                    n_outside += 1
                    continue
                b = np.uint64(index[i])  # a signed index would be asked whether it is negative
                value = np.float64(some[i])
                low = value if value < low else low
                high = value if value > high else high
                if w is None:
                    if sums[0, b, 0] >= CARRY:
                        carry(sums[0], b, sums[1])
                    add_row(sums[0], b, 1.0, t[i])
                else:
                    held[b] += 1.0
                    if held[b] >= CARRY:
                        held[b] = 0.0
                        carry(sums[0], b, sums[1])
                        carry(squares[0], b, squares[1])
                    add_row(sums[0], b, w[start + i], t[i])
                    add_row(squares[0], b, w[start + i] ** 2, t[i])
        return n_outside, low, high

    return loop
