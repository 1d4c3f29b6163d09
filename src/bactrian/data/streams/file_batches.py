"""The columns of one file, batch after batch, by the rules by which a whole file is read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.streams.chunks import Pair
from bactrian.data.tables.columns import Column, FloatArray, Place
from bactrian.data.tables.dialects import Scan
from bactrian.data.tables.engine import File, batches, quoted
from bactrian.data.tables.files import expressions, require_missing_words

__all__ = ["file_pairs"]

_BATCH = 1 << 18  # rows


def file_pairs(
    engine: Any, file: File, scan: Scan, names: Sequence[str]
) -> Generator[Pair, None, None]:
    """Yield values and weights of a file; each row knows its place.

    Parameters
    ----------
    engine : an open connection to DuckDB.
    file, scan : the file and the way to scan it.
    names : the column of values and, where there is one, that of weights.

    Raises
    ------
    DataError
        A file that is damaged; a text that is neither a number nor a word for a missing value.
    """
    parts = [expressions(file, scan, name, i) for i, name in enumerate(names)]
    texts = [i for i, name in enumerate(names) if scan.texts or scan.types[name] == "VARCHAR"]
    for i in texts:
        column = quoted(names[i])
        parts.append(f"case when try_cast({column} as double) is null then {column} end as word{i}")
    sql = f"select {', '.join(parts)} from {scan.sql}"
    # Blank lines are rows of a file of one column, but not those at its end.
    may_end_blank = file.form in ("csv", "tsv") and len(scan.types) == 1
    first, blank = 0, 0
    for batch in batches(engine, file, sql, scan.parameters, _BATCH):
        place = _places(file, first + blank)
        for i in texts:
            words = batch.column(f"word{i}")
            rows = np.flatnonzero(_numpy(words.is_valid()))
            if rows.size:
                found = [str(word) for word in words.drop_null().to_pylist()]
                require_missing_words(found, names[i], rows, scan, place)
        columns = [_numpy(batch.column(f"value{i}")) for i in range(len(names))]
        if may_end_blank:
            columns, blank = _without_end(columns, _numpy(batch.column("empty0")), blank)
        place = _places(file, first)
        values, *weights = [
            Column(some, name, place) for some, name in zip(columns, names, strict=True)
        ]
        yield values, weights[0] if weights else None
        first += values.values.size


def _numpy(array: Any) -> NDArray[Any]:
    """An Arrow array as NumPy's, NaN where a double is null."""
    found: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return found


def _places(file: File, first: int) -> Place:
    """The places of rows, counted from 1 as in a table without its header."""
    return lambda i: f"row {first + i + 1} of {file.label}"


def _without_end(
    columns: list[FloatArray], empty: NDArray[np.bool_], blank: int
) -> tuple[list[FloatArray], int]:
    """The column with blank rows held back before, and the number of those to hold back now."""
    written = np.flatnonzero(~empty)
    if not written.size:
        return [columns[0][:0]], blank + empty.size
    end = int(written[-1]) + 1
    return [np.concatenate([np.full(blank, np.nan), columns[0][:end]])], empty.size - end
