"""Score and Hessian in working coordinates, assembled from the sums over rows."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.sums import Sums, sum_rows
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


def derivatives(x: Array, w: Array, weights: Array, means: Array, sds: Array) -> Derivatives:
    """Return the derivatives at parameters of shape (S, K), components in any order.

    Source: derivation, "Working coordinates" and "Hessian in working coordinates".
    """
    order = widest_last(weights, sds)
    row = np.arange(len(order))[:, None]
    n_components = order.shape[1]
    in_order = n_components == 1 or bool((order[:, 1:] > order[:, :-1]).all())
    if not in_order:
        weights, means, sds = weights[row, order], means[row, order], sds[row, order]
    sums = sum_rows(x, w, weights, means, sds)
    score, hessian = _complete(sums, weights, sds)
    counts, spreads = sums.single[:, 0], sums.single[:, 1:]
    if not in_order:
        back = order.argsort(axis=-1)
        entry = np.concatenate([back, back + n_components, back + 2 * n_components], axis=1)
        score = score[row, entry]
        hessian = hessian[row[..., None], entry[..., None], entry[:, None, :]]
        counts = counts[row, back]
        spreads = spreads[row[..., None], np.arange(2)[:, None], back[:, None, :]]
    kept = _kept(n_components)
    return Derivatives(
        sums.loglike, score[:, kept], hessian[:, kept][:, :, kept], counts, spreads
    )


def _complete(sums: Sums, weights: Array, sds: Array) -> tuple[Array, Array]:
    """Score (S, 3K) and Hessian (S, 3K, 3K) with all K logits kept."""
    n_batch, n_components = weights.shape
    single = sums.single
    products = single[:, 0, :, None] * weights[:, None, :]
    score = single.copy()
    # pi_j N_k - pi_k N_j, not N_k - W pi_k: a rare component would drown in the rounding of W.
    score[:, 0] = (products - products.swapaxes(1, 2)).sum(axis=-1)
    score[:, 1] /= sds
    flat = np.concatenate([sums.pairs.reshape(n_batch, -1), single.reshape(n_batch, -1)], axis=1)
    hessian = (flat @ _assembly(n_components)).reshape(n_batch, 3, n_components, 3, n_components)
    hessian[:, 1] /= sds[:, :, None, None]
    hessian[:, :, :, 1] /= sds[:, None, None, :]
    prior = sums.total * weights[:, :, None] * weights[:, None, :]
    diagonal = np.arange(n_components)
    prior[:, diagonal, diagonal] = 0.0
    prior[:, diagonal, diagonal] = -prior.sum(axis=-1)
    hessian[:, 0, :, 0] += prior
    size = 3 * n_components
    return score.reshape(n_batch, size), hessian.reshape(n_batch, size, size)


@lru_cache
def _kept(n_components: int) -> slice | NDArray[np.intp]:
    """Working coordinates among the 3K: the last logit is the gauge."""
    return np.delete(np.arange(3 * n_components), n_components - 1)


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
