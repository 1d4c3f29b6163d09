"""Files and streams as tables of doubles, read through DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.tables.columns import Column, Place, Table
from bactrian.data.tables.dialects import MISSING_WORDS, Scan, scan_of
from bactrian.data.tables.engine import File, connection, query, quoted
from bactrian.data.tables.paths import Paths, inspected, matching, regular, spooled
from bactrian.errors import DataError

__all__ = ["expressions", "file_tables", "open_stream", "require_missing_words"]


@contextmanager
def file_tables(path: Paths) -> Iterator[list[Table]]:
    """The tables of the files that paths or globs name, one per file, those of a glob sorted.

    Parameters
    ----------
    path : a file of CSV, TSV, JSON lines or Parquet, gzipped or not; a glob; or a list of these. A
        file whose own name has glob characters is preferred to what they would match.

    Raises
    ------
    DataError
        No such file, a directory, nothing that matches, not readable, empty, damaged, or in no
        known format; DuckDB is not installed.
    """
    with ExitStack() as stack:
        files = [regular(found, stack) for found in matching(path)]
        engine = stack.enter_context(connection())
        yield [_table(engine, file) for file in files]


@contextmanager
def open_stream(stream: Any) -> Iterator[list[Table]]:
    """The table of an open file, such as ``sys.stdin.buffer``, in one of the known formats.

    Parameters
    ----------
    stream : an object whose ``read(size)`` gives bytes or text. It is read to its end into a
        temporary file, because the format of a text is told from its beginning, which is then
        read again.

    Raises
    ------
    DataError
        As ``file_tables``.
    """
    name = getattr(stream, "name", None)
    label = "standard input" if name in ("<stdin>", 0) else f"the open file {name or ''}".rstrip()
    with ExitStack() as stack:
        path = spooled(stream, label, stack)
        file = inspected(path, label, name="", stack=stack)
        engine = stack.enter_context(connection())
        yield [_table(engine, file)]


def _table(engine: Any, file: File) -> Table:
    """The columns of a file, and the way to read them."""
    scan = scan_of(engine, file)

    def fetch(names: Sequence[str]) -> list[Column]:
        """Read the named columns in one pass."""
        return _fetch(engine, file, scan, names)

    return Table(file.label, scan.kinds, scan.numeric, fetch)


def _fetch(engine: Any, file: File, scan: Scan, names: Sequence[str]) -> list[Column]:
    """Doubles, NaN where a value is missing; the first text that is no number is an error."""
    parts = [expressions(file, scan, name, i) for i, name in enumerate(names)]
    # Nothing but casts may stand here: DuckDB turns a long IN list into a hash join, and the rows
    # then come in another order (test_rows_keep_their_order_in_a_large_file).
    found = query(engine, file, f"select {', '.join(parts)} from {scan.sql}", scan.parameters)
    n = _written_rows(file, scan, found)

    def place(i: int) -> str:
        """The place of a row, counted from 1 as in a table without its header."""
        return f"row {i + 1} of {file.label}"

    columns = []
    for i, name in enumerate(names):
        values = np.ma.asarray(found[f"value{i}"][:n])
        unread = np.flatnonzero(np.ma.getmaskarray(values) & ~found[f"empty{i}"][:n])
        if unread.size:
            require_missing_words(
                _unread_words(engine, file, scan, name), name, unread, scan, place
            )
        columns.append(Column(np.ma.filled(values, np.nan), name, place))
    return columns


def expressions(file: File, scan: Scan, name: str, i: int) -> str:
    """The SQL for the doubles of a column and for which entries are empty."""
    column = quoted(name)
    kind = scan.types[name]
    if not (scan.texts or kind == "VARCHAR" or name in scan.numeric):
        raise DataError(
            f"column {name!r} of {file.label} is of type {kind}, not numbers: "
            f"choose one of {', '.join(scan.numeric) or 'another file'}"
        )
    # A decimal reaches its nearest double through its digits: DuckDB 1 divides, and rounds twice.
    exact = f"{column}::varchar" if kind.startswith("DECIMAL") else column
    return f"try_cast({exact} as double) as value{i}, {column} is null as empty{i}"


def _written_rows(file: File, scan: Scan, found: Any) -> int:
    """How many rows there are before the blank lines that may end a file of one column."""
    n = len(found["empty0"])
    if file.form in ("csv", "tsv") and len(scan.types) == 1:
        written = np.flatnonzero(~found["empty0"])
        n = int(written[-1]) + 1 if written.size else 0
    return n


def _unread_words(engine: Any, file: File, scan: Scan, name: str) -> list[str]:
    """The texts of a column that are not numbers, in the order of their rows."""
    column = quoted(name)
    condition = f"{column} is not null and try_cast({column} as double) is null"
    sql = f"select {column} as word from {scan.sql} where {condition}"
    return [str(word) for word in query(engine, file, sql, scan.parameters)["word"]]


def require_missing_words(
    words: Sequence[str], name: str, rows: NDArray[np.intp], scan: Scan, place: Place
) -> None:
    """Refuse the first text that is not a word for a missing value."""
    for word, row in zip(words, rows.tolist(), strict=True):
        if word.strip() in MISSING_WORDS:
            continue
        shown = repr(word if len(word) <= 30 else word[:27] + "...")
        others = [other for other in scan.numeric if other != name]
        remedy = "mend it" + (f", or choose another column ({', '.join(others)})" if others else "")
        if re.fullmatch(r"[+-]?[\d.]*,\d+", word.strip()):
            remedy = "write numbers with a decimal point and without separators of thousands"
        raise DataError(
            f"column {name!r} holds the text {shown} at {place(row)}, which is not a number: "
            + remedy
        )
