"""From sketches to the weighted sample that stands for their rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bactrian.data.quadrature import gauss_rules
from bactrian.data.sample import Sample, spread_exponent
from bactrian.data.sketch import Sketch

Array = NDArray[np.float64]


def sample_of(parts: Sequence[Sketch]) -> Sample:
    """Return the Gauss nodes of sketches of disjoint ranges as one sample.

    Nodes are placed by whole numbers of bins from a bin near the middle, so that far from zero
    they keep the digits that an absolute position would lose: at 1e12 standard deviations from
    zero those are worth 0.01 to 0.2 units of log-likelihood.

    Source: derivation, "Binned moments".
    """
    finest = min(part.exponent for part in parts)
    widest = max(parts, key=lambda part: part.total)
    middle = widest.bins[np.searchsorted(np.cumsum(widest.moments[:, 0]), 0.5 * widest.total)]
    places, weights = [], []
    for part in parts:
        bins, t, w = gauss_rules(part.moments)
        away = part.bins[bins] - math.ldexp(middle, widest.exponent - part.exponent)
        places.append(np.ldexp(away + 0.5 * (t + 1.0), part.exponent - finest))
        weights.append(w)
    away, weight = np.concatenate(places), np.concatenate(weights)
    order = away.argsort(kind="stable")
    away, weight = away[order], weight[order]
    exponent = spread_exponent(away, weight)
    return Sample(
        origin=math.ldexp(float(middle), widest.exponent),
        scale=math.ldexp(1.0, finest + exponent),
        local=np.ldexp(away, -exponent),
        weights=weight,
        width=math.ldexp(1.0, -exponent),
    )
