"""Columns of pandas, Polars, PyArrow and other frames, through Narwhals and Arrow streams."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from bactrian.data.tables.columns import Column, Table, array_column
from bactrian.errors import DataError, DataTypeError

__all__ = ["is_native", "read_native", "require_same_index"]

_FRAME_PACKAGES = frozenset(
    "cudf dask dask_expr duckdb ibis modin narwhals pandas polars pyarrow pyspark sqlframe".split()
)


def is_native(data: object) -> bool:
    """Whether ``data`` comes from a frame package or speaks Arrow; imports nothing."""
    return type(data).__module__.partition(".")[0].lstrip("_") in _FRAME_PACKAGES or any(
        hasattr(data, name) for name in ("__arrow_c_stream__", "__arrow_c_array__")
    )


def read_native(data: object, label: str, first: int = 0) -> Table | Column:
    """A table from a frame, a column from a series, an index or an Arrow array.

    Parameters
    ----------
    data : what ``is_native`` knows; a lazy frame or a stream is read once.
    label : what messages call it when it is a column.
    first : the number of rows before these, where they are a chunk of a column.

    Raises
    ------
    DataError
        Columns that share a name.
    DataTypeError
        Neither a frame nor a column, or a column of no real numbers.
    """
    import narwhals as nw

    native = _narwhals_object(data)
    if isinstance(native, nw.Series):
        name = None if native.name in (None, "") else str(native.name)
        return _from_series(native, name, label, first)
    schema = native.collect_schema()

    def fetch(names: Sequence[str]) -> list[Column]:
        """Collect the named columns only."""
        chosen = native.select(*dict.fromkeys(names))
        eager = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
        return [
            _from_series(eager.get_column(name), name, f"column {name!r}", first) for name in names
        ]

    return Table(
        "the frame",
        {name: str(dtype) for name, dtype in schema.items()},
        [name for name, dtype in schema.items() if dtype.is_numeric()],
        fetch,
    )


def require_same_index(data: object, weights: object) -> None:
    """Refuse weights of pandas whose index is not that of the data: they go by position here.

    Raises
    ------
    DataError
        If both are of pandas and their indexes differ.
    """
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return
    one, other = (
        found.index if isinstance(found, pandas.Series | pandas.DataFrame) else None
        for found in (data, weights)
    )
    if one is not None and other is not None and not one.equals(other):
        raise DataError(
            "sample_weight has another index than the data, and weights are matched by position: "
            "align them with weights.loc[data.index], or pass weights.to_numpy() if they are in "
            "the order of the rows"
        )


def _narwhals_object(data: Any) -> Any:
    """The object as Narwhals sees it, brought into a form that it knows."""
    import narwhals as nw

    root = type(data).__module__.partition(".")[0]
    if root == "pandas":
        data = _pandas_form(data)
    elif root == "pyarrow" or not _known_to_narwhals(data):
        data = _arrow_form(data)
    try:
        return nw.from_native(data, allow_series=True)
    except nw.exceptions.DuplicateError:
        raise DataError(
            "the frame has several columns of the same name: pass the one column itself"
        ) from None
    except TypeError:
        raise _not_a_column(data) from None


def _known_to_narwhals(data: Any) -> bool:
    """Whether Narwhals takes the object as it is."""
    import narwhals as nw

    try:
        nw.from_native(data, allow_series=True)
    except nw.exceptions.DuplicateError:
        return True
    except TypeError:
        return False
    return True


def _pandas_form(data: Any) -> Any:
    """A pandas frame or series: an index or a bare extension array becomes a series."""
    if hasattr(data, "columns"):
        names = [str(name) for name in data.columns]
        return data if names == list(data.columns) else data.set_axis(names, axis=1)
    if hasattr(data, "iloc"):
        return data
    try:
        return importlib.import_module("pandas").Series(data, copy=False)
    except (NotImplementedError, TypeError, ValueError):
        raise _not_a_column(data) from None


def _arrow_form(data: Any) -> Any:
    """An Arrow table or chunked array from whatever holds or streams Arrow data."""
    try:
        pa: Any = importlib.import_module("pyarrow")
    except ImportError:
        raise DataTypeError(
            f"an object of type {type(data).__name__} is read through PyArrow, which is not "
            "installed: run pip install 'bactrian[arrow]'"
        ) from None
    if isinstance(data, pa.Table | pa.ChunkedArray):
        return data
    try:
        # A stream may be read only once, so it is taken as an array, of structs if it is a table.
        streams = hasattr(data, "__arrow_c_stream__")
        array = pa.chunked_array(data) if streams else pa.chunked_array([pa.array(data)])
    except (pa.ArrowException, TypeError, ValueError):
        raise _not_a_column(data) from None
    if not pa.types.is_struct(array.type):
        return array
    batches = [pa.RecordBatch.from_struct_array(chunk) for chunk in array.chunks]
    return pa.Table.from_batches(batches, schema=pa.schema(list(array.type)))


def _not_a_column(data: object) -> DataTypeError:
    """The error for an object of a frame package that is neither a frame nor a column."""
    return DataTypeError(
        f"an object of type {type(data).__name__} is not a frame or a column: pass a series, "
        "a frame or an array"
    )


def _from_series(series: Any, name: str | None, label: str, first: int) -> Column:
    """Doubles from a Narwhals series, NaN where it is null."""
    import narwhals as nw

    dtype = series.dtype
    if isinstance(dtype, nw.Decimal | nw.Int128 | nw.UInt128 | nw.Object):
        # Python's float() rounds correctly what NumPy has no type for; other casts need not.
        items = np.empty(len(series), dtype=object)
        items[:] = series.to_list()
        return array_column(items, name, label, first)
    if isinstance(dtype, nw.Unknown):
        return array_column(np.asarray(series.to_native()), name, label, first)
    if not dtype.is_numeric():
        raise DataTypeError(
            f"{label} is of type {dtype}, not real numbers: convert it to numbers first"
        )
    return array_column(np.asarray(series.to_numpy()), name, label, first)
