"""A query over files, as a lazy relation of DuckDB."""

from __future__ import annotations

from typing import Any

from bactrian.data.tables.engine import open_connection
from bactrian.errors import DataError


def file_query(sql: str) -> Any:
    """Return the relation of a query that names files as its tables.

    Parameters
    ----------
    sql : str
        For example ``select x from 'data/*.parquet' where y > 0``.

    Raises
    ------
    DataError
        If DuckDB is not installed, or cannot make sense of the query.
    """
    engine = open_connection()
    import duckdb

    try:
        relation = engine.sql(sql)
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(f"the query cannot be run ({reason}): mend it") from None
    if relation is None:
        raise DataError("the query selects nothing: begin it with select")
    return relation
