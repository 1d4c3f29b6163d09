"""The first pass over the data: rows where they are few, a sketch where they are many."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from bactrian.data.column_source import ColumnSource
from bactrian.data.passes import Progress, Source
from bactrian.data.sample import Sample
from bactrian.data.sampling import WeightedSource, sampled, sampled_nodes, unit_of
from bactrian.data.sketches.nodes import sample_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.data.sources import as_source
from bactrian.data.tables.made import Backend, library_of
from bactrian.fitting.compressed import solve_source
from bactrian.fitting.options import Asked, Options
from bactrian.fitting.requirements import check_bins, check_enough, checked_weight_kind
from bactrian.fitting.result import Fit
from bactrian.solve.given import check_start
from bactrian.solve.search import problem_of
from bactrian.solve.solver import solve

LARGE_COLUMN = 1 << 15  # rows from which a column is sketched


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A column that was read once, ready for any number of fits.

    Attributes
    ----------
    source : Source
        Where to read it again.
    sample : Sample
        Its values, or the nodes that stand for them.
    sketch : Sketch or None
        Its sketch, where the sample is made of one.
    weight_kind : {"frequency", "sampling"}
        What observation weights mean.
    library : {"pandas", "polars", "pyarrow"}, optional
        The library of frames that the data are of.
    asked : Asked
        The arguments that name the data.
    """

    source: Source
    sample: Sample
    sketch: Sketch | None
    weight_kind: str = "frequency"
    library: Backend | None = None
    asked: Asked = field(default_factory=Asked)

    def fit(self, options: Options) -> Fit:
        """Return the fit of the column.

        Raises
        ------
        DataError
            If there are too few rows or values for so many components, or the bins of a sketch
            are too wide.
        ParameterError
            If no ascent can set out from the start that is given.
        """
        if self.sketch is not None and not self.source.is_rereadable:
            check_bins(self.sketch)
        check_enough(self.sample, options.constraints)
        if options.start is not None:
            finer = self.sketch is not None and self.source.is_rereadable
            problem = problem_of(self.sample, options.constraints)
            check_start(problem, options.start, may_refine=finer)
        run = partial(
            solve, constraints=options.constraints, method=options.method,
            max_steps=options.max_steps, start=options.start, is_local=options.is_local,
        )  # fmt: skip
        if self.sketch is None:
            solution = run(self.sample)
        else:
            nodes = sampled_nodes if self.weight_kind == "sampling" else sample_of
            solution = solve_source(self.source, self.sketch, run, nodes)
        sample = solution.problem.sample
        options = replace(options, asked=self.asked)
        return Fit(solution, sample, self.source.column, self._n_missing, options, self.library)

    @property
    def _n_missing(self) -> int:
        """Rows left out because their value was missing."""
        if self.sketch is not None:
            return self.sketch.n_missing
        assert isinstance(self.source, ColumnSource)  # the others are sketched
        return self.source.rows.n_missing


def read(
    data: Any,
    *,
    column: str | None,
    sample_weight: Any,
    weight_kind: str | None,
    missing: Literal["error", "drop"],
    progress: Progress | None = None,
) -> Reading:
    """Return the column that data hold, read once; the parameters are those of ``fit``."""
    library, asked = library_of(data), _asked(data, sample_weight, weight_kind, missing)
    source = as_source(
        data, column=column, sample_weight=sample_weight, missing=missing, progress=progress
    )
    if isinstance(source, ColumnSource) and source.rows.values.size < LARGE_COLUMN:
        values, weights = source.rows.values, source.rows.weights
        kind = checked_weight_kind(weights, weight_kind)
        if kind == "sampling" and weights is not None:
            return Reading(source, sampled(values, weights), None, kind, library, asked)
        return Reading(source, Sample.of(values, weights), None, kind, library, asked)
    sketch = source.sketch()
    # Sums of whole weights are whole, and others hardly ever are in every bin.
    sums = None if sketch.squares is None else sketch.moments[:, 0]
    kind = checked_weight_kind(sums, weight_kind)
    if kind == "sampling":
        source = WeightedSource(source, unit_of(sketch))
        sketch = source.weighted(sketch)
    return Reading(source, sketch.to_sample(), sketch, kind, library, asked)


def _asked(data: Any, sample_weight: Any, weight_kind: str | None, missing: str) -> Asked:
    """The arguments that name the data, without the data themselves."""
    path = os.fsdecode(data) if isinstance(data, str | os.PathLike) else None
    named = sample_weight if sample_weight is None or isinstance(sample_weight, str) else ""
    return Asked(path, named, weight_kind, missing)
