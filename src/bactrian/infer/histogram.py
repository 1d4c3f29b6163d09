"""The histogram of a sample, in bins that suit the mixture that was fitted to it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.model.mixture import NormalMixture
from bactrian.solve.resolution import rounding_unit

Array = NDArray[np.float64]

_FEWEST, _MOST = 10, 150
_PER_ROOT = 3.0  # bins for each root of a row: what a collapsed component would ask for has no end


class Histogram(NamedTuple):
    """The share of the rows in each bin over its width.

    Attributes
    ----------
    edges : (b + 1,) float64
        Ascending, in the unit of the data.
    heights : (b,) float64
        Per unit of the data. Rows outside the bins count in the total, so that the heights are
        those of a density of all rows.
    """

    edges: Array
    heights: Array


def histogram(sample: Sample, mixture: NormalMixture, bins: int | Array | None = None) -> Histogram:
    """Return the histogram of a sample.

    Parameters
    ----------
    sample : Sample
        Values, or the nodes that stand for them.
    mixture : NormalMixture
        Fitted to it, in local coordinates. Without `bins` they have the width that estimates its
        density best.
    bins : int or (b + 1,) float64, optional
        About how many; or their edges, in the unit of the data.

    Notes
    -----
    Rounded values are counted between their multiples, in bins that hold equally many of these:
    others show a comb that is not in the rows. Values that stand for the rows of finer bins are
    counted between edges of those, where the shares are exact; with edges of the user's own they
    are not quite.

    Source: Scott (1979), "On optimal and data-based histograms", Biometrika 66, with the fitted
    density for the unknown one.
    """
    if isinstance(bins, np.ndarray):
        ends = (bins - sample.origin) / sample.scale
        return _counted(sample, ends, bins)
    step = rounding_unit(sample)
    low, high = float(sample.local[0]), float(sample.local[-1])
    if step > 0.0:
        low, high = low - 0.5 * step, high + 0.5 * step
    elif sample.edges is not None:
        low, high = float(sample.edges[0]), float(sample.edges[-1])
    number = _number(sample.total, high - low, mixture) if bins is None else bins
    if step > 0.0:
        each = max(round((high - low) / (number * step)), 1) * step
        ends = np.asarray(low + each * np.arange(math.ceil((high - low) / each - 1e-6) + 1))
    else:
        ends = np.linspace(low, high, number + 1)
        if sample.edges is not None:
            ends = _known(sample, sample.edges, ends)
    return _counted(sample, ends, sample.origin + sample.scale * ends)


def _number(n_rows: float, spread: float, mixture: NormalMixture) -> int:
    """How many bins estimate the density of a mixture with the least squared error."""
    best = math.cbrt(6.0 / (n_rows * _roughness(mixture)))
    most = max(min(_PER_ROOT * math.sqrt(n_rows), _MOST), _FEWEST)
    return math.ceil(min(max(spread / best, _FEWEST), most))


def _roughness(mixture: NormalMixture) -> float:
    """The integral of the squared slope of the density.

    Of two components it is minus the second derivative, at the distance of their means, of the
    normal density whose variance is the sum of theirs.
    """
    s = np.hypot(mixture.sds[:, None], mixture.sds)
    z = (mixture.means[:, None] - mixture.means) / s
    with np.errstate(over="ignore", under="ignore"):
        terms = np.exp(-0.5 * z * z) * (1.0 - z * z) / (math.sqrt(2.0 * math.pi) * s**3)
    return float(mixture.weights @ terms @ mixture.weights)


def _known(sample: Sample, edges: Array, ends: Array) -> Array:
    """The ends with those that are among rows moved to the nearest edge, where shares are known."""
    above = np.clip(np.searchsorted(edges, ends, side="left"), 1, edges.size - 1)
    lower, upper = edges[above - 1], edges[above]
    first = np.searchsorted(sample.local, lower, side="left")
    is_empty = np.searchsorted(sample.local, upper, side="right") == first
    nearest = np.where(ends - lower <= upper - ends, lower, upper)
    return np.unique(np.where(is_empty, ends, nearest))


def _counted(sample: Sample, ends: Array, edges: Array) -> Histogram:
    """The histogram with given ends, local and in the unit of the data."""
    counts = np.histogram(sample.local, ends, weights=sample.weights)[0]
    return Histogram(edges, counts / (sample.total * np.diff(ends)) / sample.scale)
