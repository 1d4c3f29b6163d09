"""Where a mixture density vanishes in the complex plane: what bounds any quadrature of its log."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_TURNS = 24  # odd multiples of i pi; further zeros are further away
_NEARER = 0.9  # with three components and more, zeros may be nearer than those of any pair


def complex_zeros(weights: Array, means: Array, sds: Array) -> Complex:
    """Return the zeros nearest to the real axis, in the upper half plane, of all pairs.

    With two components these are zeros of the density; with more they are near them.

    Parameters
    ----------
    weights, means, sds : (K,) float64
        The mixture.

    Notes
    -----
    The log-odds of the narrower component against the other are a quadratic in its own
    u = (x - mean) / sd, where they do not cancel: they are an odd multiple of i pi at a zero.

    Source: derivation, "Binned moments".
    """
    found = []
    for j, k in combinations(range(len(means)), 2):
        narrow, wide = (j, k) if sds[j] <= sds[k] else (k, j)
        shift = (means[narrow] - means[wide]) / sds[wide]
        ratio = sds[narrow] / sds[wide]
        with np.errstate(divide="ignore"):
            level = np.log(weights[narrow] / weights[wide] / ratio) + 0.5 * shift**2
        turns = 1j * np.pi * (2.0 * np.arange(-_TURNS, _TURNS) + 1.0)
        less = (sds[narrow] - sds[wide]) / sds[wide]  # not ratio - 1, which is a rounding of it
        u = _roots(0.5 * less * (ratio + 1.0), shift * ratio, level - turns)
        u = u[np.isfinite(u) & (u.imag > 0.0)]
        nearer = 1.0 if len(means) == 2 else _NEARER
        found.append(means[narrow] + sds[narrow] * (u.real + 1j * nearer * u.imag))
    return np.concatenate(found) if found else np.empty(0, dtype=np.complex128)


def ellipse_radii(low: Array, high: Array, zeros: Complex) -> Array:
    """Return for each interval (m,) the sum of semi-axes of the largest ellipse free of zeros.

    The foci of the ellipse are the ends of the interval, half its length is the unit. A Gauss rule
    of q nodes integrates a function that is analytic inside to about radius**(-2 q).
    """
    radii = np.full(low.size, np.inf)
    if not zeros.size:
        return radii
    half = np.maximum(0.5 * (high - low), np.finfo(np.float64).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        zeta = (zeros - 0.5 * (low + high)[:, None]) / half[:, None]
        reached: Array = np.abs(zeta + np.sqrt(zeta - 1.0) * np.sqrt(zeta + 1.0)).min(axis=1)
    reached[np.isnan(reached)] = np.inf
    return reached


def _roots(square: float, slope: float, constants: Complex) -> Complex:
    """Both roots of square u^2 + slope u + constant, without cancellation; one may be inf."""
    root = np.sqrt(slope**2 - 4.0 * square * constants)
    root *= np.where(slope * root.real < 0.0, -1.0, 1.0)
    half = -0.5 * (slope + root)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([half / square, constants / half])
