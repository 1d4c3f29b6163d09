"""Log-likelihood, score and Hessian at one mixture, at any finite points."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.kernels import is_worth_compiling
from bactrian.likelihood.derivatives import derivatives
from bactrian.likelihood.far_rows import WideDerivatives, far_derivatives
from bactrian.likelihood.full import full_derivatives
from bactrian.likelihood.natural import natural_derivatives
from bactrian.likelihood.points import Points, in_unit
from bactrian.likelihood.rows import terms
from bactrian.likelihood.sums import BLOCK
from bactrian.model.extremes import are_far, common_unit, is_ordinary
from bactrian.model.mixture import NormalMixture
from bactrian.model.wide import Wide

Array = NDArray[np.float64]

_LOG_2 = math.log(2.0)
_RARE = 2.0**-900  # responsibilities that are near the least double with all its digits
_ROWS = 2**14  # whose log-densities are in memory at a time
_SMALL = -200  # binary order of sds that bring these back into sight


class Sums(NamedTuple):
    """Log-likelihood, score (p,) and Hessian (p, p), sums over rows in doubles."""

    loglike: float
    score: Array
    hessian: Array


def log_likelihood(points: Points, mixture: NormalMixture) -> float:
    """Return the sum of w log f, natural log, in the unit of the data."""
    points, mixture = points.beside(mixture)
    x, w, parameters = points.x, points.w, (mixture.weights, mixture.means, mixture.sds)
    is_near = is_ordinary(points.low, points.high, mixture.means, mixture.sds)
    if is_near and is_worth_compiling(x.size):
        total = float(full_derivatives(x, w, 0.0, 1.0, *parameters).loglike[0])
    else:
        parts = []
        for i in range(0, x.size, _ROWS):
            logpdf = np.asarray(mixture.logpdf(x[i : i + _ROWS]))
            parts.append(logpdf.sum() if w is None else (w[i : i + _ROWS] * logpdf).sum())
        total = float(np.sum(parts))
    if points.exponent:
        total -= float(points.weights.sum()) * points.exponent * _LOG_2
    return total


def all_derivatives(points: Points, mixture: NormalMixture, *, natural: bool) -> Sums:
    """Return log-likelihood, score and Hessian in natural or in working coordinates.

    Entries beyond the largest double are infinite. Ordinary points, which is nearly always all of
    them, are summed in doubles, the others as numbers with an exponent of their own; which they
    are is told from their range, and no row pays for it.
    """
    points, mixture = points.beside(mixture)
    if points.exponent == 0 and is_ordinary(points.low, points.high, mixture.means, mixture.sds):
        found = _near(points.x, points.w, mixture, natural)
        if not (np.isnan(found.score).any() or np.isnan(found.hessian).any()):
            return found
    wide = _anywhere(points, mixture, natural)
    if points.exponent:
        wide = _in_larger_unit(wide, points.exponent, float(points.weights.sum()), natural)
    return Sums(wide.loglike, wide.score.doubles(), wide.hessian.doubles())


def _near(
    x: NDArray[np.floating[Any]], w: Array | None, mixture: NormalMixture, natural: bool
) -> Sums:
    """The sums in doubles over points that are not far."""
    parameters = mixture.weights, mixture.means, mixture.sds
    if not natural and is_worth_compiling(x.size):
        found = full_derivatives(x, w, 0.0, 1.0, *parameters)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            if natural:
                return Sums(*natural_derivatives(x, w, mixture))
            rows: Array = x.astype(np.float64, copy=False)
            w = np.ones(x.size) if w is None else w
            found = derivatives(rows, w, *(array[None] for array in parameters))
    return Sums(float(found.loglike[0]), found.score[0], found.hessian[0])


def _anywhere(points: Points, mixture: NormalMixture, natural: bool) -> WideDerivatives:
    """The sums over near and far points, in the unit of the points."""
    x, w = points.x.astype(np.float64, copy=False), points.weights
    unit = common_unit(mixture.sds)
    inside = None if unit is None else in_unit(mixture, 0.0, unit)
    if unit is None or inside is None:
        return far_derivatives(x, w, mixture, natural=natural)
    far = are_far(x, mixture.means, mixture.sds)
    if unit < _SMALL:
        far[~far] = _has_rare(np.ldexp(x[~far], -unit), inside)
    near = ~far
    parts = []
    if near.any():
        found = _near(np.ldexp(x[near], -unit), w[near], inside, natural)
        if not (np.isfinite(found.score).all() and np.isfinite(found.hessian).all()):
            return far_derivatives(x, w, mixture, natural=natural)
        wide = WideDerivatives(found.loglike, Wide.of(found.score), Wide.of(found.hessian))
        parts.append(_in_larger_unit(wide, unit, float(w[near].sum()), natural))
    if far.any():
        parts.append(far_derivatives(x[far], w[far], mixture, natural=natural))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def _has_rare(x: Array, mixture: NormalMixture) -> NDArray[np.bool_]:
    """Which points have a component whose responsibility lacks digits, or is nothing."""
    return np.concatenate(
        [
            (terms(x[i : i + BLOCK], mixture).responsibilities < _RARE).any(axis=0)
            for i in range(0, x.size, BLOCK)
        ]
        or [np.zeros(0, dtype=bool)]
    )


def _in_larger_unit(
    found: WideDerivatives, exponent: int, total: float, natural: bool
) -> WideDerivatives:
    """The derivatives in the unit 1 of those in the unit 2**exponent, of rows of a total weight."""
    K = (found.score.shape[0] + 1) // 3
    orders = np.repeat([0, -1, -2 if natural else 0], K)[-found.score.shape[0] :] * exponent
    return WideDerivatives(
        found.loglike - total * exponent * _LOG_2,
        found.score.shifted(orders),
        found.hessian.shifted(orders[:, None] + orders),
    )
