"""Constraints as equations: what a mixture must fulfil, and by how much it does not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]


class Equations(NamedTuple):
    """Independent equations g = 0 at one mixture.

    Attributes
    ----------
    residuals : (m,) float64
        g, free of units but for the means.
    slopes : (m, 3K - 1) float64
        Their derivatives along the working coordinates.
    """

    residuals: Array
    slopes: Array


def equations(constraints: Constraints, mixture: NormalMixture) -> Equations:
    """Return the equations that make the set of mixtures; bounds are none.

    There are as many as the set has fewer free parameters than the set of all mixtures.

    Notes
    -----
    Source: derivation, "Constraints".
    """
    parts = [_of_weights(constraints, mixture), _of_means(constraints, mixture),
             _of_sds(constraints, mixture)]  # fmt: skip
    residuals = np.concatenate([part.residuals for part in parts])
    return Equations(residuals, np.concatenate([part.slopes for part in parts]))


def _of_weights(constraints: Constraints, mixture: NormalMixture) -> Equations:
    """Log(pi_k / pi_F) = its value, pi_F the sum of the free weights, or the last if none is."""
    k = mixture.n_components
    held, free = np.setdiff1d(np.arange(k), constraints.free_weights), constraints.free_weights
    if held.size == k:
        held, free = held[:-1], held[-1:]
    rest = mixture.weights[free].sum()
    slopes = np.eye(k)[held]
    slopes[:, free] = -mixture.weights[free] / rest
    values = constraints.weights[held, 0]
    known = np.log(values) - np.log1p(-values.sum())
    padded = np.zeros((held.size, 3 * k - 1))
    padded[:, : k - 1] = slopes[:, :-1]
    return Equations(np.log(mixture.weights[held] / rest) - known, padded)


def _of_means(constraints: Constraints, mixture: NormalMixture) -> Equations:
    """mu_k = its fixed value."""
    k = mixture.n_components
    held = np.setdiff1d(np.arange(k), constraints.free_means)
    slopes = np.eye(3 * k - 1)[k - 1 + held]
    return Equations(mixture.means[held] - constraints.means[held, 0], slopes)


def _of_sds(constraints: Constraints, mixture: NormalMixture) -> Equations:
    """Log sigma_k^2 = its fixed value, or that of the first with the known ratio."""
    k, identity = mixture.n_components, np.eye(3 * mixture.n_components - 1)
    log_variances = 2.0 * np.log(mixture.sds)
    if constraints.sd_ratios is not None and constraints.free_sds.size:
        offsets = 2.0 * np.log(constraints.sd_ratios)
        apart = (log_variances - offsets)[1:] - (log_variances - offsets)[0]
        return Equations(apart, identity[2 * k :] - identity[2 * k - 1])
    held = np.setdiff1d(np.arange(k), constraints.free_sds)
    values = 2.0 * np.log(constraints.sds[held, 0])
    return Equations(log_variances[held] - values, identity[2 * k - 1 + held])
