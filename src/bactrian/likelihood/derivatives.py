"""Score and Hessian in working coordinates, assembled from the sums over rows."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.sums import own_features, pair_indices, sum_rows

Array = NDArray[np.float64]


class Derivatives(NamedTuple):
    """Log-likelihood, score and Hessian of a batch of S mixtures in working coordinates.

    Attributes
    ----------
    loglike : (S,) float64
        Sum over rows of w log f.
    score : (S, 3K - 1) float64
        Slopes with respect to the logits log(pi_k / pi_K), the means, the log variances.
    hessian : (S, 3K - 1, 3K - 1) float64
        Second derivatives in the same coordinates.
    counts : (S, K) float64
        Rows of each component, N_k = sum of w r_k.
    spreads : (S, 2, K) float64
        Sums of w r_k u_k and of w r_k (u_k^2 - 1) / 2: what an EM step needs besides.
    """

    loglike: Array
    score: Array
    hessian: Array
    counts: Array
    spreads: Array


class Expectations(NamedTuple):
    """What an EM step needs: log-likelihood (S,), counts (S, K) and spreads (S, 2, K)."""

    loglike: Array
    counts: Array
    spreads: Array


def expectations(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Expectations:
    """Return the first-order sums at parameters of shape (S, K).

    Source: derivation, "EM, gradient ascent and Newton".
    """
    sums = sum_rows(x, w, weights, means, sds, second_order=False)
    return Expectations(sums.loglike, sums.single[:, 0], sums.single[:, 1:])


def derivatives(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Derivatives:
    """Return the derivatives at parameters of shape (S, K).

    Source: derivation, "Working coordinates" and "Hessian in working coordinates".
    """
    loglike, products, single = sum_rows(x, w, weights, means, sds)
    size, n_components = weights.shape
    n_working = 3 * n_components - 1
    flat = [products.reshape(size, -1), *_prior_pairs(single[:, 0], weights)]
    both = np.concatenate(flat, axis=1) @ _assembly(n_components)
    scale = np.ones((size, n_working))
    scale[:, n_components - 1 : 2 * n_components - 1] = sds
    hessian = both[:, n_working:].reshape(size, n_working, n_working)
    with np.errstate(over="ignore"):
        score = both[:, :n_working] / scale
        hessian /= scale[:, :, None]
        hessian /= scale[:, None, :]
    return Derivatives(loglike, score, hessian, single[:, 0], single[:, 1:])


def _prior_pairs(counts: Array, weights: Array) -> tuple[Array, Array]:
    """For each pair (S, P): pi_k N_j - pi_j N_k, and W pi_j pi_k, where W is the sum of all N.

    The logits' scores are sums of the former and not N_k - W pi_k, where a rare component would
    drown in the rounding of W; their Hessian has sums of the latter and never pi - pi^2.
    """
    first, second = pair_indices(weights.shape[1])
    left, right = weights[:, first], weights[:, second]
    total = counts.sum(axis=1, keepdims=True)
    return right * counts[:, first] - left * counts[:, second], total * left * right


@lru_cache
def _assembly(n_components: int) -> Array:
    """The constant linear map from the sums over rows to score and Hessian free of units.

    The last logit, which is the gauge, is left out of the result.
    """
    k_all, width = range(n_components), 2 * n_components + 1
    pairs = list(combinations(k_all, 2))
    starts = np.cumsum([n_components * width, len(pairs) * width**2, len(pairs), len(pairs)])
    score = np.zeros((starts[-1], 3, n_components))
    hessian = np.zeros((starts[-1], 3, n_components, 3, n_components))
    for p, (j, k) in enumerate(pairs):
        below = starts[0] + p * width**2
        _add_pair(hessian[below : below + width**2], j, k)
        score[starts[1] + p, 0, [j, k]] = 1.0, -1.0
        hessian[starts[2] + p, 0, [[j], [k]], 0, [j, k]] = [[-1.0, 1.0], [1.0, -1.0]]
    for k in k_all:
        count, first, second = own_features(n_components)[:, k]
        score[first, 1, k] = score[second, 2, k] = 1.0
        hessian[count, 1, k, 1, k] = -1.0
        hessian[first, 1, k, 2, k] = hessian[first, 2, k, 1, k] = -1.0
        hessian[count, 2, k, 2, k] = -0.5
        hessian[second, 2, k, 2, k] = -1.0
    kept = np.delete(np.arange(3 * n_components), n_components - 1)
    square = hessian.reshape(starts[-1], 3 * n_components, -1)[:, kept][:, :, kept]
    return np.concatenate(
        [score.reshape(starts[-1], -1)[:, kept], square.reshape(starts[-1], -1)], axis=1
    )


def _add_pair(table: Array, j: int, k: int) -> None:
    """Set what the products of one pair of components contribute to the Hessian.

    Minus them to the blocks across, plus them to both components' own blocks.
    """
    n_components = table.shape[2]
    products = table.reshape(2 * n_components + 1, 2 * n_components + 1, *table.shape[1:])

    def feature(a: int, component: int) -> int:
        return a and 1 + component + (a - 1) * n_components

    for a, b in product(range(3), repeat=2):
        for left, right in product((j, k), repeat=2):
            sign = 1.0 if left == right else -1.0
            products[feature(a, left), feature(b, right), a, left, b, right] += sign
