"""The loops of `mixture_loops` for one component, and for three or more; simpler and slower.

The terms of a few rows are an array (2K + 2, rows): distances u of all components, their shares of
the density or first the logarithms of these, the largest logarithm, and the sum of the shares.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bactrian.data.loops.mixture_loops import LOG2_E, LOWEST
from bactrian.data.loops.moment_loops import ROWS, Loop

NEAR = 300.0  # log-densities down to which rounding in their differences is below 1e-13


def place(x: Any, origin: float, at: Any, k: int, terms: Any) -> None:
    """Distances u of component k, and the logarithm of its share."""
    K = at.shape[0]
    mean, inverse, constant = at[k, 0], at[k, 1], at[k, 2]
    for i in range(x.size):
        u = (np.float64(x[i]) - origin - mean) * inverse
        joint = constant - 0.5 * (u * u)
        terms[k, i] = u
        terms[K + k, i] = joint
        terms[2 * K, i] = joint if k == 0 or joint > terms[2 * K, i] else terms[2 * K, i]


def share(exponential: Loop) -> Loop:
    """The loop that turns logarithms into shares relative to the row's largest, and adds them."""

    def loop(x: Any, K: int, k: int, terms: Any) -> None:
        """Those of component k."""
        for i in range(x.size):
            odds = (terms[K + k, i] - terms[2 * K, i]) * LOG2_E
            above, below = exponential(odds)
            ratio = 0.0 if odds < LOWEST else above / below
            terms[K + k, i] = ratio
            terms[2 * K + 1, i] = ratio if k == 0 else terms[2 * K + 1, i] + ratio

    return loop


def add_logs(x: Any, w: Any, K: int, terms: Any) -> float:
    """Sum of w log f; NaN, which asks for another way, if a row is far out.

    There a difference of two logarithms has lost its digits.
    """
    total, lowest = 0.0, 0.0
    for i in range(x.size):
        top = terms[2 * K, i]
        logpdf = top + math.log(terms[2 * K + 1, i])
        total += logpdf if w is None else w[i] * logpdf
        lowest = min(lowest, top)
    return total if K == 1 or lowest > -NEAR else math.nan


def add_single(x: Any, w: Any, K: int, k: int, terms: Any) -> tuple[float, float, float]:
    """Sums of w r_k u_k^j, j = 0..2."""
    s0 = s1 = s2 = 0.0
    for i in range(x.size):
        u = terms[k, i]
        r = terms[K + k, i] / terms[2 * K + 1, i]
        terms[K + k, i] = r
        if w is not None:
            r *= w[i]
        s0 += r
        s1 += r * u
        s2 += r * (u * u)
    return s0, s1, s2


def add_pair(x: Any, w: Any, K: int, pair: Any, terms: Any) -> tuple[float, ...]:
    """Sums of w r_j r_k u^j, j = 0..4, with u of the narrower component."""
    j, k, narrower = K + pair[0], K + pair[1], pair[2]
    t0 = t1 = t2 = t3 = t4 = 0.0
    for i in range(x.size):
        u = terms[narrower, i]
        t = terms[j, i] * terms[k, i]
        if w is not None:
            t *= w[i]
        t0 += t
        t1 += t * u
        t *= u * u
        t2 += t
        t3 += t * u
        t4 += t * (u * u)
    return t0, t1, t2, t3, t4


def general_block(
    place: Loop, share: Loop, add_logs: Loop, add_single: Loop, add_pair: Loop
) -> Loop:
    """The loop over a few rows for any number of components, made of compiled parts."""

    def loop(x: Any, w: Any, origin: float, at: Any, pairs: Any, terms: Any, found: Any) -> None:
        """Fill what is found (1 + 3K + 5P,) in a block."""
        K = at.shape[0]
        for k in range(K):
            place(x, origin, at, k, terms)
        for k in range(K):
            share(x, K, k, terms)
        found[0] = add_logs(x, w, K, terms)
        for k in range(K):
            c = 1 + 3 * k
            found[c], found[c + 1], found[c + 2] = add_single(x, w, K, k, terms)
        for p in range(len(pairs)):
            c = 1 + 3 * K + 5 * p
            found[c], found[c + 1], found[c + 2], found[c + 3], found[c + 4] = add_pair(
                x, w, K, pairs[p], terms
            )

    return loop


def general_chunk(general_block: Loop, add_block: Loop) -> Loop:
    """The loop of `full_sums` over one chunk for any number of components."""

    def loop(
        x: Any, w: Any, origin: float, at: Any, pairs: Any,
        terms: Any, found: Any, total: Any, again: Any,
    ) -> None:  # fmt: skip
        """Fill the total (2, m), and (blocks,) which of them it leaves out; the rest is lost."""
        for b in range(again.size):
            first = b * ROWS
            some = x[first : first + ROWS]
            if w is None:
                general_block(some, None, origin, at, pairs, terms, found)
            else:
                general_block(some, w[first : first + ROWS], origin, at, pairs, terms, found)
            again[b] = not add_block(found, total)

    return loop
