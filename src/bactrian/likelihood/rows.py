"""Per-row quantities: responsibilities times features, in either system of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.likelihood.far_rows import far_score_rows
from bactrian.likelihood.sums import BLOCK
from bactrian.model.extremes import are_far, common_unit, is_ordinary
from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import RowTerms, row_terms

Array = NDArray[np.float64]

_RARE = 2.0**-500
_INVERTIBLE = 2.0**1020
_SMALLEST = 2.0**-1074  # one over it is infinite


def terms(x: Array, mixture: NormalMixture) -> RowTerms:
    """Return the row terms of a mixture at finite points (n,)."""
    return row_terms(x, mixture.weights, mixture.means, mixture.sds)


def density_ratios(x: Array, rows: RowTerms, mixture: NormalMixture) -> Array:
    """Return phi_k / f (K, n), the free partial derivative of log f with respect to pi_k."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = rows.responsibilities / mixture.weights[:, None]
    for k in np.flatnonzero(mixture.weights == 0.0):
        ratios[k] = _absent_ratios(x, mixture, k)
    return ratios


def weight_units(x: NDArray[np.floating[Any]], mixture: NormalMixture) -> Array:
    """Return units (K,) in which slopes along the weights can be summed: the weights themselves.

    The slopes are responsibilities then. For weights so small that a square of them underflows,
    zero included, it is a power of two that brings the largest phi_k / f below one. That ratio may
    be infinite: what is divided by such a unit in the end is infinite or zero, but not inf - inf.
    """
    units = mixture.weights.copy()
    rare = units < _RARE
    if rare.any():
        largest = np.ones(np.count_nonzero(rare))
        for i in range(0, x.size, BLOCK):
            block: Array = x[i : i + BLOCK].astype(np.float64, copy=False)
            ratios = density_ratios(block, terms(block, mixture), mixture)[rare]
            largest = np.maximum(largest, ratios.max(axis=1))
        power = np.ldexp(1.0, -np.frexp(largest)[1])
        units[rare] = np.where(largest <= _INVERTIBLE, power, _SMALLEST)
    return units


def weight_shares(x: Array, rows: RowTerms, mixture: NormalMixture, units: Array) -> Array:
    """Return phi_k / f (K, n) times the units: responsibilities unless the weight is tiny."""
    shares = rows.responsibilities.copy()
    rare = mixture.weights < _RARE
    if rare.any():
        ratios = density_ratios(x, rows, mixture)[rare]
        shares[rare] = np.minimum(ratios * units[rare, None], 1.0)
    return shares


def _absent_ratios(x: Array, mixture: NormalMixture, k: int | np.intp) -> Array:
    """The ratio phi_k / f (n,) of a component of weight zero: its odds, were its weight one.

    The difference of log phi_k and log f would be noise in rows far from both.
    """
    weights = mixture.weights.copy()
    weights[k] = 1.0
    r = row_terms(x, weights, mixture.means, mixture.sds).responsibilities
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(r[k] / np.delete(r, k, axis=0).sum(axis=0))


def score_rows(x: Array, mixture: NormalMixture, *, natural: bool) -> Array:
    """Return the score (p, n) of each finite row, in natural or in working coordinates.

    Entries beyond the largest double are infinite.

    Source: derivation, "Per-row score and information".
    """
    found = terms(x, mixture)
    scores = (
        natural_score_rows(x, found, mixture) if natural else working_score_rows(found, mixture)
    )
    if not is_ordinary(float(x.min()), float(x.max()), mixture.means, mixture.sds):
        far = are_far(x, mixture.means, mixture.sds)
        if common_unit(mixture.sds) != 0:
            far[:] = True
        if far.any():
            scores[:, far] = far_score_rows(x[far], mixture, natural=natural)
    return scores


def natural_score_rows(x: Array, rows: RowTerms, mixture: NormalMixture) -> Array:
    """Return the per-row natural score (3K, n)."""
    k = mixture.n_components
    r, sds = rows.responsibilities, mixture.sds[:, None]
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate(
            [
                density_ratios(x, rows, mixture),
                r * rows.features[1 : k + 1] / sds,
                # Twice by the sd: the variance itself may leave the range of a double.
                r * rows.features[k + 1 :] / sds / sds,
            ]
        )


def working_score_rows(rows: RowTerms, mixture: NormalMixture) -> Array:
    """Return the per-row working score (3K - 1, n)."""
    k = mixture.n_components
    r, weights = rows.responsibilities, mixture.weights[:, None]
    others = 1.0 - np.eye(k)
    # r_k (1 - pi_k) - pi_k (1 - r_k), both complements as sums of the other components.
    by_logit = r * (others @ weights) - weights * (others @ r)
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate(
            [
                by_logit[:-1],
                r * rows.features[1 : k + 1] / mixture.sds[:, None],
                r * rows.features[k + 1 :],
            ]
        )
