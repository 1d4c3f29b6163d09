"""Streams of chunks as columns: what is a stream, and how its pieces are read."""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from bactrian.data.tables.choice import choose, refuse_names, require_column
from bactrian.data.tables.columns import Column, Table
from bactrian.data.tables.frames import is_native
from bactrian.data.tables.memory import read_memory
from bactrian.errors import DataError, DataTypeError

__all__ = ["Pair", "columns_of", "is_factory", "is_one_shot", "pieces_of"]

Pair = tuple[Column, Column | None]  # values, and weights where rows have them

_SIZES = ("__len__", "num_rows", "shape", "height")  # what a table in memory has and a stream not
_LAZY = frozenset(
    "dask dask_expr duckdb ibis modin narwhals pandas polars pyspark sqlframe".split()
)
_FEW = 65_536  # rows; smaller pieces are joined, because looking at one takes its time


def is_one_shot(data: object) -> bool:
    """Whether data give their rows once only: an iterator, or an Arrow stream; reads nothing."""
    if isinstance(data, str | bytes | os.PathLike | type) or hasattr(data, "read"):
        return False
    if hasattr(data, "__arrow_c_stream__"):
        package = type(data).__module__.partition(".")[0].lstrip("_")
        return package not in _LAZY and not any(hasattr(data, name) for name in _SIZES)
    return isinstance(data, Iterator) and not hasattr(data, "__array__") and not is_native(data)


def is_factory(data: object) -> bool:
    """Whether data are a function that returns a fresh iterator; calls nothing."""
    if isinstance(data, type):
        return True  # what it has are the attributes of its instances
    has = any(hasattr(data, name) for name in ("read", "__array__", "__len__", "__next__"))
    return callable(data) and not has and not is_native(data)


def pieces_of(data: Any) -> Iterator[object]:
    """Return the pieces of an iterator, of what can be iterated, or of an Arrow stream.

    Raises
    ------
    DataTypeError
        What cannot be iterated; an Arrow stream without PyArrow.
    """
    if hasattr(data, "__arrow_c_stream__") and not any(hasattr(data, name) for name in _SIZES):
        return _arrow_pieces(data)
    if hasattr(data, "__array__") or is_native(data):
        return iter([data])
    if isinstance(data, str | bytes) or not isinstance(data, Iterable):
        raise DataTypeError(
            f"the function returns an object of type {type(data).__name__}: return an iterator "
            "over arrays, lists or frames"
        )
    return iter(data)


def columns_of(pieces: Iterator[object], column: str | None, weight: str | None) -> Iterator[Pair]:
    """Yield the columns of one piece after another.

    Parameters
    ----------
    pieces : arrays, lists, series or frames, many rows each; or the single values.
    column, weight : the names of columns, where the pieces are frames. The first piece decides
        which column is read when it is not named.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As ``read_rows``; rows are counted from the first of the stream.
    """
    first, expected = 0, None
    for piece in _joined(pieces):
        if isinstance(piece, tuple):
            raise DataTypeError(
                "the stream gives tuples, which look like rows of several columns: give arrays, "
                "lists or frames of many rows each, or the values alone"
            )
        found = read_memory(piece, "the data", first)
        if expected not in (None, type(found)):
            raise DataTypeError(
                "the stream gives frames and bare columns in turn: give chunks of one kind"
            )
        expected = type(found)
        if isinstance(found, Table):
            column = choose(found, column, weight)
            values, weights = _named(found, column, weight)
        else:
            refuse_names(column=column, sample_weight=weight)
            values, weights = found, None
        yield _copied(values), None if weights is None else _copied(weights)
        first += values.values.size


def _copied(column: Column) -> Column:
    """The column in memory of its own: a stream may fill the same array again."""
    return Column(column.values.astype(np.float64), column.name, column.place)


def _named(table: Table, column: str, weight: str | None) -> Pair:
    """The named columns of one piece."""
    names = [column] if weight is None else [column, weight]
    for name in names:
        require_column(table, name)
    values, *weights = table.fetch(names)
    if not weights:
        return values, None
    if weights[0].values.size != values.values.size:
        raise DataError(
            f"a chunk has {weights[0].values.size} weights for {values.values.size} rows: "
            "give one weight per row"
        )
    return values, weights[0]


def _arrow_pieces(stream: Any) -> Iterator[object]:
    """The batches of an Arrow stream, as tables that are not too small; a lone array as it is."""
    try:
        pa: Any = importlib.import_module("pyarrow")
    except ImportError:
        raise DataTypeError(
            f"an object of type {type(stream).__name__} is read through PyArrow, which is not "
            "installed: run pip install 'bactrian[arrow]'"
        ) from None
    return _tables(pa, stream)


def _tables(pa: Any, stream: Any) -> Iterator[object]:
    """Tables of enough batches each."""
    try:
        reader = pa.RecordBatchReader.from_stream(stream)
    except pa.ArrowInvalid:
        yield stream  # an array and not a table: it has no columns to be read one by one
        return
    with closing(reader):
        waiting: list[Any] = []
        for batch in reader:
            waiting.append(batch)
            if sum(some.num_rows for some in waiting) >= _FEW:
                yield pa.Table.from_batches(waiting)
                waiting = []
        yield pa.Table.from_batches(waiting, schema=reader.schema)


def _joined(pieces: Iterator[object]) -> Iterator[object]:
    """The pieces themselves; or lists of many of them, where each is a single value."""
    for piece in pieces:
        if _is_chunk(piece):
            yield piece
            continue
        values = itertools.chain([piece], pieces)
        while some := list(itertools.islice(values, _FEW)):
            yield some


def _is_chunk(piece: object) -> bool:
    """Whether a piece holds rows, and is not one."""
    if isinstance(piece, str | bytes | bytearray | np.generic) or getattr(piece, "ndim", 1) == 0:
        return False
    return isinstance(piece, Iterable | Mapping) or hasattr(piece, "__array__") or is_native(piece)
