"""What adding, subtracting and coarsening do to the moments of sketches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sketches.grid import N_MOMENTS, halving_map, scaled
from bactrian.errors import DataError

if TYPE_CHECKING:
    from bactrian.data.sketches.sketch import Sketch

Array = NDArray[np.float64]

CAP = 65_536  # occupied bins; a sketch that would have more is coarsened
# What is left of a bin after subtraction is rounding where it is less than this share of what was
# taken from it, or of the weight of all bins. Counts leave none.
_GONE, _NOTHING = 1e-10, 2.0**-52
_NO_PART = 1e-9  # of the part's weight: what may be missing in the whole


def capped(sketch: Sketch, cap: int = CAP) -> Sketch:
    """Return the sketch on the finest grid that has no more occupied bins than a cap."""
    while sketch.bins.size > cap:
        sketch = _halved(sketch)
    return sketch


def coarsened(sketch: Sketch, exponent: int) -> Sketch:
    """Return the same rows on a grid whose exponent is not smaller."""
    for _ in range(exponent - sketch.exponent):
        sketch = _halved(sketch)
    return sketch


def _halved(sketch: Sketch) -> Sketch:
    """The sketch on the grid of bins twice as wide."""
    parents = np.floor(0.5 * sketch.bins)
    right = sketch.bins - 2.0 * parents == 1.0
    first = np.flatnonzero(np.concatenate([[True], parents[1:] != parents[:-1]]))

    def joined(moments: Array | None) -> Array | None:
        """The moments of the parents."""
        if moments is None:
            return None
        with np.errstate(invalid="ignore"):  # squares of large weights may be infinite
            shares = np.where(right[:, None], moments @ halving_map(True).T,
                              moments @ halving_map(False).T)  # fmt: skip
        return np.add.reduceat(shares, first)

    moments = joined(sketch.moments)
    assert moments is not None
    return replace(
        sketch, exponent=sketch.exponent + 1, bins=parents[first], moments=moments,
        squares=joined(sketch.squares),
    )  # fmt: skip


def added(a: Sketch, b: Sketch) -> Sketch:
    """Return the sketch of the rows of both, on the coarser of their grids.

    Raises
    ------
    DataError
        If they are of columns of different names.
    """
    name = _common_name(a, b)
    exponent = max(a.exponent, b.exponent)
    return replace(
        _combined(coarsened(a, exponent), coarsened(b, exponent), 1.0),
        count=a.count + b.count,
        minimum=min(a.minimum, b.minimum),
        maximum=max(a.maximum, b.maximum),
        column=name,
        n_missing=a.n_missing + b.n_missing,
    )


def without(whole: Sketch, part: Sketch) -> Sketch:
    """Return the sketch of the rows that are not in a part, on the coarser of their grids.

    Raises
    ------
    DataError
        If the part has rows that the whole does not have, or all of its rows; if they are of
        columns of different names.
    """
    _common_name(whole, part)
    exponent = max(whole.exponent, part.exponent)
    whole, part = coarsened(whole, exponent), coarsened(part, exponent)
    found = _combined(whole, part, -1.0)
    left, taken = found.moments[:, 0], np.zeros(found.bins.size)
    taken[np.searchsorted(found.bins, part.bins)] = part.moments[:, 0]
    rounding = np.zeros(found.bins.size)
    if found.squares is not None:
        rounding = np.where(taken > 0.0, np.maximum(_GONE * taken, _NOTHING * whole.total), 0.0)
    missing = np.maximum(-left - rounding, 0.0).sum()
    allowed = 0.0 if found.squares is None else _NO_PART * part.total
    if missing > allowed or part.count > whole.count:
        raise DataError(
            "the sketch to be taken away has rows that the other does not have: only a part that "
            "was added can be subtracted."
        )
    remaining = left > rounding
    if part.count == whole.count or not remaining.any():
        raise DataError("nothing is left after the subtraction: a sketch has at least one row.")
    kept = replace(
        found, bins=found.bins[remaining], moments=found.moments[remaining],
        squares=None if found.squares is None else found.squares[remaining],
        count=whole.count - part.count, n_missing=max(whole.n_missing - part.n_missing, 0),
    )  # fmt: skip
    return bounded(kept)


def _common_name(a: Sketch, b: Sketch) -> str | None:
    """The name of the column of both; where one sketch has none, that of the other.

    So the sum of several is refused, or not, whatever their order.
    """
    if None not in (a.column, b.column) and a.column != b.column:
        raise DataError(
            f"one sketch is of column {a.column!r}, the other of column {b.column!r}: add and "
            "subtract sketches of one quantity. If these are, give both one name: "
            f"dataclasses.replace(sketch, column={a.column!r})."
        )
    return a.column if b.column is None else b.column


def _combined(a: Sketch, b: Sketch, sign: float) -> Sketch:
    """The sums of the moments of two sketches on one grid; the rest is the first one's."""
    bins = np.union1d(a.bins, b.bins)
    at_a, at_b = np.searchsorted(bins, a.bins), np.searchsorted(bins, b.bins)

    def joined(of_a: Array, of_b: Array) -> Array:
        """The moments of all bins."""
        sums = np.zeros((bins.size, N_MOMENTS))
        sums[at_a] = of_a
        with np.errstate(invalid="ignore"):
            sums[at_b] += sign * of_b
        return sums

    squares = None
    if a.squares is not None or b.squares is not None:
        # Where every row counts once, w^2 is w.
        squares = joined(*(s.moments if s.squares is None else s.squares for s in (a, b)))
    return replace(a, bins=bins, moments=joined(a.moments, b.moments), squares=squares)


def bounded(sketch: Sketch) -> Sketch:
    """Return the sketch with bounds of its rows no wider than its occupied bins."""
    if not sketch.bins.size:
        return sketch
    low = float(scaled(sketch.bins[0], sketch.exponent))
    high = float(scaled(sketch.bins[-1] + 1.0, sketch.exponent))
    return replace(sketch, minimum=max(sketch.minimum, low), maximum=min(sketch.maximum, high))
