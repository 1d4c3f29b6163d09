"""Row terms for every float: also where a distance, its square or a ratio of sds overflows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.posterior import HALF_LOG_2PI, Array, row_terms
from bactrian.model.wide import Wide

_LARGEST = float(np.finfo(np.float64).max)
_FAR = 2.0**100  # sds from a mean; fourth powers and their sums are still ordinary numbers
_WIDEST = 2.0**200  # sds and their inverses, whose fourth powers are so too


class FarTerms(NamedTuple):
    """What every row-wise quantity is made of, at any finite points, as numbers of any size.

    Attributes
    ----------
    logpdf : (n,) float64
        Natural log of the mixture density; -inf where it is below the smallest double.
    responsibilities : Wide (K, n)
        Posterior probabilities of the components.
    ratios : Wide (K, n)
        Densities of the components over that of the mixture, also where a weight is zero.
    distances : Wide (K, n)
        u = (x - mean) / sd.
    """

    logpdf: Array
    responsibilities: Wide
    ratios: Wide
    distances: Wide


def is_ordinary(low: float, high: float, means: Array, sds: Array) -> bool:
    """Return whether all points of a range are near, for all components, and the sds ordinary.

    Then doubles hold squares and fourth powers of distances, and what they are divided by.
    """
    centres, spreads = means.tolist(), sds.tolist()  # a few numbers: faster than as arrays
    narrowest = min(spreads)
    if not (narrowest > 1.0 / _WIDEST and max(spreads) < _WIDEST):
        return False
    reach = max(high - min(centres), max(centres) - low)
    return bool(reach < _FAR * narrowest)


def common_unit(sds: Array) -> int | None:
    """Return the binary exponent of a unit in which all sds are ordinary; None if there is none.

    Zero, the unit in which they are given, where that will do.
    """
    if sds.min() > 1.0 / _WIDEST and sds.max() < _WIDEST:
        return 0
    low, high = (math.frexp(sd)[1] for sd in (sds.min(), sds.max()))
    return (low + high) // 2 if high - low < math.frexp(_WIDEST)[1] else None


def are_far(x: Array, means: Array, sds: Array) -> NDArray[np.bool_]:
    """Return which points (n,) are too far from a component for squares of squared distances."""
    with np.errstate(over="ignore"):
        return np.asarray((np.abs(x - means[:, None]) / sds[:, None] >= _FAR).any(axis=0))


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
    logpdf, responsibilities, _ = row_terms(inside, weights, means, sds)
    low, high = float(inside.min(initial=0.0)), float(inside.max(initial=0.0))
    if not is_ordinary(low, high, means, sds):
        far = are_far(inside, means, sds)
        if common_unit(sds) is None:
            far = np.isfinite(inside)
        if far.any():
            found = far_terms(inside[far], weights, means, sds)
            logpdf[far] = found.logpdf
            responsibilities[:, far] = found.responsibilities.doubles()
        responsibilities[:, np.isnan(x)] = np.nan
    return np.where(np.isinf(x), -np.inf, logpdf), responsibilities


def far_terms(x: Array, weights: Array, means: Array, sds: Array) -> FarTerms:
    """Return the terms at finite points (n,) of a mixture (K,), however far.

    The log-odds are those of `row_terms`, in the same factored form, of which only the value, a
    double, may overflow.

    Source: derivation, "Responsibilities".
    """
    with np.errstate(over="ignore", divide="ignore"):
        # A component of weight zero is given the weight one: its odds are the ratio wanted.
        held = weights > 0.0
        constant = np.log(np.where(held, weights, 1.0)) - np.log(sds)
        u = (Wide.of(x) - Wide.of(means[:, None])) / Wide.of(sds[:, None])
        every = _Components(constant, Wide.of(means), Wide.of(sds), sds, u)
        best = _best(every, held)
        odds = _odds_against(every, best)
        total = np.exp(odds[held]).sum(axis=0)
        shares = Wide.exp(odds) / Wide.of(total)
        u_best = Wide(*(np.take_along_axis(a, best[None], 0)[0] for a in (u.mantissa, u.exponent)))
        logpdf = constant[best] - 0.5 * (u_best * u_best).doubles()
        logpdf += np.log(total) - HALF_LOG_2PI
    is_held = Wide.of(held[:, None].astype(np.float64))
    ratios = shares / Wide.of(np.where(held, weights, 1.0)[:, None])
    return FarTerms(logpdf, shares * is_held, ratios, u)


class _Components(NamedTuple):
    """Log of weight over sd, mean, sd (K,) and u (K, n) of components."""

    constant: Array
    mean: Wide
    sd: Wide
    sds: Array
    u: Wide

    def odds(self, k: int, ref: int, rows: NDArray[np.bool_]) -> Array:
        """Log posterior odds of component k against another in some rows."""
        narrower, wider = (k, ref) if self.sds[k] <= self.sds[ref] else (ref, k)
        slope = (self.sd[ref] - self.sd[k]) / self.sd[wider]
        shift = (self.mean[ref] - self.mean[k]) / self.sd[wider]
        difference = self.u[narrower][rows] * slope + shift
        product = (self.u[k][rows] + self.u[ref][rows]) * difference
        return np.asarray(self.constant[k] - self.constant[ref] - 0.5 * product.doubles())


def _best(every: _Components, held: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The most probable component of each row, one pair after the other."""
    ks = np.flatnonzero(held)
    best = np.full(every.u.shape[1], ks[0])
    for k in ks[1:]:
        best = np.where(_odds_of(every, k, best) > 0.0, k, best)
    return best


def _odds_against(every: _Components, best: NDArray[np.intp]) -> Array:
    """Log-odds (K, n) of all components against the best one of each row."""
    return np.stack([_odds_of(every, k, best) for k in range(len(every.sds))])


def _odds_of(every: _Components, k: int, best: NDArray[np.intp]) -> Array:
    """Log-odds (n,) of component k against one of each row."""
    found = np.zeros(best.size)
    for ref in np.unique(best):
        if ref != k:
            rows = best == ref
            found[rows] = every.odds(k, int(ref), rows)
    return found
