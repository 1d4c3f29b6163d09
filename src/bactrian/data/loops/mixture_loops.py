"""Loops for the sums of one evaluation on all rows; plain functions, given the parts they call.

For two components a row costs one exponential, no logarithm and twelve sums. A processor does four
rows at once if the compiler sees that it may, and small things decide that: no function is called
that was not compiled in place, loops run over all of a contiguous array, the terms of a row and
their sums are two loops that leave enough registers, and only the sums may be rearranged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bactrian.data.loops.moment_loops import ROWS, Loop

FAR = 708.0  # e to this is near the largest double, and e to minus this near the smallest normal
_LOG2_E = 1.4426950408889634
_LOG_2_HIGH, _LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it leaves a whole number in the lowest bits
_C1, _C2 = 1.66666666666666019037e-01, -2.77777777770155933842e-03
_C3, _C4 = 6.61375632143793436117e-05, -1.65339022054652515390e-06
_C5 = 4.13813679705723846039e-08


def exponential(y: float) -> tuple[float, float]:
    """Two numbers whose ratio is e**y, good to two units in the last place; |y| counts up to FAR.

    With y = n log 2 + r it is 2**n (R + r) / (R - r), where R = r coth(r / 2) is nearly a parabola
    in r. The ratio is not taken, because (a / b) / (1 + a / b) costs one division as a / (a + b).

    Must not be compiled so that sums may be rearranged: `y + c - c` then becomes y instead of the
    whole number next to it, and log-likelihoods are wrong by a percent.

    Source: fdlibm, e_exp.c (range reduction and the coefficients of R).
    """
    y = -FAR if y < -FAR else y  # in this order a NaN stays one
    y = FAR if y > FAR else y
    shifted = y * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (y - n * _LOG_2_HIGH) - n * _LOG_2_LOW
    s = r * r
    R = 2.0 + s * (_C1 + s * (_C2 + s * (_C3 + s * (_C4 + s * _C5))))
    power = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    return (R + r) * power, R - r


def log_share(r: float) -> float:
    """Logarithm of a number between 1/2 and 1, as 2 artanh((r - 1) / (r + 1))."""
    s = (r - 1.0) / (r + 1.0)
    v = s * s
    high = 1 / 25 + v * (1 / 27 + v * (1 / 29 + v * (1 / 31)))
    middle = 1 / 15 + v * (1 / 17 + v * (1 / 19 + v * (1 / 21 + v * (1 / 23 + v * high))))
    low = 1 / 5 + v * (1 / 7 + v * (1 / 9 + v * (1 / 11 + v * (1 / 13 + v * middle))))
    return 2.0 * s * (1.0 + v * (1 / 3 + v * low))


def pair_terms(exponential: Loop) -> Loop:
    """The loop over a few rows that computes what the sums for two components are made of."""

    def loop(x: Any, at: Any, terms: Any) -> None:
        """Distances u of the narrower (n) and the wider (w) component; both shares of the row."""
        origin, mean_n, mean_w, inverse_n, inverse_w, slope, shift, constant = at[:8]
        for i in range(x.size):
            z = np.float64(x[i]) - origin
            u_n = (z - mean_n) * inverse_n
            u_w = (z - mean_w) * inverse_w
            # Log-odds as a product: a difference of squares has no digits for narrow components.
            odds = constant + (u_n + u_w) * (u_n * slope + shift)
            terms[0, i], terms[1, i] = u_n, u_w
            terms[2, i], terms[3, i] = exponential(odds)

    return loop


def pair_sums(log_share: Loop) -> Loop:
    """The loop over a few rows that sums up their terms; it may be rearranged."""

    def loop(terms: Any, x: Any, w: Any, at: Any) -> tuple[float, ...]:
        """Sums of w log f, of w r_k u_k^j, j = 0..2, and of w r_n r_w u_n^j, j = 0..4."""
        log_n, log_w = at[8], at[9]
        n0 = n1 = n2 = w0 = w1 = w2 = t0 = t1 = t2 = t3 = t4 = loglike = 0.0
        product = 1.0
        for i in range(x.size):
            u_n, u_w, share_n, share_w = terms[0, i], terms[1, i], terms[2, i], terms[3, i]
            inverse = 1.0 / (share_n + share_w)
            r_n, r_w = share_n * inverse, share_w * inverse
            square_n, square_w = u_n * u_n, u_w * u_w
            joint_n, joint_w = log_n - 0.5 * square_n, log_w - 0.5 * square_w
            joint = joint_n if joint_n > joint_w else joint_w
            larger = r_n if r_n > r_w else r_w
            t = r_n * r_w
            if w is None:
                loglike += joint
                product *= larger  # one logarithm for all: each is between 1/2 and 1
            else:
                loglike += w[i] * (joint - log_share(larger))
                r_n *= w[i]
                r_w *= w[i]
                t *= w[i]
            n0 += r_n
            n1 += r_n * u_n
            n2 += r_n * square_n
            w0 += r_w
            w1 += r_w * u_w
            w2 += r_w * square_w
            t0 += t
            t1 += t * u_n
            t *= square_n
            t2 += t
            t3 += t * u_n
            t4 += t * square_n
        if w is None:
            loglike -= math.log(product)
        return loglike, n0, n1, n2, w0, w1, w2, t0, t1, t2, t3, t4

    return loop


def pair_chunk(pair_terms: Loop, pair_sums: Loop) -> Loop:
    """The loop of `full_sums` over one chunk for two components."""

    def loop(x: Any, w: Any, at: Any, sums: Any) -> None:
        """Fill sums (blocks, 12), a row for each block of rows."""
        terms = np.empty((4, ROWS))
        for b in range(sums.shape[0]):
            some = x[b * ROWS : (b + 1) * ROWS]
            pair_terms(some, at, terms)
            if w is None:
                found = pair_sums(terms, some, None, at)
            else:
                found = pair_sums(terms, some, w[b * ROWS : (b + 1) * ROWS], at)
            (
                sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3], sums[b, 4], sums[b, 5],
                sums[b, 6], sums[b, 7], sums[b, 8], sums[b, 9], sums[b, 10], sums[b, 11],
            ) = found  # fmt: skip

    return loop
