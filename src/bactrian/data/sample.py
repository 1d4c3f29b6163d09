"""Weighted values in local coordinates: all that the likelihood ever sees of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Distinct values with weights, measured from a datum in units of a power of two.

    Parameters
    ----------
    origin : float
        A datum near the middle, unit of the data.
    scale : float
        A power of two near the spread, unit of the data.
    local : (n,) float64
        Values ``(x - origin) / scale`` in ascending order, read-only.
    weights : (n,) float64
        Positive observation weights, read-only.
    width : float
        Zero where the values are those of the rows. Where they stand for the rows of bins, the
        width of a bin, in local units: nothing narrower than half of it is seen rightly.
    squared : Sample, optional
        The same rows in the same coordinates with their squared weights, which the sandwich
        covariance needs where weights are sampling weights; absent where they are frequencies.
    edges : (e,) float64, optional
        Where the values stand for the rows of bins: the ends of all bins, local, ascending,
        read-only. Between two of them lies as much weight of values as of rows.

    Attributes
    ----------
    total : float
        Sum of the weights: the number of rows when weights are counts.

    Notes
    -----
    Values far from zero relative to their spread keep all their digits in local coordinates;
    squares of values near 1e±150 neither overflow nor vanish; and as the scale is a power of
    two, a fit of ``2**k * x`` is the fit of ``x`` to the last bit.
    """

    origin: float
    scale: float
    local: Array
    weights: Array
    width: float = 0.0
    squared: Sample | None = None
    edges: Array | None = None
    total: float = field(init=False)

    def __post_init__(self) -> None:
        """Protect the arrays, and sum the weights once: the solver asks at every step."""
        for array in (self.local, self.weights, self.edges):
            if array is not None:
                array.setflags(write=False)
        total = float(self.weights.sum())
        # The weights of the nodes of a bin are rounded, and rows are whole.
        if self.width and total < 2.0**53 and abs(total - round(total)) <= 1e-12 * total:
            total = float(round(total))
        object.__setattr__(self, "total", total)

    @classmethod
    def of(cls, values: Array, weights: Array | None = None) -> Sample:
        """Return the sample of finite values: ties merged, rows of weight zero left out.

        Parameters
        ----------
        values : (n,) float64
            Finite, with a finite range.
        weights : (n,) float64, optional
            Non-negative observation weights; one each by default.
        """
        distinct, counts = _merge_ties(np.asarray(values, dtype=np.float64), weights)
        middle = np.searchsorted(np.cumsum(counts), 0.5 * counts.sum())
        origin = float(distinct[min(int(middle), distinct.size - 1)])
        distance = distinct - origin
        exponent = spread_exponent(distance, counts)
        # Two halves: 2**-exponent itself may lie outside the range of a double.
        local = np.ldexp(np.ldexp(distance, -(exponent // 2)), -(exponent - exponent // 2))
        return cls(origin, math.ldexp(1.0, exponent), local, counts)

    def with_local(self, local: Array, weights: Array) -> Sample:
        """Return other weighted points in the same coordinates."""
        return Sample(self.origin, self.scale, local, weights, self.width)

    @property
    def values(self) -> Array:
        """Values (n,) in the unit of the data."""
        return self.origin + self.scale * self.local

    @property
    def local_variance(self) -> float:
        """Weighted variance (divisor: sum of weights) of the local values."""
        mean = self.weights @ self.local / self.total
        return float(self.weights @ (self.local - mean) ** 2 / self.total)

    def __len__(self) -> int:
        """Return the number of distinct values."""
        return self.local.size

    def __reduce__(self) -> tuple[type[Sample], tuple[Any, ...]]:
        # Pickled arrays come back writable: the constructor makes them read-only again.
        return Sample, tuple(getattr(self, f.name) for f in fields(self) if f.init)


def _merge_ties(values: Array, weights: Array | None) -> tuple[Array, Array]:
    """Distinct values in ascending order and the sum of the weights of each.

    Weights are summed in a sorted order too, so that the result does not depend on the order of
    the rows, not even in the last bit.
    """
    if weights is None:
        distinct, counts = np.unique(values, return_counts=True)
        return distinct, counts.astype(np.float64)
    order = np.lexsort((weights, values))
    order = order[weights[order] > 0.0]
    ascending = values[order]
    first = np.flatnonzero(np.concatenate([[True], ascending[1:] > ascending[:-1]]))
    return ascending[first], np.add.reduceat(weights[order], first)


def spread_exponent(distance: Array, weights: Array) -> int:
    """Return the binary exponent of the standard deviation; large numbers are not squared."""
    largest = float(np.abs(distance).max())
    if largest == 0.0:
        return 0
    unit = distance / largest
    share = weights / weights.sum()
    mean = share @ unit
    sd = math.sqrt(float(share @ (unit - mean) ** 2))
    return math.frexp(largest)[1] + math.frexp(sd)[1] - 1
