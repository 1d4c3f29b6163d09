"""Coordinates of a mixture: natural and working.

The natural coordinates are the 3K weights, means and variances.

The working coordinates are the 3K - 1 numbers log(pi_k / pi_K) for k < K, the means, and the log
variances: every real vector is a mixture, so that nothing has to be constrained. In doubles a log
variance must be between about -1490 and 1419, where its sd is neither zero nor infinite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]


def to_working(mixture: NormalMixture) -> Array:
    """Return the working coordinates (3K - 1,) of a mixture.

    Raises
    ------
    ParameterError
        If a weight is zero: its logit would be infinite.

    Notes
    -----
    Source: derivation, "Working coordinates".
    """
    need_positive_weights(mixture)
    log_weights = np.log(mixture.weights)
    return np.concatenate(
        [log_weights[:-1] - log_weights[-1], mixture.means, 2.0 * np.log(mixture.sds)]
    )


def need_positive_weights(mixture: NormalMixture) -> None:
    """Refuse a mixture without working coordinates.

    Raises
    ------
    ParameterError
        If a weight is zero: its logit would be infinite.
    """
    if not (mixture.weights > 0.0).all():
        raise ParameterError(
            "A component of weight zero has no finite working coordinates; "
            "leave it out of the mixture, give it a positive weight or use natural coordinates."
        )


def from_working(vector: Array) -> NormalMixture:
    """Return the mixture with the given working coordinates (3K - 1,).

    Raises
    ------
    ParameterError
        If the vector's length is not 3K - 1 for a whole K, or a log variance is so large or small
        that the sd would be infinite or zero as a double: beyond about 1419 or -1490.

    Notes
    -----
    Source: derivation, "Working coordinates".
    """
    vector = np.asarray(vector, dtype=np.float64)
    if vector.ndim != 1 or vector.size % 3 != 2:
        raise ParameterError(
            f"Working coordinates are a vector of 3K - 1 numbers, not of shape {vector.shape}; "
            "pass K - 1 logits, K means and K log variances."
        )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        weights, means, sds = split_working(vector[None])
    if not (np.isfinite(vector).all() and (sds > 0.0).all() and np.isfinite(sds).all()):
        raise ParameterError(
            "Working coordinates must be finite, and log variances between -1490 and 1419, beyond "
            f"which an sd is no positive double, but they are {vector.tolist()}: take a shorter "
            "step, or another unit of the data."
        )
    return NormalMixture(weights[0], means[0], sds[0])


def split_working(vectors: Array) -> tuple[Array, Array, Array]:
    """Weights, means and sds, each (S, K), of working coordinates (S, 3K - 1)."""
    n_components = (vectors.shape[1] + 1) // 3
    logits = np.zeros((len(vectors), n_components))
    logits[:, :-1] = vectors[:, : n_components - 1]
    logits -= logits.max(axis=1, keepdims=True)
    shares = np.exp(logits)
    means = vectors[:, n_components - 1 : 2 * n_components - 1]
    sds = np.exp(0.5 * vectors[:, 2 * n_components - 1 :])
    return shares / shares.sum(axis=1, keepdims=True), means, sds


def join_working(weights: Array, means: Array, sds: Array) -> Array:
    """Working coordinates (S, 3K - 1) of weights, means and sds, each (S, K)."""
    log_weights = np.log(weights)
    return np.concatenate([log_weights[:, :-1] - log_weights[:, -1:], means, 2.0 * np.log(sds)], 1)


def natural_jacobian(mixture: NormalMixture, *, spread: str = "variances") -> Array:
    """Return the derivatives (3K, 3K - 1) of natural coordinates along the working ones.

    Parameters
    ----------
    mixture : NormalMixture
        Where the derivatives are taken.
    spread : {"variances", "sds"}
        What the last K natural coordinates are.

    Notes
    -----
    Source: derivation, "Change of coordinates".
    """
    k = mixture.n_components
    jacobian = np.zeros((3 * k, 3 * k - 1))
    jacobian[:k, : k - 1] = _weights_by_logits(mixture.weights)[:, :-1]
    jacobian[k : 2 * k, k - 1 : 2 * k - 1] = np.eye(k)
    slope = mixture.variances if spread == "variances" else 0.5 * mixture.sds
    jacobian[2 * k :, 2 * k - 1 :] = np.diag(slope)
    return jacobian


def score_to_working(score: Array, mixture: NormalMixture) -> Array:
    """Return the working score (3K - 1,) that belongs to a natural score (3K,).

    Notes
    -----
    Source: derivation, "Change of coordinates".
    """
    return np.asarray(score @ natural_jacobian(mixture))


def hessian_to_working(hessian: Array, score: Array, mixture: NormalMixture) -> Array:
    """Return the working Hessian (3K - 1, 3K - 1) of a natural Hessian and score.

    The second-order term with the score is needed everywhere but at a stationary point.

    Notes
    -----
    Source: derivation, "Change of coordinates".
    """
    k, weights = mixture.n_components, mixture.weights
    jacobian = natural_jacobian(mixture)
    working = jacobian.T @ hessian @ jacobian
    by_logits = _weights_by_logits(weights)
    # d2 pi_j / d alpha_a d alpha_b = d(pi_j (1[a=j] - pi_a)) / d alpha_b
    second = np.eye(k)[:, :, None] * by_logits[:, None, :]
    second -= by_logits[:, None, :] * weights[None, :, None]
    second -= weights[:, None, None] * by_logits[None, :, :]
    curvature = np.einsum("j,jab->ab", score[:k], second)
    working[: k - 1, : k - 1] += curvature[:-1, :-1]
    variances = slice(2 * k - 1, None)
    working[variances, variances] += np.diag(score[2 * k :] * mixture.variances)
    return np.asarray(working)


def _weights_by_logits(weights: Array) -> Array:
    """Derivatives (K, K) of the softmax weights, diagonal without the cancellation of 1 - pi."""
    table = -np.outer(weights, weights)
    np.fill_diagonal(table, 0.0)
    np.fill_diagonal(table, -table.sum(axis=1))
    return table
