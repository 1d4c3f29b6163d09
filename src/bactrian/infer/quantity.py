"""Smooth functions of a mixture: what an estimate, its error and its interval can be of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.differences import (
    CONSTANT,
    STEP,
    STILL,
    is_constant,
    second_slopes,
    stencil,
)
from bactrian.infer.scales import Scale, inverse, slope, transform
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import split_working
from bactrian.solve.problem import Problem

Array = NDArray[np.float64]
Unit = Literal["location", "length", "none", "data"]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """A smooth function of a mixture.

    Attributes
    ----------
    name : str
        What it is called in print.
    of : callable
        Its value for a mixture; NaN where the mixture has no such thing.
    scale : {"identity", "log", "logit"}
        Where its sampling distribution is nearest to normal, and where intervals are formed.
    unit : {"location", "length", "none", "data"}
        How it changes with the origin and the scale of the data. A "location" is shifted and
        scaled, a "length" scaled; such functions are given mixtures in local coordinates, where
        an offset costs no digits. A "data" function is given mixtures in the unit of the data.
    gradient : callable, optional
        Its slopes (3K - 1,) along the working coordinates of the mixture it is given; by central
        differences if absent.
    is_linear : bool
        Whether, on its scale, it is linear in the working coordinates.
    has_kinks : bool
        Whether its slopes jump somewhere, where no profile goes on.
    """

    name: str
    of: Callable[[NormalMixture], float]
    scale: Scale = "identity"
    unit: Unit = "data"
    gradient: Callable[[NormalMixture], Array] | None = None
    is_linear: bool = False
    has_kinks: bool = False


class Local(NamedTuple):
    """A transformed quantity at one point: value, gradient (p,), along the free coordinates."""

    value: float
    gradient: Array


@dataclass(frozen=True, slots=True, eq=False)
class LocalQuantity:
    """A quantity as a function of the free coordinates of a problem, on its own scale.

    Attributes
    ----------
    quantity, problem
        What is asked, and of which likelihood.
    line : Local or None
        Where it is linear: its value at free coordinates of zero, and its slopes.
    """

    quantity: Quantity
    problem: Problem
    line: Local | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Take the slopes of a linear quantity once: profiles ask for them at every step."""
        held = self.problem.constraints
        if self.quantity.is_linear and not held.has_curved_weights:
            object.__setattr__(self, "line", self.at(np.zeros(held.n_free)))

    def value(self, free: Array) -> float:
        """Return the transformed value at free coordinates (p,)."""
        if self.line is not None:
            return float(self.line.value + self.line.gradient @ free)
        mixture = self._mixture(free)
        return math.nan if mixture is None else self._transformed(mixture)

    def at(self, free: Array) -> Local:
        """Return the transformed value and its gradient at free coordinates (p,)."""
        if self.line is not None:
            return Local(self.value(free), self.line.gradient)
        mixture = self._mixture(free)
        if mixture is None:
            return Local(math.nan, np.full(free.size, math.nan))
        if self.quantity.gradient is None:
            around = stencil(self.value, free, self._steps(free))
            return Local(around.middle, around.gradient)
        value = self.quantity.of(mixture)
        slopes = self.problem.constraints.jacobian(free[None])[0]
        along = self._working_gradient(mixture) @ slopes
        # Where a weight is one its logit is infinite, and so is the slope of that.
        steep = slope(self.quantity.scale, value)
        along = np.where(along == 0.0, 0.0, along * (steep if steep < math.inf else math.nan))
        return Local(transform(self.quantity.scale, value), along)

    def hessian(self, free: Array) -> Array:
        """Return the second derivatives (p, p) of the transformed value."""
        steps, size = self._steps(free), free.size
        rows = np.zeros((size, size))
        if self.line is not None:
            return rows
        if self.quantity.gradient is None:
            return second_slopes(self.value, free, steps)
        moves = np.diag(steps)
        for i in range(size):
            up, down = self.at(free + moves[i]).gradient, self.at(free - moves[i]).gradient
            rows[i] = 0.5 * (up - down) / steps[i]
        return np.asarray(0.5 * (rows + rows.T))

    def fault(self, free: Array, errors: Array) -> str:
        """Return why a function without a gradient has no slope at (p,), or nothing.

        What looks constant but changes within some standard errors (p,) moves in steps.
        """
        if self.quantity.gradient is not None:
            return ""
        steps = self._steps(free)
        found = stencil(self.value, free, steps).fault(self._blur(free, steps))
        if found != CONSTANT:
            return found
        reach = np.where(np.isfinite(errors), errors, 1.0)
        return CONSTANT if is_constant(self.value, free, reach) else STILL

    def back(self, transformed: float) -> float:
        """Return the quantity in the unit of the data from its transformed local value."""
        value = inverse(self.quantity.scale, transformed)
        sample = self.problem.sample
        if self.quantity.unit == "location":
            return sample.origin + sample.scale * value
        return sample.scale * value if self.quantity.unit == "length" else value

    def _transformed(self, mixture: NormalMixture) -> float:
        """The transformed value for a mixture."""
        return transform(self.quantity.scale, self.quantity.of(mixture))

    def _mixture(self, free: Array) -> NormalMixture | None:
        """The mixture the function is given; none where a trial step went beyond all doubles."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            weights, means, sds = split_working(self.problem.constraints.working(free[None]))
            if self.quantity.unit == "data":
                sample = self.problem.sample
                means, sds = sample.origin + sample.scale * means, sample.scale * sds
        sound = np.isfinite(weights).all() and np.isfinite(means).all() and (sds > 0.0).all()
        if not sound or not np.isfinite(sds).all():
            return None
        return NormalMixture(weights[0], means[0], sds[0])

    def _working_gradient(self, mixture: NormalMixture) -> Array:
        """The gradient along the local working coordinates."""
        assert self.quantity.gradient is not None
        found = np.array(self.quantity.gradient(mixture), dtype=np.float64)
        if self.quantity.unit == "data":
            k = mixture.n_components
            found[k - 1 : 2 * k - 1] *= self.problem.sample.scale
        return found

    def _steps(self, free: Array) -> Array:
        """Steps (p,) of the differences, wider where an offset takes digits from the means."""
        at, sds = self._means(free)
        steps = np.full(free.size, STEP)
        steps[at] = np.maximum(STEP, 0.5 * (self._lost(free) * _EPS) ** 0.2) * sds
        return steps

    def _blur(self, free: Array, steps: Array) -> float:
        """By how much rounding may move a mean, in steps."""
        at, sds = self._means(free)
        return float((_EPS * self._lost(free) * sds / steps[at]).max(initial=0.0))

    def _means(self, free: Array) -> tuple[slice, Array]:
        """Which free coordinates are means, and the sds (m,) of their components."""
        held = self.problem.constraints
        first = max(held.free_weights.size - 1, 0)
        sds = split_working(held.working(free[None]))[2][0]
        return slice(first, first + held.free_means.size), sds[held.free_means]

    def _lost(self, free: Array) -> Array:
        """How many sds (m,) the free means that the function is given are from zero."""
        at, sds = self._means(free)
        sample = self.problem.sample
        origin = sample.origin / sample.scale if self.quantity.unit == "data" else 0.0
        return np.asarray(np.abs(origin + free[at]) / sds)


def checked_function(
    function: Callable[[NormalMixture], float], mixture: NormalMixture
) -> Callable[[NormalMixture], float]:
    """Return a user's function, once it has given a number for a mixture.

    Raises
    ------
    ParameterError
        If it gives none, or is no function.
    """
    if not callable(function):
        raise ParameterError(
            f"{function!r} is no function; pass one of the mixture, such as "
            "lambda m: m.means[1] - m.means[0]."
        )
    value = function(mixture)
    try:
        float(value)
    except (TypeError, ValueError):
        raise ParameterError(
            f"The function gives {value!r} for the fitted mixture, not one number; return a float."
        ) from None
    return lambda mixture: float(function(mixture))


def parameters(n_components: int) -> tuple[Quantity, ...]:
    """Return the weights, means and sds as quantities, component by component."""
    found: list[Quantity] = []
    two = n_components == 2  # the logit of one of more weights is not one of the coordinates
    for k in range(n_components):
        found += [
            Quantity(f"weight {k + 1}", _weight(k), "logit", "none", _weight_slopes(k), two),
            Quantity(f"mean {k + 1}", _mean(k), "identity", "location", _mean_slopes(k), True),
            Quantity(f"sd {k + 1}", _sd(k), "log", "length", _sd_slopes(k), True),
        ]
    return tuple(found)


def _weight(k: int) -> Callable[[NormalMixture], float]:
    """The weight of a component."""
    return lambda mixture: float(mixture.weights[k])


def _weight_slopes(k: int) -> Callable[[NormalMixture], Array]:
    """Its slopes along the logits."""

    def slopes(mixture: NormalMixture) -> Array:
        """The derivative of a softmax."""
        found = np.zeros(3 * mixture.n_components - 1)
        share = mixture.weights
        others = np.delete(share, k).sum()
        found[: mixture.n_components - 1] = -share[k] * share[:-1]
        if k < mixture.n_components - 1:
            found[k] = share[k] * others
        return found

    return slopes


def _mean(k: int) -> Callable[[NormalMixture], float]:
    """The mean of a component."""
    return lambda mixture: float(mixture.means[k])


def _mean_slopes(k: int) -> Callable[[NormalMixture], Array]:
    """Its slopes."""
    return lambda mixture: np.eye(3 * mixture.n_components - 1)[mixture.n_components - 1 + k]


def _sd(k: int) -> Callable[[NormalMixture], float]:
    """The sd of a component."""
    return lambda mixture: float(mixture.sds[k])


def _sd_slopes(k: int) -> Callable[[NormalMixture], Array]:
    """Its slopes along the log variances."""

    def slopes(mixture: NormalMixture) -> Array:
        """Half of the sd along its own."""
        found = np.zeros(3 * mixture.n_components - 1)
        found[2 * mixture.n_components - 1 + k] = 0.5 * mixture.sds[k]
        return found

    return slopes
