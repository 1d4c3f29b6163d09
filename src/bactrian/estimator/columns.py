"""What scikit-learn hands over: X as the one column it must be, and the weights of its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from bactrian.errors import DataError

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
    ValueError, TypeError
        scikit-learn's, for what is no array of real numbers.
    """
    table = check_array(
        X, dtype=[np.float64, np.float32], ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1, estimator=estimator, input_name="X",
    )  # fmt: skip
    # Before the features are counted, as scikit-learn's own estimators do.
    _check_finite(table)
    if table.shape[1] != 1:
        raise DataError(
            f"X has {table.shape[1]} features, and {type(estimator).__name__} fits one: choose a "
            "column, as X[:, [0]] of an array, frame[['name']] of a frame, or with a "
            "ColumnTransformer in a pipeline."
        )
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    column: Array = table[:, 0]
    return column


def weights_of(sample_weight: Any, n: int) -> Array:
    """Return the weights (n,) of rows that are scored, or ones.

    Raises
    ------
    DataError
        If they are not n numbers that are finite, not negative and not all zero.
    """
    if sample_weight is None:
        return np.ones(n)
    weights: Array = check_array(
        sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight"
    )
    if weights.shape != (n,):
        raise DataError(
            f"sample_weight has the shape {weights.shape} for {n} rows: give one weight per row."
        )
    if weights.min() < 0.0 or not weights.any():
        raise DataError(
            "sample_weight has a negative entry or is zero in every row: give weights that say "
            "how often each row counts."
        )
    return weights


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


def _check_finite(table: Array) -> None:
    """Refuse NaN and infinity; scikit-learn's own words would advise to impute."""
    # A minimum and a maximum see every NaN and infinity, and cost no temporary array.
    if np.isfinite(table.min()) and np.isfinite(table.max()):
        return
    wrong = ~np.isfinite(table).all(axis=1)
    raise DataError(
        f"X holds NaN or infinity in {int(wrong.sum())} of {wrong.size} rows, the first is row "
        f"{int(wrong.argmax())} (counted from 0): leave such rows out. Do not impute them: filled "
        "in values make a component of their own."
    )
