"""Files larger than memory: streamed through DuckDB again for each pass, column by column."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bactrian.data.passes import Progress
from bactrian.data.streams.chunk_source import ChunkSource
from bactrian.data.streams.chunks import Pair
from bactrian.data.streams.file_batches import file_pairs
from bactrian.data.tables.checks import check_missing_option
from bactrian.data.tables.choice import choose, require_column
from bactrian.data.tables.columns import Table
from bactrian.data.tables.dialects import scan_of
from bactrian.data.tables.engine import File, connection, query, quoted
from bactrian.data.tables.files import file_tables
from bactrian.data.tables.paths import Paths, matching, regular
from bactrian.errors import DataError

__all__ = ["file_source", "is_large"]

LARGE_ROWS = 5_000_000  # of Parquet: 40 megabytes as doubles
LARGE_BYTES = 1 << 28  # of text
_GZIP = 4  # how many times larger a text usually is than its compressed file

Stamp = tuple[str, int, int]  # path, size, time of the last change


def is_large(path: Paths) -> bool:
    """Whether files are better streamed than read into memory; False where they cannot be read.

    Parameters
    ----------
    path : path or glob, or a list of them
        More than 5 million rows of Parquet, or more than 256 megabytes of text, are large.
    """
    if not all(importlib.util.find_spec(name) for name in ("duckdb", "pyarrow")):
        return False
    try:
        files = matching(path)
        heads = {file: _head(file) for file in files if os.path.isfile(file)}
        text = sum(
            os.path.getsize(file) * (_GZIP if head.startswith(b"\x1f\x8b") else 1)
            for file, head in heads.items()
            if head != b"PAR1"
        )
        parquet = [file for file, head in heads.items() if head == b"PAR1"]
        return text > LARGE_BYTES or (bool(parquet) and _parquet_rows(parquet) > LARGE_ROWS)
    except (DataError, OSError):
        return False  # whoever reads the files says what is wrong with them


def file_source(
    path: Paths,
    column: str | None = None,
    weight: str | None = None,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> ChunkSource:
    """Return the source of a column of files that need not fit into memory.

    Parameters
    ----------
    path : path or glob, or a list of them
        Of CSV, TSV, JSON-lines or Parquet files; only the columns in question are read.
    column : str, optional
        Which column; may be left out when exactly one holds numbers.
    weight : str, optional
        The column that holds observation weights.
    missing : {"error", "drop"}
        What to do about missing values.
    progress : callable, optional
        See ``ChunkSource``; told after each batch.

    Raises
    ------
    DataError
        A file that cannot be read, or that changes between passes; a column that does not exist.
    """
    check_missing_option(missing)
    with file_tables(path) as tables:
        chosen = _chosen(tables, column, weight)
    files = _Files(matching(path), [chosen] if weight is None else [chosen, weight])
    if missing == "error":
        files.refuse_nulls()
    n = len(files.paths)
    label = repr(os.path.basename(files.paths[0])) if n == 1 else f"the {n} files"
    return ChunkSource(
        files.opened, missing, True, chosen, progress, files.expected_rows, label
    )  # fmt: skip


def _chosen(tables: Sequence[Table], column: str | None, weight: str | None) -> str:
    """The column to read, which every file must have."""
    if weight is not None:
        require_column(tables[0], weight)
    name = choose(tables[0], column, weight)
    for table in tables:
        for wanted in (name, weight):
            if wanted is not None:
                require_column(table, wanted)
    return name


@dataclass(slots=True, eq=False)
class _Files:
    """Files to be read again and again, as long as nobody changes them.

    Attributes
    ----------
    paths, names : the files, and the columns to read in them: values, and weights if there are.
    stamps : what tells whether a file was changed.
    """

    paths: Sequence[str]
    names: Sequence[str]
    stamps: list[Stamp] = field(init=False)
    _progress: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Look at the files as they are now."""
        self.stamps = [_stamp(path) for path in self.paths]

    @contextmanager
    def opened(self) -> Generator[Generator[Pair, None, None], None, None]:
        """Give the columns of all files, batch after batch."""
        with ExitStack() as stack:
            self._require_unchanged()
            self._progress = 0.0
            engine = stack.enter_context(connection())
            for setting in ("enable_progress_bar = true", "enable_progress_bar_print = false"):
                engine.execute(f"set {setting}")
            pairs = stack.enter_context(closing(self._pairs(engine)))
            try:
                yield pairs
            except DataError:
                self._require_unchanged()  # the likelier cause of what could not be read
                raise
            self._require_unchanged()

    def _pairs(self, engine: Any) -> Generator[Pair, None, None]:
        """The columns of one file after another."""
        sizes = [size for _, size, _ in self.stamps]
        for i, path in enumerate(self.paths):
            with ExitStack() as stack:
                file = regular(path, stack)
                scan = scan_of(engine, file)
                for pair in file_pairs(engine, file, scan, self.names):
                    done = max(engine.query_progress(), 0.0) / 100.0  # negative: not known
                    self._progress = (sum(sizes[:i]) + done * sizes[i]) / max(sum(sizes), 1)
                    yield pair

    def expected_rows(self, rows: int) -> int | None:
        """Return how many rows there seem to be when so many have been read."""
        return round(rows / self._progress) if 0.0 < self._progress <= 1.0 else None

    def _require_unchanged(self) -> None:
        """Refuse files that were changed since they were first looked at."""
        for stamp in self.stamps:
            if _stamp(stamp[0]) != stamp:
                raise DataError(
                    f"{os.path.basename(stamp[0])!r} was changed while it was being read: wait "
                    "until it is complete, then start again"
                )

    def refuse_nulls(self) -> None:
        """Refuse missing values that the statistics of Parquet files tell of."""
        with connection() as engine:
            for path in self.paths:
                if not os.path.isfile(path) or _head(path) != b"PAR1":
                    continue
                sql = (
                    "select sum(stats_null_count)::bigint as nulls, sum(num_values)::bigint as rows"
                    " from parquet_metadata($path) where path_in_schema = $name"
                )
                file = File(path, repr(os.path.basename(path)), "parquet")
                wanted = {"path": path, "name": self.names[0]}
                found = query(engine, file, sql, wanted)
                nulls = int(np.ma.filled(np.ma.asarray(found["nulls"]), 0)[0])
                if nulls:
                    first = "at" if nulls == 1 else "the first at"
                    raise DataError(
                        f"column {self.names[0]!r} has {nulls} missing "
                        f"value{'s' if nulls > 1 else ''} among {int(found['rows'][0])} rows, "
                        f"{first} row {_first_null(engine, file, self.names[0])} of {file.label}: "
                        "pass missing='drop' to leave such rows out"
                    )


def _first_null(engine: Any, file: File, name: str) -> int:
    """The number of the first row, from one, without a value; read no further than that."""
    scan = scan_of(engine, file)
    sql = (
        f"select n from (select row_number() over () as n, {quoted(name)} as value"
        f" from {scan.sql}) where value is null limit 1"
    )
    return int(query(engine, file, sql, scan.parameters)["n"][0])


def _head(path: str) -> bytes:
    """The first four bytes of a file."""
    with open(path, "rb") as file:
        return file.read(4)


def _stamp(path: str) -> Stamp:
    """What tells whether a file was changed."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise DataError(
            f"{os.path.basename(path)!r} is gone: {error.strerror or error}; it is read several "
            "times, so leave it where it is"
        ) from None
    return path, found.st_size, found.st_mtime_ns


def _parquet_rows(paths: Sequence[str]) -> int:
    """The number of rows of Parquet files, from their ends."""
    with connection() as engine:
        sql = "select sum(num_rows)::bigint as n from parquet_file_metadata($paths)"
        file = File(paths[0], repr(os.path.basename(paths[0])), "parquet")
        return int(query(engine, file, sql, {"paths": list(paths)})["n"][0])
