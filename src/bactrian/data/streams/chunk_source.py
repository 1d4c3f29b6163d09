"""Columns larger than memory: one pass over their chunks for a sketch, another for the sums."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.column_source import ColumnSource
from bactrian.data.loops.kernels import is_worth_compiling
from bactrian.data.passes import FirstOrder, Progress
from bactrian.data.sketches.accumulate import first_order_of, packed, pairwise_sum, unpacked
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.streams.batches import (
    HELD,
    Chunk,
    batches,
    concatenated,
    emptied,
    sketch_of_chunks,
)
from bactrian.data.streams.chunks import Pair, columns_of, is_factory, pieces_of
from bactrian.data.tables.checks import Tally, check_missing_option
from bactrian.data.tables.rows import Rows
from bactrian.errors import DataError, ParameterError

__all__ = ["ChunkSource", "stream_source"]

Array = NDArray[np.float64]

_FINER = 2  # a stream that cannot be read again is sketched on a grid so many halvings finer


@dataclass(slots=True, eq=False)
class ChunkSource:
    """A column that comes in chunks; implements ``Source``.

    Attributes
    ----------
    open : callable
        Gives a context in which the columns of the chunks come one after another.
    missing : {"error", "drop"}
        What to do about missing values.
    is_rereadable : bool
        Whether `open` can be called again.
    column : str or None
        Name of the column, where it has one; known when the first chunk was read.
    progress : callable, optional
        Called after each chunk with the rows done and, where it is known, how many there are.
    total : callable, optional
        How many rows there are or seem to be, for the progress.

    Notes
    -----
    The memory needed does not depend on the number of rows.
    """

    open: Callable[[], AbstractContextManager[Iterable[Pair]]]
    missing: Literal["error", "drop"] = "error"
    is_rereadable: bool = False
    column: str | None = None
    progress: Progress | None = None
    total: Callable[[int], int | None] = lambda rows: None
    label: str = "the data"
    _is_spent: bool = field(default=False, init=False)
    _seen: Tally | None = field(default=None, init=False)

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch of the rows; see ``Source.sketch``.

        Raises
        ------
        DataError
            A value or a weight that cannot be; a stream that was read before, or that gives other
            rows than before.
        DataTypeError
            A chunk that holds no real numbers.
        """
        finer = 0 if self.is_rereadable else _FINER
        with closing(self._chunks()) as chunks:
            found = sketch_of_chunks(chunks, exponent, within, finer)
        tally = self._seen
        assert tally is not None  # the chunks came to their end
        return replace(found, column=self.column, n_missing=tally.n_missing)

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Return the sums over all rows; see ``Source.first_order``.

        Raises
        ------
        DataError, DataTypeError
            As ``sketch``.
        """
        compiled = self._seen is not None and is_worth_compiling(self._seen.rows)
        with closing(self._chunks()) as chunks:
            sums = (
                packed(first_order_of(x, w, origin, scale, weights, means, sds, compiled=compiled))
                for x, w in batches(chunks)
            )
            return unpacked(pairwise_sum(sums, 3 * len(means) + 2))

    def _chunks(self) -> Generator[Chunk, None, None]:
        """The rows to keep and their weights, chunk after chunk, checked."""
        if self._is_spent:
            raise DataError(
                f"{self.label} can be read only once and have been read: pass a function that "
                "returns a fresh iterator, or write them to a Parquet file and pass its path"
            )
        self._is_spent = not self.is_rereadable
        tally = Tally(self.missing, is_chunked=True)
        with self.open() as pairs:
            for values, weights in pairs:
                self.column = tally.name = values.name
                yield tally.add(values, weights)
                if self.progress is not None:
                    self.progress(tally.rows, self.total(tally.rows))
        tally.finish()
        before, self._seen = self._seen, tally
        if before is not None and (before.rows, before.n_missing) != (tally.rows, tally.n_missing):
            raise DataError(
                f"{self.label} had {before.rows:,} rows when read before and {tally.rows:,} now, "
                f"{before.n_missing:,} and {tally.n_missing:,} of them missing: they must stay as "
                "they are while they are read"
            )


def stream_source(
    data: Any,
    column: str | None = None,
    sample_weight: Any = None,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> ColumnSource | ChunkSource:
    """Return the source of a stream; one of few rows is read into memory.

    Parameters
    ----------
    data : iterator, Arrow stream, or function without arguments
        What ``is_one_shot`` or ``is_factory`` knows; a function returns a fresh iterator each time.
    column : str, optional
        Which column, where the chunks are frames.
    sample_weight : str, optional
        The column that holds observation weights.
    missing : {"error", "drop"}
        What to do about missing values.
    progress : callable, optional
        See ``ChunkSource``.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As ``read_rows``, for the first rows.
    """
    check_missing_option(missing)
    if sample_weight is not None and not isinstance(sample_weight, str):
        raise ParameterError(
            "sample_weight goes with the rows of a stream: give frames with a column of weights, "
            "and its name"
        )
    again = is_factory(data)

    def opened() -> Generator[Pair, None, None]:
        """The columns of the chunks; what the function opened is closed whatever happens."""
        given = data() if again else data
        try:
            yield from columns_of(pieces_of(given), column, sample_weight)
        finally:
            if again and hasattr(given, "close"):
                given.close()

    pairs, held = opened(), list[Pair]()
    for pair in pairs:
        held.append(pair)
        if sum(values.values.size for values, _ in held) > HELD:
            break
    else:
        return ColumnSource(_rows_of(held, missing))
    name = held[0][0].name
    if again:
        pairs.close()
        return ChunkSource(lambda: closing(opened()), missing, True, name, progress)

    def remaining() -> Generator[Pair, None, None]:
        """The columns that were looked at, and the others."""
        yield from emptied(held)
        yield from pairs

    return ChunkSource(lambda: closing(remaining()), missing, False, name, progress)


def _rows_of(pairs: list[Pair], missing: str) -> Rows:
    """All the rows of a short stream."""
    tally = Tally(missing, pairs[0][0].name if pairs else None, is_chunked=True)
    x, w = concatenated([tally.add(*pair) for pair in pairs] or [(np.empty(0), None)])
    tally.finish()
    return Rows(x, w, tally.name, tally.n_missing, tally.low, tally.high)
