"""What a fit reads its rows from: once for a sketch, and again to certify the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sketches.sketch import Sketch

Array = NDArray[np.float64]
# Called with the rows done so far and, where it is known, how many there are.
Progress = Callable[[int, int | None], None]


class FirstOrder(NamedTuple):
    """Sums over all the rows of a source under one mixture.

    Attributes
    ----------
    loglike : float
        Sum of w log f in local coordinates.
    sums : (3, K) float64
        Sums of w r_k, of w r_k u_k and of w r_k (u_k^2 - 1) / 2, with u = (z - mean) / sd.
    total : float
        Sum of the weights of the rows that were read.
    """

    loglike: float
    sums: Array
    total: float


class Source(Protocol):
    """A column that can be reduced to sums where it lives.

    Attributes
    ----------
    column : str or None
        Its name, where it has one.
    is_rereadable : bool
        Whether the rows can be read again: a one-shot stream cannot.
    """

    @property
    def column(self) -> str | None:
        """Name of the column."""
        ...

    @property
    def is_rereadable(self) -> bool:
        """Whether the rows can be read again."""
        ...

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch of the rows.

        Parameters
        ----------
        exponent : int, optional
            Bins have width ``2**exponent``; chosen from the data by default, and then coarsened
            if more bins are occupied than a sketch may have.
        within : (m, 2) float64, optional
            Only rows with low <= x < high for one of the disjoint ranges.
        """
        ...

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Return the sums over all rows at a mixture (K,) of z = (x - origin) / scale."""
        ...
