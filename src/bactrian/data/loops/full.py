"""The sums of one evaluation over all rows of a large column, compiled where that pays."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops import twins
from bactrian.data.loops.kernels import (
    check_columns,
    chunks,
    in_order,
    is_worth_compiling,
    kernel,
    plain,
)
from bactrian.data.loops.mixture_loops import LOG2_E
from bactrian.data.loops.moment_loops import ROWS
from bactrian.data.loops.twins import Point, column_sums
from bactrian.model.posterior import HALF_LOG_2PI

Array = NDArray[np.float64]

_CHUNK = 2**18  # rows: a third of a millisecond of work, so that threads end together
_LINE = 8  # numbers between terms: a power of two would put all in one set of the cache
_WIDEST = 2.0**40  # ratio of two sds, and of a mean to an sd, for which they are made
_UNIT_RANGE = 2.0**900  # scales within it and its inverse leave room for parameters in their unit


class FullSums(NamedTuple):
    """Sums over all rows at one mixture of K components, free of units.

    Attributes
    ----------
    loglike : float
        Sum of w log f, f being the density in local coordinates.
    products : (K + K (K - 1) / 2 (2K + 1), 2K + 1) float64
        Sums of w r_k times a feature (1, u_1..u_K, q_1..q_K), q = (u^2 - 1) / 2; and for each pair
        j < k, 2K + 1 rows with the sums of w r_j r_k times a product of two features.
    """

    loglike: float
    products: Array


def full_sums(
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
) -> FullSums:
    """Return the sums over all rows at one mixture in local coordinates (x - origin) / scale.

    Parameters
    ----------
    x : (n,) float64 or float32
        Rows, finite, unit of the data; float32 is not copied as a whole.
    w : (n,) float64 or None
        Observation weights; None for one each.
    origin, scale : float
        Unit of the data; the scale is a power of two.
    weights, means, sds : (K,) float64
        The mixture, in local coordinates.
    compiled : bool, optional
        Whether to take the compiled loops; by default as `is_worth_compiling` says. It makes a
        difference in the last digits only.
    threads : int, optional
        How many; by default one for each processor, in NumPy one. It makes no difference in the
        result.

    Raises
    ------
    ValueError
        If rows and weights are not two columns of one length.
    ImportError
        If the compiled loops are asked for and there is no numba.

    Notes
    -----
    All sums of products of features are those of w r_k u_k^j, j = 0..2, and of w r_j r_k u^j,
    j = 0..4, with u of the narrower of two components: polynomials of it. For two components the
    compiled loop counts a responsibility below 2**-1021 as that: no sum of fewer than 1e250 rows
    shows it.

    Source: derivation, "Hessian in working coordinates".
    """
    check_columns(x, w)
    point = Point(origin, scale, weights, means, sds, _pairs(sds))
    if (is_worth_compiling(x.size) if compiled is None else compiled) and _is_ordinary(point):
        work = _compiled_work(point, x, w)
    else:
        work = partial(twins.full_sums_of_chunk, point)
        # Of its many short steps each waits for the interpreter: two threads took twice as long.
        threads = 1 if threads is None else threads
    parts = [np.zeros(point.n_sums), *in_order(work, chunks(x, w, _CHUNK), threads)]
    found = column_sums(np.array(parts))
    return FullSums(float(found[0]), _products(found, point))


def _pairs(sds: Array) -> NDArray[np.intp]:
    """The pairs j < k of components, and the narrower of the two, (P, 3)."""
    first, second = np.triu_indices(sds.size, 1)
    return np.stack([first, second, np.where(sds[first] <= sds[second], first, second)], axis=1)


def _is_ordinary(point: Point) -> bool:
    """Whether the compiled loops are made for such a mixture."""
    narrowest = point.sds.min()
    extent = max(point.sds.max(), np.abs(point.means).max())
    in_range = 1.0 / _WIDEST < narrowest and extent < _WIDEST
    return bool(in_range and extent < _WIDEST * narrowest and point.weights.min() > 0.0)


def _compiled_work(point: Point, x: Any, w: Array | None) -> Callable[[Any, Array | None], Array]:
    """What is to be done with a chunk.

    Where the scale leaves room, parameters are multiplied by it, once, and not rows divided.
    """
    has_room = 1.0 / _UNIT_RANGE < point.scale < _UNIT_RANGE
    origin, unit = (point.origin, point.scale) if has_room else (0.0, 1.0)
    means, inverse = point.means * unit, 1.0 / (point.sds * unit)
    logs = np.log(point.weights) - np.log(point.sds) - HALF_LOG_2PI
    name = "pair" if point.sds.size == 2 else "general"
    loop = kernel(name, x if has_room else np.empty(0), w)
    if name == "pair":
        n, other = (0, 1) if point.sds[0] <= point.sds[1] else (1, 0)
        wider = point.sds[other]
        # Log weight over sd without the constant that both share.
        constant = math.log(point.weights[n]) - math.log(point.weights[other])
        constant += math.log(wider) - math.log(point.sds[n])
        slope, shift = (wider - point.sds[n]) / wider, (point.means[other] - point.means[n]) / wider
        at = (origin, means[n], means[other], inverse[n], inverse[other], -0.5 * slope * LOG2_E,
              -0.5 * shift * LOG2_E, constant * LOG2_E, logs[n], logs[other])  # fmt: skip
        arguments: tuple[Any, ...] = (np.array(at),)
    else:
        arguments = (float(origin), np.stack([means, inverse, logs], axis=1), point.pairs)
    return partial(_of_chunk, point, loop, arguments, has_room)


def _of_chunk(
    point: Point, loop: Any, arguments: tuple[Any, ...], has_room: bool, x: Any, w: Array | None
) -> Array:
    """The sums of one chunk, blocks that are out of the ordinary taken by the twin."""
    rows, w = plain(x if has_room else point.local(x), w)
    K = point.sds.size
    terms = np.empty((5 if K == 2 else 2 * K + 2, ROWS + _LINE))
    total, again = np.zeros((2, point.n_sums)), np.empty(-(-x.size // ROWS), np.bool_)
    loop(rows, w, *arguments, terms, np.empty(point.n_sums), total, again)
    sums: Array = total[0] + total[1]
    if K == 2 and point.pairs[0, 2] == 1:
        sums[1:7] = np.roll(sums[1:7], 3)
    if again.any():
        some = np.repeat(again, ROWS)[: x.size]
        sums += twins.full_sums_of_chunk(point, x[some], None if w is None else w[some])
    return sums


def _products(found: Array, point: Point) -> Array:
    """Sums of products of features from those of powers of u.

    With u_l = e + k u_n every feature is a polynomial in u_n, of degree two at most, and a sum of
    products of two is one of products of coefficients and sums of powers.
    """
    K = point.sds.size
    with np.errstate(over="ignore", invalid="ignore"):
        own = found[1 : 1 + 3 * K].reshape(K, 3)
        shared = found[1 + 3 * K :].reshape(-1, 5)
        maps = [_features_of(point, n) for n in range(K)]
        single = [maps[k] @ own[k] for k in range(K)]
        hankel = shared[:, np.add.outer(np.arange(3), np.arange(3))]
        double = [
            maps[n] @ powers @ maps[n].T
            for powers, n in zip(hankel, point.pairs[:, 2], strict=True)
        ]
    return np.concatenate([np.array(single), *double])


def _features_of(point: Point, n: int) -> Array:
    """The coefficients (2K + 1, 3) of all features as polynomials in u_n."""
    e = (point.means[n] - point.means) / point.sds
    k = point.sds[n] / point.sds
    one, zero = np.ones((1, 3)) * [1.0, 0.0, 0.0], np.zeros_like(e)
    u, q = [e, k, zero], [0.5 * (e * e - 1.0), e * k, 0.5 * k * k]
    return np.concatenate([one, np.stack(u, axis=1), np.stack(q, axis=1)])
