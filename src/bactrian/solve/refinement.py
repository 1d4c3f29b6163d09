"""Where the grid of a sketch is too coarse for what was found, and finer bins for there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sketches.grid import scaled
from bactrian.data.sketches.quadrature import gauss_rules
from bactrian.data.sketches.sketch import Sketch
from bactrian.solve.fidelity import Fidelity
from bactrian.solve.solver import Solution

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-7  # standard errors; the pass over all rows removes what is left
_HALVINGS = 8
_MAX_RANGES = 12
_BESIDE = 8
_SPIKE = 3.0
_LEAST_ROWS = 1.5


class Refinement(NamedTuple):
    """Bins to be read again.

    Attributes
    ----------
    kept : tuple of Sketch
        The sketches without those bins.
    ranges : (m, 2) float64
        The bins' ranges, unit of the data, disjoint and ascending.
    exponent : int
        Of the finer grid.
    """

    kept: tuple[Sketch, ...]
    ranges: Array
    exponent: int


def refinement(
    parts: Sequence[Sketch], solution: Solution, found: Fidelity | None
) -> Refinement | None:
    """Return which bins to read again for a solution, None where all are narrow enough.

    Bins that move the estimates by more than the tolerance; and bins that a component collapsed
    into although their rows are not one value: it may be real, and narrower than they are.
    """
    coarse = _collapsed_into(parts, solution)
    halvings = _HALVINGS if coarse.any() else 0
    if found is not None and found.error > TOLERANCE:
        coarse |= found.shares > TOLERANCE / found.shares.size
        # The difference that is measured falls with the sixth power of the width.
        needed = np.log2(found.error / TOLERANCE) / 6.0
        halvings = max(halvings, min(int(np.ceil(needed)) + 1, _HALVINGS))
    if not coarse.any():
        return None
    return _reread(parts, coarse, halvings)


def _collapsed_into(parts: Sequence[Sketch], solution: Solution) -> Mask:
    """The bins (B,) that hold more than one value, and a spike, and a collapsed component."""
    sample = solution.problem.sample
    masks = []
    for part in parts:
        suspect = np.zeros(part.bins.size, dtype=bool)
        if solution.collapses.size and not solution.problem.is_bounded:
            places = (solution.collapses * sample.scale + sample.origin) / part.width
            order = np.bincount(gauss_rules(part.moments)[0], minlength=part.bins.size)
            away = np.abs(part.bins[:, None] + 0.5 - places)
            suspect = (away.min(axis=1) <= 1.5) & (order > 1) & _spikes(part)
            # What is too narrow for a bin need not lie within that one bin.
            beside = np.concatenate([part.bins[suspect] - 1.0, part.bins[suspect] + 1.0])
            suspect |= np.isin(part.bins, beside)
        masks.append(suspect)
    return np.concatenate(masks)


def _spikes(part: Sketch) -> Mask:
    """The bins (B,) far fuller than those beside them; bins that are not occupied are empty."""
    weight = part.moments[:, 0]
    around = np.zeros((2 * _BESIDE, weight.size))
    steps = [step for step in range(-_BESIDE, _BESIDE + 1) if step]
    for row, step in zip(around, steps, strict=True):
        at = np.searchsorted(part.bins, part.bins + step)
        at_most = np.minimum(at, weight.size - 1)
        found = part.bins[at_most] == part.bins + step
        row[found] = weight[at_most[found]]
    return (weight >= _LEAST_ROWS) & (weight > _SPIKE * np.median(around, axis=0))


def _reread(parts: Sequence[Sketch], coarse: Mask, halvings: int) -> Refinement | None:
    """The ranges of the coarse bins, joined until they are few, and the sketches without them."""
    edges = []
    first = 0
    exponents = []
    for part in parts:
        flagged = part.bins[coarse[first : first + part.bins.size]]
        first += part.bins.size
        edges.append(scaled(np.stack([flagged, flagged + 1.0], axis=1), part.exponent))
        exponents += [part.exponent] * bool(flagged.size)
    ranges = _joined(np.concatenate(edges))
    kept = []
    for part in parts:
        low = scaled(part.bins, part.exponent)
        position = np.searchsorted(ranges[:, 0], low, side="right") - 1
        outside = (position < 0) | (low >= ranges[np.maximum(position, 0), 1])
        if outside.any():
            kept.append(part.select(outside))
    return Refinement(tuple(kept), ranges, max(min(exponents) - halvings, -1074))


def _joined(ranges: Array) -> Array:
    """Disjoint ascending ranges, no more than a few: the narrowest gaps between them are closed."""
    ranges = ranges[ranges[:, 0].argsort()]
    gaps = ranges[1:, 0] - ranges[:-1, 1]
    limit = 0.0
    if (gaps > 0.0).sum() >= _MAX_RANGES:
        limit = float(np.sort(gaps)[-_MAX_RANGES])
    ends = np.flatnonzero(np.append(gaps > limit, True))
    starts = np.concatenate([[0], ends[:-1] + 1])
    return np.stack([ranges[starts, 0], ranges[ends, 1]], axis=1)
