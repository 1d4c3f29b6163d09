"""Whether rows prefer round numbers: multiples of two, five or ten steps of their rounding."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.resolution import rounding_unit

Array = NDArray[np.float64]

_STEPS = (10, 5, 2)
_SURE = 6.0  # binomial standard errors
_NOTABLE = 0.15  # share of the rows that were rounded further than the others
_LIKE = 0.9
_SMOOTH = 3.0  # such steps in an sd, from which uneven rounding changes neither fits nor tests


class Heaping(NamedTuple):
    """Round numbers that more rows have than a mixture of normals can give them.

    Attributes
    ----------
    unit : float
        What they are multiples of, in local units.
    share, expected : float
        Share of the rows that have such values, and the most that the mixture gives them.
    """

    unit: float
    share: float
    expected: float

    @property
    def rounded(self) -> float:
        """Share of the rows that must have been rounded to these numbers, the others not."""
        return (self.share - self.expected) / (1.0 - self.expected)


def heaping(sample: Sample, weights: Array, sds: Array) -> Heaping | None:
    """Return the round numbers that rows prefer; None where there are none.

    Parameters
    ----------
    sample : Sample
        The rows; None is returned of bins and of sampling weights, which count no rows.
    weights, sds : (K,) float64
        Of the fitted mixture, local.

    Notes
    -----
    Of a normal distribution of sd s, in steps, rounded to whole steps, the share of the multiples
    of m is at most (1 + 2 sum_j exp(-2 (pi j s / m)^2)) / m, by Poisson's summation formula. Of
    shares that are as far beyond that, the coarsest is returned.
    """
    unit = rounding_unit(sample)
    if not unit or sample.width or sample.squared is not None:
        return None
    steps = sample.values / (unit * sample.scale)
    numbers = np.rint(steps)
    # Values that are spaced evenly, but not counted from zero, are round in another sense.
    if np.abs(steps - numbers).max() > 1e-3:
        return None
    found: list[Heaping] = []
    for m in _STEPS:
        expected = float(weights @ _most(sds / unit, m))
        share = float(sample.weights[numbers % m == 0.0].sum()) / sample.total
        error = math.sqrt(expected * max(1.0 - expected, 0.0) / sample.total)
        if expected < 1.0 and share - expected > _SURE * error:
            found.append(Heaping(m * unit, share, expected))
    most = max((one.rounded for one in found), default=0.0)
    if most < _NOTABLE:
        return None
    return next(one for one in found if one.rounded >= _LIKE * most)


def caution_of(sample: Sample, weights: Array, sds: Array) -> list[str]:
    """Return what to know of round numbers that are coarse beside the narrowest component."""
    found = heaping(sample, weights, sds)
    if found is None or sds.min() >= _SMOOTH * found.unit:
        return []
    size = f"{found.unit * sample.scale:.3g}"
    return [
        f"Heaping: {100.0 * found.share:.0f} % of the rows are multiples of {size}, and of this "
        f"mixture at most {100.0 * found.expected:.0f} % would be. Where rows were rounded "
        "unevenly, components may settle on round numbers, and tests take these for structure: "
        f"round all values to multiples of {size}, fit again, and trust what both fits say."
    ]


def _most(sds: Array, m: int) -> Array:
    """The largest share of multiples of m, for normal distributions with sds in steps."""
    j = np.arange(1, m + 1)[:, None]
    waves = np.exp(-2.0 * (np.pi * j * sds / m) ** 2)
    most: Array = np.minimum(1.0, (1.0 + 2.0 * waves.sum(axis=0)) / m)
    return most
