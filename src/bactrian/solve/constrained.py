"""The maximum of the likelihood where one smooth function of the mixture has a given value."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.problem import Problem
from bactrian.solve.state import State
from bactrian.solve.steps import shortened

Array = NDArray[np.float64]

_TOLERANCE = 1e-10  # decrement along the surface; half of it is the log-likelihood missing
_MISSED = 1e-7  # log-likelihood units that the distance to the surface is worth
_MAX_STEPS = 40
_MAX_TRIES = 12
_ARMIJO = 1e-4
_FLAT = 1e-8


class Function(Protocol):
    """A smooth function of the free coordinates (p,)."""

    def at(self, free: Array) -> tuple[float, Array]:
        """Return its value and its gradient (p,)."""
        ...

    def hessian(self, free: Array) -> Array:
        """Return its second derivatives (p, p)."""
        ...


class Constrained(NamedTuple):
    """The end of an ascent on a surface of constant function.

    Attributes
    ----------
    state : State
        Where it stands: one point.
    multiplier : float
        Slope of the constrained maximum of the log-likelihood along the value of the function.
    converged : bool
        Whether it is a maximum on the surface.
    """

    state: State
    multiplier: float
    converged: bool


class _Model(NamedTuple):
    """The quadratic model at a point, in whitened coordinates."""

    normal: Array
    missing: float
    tangents: Array
    eigenvalues: Array
    vectors: Array
    slopes: Array
    multiplier: float
    curvature: Array

    @property
    def decrement(self) -> float:
        """Newton decrement along the surface."""
        return float((self.slopes**2 / np.maximum(np.abs(self.eigenvalues), _FLAT)).sum())

    @property
    def has_arrived(self) -> bool:
        """Whether this is a maximum on the surface."""
        concave = self.eigenvalues.size == 0 or bool(self.eigenvalues[0] > 0.0)
        near = abs(self.missing * self.multiplier) < _MISSED and abs(self.missing) < _MISSED
        return concave and near and self.decrement < _TOLERANCE

    @property
    def step(self) -> Array:
        """The Newton step: to the surface along its normal, and up along it."""
        length = float(np.linalg.norm(self.normal))
        along = self.slopes / np.maximum(np.abs(self.eigenvalues), 1e-6)
        up = self.tangents @ (self.vectors @ along)
        return np.asarray(self.normal * (self.missing / length**2) + up)

    @property
    def pull(self) -> float:
        """The larger of the multipliers here and, by the model, at the end of the step."""
        change = float(self.normal @ self.curvature @ self.step) / float(self.normal @ self.normal)
        return max(abs(self.multiplier), abs(self.multiplier - change))


def constrained_maximum(
    problem: Problem, start: Array, function: Function, value: float
) -> Constrained:
    """Return the maximum of the log-likelihood among mixtures whose function has a value.

    Sequential quadratic programming in the complete-data metric: a Newton step on the Lagrangian,
    with curvatures by their absolute value so that it always climbs along the surface, shortened
    until an exact penalty function rises.

    Parameters
    ----------
    problem : Problem
        The likelihood.
    start : (p,) float64
        Free coordinates to start from, close to the answer.
    function : Function
        Of the free coordinates.
    value : float
        The value it is to have.

    Notes
    -----
    Source: derivation, "Profile likelihood".
    """
    state = problem.evaluate(start[None])
    penalty, model = 0.0, _model(problem, state, function, value)
    for _ in range(_MAX_STEPS):
        if model is None or model.has_arrived:
            break
        penalty = max(penalty, 2.0 * model.pull)
        moved = _moved(problem, state, function, value, model, penalty)
        # Below the floor the likelihood grows without bound, and so would the ascent.
        if moved is None or moved.sds.min() < problem.floor:
            state = state if moved is None else moved
            break
        state, model = moved, _model(problem, moved, function, value)
    if model is None:
        return Constrained(state, float("nan"), False)
    sound = model.has_arrived or (model.decrement < 1e-8 and abs(model.missing) < 1e-6)
    sound = sound and bool(state.sds.min() >= problem.floor)
    return Constrained(state, model.multiplier, sound)


def _model(problem: Problem, state: State, function: Function, value: float) -> _Model | None:
    """The quadratic model at a state; None where the function has no value or no slope.

    A coordinate that is held at its bound counts as known, as in the ascent to the fit.
    """
    free, whitener = state.free[0], state.whitener[0]
    found, gradient = function.at(free)
    moves = ~(problem.at_bound(free) & (state.score[0] == 0.0))
    gradient = np.where(moves, gradient, 0.0)
    with np.errstate(invalid="ignore"):  # a component may have vanished
        normal = whitener.T @ gradient
    length = float(np.linalg.norm(normal))
    if not np.isfinite(found) or not np.isfinite(length) or length == 0.0:
        return None
    score = whitener.T @ state.score[0]
    multiplier = float(normal @ score) / length**2
    bend = function.hessian(free) * np.outer(moves, moves)
    curvature = -whitener.T @ (state.hessian[0] - multiplier * bend) @ whitener
    tangents = np.linalg.qr(np.column_stack([normal, np.eye(normal.size)]))[0][:, 1:]
    if not np.isfinite(curvature).all():
        return None
    eigenvalues, vectors = np.linalg.eigh(tangents.T @ curvature @ tangents)
    missing = value - found
    to_surface = normal * (missing / length**2)
    slopes = vectors.T @ (tangents.T @ (score - curvature @ to_surface))
    return _Model(
        normal, missing, tangents, eigenvalues, vectors, slopes, multiplier, curvature
    )  # fmt: skip


def _moved(
    problem: Problem,
    state: State,
    function: Function,
    value: float,
    model: _Model,
    penalty: float,
) -> State | None:
    """The state a step further; None where no step of any length is an improvement."""
    ends = state.free + (state.whitener[0] @ model.step)[None]
    ends = shortened(problem, state, ends - state.free)
    before = float(state.loglike[0]) - penalty * abs(model.missing)
    promised = model.decrement + 0.5 * penalty * abs(model.missing)
    for tries in range(_MAX_TRIES):
        share = 0.5**tries
        moved = problem.evaluate(state.free + share * (ends - state.free))
        missing = value - function.at(moved.free[0])[0]
        after = float(moved.loglike[0]) - penalty * abs(missing)
        rounding = 1e-13 * abs(before)
        if np.isfinite(after) and after > before + _ARMIJO * share * promised - rounding:
            return moved
    return None
