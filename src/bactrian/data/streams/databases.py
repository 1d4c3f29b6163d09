"""Databases that speak ADBC: one column of a query, streamed again for each pass."""

from __future__ import annotations

import importlib
import re
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.data.streams.adbc import asked, connected, is_sqlite
from bactrian.data.streams.chunk_source import ChunkSource
from bactrian.data.streams.chunks import Pair
from bactrian.data.tables.checks import check_missing_option
from bactrian.data.tables.choice import choose, require_column
from bactrian.data.tables.columns import Column, Place, Table
from bactrian.data.tables.engine import quoted
from bactrian.errors import DataTypeError

__all__ = ["Query", "database_source"]

_STATEMENT = re.compile(r"\(|--|/\*|(select|with|values|table)\b", re.IGNORECASE)
_NAME = re.compile(r"[\w.]+")
_LOOKED_AT = 1000  # rows, from which SQLite tells what its columns hold


@dataclass(frozen=True, slots=True)
class Query:
    """The rows that a query to a database gives.

    Parameters
    ----------
    connection : str or ADBC connection
        ``"postgresql://user@host/database"``, ``"sqlite:///file.db"``, or an open connection of
        an ADBC driver, such as ``adbc_driver_postgresql.dbapi.connect(...)``.
    sql : str
        A statement that gives rows, or the name of a table.

    Examples
    --------
    >>> Query("sqlite:///measurements.db", "select length from beetles where year = 1925")
    Query('sqlite:///...', 'select length from beetles where year = 1925')
    """

    connection: Any
    sql: str

    @property
    def statement(self) -> str:
        """The statement; for the name of a table, all of its rows."""
        text = str(self.sql).strip().rstrip("; \t\r\n")
        if _STATEMENT.match(text):
            return text
        return f"select * from {text if _NAME.fullmatch(text) else quoted(text)}"

    def __repr__(self) -> str:
        """Return the query without what an address may hold, such as a password."""
        if not isinstance(self.connection, str):
            return f"Query({type(self.connection).__name__}, {self.sql!r})"
        scheme, mark, _ = self.connection.partition("://")
        shown = f"{scheme}:///..." if mark else "..."
        return f"Query({shown!r}, {self.sql!r})"


def database_source(
    query: Query,
    column: str | None = None,
    weight: str | None = None,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> ChunkSource:
    """Return the source of a column of a query; each pass runs the query again.

    Parameters
    ----------
    query : Query
        What is asked, and whom. A connection that was passed stays open and is not committed.
    column : str, optional
        Which column; may be left out when exactly one holds numbers.
    weight : str, optional
        The column that holds observation weights.
    missing : {"error", "drop"}
        What to do about missing values: NULL, NaN.
    progress : callable, optional
        See ``ChunkSource``.

    Raises
    ------
    DataError
        A database that cannot be reached, a driver that is not installed, a query that fails, a
        column that does not exist or is not named.
    DataTypeError
        Not a connection of an ADBC driver; a column that holds no real numbers.
    """
    check_missing_option(missing)
    with connected(query.connection) as connection:
        kinds = _kinds(connection, query)
    numeric = [name for name, kind in kinds.items() if kind in ("number", "integer")]
    table = Table("the query", kinds, numeric, _unread)
    if weight is not None:
        require_column(table, weight)
    name = choose(table, column, weight)
    require_column(table, name)
    names = [name] if weight is None else [name, weight]
    for wanted in names:
        if wanted not in numeric:
            raise DataTypeError(
                f"column {wanted!r} of the query is of type {kinds[wanted]}, not real numbers: "
                "convert it in the query, e.g. with a cast"
            )

    @contextmanager
    def opened() -> Generator[Generator[Pair, None, None], None, None]:
        """The columns of the query, batch after batch."""
        with (
            connected(query.connection) as connection,
            closing(_pairs(connection, query, names)) as pairs,
        ):
            yield pairs

    return ChunkSource(opened, missing, True, name, progress, label="the query")


def _unread(names: object) -> NoReturn:
    """Only the names of columns are chosen here, so none is fetched."""
    raise NotImplementedError(names)


def _kinds(connection: Any, query: Query) -> dict[str, str]:
    """The columns of a query, with a word for what each holds."""
    sql = f"select * from ({query.statement}\n) as q limit {_LOOKED_AT}"
    with asked(connection, sql, query.connection) as reader:
        return {field.name: _kind(field) for field in reader.schema}


def _pairs(connection: Any, query: Query, names: Sequence[str]) -> Generator[Pair, None, None]:
    """The columns as doubles, batch after batch."""
    is_marked = is_sqlite(connection)
    parts = _sqlite_parts(names) if is_marked else _standard_parts(names)
    sql = f"select {', '.join(parts)} from ({query.statement}\n) as q"
    first = 0
    with asked(connection, sql, query.connection) as reader:
        for batch in reader:
            place = _places(first)
            columns = [_column(batch, i, name, place, is_marked) for i, name in enumerate(names)]
            yield columns[0], columns[1] if len(columns) == 2 else None
            first += batch.num_rows


def _standard_parts(names: Sequence[str]) -> list[str]:
    """The doubles of columns whose types the database knows."""
    return [f"cast({quoted(name)} as double precision) as value{i}" for i, name in enumerate(names)]


def _sqlite_parts(names: Sequence[str]) -> list[str]:
    """The doubles of columns each of whose values has a type of its own, and what they are.

    A null among the first rows would make the driver take the column for whole numbers, so nulls
    come as zeros with a mark.
    """
    parts = []
    for i, name in enumerate(names):
        column = quoted(name)
        parts += [
            f"coalesce(cast({column} as real), 0.0) as value{i}",
            f"case typeof({column}) when 'real' then 0 when 'integer' then 0 when 'null' then 1 "
            f"else 2 end as mark{i}",
        ]
    return parts


def _places(first: int) -> Place:
    """The places of rows of the query, counted from 1."""
    return lambda i: f"row {first + i + 1} of the query"


def _column(batch: Any, i: int, name: str, place: Place, is_marked: bool) -> Column:
    """One column of a batch, NaN where a value is null."""
    values: NDArray[np.float64] = batch.column(f"value{i}").to_numpy(zero_copy_only=False)
    if is_marked:
        marks = batch.column(f"mark{i}").to_numpy()
        if marks.max(initial=0) == 2:
            raise DataTypeError(
                f"column {name!r} holds a value that is not a number at "
                f"{place(int(np.argmax(marks == 2)))}: convert it in the query, or leave it out"
            )
        values = np.where(marks == 1, np.nan, values)
    return Column(values, name, place)


def _kind(field: Any) -> str:
    """The type of a column in a word."""
    pa: Any = importlib.import_module("pyarrow")
    if pa.types.is_integer(field.type):
        return "integer"
    if pa.types.is_floating(field.type) or pa.types.is_decimal(field.type):
        return "number"
    # What Arrow has no type for comes as text, with the name that it has in the database.
    name = (field.metadata or {}).get(b"ADBC:postgresql:typname", str(field.type).encode())
    return "number" if name == b"numeric" else str(name.decode())
