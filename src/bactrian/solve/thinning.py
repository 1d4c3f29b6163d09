"""A few thousand weighted points that stand for many in the search for starts."""

from __future__ import annotations

import numpy as np

from bactrian.data.sample import Sample

LARGE = 4096
_WIDTH = 1.0 / 16.0  # of an sd
_SHARE = 1.0 / 256.0  # of the rows


def thinned(sample: Sample) -> Sample:
    """Return the sample with runs of neighbours replaced by two points of the same moments.

    A run ends where it would be wider than a sixteenth of an sd or hold more than one row in 256.
    Its two points have its weight, mean, variance and third moment, so that the maxima of the
    thinned likelihood are close to those of the sample's, for components wider than a run. The
    result is for finding where to climb, never for the answer.
    """
    x, w = sample.local, sample.weights
    sd = np.sqrt(sample.local_variance)
    cell = np.floor((x - x[0]) / (_WIDTH * sd))
    block = np.floor(w.cumsum() / (_SHARE * sample.total))
    first = np.flatnonzero(
        np.concatenate([[True], (cell[1:] != cell[:-1]) | (block[1:] != block[:-1])])
    )
    weight = np.add.reduceat(w, first)
    mean = np.add.reduceat(w * x, first) / weight
    run = np.repeat(np.arange(first.size), np.diff(np.append(first, x.size)))
    deviation = x - mean[run]
    variance = np.add.reduceat(w * deviation**2, first) / weight
    third = np.add.reduceat(w * deviation**3, first) / weight
    spread = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        half_skew = np.where(variance > 0.0, 0.5 * third / (variance * spread), 0.0)
    root = np.sqrt(1.0 + half_skew**2)
    share = 0.5 * (1.0 - half_skew / root)  # of the upper point
    upper, lower = mean + spread * (half_skew + root), mean + spread * (half_skew - root)
    single = spread <= 1e-12 * sd
    points = np.concatenate([lower, upper[~single]])
    weights = np.concatenate([np.where(single, weight, weight * (1.0 - share)),
                              (weight * share)[~single]])  # fmt: skip
    order = points.argsort(kind="stable")
    return sample.with_local(points[order], weights[order])
