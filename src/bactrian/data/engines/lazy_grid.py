"""Which bins suit a column that can only be queried: from a pilot before, the answer after."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bactrian.data.engines.dask_frame import DaskFrame
from bactrian.data.engines.expressions import Grid, is_finite
from bactrian.data.engines.groups import collected
from bactrian.data.engines.spark_frame import SparkFrame
from bactrian.data.sketches.accumulate import PILOT
from bactrian.data.sketches.grid import suitable_exponent
from bactrian.data.sketches.sketch import CAP, Sketch

__all__ = ["GROUPS", "coarser_exponent", "finer_exponent", "pilot"]

Array = NDArray[np.float64]

GROUPS: Final = 4 * CAP  # that may come back from one pass
_FINER = 2  # powers of two by which a grid must be too coarse for it to be worth another pass
_TIED = 1e-9  # squared half widths of a bin: a variance below is that of equal values
_NORMAL_IQR = 1.349  # interquartile range of a normal distribution, in standard deviations


def pilot(rows: Any) -> Array:
    """Return at most 65,536 finite values that cost little to read; none if there are none."""
    finite = rows.filter(is_finite(rows, "x")).select("x")
    text = isinstance(finite, DaskFrame | SparkFrame)
    queries = finite.some(PILOT) if text else [finite.head(PILOT)]
    for query in queries:
        x = collected(query)["x"]
        if x.size:
            return x[:: -(-x.size // PILOT)]
    return np.empty(0)


def finer_exponent(sketch: Sketch) -> int | None:
    """Return the exponent that suits the bulk of a sketch, if the sketch's own is much larger.

    So it is where the pilot saw rows that are spread wider than most.
    """
    if not sketch.bins.size:
        return None
    first, third = sketch.quantile([0.25, 0.75])
    spread = float(third - first) / _NORMAL_IQR
    if spread < 2.0 * sketch.width:
        # In a bin or two the spread is better known from the moments of the middle one.
        middle = np.searchsorted(np.cumsum(sketch.moments[:, 0]), 0.5 * sketch.total)
        moments = sketch.moments[min(int(middle), sketch.bins.size - 1)]
        mean, second = moments[1:3] / moments[0]
        variance = 0.5 * (1.0 + second) - mean * mean
        if variance < _TIED:
            return None
        spread = 0.5 * sketch.width * math.sqrt(variance)
    exponent = suitable_exponent(spread, max(-sketch.minimum, sketch.maximum))
    return exponent if exponent <= sketch.exponent - _FINER else None


def coarser_exponent(grid: Grid, n_near: int, octaves: Array, counts: Array) -> int:
    """Return the least exponent with which no more than the allowed number of groups come back.

    Parameters
    ----------
    grid : Grid
        A grid out of whose reach many rows are.
    n_near : int
        Its occupied bins.
    octaves, counts : (k,) float64
        Powers of two of the distance to its centre, in bins, and how many far rows are there.
    """
    exponent = grid.exponent
    while True:
        # An octave has bins on either side, and its border is known to a rounding only.
        bins = np.exp2(np.minimum(octaves + 2.0 - (exponent - grid.exponent), 60.0)) + 2.0
        if n_near + np.minimum(bins, counts).sum() <= GROUPS:
            return exponent
        exponent += 1
