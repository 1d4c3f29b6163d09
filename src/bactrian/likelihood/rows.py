"""Per-row quantities: responsibilities times features, in either system of coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import HALF_LOG_2PI, RowTerms, row_terms

Array = NDArray[np.float64]


def terms(x: Array, mixture: NormalMixture) -> RowTerms:
    """Return the row terms of a mixture at finite points (n,)."""
    return row_terms(x, mixture.weights, mixture.means, mixture.sds)


def density_ratios(rows: RowTerms, mixture: NormalMixture) -> Array:
    """Return phi_k / f (K, n), the free partial derivative of log f with respect to pi_k.

    Where the weight is zero, r / pi is 0 / 0 and the ratio is formed from the logs.
    """
    weights = mixture.weights[:, None]
    k = mixture.n_components
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = rows.responsibilities / weights
        if not (weights > 0.0).all():
            quadratic = rows.features[k + 1 :] + 0.5
            log_phi = -quadratic - np.log(mixture.sds)[:, None] - HALF_LOG_2PI
            ratios = np.where(weights > 0.0, ratios, np.exp(log_phi - rows.logpdf))
    return ratios


def natural_score_rows(rows: RowTerms, mixture: NormalMixture) -> Array:
    """Return the per-row natural score (3K, n)."""
    k = mixture.n_components
    r, sds = rows.responsibilities, mixture.sds[:, None]
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate(
            [
                density_ratios(rows, mixture),
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
    return np.concatenate(
        [
            by_logit[:-1],
            r * rows.features[1 : k + 1] / mixture.sds[:, None],
            r * rows.features[k + 1 :],
        ]
    )
