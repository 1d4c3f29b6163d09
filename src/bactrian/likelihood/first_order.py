"""The score from sums over rows that were taken elsewhere: in a database, on a cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def working_score(sums: Array, weights: Array, sds: Array) -> Array:
    """Return the score (3K - 1,) in working coordinates.

    Parameters
    ----------
    sums : (3, K) float64
        Sums over rows of w r_k, of w r_k u_k and of w r_k (u_k^2 - 1) / 2.
    weights, sds : (K,) float64
        Of the mixture.

    Notes
    -----
    Source: derivation, "Working coordinates".
    """
    counts, first, second = sums
    # pi_j N_k - pi_k N_j over the others, and not N_k - W pi_k, where a rare component would drown
    # in the rounding of W.
    by_logit = (np.outer(weights, counts) - np.outer(counts, weights)).sum(axis=0)
    return np.concatenate([by_logit[:-1], first / sds, second])
