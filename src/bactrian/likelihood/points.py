"""Weighted points in local coordinates, as the public functions read them from anything."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.column_source import ColumnSource
from bactrian.data.engines.lazy import is_lazy
from bactrian.data.sketch_source import saved_sketch
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.sources import as_source
from bactrian.data.streams.chunks import is_factory, is_one_shot
from bactrian.data.streams.databases import Query
from bactrian.data.tables.paths import names_files
from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, DataTypeError
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

LEAST_BINS = 2.0  # sd of a component, in bins, down to which nodes stand for rows

_LEAST_SD = 2.0**-1000  # keeps all its digits


class Points(NamedTuple):
    """Rows, or the nodes of a sketch that stand for them, as (x - origin) / 2**exponent.

    Attributes
    ----------
    x : (n,) float64 or float32
        Finite, local.
    w : (n,) float64 or None
        Positive weights; None for one each.
    origin : float
        Unit of the data.
    exponent : int
        Of the power of two that is the local unit.
    low, high : float
        A range that holds all of x.
    """

    x: NDArray[np.floating[Any]]
    w: Array | None
    origin: float
    exponent: int
    low: float
    high: float

    @property
    def weights(self) -> Array:
        """The weights (n,), also where each is one."""
        return np.ones(self.x.size) if self.w is None else self.w

    def beside(self, mixture: NormalMixture) -> tuple[Points, NormalMixture]:
        """Return the points and the mixture in the same coordinates.

        They are those of the points but for a mixture of another order of magnitude, which may
        not fit in.
        """
        if self.origin == self.exponent == 0:
            return self, mixture
        local = in_unit(mixture, self.origin, self.exponent)
        if local is not None:
            return self, local
        x = self.origin + np.ldexp(self.x, self.exponent)
        return Points(x, self.w, 0.0, 0, float(x.min()), float(x.max())), mixture


def in_unit(mixture: NormalMixture, origin: float, exponent: int) -> NormalMixture | None:
    """Return the mixture that (x - origin) / 2**exponent follows; None where floats cannot say."""
    with np.errstate(over="ignore", under="ignore"):
        means = np.ldexp(mixture.means - origin, -exponent)
        sds = np.ldexp(mixture.sds, -exponent)
    if not (np.isfinite(means).all() and np.isfinite(sds).all() and sds.min() >= _LEAST_SD):
        return None
    return NormalMixture(mixture.weights, means, sds)


def points_of(
    data: Any,
    mixture: NormalMixture,
    *,
    column: str | None,
    sample_weight: Any,
    missing: Literal["error", "drop"],
) -> Points:
    """Return the points of a column, wherever it is; the parameters are those of ``fit``.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for ``fit``; if the mixture has a component too narrow for the bins of a sketch.
    """
    source = as_source(data, column=column, sample_weight=sample_weight, missing=missing)
    if isinstance(source, ColumnSource):
        rows = source.rows
        x, w = rows.values, rows.weights
        if w is not None and not w.all():  # nothing times the infinite log-density of a far row
            x, w = x[w > 0.0], w[w > 0.0]
        return Points(x, w, 0.0, 0, rows.low, rows.high)
    sketch = source.sketch()
    narrowest = float(mixture.sds[mixture.weights > 0.0].min())
    if narrowest < LEAST_BINS * sketch.width:
        raise DataError(
            f"The sketch has bins of width {sketch.width:g}, and the mixture a component of sd "
            f"{narrowest:g}: its rows cannot be told from the nodes that stand for them; "
            "sketch the data in narrower bins, with a smaller exponent, or pass the rows."
        )
    sample = sketch.to_sample()
    exponent = math.frexp(sample.scale)[1] - 1
    low, high = float(sample.local[0]), float(sample.local[-1])
    return Points(sample.local, sample.weights, sample.origin, exponent, low, high)


def rows_of(data: Any, column: str | None) -> Array:
    """Return the rows (n,) of a column in memory or in files, for what is wanted of each of them.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As ``read_rows``; if the data are a sketch, or rows that are not here.
    """
    if names_files(data) and saved_sketch(data) is not None:
        data = saved_sketch(data)
    if isinstance(data, Sketch):
        raise DataTypeError(
            "a sketch does not hold the rows, and this is a quantity of each of them: pass the "
            "data themselves."
        )
    if isinstance(data, Query) or is_lazy(data) or is_one_shot(data) or is_factory(data):
        raise DataTypeError(
            f"the data is of type {type(data).__name__}, whose rows are not in memory, and this is "
            "a quantity of each of them: collect the column first."
        )
    try:
        return np.asarray(read_rows(data, column=column).values)
    except DataError as error:
        advice = "pass missing='drop' to leave such rows out"
        raise DataError(str(error).replace(advice, "leave such rows out first")) from None
