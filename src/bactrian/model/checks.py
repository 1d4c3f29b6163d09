"""What parameters, points and probabilities must be, and the functions of arrays of any shape."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bactrian.errors import DataTypeError, ParameterError

Array = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)


def parameter(name: str, value: ArrayLike) -> Array:
    """Return a parameter as a finite float64 array (K,) of at least one entry.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        array = real(name, value)
    except DataTypeError as error:
        raise ParameterError(str(error)) from None
    if array.ndim != 1 or array.size == 0:
        raise ParameterError(
            f"{name} has the shape {array.shape}: give a list with one number per component."
        )
    if not np.isfinite(array).all():
        wrong = float(array[~np.isfinite(array)][0])
        raise ParameterError(f"{name} contain {wrong!r}: give finite numbers only.")
    return array


def normalized(weights: Array) -> Array:
    """Return weights that sum to one, as given where they do so to rounding.

    Raises
    ------
    ParameterError
        If one is negative, or their sum is not one.
    """
    if (weights < 0.0).any():
        raise ParameterError(
            f"weights must not be negative, but the smallest is {float(weights.min())!r}: "
            "give probabilities that sum to one."
        )
    total = math.fsum(weights.tolist())
    if not abs(total - 1.0) <= 1e-8:
        raise ParameterError(
            f"weights sum to {total!r}, not to one: divide them by their sum first."
        )
    return weights if abs(total - 1.0) <= weights.size * _EPS else weights / total


def real(name: str, value: ArrayLike) -> Array:
    """Return values as a float64 array of any shape.

    Raises
    ------
    DataTypeError
        If they are not real numbers.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataTypeError(
            f"{name} must be real numbers: convert text, dates or complex numbers first."
        ) from None


def pointwise(function: Callable[[Array], Array], name: str, value: ArrayLike) -> Array:
    """Return a function of (n,) points in the shape that was given; a float for one.

    Raises
    ------
    DataTypeError
        If they are not real numbers.
    """
    points = real(name, value)
    values: Array = function(points.ravel()).reshape(points.shape)[()]
    return values
