"""fit(): from anything that holds a column of numbers to its certified fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.constraints import constraints_of
from bactrian.fitting.given import checked_start
from bactrian.fitting.options import Options
from bactrian.fitting.reading import read
from bactrian.fitting.requirements import whole_number
from bactrian.fitting.result import Fit
from bactrian.model.mixture import NormalMixture
from bactrian.solve.solver import METHODS


def fit(
    data: Any,
    n_components: int = 2,
    *,
    column: str | None = None,
    sample_weight: Any = None,
    weight_kind: Literal["frequency", "sampling"] | None = None,
    method: Literal["newton", "em", "gradient", "lbfgs"] | None = None,
    start: NormalMixture | None = None,
    equal_variances: bool = False,
    equal_weights: bool = False,
    sd_ratios: Sequence[float] | None = None,
    fixed: Mapping[str, Sequence[float | None]] | None = None,
    bounds: Mapping[str, Sequence[tuple[float | None, float | None] | None]] | None = None,
    missing: Literal["error", "drop"] = "error",
    max_steps: int | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Return the maximum-likelihood fit of a mixture of normal distributions to one column.

    Deterministic; independent of the order of the rows and, to rounding, of their unit.

    Parameters
    ----------
    data : array-like, frame, lazy frame, stream, path or Sketch
        A list, NumPy array, pandas, Polars or PyArrow column; a frame, mapping, file, glob or list
        of files (CSV, TSV, JSON lines, Parquet) with `column`; a lazy frame of Polars, DuckDB,
        Dask, PySpark or Ibis, which is summed up where it lives; an Arrow stream, an iterator of
        chunks, a ``Query`` of a database; a ``Sketch`` of any of these, or the path of one that
        was saved, or a glob or list of several, which are added.
    n_components : int
        K >= 1.
    column : str, optional
        Which column of a frame or file; may be left out when exactly one holds numbers.
    sample_weight : array-like (n,) or str, optional
        Observation weights, or the name of the column that holds them; zero leaves a row out.
        Weights go by position; those of pandas must have the index of the data.
    weight_kind : {"frequency", "sampling"}, optional
        What weights mean; needed where they are not whole numbers. A frequency w is the same as
        the row w times over. Sampling weights stand for shares of a population: only their
        ratios matter, and standard errors are those of the sandwich.
    method : {"newton", "em", "gradient", "lbfgs"}, optional
        How the reported ascent is made, by default "newton". Without `start` all of them end at
        the same maximum. All of them move logits, means and log variances, with one step of
        Newton's at the end. "gradient" goes along the score with the means in units of
        ``fit.sample.scale``, a power of two near the sd of the rows, so that the path does not
        depend on the unit of the data; "em" is the same in any coordinates.
    start : NormalMixture, optional
        A mixture to start from, in the unit of the data. Alone it is one more start beside those
        that are found, and the fit is the best maximum of all. With a `method` the ascent begins
        there and the fit is where it ends, `fit.trace` the way; a warning says so where a better
        maximum is known.
    equal_variances : bool
        Whether all components share one variance.
    equal_weights : bool
        Whether all components have the same weight.
    sd_ratios : sequence (K,) of float, optional
        The sds up to a common factor: ``[1, 2]`` for a second sd twice the first.
    fixed : mapping, optional
        Values of "weights", "means" or "sds" that are known, a list with one entry for each
        component, None where it is free: ``{"means": [0, None]}``. Components then keep the
        order in which they are named.
    bounds : mapping, optional
        Likewise pairs (low, high), either of them None: ``{"sds": [(0.5, None), None]}``.
    missing : {"error", "drop"}
        What to do about missing values.
    max_steps : int, optional
        Largest number of steps of the reported ascent.
    progress : callable, optional
        Called during long passes with the rows done and, where it is known, their number.

    Returns
    -------
    Fit
        Its `outcome` says whether an admissible maximum exists.

    Raises
    ------
    DataError, DataTypeError
        If the data cannot be fitted: not real numbers, empty, constant, too few rows.
    ParameterError
        If an option is out of its range, or no ascent can set out from `start`.

    Notes
    -----
    Source: derivation, "EM, gradient ascent and Newton" and "Unboundedness".
    """
    options = checked_options(
        n_components, method, max_steps, start, equal_variances=equal_variances,
        equal_weights=equal_weights, sd_ratios=sd_ratios, fixed=fixed, bounds=bounds,
    )  # fmt: skip
    reading = read(
        data,
        column=column,
        sample_weight=sample_weight,
        weight_kind=weight_kind,
        missing=missing,
        progress=progress,
    )
    return reading.fit(options)


def checked_options(
    n_components: Any,
    method: Any = None,
    max_steps: Any = None,
    start: Any = None,
    **constraints: Any,
) -> Options:
    """Return the options of a fit, each in its range; the rest are those of ``constraints_of``."""
    k = whole_number(n_components, "n_components", "2 asks for two components")
    for name in ("equal_variances", "equal_weights"):
        if not isinstance(constraints.get(name, False), bool | np.bool_):
            raise ParameterError(f"{name}={constraints[name]!r} is neither True nor False.")
    if method is not None and method not in METHODS:
        raise ParameterError(
            f"method={method!r} is unknown; choose one of {', '.join(map(repr, METHODS))}."
        )
    if max_steps is not None:
        max_steps = whole_number(max_steps, "max_steps", "leave it out for the method's default")
    held = constraints_of(k, **constraints)
    begun = checked_start(start, held)
    is_local = begun is not None and method is not None
    return Options(held, method or "newton", max_steps, begun, is_local)
