"""A sketch, as a source of itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import FirstOrder
from bactrian.data.sketches.sketch import Sketch
from bactrian.errors import DataError

Array = NDArray[np.float64]


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


def _gone() -> DataError:
    """What to say where rows are wanted."""
    return DataError("a sketch does not hold the rows: sketch or fit the data themselves.")
