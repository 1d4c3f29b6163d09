"""The quantities of the derivation as public functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.kernels import is_worth_compiling
from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, ParameterError
from bactrian.likelihood.derivatives import Derivatives, derivatives
from bactrian.likelihood.full import full_derivatives
from bactrian.likelihood.natural import natural_derivatives
from bactrian.likelihood.rows import natural_score_rows, terms, working_score_rows
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import need_positive_weights

Array = NDArray[np.float64]
Coordinates = Literal["natural", "working"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Log-likelihood, score and Hessian at one mixture, from one pass over the rows.

    Attributes
    ----------
    loglike : float
        Sum over rows of w log f; natural log, constants kept.
    score : (p,) float64
        Gradient of `loglike`; p = 3K in natural, 3K - 1 in working coordinates.
    hessian : (p, p) float64
        Second derivatives of `loglike`.
    coordinates : {"natural", "working"}
        What the derivatives are taken with respect to.
    """

    loglike: float
    score: Array
    hessian: Array
    coordinates: str


def evaluate(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    sample_weight: Any = None,
) -> Evaluation:
    """Return log-likelihood, score and Hessian together.

    Parameters
    ----------
    x : array-like (n,)
        Data, in their own unit.
    mixture : NormalMixture
        Where to evaluate.
    coordinates : {"natural", "working"}
        "natural": the 3K free partial derivatives with respect to all weights, all means, all
        variances. "working": the 3K - 1 logits log(pi_k / pi_K), means, log variances.
    sample_weight : array-like (n,), optional
        Observation weights that multiply each row's term.

    Raises
    ------
    DataError, DataTypeError
        If the data are not a column of finite real numbers, or the weights do not fit them.
    ParameterError
        If `coordinates` is not one of the two names, or, in working coordinates, a mixing weight
        is zero.

    Notes
    -----
    Source: derivation, "Hessian in natural coordinates" and "Hessian in working coordinates".
    """
    _check_mixture(mixture)
    x, w = _rows(x, sample_weight)
    if _is_natural(coordinates):
        return Evaluation(*natural_derivatives(x, w, mixture), coordinates)
    need_positive_weights(mixture)
    found = _working(x, w, mixture)
    return Evaluation(float(found.loglike[0]), found.score[0], found.hessian[0], coordinates)


def loglike(x: Any, mixture: NormalMixture, *, sample_weight: Any = None) -> float:
    """Return the log-likelihood, the sum over rows of w log f(x).

    Natural log, constants kept; never a mean, never negated. -inf where a row's density is below
    the range of a double.

    Parameters
    ----------
    x : array-like (n,)
        Data, in their own unit.
    mixture : NormalMixture
        Where to evaluate.
    sample_weight : array-like (n,), optional
        Observation weights.

    Raises
    ------
    DataError, DataTypeError
        If the data are not a column of finite real numbers, or the weights do not fit them.

    Notes
    -----
    Source: derivation, "The log-likelihood".
    """
    _check_mixture(mixture)
    x, w = _rows(x, sample_weight)
    return _loglike(x, w, mixture)


def responsibilities(x: Any, mixture: NormalMixture) -> Array:
    """Return the posterior probabilities (n, K) of the components given each row.

    Parameters
    ----------
    x : array-like (n,)
        Data, in their own unit.
    mixture : NormalMixture
        The mixture that weighs the components.

    Raises
    ------
    DataError, DataTypeError
        If the data are not a column of finite real numbers.

    Notes
    -----
    Source: derivation, "Responsibilities".
    """
    _check_mixture(mixture)
    x, _ = _rows(x, None)
    return mixture.responsibilities(x)


def score(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    sample_weight: Any = None,
) -> Array:
    """Return the gradient of the log-likelihood, a sum over rows.

    Parameters
    ----------
    x, mixture, coordinates, sample_weight
        As for `evaluate`.

    Returns
    -------
    (3K,) or (3K - 1,) float64
        With respect to (pi_1..pi_K, mu_1..mu_K, sigma_1^2..sigma_K^2), the weights unconstrained;
        or to (log(pi_k / pi_K) for k < K, means, log variances).

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "Gradient: means", "Gradient: variances", "Gradient: mixing weights" and
    "The constraint by softmax".
    """
    _check_mixture(mixture)
    x, w = _rows(x, sample_weight)
    if _is_natural(coordinates):
        return natural_derivatives(x, w, mixture).score
    need_positive_weights(mixture)
    found = _working(x, w, mixture)
    return np.asarray(found.score[0])


def score_obs(x: Any, mixture: NormalMixture, *, coordinates: Coordinates = "natural") -> Array:
    """Return the gradient of log f(x) for each row, (n, 3K) or (n, 3K - 1).

    Parameters
    ----------
    x, mixture, coordinates
        As for `evaluate`; rows are not weighted.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    _check_mixture(mixture)
    x, _ = _rows(x, None)
    rows = terms(x, mixture)
    if _is_natural(coordinates):
        return natural_score_rows(x, rows, mixture).T
    need_positive_weights(mixture)
    return working_score_rows(rows, mixture).T


def hessian(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    sample_weight: Any = None,
) -> Array:
    """Return the second derivatives of the log-likelihood, a sum over rows.

    Parameters
    ----------
    x, mixture, coordinates, sample_weight
        As for `evaluate`; the order of the coordinates is that of `score`.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "Hessian in natural coordinates" and "Hessian in working coordinates".
    """
    _check_mixture(mixture)
    x, w = _rows(x, sample_weight)
    if _is_natural(coordinates):
        return natural_derivatives(x, w, mixture).hessian
    need_positive_weights(mixture)
    found = _working(x, w, mixture)
    return np.asarray(found.hessian[0])


def _rows(x: Any, sample_weight: Any) -> tuple[Array, Array]:
    """Values and weights, checked; without the rows of weight zero, as 0 * inf is not a number."""
    try:
        rows = read_rows(x, sample_weight=sample_weight)
    except DataError as error:
        raise DataError(_without_options(str(error))) from None
    values, weights = rows.values, rows.weights
    if weights is None:
        return values, np.ones(values.size)
    kept = weights > 0.0
    return (values, weights) if kept.all() else (values[kept], weights[kept])


def _working(x: Array, w: Array, mixture: NormalMixture) -> Derivatives:
    """The derivatives in working coordinates; entries beyond the largest double are infinite."""
    if is_worth_compiling(x.size):
        return full_derivatives(x, w, 0.0, 1.0, mixture.weights, mixture.means, mixture.sds)
    with np.errstate(over="ignore"):
        return derivatives(x, w, mixture.weights[None], mixture.means[None], mixture.sds[None])


def _without_options(words: str) -> str:
    """Advice for functions that take a column and have no options to choose or clean it."""
    words = words.replace("pass missing='drop' to leave such rows out", "leave such rows out first")
    return re.sub(r"choose one, e\.g\. column=(\S+)", r"pass one of them, e.g. data[\1]", words)


def _loglike(x: Array, w: Array, mixture: NormalMixture) -> float:
    """Weighted sum of log f."""
    return float((w * np.asarray(mixture.logpdf(x))).sum())


def _check_mixture(mixture: object) -> None:
    """Refuse what is not a mixture, such as a fit."""
    if not isinstance(mixture, NormalMixture):
        raise ParameterError(
            f"mixture is a {type(mixture).__name__}, not a NormalMixture; "
            "of a fit, pass its .mixture."
        )


def _is_natural(coordinates: str) -> bool:
    """Whether natural coordinates are asked for; an error when neither name is."""
    if coordinates not in ("natural", "working"):
        raise ParameterError(
            f'coordinates={coordinates!r} is unknown; choose "natural" or "working".'
        )
    return coordinates == "natural"
