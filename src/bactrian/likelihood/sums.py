"""One pass over weighted rows: the sums from which log-likelihood, score and Hessian follow."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]

BLOCK = 4096  # rows; the working arrays of a block stay in the processor's cache


class Sums(NamedTuple):
    """Weighted sums over rows, all free of units, for a batch of S mixtures of K components.

    The features of a row are ``(1, u_1..u_K, q_1..q_K)`` with ``q = (u^2 - 1) / 2``: times a
    responsibility they are the derivatives of log f with respect to the component's log weight,
    its mean (times its sd) and its log variance.

    Attributes
    ----------
    total : float
        Sum of w.
    loglike : (S,) float64
        Sum of w log f.
    single : (S, 3, K) float64
        Sums of w r_k (1, u_k, q_k).
    pairs : (S, P, 2K + 1, 2K + 1) float64
        For each pair j < k the sums of w r_j r_k times products of two features. Products of two
        responsibilities never cancel, as r - r^2 would. Empty where only the first order was
        asked for.
    """

    total: float
    loglike: Array
    single: Array
    pairs: Array


def sum_rows(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, *, second_order: bool = True
) -> Sums:
    """Return the sums over rows for parameters (S, K).

    Powers are taken of each component's own u, never of x: with raw powers the Hessian of a
    component of relative width 1e-4 has no correct digit.

    Source: derivation, "Hessian in working coordinates" and "Any number of components".
    """
    parts = [
        _sum_block(x[i : i + BLOCK], w[i : i + BLOCK], weights, means, sds, second_order)
        for i in range(0, x.size, BLOCK)
    ]
    return Sums(float(w.sum()), *_add(parts))


def _sum_block(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, second_order: bool
) -> tuple[Array, ...]:
    """The sums of one block of rows."""
    logpdf, r, features = row_terms(x, weights, means, sds)
    transposed = features.swapaxes(1, 2)
    wr = w * r
    all_single = wr @ transposed
    single = all_single.reshape(len(r), -1)[:, own_features(r.shape[1])]
    if not second_order:
        return logpdf @ w, single, np.empty((len(r), 0))
    first, second = pair_indices(r.shape[1])
    products = wr[:, first] * r[:, second]
    pairs = (products[:, :, None] * features[:, None]) @ transposed[:, None]
    return logpdf @ w, single, pairs


@lru_cache
def own_features(n_components: int) -> NDArray[np.intp]:
    """Where (3, K) each component's own features stand in a flat (K, 2K + 1) array."""
    k = np.arange(n_components)
    return k * (2 * n_components + 1) + np.stack([0 * k, k + 1, k + 1 + n_components])


@lru_cache
def pair_indices(n_components: int) -> tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]:
    """The first and the second components of the pairs j < k."""
    if n_components == 2:
        return slice(0, 1), slice(1, 2)
    first, second = np.triu_indices(n_components, 1)
    return first, second


def _add(parts: list[tuple[Array, ...]]) -> tuple[Array, ...]:
    """Blocks combined pairwise, so that rounding grows with the logarithm of their number."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        rest = parts[len(parts) - len(parts) % 2 :]
        parts = [tuple(a + b for a, b in zip(*pair, strict=True)) for pair in pairs] + rest
    return parts[0]
