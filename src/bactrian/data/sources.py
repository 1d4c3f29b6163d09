"""as_source(): from anything that holds a column to what a fit reads its rows from."""

from __future__ import annotations

from typing import Literal

from bactrian.data.column_source import ColumnSource
from bactrian.data.engines.lazy import is_lazy, lazy_source
from bactrian.data.passes import Progress, Source
from bactrian.data.sketch_source import SketchSource, saved_sketch
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.streams.big_files import file_source, is_large
from bactrian.data.streams.chunk_source import stream_source
from bactrian.data.streams.chunks import is_factory, is_one_shot
from bactrian.data.streams.databases import Query, database_source
from bactrian.data.tables.paths import names_files
from bactrian.data.tables.rows import read_rows
from bactrian.errors import ParameterError


def as_source(
    data: object,
    *,
    column: str | None = None,
    sample_weight: object = None,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> Source:
    """Return the source of a column; the parameters and errors are those of ``Sketch.of``."""
    sketch = saved_sketch(data) if names_files(data) else data
    if isinstance(sketch, Sketch):
        return _of_sketch(sketch, column, sample_weight)
    if isinstance(data, Query):
        weight = _name_of_weights(sample_weight)
        return database_source(data, column, weight, missing, progress)
    if is_lazy(data):
        return lazy_source(data, column, _name_of_weights(sample_weight), missing)
    if names_files(data) and is_large(data):
        weight = _name_of_weights(sample_weight)
        return file_source(data, column, weight, missing, progress)
    if is_one_shot(data) or is_factory(data):
        return stream_source(data, column, sample_weight, missing, progress)
    rows = read_rows(
        data, column=column, sample_weight=sample_weight, missing=missing, keep_float32=True
    )
    return ColumnSource(rows)


def _name_of_weights(sample_weight: object) -> str | None:
    """The column of weights; weights in memory are refused for rows that are not."""
    if sample_weight is not None and not isinstance(sample_weight, str):
        raise ParameterError(
            "sample_weight must be the name of a column beside the values: the rows stay where "
            "they are, so weights cannot come from elsewhere."
        )
    return sample_weight


def _of_sketch(sketch: Sketch, column: str | None, sample_weight: object) -> SketchSource:
    """The source of a sketch, which holds one column with its weights already."""
    if sample_weight is not None:
        raise ParameterError(
            "sample_weight goes with rows, but the data are a sketch: give the weights to "
            "Sketch.of when the rows are sketched."
        )
    if column is not None and column != sketch.column:
        raise ParameterError(
            f"column={column!r} names a column, but the data are a sketch"
            + (f" of column {sketch.column!r}" if sketch.column else "")
            + ": leave the name out."
        )
    return SketchSource(sketch)
