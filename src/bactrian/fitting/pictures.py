"""What the pictures of a fit show, gathered from the lower rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.choice import chosen_cut
from bactrian.infer.cuts import LevelCut
from bactrian.infer.envelopes import state_parameters
from bactrian.infer.histogram import histogram
from bactrian.infer.thresholds import Threshold
from bactrian.model.mixture import NormalMixture
from bactrian.present.comparison import family_in_words
from bactrian.present.plots.pictures import (
    ComparisonPicture,
    CriterionLine,
    DensityPicture,
    ResponsibilityPicture,
)
from bactrian.present.wording import row_count

if TYPE_CHECKING:
    from bactrian.fitting.comparison import Comparison
    from bactrian.fitting.result import Fit

Array = NDArray[np.float64]

_POINTS = 401
_NEAR, _REACH = 61, 5.0  # points around each mean, and how many sds these go
_MARGIN = 0.05
_MOST_BINS = 10_000


def density_picture(
    fit: Fit, bins: int | Array | None, components: bool, threshold: Threshold | None
) -> DensityPicture:
    """Return the histogram of the rows and the densities, on points that resolve every component.

    Densities are taken in local coordinates, where an offset costs no digits.
    """
    sample, mixture = fit.solution.problem.sample, local_mixture(fit)
    edges, heights = histogram(sample, mixture, bins)
    x = _points((edges[[0, -1]] - sample.origin) / sample.scale, mixture)
    parts = [
        weight * np.asarray(NormalMixture([1.0], [mean], [sd]).pdf(x)) / sample.scale
        for weight, mean, sd in zip(*_parameters(mixture), strict=True)
    ]
    return DensityPicture(
        column=fit.column,
        rows=_rows(fit),
        edges=edges,
        heights=heights,
        x=sample.origin + sample.scale * x,
        total=np.asarray(mixture.pdf(x)) / sample.scale,
        components=np.array(parts if components and len(parts) > 1 else parts[:0]),
        weights=mixture.weights,
        problem=problem_of_fit(fit),
        threshold=threshold,
    )


def responsibility_picture(fit: Fit, posterior: float) -> ResponsibilityPicture:
    """Return the responsibilities over the range of the rows, and where they pass a level.

    Raises
    ------
    ParameterError
        If the level is not between 0 and 1, or another than 0.5 is asked for with one component
        or more than two.
    """
    sample, mixture = fit.solution.problem.sample, local_mixture(fit)
    if posterior == 0.5:
        crossings = mixture.crossings()
    elif mixture.n_components != 2:
        raise ParameterError(
            f"posterior={posterior!r} is for two components; with {mixture.n_components} leave it "
            "out."
        )
    else:
        cut = chosen_cut(mixture.means.tolist(), posterior=posterior).cut
        assert isinstance(cut, LevelCut)
        both = np.array([cut.at(mixture), cut.other(mixture)])
        crossings = np.sort(both[np.isfinite(both)])
    x = _points(sample.local[[0, -1]], mixture)
    inside = (crossings >= x[0]) & (crossings <= x[-1])
    x = np.unique(np.concatenate([x, crossings[inside]]))
    return ResponsibilityPicture(
        column=fit.column,
        x=sample.origin + sample.scale * x,
        responsibilities=mixture.responsibilities(x).T,
        weights=mixture.weights,
        level=float(posterior),
        crossings=sample.origin + sample.scale * crossings[inside],
        problem=problem_of_fit(fit),
    )


def comparison_picture(found: Comparison, criteria: Sequence[str]) -> ComparisonPicture:
    """Return the criteria of the fits that are maxima; one component belongs to both families.

    Raises
    ------
    ParameterError
        If no fit has such criteria.
    """
    lines = []
    for criterion in criteria:
        for equal in dict.fromkeys(fit.options.equal_variances for fit in found.fits):
            named = {
                fit.options.n_components: float(getattr(fit, criterion))
                for fit in found.fits
                if fit.options.equal_variances == equal or fit.options.n_components == 1
                if fit.converged and np.isfinite(getattr(fit, criterion))
            }
            if named:
                lines.append(CriterionLine(criterion, equal, *zip(*sorted(named.items()))))  # noqa: B905
    if not lines:
        raise ParameterError(
            "There is nothing to compare by: no fit converged, or the weights are sampling "
            "weights, with which the criteria are undefined."
        )
    best = found.recommended
    omitted = [
        f"{fit.options.n_components} {family_in_words(fit.options.equal_variances)}"
        for fit in found.fits
        if not fit.converged
    ]
    if best is None or "bic" not in criteria:
        return ComparisonPicture(tuple(lines), None, "", tuple(omitted))
    words = f"recommended: {best.options.n_components}"
    both = len({fit.options.equal_variances for fit in found.fits}) > 1
    if both and best.options.n_components > 1:
        words += f" {family_in_words(best.options.equal_variances)}"
    at = best.options.n_components, best.bic
    return ComparisonPicture(tuple(lines), at, words, tuple(omitted))


def local_mixture(fit: Fit) -> NormalMixture:
    """Return the fitted mixture in the local coordinates of its sample."""
    return NormalMixture(*state_parameters(fit.solution.state))


def problem_of_fit(fit: Fit) -> str:
    """Return why a fit is no maximum, in a few words, or nothing."""
    return "" if fit.converged else f"No maximum: {fit.outcome.value.replace('_', ' ')}."


def checked_bins(bins: Any) -> int | Array | None:
    """Return a number of bins, or their edges, checked.

    Raises
    ------
    ParameterError
        If it is neither.
    """
    if bins is None:
        return None
    is_number = isinstance(bins, int | np.integer) and not isinstance(bins, bool)
    if is_number and 1 <= bins <= _MOST_BINS:
        return int(bins)
    try:
        edges = np.array([] if isinstance(bins, str) or is_number else bins, dtype=np.float64)
    except (TypeError, ValueError):
        edges = np.array([])
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0.0).all():
        raise ParameterError(
            f"bins={bins!r} is neither a number of bins, up to {_MOST_BINS:,}, nor their edges in "
            "ascending order; leave it out for bins that suit the fit."
        )
    if not np.isfinite(edges).all():
        raise ParameterError("bins has an edge that is not finite; all of them must be.")
    return edges


def _points(ends: Array, mixture: NormalMixture) -> Array:
    """Points from a little below to a little above two ends, dense where a component is narrow."""
    margin = _MARGIN * (ends[1] - ends[0])
    low, high = ends[0] - margin, ends[1] + margin
    near = mixture.means[:, None] + mixture.sds[:, None] * np.linspace(-_REACH, _REACH, _NEAR)
    found = np.concatenate([np.linspace(low, high, _POINTS), near.ravel()])
    return np.unique(found[(found >= low) & (found <= high)])


def _parameters(mixture: NormalMixture) -> tuple[list[float], list[float], list[float]]:
    """Its weights, means and sds as numbers."""
    return mixture.weights.tolist(), mixture.means.tolist(), mixture.sds.tolist()


def _rows(fit: Fit) -> str:
    """How many rows, in words."""
    if fit.sample.squared is not None:
        return f"{fit.n_obs:,.6g} effective rows"
    return row_count(fit.n_obs)
