"""as_source(): from anything that holds a column to what a fit reads its rows from."""

from __future__ import annotations

from typing import Literal

from bactrian.data.column_source import ColumnSource
from bactrian.data.passes import Source
from bactrian.data.rows import read_rows


def as_source(
    data: object,
    *,
    column: str | None = None,
    sample_weight: object = None,
    missing: Literal["error", "drop"] = "error",
) -> Source:
    """Return the source of a column; the parameters and errors are those of ``Sketch.of``."""
    return ColumnSource(
        read_rows(data, column=column, sample_weight=sample_weight, missing=missing)
    )
