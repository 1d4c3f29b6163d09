"""Quantile residuals: where each value would be if the fitted mixture were the standard normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bactrian.model.log_tails import areas
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

_POLISHED = 1e8  # sds beyond which a Newton step would have no digit to mend
_LOG_ROOT_2PI = 0.9189385332046727


def quantile_residuals(values: ArrayLike, mixture: NormalMixture) -> Array:
    """Return the standard normal quantiles of F(x), F the distribution function of a mixture.

    They are standard normal where the values are drawn from the mixture, and for one component
    they are (x - mean) / sd.

    Parameters
    ----------
    values : array_like
        Of any shape, in the unit of the mixture; nan gives nan.
    mixture : NormalMixture
        What the values are compared with.

    Notes
    -----
    From the logarithm of the smaller tail, so that the residual of a value 60 or a million sds out
    is as exact as any. Source: derivation, "Goodness of fit".
    """
    shape = np.shape(values)
    found = areas(np.ravel(values), mixture)
    below = found.log_lower <= found.log_upper
    size = -_normal_quantile(np.where(below, found.log_lower, found.log_upper))
    far = np.isinf(size)
    if far.any():
        # The logarithm of the tail overflows: the component nearest to it is all there is.
        held = mixture.weights > 0.0
        with np.errstate(over="ignore"):
            away = np.ravel(values)[far] - mixture.means[held, None]
            size[far] = (np.abs(away) / mixture.sds[held, None]).min(axis=0)
    residuals: Array = np.where(below, -size, size).reshape(shape)[()]
    return residuals


def _normal_quantile(log_area: Array) -> Array:
    """The standard normal quantiles of areas (n,) up to a half, from their logarithms."""
    from scipy.special import log_ndtr, ndtri_exp

    found = np.asarray(ndtri_exp(log_area))
    near = np.abs(found) < _POLISHED
    u = found[near]
    # SciPy's own iteration stops at 1e-12 beyond 40 sds.
    reached = log_ndtr(u)
    slope = np.exp(-reached - 0.5 * u * u - _LOG_ROOT_2PI)
    found[near] = u - (reached - log_area[near]) / slope
    return found
