"""Score and Hessian in working coordinates, assembled from the sums over rows."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.sums import sum_rows
from bactrian.model.posterior import widest_last

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
    """Return the first-order sums at parameters of shape (S, K), components in any order.

    Source: derivation, "EM, gradient ascent and Newton".
    """
    order, back = _orders(weights, sds)
    row = np.arange(len(order))[:, None]
    sums = sum_rows(
        x, w, weights[row, order], means[row, order], sds[row, order], second_order=False
    )
    single = sums.single[row[..., None], np.arange(3)[:, None], back[:, None, :]]
    return Expectations(sums.loglike, single[:, 0], single[:, 1:])


def derivatives(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Derivatives:
    """Return the derivatives at parameters of shape (S, K), components in any order.

    Source: derivation, "Working coordinates" and "Hessian in working coordinates".
    """
    order, back = _orders(weights, sds)
    row = np.arange(len(order))[:, None]
    sums = sum_rows(x, w, weights[row, order], means[row, order], sds[row, order])
    n_batch, n_components = order.shape
    single = sums.single[row[..., None], np.arange(3)[:, None], back[:, None, :]]
    flat = np.concatenate([sums.pairs.reshape(n_batch, -1), sums.single.reshape(n_batch, -1)], 1)
    size = 3 * n_components
    hessian = (flat @ _assembly(n_components)).reshape(n_batch, size, size)
    entry = np.concatenate([back[:, :-1], back + n_components, back + 2 * n_components], axis=1)
    hessian = hessian[row[..., None], entry[..., None], entry[:, None, :]]
    scale = np.ones((n_batch, size - 1))
    scale[:, n_components - 1 : 2 * n_components - 1] = sds
    hessian /= scale[:, :, None]
    hessian /= scale[:, None, :]
    _subtract_prior(hessian, sums.total, weights)
    score = single.reshape(n_batch, size)[:, 1:] / scale
    score[:, : n_components - 1] = _logit_scores(single[:, 0], weights)
    return Derivatives(sums.loglike, score, hessian, single[:, 0], single[:, 1:])


def _orders(weights: Array, sds: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order that puts the widest component last, and its inverse, each (S, K)."""
    order = widest_last(weights, sds)
    return order, order.argsort(axis=-1)


def _logit_scores(counts: Array, weights: Array) -> Array:
    """Slopes (S, K - 1) along the logits.

    They are sums of pi_j N_k - pi_k N_j and not N_k - W pi_k, where a rare component would drown
    in the rounding of W.
    """
    products = counts[:, :-1, None] * weights[:, None, :]
    return np.asarray((products - weights[:, :-1, None] * counts[:, None, :]).sum(axis=-1))


def _subtract_prior(hessian: Array, total: float, weights: Array) -> None:
    """Take the curvature of -W log sum exp(alpha) off the logits' block, in place."""
    last = weights.shape[1] - 1
    products = total * weights[:, :-1, None] * weights[:, None, :]
    diagonal = np.arange(last)
    products[:, diagonal, diagonal] = 0.0
    # 1 - pi_k as the sum of the others.
    products[:, diagonal, diagonal] = -products.sum(axis=-1)
    hessian[:, :last, :last] += products[:, :, :last]


@lru_cache
def _assembly(n_components: int) -> Array:
    """The constant linear map from the sums over rows to the Hessian free of units.

    Off the diagonal blocks it is minus the pair's products; on them, the sum of all pairs with
    the component, plus the component's own second derivatives times its responsibility.
    """
    k_all, width = range(n_components), 2 * n_components + 1
    n_pairs = n_components * (n_components - 1) // 2
    first, second = np.triu_indices(n_components, 1)
    feature = np.array([[0, 1 + k, 1 + n_components + k] for k in k_all])
    table = np.zeros((n_pairs * width**2 + 3 * n_components, 3, n_components, 3, n_components))
    pairs = table[: n_pairs * width**2].reshape(n_pairs, width, width, *table.shape[1:])
    single = table[n_pairs * width**2 :].reshape(3, n_components, *table.shape[1:])
    for p, (j, k) in enumerate(zip(first, second, strict=True)):
        for a in range(3):
            for b in range(3):
                pairs[p, feature[j, a], feature[k, b], a, j, b, k] = -1.0
                pairs[p, feature[k, a], feature[j, b], a, k, b, j] = -1.0
                pairs[p, feature[j, a], feature[j, b], a, j, b, j] = 1.0
                pairs[p, feature[k, a], feature[k, b], a, k, b, k] = 1.0
    for k in k_all:
        single[0, k, 1, k, 1, k] = -1.0
        single[1, k, 1, k, 2, k] = single[1, k, 2, k, 1, k] = -1.0
        single[0, k, 2, k, 2, k] = -0.5
        single[2, k, 2, k, 2, k] = -1.0
    return table.reshape(len(table), -1)
