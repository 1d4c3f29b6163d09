"""Row terms for every float: also where a distance or a ratio of sds overflows."""

from __future__ import annotations

import numpy as np

from bactrian.model.posterior import HALF_LOG_2PI, Array, row_terms

_LARGEST = float(np.finfo(np.float64).max)
_OVERFLOWING = 2.0**1020


def row_terms_anywhere(x: Array, weights: Array, means: Array, sds: Array) -> tuple[Array, Array]:
    """Return log-density (n,) and responsibilities (K, n) at any floats, nan at nan.

    At an infinite point the log-density is -inf, and the responsibilities are those of the
    largest float. Never nan elsewhere.

    Parameters
    ----------
    x : (n,) float64
        Points.
    weights, means, sds : (K,) float64
        The mixture.
    """
    inside = np.clip(x, -_LARGEST, _LARGEST)
    terms = row_terms(inside, weights, means, sds)
    logpdf, responsibilities = terms.logpdf, terms.responsibilities
    extreme = ~np.isfinite(responsibilities).all(axis=0) | np.isnan(logpdf)
    if np.abs(means).max() >= _OVERFLOWING or sds.max() * 1e-300 > sds.min():
        extreme[:] = True
    if extreme.any():
        found = _extreme_rows(inside[extreme], weights, means, sds)
        logpdf[extreme], responsibilities[:, extreme] = found
    return np.where(np.isinf(x), -np.inf, logpdf), responsibilities


def _extreme_rows(x: Array, weights: Array, means: Array, sds: Array) -> tuple[Array, Array]:
    """The terms from plain densities, in a unit in which differences do not overflow."""
    with np.errstate(all="ignore"):
        mean, sd = means[:, None], sds[:, None]
        unit = np.where(np.maximum(np.abs(x), np.abs(mean)) >= _OVERFLOWING, 0.125, 1.0)
        distance = np.abs(x * unit - mean * unit)
        u = distance / sd / unit
        log_joint = np.log(weights)[:, None] - np.log(sd) - HALF_LOG_2PI - 0.5 * u * u
        logpdf = np.logaddexp.reduce(log_joint, axis=0)
        # Where every density underflows beyond the reach of logs, the fewest sds win.
        remoteness = np.where(weights[:, None] > 0.0, np.log(distance / unit) - np.log(sd), np.inf)
        nearest = np.arange(weights.size)[:, None] == remoteness.argmin(axis=0)
        shares = np.where(np.isneginf(logpdf), nearest, np.exp(log_joint - log_joint.max(axis=0)))
        return logpdf, np.where(np.isnan(x), np.nan, shares / shares.sum(axis=0))
