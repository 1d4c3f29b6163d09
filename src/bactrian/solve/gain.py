"""How much any mixture could gain over a fit, whatever the number of its components."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.model.posterior import HALF_LOG_2PI
from bactrian.solve.mesh import condensed
from bactrian.solve.npmle import loglike_and_ratios, npmle
from bactrian.solve.worth import half_unit_bins, highest

Array = NDArray[np.float64]

# Bins half a floor wide that are not empty. The time grows with the cube of their number: 100 take
# 0.05 seconds, 300 up to one, and several times that where the processors are busy.
MAX_BINS, QUICK_BINS = 300, 100
_LARGEST = float(np.finfo(np.float64).max)
_LARGEST_RANGE = 1e8  # in floors: places keep half of their digits


def gain_bound(sample: Sample, loglike: float, sds: Array, sd_floor: float | None) -> float:
    """Return how much higher the log-likelihood of a mixture can be, all its sds at least a floor.

    Parameters
    ----------
    sample : Sample
        The weighted values.
    loglike : float
        The log-likelihood, in local coordinates, that is to be exceeded.
    sds : (K,) float64
        The sds of the mixture that has it, in local units.
    sd_floor : float or None
        In the unit of the data; None stands for the smallest of the sds.

    Raises
    ------
    ParameterError
        If the floor is not a positive number, or too small for these data.

    Notes
    -----
    Source: derivation, "Bound on what any mixture could gain".
    """
    least = float(sds.min())
    floor = least if sd_floor is None else min(_positive(sd_floor) / sample.scale, _LARGEST)
    if not is_usable(sample, floor):
        raise ParameterError(
            f"sd_floor={floor * sample.scale:.6g} is too small for these data; the least usable "
            f"one is about {_least_usable(sample) * sample.scale:.3g}."
        )
    x, w = (sample.local - sample.local[0]) / floor, sample.weights
    reference = loglike + sample.total * (math.log(floor) + HALF_LOG_2PI)
    places, shares = npmle(*condensed(x, w, half_unit_bins(x)), reference)
    # What was condensed served to find the components; the bound is that of the values themselves.
    best, ratios = loglike_and_ratios(x, w, places, shares)
    bound = best - reference + sample.total * math.log(highest(x, ratios))
    # With such a floor the fit itself is one of the mixtures: less than zero is rounding.
    return max(bound, 0.0) if floor <= least else bound


def is_usable(sample: Sample, floor: float, max_bins: int = MAX_BINS) -> bool:
    """Return whether a floor, in local units, is one that the values resolve and time allows."""
    low, high = sample.local[[0, -1]]
    if not (0.5 * sample.width <= floor < math.inf and high - low <= _LARGEST_RANGE * floor):
        return False
    return half_unit_bins((sample.local - low) / floor).size <= max_bins


def _least_usable(sample: Sample) -> float:
    """A floor that is usable and at most a tenth above one that is not."""
    high = float(max(sample.local[-1] - sample.local[0], sample.width))
    low = high / _LARGEST_RANGE
    while high > 1.01 * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_usable(sample, middle) else (middle, high)
    # The number of bins rises and falls a little where the floor rises by the width of a few.
    return 1.05 * high


def _positive(sd_floor: float) -> float:
    """The floor, checked."""
    number = isinstance(sd_floor, int | float | np.integer | np.floating)
    if not number or isinstance(sd_floor, bool) or not 0.0 < sd_floor < math.inf:
        raise ParameterError(f"sd_floor={sd_floor!r} is not a positive number, the least sd.")
    return float(sd_floor)
