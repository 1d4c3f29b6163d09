"""DuckDB as the reader of files: a private connection, and its errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bactrian.errors import DataError

__all__ = ["File", "batches", "connection", "open_connection", "query", "quoted"]


@dataclass(frozen=True, slots=True)
class File:
    """One file to read.

    Attributes
    ----------
    path, label : where it is, and what messages call it.
    form : "csv", "tsv", "json" or "parquet".
    preamble : how many blank lines and lines of comment (#) were left out before the table.
    """

    path: str
    label: str
    form: str
    preamble: int = 0


@contextmanager
def connection() -> Iterator[Any]:
    """A private DuckDB in memory that fetches nothing from anywhere, closed in the end.

    Raises
    ------
    DataError
        DuckDB is not installed.
    """
    with open_connection() as engine:
        yield engine


def open_connection() -> Any:
    """The same, to be closed by whoever holds it last.

    Raises
    ------
    DataError
        DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise DataError(
            "files are read through DuckDB, which is not installed: run "
            "pip install 'bactrian[files]', or read the file yourself and pass the column"
        ) from None
    offline: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    engine = duckdb.connect(":memory:", config=offline)
    engine.execute("set enable_progress_bar = false")
    engine.execute("set preserve_insertion_order = true")
    return engine


def query(engine: Any, file: File, sql: str, parameters: Mapping[str, Any]) -> Any:
    """The answer of DuckDB as a dict of NumPy arrays, one per column.

    Parameters
    ----------
    engine : an open ``connection``.
    file : the file that the query reads, for the message.
    sql, parameters : the query and its named parameters, never pasted together.

    Raises
    ------
    DataError
        The file cannot be read; one sentence.
    """
    import duckdb

    try:
        return engine.execute(sql, dict(parameters)).fetchnumpy()
    except duckdb.Error as error:
        raise DataError(_sentence(file, str(error))) from None


def batches(
    engine: Any, file: File, sql: str, parameters: Mapping[str, Any], rows: int
) -> Iterator[Any]:
    """Yield the answer of DuckDB as Arrow record batches, in memory that does not grow.

    Parameters
    ----------
    engine, file, sql, parameters : as ``query``.
    rows : of a batch, at most about so many.

    Raises
    ------
    DataError
        The file cannot be read; one sentence.
    """
    import duckdb

    try:
        if hasattr(duckdb.DuckDBPyRelation, "to_arrow_reader"):
            reader = engine.sql(sql, params=dict(parameters)).to_arrow_reader(rows)
        else:  # DuckDB 1 keeps all of the answer of such a relation
            reader = engine.execute(sql, dict(parameters)).fetch_record_batch(rows)
        with closing(reader):
            yield from reader
    except (duckdb.Error, OSError) as error:  # Arrow raises the latter, in DuckDB's words
        raise DataError(_sentence(file, str(error))) from None


def quoted(name: str) -> str:
    """The name of a column as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _sentence(file: File, error: str) -> str:
    """What DuckDB says about a file, as a cause and a remedy."""
    label = file.label
    if file.form == "parquet":
        return f"{label} is not a whole Parquet file ({_reason(error)}): write or copy it again"
    if re.search("utf-8|invalid unicode", error, re.IGNORECASE):
        return f"{label} is not UTF-8 text: save it in that encoding"
    if file.form == "json":
        return (
            f"{label} is not whole JSON ({_reason(error)}): it needs one object per line, "
            'such as {"x": 1.5}; the file may be cut off'
        )
    line = re.search(r"CSV Error on Line: (\d+)", error)
    where = f"line {int(line[1]) + file.preamble} of {label}" if line else label
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", error)
    if columns:
        return (
            f"{where} has {columns[2]} value{'s' if columns[2] != '1' else ''} where {columns[1]} "
            "are expected: mend it; if it is the last line, the file may be cut off"
        )
    return f"{where} cannot be read as a table ({_reason(error)}): check that it is CSV or TSV"


def _reason(error: str) -> str:
    """The first telling line of an error of DuckDB."""
    lines = [line.strip().rstrip(".") for line in error.splitlines() if line.strip()]
    telling = [
        line for line in lines if "CSV Error on Line" not in line and "Original Line" not in line
    ]
    reason = (telling or lines or ["no reason given"])[0]
    # DuckDB counts the lines of JSON differently from an editor, so its count is left out.
    return re.sub(r"^[A-Za-z ]+ Error: (Malformed JSON.* in line \d+: )?", "", reason)
