"""Score and Hessian in natural coordinates, the partial derivatives of the course text."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.rows import terms, weight_shares, weight_units
from bactrian.likelihood.sums import BLOCK
from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import RowTerms

Array = NDArray[np.float64]


class NaturalDerivatives(NamedTuple):
    """Log-likelihood, score (3K,) and Hessian (3K, 3K), sums over rows."""

    loglike: float
    score: Array
    hessian: Array


def natural_derivatives(
    x: NDArray[np.floating[Any]], w: Array | None, mixture: NormalMixture
) -> NaturalDerivatives:
    """Return the derivatives with respect to all weights, means and variances.

    Rows, float64 or float32, have positive weights w; None for one each.

    Source: derivation, "Gradient: means", "Gradient: variances", "Gradient: mixing weights" and
    "Hessian in natural coordinates".
    """
    units = weight_units(x, mixture)
    loglikes, scores, hessians = [], [], []
    with np.errstate(over="ignore", under="ignore"):
        for i in range(0, x.size, BLOCK):
            block: Array = x[i : i + BLOCK].astype(np.float64, copy=False)
            wb = np.ones(block.size) if w is None else w[i : i + BLOCK]
            rows = terms(block, mixture)
            shares = weight_shares(block, rows, mixture, units)
            loglikes.append((wb * rows.logpdf).sum())
            own = _own_features(rows)
            slopes = np.stack([shares, rows.responsibilities, rows.responsibilities]) * own
            scores.append(slopes.reshape(-1, wb.size) @ wb)
            hessians.append(_unit_free_hessian(rows, shares, own, slopes, wb))
        score, hessian = np.sum(scores, axis=0), np.sum(hessians, axis=0)
        for divisor in _divisors(units, mixture):
            score = score / divisor
            hessian = hessian / divisor[:, None] / divisor
    return NaturalDerivatives(float(np.sum(loglikes)), score, hessian)


def _divisors(units: Array, mixture: NormalMixture) -> tuple[Array, Array]:
    """What to divide by after summing, one after the other.

    A variance, and all the more its square, leaves the range of a double long before the
    derivative does; and a sum of rows that are infinite both ways is not a number.
    """
    ones, sds = np.ones(mixture.n_components), mixture.sds
    return np.concatenate([units, sds, sds]), np.concatenate([ones, ones, sds])


def _own_features(rows: RowTerms) -> Array:
    """The features (3, K, n) of each component: 1, u and (u^2 - 1) / 2."""
    k = len(rows.responsibilities)
    features = rows.features
    return np.stack([np.ones_like(features[1 : k + 1]), features[1 : k + 1], features[k + 1 :]])


def _unit_free_hessian(rows: RowTerms, shares: Array, own: Array, slopes: Array, w: Array) -> Array:
    """The natural Hessian with weights, means and variances counted in their units."""
    r, k = rows.responsibilities, len(rows.responsibilities)
    flat = slopes.reshape(3 * k, -1)
    hessian = -((flat * w) @ flat.T)
    others = (1.0 - np.eye(k)) @ r
    blocks = hessian.reshape(3, k, 3, k)
    counts, first, second = (r * own) @ w
    for j in range(k):
        # r (1 - r), the complement a sum: r - r^2 would lose a saturated row's small part.
        shared = own[:, j] * (w * others[j])
        block = (shared * np.stack([shares[j], r[j], r[j]])) @ own[:, j].T
        block[:, 0] = block[0]
        block[0, 0] = -((w * shares[j]) @ shares[j])
        block[1, 1] -= counts[j]
        block[1, 2] -= first[j]
        block[2, 1] -= first[j]
        block[2, 2] -= 2.0 * second[j] + 0.5 * counts[j]
        blocks[:, j, :, j] = block
    return hessian
