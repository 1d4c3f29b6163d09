"""The quantities of the derivation as public functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.likelihood.evaluation import Sums, all_derivatives, log_likelihood
from bactrian.likelihood.points import points_of, rows_of
from bactrian.likelihood.rows import score_rows
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import need_positive_weights

Array = NDArray[np.float64]
Coordinates = Literal["natural", "working"]
Missing = Literal["error", "drop"]


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
    column: str | None = None,
    sample_weight: Any = None,
    missing: Missing = "error",
) -> Evaluation:
    """Return log-likelihood, score and Hessian together.

    Parameters
    ----------
    x : array-like (n,), frame, lazy frame, stream, path or Sketch
        Data in their own unit: whatever ``fit`` takes. Of what is no column in memory the sums are
        those of its sketch, right to rounding for components not much narrower than ten bins.
    mixture : NormalMixture
        Where to evaluate.
    coordinates : {"natural", "working"}
        "natural": the 3K free partial derivatives with respect to all weights, all means, all
        variances. "working": the 3K - 1 logits log(pi_k / pi_K), means, log variances.
    column : str, optional
        Which column of a frame or file; may be left out when exactly one holds numbers.
    sample_weight : array-like (n,) or str, optional
        Observation weights that multiply each row's term, or the name of the column of them.
    missing : {"error", "drop"}
        What to do about missing values.

    Raises
    ------
    DataError, DataTypeError
        If the data are not a column of finite real numbers, or the weights do not fit them; if
        the mixture has a component narrower than two bins of a sketch.
    ParameterError
        If `coordinates` is not one of the two names, or, in working coordinates, a mixing weight
        is zero; if an option does not go with the data.

    Notes
    -----
    Right for rows at any distance: a derivative beyond the largest double is infinite, with its
    sign, and all others are finite, although squares may overflow on the way.

    Source: derivation, "Hessian in natural coordinates" and "Hessian in working coordinates".
    """
    found = _sums(x, mixture, coordinates, column, sample_weight, missing)
    return Evaluation(*found, coordinates)


def loglike(
    x: Any,
    mixture: NormalMixture,
    *,
    column: str | None = None,
    sample_weight: Any = None,
    missing: Missing = "error",
) -> float:
    """Return the log-likelihood, the sum over rows of w log f(x).

    Natural log, constants kept; never a mean, never negated. -inf where a row's density is below
    the range of a double.

    Parameters
    ----------
    x, mixture, column, sample_weight, missing
        As for `evaluate`.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "The log-likelihood".
    """
    _check_mixture(mixture)
    points = points_of(x, mixture, column=column, sample_weight=sample_weight, missing=missing)
    return log_likelihood(points, mixture)


def responsibilities(x: Any, mixture: NormalMixture, *, column: str | None = None) -> Array:
    """Return the posterior probabilities (n, K) of the components given each row.

    Parameters
    ----------
    x : array-like (n,), frame or path
        Data that have rows, in their own unit; not a sketch, a stream or a lazy frame.
    mixture : NormalMixture
        The mixture that weighs the components.
    column : str, optional
        Which column of a frame or file; may be left out when exactly one holds numbers.

    Raises
    ------
    DataError, DataTypeError
        If the data are not a column of finite real numbers.

    Notes
    -----
    Source: derivation, "Responsibilities".
    """
    _check_mixture(mixture)
    return mixture.responsibilities(rows_of(x, column))


def score(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    column: str | None = None,
    sample_weight: Any = None,
    missing: Missing = "error",
) -> Array:
    """Return the gradient of the log-likelihood, a sum over rows.

    Parameters
    ----------
    x, mixture, coordinates, column, sample_weight, missing
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
    return _sums(x, mixture, coordinates, column, sample_weight, missing).score


def score_obs(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    column: str | None = None,
) -> Array:
    """Return the gradient of log f(x) for each row, (n, 3K) or (n, 3K - 1).

    Parameters
    ----------
    x, mixture, column
        As for `responsibilities`; rows are not weighted.
    coordinates : {"natural", "working"}
        As for `evaluate`.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    _check_mixture(mixture)
    natural = _is_natural(coordinates, mixture)
    return score_rows(rows_of(x, column), mixture, natural=natural).T


def hessian(
    x: Any,
    mixture: NormalMixture,
    *,
    coordinates: Coordinates = "natural",
    column: str | None = None,
    sample_weight: Any = None,
    missing: Missing = "error",
) -> Array:
    """Return the second derivatives of the log-likelihood, a sum over rows.

    Parameters
    ----------
    x, mixture, coordinates, column, sample_weight, missing
        As for `evaluate`; the order of the coordinates is that of `score`.

    Raises
    ------
    DataError, DataTypeError, ParameterError
        As for `evaluate`.

    Notes
    -----
    Source: derivation, "Hessian in natural coordinates" and "Hessian in working coordinates".
    """
    return _sums(x, mixture, coordinates, column, sample_weight, missing).hessian


def _sums(
    x: Any,
    mixture: NormalMixture,
    coordinates: str,
    column: str | None,
    sample_weight: Any,
    missing: Missing,
) -> Sums:
    """Log-likelihood, score and Hessian."""
    _check_mixture(mixture)
    natural = _is_natural(coordinates, mixture)
    points = points_of(x, mixture, column=column, sample_weight=sample_weight, missing=missing)
    return all_derivatives(points, mixture, natural=natural)


def _check_mixture(mixture: object) -> None:
    """Refuse what is not a mixture, such as a fit."""
    if not isinstance(mixture, NormalMixture):
        raise ParameterError(
            f"mixture is a {type(mixture).__name__}, not a NormalMixture; "
            "of a fit, pass its .mixture."
        )


def _is_natural(coordinates: str, mixture: NormalMixture) -> bool:
    """Whether natural coordinates are asked for; an error when neither name is."""
    if coordinates not in ("natural", "working"):
        raise ParameterError(
            f'coordinates={coordinates!r} is unknown; choose "natural" or "working".'
        )
    if coordinates == "working":
        need_positive_weights(mixture)
    return coordinates == "natural"
