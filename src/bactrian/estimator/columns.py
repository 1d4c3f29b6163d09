"""What scikit-learn hands over: X as the one column it must be, and the weights of its rows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from bactrian.data.engines.lazy import is_lazy
from bactrian.data.tables.frames import require_same_index
from bactrian.data.tables.memory import column_from
from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, DataTypeError, ParameterError

Array = NDArray[np.float64]


def column_of(estimator: Any, X: Any, *, reset: bool) -> Array:
    """Return the values (n,) of X; its name and number of features are set or compared.

    Parameters
    ----------
    estimator : GaussianMixture1D
        Whose data they are.
    X : array-like (n, 1), frame of one column
        In any container that scikit-learn takes.
    reset : bool
        Whether this is the X of ``fit``.

    Raises
    ------
    DataError
        If X has not one feature, or holds NaN or infinity.
    DataTypeError
        If X is no table, or what it holds are no numbers.
    ValueError, TypeError
        scikit-learn's, for all else that is no array of real numbers.
    """
    # Of several columns some may hold text, which is no fault of the one that is meant.
    _require_one_feature(estimator, _shape_of(X))
    _refuse_dates(X)
    given = X
    if np.ma.is_masked(X):  # a mask would be lost, and what it hides would count
        X = np.ma.asarray(X, dtype=np.float64).filled(np.nan)
    table = _numbers(estimator, X, 2 if reset else 1)
    _check_finite(given, table)
    _require_one_feature(estimator, table.shape)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    column: Array = table[:, 0]
    return column


def checked_weights(X: Any, sample_weight: Any) -> Any:
    """Return the weights as they are, for rows that are told apart by their position.

    Raises
    ------
    ParameterError
        If they are the name of a column.
    DataError
        If both are of pandas and their indexes differ.
    """
    if isinstance(sample_weight, str):
        raise ParameterError(
            f"sample_weight={sample_weight!r} is a name, and X holds one column: pass the weights "
            f"themselves, one for each row, as frame[{sample_weight!r}]."
        )
    require_same_index(X, sample_weight)
    return sample_weight


def weighted_mean(values: Array, X: Any, sample_weight: Any) -> float:
    """Return the mean of what was computed for each row, weighted where there are weights.

    Parameters
    ----------
    values : (n,) float64
        -inf counts where the weight is not zero.
    X : array-like (n, 1), frame of one column
        The rows.
    sample_weight : array-like (n,) or None

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As ``fit`` for its weights.
    """
    if sample_weight is None:
        return float(values.mean())
    rows = read_rows(np.zeros(values.size), sample_weight=checked_weights(X, sample_weight))
    weights = np.asarray(rows.weights)
    # By a power of two, which costs no digit: sums and products of extreme weights would.
    weights = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    counts = weights > 0.0
    return float(np.average(values[counts], weights=weights[counts]))


def output_names(given: Any, known: Any, k: int) -> NDArray[np.object_]:
    """Return the names (K,) of the responsibilities, made from that of the feature.

    Parameters
    ----------
    given : array-like (1,) of str or None
        The name that the caller gives.
    known : (1,) of str or None
        The name that X had in ``fit``.
    k : int
        Number of components.

    Raises
    ------
    DataError
        If there is not one name, or another than in ``fit``.
    """
    names = known if given is None else np.asarray(given, dtype=object)
    if names is None:
        names = np.asarray(["x0"], dtype=object)
    if names.shape != (1,):
        raise DataError(f"input_features has the shape {names.shape}: give the one name of X.")
    if known is not None and names[0] != known[0]:
        raise DataError(
            f"input_features is {names[0]!r}, and X was called {known[0]!r} when it was fitted: "
            "leave input_features out."
        )
    return np.asarray([f"{names[0]}_component{number}" for number in range(k)], dtype=object)


def _shape_of(X: Any) -> tuple[Any, ...]:
    """The shape of X as far as it can be told without a conversion; of a list by its first row.

    Raises
    ------
    DataTypeError
        If X is no table.
    """
    if issparse(X):  # first: some of its forms are mappings
        return ()
    if X is None or isinstance(X, str | bytes | os.PathLike | Mapping) or is_lazy(X):
        raise DataTypeError(
            f"X is of type {type(X).__name__}: an estimator takes tables of one column in memory, "
            "an array (n, 1) or a frame. bactrian.fit takes files, mappings and lazy frames as "
            "they are."
        )
    if isinstance(X, list | tuple) and X:
        return (len(X), *np.shape(X[0]))
    shape = getattr(X, "shape", ())
    return shape if isinstance(shape, tuple) else ()


def _require_one_feature(estimator: Any, shape: tuple[Any, ...]) -> None:
    """Refuse what has one dimension or several features; the rest is for scikit-learn to say."""
    if len(shape) == 1:
        raise DataError(
            "X is one-dimensional, and an estimator takes a table of one column. Reshape your "
            "data: X.reshape(-1, 1) of an array, frame[['name']] of a frame; in a "
            "ColumnTransformer put the name in a list, ['name']."
        )
    if len(shape) == 2 and shape[1] not in (0, 1):
        counted, remedy = f"{shape[1]} features", ""
        if shape[0] == 1:
            counted = f"1 sample of {counted}"
            remedy = f"if these are {shape[1]} rows, pass X.reshape(-1, 1); otherwise "
        raise DataError(
            f"X has {counted}, and {type(estimator).__name__} fits one: {remedy}choose a column, "
            "as X[:, [0]] of an array, frame[['name']] of a frame, or with a ColumnTransformer "
            "in a pipeline."
        )


def _refuse_dates(X: Any) -> None:
    """Refuse dates and time differences, which would be fitted in some unit of time."""
    kinds = [str(kind) for kind in _kinds_of(X)]
    if any(re.match("(date|time|duration)", kind, re.IGNORECASE) for kind in kinds):
        raise DataTypeError(
            f"X holds {kinds[0]}, not real numbers: subtract the first date, and divide time "
            "differences by a unit, e.g. (x - x.min()) / np.timedelta64(1, 's')."
        )


def _kinds_of(X: Any) -> list[Any]:
    """The types of the columns of X, as its library calls them; of a list that of its first row."""
    if isinstance(X, list | tuple) and X:
        return [np.asarray(X[0]).dtype]
    if hasattr(X, "dtypes"):
        return list(X.dtypes)
    schema = getattr(X, "schema", None)
    return list(getattr(schema, "types", [])) or [getattr(X, "dtype", None)]


def _numbers(estimator: Any, X: Any, least: int) -> Array:
    """X as an array of doubles or floats (n, any number of features).

    Raises
    ------
    DataTypeError
        If one entry of the one column is no number.
    """
    try:
        table: Array = check_array(
            X, dtype=[np.float64, np.float32], ensure_all_finite=False,
            ensure_min_samples=least, estimator=estimator, input_name="X",
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        fault = error
    else:
        return table
    if not issparse(X) and not np.iscomplexobj(X):
        cells = np.asarray(X, dtype=object)
        if cells.ndim == 2 and cells.size == len(cells) > 0:
            _refuse_text(cells[:, 0])
    raise fault


def _refuse_text(cells: NDArray[np.object_]) -> None:
    """Refuse the first cell that is no number; here a missing value would be refused too."""
    try:
        column_from(cells, "X")
    except DataTypeError as error:
        advice = ", with None or NaN where a value is missing"
        raise DataTypeError(str(error).replace(advice, "")) from None


def _check_finite(X: Any, table: Array) -> None:
    """Refuse NaN and infinity; scikit-learn's own words would advise to impute."""
    # A minimum and a maximum see every NaN and infinity, and cost no temporary array.
    if np.isfinite(table.min()) and np.isfinite(table.max()):
        return
    wrong = ~np.isfinite(table).all(axis=1)
    raise DataError(
        f"X holds NaN or infinity in {int(wrong.sum())} of {wrong.size} rows, the first is row "
        f"{int(wrong.argmax())} (counted from 0): leave such rows out{_code_without(X, table)}. "
        "Do not impute them: filled in values make a component of their own."
    )


def _code_without(X: Any, table: Array) -> str:
    """The code that leaves out the rows of X without a finite value, where one line does it."""
    if type(X) is np.ndarray and X.dtype.kind == "f":
        return ", e.g. X[np.isfinite(X[:, 0])]"
    if not hasattr(X, "dropna"):
        return ""
    return ", e.g. X[np.isfinite(X).all(axis=1)]" if np.isinf(table).any() else ", e.g. X.dropna()"
