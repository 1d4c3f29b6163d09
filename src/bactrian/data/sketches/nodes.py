"""From sketches to the weighted sample that stands for their rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample, spread_exponent
from bactrian.data.sketches.grid import N_MOMENTS, SMALLEST_EXPONENT
from bactrian.data.sketches.quadrature import gauss_rules
from bactrian.data.sketches.sketch import Sketch

Array = NDArray[np.float64]


class Nodes(NamedTuple):
    """Gauss nodes (m,) of the bins of several sketches, ascending.

    Attributes
    ----------
    sample : Sample
        The nodes and their weights.
    bins : (m,) intp
        For each node the position of its bin, counted through the sketches.
    """

    sample: Sample
    bins: NDArray[np.intp]


def sample_of(parts: Sequence[Sketch]) -> Sample:
    """Return the Gauss nodes of sketches of disjoint ranges as one sample.

    Source: derivation, "Binned moments".
    """
    return nodes_of(parts).sample


def nodes_of(parts: Sequence[Sketch], order: int = N_MOMENTS // 2) -> Nodes:
    """Return the Gauss nodes of sketches of disjoint ranges, up to `order` of them a bin.

    Nodes are placed by whole numbers of bins from a bin near the middle, so that far from zero
    they keep the digits that an absolute position would lose: at 1e12 standard deviations from
    zero those are worth 0.01 to 0.2 units of log-likelihood.

    Source: derivation, "Binned moments".
    """
    finest = min(part.exponent for part in parts)
    largest = max(parts, key=lambda part: part.total)
    half = np.searchsorted(np.cumsum(largest.moments[:, 0]), 0.5 * largest.total)
    middle = float(largest.bins[min(int(half), largest.bins.size - 1)])
    places, weights, positions, ends, first = [], [], [], [], 0
    for part in parts:
        bins, t, w = gauss_rules(part.moments[:, : 2 * order])
        away = part.bins - math.ldexp(middle, largest.exponent - part.exponent)
        places.append(np.ldexp(away[bins] + 0.5 * (t + 1.0), part.exponent - finest))
        ends += [np.ldexp(away + end, part.exponent - finest) for end in (0.0, 1.0)]
        weights.append(w)
        positions.append(bins + first)
        first += part.bins.size
    away, weight = np.concatenate(places), np.concatenate(weights)
    ascending = away.argsort(kind="stable")
    away, weight = away[ascending], weight[ascending]
    # Nodes of subnormal values may lie closer to each other than the least double.
    exponent = max(spread_exponent(away, weight), SMALLEST_EXPONENT - finest)
    sample = Sample(
        origin=math.ldexp(middle, largest.exponent),
        scale=math.ldexp(1.0, finest + exponent),
        local=np.ldexp(away, -exponent),
        weights=weight,
        width=math.ldexp(1.0, -exponent),
        edges=np.ldexp(np.unique(np.concatenate(ends)), -exponent),
    )
    return Nodes(sample, np.concatenate(positions)[ascending])
