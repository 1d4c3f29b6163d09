"""What comes back from a pass inside an engine: sums over groups of rows, and their faults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.engines.expressions import (
    FAR,
    INFINITE,
    MISSING,
    NEGATIVE,
    NOT_A_WEIGHT,
    WEIGHTLESS,
    column_names,
)
from bactrian.data.sketches.accumulate import empty_sketch
from bactrian.data.sketches.grid import N_MOMENTS
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.tables.checks import Tally
from bactrian.errors import DataError

__all__ = ["Groups", "collected", "refuse"]

Array = NDArray[np.float64]


def collected(query: Any) -> dict[str, Array]:
    """The columns of a query's answer as doubles, NaN where null."""
    answer = query.collect()
    return {name: _doubles(answer.get_column(name)) for name in answer.columns}


def _doubles(series: Any) -> Array:
    """A series of numbers as doubles."""
    return np.asarray(series.to_numpy(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of rows: those of the bins, and those with something about them.

    Attributes
    ----------
    keys : (g,) float64
        The number of the bin, or one of the keys in ``expressions``.
    count : (g,) float64
        Rows.
    low, high : (g,) float64
        Their range.
    sums : (g, m) float64
        Sums over them; of the bins, weighted ones after the first eight with squared weights.
    """

    keys: Array
    count: Array
    low: Array
    high: Array
    sums: Array

    @classmethod
    def of(cls, query: Any, n_sums: int = 0) -> Groups:
        """Run a query and take what its columns are named for; what it has not is NaN."""
        columns = collected(query)
        nowhere = np.full(columns["count"].size, np.nan)
        # Where every row counts once, the sum of the weights is the count.
        columns.setdefault("m0", columns["count"])
        names = [*column_names(n_sums, "m"), *(name for name in columns if name[0] == "s")]
        sums = [columns[name] for name in names]
        stacked = np.stack(sums, axis=1) if sums else nowhere[:, None]
        key, low, high = (columns.get(name, nowhere) for name in ("key", "low", "high"))
        return cls(key, columns["count"], low, high, stacked)

    @property
    def is_bin(self) -> NDArray[np.bool_]:
        """Which groups (g,) are bins."""
        whole: NDArray[np.bool_] = np.floor(self.keys) == self.keys
        return whole

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that has a weight."""
        some = self.is_bin | (self.keys == FAR)
        return float(self.low[some].min(initial=np.inf)), float(
            self.high[some].max(initial=-np.inf)
        )

    @property
    def largest(self) -> float:
        """The largest absolute value that has a weight; zero if none has one."""
        low, high = self.ends
        return max(-low, high, 0.0)

    def n(self, key: float) -> int:
        """How many rows have a key."""
        return int(self.count[self.keys == key].sum())

    def joined(self, other: Groups) -> Groups:
        """These bins and those of another pass, instead of the rows that were far."""
        mine, theirs = self.keys != FAR, other.is_bin
        return Groups(
            np.concatenate([self.keys[mine], other.keys[theirs]]),
            np.concatenate([self.count[mine], other.count[theirs]]),
            np.concatenate([self.low[mine], other.low[theirs]]),
            np.concatenate([self.high[mine], other.high[theirs]]),
            np.concatenate([self.sums[mine], other.sums[theirs]]),
        )

    def require_rows(self, column: str, missing: str) -> None:
        """Refuse a column without rows that can be used, as ``Tally.finish`` does."""
        low, high = self.ends if self.is_bin.any() else (0.0, 0.0)  # no row has a weight
        with np.errstate(over="ignore"):
            weight = float(self.sums[self.is_bin, 0].sum())
        n_missing = self.n(MISSING)
        tally = Tally(missing, column, False, int(self.count.sum()), n_missing, low, high, weight)
        tally.finish()

    def sketch(self, exponent: int, column: str) -> Sketch:
        """Return the sketch of the bins, whose widths are 2**exponent."""
        some = self.is_bin
        count = int(self.count[some].sum()) + self.n(WEIGHTLESS)
        n_missing = self.n(MISSING)
        if not some.any():
            none = empty_sketch(exponent)
            return replace(none, count=count, column=column, n_missing=n_missing)
        # Adding zero makes 0 of -0, which an engine may take for another key.
        bins, at = np.unique(self.keys[some] + 0.0, return_inverse=True)
        sums = np.zeros((bins.size, self.sums.shape[1]))
        np.add.at(sums, at, self.sums[some])
        squares = sums[:, N_MOMENTS:].copy() if sums.shape[1] > N_MOMENTS else None
        moments = sums[:, :N_MOMENTS].copy()
        return Sketch(exponent, bins, moments, squares, count, *self.ends, column, n_missing)


def refuse(found: Groups, column: str, missing: str) -> None:
    """Refuse values and weights that cannot be used, as ``Tally.add`` does.

    Raises
    ------
    DataError
        Missing values (unless dropped); infinite values; weights that are negative or not finite.
    """
    rows = int(found.count.sum())
    if found.n(MISSING) and missing == "error":
        raise DataError(
            f"column {column!r} has {_values(found.n(MISSING), 'missing')} among {rows} rows: "
            "pass missing='drop' to leave such rows out"
        )
    if found.n(INFINITE):
        raise DataError(
            f"column {column!r} has {_values(found.n(INFINITE), 'infinite')} among {rows} rows: "
            "leave such rows out, or put in what was measured"
        )
    for key, what in ((NOT_A_WEIGHT, "not finite"), (NEGATIVE, "negative")):
        if found.n(key):
            raise DataError(
                f"sample_weight is {what} in {found.n(key)} of {rows} rows: "
                "every weight must be a number that is zero or more"
            )


def _values(n: int, what: str) -> str:
    """How many values are so, in words."""
    return f"{n} {what} value{'s' if n > 1 else ''}"
