"""Lazy frames of any engine: the sums are taken inside the engine, and only bins come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from bactrian.data.engines.dask_frame import DaskFrame, is_dask
from bactrian.data.engines.expressions import (
    FAR,
    Grid,
    chebyshev_sums,
    fault_counts,
    is_within,
    moment_sums,
    octave_counts,
)
from bactrian.data.engines.groups import Groups, collected, refuse
from bactrian.data.engines.lazy_grid import GROUPS, coarser_exponent, finer_exponent, pilot
from bactrian.data.engines.mixture_expressions import HUGE, mixture_sums
from bactrian.data.engines.spark_frame import SparkFrame, is_spark
from bactrian.data.passes import FirstOrder
from bactrian.data.sketches.accumulate import spread_of
from bactrian.data.sketches.grid import N_MOMENTS, placed, scaled, suitable_exponent
from bactrian.data.sketches.sketch import Sketch, capped
from bactrian.data.tables.checks import check_missing_option
from bactrian.data.tables.choice import choose, require_column
from bactrian.data.tables.columns import Table
from bactrian.errors import DataError, DataTypeError
from bactrian.model.posterior import HALF_LOG_2PI

__all__ = ["LazySource", "is_lazy", "lazy_source"]

Array = NDArray[np.float64]

_LAZY_PACKAGES = frozenset("dask dask_expr duckdb ibis narwhals polars pyspark sqlframe".split())
_REACH = 65_536.0  # bins on either side of the pilot's middle
_FEW = 65_536  # far rows that are given bins of their own, however far they are


def is_lazy(data: object) -> bool:
    """Whether ``data`` is a lazy frame of an engine; imports no engine."""
    if type(data).__module__.partition(".")[0].lstrip("_") not in _LAZY_PACKAGES:
        return False
    import narwhals as nw

    return is_dask(data) or isinstance(nw.from_native(data, pass_through=True), nw.LazyFrame)


def lazy_source(
    frame: Any,
    column: str | None = None,
    weight: str | None = None,
    missing: Literal["error", "drop"] = "error",
) -> LazySource:
    """Return the source of a column of a lazy frame; only its schema is read.

    Parameters
    ----------
    frame : Polars lazy frame, DuckDB relation, Dask, PySpark or Ibis frame, or Narwhals lazy frame
        What ``is_lazy`` knows.
    column : str, optional
        Which column; may be left out when exactly one holds numbers.
    weight : str, optional
        The column that holds observation weights.
    missing : {"error", "drop"}
        What to do about missing values.

    Raises
    ------
    DataError
        A column that does not exist or is not named.
    DataTypeError
        A column that holds no real numbers.
    ParameterError
        An option that is out of its range.
    """
    import narwhals as nw

    check_missing_option(missing)
    frame = nw.to_native(frame, pass_through=True)
    # An empty pandas frame has the columns of a Dask frame.
    described: Any = nw.from_native(frame._meta if is_dask(frame) else frame)
    schema = described.collect_schema()
    numeric = [name for name, dtype in schema.items() if dtype.is_numeric()]
    kinds = {name: str(dtype) for name, dtype in schema.items()}
    table = Table("the frame", kinds, numeric, _unread)
    if weight is not None:
        require_column(table, weight)
    name = choose(table, column, weight)
    require_column(table, name)
    wanted = {"x": name} if weight is None else {"x": name, "w": weight}
    for its_name in wanted.values():
        if its_name not in numeric:
            raise DataTypeError(
                f"column {its_name!r} is of type {kinds[its_name]}, not real numbers: "
                "convert it to numbers first"
            )
    doubles = _doubles(frame, described, wanted)
    return LazySource(doubles, name, weight is not None, missing)


def _doubles(frame: Any, described: Any, wanted: Mapping[str, str]) -> Any:
    """The wanted columns as doubles, under our names."""
    import narwhals as nw

    if is_dask(frame):
        chosen = frame[list(wanted.values())]
        chosen.columns = list(wanted)
        return DaskFrame(chosen.astype("float64"))
    if is_spark(frame):
        return SparkFrame.of(frame, wanted)
    schema = described.collect_schema()
    # A cast that changes nothing would still keep some engines from skipping parts of files.
    return described.select(
        **{
            ours: nw.col(name) if schema[name] == nw.Float64 else nw.col(name).cast(nw.Float64)
            for ours, name in wanted.items()
        }
    )


def _unread(names: object) -> NoReturn:
    """Only the names of columns are chosen here, so none is fetched."""
    raise NotImplementedError(names)


@dataclass(frozen=True, slots=True, eq=False)
class LazySource:
    """A column of a lazy frame; implements ``Source``.

    Every pass is one query. What comes back are bins, at most 262,144 at a time, and before the
    first pass a pilot of at most 65,536 values.

    Attributes
    ----------
    frame : narwhals.LazyFrame, DaskFrame or SparkFrame
        Columns x and, if weighted, w, of doubles.
    column : str
        Name of the column of values.
    weighted : bool
        Whether rows have weights.
    missing : {"error", "drop"}
        What to do about missing values.
    """

    frame: Any
    column: str
    weighted: bool
    missing: str
    _seen: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_rereadable(self) -> bool:
        """A query can be run again."""
        return True

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> Sketch:
        """Return the sketch of the rows; see ``Source.sketch``.

        Raises
        ------
        DataError
            As ``read_rows``: no rows, missing values (unless dropped), infinite values, unusable
            weights. Errors of the engine itself are not caught.
        """
        grid = self._first_grid(exponent, within)
        for _ in range(3):
            found, whole = self._sketch(grid, within)
            finer = None if exponent is not None or not whole else finer_exponent(found)
            if finer is None:
                break
            # The pilot saw rows that are spread wider than most.
            middle = np.asarray(found.quantile(0.5))
            grid = Grid(finer, float(placed(middle, finer)[0]), _REACH)
        return found

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """Return the sums over all rows; see ``Source.first_order``.

        Raises
        ------
        DataError
            As ``sketch``; also if there are not as many rows as the sketch found.
        """
        ends = np.array([self._seen.get("low", -np.inf), self._seen.get("high", np.inf)])
        with np.errstate(over="ignore", invalid="ignore"):
            farthest = np.abs((ends[:, None] - origin) / scale - means) / sds
        tame = not farthest.max() < HUGE
        if not self._seen:
            refuse(Groups.of(fault_counts(self.frame, self.weighted)), self.column, self.missing)
        query = mixture_sums(
            self.frame, self.weighted, (origin, scale), (weights, means, sds), tame
        )  # fmt: skip
        found = Groups.of(query, 3 * len(means) + 2)
        self._require_unchanged(int(found.count[0]))
        total, loglike, *sums = found.sums[0].tolist()
        loglike -= HALF_LOG_2PI * total
        return FirstOrder(loglike, np.array(sums).reshape(3, -1), total)

    def _require_unchanged(self, count: int) -> None:
        """Refuse another number of rows than the sketch found."""
        before = int(self._seen.get("count", count))
        if count != before:
            raise DataError(
                f"column {self.column!r} has {count} rows now and had {before} before: the data "
                "changed between the passes; fit a copy of them that stays as it is"
            )

    def _rows(self, within: Array | None) -> Any:
        """The rows, or those within ranges."""
        return self.frame if within is None else self.frame.filter(is_within(self.frame, within))

    def _first_grid(self, exponent: int | None, within: Array | None) -> Grid:
        """Bins that suit a pilot of the rows."""
        if exponent is not None and within is not None:
            with np.errstate(over="ignore"):
                ends = scaled(within, -exponent)
            if (ends[:, 1] - ends[:, 0] + 2.0).sum() <= GROUPS:
                return Grid(exponent)
        x = pilot(self._rows(within))
        if not x.size:
            return Grid(0 if exponent is None else exponent, 0.0, _REACH)
        if exponent is None:
            with np.errstate(over="ignore", invalid="ignore"):  # refused by the pass
                spread = spread_of(x)
            exponent = suitable_exponent(spread, float(np.abs(x).max()))
        middle = np.partition(x, x.size // 2)[x.size // 2 : x.size // 2 + 1]
        return Grid(exponent, float(placed(middle, exponent)[0][0]), _REACH)

    def _sketch(self, grid: Grid, within: Array | None) -> tuple[Sketch, bool]:
        """The sketch on a grid, and whether the bins have the width of that grid."""
        frame = self._rows(within)
        found = self._groups(frame, grid)
        refuse(found, self.column, self.missing)
        least = suitable_exponent(0.0, found.largest)
        if least > grid.exponent:
            return self._sketch(Grid(least, 0.0, _REACH), within)
        used = grid
        if found.n(FAR) > _FEW:
            octaves = collected(octave_counts(frame, grid))
            n_near = int(found.is_bin.sum())
            used = Grid(coarser_exponent(grid, n_near, octaves["key"], octaves["count"]))
            found = self._groups(frame, used)
            refuse(found, self.column, self.missing)
        elif found.n(FAR):
            found = found.joined(self._groups(frame, Grid(grid.exponent), grid))
        if within is None:
            found.require_rows(self.column, self.missing)
            count = float(found.count[found.is_bin].sum())
            self._seen.update(count=count, low=found.ends[0], high=found.ends[1])
        sketch = capped(found.sketch(used.exponent, self.column))
        return sketch, sketch.exponent == grid.exponent

    def _groups(self, frame: Any, grid: Grid, beyond: Grid | None = None) -> Groups:
        """The groups of rows of one pass."""
        found = Groups.of(moment_sums(frame, grid, self.weighted, beyond), N_MOMENTS)
        parts = [
            found.sums[:, at : at + N_MOMENTS] for at in range(0, found.sums.shape[1], N_MOMENTS)
        ]
        with np.errstate(invalid="ignore", over="ignore"):  # of rows that are in no bin
            return replace(found, sums=np.hstack([chebyshev_sums(part) for part in parts]))
