"""A sketch, as a source of itself, and the sum of several that were saved."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import FirstOrder
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.sketches.sketch_file import is_sketch
from bactrian.data.tables.paths import Paths, matching
from bactrian.errors import DataError

Array = NDArray[np.float64]

_SUFFIX = ".sketch"


@dataclass(frozen=True, slots=True, eq=False)
class SketchSource:
    """Rows of which only a sketch is left; implements ``Source``."""

    kept: Sketch

    @property
    def column(self) -> str | None:
        """Name of the column."""
        return self.kept.column

    @property
    def is_rereadable(self) -> bool:
        """The rows are gone."""
        return False

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch, on a coarser grid if one is asked for.

        Raises
        ------
        DataError
            If a part of the rows is asked for.
        """
        if within is not None:
            raise _gone()
        return self.kept if exponent is None else self.kept.coarsen(exponent)

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Raise DataError: there are no rows to sum over."""
        raise _gone()


def saved_sketch(path: Paths) -> Sketch | None:
    """Return the sum of the sketches that paths or globs name, None where they name other files.

    One sketch may have any name; those of a glob or a list end with ``.sketch``.

    Raises
    ------
    DataError
        As ``sum_of_saved``; if some of the files are sketches and others are not.
    """
    if isinstance(path, str | os.PathLike):
        name = os.path.expanduser(os.fsdecode(path))
        if not name.endswith(_SUFFIX) and not glob.has_magic(name):
            return Sketch.load(name) if is_sketch(name) else None
    files = matching(path)
    sketches = [file for file in files if file.endswith(_SUFFIX)]
    if not sketches:
        return None
    others = [file for file in files if file not in sketches]
    if others:
        raise DataError(
            f"sketches, such as {sketches[0]!r}, and other files, such as {others[0]!r}, are "
            f"named: name one or the other, as in {'*' + _SUFFIX!r}."
        )
    return sum_of_saved(sketches)


def sum_of_saved(paths: Sequence[str]) -> Sketch:
    """Return the sum of the sketches in several files.

    Raises
    ------
    DataError
        If one cannot be read, or they are of different columns.
    """
    total = Sketch.load(paths[0])
    for path in paths[1:]:
        part = Sketch.load(path)
        try:
            total = total + part
        except DataError as error:
            raise DataError(f"{path!r} cannot be added to {paths[0]!r}: {error}") from None
    return total


def _gone() -> DataError:
    """What to say where rows are wanted."""
    return DataError("a sketch does not hold the rows: sketch or fit the data themselves.")
