"""The profile likelihood of a quantity as a curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.estimates import Estimate
from bactrian.infer.intervals import Inference
from bactrian.infer.quantity import LocalQuantity, Quantity
from bactrian.infer.scales import transform

Array = NDArray[np.float64]

_POINTS = 24  # on either side
_BEYOND = 1.25  # of the distance to an end
_OPEN = 4.0  # standard errors to go where there is no end


@dataclass(frozen=True, slots=True, eq=False)
class ProfileCurve:
    """The largest log-likelihood at each value of a quantity, less the maximum.

    Attributes
    ----------
    estimate : Estimate
        The quantity with its profile interval.
    values, loglike : (m,) float64
        Ascending values, in the unit of the quantity, and the log-likelihood there less the
        maximum: a sum, zero at the estimate.
    quadratic : (m,) float64
        The same by the standard error alone: the parabola on the scale of the quantity.
    level_line : float
        Where the log-likelihood is at the ends of the interval: negative.
    """

    estimate: Estimate
    values: Array
    loglike: Array
    quadratic: Array
    level_line: float


def profile_curve(inference: Inference, quantity: Quantity, way: str = "profile") -> ProfileCurve:
    """Return the profile likelihood of a quantity around its estimate.

    Parameters
    ----------
    inference : Inference
        The maximum, and the level of the interval.
    quantity : Quantity
        Of which the profile is wanted.
    way : {"profile", "plain_profile"}
        Whether the level line has the factor for few rows.

    Raises
    ------
    ParameterError
        If the quantity has no profile: it is fixed, at its bound, or has no slope at the fit.

    Notes
    -----
    The curve goes a quarter beyond the interval; to four standard errors, or as far as the
    likelihood can be followed, where that is open. Source: derivation, "Profile likelihood".
    """
    estimate = inference.estimate(quantity, way)
    if not estimate.standard_error > 0.0:
        raise ParameterError(
            f"{quantity.name} has no profile: {estimate.note or 'its standard error is not known'}."
        )
    local = LocalQuantity(quantity, inference.problem)
    profile, critical = inference.profile(local, way)
    here = local.value(inference.state.free[0])
    slope = local.at(inference.state.free[0]).gradient
    error = math.sqrt(float(slope @ profile.covariance @ slope))
    below, above = (
        profile.walk(side, _distances(_transformed(local, end), here, error))
        for side, end in ((-1, estimate.low), (1, estimate.high))
    )
    found = np.array([*below[::-1], (here, 0.0), *above])
    values = np.array([local.back(value) for value in found[:, 0]])
    parabola = -0.5 * ((found[:, 0] - here) / error) ** 2
    return ProfileCurve(estimate, values, -0.5 * found[:, 1], parabola, -0.5 * float(critical))


def _distances(end: float, here: float, error: float) -> Array:
    """How far from the estimate to go on one side."""
    farthest = _BEYOND * abs(end - here) if math.isfinite(end) else _OPEN * error
    return np.linspace(0.0, farthest, _POINTS + 1)[1:]


def _transformed(local: LocalQuantity, end: float) -> float:
    """An end of an interval, on the scale of the quantity and in local units."""
    sample, unit = local.problem.sample, local.quantity.unit
    if unit == "location":
        end = (end - sample.origin) / sample.scale
    elif unit == "length":
        end /= sample.scale
    return transform(local.quantity.scale, end)
