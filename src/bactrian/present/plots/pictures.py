"""What there is to draw, as plain values: each picture is made from one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.envelopes import Departures
from bactrian.infer.profile_curve import ProfileCurve
from bactrian.infer.surface import Surface
from bactrian.infer.thresholds import Threshold

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DensityPicture:
    """Rows and the density fitted to them.

    Attributes
    ----------
    column : str or None
        Name of the column.
    rows : str
        How many rows, in words.
    edges, heights : (b + 1,), (b,) float64
        Histogram, in the unit of the data and per unit of it.
    x, total : (m,) float64
        Points, and the density there.
    components : (K, m) float64
        Its parts: they sum to the total.
    weights : (K,) float64
        Mixing weights.
    problem : str
        Why the fit is no maximum, or nothing.
    threshold : Threshold or None
        A cut to mark.
    """

    column: str | None
    rows: str
    edges: Array
    heights: Array
    x: Array
    total: Array
    components: Array
    weights: Array
    problem: str
    threshold: Threshold | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ResponsibilityPicture:
    """Posterior probabilities of the components.

    Attributes
    ----------
    column : str or None
        Name of the column.
    x : (m,) float64
        Points, in the unit of the data.
    responsibilities : (K, m) float64
        Probabilities of the components there.
    weights : (K,) float64
        Mixing weights.
    level : float
        The posterior probability that decides.
    crossings : (c,) float64
        Where it is passed, in the unit of the data.
    problem : str
        Why the fit is no maximum, or nothing.
    """

    column: str | None
    x: Array
    responsibilities: Array
    weights: Array
    level: float
    crossings: Array
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class DeparturePicture:
    """Rows beside the fitted mixture.

    Attributes
    ----------
    column : str or None
        Name of the column.
    departures : Departures
        The points, and the bands for drawn samples.
    problem : str
        Why the fit is no maximum, or nothing.
    """

    column: str | None
    departures: Departures
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class ProfilePicture:
    """The profile likelihood of a quantity.

    Attributes
    ----------
    column : str or None
        Name of the column, where the quantity is in its unit.
    curve : ProfileCurve
        What to draw.
    """

    column: str | None
    curve: ProfileCurve


class Path(NamedTuple):
    """The way of one ascent over the two coordinates.

    Attributes
    ----------
    method : str
        Name of the solver, for example ``"newton"``.
    first, second : (m,) float64
        Where it stood, from its start on.
    kinds : (m - 1,) tuple of str
        Of which kind its steps were.
    """

    method: str
    first: Array
    second: Array
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PathPicture:
    """Ascents on the surface of the log-likelihood.

    Attributes
    ----------
    names : (str, str)
        The two parameters.
    surface : Surface
        Log-likelihood less that of the fit, the other parameters at their best.
    paths : tuple of Path
        One for each fit.
    end : (float, float)
        The maximum.
    """

    names: tuple[str, str]
    surface: Surface
    paths: tuple[Path, ...]
    end: tuple[float, float]


class CriterionLine(NamedTuple):
    """One criterion of the fits of one family.

    Attributes
    ----------
    criterion : str
        ``"bic"``, ``"aic"``, ``"aicc"`` or ``"icl"``.
    equal_variances : bool
        The family.
    n_components : (m,) int
        Numbers of components of the fits that are maxima.
    values : (m,) float64
        The criterion.
    """

    criterion: str
    equal_variances: bool
    n_components: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonPicture:
    """Criteria by number of components.

    Attributes
    ----------
    lines : tuple of CriterionLine
        What to draw.
    recommended : (int, float) or None
        Number of components and BIC of the fit to take.
    words : str
        Which one it is.
    omitted : tuple of str
        Fits that are no maxima, in words.
    """

    lines: tuple[CriterionLine, ...]
    recommended: tuple[int, float] | None
    words: str
    omitted: tuple[str, ...]
