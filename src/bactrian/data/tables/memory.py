"""Columns and tables from anything in memory, told apart without importing a frame package."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.tables.columns import Column, Table, array_column
from bactrian.data.tables.frames import is_native, read_native
from bactrian.errors import DataError, DataTypeError

__all__ = ["column_from", "read_memory"]


def read_memory(data: object, label: str = "the data", first: int = 0) -> Table | Column:
    """A table from a mapping, a structured array or a frame; a column from anything else.

    Parameters
    ----------
    data : an array, sequence, iterable, series or frame of any package, or anything that offers
        ``__array__`` or Arrow data.
    label : what messages call it when it is a column.
    first : the number of rows before these, where they are a chunk of a column.

    Raises
    ------
    DataError, DataTypeError
        As ``array_column``; also what is not a column at all, in one sentence.
    """
    if isinstance(data, np.ndarray):
        if data.dtype.names is None:
            return array_column(data, label=label, first=first)
        fields = {name: data[name] for name in data.dtype.names}
        return _mapping_table(fields, "the structured array", first)
    if isinstance(data, list | tuple | range):
        return array_column(_array_of(data, label), label=label, first=first)
    if isinstance(data, Mapping):
        return _mapping_table(data, "the mapping", first)
    if is_native(data):
        return read_native(data, label, first)
    _refuse_lone_values(data, label)
    if hasattr(data, "__array__") or _is_buffer(data):
        return array_column(np.asarray(data), label=label, first=first)
    if isinstance(data, Iterable):
        return array_column(_array_of(list(data), label), label=label, first=first)
    raise DataTypeError(
        f"{label} is of type {type(data).__name__}: pass a list, an array, a series, a frame or "
        "the path of a file"
    )


def column_from(data: object, label: str, first: int = 0) -> Column:
    """A column from anything in memory that is one column.

    Parameters
    ----------
    data, label, first : as ``read_memory``.

    Raises
    ------
    DataError, DataTypeError
        As ``read_memory``; also a table.
    """
    found = read_memory(data, label, first)
    if isinstance(found, Table):
        raise DataTypeError(f"{label} is a table, not a single column: pass one of its columns")
    return found


def _refuse_lone_values(data: object, label: str) -> None:
    """Refuse what could be iterated or converted but is no column of rows."""
    if isinstance(data, str | bytes | bytearray):
        raise DataTypeError(f"{label} is a piece of text, not a column of numbers: pass a list")
    if data is None or isinstance(data, numbers.Number):
        raise DataTypeError(f"{label} is a single value, not a column: pass a list or an array")
    if isinstance(data, set | frozenset):
        raise DataTypeError(
            f"{label} is a set, which has lost the repeated values: pass the list it was made from"
        )


def _is_buffer(data: object) -> bool:
    """Whether ``data`` shows its memory, as ``array.array`` does."""
    try:
        memoryview(data)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        return False
    return True


def _array_of(items: Sequence[object], label: str) -> NDArray[Any]:
    """An array from a sequence: doubles where all are numbers, else Python objects."""
    if not len(items):
        return np.empty(0)
    try:
        array = np.asarray(items)
        if array.dtype.kind in "USO" and array.ndim == 1:
            # NumPy would turn [1, "a"] into two texts; the first culprit is worth naming.
            array = np.empty(len(items), dtype=object)
            array[:] = items
    except (ValueError, TypeError, OverflowError):
        raise DataError(
            f"{label} is a list whose entries have different lengths: pass one flat list of numbers"
        ) from None
    return array


def _mapping_table(data: Mapping[Any, object], label: str, first: int) -> Table:
    """A table from a mapping of names to columns."""
    by_name = {str(key): value for key, value in data.items()}
    columns: dict[str, Column] = {}
    kinds: dict[str, str] = {}
    for name, value in by_name.items():
        try:
            columns[name] = column_from(value, f"column {name!r}", first)
            kinds[name] = "number"
        except (DataError, DataTypeError):
            kinds[name] = "not numbers"

    def fetch(names: Sequence[str]) -> list[Column]:
        """Convert again what failed, for its own message."""
        read = [columns.get(n) or column_from(by_name[n], f"column {n!r}", first) for n in names]
        return [
            Column(column.values, n, column.place) for column, n in zip(read, names, strict=True)
        ]

    return Table(label, kinds, list(columns), fetch)
