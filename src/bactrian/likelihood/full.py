"""Derivatives on all rows of a large column, at one mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.full import full_sums
from bactrian.likelihood.derivatives import Derivatives, from_sums
from bactrian.likelihood.sums import Sums

Array = NDArray[np.float64]


def full_derivatives(
    x: NDArray[np.floating[Any]],
    w: Array | None,
    origin: float,
    scale: float,
    weights: Array,
    means: Array,
    sds: Array,
    *,
    compiled: bool | None = None,
    threads: int | None = None,
) -> Derivatives:
    """Return the derivatives at one mixture in local coordinates (x - origin) / scale.

    Parameters
    ----------
    x : (n,) float64 or float32
        Rows, finite, unit of the data.
    w : (n,) float64 or None
        Observation weights; None for one each.
    origin, scale : float
        Unit of the data; the scale is a power of two.
    weights, means, sds : (K,) float64
        The mixture, in local coordinates, in which the derivatives are too: a batch of one.
    compiled, threads
        As for `full_sums`.

    Raises
    ------
    ValueError
        If rows and weights are not two columns of one length.
    ImportError
        If compiled loops are asked for and there is no numba.
    """
    found = full_sums(x, w, origin, scale, weights, means, sds, compiled=compiled, threads=threads)
    sums = Sums(np.array([found.loglike]), found.products[None])
    return from_sums(sums, weights[None], sds[None])
