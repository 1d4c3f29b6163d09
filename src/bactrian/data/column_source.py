"""A column in memory, as a source of sums over its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import FirstOrder
from bactrian.data.sketches.accumulate import exponent_for, first_order_of, rows_within, sketch_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.tables.rows import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSource:
    """Checked rows in memory; implements ``Source``."""

    rows: Rows

    @property
    def column(self) -> str | None:
        """Name of the column."""
        return self.rows.name

    @property
    def is_rereadable(self) -> bool:
        """Rows in memory can be read again."""
        return True

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch of the rows; see ``Source.sketch``."""
        x, w = self.rows.values, self.rows.weights
        chosen = exponent_for(x) if exponent is None else exponent
        if within is not None:
            inside = rows_within(x, within)
            x, w = x[inside], None if w is None else w[inside]
        found = sketch_of(x, w, chosen)
        return replace(found, column=self.rows.name, n_missing=self.rows.n_missing)

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Return the sums over all rows; see ``Source.first_order``."""
        rows = self.rows
        return first_order_of(rows.values, rows.weights, origin, scale, weights, means, sds)
