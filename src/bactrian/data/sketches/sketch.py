"""A column of any length as binned moments: mergeable, a few hundred kilobytes, exact enough."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.addition import CAP, added, bounded, capped, coarsened, without
from bactrian.data.sketches.grid import checked_exponent, scaled, suitable_exponent
from bactrian.errors import ParameterError

if TYPE_CHECKING:
    import os

    from bactrian.data.passes import Progress, Source

__all__ = ["CAP", "Sketch", "capped"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sketch:
    """Chebyshev moments of a column in the bins of a dyadic grid.

    Sketches add: that of two days is the sum of theirs, on the coarser of the two grids. From a
    sketch follows a weighted sample whose log-likelihood, score and Hessian are those of all the
    rows, to rounding for components not much narrower than ten bins.

    Attributes
    ----------
    exponent : int
        The bins are ``[b * 2**exponent, (b + 1) * 2**exponent)``.
    bins : (B,) float64
        The numbers b of the occupied bins, ascending, whole; read-only.
    moments : (B, 8) float64
        Sums over the rows of a bin of ``w T_p(t)``, p = 0..7, with t in [-1, 1) the place in the
        bin; read-only.
    squares : (B, 8) float64 or None
        The same with ``w**2``, which sampling weights need; None where every row counts once.
    count : int
        Rows, whatever their weights.
    minimum, maximum : float
        Of the rows; after a subtraction, bounds for them.
    column : str or None
        Name of the column, where it has one.
    n_missing : int
        Rows left out because their value was missing.

    Notes
    -----
    Source: derivation, "Binned moments".
    """

    exponent: int
    bins: Array
    moments: Array
    squares: Array | None
    count: int
    minimum: float
    maximum: float
    column: str | None = None
    n_missing: int = 0

    def __post_init__(self) -> None:
        """Protect the arrays."""
        for array in (self.bins, self.moments, self.squares):
            if array is not None:
                array.setflags(write=False)

    @classmethod
    def of(
        cls,
        data: Any,
        *,
        column: str | None = None,
        sample_weight: Any = None,
        missing: Literal["error", "drop"] = "error",
        exponent: int | None = None,
        progress: Progress | None = None,
    ) -> Sketch:
        """Return the sketch of a column, read once.

        Parameters
        ----------
        data : array-like, frame, lazy frame, stream, path or glob
            Whatever ``fit`` takes.
        column : str, optional
            Which column of a frame or file; may be left out when exactly one holds numbers.
        sample_weight : array-like (n,) or str, optional
            Observation weights, or the name of the column that holds them.
        missing : {"error", "drop"}
            What to do about missing values.
        exponent : int, optional
            Bins have width ``2**exponent``; chosen from the data by default.
        progress : callable, optional
            Called with the rows done and, where it is known, how many there are.

        Raises
        ------
        DataError, DataTypeError
            If the data cannot be read or are not finite real numbers.
        ParameterError
            If an option is out of its range.
        """
        from bactrian.data.sources import as_source

        source: Source = as_source(
            data,
            column=column,
            sample_weight=sample_weight,
            missing=missing,
            progress=progress,
        )
        if exponent is None:
            return source.sketch()
        with np.errstate(over="ignore", invalid="ignore"):
            found = source.sketch(checked_exponent(exponent))
        if not np.isfinite(found.bins).all():
            largest = max(-found.minimum, found.maximum)
            raise ParameterError(
                f"exponent={exponent} makes bins too narrow to be numbered out to {largest:g}: "
                f"take {suitable_exponent(0.0, largest)} or more."
            )
        return found

    @property
    def total(self) -> float:
        """Sum of the weights: the number of rows when every row counts once."""
        return float(self.moments[:, 0].sum())

    @property
    def width(self) -> float:
        """Width of the bins, unit of the data."""
        return math.ldexp(1.0, self.exponent)

    @property
    def mean(self) -> float:
        """Weighted mean."""
        middle, away, _ = self._central_moments()
        return float(scaled(middle + away, self.exponent))

    @property
    def sd(self) -> float:
        """Weighted standard deviation, divisor: sum of the weights."""
        return float(scaled(self._central_moments()[2], self.exponent))

    def _central_moments(self) -> tuple[float, float, float]:
        """A bin number, the mean counted from it, and the standard deviation, in bin widths."""
        share = self.moments / self.total
        middle = float(self.bins[np.searchsorted(np.cumsum(share[:, 0]), 0.5)])
        away = self.bins - middle + 0.5
        mean = float(share[:, 0] @ away + 0.5 * share[:, 1].sum())
        away -= mean
        # A power of two keeps the squares of bin numbers such as 2**1000 in range.
        power = math.frexp(float(np.abs(away).max()))[1]
        away = np.ldexp(away, -power)
        # x = away + t / 2 in bin widths, and t^2 = (1 + T_2(t)) / 2.
        variance = float(share[:, 0] @ away**2) + math.ldexp(share[:, 1] @ away, -power)
        variance += math.ldexp(0.125 * (share[:, 0] + share[:, 2]).sum(), -2 * power)
        return middle, mean, math.ldexp(math.sqrt(max(variance, 0.0)), power)

    def quantile(self, p: Any) -> Any:
        """Return the quantiles of probabilities in [0, 1], right to the width of a bin.

        Raises
        ------
        ParameterError
            If a probability is not in [0, 1].
        """
        p = np.asarray(p, dtype=np.float64)
        if not ((p >= 0.0) & (p <= 1.0)).all():
            raise ParameterError("a probability is not between 0 and 1.")
        weight = self.moments[:, 0]
        below = np.concatenate([[0.0], np.cumsum(weight)])
        index = np.clip(np.searchsorted(below, p * below[-1]) - 1, 0, weight.size - 1)
        inside = np.clip((p * below[-1] - below[index]) / weight[index], 0.0, 1.0)
        found = scaled(self.bins[index] + inside, self.exponent)
        found = np.clip(found, self.minimum, self.maximum)
        return float(found) if found.ndim == 0 else found

    def coarsen(self, exponent: int) -> Sketch:
        """Return the same rows on a coarser grid, whose bins are whole unions of these.

        Raises
        ------
        ParameterError
            If the exponent is smaller than that of the sketch, or that of no double.
        """
        exponent = checked_exponent(exponent)
        if exponent < self.exponent:
            raise ParameterError(
                f"exponent={exponent} asks for bins finer than the sketch's 2**{self.exponent}; "
                "moments can be joined, not parted: sketch the data again."
            )
        return coarsened(self, exponent)

    def __add__(self, other: Any) -> Sketch:
        """Return the sketch of both columns' rows, on the coarser of the two grids.

        A sketch without a name adds to any. Weights are frequencies: in the sum of a weighted and
        an unweighted sketch each row of the latter counts once.

        Raises
        ------
        DataError
            If the sketches are of columns of different names.
        """
        if isinstance(other, int) and other == 0:
            return self  # so that sum() works
        if not isinstance(other, Sketch):
            return NotImplemented
        return capped(added(self, other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Sketch:
        """Return the sketch without the rows of a part that was added to it.

        Raises
        ------
        DataError
            If the other sketch is not a part of this one, is all of it, or is of a column of
            another name.
        """
        if not isinstance(other, Sketch):
            return NotImplemented
        return without(self, other)

    def select(self, inside: NDArray[np.bool_]) -> Sketch:
        """Return the sketch of the bins (B,) marked True; minimum and maximum become bounds.

        For weighted rows the count is that of all the rows.
        """
        squares = None if self.squares is None else self.squares[inside]
        kept = replace(self, bins=self.bins[inside], moments=self.moments[inside], squares=squares)
        count = round(kept.total) if squares is None else self.count
        return bounded(replace(kept, count=count))

    def to_sample(self) -> Sample:
        """Return the weighted sample of Gauss nodes that stands for the rows."""
        from bactrian.data.sketches.nodes import sample_of

        return sample_of((self,))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the sketch to a Parquet file, whole or not at all.

        Raises
        ------
        DataError
            If the file cannot be written.
        """
        from bactrian.data.sketches.sketch_file import write

        write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Sketch:
        """Return the sketch that ``save`` wrote.

        Raises
        ------
        DataError
            If the file is missing, is not a sketch, is damaged, or was written by a newer version.
        """
        from bactrian.data.sketches.sketch_file import read

        return read(path)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.count

    def __repr__(self) -> str:
        """Return what a sketch is of, in one line."""
        of = "" if self.column is None else f" of {self.column}"
        rows = f"{self.count:,} row{'s' * (self.count != 1)}"
        if self.squares is not None:
            rows += f" of total weight {_amount(self.total)}"
        bins = f"{self.bins.size:,} bin{'s' * (self.bins.size != 1)}"
        return (
            f"<Sketch{of}: {rows} in {bins} of width {self.width:g}, "
            f"{self.minimum:g} to {self.maximum:g}, mean {self.mean:g}, sd {self.sd:g}>"
        )


def _amount(weight: float) -> str:
    """A sum of weights: six digits, and all before the point where they are few."""
    return f"{weight:,.0f}" if 1e5 <= weight < 1e15 else f"{weight:,.6g}"
