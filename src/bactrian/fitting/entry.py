"""fit(): from anything that holds a column of numbers to its certified fit."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np

from bactrian.data.column_source import ColumnSource
from bactrian.data.sample import Sample
from bactrian.data.sources import as_source
from bactrian.errors import ParameterError
from bactrian.fitting.compressed import solve_source
from bactrian.fitting.requirements import check_enough, check_weight_kind, whole_number
from bactrian.fitting.result import Fit, Options
from bactrian.model.parameters import free_matrix
from bactrian.solve.solver import METHODS, solve

LARGE_COLUMN = 1 << 15  # rows from which a column is sketched


def fit(
    data: Any,
    n_components: int = 2,
    *,
    column: str | None = None,
    sample_weight: Any = None,
    weight_kind: Literal["frequency"] | None = None,
    method: Literal["newton", "em", "gradient", "lbfgs"] = "newton",
    equal_variances: bool = False,
    missing: Literal["error", "drop"] = "error",
    max_steps: int | None = None,
) -> Fit:
    """Return the maximum-likelihood fit of a mixture of normal distributions to one column.

    Deterministic; independent of the order of the rows and, to rounding, of their unit.

    Parameters
    ----------
    data : array-like, frame or path
        A list, NumPy array, pandas, Polars or PyArrow column; a frame, mapping, file or glob of
        files (CSV, TSV, JSON lines, Parquet) with `column`.
    n_components : int
        K >= 1.
    column : str, optional
        Which column of a frame or file; may be left out when exactly one holds numbers.
    sample_weight : array-like (n,) or str, optional
        How often each row counts, or the name of the column that says so.
    weight_kind : {"frequency"}, optional
        What weights mean; needed where they are not whole numbers.
    method : {"newton", "em", "gradient", "lbfgs"}
        How the reported ascent is made. All of them end at the same maximum.
    equal_variances : bool
        Whether all components share one variance.
    missing : {"error", "drop"}
        What to do about missing values.
    max_steps : int, optional
        Largest number of steps of the reported ascent.

    Returns
    -------
    Fit
        Its `outcome` says whether an admissible maximum exists.

    Raises
    ------
    DataError, DataTypeError
        If the data cannot be fitted: not real numbers, empty, constant, too few rows.
    ParameterError
        If an option is out of its range.

    Notes
    -----
    Source: derivation, "EM, gradient ascent and Newton" and "Unboundedness".
    """
    k = whole_number(n_components, "n_components", "2 asks for two components")
    options = Options(k, method, bool(equal_variances))
    if not isinstance(equal_variances, bool | np.bool_):
        raise ParameterError(f"equal_variances={equal_variances!r} is neither True nor False.")
    if method not in METHODS:
        raise ParameterError(
            f"method={method!r} is unknown; choose one of {', '.join(map(repr, METHODS))}."
        )
    if max_steps is not None:
        max_steps = whole_number(max_steps, "max_steps", "leave it out for the method's default")
    source = as_source(data, column=column, sample_weight=sample_weight, missing=missing)
    run = partial(
        solve, n_components=k, method=method, equal_variances=options.equal_variances,
        max_steps=max_steps,
    )  # fmt: skip
    n_free = free_matrix(k, equal_variances=options.equal_variances).shape[1]
    if isinstance(source, ColumnSource) and source.rows.values.size < LARGE_COLUMN:
        rows = source.rows
        check_weight_kind(rows.weights, weight_kind)
        sample = Sample.of(rows.values, rows.weights)
        check_enough(sample, k, n_free)
        return Fit(run(sample), sample, rows.name, rows.n_missing, options)
    sketch = source.sketch()
    check_weight_kind(None if sketch.squares is None else sketch.moments[:, 0], weight_kind)
    check_enough(sketch.to_sample(), k, n_free)
    solution = solve_source(source, sketch, run)
    return Fit(solution, solution.problem.sample, sketch.column, sketch.n_missing, options)
