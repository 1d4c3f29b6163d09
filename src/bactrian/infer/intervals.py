"""Estimates of quantities at a maximum: standard errors by the delta method, and intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.covariance import Kind, free_covariance
from bactrian.infer.differences import CONSTANT
from bactrian.infer.estimates import Estimate
from bactrian.infer.profile import Profile
from bactrian.infer.quantity import LocalQuantity, Quantity
from bactrian.infer.scales import inverse, slope
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

Method = Literal["wald", "profile", "plain_profile", "bootstrap"]

METHODS = ("wald", "profile", "plain_profile")
_LEAST_REFITS = 20
_ALONE = 1.6  # of a normal mean 3/2, of its sd 11/6 in the leading order
_FEW_ROWS, _OVERLAP, _LEAST_WORTH = 400.0, 0.5, 3.0
_NOWHERE = "this mixture has no such value"
_KNOWN = "fixed"
_AT_END = "too near to the end of its range for a standard error"
_AT_BOUND = "at its bound, where no interval of this kind holds"


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """A maximum of the likelihood, and what is asked about it.

    Attributes
    ----------
    problem, state
        The likelihood and its maximum.
    kind : {"hessian", "outer_product", "sandwich"}
        Covariance behind standard errors.
    level : float
        Coverage aimed at, in (0, 1).
    covariance : (p, p) float64
        Of the free coordinates, of that kind.
    """

    problem: Problem
    state: State
    kind: Kind = "hessian"
    level: float = 0.95
    covariance: Array = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what is no probability, such as 95; take the covariance once."""
        if not _is_share(self.level):
            raise ParameterError(f"level={self.level!r} is not between 0 and 1; 0.95 is usual.")
        object.__setattr__(self, "covariance", free_covariance(self.problem, self.state, self.kind))

    @property
    def critical(self) -> float:
        """The normal quantile of a two-sided interval."""
        return NormalDist().inv_cdf(0.5 + 0.5 * self.level)

    def estimate(self, quantity: Quantity, method: str | Bootstrap = "wald") -> Estimate:
        """Return the estimate of a quantity with its standard error and interval.

        Parameters
        ----------
        quantity : Quantity
            What is to be estimated.
        method : {"wald", "profile", "plain_profile"} or Bootstrap
            "wald": symmetric on the scale of the quantity, by the delta method. "profile": all
            values to which the log-likelihood falls by less than half a chi-square quantile,
            which "profile" multiplies by ``small_sample_factor``. Refits: the quantiles of what
            they say.

        Raises
        ------
        ParameterError
            If the method or the kind of covariance is unknown.

        Notes
        -----
        Source: derivation, "Delta method" and "Profile likelihood".
        """
        if not isinstance(method, Bootstrap) and method not in METHODS:
            raise ParameterError(
                f'method={method!r} is unknown; choose "wald", "profile", "plain_profile" or '
                '"bootstrap".'
            )
        way = "bootstrap" if isinstance(method, Bootstrap) else method
        if isinstance(method, Bootstrap) and not np.array_equal(method.fitted, self.state.free[0]):
            raise ParameterError(
                "These refits belong to another fit; call bootstrap() of this one."
            )
        local = LocalQuantity(quantity, self.problem)
        value, error = self._with_error(local)
        if not math.isfinite(value):
            return self._bare(quantity, value, way, _NOWHERE)
        fault = local.fault(self.state.free[0], np.sqrt(np.abs(np.diag(self.covariance))))
        known = fault or self._is_known(local)
        if known in (CONSTANT, _KNOWN, _AT_BOUND):
            return Estimate(quantity.name, value, 0.0, value, value, self.level, way, known)
        if math.isinf(local.value(self.state.free[0])) and not isinstance(method, Bootstrap):
            return self._bare(quantity, value, way, _AT_END)
        if isinstance(method, Bootstrap):
            return self._by_bootstrap(local, value, method)
        if fault:
            return self._bare(quantity, value, way, fault)
        if way != "wald":
            return self._by_profile(local, value, error, way)
        here = local.value(self.state.free[0])
        reach = self.critical * self._transformed_error(local)
        low, high = sorted((local.back(here - reach), local.back(here + reach)))
        return Estimate(quantity.name, value, error, low, high, self.level, way)

    def _bare(self, quantity: Quantity, value: float, method: str, note: str) -> Estimate:
        """An estimate of which nothing more is known."""
        nan = math.nan
        return Estimate(quantity.name, value, nan, nan, nan, self.level, method, note)

    def _with_error(self, local: LocalQuantity) -> tuple[float, float]:
        """The value and its standard error, in the unit of the data."""
        quantity, sample = local.quantity, self.problem.sample
        transformed = local.value(self.state.free[0])
        value = inverse(quantity.scale, transformed) if not math.isnan(transformed) else math.nan
        error = self._transformed_error(local) / slope(quantity.scale, value)
        if quantity.unit in ("location", "length"):
            error *= sample.scale
        return local.back(transformed) if not math.isnan(value) else value, error

    def _transformed_error(self, local: LocalQuantity) -> float:
        """The standard error on the scale of the quantity."""
        gradient = local.at(self.state.free[0]).gradient
        variance = float(gradient @ self.covariance @ gradient)
        return math.sqrt(max(variance, 0.0)) if not math.isnan(variance) else math.nan

    def _is_known(self, local: LocalQuantity) -> str:
        """Why the quantity has no error, or nothing."""
        gradient = local.at(self.state.free[0]).gradient
        if not gradient.any():
            return _KNOWN
        held = self.problem.at_bound(self.state.free[0])
        return _AT_BOUND if not gradient[~held].any() else ""

    def profile(self, local: LocalQuantity, way: str) -> tuple[Profile, float]:
        """Return the profile of a quantity, and the fall of twice the log-likelihood at its ends.

        Parameters
        ----------
        local : LocalQuantity
            The quantity.
        way : {"profile", "plain_profile"}
            With the factor for few rows, or without.
        """
        covariance = free_covariance(self.problem, self.state, "hessian")
        critical = self.critical**2 * self._inflation(local, covariance)
        if way == "profile":
            counts = self.state.counts[0]
            worst = float(counts.sum() * self.state.eigenvalues[0, 0])
            critical *= small_sample_factor(counts.size, counts.sum(), counts.min(), worst)
        return Profile(self.problem, self.state, local, covariance), critical

    def _by_profile(self, local: LocalQuantity, value: float, error: float, way: str) -> Estimate:
        """The estimate with a profile-likelihood interval."""
        profile, critical = self.profile(local, way)
        ends = [profile.end(side, critical) for side in (-1, 1)]
        low, high = (local.back(end.value) for end in ends)
        open_ = [
            f"open {where}: {end.reason}"
            for where, end in zip(("below", "above"), ends, strict=True)
            if end.reason
        ]
        name = local.quantity.name
        return Estimate(name, value, error, low, high, self.level, way, "; ".join(open_))

    def _by_bootstrap(self, local: LocalQuantity, value: float, refits: Bootstrap) -> Estimate:
        """The estimate with the quantiles and the sd of what the refits say."""
        found = np.array([local.back(local.value(free)) for free in refits.free])
        known = found[np.isfinite(found)]
        notes = _about(refits, found.size - known.size)
        if known.size < _LEAST_REFITS:
            notes.append(
                f"{known.size} refits are too few for an interval, {_LEAST_REFITS} the least"
            )
            return self._bare(local.quantity, value, "bootstrap", "; ".join(notes))
        tail = 0.5 - 0.5 * self.level
        low, high = np.quantile(known, [tail, 1.0 - tail], method="median_unbiased").tolist()
        return Estimate(
            local.quantity.name, value, float(known.std(ddof=1)), low, high, self.level,
            "bootstrap", "; ".join(notes),
        )  # fmt: skip

    def _inflation(self, local: LocalQuantity, covariance: Array) -> float:
        """How much wider than by the model: the ratio of the variances, for a sandwich."""
        if self.kind == "hessian":
            return 1.0
        gradient = local.at(self.state.free[0]).gradient
        return self._transformed_error(local) ** 2 / float(gradient @ covariance @ gradient)


def small_sample_factor(n_components: int, n_rows: float, fewest: float, worst: float) -> float:
    """Return by how much more than a chi-square law says the log-likelihood falls, at the truth.

    Bartlett's factor is one plus a constant over the number of rows. That of a mixture depends on
    what is not known; this one makes profile intervals hold in the simulations of
    docs/coverage.md, from which its constants are.

    Parameters
    ----------
    n_components : int
        K.
    n_rows : float
        Rows, or the sum of the weights.
    fewest : float
        Rows of the smallest component.
    worst : float
        Rows of known membership that the data are worth in the worst direction.
    """
    if n_components == 1:
        return 1.0 + _ALONE / n_rows
    return 1.0 + _FEW_ROWS / (n_rows * max(fewest, 1.0)) + _OVERLAP / max(worst, _LEAST_WORTH)


def _about(refits: Bootstrap, n_without: int) -> list[str]:
    """What is to be known of the refits, some of them without a value."""
    counted = [
        (refits.n_failed, "failed"),
        (refits.n_switched, "had their components in another order and were matched to the fit"),
        (n_without, "have no such value"),
    ]
    notes = [f"{n} {what}" for n, what in counted if n]
    if notes:
        number, _, what = notes[0].partition(" ")
        notes[0] = f"{number} of {len(refits.free) + refits.n_failed} refits {what}"
    return notes


def _is_share(level: object) -> bool:
    """Whether a level is a number between 0 and 1."""
    return isinstance(level, int | float) and 0.0 < level < 1.0
