"""One pass over weighted rows: the sums from which log-likelihood, score and Hessian follow."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]

BLOCK = 4096  # rows; the working arrays of a block stay in the processor's cache
# Numbers in a working array of a batch. Larger ones are fetched from the operating system and given
# back at every operation, which was seen to double the time of a step.
_LARGEST_ARRAY = 16_384
_LONG = 256


class Sums(NamedTuple):
    """Weighted sums over rows, all free of units, for a batch of S mixtures of K components.

    The features of a row are ``(1, u_1..u_K, q_1..q_K)`` with ``q = (u^2 - 1) / 2``: times a
    responsibility they are the derivatives of log f with respect to the component's log weight,
    its mean (times its sd) and its log variance.

    Attributes
    ----------
    loglike : (S,) float64
        Sum of w log f.
    products : (S, K, 2K + 1) float64
        Sums of w r_k times a feature, K rows for K components; and below them, where the second
        order was asked for, 2K + 1 rows for each pair j < k: the sums of w r_j r_k times a product
        of two features. Products of two responsibilities never cancel, as r - r^2 would.
    """

    loglike: Array
    products: Array

    @property
    def single(self) -> Array:
        """The sums (S, 3, K) of w r_k (1, u_k, q_k)."""
        flat = self.products.reshape(len(self.products), -1)
        return flat[:, own_features(self.products.shape[2] // 2)]


def sum_rows(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, *, second_order: bool = True
) -> Sums:
    """Return the sums over rows for parameters (S, K).

    Powers are taken of each component's own u, never of x: with raw powers the Hessian of a
    component of relative width 1e-4 has no correct digit.

    Source: derivation, "Hessian in working coordinates" and "Any number of components".
    """
    size, n_components = weights.shape
    few = max(1, _LARGEST_ARRAY // ((2 * n_components + 1) * min(x.size, BLOCK)))
    if size <= few and x.size <= BLOCK:
        return _sum_block(x, w, weights, means, sds, second_order)
    found = []
    for first in range(0, size, few):
        some = slice(first, first + few)
        parts = [
            _sum_block(
                x[i : i + BLOCK], w[i : i + BLOCK], weights[some], means[some], sds[some],
                second_order,
            )
            for i in range(0, x.size, BLOCK)
        ]  # fmt: skip
        found.append(_add(parts))
    loglike, products = map(np.concatenate, zip(*found, strict=True))
    return Sums(loglike, products)


def _sum_block(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, second_order: bool
) -> Sums:
    """The sums over one block of rows."""
    logpdf, r, features = row_terms(x, weights, means, sds)
    size, k, width = len(r), r.shape[1], features.shape[1]
    if not second_order:
        return Sums(logpdf @ w, _products(w * r, features))
    first, second = pair_indices(k)
    # In memory the batch comes second, as in the row terms.
    left = np.empty((k + k * (k - 1) // 2 * width, size, x.size)).swapaxes(0, 1)
    wr = np.multiply(w, r, out=left[:, :k])
    shared = wr[:, first] * r[:, second]
    below = left[:, k:].reshape(size, -1, width, x.size)
    np.multiply(shared[:, :, None], features[:, None], out=below)
    return Sums(logpdf @ w, _products(left, features))


def _products(left: Array, right: Array) -> Array:
    """The sums over rows (S, a, b) of products of (S, a, n) and (S, b, n)."""
    if left.shape[0] == 1 and left.shape[2] >= _LONG:  # few long sums are no work for a matrix
        return np.asarray(np.vecdot(left[:, :, None], right[:, None]))
    return left @ right.swapaxes(1, 2)


@lru_cache
def own_features(n_components: int) -> NDArray[np.intp]:
    """Where (3, K) each component's own features stand in the flat products."""
    k = np.arange(n_components)
    return k * (2 * n_components + 1) + np.stack([0 * k, k + 1, k + 1 + n_components])


@lru_cache
def pair_indices(n_components: int) -> tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]:
    """The first and the second components of the pairs j < k."""
    if n_components == 2:
        return slice(0, 1), slice(1, 2)
    first, second = np.triu_indices(n_components, 1)
    return first, second


def _add(parts: list[Sums]) -> Sums:
    """Blocks combined pairwise, so that rounding grows with the logarithm of their number."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        rest = parts[len(parts) - len(parts) % 2 :]
        parts = [Sums(a[0] + b[0], a[1] + b[1]) for a, b in pairs] + rest
    return parts[0]
