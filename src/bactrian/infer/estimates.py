"""One estimated number and what is known about its error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, SupportsIndex, overload

from bactrian.data.tables.made import Backend, made_frame
from bactrian.errors import ParameterError
from bactrian.infer.rounding import round_by_error


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its interval; printing rounds by the error.

    Attributes
    ----------
    name : str
        What is estimated: ``"weight 1"``, ``"mean 1"``, ``"sd 1"``, with components counted from 1.
    value : float
        The estimate, in the unit of the data (weights have none).
    standard_error : float
        In the unit of `value`; NaN when there is none, zero where the value was fixed.
    low, high : float
        The ends of the interval, in the unit of `value`; NaN when there is none, infinite (or the
        end of the range) where the interval is open.
    level : float
        Coverage the interval aims at, between 0 and 1.
    method : str
        How the interval was made, for example ``"wald"``.
    note : str
        What to know about it: why an end is open, why there is no value.
    """

    name: str
    value: float
    standard_error: float
    low: float
    high: float
    level: float
    method: str
    note: str = ""

    def __str__(self) -> str:
        """Return ``value ± standard error``, rounded by the standard error."""
        shown = round_by_error(self.value, self.standard_error)
        return f"{shown.value} ± {shown.standard_error}"


class Estimates(tuple[Estimate, ...]):
    """Several estimates: a tuple that also knows their names, and prints as a table."""

    __slots__ = ()

    def __new__(cls, estimates: Iterable[Estimate]) -> Estimates:
        """Return the estimates as one value."""
        return super().__new__(cls, tuple(estimates))

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> Estimate: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Estimate, ...]: ...

    def __getitem__(self, key: SupportsIndex | str | slice) -> Estimate | tuple[Estimate, ...]:
        """Return the estimate at a position or of a name, or those of a slice.

        Raises
        ------
        ParameterError
            If none has the name.
        """
        if not isinstance(key, str):
            return super().__getitem__(key)
        for estimate in self:
            if estimate.name == key:
                return estimate
        names = ", ".join(repr(estimate.name) for estimate in self)
        raise ParameterError(f"There is no estimate {key!r}; there are {names}.")

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the fields of all estimates, by name, in lists."""
        return {f.name: [getattr(e, f.name) for e in self] for f in fields(Estimate)}

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """Return one row for each estimate, as a frame: "pandas", "polars" or "pyarrow".

        In pandas, where sentences would hide the numbers, a note is an asterisk, and
        ``frame.attrs["notes"]`` has the sentences by the names of the estimates.

        Raises
        ------
        ParameterError
            If the backend is unknown or not installed.
        """
        return made_frame(self.to_columns(), backend, notes="note", of="name")

    def __str__(self) -> str:
        """Return one line for each: name, value, standard error, interval."""
        rows = [("", "estimate", "std. error", "low", "high", "method")]
        for e in self:
            shown = round_by_error(e.value, e.standard_error, e.low, e.high)
            rows.append((e.name, *shown, f"{e.method} {e.level:.12g}"))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
        notes: dict[str, list[str]] = {}
        for e in self:
            if e.note:
                notes.setdefault(e.note, []).append(e.name)
        return "\n".join(lines + [f"{', '.join(names)}: {note}" for note, names in notes.items()])

    def __repr__(self) -> str:
        """Return the printed form: estimates are looked at where they are made."""
        return str(self)


def _cells(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """The cells of a line: words to the left, numbers to the right."""
    pairs = list(zip(row, widths, strict=True))
    return [cell.ljust(w) if i in (0, 5) else cell.rjust(w) for i, (cell, w) in enumerate(pairs)]
