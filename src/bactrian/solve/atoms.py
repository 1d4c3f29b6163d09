"""Values that many rows share: no normal component describes them, and ascents collapse there."""

from __future__ import annotations

from statistics import median

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.resolution import rounding_unit

Array = NDArray[np.float64]

_LEAST_ROWS = 5.0
_LEAST_SHARE = 0.02
_OVER_NEIGHBOURS, _OVER_HEAPS = 5.0, 20.0
_REACH = 4


def atoms(sample: Sample) -> list[int]:
    """Return the positions of the values that far more rows share than those beside them.

    A value is an atom if it has five rows, two percent of all, and five times as many as the
    median of the four distinct values on either side; twenty times where values are rounded, for
    a heap among heaps is no atom.
    """
    weights = sample.weights
    over = _OVER_HEAPS if rounding_unit(sample) else _OVER_NEIGHBOURS
    large = (weights >= _LEAST_ROWS) & (weights >= _LEAST_SHARE * sample.total)
    found = []
    for i in np.flatnonzero(large):
        beside = [*weights[max(i - _REACH, 0) : i], *weights[i + 1 : i + 1 + _REACH]]
        if beside and weights[i] >= over * median(beside):
            found.append(int(i))
    return found


def collapsed_onto(sample: Sample, position: int, ends: Array) -> int:
    """Return how many of the collapsed components' means (m,), local, are at a value."""
    if not ends.size or len(sample) < 2:
        return 0
    middles = 0.5 * (sample.local[1:] + sample.local[:-1])
    return int((np.searchsorted(middles, ends) == position).sum())
