"""Covariance of the estimates, in three kinds and two systems of coordinates."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.likelihood.rows import terms, working_score_rows
from bactrian.likelihood.sums import BLOCK
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import natural_jacobian
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]
Kind = Literal["hessian", "outer_product", "sandwich"]

KINDS = ("hessian", "outer_product", "sandwich")


def local_covariance(problem: Problem, state: State, kind: Kind) -> Array:
    """Return the covariance (3K - 1, 3K - 1) of the working coordinates, in local units.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    kind : {"hessian", "outer_product", "sandwich"}
        Inverse of minus the Hessian; inverse of the sum of outer products of the per-row scores;
        or the inverse Hessian on both sides of that sum, which is right where the model is not.

    Raises
    ------
    ParameterError
        If the kind is unknown.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    slopes = problem.constraints.jacobian(state.free)[0]
    return _symmetric(slopes @ free_covariance(problem, state, kind) @ slopes.T)


def free_covariance(problem: Problem, state: State, kind: Kind) -> Array:
    """Return the covariance (p, p) of the free coordinates, in local units.

    NaN where minus the Hessian is not positive definite. A coordinate at its bound counts as
    known: its sampling distribution is not normal there.

    Raises
    ------
    ParameterError
        If the kind is unknown.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    if kind not in KINDS:
        raise ParameterError(f"kind={kind!r} is unknown; choose one of {', '.join(KINDS)}.")
    if not state.is_concave[0]:
        return np.full((problem.constraints.n_free,) * 2, np.nan)
    found = _inverse(-state.hessian[0])
    if kind != "hessian":
        slopes = problem.constraints.jacobian(state.free)[0]
        products = slopes.T @ outer_product(problem, state) @ slopes
        found = _inverse(products) if kind == "outer_product" else found @ products @ found
    held = problem.at_bound(state.free[0])
    found[held] = 0.0
    found[:, held] = 0.0
    return found


def outer_product(problem: Problem, state: State) -> Array:
    """Return the sum over rows (3K - 1, 3K - 1) of w s s', s the working score of a row.

    Of w^2 s s' where the weights are sampling weights.

    Notes
    -----
    Source: derivation, "Per-row score and information".
    """
    mixture = NormalMixture(state.weights[0], state.means[0], state.sds[0])
    rows = problem.sample if problem.sample.squared is None else problem.sample.squared
    x, w = rows.local, rows.weights
    total = np.zeros((len(problem.constraints.matrix),) * 2)
    for i in range(0, x.size, BLOCK):
        scores = working_score_rows(terms(x[i : i + BLOCK], mixture), mixture)
        total += (scores * w[i : i + BLOCK]) @ scores.T
    return total


def covariance(
    problem: Problem,
    state: State,
    mixture: NormalMixture,
    *,
    kind: Kind = "hessian",
    coordinates: Literal["natural", "working"] = "natural",
) -> Array:
    """Return the covariance of the estimates in the unit of the data.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    mixture : NormalMixture
        The maximum in the unit of the data.
    kind : {"hessian", "outer_product", "sandwich"}
        As for `local_covariance`.
    coordinates : {"natural", "working"}
        "natural": (3K, 3K) of all weights, means and variances, its weight rows sum to zero.
        "working": (3K - 1, 3K - 1) of logits, means and log variances.

    Raises
    ------
    ParameterError
        If the kind or the coordinates are unknown.

    Notes
    -----
    Source: derivation, "Per-row score and information" and "Change of coordinates".
    """
    if coordinates not in ("natural", "working"):
        raise ParameterError(
            f'coordinates={coordinates!r} is unknown; choose "natural" or "working".'
        )
    working = local_covariance(problem, state, kind)
    unit = _units(problem)
    working = working * unit[:, None] * unit
    if coordinates == "working":
        return working
    jacobian = natural_jacobian(mixture)
    return _symmetric(jacobian @ working @ jacobian.T)


def _symmetric(matrix: Array) -> Array:
    """The matrix without the asymmetry of rounding, which factorisations of it would refuse."""
    return np.asarray(0.5 * (matrix + matrix.T))


def _units(problem: Problem) -> Array:
    """What one local unit of each working coordinate (3K - 1,) is in the unit of the data."""
    k = problem.n_components
    unit = np.ones(3 * k - 1)
    unit[k - 1 : 2 * k - 1] = problem.sample.scale
    return unit


def _inverse(matrix: Array) -> Array:
    """The inverse of a positive definite matrix, scaled first: entries may differ by 1e300."""
    unit = 1.0 / np.sqrt(np.diag(matrix))
    try:
        root = np.linalg.inv(np.linalg.cholesky(matrix * unit[:, None] * unit))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)
    return np.asarray((root.T @ root) * unit[:, None] * unit)
