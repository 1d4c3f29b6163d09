"""Two components side by side: where one overtakes the other, and what they share."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bactrian.model.crossings import pair_points
from bactrian.model.posterior import Array

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture

_INVERSE_SQRT_2PI = 0.3989422804014327


class Component(NamedTuple):
    """A normal law."""

    mean: float
    sd: float

    def standardized(self, x: float) -> float:
        """Return the distance of x from the mean in sds; infinite at infinity."""
        return (x - self.mean) / self.sd

    def below(self, x: float) -> float:
        """Return the share of the component below x."""
        return 0.5 * math.erfc(-self.standardized(x) * math.sqrt(0.5))

    def above(self, x: float) -> float:
        """Return the share of the component above x."""
        return 0.5 * math.erfc(self.standardized(x) * math.sqrt(0.5))

    def between(self, low: float, high: float) -> float:
        """Return the share of the component in an interval, from the tail that is smaller."""
        if low > self.mean:
            return self.above(low) - self.above(high)
        return self.below(high) - self.below(low)


class Pair(NamedTuple):
    """Two components of a mixture, and the log-odds of the upper one before x is seen."""

    lower: Component
    upper: Component
    log_odds: float

    @property
    def upper_share(self) -> float:
        """The share of the upper component among the two."""
        return 1.0 / (1.0 + math.exp(-self.log_odds)) if self.log_odds > -709.0 else 0.0

    @property
    def lower_share(self) -> float:
        """The share of the lower component among the two."""
        return 1.0 / (1.0 + math.exp(self.log_odds)) if self.log_odds < 709.0 else 0.0


class Meeting(NamedTuple):
    """Where the upper component overtakes the lower one, and where it falls back; or NaN."""

    overtaking: float
    falling_back: float


class Shared(NamedTuple):
    """The integral of the smaller of two weighted densities, and its slopes.

    The slopes are along the log-odds and, each as (lower, upper), the means and log variances.
    """

    value: float
    by_log_odds: float
    by_means: tuple[float, float]
    by_log_variances: tuple[float, float]


def pair_of(mixture: NormalMixture, lower: int, upper: int, log_odds: float | None = None) -> Pair:
    """Return two components of a mixture, counted from 0.

    Parameters
    ----------
    mixture : NormalMixture
        The mixture.
    lower, upper : int
        Which two.
    log_odds : float, optional
        Of the upper one before x is seen; those of the mixing weights if absent, NaN where one of
        these is zero.
    """
    if log_odds is None:
        shares = mixture.weights[lower], mixture.weights[upper]
        known = min(shares) > 0.0
        log_odds = float(np.log(shares[1]) - np.log(shares[0])) if known else math.nan
    ends = [Component(float(mixture.means[k]), float(mixture.sds[k])) for k in (lower, upper)]
    return Pair(ends[0], ends[1], log_odds)


def meeting(pair: Pair) -> Meeting:
    """Return where the upper component overtakes the lower one with rising x, and falls back.

    Of two crossings the first is the one nearer to the middle of the means.

    Notes
    -----
    Source: derivation, "Thresholds".
    """
    upper_is_wide = pair.upper.sd >= pair.lower.sd
    narrow, wide = (pair.lower, pair.upper) if upper_is_wide else (pair.upper, pair.lower)
    log_odds = -pair.log_odds if upper_is_wide else pair.log_odds
    if math.isnan(log_odds):
        return Meeting(math.nan, math.nan)
    height = log_odds + math.log(wide.sd / narrow.sd)
    near, far = (*pair_points(*narrow, *wide, height), math.nan, math.nan)[:2]
    # In the usual order of the means the log-odds rise between them, and at the nearer point.
    turned = (narrow.mean >= wide.mean) == upper_is_wide
    found = Meeting(far, near) if turned else Meeting(near, far)
    return Meeting(*(x if math.isfinite(x) else math.nan for x in found))


def extreme(pair: Pair) -> tuple[float, float]:
    """Return the point and the value of the highest or lowest log-odds of the upper component.

    They are highest where it is the narrower one. NaN with equal sds.
    """
    upper_is_wide = pair.upper.sd >= pair.lower.sd
    narrow, wide = (pair.lower, pair.upper) if upper_is_wide else (pair.upper, pair.lower)
    ratio = narrow.sd / wide.sd
    unequal = (wide.sd - narrow.sd) / wide.sd * (1.0 + ratio)
    if unequal == 0.0:
        return math.nan, math.nan
    distance = (narrow.mean - wide.mean) / wide.sd
    most = 0.5 * distance * distance / unequal - math.log(ratio)
    point = narrow.mean + narrow.sd * (ratio * distance / unequal)
    return point, pair.log_odds + (-most if upper_is_wide else most)


def shared(pair: Pair) -> Shared:
    """Return the integral of the smaller of the two weighted densities, with its slopes.

    This is the error rate of calling each x by its more probable component. The crossings count
    as fixed in the slopes: there the two densities are equal, so that moving one changes nothing.

    Notes
    -----
    Source: derivation, "Thresholds".
    """
    components, shares = (pair.lower, pair.upper), (pair.lower_share, pair.upper_share)
    points = sorted(x for x in meeting(pair) if math.isfinite(x))
    edges = [-math.inf, *points, math.inf]
    loser = _first_loser(pair, len(points))
    lost, by_mean, by_log_variance = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
    for low, high in pairwise(edges):
        its = components[loser]
        lost[loser] += its.between(low, high)
        heights = [
            _INVERSE_SQRT_2PI * math.exp(-0.5 * its.standardized(x) ** 2) for x in (low, high)
        ]
        by_mean[loser] -= shares[loser] * (heights[1] - heights[0]) / its.sd
        moments = [
            height * its.standardized(x) if height else 0.0
            for x, height in zip((low, high), heights, strict=True)
        ]
        by_log_variance[loser] -= 0.5 * shares[loser] * (moments[1] - moments[0])
        loser = 1 - loser
    value = shares[0] * lost[0] + shares[1] * lost[1]
    by_log_odds = shares[0] * shares[1] * (lost[1] - lost[0])
    return Shared(
        value, by_log_odds, (by_mean[0], by_mean[1]), (by_log_variance[0], by_log_variance[1])
    )


def _first_loser(pair: Pair, n_points: int) -> int:
    """Which component, 0 or 1, is the less probable one at minus infinity."""
    if pair.lower.sd != pair.upper.sd:
        return 0 if pair.lower.sd < pair.upper.sd else 1
    if n_points:
        return 1 if pair.lower.mean < pair.upper.mean else 0
    return 1 if pair.log_odds < 0.0 else 0


def shared_slopes(found: Shared, n_components: int, lower: int, upper: int) -> Array:
    """Return these slopes (3K - 1,) along the working coordinates of the mixture."""
    slopes = log_odds_slopes(n_components, lower, upper) * found.by_log_odds
    for which, k in enumerate((lower, upper)):
        slopes[n_components - 1 + k] = found.by_means[which]
        slopes[2 * n_components - 1 + k] = found.by_log_variances[which]
    return slopes


def log_odds_slopes(n_components: int, lower: int, upper: int) -> Array:
    """Return the slopes (3K - 1,) of the log-odds of two weights along working coordinates."""
    slopes = np.zeros(3 * n_components - 1)
    last = n_components - 1  # its logit is zero by definition
    if upper < last:
        slopes[upper] = 1.0
    if lower < last:
        slopes[lower] = -1.0
    return slopes
