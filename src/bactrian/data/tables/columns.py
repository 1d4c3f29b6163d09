"""What a source gives: columns of doubles, and tables of them; the conversion of arrays."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import DataError, DataTypeError

__all__ = ["Column", "FloatArray", "Place", "Table", "array_column"]

FloatArray = NDArray[np.float64]
Place = Callable[[int], str]

_REMEDIES = {
    "b": ("true/false values", "pass numbers, e.g. x.astype(float)"),
    "c": ("complex numbers", "pass a real column, e.g. x.real or abs(x)"),
    "M": ("dates", "pass numbers, e.g. seconds since the first date"),
    "m": ("time differences", "divide by a unit, e.g. x / np.timedelta64(1, 's')"),
    "S": ("text", "convert it first, e.g. np.asarray(x, dtype=float)"),
    "T": ("text", "convert it first, e.g. np.asarray(x, dtype=float)"),
    "U": ("text", "convert it first, e.g. np.asarray(x, dtype=float)"),
}


def at_index(i: int) -> str:
    """The place of row ``i`` of something in memory, in words."""
    return f"index {i}"


def place_after(first: int) -> Place:
    """The places in a chunk that ``first`` rows come before."""
    return at_index if first == 0 else lambda i: at_index(first + i)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of numbers, not yet checked.

    Attributes
    ----------
    values : (n,) float64, or float32 as it was given; NaN where a value is missing.
    name : the name of the column in its frame or file, if it has one.
    place : from a row number, counted from 0, to words for a message.
    """

    values: FloatArray
    name: str | None = None
    place: Place = at_index


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named columns that can be read one by one.

    Attributes
    ----------
    label : what messages call the table.
    kinds : for each column, in order, a word for what it holds.
    numeric : the names of the columns that hold numbers.
    fetch : reads the named columns in one pass.
    """

    label: str
    kinds: Mapping[str, str]
    numeric: Sequence[str]
    fetch: Callable[[Sequence[str]], list[Column]]


def array_column(
    array: NDArray[Any], name: str | None = None, label: str = "the data", first: int = 0
) -> Column:
    """A column from a one-dimensional array of real numbers.

    Parameters
    ----------
    array : (n,) of any real dtype; masked entries are missing.
    name, label : the name of the column, and what messages call it.
    first : the number of rows before these, where they are a chunk of a column.

    Returns
    -------
    Column whose values are the same memory when ``array`` is contiguous float64 or float32, else a
    copy in float64.

    Raises
    ------
    DataError
        More than one dimension.
    DataTypeError
        Not real numbers, or a single number.
    """
    _require_one_dimension(array, label)
    kind = array.dtype.kind
    if kind == "O":
        values = _from_objects(np.ma.getdata(array), np.ma.getmaskarray(array), label, first)
        return Column(values, name, place_after(first))
    if kind not in "iuf":
        found, remedy = _REMEDIES.get(kind, (f"values of type {array.dtype}", "pass numbers"))
        raise DataTypeError(f"{label} holds {found}, not real numbers: {remedy}")
    kept = np.float32 if array.dtype == np.float32 else np.float64
    with np.errstate(over="ignore"):  # a long double beyond the doubles is reported as infinite
        values = np.ascontiguousarray(np.ma.getdata(array), dtype=kept)
    if np.ma.is_masked(array):
        values = np.where(np.ma.getmaskarray(array), np.nan, values)
    return Column(np.asarray(values), name, place_after(first))


def _require_one_dimension(array: NDArray[Any], label: str) -> None:
    """Refuse single numbers and tables."""
    if array.ndim == 0:
        raise DataTypeError(f"{label} is a single value, not a column: pass a list or an array")
    if array.ndim > 1:
        index = ", ".join([":"] + ["0"] * (array.ndim - 1))
        dimensions = {2: "two-dimensional"}.get(array.ndim, f"{array.ndim}-dimensional")
        raise DataError(
            f"{label} is {dimensions}, of shape {array.shape}: pass one column, e.g. x[{index}]"
        )


def _from_objects(
    items: NDArray[Any], mask: NDArray[np.bool_], label: str, first: int
) -> FloatArray:
    """Doubles from Python numbers, NaN for None and pandas' NA."""
    values = np.full(items.size, np.nan)
    for i, item in enumerate(items.tolist()):
        if mask[i] or item is None or type(item).__name__ == "NAType":
            continue
        if isinstance(item, bool) or not isinstance(item, numbers.Real | Decimal):
            raise DataTypeError(
                f"{label} holds {_described(item)} at {at_index(first + i)}, not a real number: "
                "pass numbers only, with None or NaN where a value is missing"
            )
        try:
            values[i] = float(item)
        except OverflowError:
            values[i] = np.inf
    return values


def _described(item: object) -> str:
    """A value that is not a number, in words short enough for a message."""
    if isinstance(item, str | bytes):
        shown = str(item) if len(item) <= 30 else str(item[:27]) + "..."
        return f"the text {shown!r}"
    if isinstance(item, bool | complex):
        return f"the {type(item).__name__} {item!r}"
    return f"a value of type {type(item).__name__}"
