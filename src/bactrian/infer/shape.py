"""How far apart two components are, as quantities with slopes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.quantity import Quantity
from bactrian.model.mixture import NormalMixture
from bactrian.model.modes import balance_turns
from bactrian.model.pairs import log_odds_slopes, pair_of, shared, shared_slopes

Array = NDArray[np.float64]


def shape_quantities(lower: int, upper: int) -> tuple[Quantity, ...]:
    """Return the separation, Ashman's D, the overlap, the Bayes error and the bimodality.

    Parameters
    ----------
    lower, upper : int
        The two components, counted from 0.

    Notes
    -----
    Source: derivation, "Thresholds".
    """
    two = lower, upper

    def distance(name: str, pooled: bool) -> Quantity:
        return Quantity(
            name,
            lambda mixture: _distance(mixture, *two, pooled),
            "log",
            "none",
            lambda mixture: _distance_slopes(mixture, *two, pooled),
        )

    def common(name: str, prior: float | None, factor: float) -> Quantity:
        return Quantity(
            name,
            lambda mixture: factor * shared(pair_of(mixture, *two, prior)).value,
            "logit",
            "none",
            lambda mixture: factor * _common_slopes(mixture, *two, prior),
        )

    return (
        distance("separation", True),
        distance("Ashman's D", False),
        common("overlap", 0.0, 2.0),
        common("Bayes error", None, 1.0),
        Quantity(
            "bimodality",
            lambda mixture: _bimodality(mixture, *two)[0],
            "identity",
            "none",
            lambda mixture: _bimodality_slopes(mixture, *two),
            has_kinks=True,  # either hump may be the first to be lost
        ),
    )


def _pooling(mixture: NormalMixture, lower: int, upper: int, pooled: bool) -> tuple[float, float]:
    """The weights of the two variances: the shares of the components, or one half each."""
    if not pooled:
        return 0.5, 0.5
    pair = pair_of(mixture, lower, upper)
    return pair.lower_share, pair.upper_share


def _distance(mixture: NormalMixture, lower: int, upper: int, pooled: bool) -> float:
    """The distance of the means in units of a pooled sd."""
    p, q = _pooling(mixture, lower, upper, pooled)
    variance = p * mixture.sds[lower] ** 2 + q * mixture.sds[upper] ** 2
    return float(abs(mixture.means[upper] - mixture.means[lower]) / math.sqrt(variance))


def _distance_slopes(mixture: NormalMixture, lower: int, upper: int, pooled: bool) -> Array:
    """Its slopes."""
    k = mixture.n_components
    (p, q), value = (
        _pooling(mixture, lower, upper, pooled),
        _distance(mixture, lower, upper, pooled),
    )
    own, other = float(mixture.sds[lower] ** 2), float(mixture.sds[upper] ** 2)
    variance = p * own + q * other
    found = np.zeros(3 * k - 1)
    if pooled:
        by_share = -0.5 * value * p * q * (other - own) / variance
        found = log_odds_slopes(k, lower, upper) * by_share
    sign = math.copysign(1.0, mixture.means[upper] - mixture.means[lower])
    found[k - 1 + upper] = sign / math.sqrt(variance)
    found[k - 1 + lower] = -sign / math.sqrt(variance)
    found[2 * k - 1 + lower] = -0.5 * value * p * own / variance
    found[2 * k - 1 + upper] = -0.5 * value * q * other / variance
    return found


def _common_slopes(mixture: NormalMixture, lower: int, upper: int, prior: float | None) -> Array:
    """The slopes of the integral of the smaller of two weighted densities."""
    found = shared(pair_of(mixture, lower, upper, prior))
    if prior is not None:
        found = found._replace(by_log_odds=0.0)
    return shared_slopes(found, mixture.n_components, lower, upper)


def _bimodality(mixture: NormalMixture, lower: int, upper: int) -> tuple[float, float, float]:
    """The change of the log-odds of the weights that makes two humps one, where, and its sign.

    NaN where no weights make the density of the two bimodal.
    """
    pair = pair_of(mixture, lower, upper)
    turns = balance_turns(pair.lower, pair.upper)
    if math.isnan(turns[0]) or math.isnan(pair.log_odds):
        return math.nan, math.nan, math.nan

    def balance(x: float) -> float:
        u, v = pair.lower.standardized(x), pair.upper.standardized(x)
        rise = -0.5 * v * v + math.log(-v) - 2.0 * math.log(pair.upper.sd)
        return pair.log_odds + rise - (-0.5 * u * u + math.log(u) - 2.0 * math.log(pair.lower.sd))

    lost_lower, lost_upper = -balance(turns[0]), balance(turns[1])
    if lost_lower < lost_upper:
        return lost_lower, turns[0], -1.0
    return lost_upper, turns[1], 1.0


def _bimodality_slopes(mixture: NormalMixture, lower: int, upper: int) -> Array:
    """Its slopes: the point counts as fixed, since the balance turns there."""
    k = mixture.n_components
    _, x, sign = _bimodality(mixture, lower, upper)
    u = (x - mixture.means[lower]) / mixture.sds[lower]
    v = (x - mixture.means[upper]) / mixture.sds[upper]
    found = log_odds_slopes(k, lower, upper)
    found[k - 1 + lower] = -(u - 1.0 / u) / mixture.sds[lower]
    found[k - 1 + upper] = (v - 1.0 / v) / mixture.sds[upper]
    found[2 * k - 1 + lower] = -0.5 * (u * u - 3.0)
    found[2 * k - 1 + upper] = 0.5 * (v * v - 3.0)
    return np.asarray(sign * found)
