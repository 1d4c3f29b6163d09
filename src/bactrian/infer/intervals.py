"""Wald intervals, formed where they cannot leave the range of a parameter."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.covariance import Kind, local_covariance
from bactrian.infer.estimates import Estimate
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import natural_jacobian
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]


def wald(
    problem: Problem,
    state: State,
    mixture: NormalMixture,
    *,
    level: float = 0.95,
    kind: Kind = "hessian",
) -> tuple[Estimate, ...]:
    """Return estimates with standard errors and Wald intervals, component by component.

    Intervals of weights are symmetric in the logit, of sds in the logarithm, of means as they are.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    mixture : NormalMixture
        The maximum in the unit of the data.
    level : float
        Coverage aimed at, in (0, 1).
    kind : {"hessian", "outer_product", "sandwich"}
        Covariance behind the standard errors.

    Raises
    ------
    ParameterError
        If the level is not between 0 and 1, or the kind unknown.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    _check_level(level)
    errors = standard_errors(problem, state, mixture, kind=kind)
    quantile = NormalDist().inv_cdf(0.5 + 0.5 * level)
    found = []
    for k in range(mixture.n_components):
        for name, value in (
            ("weight", mixture.weights[k]),
            ("mean", mixture.means[k]),
            ("sd", mixture.sds[k]),
        ):
            error = float(errors[name][k])
            low, high = _ends(name, float(value), quantile * error)
            found.append(Estimate(f"{name} {k + 1}", float(value), error, low, high, level, "wald"))
    return tuple(found)


def _check_level(level: Any) -> None:
    """Refuse what is no probability, such as 95."""
    if not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ParameterError(f"level={level!r} is not between 0 and 1; 0.95 is usual.")


def standard_errors(
    problem: Problem, state: State, mixture: NormalMixture, *, kind: Kind = "hessian"
) -> dict[str, Array]:
    """Return the standard errors (K,) of "weight", "mean", "sd" and "variance".

    They are scaled one by one: at 1e150 the squares in a covariance matrix would overflow.

    Raises
    ------
    ParameterError
        If the kind is unknown.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    k, covariance = mixture.n_components, local_covariance(problem, state, kind)
    errors = np.sqrt(np.diag(covariance))
    by_logits = natural_jacobian(mixture)[:k, : k - 1]
    weight = np.sqrt(np.einsum("ka,ab,kb->k", by_logits, covariance[: k - 1, : k - 1], by_logits))
    if k == 1:
        weight = np.array([np.nan])
    log_variance = errors[2 * k - 1 :]
    with np.errstate(over="ignore", under="ignore"):
        return {
            "weight": weight,
            "mean": errors[k - 1 : 2 * k - 1] * problem.sample.scale,
            "sd": 0.5 * log_variance * mixture.sds,
            "variance": log_variance * mixture.variances,
        }


def _ends(name: str, value: float, reach: float) -> tuple[float, float]:
    """Both ends of an interval that reaches so far in the parameter's own unit, to first order."""
    if math.isnan(reach):
        return math.nan, math.nan
    if name == "mean":
        return value - reach, value + reach
    if name == "sd":
        factor = _exp(reach / value)
        return value / factor, value * factor
    odds = value / (1.0 - value)
    factor = _exp(reach / (value * (1.0 - value)))
    return odds / factor / (1.0 + odds / factor), 1.0 / (1.0 + 1.0 / (odds * factor))


def _exp(exponent: float) -> float:
    """The exponential, infinite where it overflows."""
    return math.exp(exponent) if exponent < 709.0 else math.inf
