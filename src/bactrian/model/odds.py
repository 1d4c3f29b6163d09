"""The log-odds of any two components as a product of two lines: posteriors by arithmetic alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bactrian.errors import ParameterError
from bactrian.model.posterior import Array

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture

_FAR = 1e150  # sds from a mean within which squares are finite
_APART = 1e100  # the largest ratio of sds, and distance of means in sds, of an expression
_LARGEST = 1e300  # means and sds
_END = 1.79e308  # to which such a mean may be added


class Odds(NamedTuple):
    """Log-odds of one component against another: ``level + (a u + b) (c u + d)``.

    Here ``u = (x - mean) / sd`` is measured by the narrower of the two. With equal sds a is zero
    and the log-odds are a line in x.
    """

    level: float
    mean: float
    sd: float
    a: float
    b: float
    c: float
    d: float


class Range(NamedTuple):
    """The values of x between which log-odds are computed; beyond they have their limits."""

    low: float
    high: float


def odds_between(mixture: NormalMixture, one: int, other: int) -> Odds:
    """Return the log-odds of one component against another, counted from 0.

    A difference of squares, or powers of x, would lose all digits of far or narrow components;
    each of the two lines keeps them.

    Notes
    -----
    With ρ the ratio of the sds and g the distance of the means in sds of the wider component, the
    log-odds of the wider one are ``ℓ + ((1 - ρ) u - g) ((1 + ρ) u + g) / 2``.

    Source: derivation, "Log-odds for two components".
    """
    weights, means, sds = (array.tolist() for array in _parameters(mixture))
    narrow, wide = (one, other) if sds[one] < sds[other] else (other, one)
    sign = 0.5 if one == wide else -0.5
    ratio = sds[narrow] / sds[wide]
    g = (means[narrow] - means[wide]) / sds[wide]
    level = _log(weights[one]) - _log(weights[other]) + math.log(sds[other] / sds[one])
    unequal = (sds[wide] - sds[narrow]) / sds[wide]
    return Odds(
        level, means[narrow], sds[narrow], sign * unequal, -sign * g, 1.0 + ratio, g
    )  # fmt: skip


def range_of(mixture: NormalMixture) -> Range:
    """Return where the log-odds of all components are computed without overflow.

    Raises
    ------
    ParameterError
        If the components are so different in scale that there is no such range.
    """
    weights, means, sds = _parameters(mixture)
    held = weights > 0.0
    means, sds = means[held], sds[held]
    distance = float((means.max() * 0.5 - means.min() * 0.5) / sds.min()) * 2.0
    sizes = (abs(float(means.min())), abs(float(means.max())), float(sds.max()))
    usual = max(sizes) < _LARGEST and float(sds.min()) > 1.0 / _LARGEST
    if not (usual and float(sds.max() / sds.min()) < _APART and distance < _APART):
        raise ParameterError(
            "The components are too different in scale for one expression of doubles: change the "
            "unit, so that sds are near one, or fit again without a component that is far away."
        )
    reach = _FAR * np.minimum(sds, _END / _FAR)
    return Range(float((means - reach).max()), float((means + reach).min()))


def _parameters(mixture: NormalMixture) -> tuple[Array, Array, Array]:
    """Weights, means and sds."""
    return mixture.weights, mixture.means, mixture.sds


def _log(weight: float) -> float:
    """The logarithm of a weight; that of zero is minus infinity."""
    return math.log(weight) if weight > 0.0 else -math.inf
