"""A graded mesh: wide bins where the log-density is smooth, narrow ones where it bends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.quadrature import gauss_rules
from bactrian.model.zeros import complex_zeros, ellipse_radii

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_ORDER = 8
_ACCURACY = 1e-12
_RADIUS = _ACCURACY ** (-0.5 / _ORDER)
_MAX_LEVELS = 200


def graded(sample: Sample, mixtures: Sequence[tuple[Array, Array, Array]]) -> Sample:
    """Return a few hundred nodes that carry the likelihood near given mixtures.

    Bins are halved until the log-densities are analytic in an ellipse around each that makes eight
    nodes exact to 1e-12. Their number grows with the logarithm of the ratio of the sds, and not
    with the number of values.

    Parameters
    ----------
    sample : Sample
        Values or nodes.
    mixtures : sequence of (weights, means, sds), each (K,) float64
        In local coordinates.

    Notes
    -----
    Source: derivation, "Binned moments".
    """
    zeros = np.concatenate([complex_zeros(*mixture) for mixture in mixtures])
    starts = _bins(sample.local, zeros)
    return sample.with_local(*condensed(sample.local, sample.weights, starts))


def condensed(x: Array, w: Array, starts: Index) -> tuple[Array, Array]:
    """Return ascending values and weights, those of every full bin replaced by eight Gauss nodes.

    Parameters
    ----------
    x, w : (n,) float64
        Ascending values, positive weights.
    starts : (B,) intp
        The first value of each bin, ascending, from 0 on. A bin of up to eight values is kept.
    """
    sizes = np.diff(np.append(starts, x.size))
    low, high = x[starts], x[starts + sizes - 1]
    bins = np.repeat(np.arange(starts.size), sizes)
    few = sizes <= _ORDER
    half = np.where(high > low, 0.5 * (high - low), 1.0)
    t = (x - 0.5 * (low + high)[bins]) / half[bins]
    which, places, weights = gauss_rules(_moments(t, w, bins, starts.size)[~few])
    which = np.flatnonzero(~few)[which]
    kept = few[bins]
    places = np.concatenate([x[kept], 0.5 * (low + high)[which] + half[which] * places])
    order = places.argsort(kind="stable")
    return places[order], np.concatenate([w[kept], weights])[order]


def _bins(x: Array, zeros: NDArray[np.complex128]) -> Index:
    """The first value of each bin, ascending."""
    starts, ends = np.zeros(1, dtype=np.intp), np.full(1, x.size)
    low, high = x[:1], x[-1:]
    done: list[Index] = []
    for _ in range(_MAX_LEVELS):
        # The range of the values, not the bin: a cluster may sit in a corner of it.
        wide = ellipse_radii(x[starts], x[ends - 1], zeros) < _RADIUS
        wide &= ends - starts > _ORDER
        done.append(starts[~wide])
        starts, ends, low, high = starts[wide], ends[wide], low[wide], high[wide]
        if not starts.size:
            break
        middle = 0.5 * (low + high)
        cut = np.searchsorted(x, middle)
        starts, ends = np.concatenate([starts, cut]), np.concatenate([cut, ends])
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        full = ends > starts
        starts, ends, low, high = starts[full], ends[full], low[full], high[full]
    return np.sort(np.concatenate([*done, starts]))


def _moments(t: Array, w: Array, bins: Index, size: int) -> Array:
    """The Chebyshev moments (size, 16) of the values of each bin."""
    sums = np.empty((size, 2 * _ORDER))
    before, term = w, w * t
    for p in range(2 * _ORDER):
        sums[:, p] = np.bincount(bins, before, size)
        before, term = term, 2.0 * t * term - before
    return sums
