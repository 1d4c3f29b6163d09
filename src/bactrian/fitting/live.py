"""What the live likelihood of a page is computed from: the sample of a fit, or fewer points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bactrian.data.sample import Sample
from bactrian.data.sketches.sketch import Sketch
from bactrian.fitting.constraints import in_words
from bactrian.present.page.contents import Live
from bactrian.present.wording import row_count
from bactrian.solve.resolution import least_sd, rounding_unit

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

MOST_POINTS = 8192
_LEAST_SD = 1e-4  # in the scale of the sample


def live_of(fit: Fit) -> Live:
    """Return the points of a fit's sample, in its own local coordinates.

    A sample of more points than a page should hold is replaced by the nodes of a sketch of it,
    whose log-likelihood is that of the sample to rounding for sds of at least a bin.
    """
    sample, state = fit.sample, fit.solution.state
    points = _few(sample)
    sds = state.sds[0]
    # The bins of a sketch of local coordinates are in these coordinates, and so is their scale.
    bins = 0.0 if points is sample else 0.5 * points.width * points.scale
    least = min(float(sds.min()) / 4.0, _LEAST_SD)
    x = sample.local if points is sample else points.values
    return Live(
        origin=sample.origin,
        scale=sample.scale,
        x=tuple(x.tolist()),
        w=tuple(points.weights.tolist()),
        weights=tuple(state.weights[0].tolist()),
        means=tuple(state.means[0].tolist()),
        sds=tuple(sds.tolist()),
        unit=rounding_unit(sample) if not points.width else 0.0,
        floor=max(least, least_sd(sample), bins),
        tied=fit.options.equal_variances and fit.options.n_components > 1,
        aim="the maximum" if _is_maximum(fit) else "the fit",
        about_rows=_about_rows(fit, points),
        about_fit=_about_fit(fit),
    )


def _few(sample: Sample) -> Sample:
    """The sample, or the nodes that stand for it, in its local coordinates."""
    if len(sample) <= MOST_POINTS:
        return sample
    return Sketch.of(sample.local, sample_weight=sample.weights).to_sample()


def _is_maximum(fit: Fit) -> bool:
    """Whether nothing the reader can move to is higher near by."""
    return fit.converged and not in_words(fit.options.constraints)


def _about_rows(fit: Fit, points: Sample) -> str:
    """What is in the file in place of the rows."""
    rows = row_count(fit.n_obs)
    if fit.sample.squared is not None:
        rows = f"{rows} of equal weight"
    if points.width:
        return (
            f"The file holds {len(points):,} weighted points in place of the {rows}: they have "
            "the rows' log-likelihood to rounding, for standard deviations of at least a bin."
        )
    return f"All of the data, {rows} with {len(points):,} distinct values, are in this file."


def _about_fit(fit: Fit) -> str:
    """What the reader should know about the point that distances are measured from."""
    if not fit.converged:
        return "The fit is no maximum: distances are to where its ascent ended."
    if in_words(fit.options.constraints):
        return (
            "What was held in the fit is free here, so that the log-likelihood can rise above the "
            "fit's."
        )
    if fit.options.equal_variances and fit.options.n_components > 1:
        return "The components share one standard deviation here, as in the fit."
    return ""


def spread_of(sample: Sample) -> tuple[float, float]:
    """Return the mean and the sd of the rows, in the unit of the data."""
    mean = float(sample.weights @ sample.local / sample.total)
    sd = float(np.sqrt(sample.local_variance))
    return sample.origin + sample.scale * mean, sample.scale * sd
