"""Gauss rules from Chebyshev moments: a few points that stand for all the rows of a bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Of a bin's weight: a mean square of an orthogonal polynomial below this is what rounding leaves in
# sums over a million equal rows; fewer points then carry the same moments. Its ratio to the one
# before is no measure: three points within a tenth of a bin have one that small by right.
_LEAST_SQUARE = 1e-11
_OUTSIDE = 1e-9


def gauss_rules(moments: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Return the nodes of all bins as one list: their bins (m,), places t (m,), weights (m,).

    Parameters
    ----------
    moments : (B, 2q) float64
        Sums of w T_p(t), p = 0..2q-1, over rows with t in [-1, 1]; positive at p = 0.

    Returns
    -------
    Up to q nodes a bin, ascending within it, inside [-1, 1], weights positive, exact for
    polynomials of degree below 2q. A bin with fewer than q distinct points has those points.

    Notes
    -----
    Modified Chebyshev algorithm (Sack and Donovan 1972; Wheeler 1974), then the eigenvectors of
    the Jacobi matrix (Golub and Welsch 1969).
    """
    order, alpha, beta = _recurrence(moments)
    n_bins, q = alpha.shape
    nodes, shares = np.zeros((n_bins, q)), np.zeros((n_bins, q))
    left = np.arange(n_bins)
    while left.size:
        for m in range(1, q + 1):
            some = left[order[left] == m]
            nodes[some, :m], shares[some, :m] = _eigen_rule(alpha[some, :m], beta[some, :m])
        # Rounding can throw a node of almost no weight far out of its bin; a lower order has none.
        worst = np.abs(nodes[left]).max(axis=1)
        left = left[(worst > 1.0 + _OUTSIDE) & (order[left] > 1)]
        order[left] -= 1
        nodes[left], shares[left] = 0.0, 0.0
    used = np.arange(q) < order[:, None]
    bins = np.repeat(np.arange(n_bins), order)
    weights = (moments[:, :1] * shares)[used]
    kept = weights > 0.0
    return bins[kept], np.clip(nodes[used], -1.0, 1.0)[kept], weights[kept]


def _recurrence(moments: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Orders (B,) and recurrence coefficients, each (B, q), of the bins' orthogonal polynomials."""
    n_bins, n_moments = moments.shape
    q = n_moments // 2
    monic = 0.5 ** np.maximum(np.arange(n_moments) - 1, 0)  # T_p over its leading coefficient
    reference = np.full(n_moments, 0.25)
    reference[:2] = 0.0, 0.5
    current = moments / moments[:, :1] * monic
    previous = np.zeros_like(current)
    order = np.ones(n_bins, dtype=np.intp)
    alpha, beta = np.zeros((n_bins, q)), np.zeros((n_bins, q))
    alpha[:, 0] = current[:, 1]
    going = np.ones(n_bins, dtype=bool)
    for k in range(1, q):
        inner = slice(k, n_moments - k)
        following = np.zeros_like(current)
        following[:, inner] = (
            current[:, k + 1 : n_moments - k + 1]
            - alpha[:, k - 1 : k] * current[:, inner]
            - beta[:, k - 1 : k] * previous[:, inner]
            + reference[inner] * current[:, k - 1 : n_moments - k - 1]
        )
        going &= following[:, k] > _LEAST_SQUARE
        safe = np.where(going, following[:, k], 1.0)
        beta[going, k] = (safe / current[:, k - 1])[going]
        alpha[:, k] = following[:, k + 1] / safe - current[:, k] / current[:, k - 1]
        order += going
        previous, current = current, np.where(going[:, None], following, 1.0)
    return order, alpha, beta


def _eigen_rule(alpha: Array, beta: Array) -> tuple[Array, Array]:
    """Nodes and shares, each (B, m), of Gauss rules of one order."""
    m = alpha.shape[1]
    jacobi = np.zeros((len(alpha), m, m))
    diagonal = np.arange(m)
    jacobi[:, diagonal, diagonal] = alpha
    jacobi[:, diagonal[1:], diagonal[:-1]] = np.sqrt(beta[:, 1:])  # eigh reads the lower triangle
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes, vectors[:, 0, :] ** 2
