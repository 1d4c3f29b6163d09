"""Sampling weights: rows that stand for unequal shares of a population, known up to a factor.

Such weights say how often a row would have been met, not how often it was. They are brought to
the effective number of rows, (sum of w)^2 / (sum of w^2), so that nothing depends on their unit,
and their squares are kept, which the sandwich covariance needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import FirstOrder, Source
from bactrian.data.sample import Sample
from bactrian.data.sketches.nodes import sample_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.errors import DataError

Array = NDArray[np.float64]

_LEAST = 1e-290  # a sum of squares: smaller ones have lost digits


def sampled(values: Array, weights: Array) -> Sample:
    """Return rows with sampling weights as a sample that knows the squares of these.

    Parameters
    ----------
    values : (n,) float64
        Finite.
    weights : (n,) float64
        Not negative, not all zero; their unit does not matter.
    """
    share = weights / weights.max()
    each = share * (share.sum() / (share @ share))
    sample = Sample.of(values, each)
    # In the order in which the sample sums its weights; and at the very same points, by which the
    # bootstrap knows that these are rows.
    order = np.lexsort((each, values))
    order = order[each[order] > 0.0]
    which = np.unique(values[order], return_inverse=True)[1]
    squares = np.bincount(which, each[order] ** 2).astype(np.float64)
    return replace(sample, squared=sample.with_local(sample.local, squares))


def sampled_nodes(parts: Sequence[Sketch]) -> Sample:
    """Return the nodes of sketches of rows with sampling weights; as ``sample_of``."""
    sample = sample_of(parts)
    squares = [
        replace(part, moments=part.moments if part.squares is None else part.squares)
        for part in parts
    ]
    return replace(sample, squared=_in_units_of(sample, sample_of(squares)))


def _in_units_of(sample: Sample, other: Sample) -> Sample:
    """The same points in the coordinates of another sample."""
    shift = (other.origin - sample.origin) / sample.scale
    return sample.with_local(shift + other.local * (other.scale / sample.scale), other.weights)


def unit_of(sketch: Sketch) -> float:
    """Return the factor that turns the weights of a sketch into effective rows.

    Raises
    ------
    DataError
        If their squares are beyond the range of doubles.
    """
    if sketch.squares is None:
        return 1.0
    squares = float(sketch.squares[:, 0].sum())
    if not _LEAST < squares < np.inf:
        fault = "overflow" if squares > 1.0 or np.isnan(squares) else "vanish"
        raise DataError(
            f"the squares of these sampling weights, which sum to {sketch.total:.3g}, {fault}: "
            "only the ratios of such weights matter, so divide them by their mean."
        )
    return float(sketch.moments[:, 0].sum() / squares)


@dataclass(frozen=True, slots=True, eq=False)
class WeightedSource:
    """A source whose weights are multiplied by a number; implements ``Source``.

    Attributes
    ----------
    source : Source
        The rows.
    factor : float
        What each weight is multiplied by.
    """

    source: Source
    factor: float

    @property
    def column(self) -> str | None:
        """Name of the column."""
        return self.source.column

    @property
    def is_rereadable(self) -> bool:
        """Whether the rows can be read again."""
        return self.source.is_rereadable

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch of the rows; see ``Source.sketch``."""
        return self.weighted(self.source.sketch(exponent, within))

    def weighted(self, sketch: Sketch) -> Sketch:
        """Return a sketch of such rows with these weights."""
        squares = None if sketch.squares is None else sketch.squares * self.factor**2
        return replace(sketch, moments=sketch.moments * self.factor, squares=squares)

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Return the sums over all rows; see ``Source.first_order``."""
        found = self.source.first_order(origin, scale, weights, means, sds)
        factor = self.factor
        return FirstOrder(found.loglike * factor, found.sums * factor, found.total * factor)
