"""What values and weights must be, for a whole column or for one chunk after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.tables.columns import Column, FloatArray, Place
from bactrian.errors import DataError, ParameterError

__all__ = ["Tally", "check_missing_option"]

Mask = NDArray[np.bool_]


def check_missing_option(missing: str) -> None:
    """Refuse what is no way to treat missing values."""
    if missing not in ("error", "drop"):
        raise ParameterError(f"missing must be 'error' or 'drop', not {missing!r}")


@dataclass(slots=True)
class Tally:
    """What has been seen of a column so far, for rules that no single chunk can break.

    Attributes
    ----------
    missing : what to do about missing values, "error" or "drop".
    name : the name of the column, where it has one.
    is_chunked : whether rows may follow, so that a message counts those up to now.
    rows, n_missing : how many rows there were, and how many of them were missing.
    low, high : the range of the rows that were kept.
    weight : the sum of their weights; the number of them where there are no weights.
    """

    missing: str
    name: str | None = None
    is_chunked: bool = False
    rows: int = 0
    n_missing: int = 0
    low: float = np.inf
    high: float = -np.inf
    weight: float = 0.0

    def add(self, values: Column, weights: Column | None) -> tuple[FloatArray, FloatArray | None]:
        """Return the rows to keep and their weights; not copied where all are kept.

        Raises
        ------
        DataError
            Missing values (unless dropped); an infinite value; weights that are negative or not
            finite.
        """
        entries = values.values
        before, self.rows = self.rows, self.rows + entries.size
        if not entries.size:
            return entries, None if weights is None else weights.values
        kept = self._kept(values, before)
        if weights is not None:
            _check_weights(weights, kept)
        x, w = entries, None if weights is None else weights.values
        if kept is not None:
            x, w = x[kept], None if w is None else w[kept]
        if x.size:
            self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))
            with np.errstate(over="ignore"):
                self.weight += x.size if w is None else float(w.sum())
        return x, w

    def finish(self) -> None:
        """Refuse a column that is empty, has nothing but missing values, or is too wide.

        Raises
        ------
        DataError
            Also weights that are all zero or overflow.
        """
        if self.rows == 0:
            raise DataError(f"{self._called} has no rows: there is nothing to fit")
        if self.n_missing == self.rows:
            raise DataError(f"{self._called} has missing values only: there is nothing to fit")
        if not np.isfinite(self.high - self.low):
            raise DataError(
                f"{self._called} runs from {self.low:g} to {self.high:g}, a range beyond the "
                "largest double: rescale it, e.g. divide by 1e10"
            )
        if not 0 < self.weight < np.inf:
            fault = "is zero in every row" if self.weight == 0 else "has a sum that overflows"
            raise DataError(
                f"sample_weight {fault}: give weights that say how often each row counts"
            )

    @property
    def _called(self) -> str:
        """What messages call the column."""
        return "the data" if self.name is None else f"column {self.name!r}"

    def _kept(self, column: Column, before: int) -> Mask | None:
        """Which rows to keep, None for all; refuses what is missing or infinite."""
        values = column.values
        # A minimum and a maximum see every NaN and infinity, and cost no temporary array.
        if np.isfinite(float(values.max())) and np.isfinite(float(values.min())):
            return None
        absent = np.isnan(values)
        n_missing = int(absent.sum())
        if n_missing and self.missing == "error":
            raise DataError(
                f"{self._called} has {self._counted(absent, 'missing', column.place, before)}: "
                "pass missing='drop' to leave such rows out"
            )
        infinite = np.isinf(values)
        if infinite.any():
            raise DataError(
                f"{self._called} has {self._counted(infinite, 'infinite', column.place, before)}: "
                "leave such rows out, or put in what was measured"
            )
        self.n_missing += n_missing
        return ~absent

    def _counted(self, found: Mask, what: str, place: Place, before: int) -> str:
        """How many entries are so, among how many, and where the first one is."""
        n, first = int(found.sum()), place(int(found.argmax()))
        where = f"at {first}" if n == 1 else f"the first at {first}"
        among = f"the first {before + found.size}" if self.is_chunked else f"{found.size}"
        return f"{n} {what} value{'s' if n > 1 else ''} among {among} rows, {where}"


def _check_weights(weights: Column, kept: Mask | None) -> None:
    """Refuse a weight that is negative or not finite, of the rows that are kept."""
    entries = weights.values
    if kept is None and entries.min() >= 0.0 and entries.max() < np.inf:
        return
    used = np.ones(entries.size, dtype=bool) if kept is None else kept
    for wrong, what in ((~np.isfinite(entries), "not finite"), (entries < 0, "negative")):
        wrong &= used
        if wrong.any():
            first = int(wrong.argmax())
            raise DataError(
                f"sample_weight is {what} at {weights.place(first)} ({entries[first]:g}): "
                "every weight must be a number that is zero or more"
            )
