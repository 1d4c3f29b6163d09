"""Sketches in Parquet files: an open format, documented in docs/sketch-format.md."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sketches.grid import LARGEST_EXPONENT, N_MOMENTS, SMALLEST_EXPONENT, scaled
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.tables.dialects import Scan, scan_of
from bactrian.data.tables.engine import File, connection, query, quoted
from bactrian.errors import DataError
from bactrian.writing import beside, unwritable, writable

__all__ = ["is_sketch", "read", "write"]

Array = NDArray[np.float64]

FORMAT, VERSION = "bactrian-sketch", 1
_MOMENTS = tuple(f"moment_{p}" for p in range(N_MOMENTS))
_SQUARES = tuple(f"square_{p}" for p in range(N_MOMENTS))
# What subtraction can leave of the sums of a large bin is rounded at the size of what was there.
_ROUNDING = 1e-3
_FOOTER = 1 << 16  # bytes that hold the metadata at the end of a sketch
_AGAIN = "copy it again, or sketch the data anew with Sketch.of"


def write(sketch: Sketch, path: str | os.PathLike[str]) -> None:
    """Write a sketch to a Parquet file, whole or not at all.

    The file is written under another name in the same folder and then renamed, so that what had
    the name before stays whole until the new one is on the disk.

    Raises
    ------
    DataError
        The file cannot be written; DuckDB is not installed.
    """
    target = writable(path, "day.sketch")
    if not sketch.bins.size:
        raise DataError("a sketch without rows cannot be saved: save one that has some")
    with beside(target) as temporary:
        _copy(sketch, temporary, target)


def _copy(sketch: Sketch, path: str, target: Path) -> None:
    """Write the columns and the metadata."""
    columns = _columns(sketch)
    pairs = ", ".join(f"{quoted(k)}: {_text(v)}" for k, v in _metadata(sketch, columns).items())
    # DuckDB takes a NaN of NumPy for a missing value.
    names = ", ".join(f"coalesce({name}, 'nan'::double) as {name}" for name in columns)
    with connection() as engine:
        import duckdb

        engine.register("occupied", columns)
        try:
            engine.execute(
                f"copy (select {names} from occupied) to {_text(path)} (format parquet, "
                f"compression zstd, use_tmp_file false, kv_metadata {{{pairs}}})"
            )
        except duckdb.Error as error:
            reason = str(error).replace(path, "the temporary file")
            raise unwritable(target, reason.partition("Error: ")[2] or reason) from None


def _columns(sketch: Sketch) -> dict[str, Array]:
    """The columns of the file."""
    columns = {"bin": sketch.bins}
    columns |= {name: sketch.moments[:, p] for p, name in enumerate(_MOMENTS)}
    if sketch.squares is not None:
        # There is more than one NaN in floating point, and they are not told apart.
        squares = np.where(np.isnan(sketch.squares), np.nan, sketch.squares)
        columns |= {name: squares[:, p] for p, name in enumerate(_SQUARES)}
    return columns


def _metadata(sketch: Sketch, columns: Mapping[str, Array]) -> dict[str, str]:
    """What is not in the columns; the shortest decimals that give the doubles back."""
    fields = {
        "format": FORMAT,
        "format_version": str(VERSION),
        "exponent": str(sketch.exponent),
        "count": str(sketch.count),
        "minimum": repr(float(sketch.minimum)),
        "maximum": repr(float(sketch.maximum)),
        "n_missing": str(sketch.n_missing),
        "crc32": str(_checksum(columns)),
    }
    return fields if sketch.column is None else fields | {"column": json.dumps(sketch.column)}


def _checksum(columns: Mapping[str, Array]) -> int:
    """CRC-32 of the numbers: DuckDB 1 and 2 write Parquet pages without one."""
    found = 0
    for values in columns.values():
        found = zlib.crc32(np.ascontiguousarray(values, dtype="<f8").tobytes(), found)
    return found


def _text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def read(path: str | os.PathLike[str]) -> Sketch:
    """Return the sketch that a file holds.

    Raises
    ------
    DataError
        The file is missing, is no sketch, is damaged, or was written by a newer version; DuckDB
        is not installed.
    """
    path = os.path.expanduser(os.fspath(path))
    label = repr(os.path.basename(path))
    _require_parquet(path, label)
    file = File(path, label, "parquet")
    with connection() as engine:
        try:
            scan = scan_of(engine, file)
            fields = _fields(engine, file, scan)
            columns = _read_columns(engine, file, scan)
        except UnicodeError:
            raise DataError(f"{label} is damaged (its names are no text): {_AGAIN}") from None
    _require(fields.get("crc32", "") in ("", str(_checksum(columns))),
             label, "its numbers are not those that were written")  # fmt: skip
    found = _sketch(label, fields, columns)
    _require_consistent(label, found)
    return found


def is_sketch(path: str) -> bool:
    """Return whether a path is that of a sketch, whatever its name; a pipe is left alone."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"PAR1":
                return False
            file.seek(max(os.path.getsize(path) - _FOOTER, 0))
            return FORMAT.encode() in file.read()
    except OSError:
        return False  # whoever reads the file says what is wrong with it


def _require_parquet(path: str, label: str) -> None:
    """Refuse what is no Parquet file."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        raise DataError(
            f"there is no file {path!r}: check the path and the working directory"
        ) from None
    except IsADirectoryError:
        raise DataError(f"{path!r} is a directory: name the file of one sketch in it") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{label} cannot be read ({error}): check the path") from None
    if head != b"PAR1":
        raise DataError(f"{label} is no Parquet file and no sketch: load what Sketch.save wrote")


def _fields(engine: Any, file: File, scan: Scan) -> dict[str, str]:
    """The metadata of a sketch of a version that we read."""
    sql = "select key, value from parquet_kv_metadata($path)"
    found = query(engine, file, sql, {"path": scan.parameters["path"]})
    pairs = zip(found["key"].tolist(), found["value"].tolist(), strict=True)
    fields = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in pairs}
    if fields.get("format") != FORMAT:
        raise DataError(
            f"{file.label} is a Parquet file but no sketch: load what Sketch.save wrote, or "
            "sketch a column of it with Sketch.of"
        )
    version = _whole(file.label, fields, "format_version")
    if version > VERSION:
        raise DataError(
            f"{file.label} was written by a newer Bactrian (format version {version}; this one "
            f"reads {VERSION}): update it with pip install --upgrade bactrian"
        )
    return fields


def _read_columns(engine: Any, file: File, scan: Scan) -> dict[str, Array]:
    """The columns of the file, NaN where there is none of a number."""
    names = ["bin", *_MOMENTS, *(_SQUARES if _SQUARES[0] in scan.types else ())]
    for name in names:
        is_double = scan.types.get(name) == "DOUBLE"
        _require(is_double, file.label, f"it has no column {name} of type DOUBLE")
    found = query(engine, file, f"select {', '.join(names)} from {scan.sql}", scan.parameters)
    return {name: np.ma.filled(found[name], np.nan) for name in names}


def _sketch(label: str, fields: Mapping[str, str], columns: Mapping[str, Array]) -> Sketch:
    """The sketch of these columns and metadata, not yet checked."""
    squares = [columns[name] for name in _SQUARES if name in columns]
    limits = []
    for name in ("minimum", "maximum"):
        try:
            limits.append(float(fields[name]))
        except (KeyError, ValueError):
            raise _damaged(label, f"its {name} is no number") from None
    column = None
    if "column" in fields:
        with suppress(ValueError):
            column = json.loads(fields["column"])
        _require(isinstance(column, str), label, "its column has no name in JSON")
    return Sketch(
        exponent=_whole(label, fields, "exponent"),
        bins=columns["bin"],
        moments=np.stack([columns[name] for name in _MOMENTS], axis=1),
        squares=np.stack(squares, axis=1) if squares else None,
        count=_whole(label, fields, "count"),
        minimum=limits[0],
        maximum=limits[1],
        column=column,
        n_missing=_whole(label, fields, "n_missing"),
    )


def _whole(label: str, fields: Mapping[str, str], name: str) -> int:
    """A whole number of the metadata."""
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        raise _damaged(label, f"its {name} is no whole number") from None


def _require_consistent(label: str, sketch: Sketch) -> None:
    """Refuse numbers that no rows have."""
    bins = sketch.bins
    inside = SMALLEST_EXPONENT <= sketch.exponent <= LARGEST_EXPONENT
    _require(inside, label, f"its exponent {sketch.exponent} is that of no double")
    _require(bins.size > 0, label, "it has no bins")
    whole = np.isfinite(bins).all() and (bins == np.floor(bins)).all()
    _require(bool(whole), label, "a bin number is not whole")
    _require(bool((np.diff(bins) > 0.0).all()), label, "its bins are not in ascending order")
    # Squares of weights such as 1e-200 or 1e200 vanish or overflow, so theirs are not looked at.
    moments = sketch.moments
    _require(bool(np.isfinite(moments).all()), label, "a moment is not finite")
    _require(bool((moments[:, 0] > 0.0).all()), label, "a bin has no positive weight")
    bound = (1.0 + _ROUNDING) * moments[:, :1]
    _require(bool((abs(moments) <= bound).all()), label, "a moment exceeds its bin's weight")
    # In bin widths, as rows are placed: a row that is next to nothing below zero is in bin 0.
    low, high = scaled(np.array([sketch.minimum, sketch.maximum]), -sketch.exponent)
    limits = math.isfinite(sketch.minimum) and math.isfinite(sketch.maximum)
    ordered = bins[0] <= low <= high <= bins[-1] + 1.0 and sketch.minimum <= sketch.maximum
    _require(bool(limits and ordered), label, "its minimum and maximum do not fit its bins")
    _require(sketch.count > 0 and sketch.n_missing >= 0, label, "it has no rows")
    counted = sketch.squares is not None or math.isclose(sketch.total, sketch.count, rel_tol=1e-12)
    _require(counted, label, f"its count {sketch.count} is not the sum of its weights")


def _require(condition: bool, label: str, reason: str) -> None:
    """Refuse a file with a fault."""
    if not condition:
        raise _damaged(label, reason)


def _damaged(label: str, reason: str) -> DataError:
    """The error for a file whose content is not that of a sketch."""
    return DataError(f"{label} is a damaged sketch ({reason}): {_AGAIN}")
