"""One column of numbers from anything: the front door of the data, where its faults are named."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.columns import Column, FloatArray, Place, Table
from bactrian.data.files import file_tables, open_stream
from bactrian.data.frames import is_native
from bactrian.data.memory import column_from, read_memory
from bactrian.errors import DataError, ParameterError

__all__ = ["Rows", "read_rows"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one column, every one a finite number.

    Attributes
    ----------
    values : (n,) float64, read-only, unit of the data.
    weights : (n,) float64, read-only, not negative and not all zero; None: every row counts once.
    name : the name of the column, where it has one.
    n_missing : how many rows were left out because their value was missing.
    """

    values: FloatArray
    weights: FloatArray | None
    name: str | None
    n_missing: int


def read_rows(
    data: object,
    *,
    column: str | None = None,
    sample_weight: object = None,
    missing: Literal["error", "drop"] = "error",
) -> Rows:
    """The rows of one column, checked.

    Parameters
    ----------
    data : a list or another sequence, a NumPy array (masked entries are missing), a pandas,
        Polars or PyArrow series or frame, a mapping of columns, anything with ``__array__`` or an
        Arrow stream; the path of a CSV, TSV, JSON-lines or Parquet file (also gzipped), or a glob
        of such files; an open file, such as ``sys.stdin.buffer``.
    column : which column of a frame or file; may be left out when exactly one holds numbers.
    sample_weight : (n,) observation weights, or the name of a column of the frame or file.
    missing : what to do about missing values (None, NaN, NA, masked, empty): "error" names the
        first one, "drop" leaves the rows and their weights out and counts them.

    Returns
    -------
    Rows; contiguous float64 arrays are not copied.

    Raises
    ------
    DataError
        No rows; missing values (unless dropped); an infinite value; a range that overflows;
        weights that are negative, not finite, all zero or of the wrong length; a column that does
        not exist or is not named; a file that cannot be read; more than one dimension.
    DataTypeError
        Not real numbers: true/false values, complex numbers, dates, text, other objects.
    ParameterError
        An option that is out of its range or does not go with the data.
    """
    if missing not in ("error", "drop"):
        raise ParameterError(f"missing must be 'error' or 'drop', not {missing!r}")
    values, weights = _columns(data, column, sample_weight)
    if values.values.size == 0:
        raise DataError(f"{_called(values)} has no rows: there is nothing to fit")
    if weights is not None and weights.values.size != values.values.size:
        raise DataError(
            f"sample_weight has {weights.values.size} entries for {values.values.size} rows: "
            "give one weight per row"
        )
    kept = _kept(values, missing)
    n_missing = 0 if kept is None else int(kept.size - kept.sum())
    return Rows(
        values=_read_only(values.values, kept),
        weights=None if weights is None else _read_only(_checked_weights(weights, kept), kept),
        name=values.name,
        n_missing=n_missing,
    )


def _columns(
    data: object, column: str | None, sample_weight: object
) -> tuple[Column, Column | None]:
    """The column of values and that of weights, wherever they are."""
    weight_name = sample_weight if isinstance(sample_weight, str) else None
    with ExitStack() as stack:
        found = _opened(data, stack)
        if isinstance(found, Column):
            _refuse_names(column=column, sample_weight=weight_name)
            values, weights = found, None
        else:
            values, weights = _from_tables(found, column, weight_name)
    if sample_weight is not None and weight_name is None:
        weights = column_from(sample_weight, "sample_weight")
    return values, weights


def _opened(data: object, stack: ExitStack) -> Column | Sequence[Table]:
    """The column or the tables that ``data`` is; files stay open as long as the stack."""
    if isinstance(data, str | os.PathLike):
        return stack.enter_context(file_tables(os.fspath(data)))
    if hasattr(data, "read") and not hasattr(data, "__array__") and not is_native(data):
        return stack.enter_context(open_stream(data))
    found = read_memory(data)
    return found if isinstance(found, Column) else [found]


def _refuse_names(**options: str | None) -> None:
    """Refuse names of columns where there is but one."""
    for option, name in options.items():
        if name is not None:
            raise ParameterError(
                f"{option}={name!r} names a column, but the data are a single column: "
                "pass a frame or a file, or leave the name out"
            )


def _from_tables(
    tables: Sequence[Table], column: str | None, weight_name: str | None
) -> tuple[Column, Column | None]:
    """The named columns of all tables, one below the other."""
    if weight_name is not None:
        _require_column(tables[0], weight_name)
    name = _choose(tables[0], column, weight_name)
    names = [name] if weight_name is None else [name, weight_name]
    parts: list[list[Column]] = []
    for table in tables:
        for wanted in names:
            _require_column(table, wanted)
        parts.append(table.fetch(names))
    joined = [_joined(pieces) for pieces in zip(*parts, strict=True)]
    return joined[0], joined[1] if weight_name is not None else None


def _choose(table: Table, column: str | None, weight_name: str | None) -> str:
    """The column to read: the one asked for, else the only one that holds numbers."""
    if column is not None:
        return str(column)
    candidates = [name for name in table.numeric if name != weight_name]
    others = [name for name in table.kinds if name != weight_name]
    if len(candidates) == 1:
        return candidates[0]
    if len(others) == 1:
        return others[0]  # reading it will say what is wrong with it
    listing = ", ".join(f"{name} ({kind})" for name, kind in table.kinds.items())
    if all(kind == "empty" for kind in table.kinds.values()):
        raise DataError(f"{table.label} has no values in its columns: there is nothing to fit")
    if not candidates:
        raise DataError(f"{table.label} has no column of numbers: its columns are {listing or '-'}")
    raise DataError(
        f"{table.label} has {len(candidates)} columns of numbers, {_and(candidates)}: "
        f"choose one, e.g. column={candidates[0]!r} (all columns: {listing})"
    )


def _require_column(table: Table, name: str) -> None:
    """Refuse a column that is not there, and suggest the one that was meant."""
    if name in table.kinds:
        return
    folded = {known.casefold(): known for known in table.kinds}
    close = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1)
    listing = ", ".join(f"{known} ({kind})" for known, kind in table.kinds.items())
    raise DataError(
        f"{table.label} has no column {name!r}"
        + (f"; did you mean {folded[close[0]]!r}?" if close else "")
        + f" (its columns are {listing or 'none'})"
    )


def _and(names: Sequence[str]) -> str:
    """The names as one would say them."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _joined(pieces: Sequence[Column]) -> Column:
    """One column from those of several files, which remembers where each row came from."""
    if len(pieces) == 1:
        return pieces[0]
    ends = np.cumsum([piece.values.size for piece in pieces])

    def place(i: int) -> str:
        """The place in the file that row ``i`` came from."""
        file = int(np.searchsorted(ends, i, side="right"))
        return pieces[file].place(i - int(ends[file]) + pieces[file].values.size)

    return Column(np.concatenate([piece.values for piece in pieces]), pieces[0].name, place)


def _kept(column: Column, missing: str) -> Mask | None:
    """Which rows to keep, None for all; refuses what is missing, infinite or too far apart."""
    values = column.values
    # A minimum and a maximum see every NaN and infinity, and cost no temporary array.
    if np.isfinite(float(values.max()) - float(values.min())):
        return None
    absent = np.isnan(values)
    n_missing = int(absent.sum())
    if n_missing and missing == "error":
        raise DataError(
            f"{_called(column)} has {_counted(absent, 'missing', column.place)}: "
            "pass missing='drop' to leave such rows out"
        )
    if n_missing == values.size:
        raise DataError(f"{_called(column)} has missing values only: there is nothing to fit")
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"{_called(column)} has {_counted(infinite, 'infinite', column.place)}: "
            "leave such rows out, or put in what was measured"
        )
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not np.isfinite(high - low):
        raise DataError(
            f"{_called(column)} runs from {low:g} to {high:g}, a range beyond the largest double: "
            "rescale it, e.g. divide by 1e10"
        )
    return ~absent


def _counted(found: Mask, what: str, place: Place) -> str:
    """How many entries are so, among how many, and where the first one is."""
    n, first = int(found.sum()), place(int(found.argmax()))
    where = f"at {first}" if n == 1 else f"the first at {first}"
    return f"{n} {what} value{'s' if n > 1 else ''} among {found.size} rows, {where}"


def _checked_weights(weights: Column, kept: Mask | None) -> FloatArray:
    """The weights, none of those that are kept negative or not finite, and not all zero."""
    entries = weights.values
    with np.errstate(over="ignore", invalid="ignore"):
        if kept is None and entries.min() >= 0.0 and 0.0 < entries.sum() < np.inf:
            return entries
    used = np.ones(entries.size, dtype=bool) if kept is None else kept
    for wrong, what in ((~np.isfinite(entries), "not finite"), (entries < 0, "negative")):
        wrong &= used
        if wrong.any():
            first = int(wrong.argmax())
            raise DataError(
                f"sample_weight is {what} at {weights.place(first)} ({entries[first]:g}): "
                "every weight must be a number that is zero or more"
            )
    with np.errstate(over="ignore"):
        total = float(np.sum(entries, where=used))
    if not 0 < total < np.inf:
        fault = "is zero in every row" if total == 0 else "has a sum that overflows"
        raise DataError(f"sample_weight {fault}: give weights that say how often each row counts")
    return entries


def _called(column: Column) -> str:
    """What messages call a column."""
    return "the data" if column.name is None else f"column {column.name!r}"


def _read_only(values: FloatArray, kept: Mask | None) -> FloatArray:
    """The kept rows as a view that cannot be written through; the caller's flags stay."""
    view = values.view() if kept is None else values[kept]
    view.flags.writeable = False
    return view
