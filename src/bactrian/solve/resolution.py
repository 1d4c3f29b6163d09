"""What the data can resolve: the rounding of their values, and the least meaningful sd."""

from __future__ import annotations

import numpy as np

from bactrian.data.sample import Sample

_LEAST_SD = 1e-8  # of the sample's scale
_TIES = 0.05
_TOLERANCE = 1e-6


def rounding_unit(sample: Sample) -> float:
    """Return the step, in local units, of which all values are multiples; 0 where there is none.

    Values are taken for rounded only if at least five percent of the rows are ties.
    """
    if len(sample) < 2 or 1.0 - len(sample) / sample.total < _TIES:
        return 0.0
    gaps = np.diff(sample.local)
    step = float(gaps.min())
    noise = 8.0 * np.spacing(_largest(sample))
    for _ in range(20):
        if step <= 1e3 * noise:
            return 0.0
        multiple = np.rint(gaps / step)
        remainder = np.abs(gaps - step * multiple)
        # The smallest gap carries its own rounding into every multiple of itself.
        misfit = remainder > np.minimum(np.maximum(_TOLERANCE, noise * multiple), 0.1 * step)
        if not misfit.any():
            return step
        step = float(remainder[misfit].min())
    return 0.0


def least_sd(sample: Sample) -> float:
    """Return the sd, in local units, below which a component is an artefact of storage.

    A quarter of the rounding unit where values are rounded, else eight units in the last place
    of the largest value. Where values stand for the rows of bins, half a bin: narrower components
    would rest on the nodes themselves, whose likelihood is unbounded where that of the rows is
    not.
    """
    unit = rounding_unit(sample)
    if sample.width or unit:
        return max(0.5 * sample.width, 0.25 * unit)
    return max(8.0 * float(np.spacing(_largest(sample))), _LEAST_SD)


def _largest(sample: Sample) -> float:
    """The largest absolute value, in local units but counted from zero."""
    return float(max(abs(sample.values[0]), abs(sample.values[-1])) / sample.scale)
