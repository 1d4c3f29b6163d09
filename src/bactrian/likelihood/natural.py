"""Score and Hessian in natural coordinates, the partial derivatives of the course text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.rows import density_ratios, natural_score_rows, terms
from bactrian.likelihood.sums import BLOCK
from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import RowTerms

Array = NDArray[np.float64]


def natural_score(x: Array, w: Array, mixture: NormalMixture) -> Array:
    """Return the natural score (3K,), a sum over rows.

    Source: derivation, "Gradient: means", "Gradient: variances" and "Gradient: mixing weights".
    """
    return _by_blocks(x, w, mixture, lambda rows, wb: natural_score_rows(rows, mixture) @ wb)


def natural_hessian(x: Array, w: Array, mixture: NormalMixture) -> Array:
    """Return the natural Hessian (3K, 3K), a sum over rows.

    Source: derivation, "Hessian in natural coordinates".
    """
    k = mixture.n_components
    scale = np.concatenate([np.ones(k), mixture.sds, mixture.sds])
    again = np.concatenate([np.ones(2 * k), mixture.sds])
    hessian = _by_blocks(x, w, mixture, lambda rows, wb: _unit_free(rows, wb, mixture))
    with np.errstate(over="ignore", under="ignore"):
        # One division after the other: sd**4 leaves the range of a double long before the entry.
        for divisor in (scale, again):
            hessian = hessian / divisor[:, None] / divisor
    return hessian


def _unit_free(rows: RowTerms, w: Array, mixture: NormalMixture) -> Array:
    """The natural Hessian with means and variances counted in units of the sd."""
    k = mixture.n_components
    r, features = rows.responsibilities, rows.features
    ratios = density_ratios(rows, mixture)
    own = np.stack([np.ones_like(r), features[1 : k + 1], features[k + 1 :]])
    slopes = np.stack([ratios, r, r]) * own
    hessian = -((slopes * w).reshape(3 * k, -1) @ slopes.reshape(3 * k, -1).T)
    others = (1.0 - np.eye(k)) @ r
    blocks = hessian.reshape(3, k, 3, k)
    counts, first, second = (r * own) @ w
    for j in range(k):
        # r (1 - r), the complement a sum: r - r^2 would lose a saturated row's small part.
        shared = own[:, j] * (w * others[j])
        block = (shared * np.stack([ratios[j], r[j], r[j]])) @ own[:, j].T
        block[:, 0] = block[0]
        block[0, 0] = -((w * ratios[j]) @ ratios[j])
        block[1, 1] -= counts[j]
        block[1, 2] -= first[j]
        block[2, 1] -= first[j]
        block[2, 2] -= 2.0 * second[j] + 0.5 * counts[j]
        blocks[:, j, :, j] = block
    return hessian


def _by_blocks(x, w, mixture, summed):  # type: ignore[no-untyped-def]
    """The sum over blocks of rows of a function of their terms and weights."""
    total = 0.0
    for i in range(0, x.size, BLOCK):
        total = total + summed(terms(x[i : i + BLOCK], mixture), w[i : i + BLOCK])
    return total
