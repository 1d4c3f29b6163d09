"""Score and Hessian in natural coordinates, the partial derivatives of the course text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.rows import terms, weight_shares, weight_units
from bactrian.likelihood.sums import BLOCK
from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import RowTerms

Array = NDArray[np.float64]


def natural_score(x: Array, w: Array, mixture: NormalMixture) -> Array:
    """Return the natural score (3K,), a sum over rows of positive weights w.

    Source: derivation, "Gradient: means", "Gradient: variances" and "Gradient: mixing weights".
    """
    units = weight_units(x, mixture)

    def unit_free(rows: RowTerms, shares: Array, wb: Array) -> Array:
        return np.asarray(_slopes(rows, shares).reshape(-1, wb.size) @ wb)

    score = _by_blocks(x, w, mixture, units, unit_free)
    with np.errstate(over="ignore", under="ignore"):
        for divisor in _divisors(units, mixture):
            score = score / divisor
    return score


def natural_hessian(x: Array, w: Array, mixture: NormalMixture) -> Array:
    """Return the natural Hessian (3K, 3K), a sum over rows of positive weights w.

    Source: derivation, "Hessian in natural coordinates".
    """
    units = weight_units(x, mixture)
    hessian = _by_blocks(x, w, mixture, units, _unit_free_hessian)
    with np.errstate(over="ignore", under="ignore"):
        for divisor in _divisors(units, mixture):
            hessian = hessian / divisor[:, None] / divisor
    return hessian


def _divisors(units: Array, mixture: NormalMixture) -> tuple[Array, Array]:
    """What to divide by after summing, one after the other.

    A variance, and all the more its square, leaves the range of a double long before the
    derivative does; and a sum of rows that are infinite both ways is not a number.
    """
    ones, sds = np.ones(mixture.n_components), mixture.sds
    return np.concatenate([units, sds, sds]), np.concatenate([ones, ones, sds])


def _slopes(rows: RowTerms, shares: Array) -> Array:
    """Per-row slopes (3, K, n), weights, means and variances counted in their units."""
    r, own = rows.responsibilities, _own_features(rows)
    return np.stack([shares, r, r]) * own


def _own_features(rows: RowTerms) -> Array:
    """The features (3, K, n) of each component: 1, u and (u^2 - 1) / 2."""
    k = len(rows.responsibilities)
    features = rows.features
    return np.stack([np.ones_like(features[1 : k + 1]), features[1 : k + 1], features[k + 1 :]])


def _unit_free_hessian(rows: RowTerms, shares: Array, w: Array) -> Array:
    """The natural Hessian with weights, means and variances counted in their units."""
    r, own = rows.responsibilities, _own_features(rows)
    k = len(r)
    slopes = _slopes(rows, shares).reshape(3 * k, -1)
    hessian = -((slopes * w) @ slopes.T)
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


def _by_blocks(
    x: Array,
    w: Array,
    mixture: NormalMixture,
    units: Array,
    summed: Callable[[RowTerms, Array, Array], Array],
) -> Array:
    """The sum over blocks of rows of a function of their terms, weight shares and weights."""
    parts = []
    with np.errstate(over="ignore", under="ignore"):
        for i in range(0, x.size, BLOCK):
            block = x[i : i + BLOCK]
            rows = terms(block, mixture)
            parts.append(summed(rows, weight_shares(block, rows, mixture, units), w[i : i + BLOCK]))
        return np.asarray(np.sum(parts, axis=0))
