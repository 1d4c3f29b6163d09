"""Chunks of rows, summed many at a time on a grid that adapts to them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops.kernels import is_worth_compiling
from bactrian.data.sketches.accumulate import (
    empty_sketch,
    rows_within,
    sketch_of,
    sketch_spread,
    spread_of,
)
from bactrian.data.sketches.grid import SMALLEST_EXPONENT, suitable_exponent
from bactrian.data.sketches.sketch import Sketch

Array = NDArray[np.float64]
Chunk = tuple[Array, Array | None]  # rows that were checked, and their weights
Item = TypeVar("Item")

HELD = 1 << 20  # rows that are kept in memory until they have told the grid
_BATCH = 1 << 19  # rows that are summed at a time
_PIECES = 16  # parts of the first rows, whose narrowest tells the grid
_TELLING = 16_384  # rows that a part has at least, to tell a spread


def sketch_of_chunks(
    chunks: Iterable[Chunk], exponent: int | None, within: Array | None, finer: int
) -> Sketch:
    """Return the sketch of chunks of rows, read to their end.

    Parameters
    ----------
    chunks : iterable of (n,) float64 and (n,) float64 or None
        Rows, finite, with their weights.
    exponent : int, optional
        Bins have width ``2**exponent``; chosen from the rows by default.
    within : (m, 2) float64, optional
        Only rows with low <= x < high for one of the disjoint ranges.
    finer : int
        How many halvings finer than usual a grid is chosen: for rows that cannot be read again.

    Notes
    -----
    Bins can be joined but not parted: the first rows tell a grid that is fine enough, and the
    spread of all of them the one that is kept.
    """
    some = batches(chunks)
    if exponent is not None:
        return _summed(empty_sketch(exponent), [], some, within)
    run, some = _leading_run(some)
    pilot = _first_rows(some, HELD)
    start = max(_pilot_exponent(run, pilot) - finer, SMALLEST_EXPONENT)
    found = _summed(_of_run(run, start, within), pilot, some, within)
    if not found.bins.size:
        return found
    largest = max(-found.minimum, found.maximum)
    suitable = suitable_exponent(sketch_spread(found), largest) - finer
    return found.coarsen(max(found.exponent, suitable))


class _Run(NamedTuple):
    """A value that so many rows have: their number, and the sums of w and of w**2."""

    value: float
    rows: int
    weight: float
    square: float | None


def _leading_run(some: Iterator[Chunk]) -> tuple[_Run | None, Iterator[Chunk]]:
    """The rows before any other value comes, in whole batches, and the batches after them.

    Equal rows tell nothing of the grid, however many they are, and need none.
    """
    run = None
    for x, w in some:
        if x.size and (x.min() != x.max() or (run is not None and x[0] != run.value)):
            return run, itertools.chain([(x, w)], some)
        if x.size:
            _, rows, weight, square = run or _Run(0.0, 0, 0.0, None if w is None else 0.0)
            weight += x.size if w is None else float(w.sum())
            if w is not None and square is not None:
                square += float(w @ w)
            run = _Run(float(x[0]), rows + x.size, weight, square)
    return run, iter(())


def _of_run(run: _Run | None, exponent: int, within: Array | None) -> Sketch:
    """The sketch of equal rows."""
    none = empty_sketch(exponent)
    if run is None or (within is not None and not rows_within(np.array([run.value]), within)[0]):
        return none
    if run.weight == 0.0:
        return replace(none, count=run.rows)
    one = sketch_of(np.array([run.value]), None, exponent)
    squares = None if run.square is None else run.square * one.moments
    return replace(one, moments=run.weight * one.moments, squares=squares, count=run.rows)


def batches(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the rows of several chunks at a time, so that many together are summed."""
    waiting: list[Chunk] = []
    for chunk in chunks:
        waiting.append(chunk)
        if sum(x.size for x, _ in waiting) >= _BATCH:
            yield concatenated(waiting)
            waiting = []
    if waiting:
        yield concatenated(waiting)


def concatenated(chunks: list[Chunk]) -> Chunk:
    """Return several chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    weights = [w for _, w in chunks if w is not None]
    return np.concatenate([x for x, _ in chunks]), np.concatenate(weights) if weights else None


def _first_rows(batches: Iterator[Chunk], size: int) -> list[Chunk]:
    """Batches with at least so many rows together, or all of them."""
    found: list[Chunk] = []
    for batch in batches:
        found.append(batch)
        if sum(x.size for x, _ in found) >= size:
            break
    return found


def emptied(items: list[Item]) -> Iterator[Item]:
    """Yield the items of a list, which keeps none of them."""
    while items:
        yield items.pop(0)


def _pilot_exponent(run: _Run | None, pilot: list[Chunk]) -> int:
    """The exponent of bins that are fine enough, as far as the first rows tell."""
    x = np.concatenate([np.empty(0), *(x for x, _ in pilot)])
    largest = float(np.abs(x).max(initial=0.0 if run is None else abs(run.value)))
    parts = [x, *np.array_split(x, _PIECES)] if x.size >= _PIECES * _TELLING else [x]
    spreads = [spread_of(part) for part in parts if part.size]
    return suitable_exponent(min((s for s in spreads if s > 0.0), default=0.0), largest)


def _summed(
    total: Sketch, pilot: list[Chunk], rest: Iterator[Chunk], within: Array | None
) -> Sketch:
    """The sketch with all the rows added, or those in the ranges, coarsened where it must be."""
    rows = 0
    for x, w in itertools.chain(emptied(pilot), rest):
        rows += x.size
        if within is not None:
            inside = rows_within(x, within)
            x, w = x[inside], None if w is None else w[inside]
        total = total + sketch_of(x, w, total.exponent, compiled=is_worth_compiling(rows))
    return total
