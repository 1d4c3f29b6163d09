"""`Page`: what the page of a fit shows, as plain values, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bactrian.infer.goodness import GoodnessOfFit
from bactrian.infer.thresholds import Threshold
from bactrian.present.summary import Summary


@dataclass(frozen=True, slots=True)
class Live:
    """What the live likelihood is computed from, in local units.

    Attributes
    ----------
    origin, scale : float
        The unit of the data is ``origin + scale * local``.
    x, w : tuple of float
        Values, ascending, and their weights.
    weights, means, sds : tuple of float
        The fit.
    unit : float
        The step of which all values are multiples; 0 where there is none.
    floor : float
        The least sd that may be tried.
    tied : bool
        Whether all components share one sd.
    aim : {"the maximum", "the fit"}
        What the fit is among all that the reader can move to.
    about_rows, about_fit : str
        What the values are, and what the reader can move that the fit could not.
    """

    origin: float
    scale: float
    x: tuple[float, ...]
    w: tuple[float, ...]
    weights: tuple[float, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]
    unit: float
    floor: float
    tied: bool
    aim: str
    about_rows: str
    about_fit: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture.

    Attributes
    ----------
    title : str
        A heading.
    svg : str
        One ``svg`` element with its own title and description, its colours those of
        ``present.plots.palette`` by name.
    """

    title: str
    svg: str


@dataclass(frozen=True, slots=True)
class Page:
    """The facts of the page, already computed.

    Attributes
    ----------
    summary : Summary
        What printing the fit shows.
    verdict : tuple of str
        Sentences, the headline first.
    verdict_note : str
        What the verdict rests on that is drawn at random, and what it cost.
    goodness : GoodnessOfFit or None
        Where it was asked for.
    thresholds : tuple of Threshold
        Cuts between neighbours.
    certificate : Certificate
        The reasons to trust the fit.
    live : Live
        What the live likelihood is computed from.
    figures : tuple of Figure
        Pictures; none where they could not be drawn.
    calls : str
        The Python that makes the fit and the page.
    facts : tuple of (str, str)
        What tells these data from others: label and number.
    versions : tuple of (str, str)
        Packages and their versions.
    """

    summary: Summary
    verdict: tuple[str, ...]
    verdict_note: str
    goodness: GoodnessOfFit | None
    thresholds: tuple[Threshold, ...]
    certificate: Any
    live: Live
    figures: tuple[Figure, ...]
    calls: str
    facts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
