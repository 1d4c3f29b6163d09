"""Loops for the sums of one evaluation on all rows; plain functions, given the parts they call.

For two components a row costs one exponential, no logarithm and twelve sums. A processor does four
rows at once if the compiler sees that it may, and small things decide that: no function is called
that was not compiled in place, loops run over all of a contiguous array, and only the sums may be
rearranged. Loops are short, and hand on what they found in an array that stays in the cache: a long
one runs out of registers for its sums, and then each waits for memory; and it has so many
instructions that those of the next rows, which could fill the pauses, are not yet in sight.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bactrian.data.loops.moment_loops import ROWS, Loop

LOG2_E = 1.4426950408889634
LOWEST = -1021.0  # 2 to this is near the smallest normal double
HUGE = 1e60  # sums that are larger, or no numbers, were taken beyond what the loops are made for
_LOG_2 = 0.6931471805599453
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it leaves a whole number in the lowest bits
_C0, _C1 = 2.8853900817779268, 1.1552453009332377e-01
_C2, _C3 = -9.250684777216437e-04, 1.0582188537384165e-05
_C4, _C5 = -1.2710235337748897e-07, 1.5283893145088105e-09


def exponential(y: float) -> tuple[float, float]:
    """Two numbers whose ratio is 2**y, good to two units in the last place; for LOWEST <= y <= 0.

    What is less counts as LOWEST. With y = n + f it is 2**n (R + f) / (R - f), where
    R = f coth(f log(2) / 2) is nearly a parabola in f. The ratio is not taken, because
    (a / b) / (1 + a / b) costs one division as a / (a + b).

    Must not be compiled so that sums may be rearranged: `y + c - c` then becomes y instead of the
    whole number next to it, and log-likelihoods are wrong by a percent.

    Source: fdlibm, e_exp.c (the coefficients of R, here times powers of log 2).
    """
    y = LOWEST if y < LOWEST else y  # in this order a NaN stays one
    shifted = y + _ROUND
    f = y - (shifted - _ROUND)
    s = f * f
    # In pairs and not one after the other: half as many steps that wait for the one before.
    R = (_C0 + s * _C1) + (s * s) * ((_C2 + s * _C3) + (s * s) * (_C4 + s * _C5))
    power = np.float64(shifted).view(np.int64) << 52  # added to the exponent of a double
    return np.int64(np.float64(R + f).view(np.int64) + power).view(np.float64), R - f


def log_share(r: float) -> float:
    """Logarithm of a number between 1/2 and 1, as 2 artanh((r - 1) / (r + 1))."""
    s = (r - 1.0) / (r + 1.0)
    v = s * s
    high = 1 / 25 + v * (1 / 27 + v * (1 / 29 + v * (1 / 31)))
    middle = 1 / 15 + v * (1 / 17 + v * (1 / 19 + v * (1 / 21 + v * (1 / 23 + v * high))))
    low = 1 / 5 + v * (1 / 7 + v * (1 / 9 + v * (1 / 11 + v * (1 / 13 + v * middle))))
    return 2.0 * s * (1.0 + v * (1 / 3 + v * low))


def pair_terms(exponential: Loop) -> Loop:
    """The loops over a few rows that compute what the sums for two components are made of."""

    def loop(x: Any, at: Any, terms: Any) -> None:
        """Distances u of the narrower (n) and the wider (w) component, log2-odds, both shares."""
        origin, mean_n, mean_w, inverse_n, inverse_w = at[0], at[1], at[2], at[3], at[4]
        slope, shift, constant = at[5], at[6], at[7]
        for i in range(x.size):
            z = np.float64(x[i]) - origin
            u_n = (z - mean_n) * inverse_n
            u_w = (z - mean_w) * inverse_w
            # Log-odds as a product: a difference of squares has no digits for narrow components.
            odds = constant + (u_n + u_w) * (u_n * slope + shift)
            terms[0, i], terms[1, i], terms[2, i] = u_n, u_w, odds
        for i in range(x.size):
            terms[3, i], terms[4, i] = exponential(-abs(terms[2, i]))

    return loop


def wider_sums(log_share: Loop) -> Loop:
    """The loop that turns shares into responsibilities; it may be rearranged, like the next."""

    def loop(terms: Any, x: Any, w: Any) -> tuple[float, float, float, float]:
        """Sums of w r_w u_w^j, j = 0..2, and of w times the entropy of the responsibilities.

        Leaves w r_n and w r_n r_w in place of the shares. The entropy is r |log-odds| with the
        smaller of the two, less the logarithm of the larger.
        """
        w0 = w1 = w2 = slopes = logs = 0.0
        product = 1.0
        for i in range(x.size):
            u, odds, smaller, larger = terms[1, i], terms[2, i], terms[3, i], terms[4, i]
            inverse = 1.0 / (smaller + larger)
            smaller *= inverse
            larger *= inverse
            is_wider = np.float64(odds).view(np.int64) < 0  # by the sign, without a comparison
            r_n = smaller if is_wider else larger
            r_w = larger if is_wider else smaller
            t = smaller * larger
            if w is None:
                product *= larger  # one logarithm for all: each is between 1/2 and 1
            else:
                logs += w[i] * log_share(larger)
                smaller *= w[i]
                r_n *= w[i]
                r_w *= w[i]
                t *= w[i]
            terms[3, i], terms[4, i] = r_n, t
            slopes += smaller * abs(odds)
            w0 += r_w
            r_w *= u
            w1 += r_w
            w2 += r_w * u
        if w is None:
            logs = math.log(product)
        return w0, w1, w2, slopes * _LOG_2 - logs

    return loop


def narrower_sums(terms: Any, x: Any) -> tuple[float, ...]:
    """Sums of w r_n u_n^j, j = 0..2, and of w r_n r_w u_n^j, j = 0..4; may be rearranged."""
    n0 = n1 = n2 = t0 = t1 = t2 = t3 = t4 = 0.0
    for i in range(x.size):
        u, r, t = terms[0, i], terms[3, i], terms[4, i]
        n0 += r
        r *= u
        n1 += r
        n2 += r * u
        t0 += t
        t *= u
        t1 += t
        t *= u
        t2 += t
        t *= u
        t3 += t
        t4 += t * u
    return n0, n1, n2, t0, t1, t2, t3, t4


def add_block(found: Any, total: Any) -> bool:
    """Add the sums of a block (m,) to those of a chunk (2, m) and what rounding took from them.

    Sums out of the ordinary are not added, and False is returned. A chunk ends with the digits of
    its sums whatever their number, and with nothing left to do in Python, for which threads wait
    for one another.

    Source: Knuth, The Art of Computer Programming, volume 2, section 4.2.2, theorem B.
    """
    ordinary = True
    for j in range(found.size):
        ordinary &= abs(found[j]) < HUGE
    if ordinary:
        for j in range(found.size):
            before, added = total[0, j], found[j]
            after = before + added
            held = after - before
            total[0, j] = after
            total[1, j] += (before - (after - held)) + (added - held)
    return ordinary


def pair_chunk(pair_terms: Loop, wider_sums: Loop, narrower_sums: Loop, add_block: Loop) -> Loop:
    """The loop of `full_sums` over one chunk for two components."""

    def loop(x: Any, w: Any, at: Any, terms: Any, found: Any, total: Any, again: Any) -> None:
        """Fill the total (2, 12), and (blocks,) which of them it leaves out.

        The terms (5, ROWS or more) and what was found (12,) in a block are lost. The mean of
        log(p_k f_k) under the responsibilities and their entropy make log f.
        """
        log_n, log_w = at[8], at[9]
        for b in range(again.size):
            some = x[b * ROWS : (b + 1) * ROWS]
            pair_terms(some, at, terms)
            if w is None:
                w0, w1, w2, entropy = wider_sums(terms, some, None)
            else:
                w0, w1, w2, entropy = wider_sums(terms, some, w[b * ROWS : (b + 1) * ROWS])
            n0, n1, n2, t0, t1, t2, t3, t4 = narrower_sums(terms, some)
            found[0] = entropy + (log_n * n0 - 0.5 * n2) + (log_w * w0 - 0.5 * w2)
            found[1], found[2], found[3] = n0, n1, n2
            found[4], found[5], found[6] = w0, w1, w2
            found[7], found[8], found[9], found[10], found[11] = t0, t1, t2, t3, t4
            again[b] = not add_block(found, total)

    return loop
