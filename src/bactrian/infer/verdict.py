"""One hump or two? The verdict in plain words, from a test, a shape and a goodness of fit."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bactrian.infer.estimates import Estimate
from bactrian.infer.goodness import GoodnessOfFit
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.rounding import round_by_error
from bactrian.infer.words import count_in_words, p_in_words
from bactrian.model.mixture import NormalMixture
from bactrian.model.modes import valley

_LEVEL, _CLEAR = 0.05, 0.001
_FEW_ROWS, _SHALLOW = 8.0, 0.9
_WIDTH = 88


@dataclass(frozen=True, slots=True)
class DipTest:
    """Hartigan's test of whether the density has a single mode.

    Attributes
    ----------
    statistic : float
        The dip: the distance to the nearest distribution function with one mode.
    p_value : float
        By interpolation in the tables of the package that computed it.
    """

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many humps, in words and from what; printing shows the words.

    Attributes
    ----------
    n_components : int
        Components of the fit.
    n_modes : int
        Local maxima of its density.
    n_obs : float
        Rows, or the sum of their weights.
    smallest : float
        Rows of the smallest component.
    skewness, kurtosis : float
        Of the fitted mixture; zero for a normal curve, both.
    test : HomogeneityTest
        Of one component less.
    separation : Estimate or None
        Of two components: the distance of their means in sds pooled by their weights.
    valley : float or None
        Of a density with two modes: its lowest value between them over that at the lower one.
    goodness : GoodnessOfFit or None
        Whether the fit describes the rows, where that was asked for.
    dip : DipTest or None
        Where the package ``diptest`` is installed and the rows are known.
    call : str
        How it was asked for, as Python.
    """

    n_components: int
    n_modes: int
    n_obs: float
    smallest: float
    skewness: float
    kurtosis: float
    test: HomogeneityTest
    separation: Estimate | None = None
    valley: float | None = None
    goodness: GoodnessOfFit | None = None
    dip: DipTest | None = None
    call: str = field(default="", compare=False, repr=False)

    @property
    def is_rejected(self) -> bool:
        """Whether one component less is too few, at 5 %."""
        return self.test.p_value < _LEVEL

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        test, k = self.test, self.test.null_components
        p = p_in_words(test.p_value, test.is_bound)
        if not self.is_rejected:
            shown = "one normal curve is too few" if k == 1 else f"{count_in_words(k)} are too few"
            beginning = "One hump" if k == 1 else f"{count_in_words(k).capitalize()} will do"
            return f"{beginning}: nothing shows that {shown} ({p})."
        degree = "clearly better" if test.p_value < _CLEAR else "better"
        more = count_in_words(k + 1)
        said = f"{more} are {degree} than {count_in_words(k, short=True)} ({p})"
        modes = count_in_words(self.n_modes, short=True)
        if self.n_modes == 1:
            return (
                f"{said[0].upper()}{said[1:]}, but the density has a single mode: the data are "
                f"{self._departure}, not visibly {'bimodal' if k == 1 else 'multimodal'}."
            )
        begin = f"{said[0].upper()}{said[1:]}, and the fitted density has {modes} modes; but"
        if self.smallest < _FEW_ROWS:
            return f"{begin} {self._rows} may be outliers and no hump."
        if self.goodness is not None and self.goodness.p_value < _LEVEL:
            return f"{begin} it does not describe the data well, so its humps may not be theirs."
        if self.valley is not None and self.valley > _SHALLOW:
            return f"{begin} the valley between them is so shallow that they are hardly two humps."
        if self.dip is not None and self.dip.p_value >= _LEVEL:
            return f"{begin[:-5]}, though the dip test does not rule out a single one."
        if self.goodness is None and self.dip is None:
            return f"{begin[:-5]}; whether it describes the data was not tested."
        return f"{modes.capitalize()} humps: {said}, and the density has {modes} modes."

    @property
    def _rows(self) -> str:
        """The rows of the smallest component."""
        return f"{self.smallest:,.0f} of {self.n_obs:,.0f} rows"

    @property
    def _departure(self) -> str:
        """How a density with one mode differs most from a normal curve."""
        # The parts of Jarque and Bera's statistic.
        if self.skewness**2 / 6.0 >= self.kurtosis**2 / 24.0:
            return "skewed"
        return "heavy-tailed" if self.kurtosis > 0.0 else "flatter than a normal curve"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict and what it rests on, a sentence each."""
        found = [self.headline]
        if self.is_rejected:
            found.append(self._of_components())
        if self.goodness is not None:
            found.append(self._of_goodness(self.goodness))
        if self.dip is not None:
            found.append(
                f"The dip test, which asks for modes and not for components, "
                f"{'rejects' if self.dip.p_value < _LEVEL else 'does not reject'} a single mode "
                f"({'p < 0.001' if self.dip.p_value == 0.0 else p_in_words(self.dip.p_value)})."
            )
        return tuple(filter(None, found))

    def _of_components(self) -> str:
        """How far apart they are and how large the smallest is."""
        share = 100.0 * self.smallest / self.n_obs
        rows = f"{self._rows} ({share:.2g} %)"
        smaller = "smaller" if self.n_components == 2 else "smallest"
        known = self.separation
        if known is None or not math.isfinite(known.value):
            return f"The {smaller} component has {rows}."
        shown = round_by_error(known.value, known.standard_error, known.low, known.high)
        if self.valley is not None:
            rows += (
                f". Between its modes the density falls to {100.0 * self.valley:.2g} % of the lower"
            )
        return (
            f"The two means are {shown.value} sds apart ({100.0 * known.level:g} % interval "
            f"{shown.low.strip()} to {shown.high.strip()}); the {smaller} component has {rows}."
        )

    def _of_goodness(self, goodness: GoodnessOfFit) -> str:
        """Whether the fit describes the rows."""
        p = p_in_words(goodness.p_value)
        by = f"Anderson-Darling, {p}"
        if goodness.p_value >= _LEVEL:
            return f"The fitted mixture describes the data ({by})."
        return (
            f"The fitted mixture does not describe the data well ({by}); the distribution "
            f"functions of rows and mixture differ by up to {goodness.max_distance:.2g}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for strict JSON."""
        known, dip = self.separation, self.dip
        return {
            "headline": self.headline,
            "sentences": list(self.sentences),
            "n_components": self.n_components,
            "n_modes": self.n_modes,
            "n_obs": self.n_obs,
            "smallest": self.smallest,
            "skewness": self.skewness,
            "kurtosis": self.kurtosis,
            "valley": self.valley,
            "separation": None if known is None else _finite(known),
            "test": self.test.to_dict(),
            "goodness": None if self.goodness is None else self.goodness.to_dict(),
            "dip": None if dip is None else {"statistic": dip.statistic, "p_value": dip.p_value},
        }

    def __str__(self) -> str:
        """Return the sentences as a paragraph, the headline by itself."""
        headline, *others = self.sentences
        paragraphs = [headline, " ".join(others)]
        return "\n".join(line for text in paragraphs for line in textwrap.wrap(text, _WIDTH))


def _finite(estimate: Estimate) -> dict[str, float | None]:
    """The numbers of an estimate, None for the non-finite."""
    values = {
        "value": estimate.value,
        "standard_error": estimate.standard_error,
        "low": estimate.low,
        "high": estimate.high,
    }
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def valley_depth(mixture: NormalMixture) -> float | None:
    """Return the lowest density between two modes over that at the lower one; None otherwise."""
    modes = mixture.modes()
    if modes.size != 2:
        return None
    lowest = valley(mixture, float(modes[0]), float(modes[1]))
    return float(np.exp(mixture.logpdf(lowest) - mixture.logpdf(modes).min()))


def standardized_moments(mixture: NormalMixture) -> tuple[float, float]:
    """Return the skewness and the excess kurtosis of a mixture.

    Notes
    -----
    In units of the mixture's own sd, so that no square overflows.
    """
    sd, weights = mixture.std(), mixture.weights
    d, v = (mixture.means - mixture.mean()) / sd, (mixture.sds / sd) ** 2
    third = float(weights @ (d**3 + 3.0 * d * v))
    fourth = float(weights @ (d**4 + 6.0 * d**2 * v + 3.0 * v**2))
    return third, fourth - 3.0
