"""Areas of a mixture with their logarithms: also where they are too small for a float."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

_TINY = 1e-290  # below this an area loses digits, and vanishes soon after


class Areas(NamedTuple):
    """The areas of a mixture below and above each point, to a few ulp in both tails.

    Attributes
    ----------
    lower, upper : (n,) float64
        P(X <= x) and P(X > x).
    log_lower, log_upper : (n,) float64
        Their natural logarithms, right where the areas vanish too; -inf where they overflow.
    """

    lower: Array
    upper: Array
    log_lower: Array
    log_upper: Array


def areas(x: ArrayLike, mixture: NormalMixture) -> Areas:
    """Return the areas below and above points.

    Parameters
    ----------
    x : (n,) array_like
        Points in the unit of the mixture; nan gives nan.
    mixture : NormalMixture
        The law of X.

    Notes
    -----
    The logarithm of an area beyond half is log(1 - the other), which keeps its digits.
    """
    lower, upper = np.atleast_1d(mixture.cdf(x)), np.atleast_1d(mixture.sf(x))
    points = np.atleast_1d(np.asarray(x, dtype=np.float64))
    log_lower = _logs(lower, upper, points, mixture)
    return Areas(
        lower, upper, log_lower, _logs(upper, lower, -points, mixture.affine(0.0, -1.0))
    )  # fmt: skip


def _logs(area: Array, rest: Array, x: Array, mixture: NormalMixture) -> Array:
    """The logs of the areas below points x (n,), from the areas on both sides of them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(area <= 0.5, np.log(area), np.log1p(-rest))
    tiny = area < _TINY
    if tiny.any():
        found[tiny] = _far_below(x[tiny], mixture)
    return found


def _far_below(x: Array, mixture: NormalMixture) -> Array:
    """The logs of the areas below points (n,) far below all means."""
    from scipy.special import log_ndtr

    held = mixture.weights > 0.0
    with np.errstate(over="ignore"):
        distance = (x - mixture.means[held, None]) / mixture.sds[held, None]
        terms = np.log(mixture.weights[held, None]) + log_ndtr(distance)
    return np.asarray(np.logaddexp.reduce(terms, axis=0))
