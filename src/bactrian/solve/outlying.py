"""Rows that are far from every component: outliers, or tails that no normal distribution has."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample

__all__ = ["FAR", "caution_of"]

Array = NDArray[np.float64]

FAR: Final = 8.0  # standard deviations: of a billion rows of a normal distribution none is so far


def caution_of(sample: Sample, weights: Array, means: Array, sds: Array) -> list[str]:
    """Return one sentence where rows lie more than ``FAR`` sds from every component.

    Parameters
    ----------
    sample : Sample
        The rows, or what stands for them.
    weights, means, sds : (K,) float64
        The fitted mixture, local.
    """
    some = weights > 0.0
    distance = np.abs((sample.local[:, None] - means[some]) / sds[some]).min(axis=1)
    far = distance > FAR
    if not far.any():
        return []
    rows, farthest = float(sample.weights[far].sum()), int(distance.argmax())
    lie = "row lies" if rows == 1.0 else "rows lie"
    return [
        f"Outliers: {rows:.10g} {lie} more than {FAR:.0f} sds from every component, the farthest "
        f"near {sample.values[farthest]:.5g}. They widen what is nearest to them: look at them, "
        "and fit without them or with one component more before you trust the others."
    ]
