"""One column of numbers from anything: the front door of the data, where its faults are named."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from bactrian.data.tables.checks import Tally, check_missing_option
from bactrian.data.tables.choice import choose, refuse_names, require_column
from bactrian.data.tables.columns import Column, FloatArray, Table
from bactrian.data.tables.files import file_tables, open_stream
from bactrian.data.tables.frames import is_native, require_same_index
from bactrian.data.tables.memory import column_from, read_memory
from bactrian.data.tables.paths import names_files
from bactrian.errors import DataError

__all__ = ["Rows", "read_rows"]

Values = TypeVar("Values", FloatArray, FloatArray | None)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one column, every one a finite number.

    Attributes
    ----------
    values : (n,) float64, read-only, unit of the data; float32 where that was asked for.
    weights : (n,) float64, read-only, not negative and not all zero; None: every row counts once.
    name : the name of the column, where it has one.
    n_missing : how many rows were left out because their value was missing.
    low, high : the range of the values.
    """

    values: FloatArray
    weights: FloatArray | None
    name: str | None
    n_missing: int
    low: float
    high: float


def read_rows(
    data: object,
    *,
    column: str | None = None,
    sample_weight: object = None,
    missing: Literal["error", "drop"] = "error",
    keep_float32: bool = False,
) -> Rows:
    """The rows of one column, checked.

    Parameters
    ----------
    data : a list or another sequence, a NumPy array (masked entries are missing), a pandas,
        Polars or PyArrow series or frame, a mapping of columns, anything with ``__array__`` or an
        Arrow stream; the path of a CSV, TSV, JSON-lines or Parquet file (also gzipped), a glob
        of such files, or a list of either; an open file, such as ``sys.stdin.buffer``.
    column : which column of a frame or file; may be left out when exactly one holds numbers.
    sample_weight : (n,) observation weights, or the name of a column of the frame or file.
    missing : what to do about missing values (None, NaN, NA, masked, empty): "error" names the
        first one, "drop" leaves the rows and their weights out and counts them.
    keep_float32 : leave a NumPy array of float32 as it is: a copy takes three times its memory.

    Returns
    -------
    Rows; contiguous float64 arrays are not copied.

    Raises
    ------
    DataError
        No rows; missing values (unless dropped); an infinite value; a range that overflows;
        weights that are negative, not finite, all zero, of the wrong length or, both of pandas,
        of another index; a column that does not exist or is not named; a file that cannot be
        read; more than one dimension.
    DataTypeError
        Not real numbers: true/false values, complex numbers, dates, text, other objects.
    ParameterError
        An option that is out of its range or does not go with the data.
    """
    check_missing_option(missing)
    values, weights = _columns(data, column, sample_weight)
    if not keep_float32:
        values = _in_doubles(values)
    if weights is not None and weights.values.size != values.values.size != 0:
        raise DataError(
            f"sample_weight has {weights.values.size} entries for {values.values.size} rows: "
            "give one weight per row"
        )
    tally = Tally(missing, values.name)
    kept = tally.add(values, weights)
    tally.finish()
    x, w = _read_only(kept[0]), _read_only(kept[1])
    return Rows(x, w, values.name, tally.n_missing, tally.low, tally.high)


def _in_doubles(column: Column) -> Column:
    """The column in float64."""
    return Column(np.asarray(column.values, dtype=np.float64), column.name, column.place)


def _read_only(values: Values) -> Values:
    """The array as a view that cannot be written through; the caller's flags stay."""
    if values is None:
        return values
    view = values.view()
    view.flags.writeable = False
    return view


def _columns(
    data: object, column: str | None, sample_weight: object
) -> tuple[Column, Column | None]:
    """The column of values and that of weights, wherever they are."""
    weight_name = sample_weight if isinstance(sample_weight, str) else None
    with ExitStack() as stack:
        found = _opened(data, stack)
        if isinstance(found, Column):
            refuse_names(column=column, sample_weight=weight_name)
            values, weights = found, None
        else:
            values, weights = _from_tables(found, column, weight_name)
    if sample_weight is not None and weight_name is None:
        require_same_index(data, sample_weight)
        weights = column_from(sample_weight, "sample_weight")
    if weights is not None:
        weights = _in_doubles(weights)
    return values, weights


def _opened(data: object, stack: ExitStack) -> Column | Sequence[Table]:
    """The column or the tables that ``data`` is; files stay open as long as the stack."""
    if names_files(data):
        return stack.enter_context(file_tables(data))
    if hasattr(data, "read") and not hasattr(data, "__array__") and not is_native(data):
        return stack.enter_context(open_stream(data))
    found = read_memory(data)
    return found if isinstance(found, Column) else [found]


def _from_tables(
    tables: Sequence[Table], column: str | None, weight_name: str | None
) -> tuple[Column, Column | None]:
    """The named columns of all tables, one below the other."""
    if weight_name is not None:
        require_column(tables[0], weight_name)
    name = choose(tables[0], column, weight_name)
    names = [name] if weight_name is None else [name, weight_name]
    parts: list[list[Column]] = []
    for table in tables:
        for wanted in names:
            require_column(table, wanted)
        parts.append(table.fetch(names))
    joined = [_joined(pieces) for pieces in zip(*parts, strict=True)]
    return joined[0], joined[1] if weight_name is not None else None


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
