"""Kinds of cut between two components, each a smooth function of the mixture with its slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.quantity import Quantity
from bactrian.model.mixture import NormalMixture
from bactrian.model.modes import valley
from bactrian.model.pairs import Pair, log_odds_slopes, meeting, pair_of

Array = NDArray[np.float64]

_INVERSE_SQRT_2PI = 0.3989422804014327


class Cut(Protocol):
    """A point that a mixture defines; components are counted from 0."""

    @property
    def lower(self) -> int:
        """The component below the cut."""
        ...

    @property
    def upper(self) -> int:
        """The component above the cut."""
        ...

    def at(self, mixture: NormalMixture) -> float:
        """Return the cut of a mixture, NaN where it has none."""
        ...

    def slopes(self, mixture: NormalMixture, x: float) -> Array:
        """Return the slopes (3K - 1,) of the cut x along the working coordinates."""
        ...


@dataclass(frozen=True, slots=True)
class LevelCut:
    """Where the log-odds of the upper component rise through a level.

    Attributes
    ----------
    lower, upper : int
        The two components.
    level : float
        Log-odds of the upper component at the cut.
    prior : float or None
        Log-odds before x is seen, in another population; those of the mixing weights if None.
    """

    lower: int
    upper: int
    level: float = 0.0
    prior: float | None = None

    def pair(self, mixture: NormalMixture) -> Pair:
        """Return the two components with the log-odds in excess of the level."""
        own = pair_of(mixture, self.lower, self.upper, self.prior)
        return own._replace(log_odds=own.log_odds - self.level)

    def at(self, mixture: NormalMixture) -> float:
        """Return the cut of a mixture, NaN where it has none."""
        return meeting(self.pair(mixture)).overtaking

    def other(self, mixture: NormalMixture) -> float:
        """Return where the log-odds fall through the level again, NaN where they do not."""
        return meeting(self.pair(mixture)).falling_back

    def slopes(self, mixture: NormalMixture, x: float) -> Array:
        """Return the slopes (3K - 1,) of the cut x along the working coordinates.

        Notes
        -----
        Source: derivation, "Thresholds".
        """
        k, pair = mixture.n_components, self.pair(mixture)
        found = log_odds_slopes(k, self.lower, self.upper) * float(self.prior is None)
        u, v = pair.lower.standardized(x), pair.upper.standardized(x)
        found[k - 1 + self.lower] = -u / pair.lower.sd
        found[k - 1 + self.upper] = v / pair.upper.sd
        found[2 * k - 1 + self.lower] = 0.5 * (1.0 - u * u)
        found[2 * k - 1 + self.upper] = -0.5 * (1.0 - v * v)
        return -found / (u / pair.lower.sd - v / pair.upper.sd or math.nan)  # 0 where x is too far


@dataclass(frozen=True, slots=True)
class OtherCut:
    """Where those log-odds fall through the level again."""

    main: LevelCut

    @property
    def lower(self) -> int:
        """The component below the main cut."""
        return self.main.lower

    @property
    def upper(self) -> int:
        """The component above the main cut."""
        return self.main.upper

    def at(self, mixture: NormalMixture) -> float:
        """Return the point of a mixture, NaN where it has none."""
        return self.main.other(mixture)

    def slopes(self, mixture: NormalMixture, x: float) -> Array:
        """Return the slopes (3K - 1,) of the point x along the working coordinates."""
        return self.main.slopes(mixture, x)


@dataclass(frozen=True, slots=True)
class QuantileCut:
    """A quantile of one of the two components, in sds from its mean.

    Attributes
    ----------
    lower, upper : int
        The two components.
    of_upper : bool
        Whose quantile it is.
    distance : float
        In sds from that mean, upwards.
    """

    lower: int
    upper: int
    of_upper: bool
    distance: float

    def at(self, mixture: NormalMixture) -> float:
        """Return the cut of a mixture."""
        k = self.upper if self.of_upper else self.lower
        return float(mixture.means[k] + mixture.sds[k] * self.distance)

    def slopes(self, mixture: NormalMixture, x: float) -> Array:
        """Return the slopes (3K - 1,) of the cut x along the working coordinates."""
        size, k = mixture.n_components, self.upper if self.of_upper else self.lower
        found = np.zeros(3 * size - 1)
        found[size - 1 + k] = 1.0
        found[2 * size - 1 + k] = 0.5 * mixture.sds[k] * self.distance
        return found


@dataclass(frozen=True, slots=True)
class ValleyCut:
    """The lowest point of the mixture's density between the means of the two components."""

    lower: int
    upper: int

    def at(self, mixture: NormalMixture) -> float:
        """Return the cut of a mixture, NaN where the density has no minimum there."""
        return valley(mixture, float(mixture.means[self.lower]), float(mixture.means[self.upper]))

    def slopes(self, mixture: NormalMixture, x: float) -> Array:
        """Return the slopes (3K - 1,) of the cut x along the working coordinates.

        Notes
        -----
        Source: derivation, "Thresholds".
        """
        if math.isnan(x):
            return np.full(3 * mixture.n_components - 1, math.nan)
        u = (x - mixture.means) / mixture.sds
        squares = u * u
        heights = mixture.weights / mixture.sds * np.exp(0.5 * (squares.min() - squares))
        shares = heights / heights.sum()
        by_weights = -shares * u / mixture.sds
        by_means = shares * (1.0 - squares) / mixture.sds**2
        by_log_variances = -0.5 * shares * u * (squares - 3.0) / mixture.sds
        of_slope = np.concatenate([by_weights[:-1], by_means, by_log_variances])
        return np.asarray(of_slope / by_means.sum())


def cut_quantity(cut: Cut, name: str) -> Quantity:
    """Return the cut as a quantity, in the unit of the data."""
    return Quantity(name, cut.at, "identity", "location", lambda m: cut.slopes(m, cut.at(m)))


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of one component on the wrong side of a cut.

    Attributes
    ----------
    cut : Cut
        The cut.
    of_upper : bool
        The share of the upper component below the cut, or of the lower one above it.
    """

    cut: Cut
    of_upper: bool

    @property
    def is_chosen(self) -> bool:
        """Whether the cut was chosen to have this rate, whatever the mixture."""
        return isinstance(self.cut, QuantileCut) and self.cut.of_upper == self.of_upper

    def of(self, mixture: NormalMixture) -> float:
        """Return the rate for a mixture."""
        return self.at(mixture, self.cut.at(mixture))

    def slopes(self, mixture: NormalMixture) -> Array:
        """Return its slopes (3K - 1,); the cut moves along."""
        x = self.cut.at(mixture)
        return self.along(mixture, x, self.cut.slopes(mixture, x))

    def at(self, mixture: NormalMixture, x: float) -> float:
        """Return the rate where the cut is x."""
        u = self._distance(mixture, x)
        return 0.5 * math.erfc((-u if self.of_upper else u) * math.sqrt(0.5))

    def along(self, mixture: NormalMixture, x: float, of_cut: Array) -> Array:
        """Return the slopes (3K - 1,) of the rate where the cut is x and has slopes of its own."""
        size, k = mixture.n_components, self._component
        if self.is_chosen:
            return np.zeros(3 * size - 1)
        u = self._distance(mixture, x)
        of_distance = of_cut / mixture.sds[k]
        of_distance[size - 1 + k] -= 1.0 / mixture.sds[k]
        of_distance[2 * size - 1 + k] -= 0.5 * u
        height = _INVERSE_SQRT_2PI * math.exp(-0.5 * u * u)
        return np.asarray((height if self.of_upper else -height) * of_distance)

    @property
    def _component(self) -> int:
        """Whose members are misjudged."""
        return self.cut.upper if self.of_upper else self.cut.lower

    def _distance(self, mixture: NormalMixture, x: float) -> float:
        """How far the cut is from that component's mean, in sds."""
        if self.is_chosen and isinstance(self.cut, QuantileCut):
            return self.cut.distance  # the rate that was asked for, to the last digit
        return float((x - mixture.means[self._component]) / mixture.sds[self._component])


@dataclass(frozen=True, slots=True)
class Error:
    """The expected share of wrong calls at a cut, among the members of the two components.

    Attributes
    ----------
    cut : Cut
        The cut.
    prior : float or None
        Log-odds of the upper component before x is seen; those of the mixing weights if None.
    """

    cut: Cut
    prior: float | None

    def of(self, mixture: NormalMixture) -> float:
        """Return the share for a mixture."""
        pair, x = self._pair(mixture), self.cut.at(mixture)
        above, below = (rate.at(mixture, x) for rate in self._rates())
        return pair.lower_share * above + pair.upper_share * below

    def slopes(self, mixture: NormalMixture) -> Array:
        """Return its slopes (3K - 1,); the cut moves along."""
        pair, (above, below) = self._pair(mixture), self._rates()
        x = self.cut.at(mixture)
        of_cut = self.cut.slopes(mixture, x)
        found = pair.lower_share * above.along(mixture, x, of_cut)
        found = found + pair.upper_share * below.along(mixture, x, of_cut)
        if self.prior is None:
            change = below.at(mixture, x) - above.at(mixture, x)
            by_shares = log_odds_slopes(mixture.n_components, self.cut.lower, self.cut.upper)
            found = found + by_shares * (pair.lower_share * pair.upper_share * change)
        return np.asarray(found)

    def _rates(self) -> tuple[Rate, Rate]:
        """The false-positive and the false-negative rate."""
        return Rate(self.cut, False), Rate(self.cut, True)

    def _pair(self, mixture: NormalMixture) -> Pair:
        """The two components with the log-odds that count."""
        return pair_of(mixture, self.cut.lower, self.cut.upper, self.prior)


def rate_quantities(cut: Cut, prior: float | None) -> tuple[Quantity, Quantity, Quantity]:
    """Return the false-positive, false-negative and error rate of a cut as quantities.

    Notes
    -----
    Their uncertainty includes that of the cut. Source: derivation, "Thresholds".
    """
    above, below, error = Rate(cut, False), Rate(cut, True), Error(cut, prior)
    return (
        Quantity("false-positive rate", above.of, "logit", "none", above.slopes),
        Quantity("false-negative rate", below.of, "logit", "none", below.slopes),
        Quantity("error rate", error.of, "logit", "none", error.slopes),
    )
