"""Pearson's (1894) method of moments for two components, as a start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.partitions import Candidates

Array = NDArray[np.float64]


def pearson(sample: Sample, keep: int = 2) -> Candidates:
    """Return the candidates whose first five moments are the sample's, best sixth moment first.

    Source: Pearson (1894), Phil. Trans. A 185, 71-110: the ninth-degree equation for the product
    of the two means' deviations.
    """
    share = sample.weights / sample.total
    mean = float(share @ sample.local)
    deviation = sample.local - mean
    unit = np.sqrt(sample.local_variance)
    moments = [float(share @ (deviation / unit) ** p) for p in range(7)]
    found = []
    if np.isfinite(moments).all():
        found = [fit for product in _products(moments) if (fit := _mixture(product, moments))]
    found.sort(key=lambda fit: abs(_sixth_moment(*fit) - moments[6]))
    table = np.array(found[:keep], dtype=np.float64).reshape(-1, 3, 2)
    return Candidates(table[:, 0], mean + unit * table[:, 1], unit * np.sqrt(table[:, 2]))


def _products(moments: list[float]) -> list[float]:
    """Negative real roots of the nonic."""
    _, _, m2, m3, m4, m5, _ = moments
    a, b = 9 * m2**2 - 3 * m4, 30 * m2 * m3 - 3 * m5
    roots = np.roots([
        24, 0, -28 * a, 36 * m3**2, -(24 * m3 * b - 10 * a**2), -(148 * m3**2 * a + 2 * b**2),
        288 * m3**4 - 12 * a * b * m3 - a**3, 24 * m3**3 * b - 7 * m3**2 * a**2, 32 * m3**4 * a,
        -24 * m3**6,
    ])  # fmt: skip
    real = np.abs(roots.imag) <= 1e-6 * np.abs(roots)
    return [float(p) for p in roots.real[real] if p < -1e-12]


def _mixture(product: float, moments: list[float]) -> tuple[tuple[float, float], ...] | None:
    """Weights, deviations of the means and variances for a root, where they are admissible."""
    _, _, m2, m3, m4, m5, _ = moments
    a, b = 9 * m2**2 - 3 * m4, 30 * m2 * m3 - 3 * m5
    denominator = product * (4 * m3**2 - a * product + 2 * product**3)
    if denominator == 0.0:
        return None
    numerator = 2 * m3**3 - 2 * m3 * a * product - b * product**2 - 8 * m3 * product**3
    total = numerator / denominator
    root = np.sqrt(total**2 - 4 * product)
    low, high = (total - root) / 2, (total + root) / 2
    weight = high / (high - low)
    system = np.array([[weight, 1 - weight], [3 * weight * low, 3 * (1 - weight) * high]])
    between = [weight * low**p + (1 - weight) * high**p for p in (2, 3)]
    if not 0.0 < weight < 1.0 or np.linalg.cond(system) > 1e12:
        return None
    variances = np.linalg.solve(system, [m2 - between[0], m3 - between[1]])
    if variances.min() <= 0.0:
        return None
    return (weight, 1 - weight), (float(low), float(high)), (variances[0], variances[1])


def _sixth_moment(
    weights: tuple[float, ...], deviations: tuple[float, ...], variances: tuple[float, ...]
) -> float:
    """The sixth central moment of a candidate."""
    return float(
        sum(
            w * (d**6 + 15 * d**4 * v + 45 * d**2 * v**2 + 15 * v**3)
            for w, d, v in zip(weights, deviations, variances, strict=True)
        )
    )
