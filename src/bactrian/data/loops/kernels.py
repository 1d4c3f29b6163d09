"""Sums over large columns in memory: compiled where that pays, in chunks that threads share."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bactrian.data.loops import general_loops, mixture_loops, twins
from bactrian.data.loops import moment_loops as loops
from bactrian.data.loops.twins import BinMoments
from bactrian.data.sketches.grid import N_MOMENTS

Array = NDArray[np.float64]
Chunk = tuple[Any, Array | None]
Part = TypeVar("Part")

# Rows from which it pays: the compiler takes two to three seconds once, and from here on every
# further fit in the process is three times as quick; a single one would only gain from 2**24 on.
COMPILE_FROM = 1_500_000
_MOMENT_ROWS = 2**19  # of a chunk: a few milliseconds of work
_TWIN_ROWS = 2**16
_LINE = 64  # bytes fetched into the cache together

# contract: a product and a sum may round once together. The rest of "fast" mathematics would take
# NaN for impossible and rearrange what is written in an order for the sake of its digits.
_OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cfunc_wrapper": True,
}
_PART = _OPTIONS | {"no_cpython_wrapper": True}  # called by loops alone: no entry from Python
_SUMS = _PART | {"fastmath": {"contract", "reassoc", "nsz"}}  # sums alone: in lanes, then lanes
_compiled: dict[tuple[str, bool, bool], loops.Loop] = {}
_compiling = threading.Lock()


def bin_moments(
    x: NDArray[np.floating[Any]],
    w: Array | None,
    exponent: int,
    first: int,
    n_bins: int,
    *,
    compiled: bool | None = None,
    threads: int | None = None,
) -> BinMoments:
    """Return Chebyshev moments of rows in the bins [b * 2**exponent, (b + 1) * 2**exponent).

    Parameters
    ----------
    x : (n,) float64 or float32
        Rows, unit of the data; float32 is not copied as a whole.
    w : (n,) float64 or None
        Observation weights; None for one each.
    exponent : int
        The bins have the width ``2**exponent``.
    first, n_bins : int
        The bins b = first, ..., first + n_bins - 1 are kept; below 2**53 in magnitude.
    compiled : bool, optional
        Whether to take the compiled loop; by default as `is_worth_compiling` says. It makes a
        difference in the last digits only.
    threads : int, optional
        How many; by default one for each processor. It makes no difference in the result.

    Raises
    ------
    ValueError
        If rows and weights are not two columns of one length.
    ImportError
        If the compiled loop is asked for and there is no numba.

    Notes
    -----
    The place in a bin is t = 2 (x / 2**exponent - b) - 1, in [-1, 1) and right to one rounding.
    """
    check_columns(x, w)
    if is_worth_compiling(x.size) if compiled is None else compiled:
        loop = kernel("moments", x, w)
        some = partial(_moments_of_chunk, loop, exponent, first, n_bins)
        rows = max(_MOMENT_ROWS, 64 * n_bins)
    else:
        some = partial(twins.bin_moments_of_chunk, exponent, first, n_bins)
        rows = max(_TWIN_ROWS, 4 * n_bins)
    sums = np.zeros((n_bins, N_MOMENTS))
    squares = None if w is None else np.zeros_like(sums)
    outside, start, low, high = [np.empty(0, np.intp)], 0, math.inf, -math.inf
    for part in in_order(some, chunks(x, w, rows), threads):
        sums += part.sums
        if squares is not None and part.squares is not None:
            with np.errstate(invalid="ignore"):  # those of large weights are infinite
                squares += part.squares
        outside.append(part.outside + start)
        low, high = min(low, part.minimum), max(high, part.maximum)
        start += rows
    return BinMoments(sums, squares, np.concatenate(outside), low, high)


def is_worth_compiling(n_rows: int) -> bool:
    """Return whether passes over so many rows, all told, are quicker with compiled loops."""
    return n_rows >= COMPILE_FROM and _has_numba()


def _moments_of_chunk(
    loop: loops.Loop, exponent: int, first: int, n_bins: int, x: Any, w: Array | None
) -> BinMoments:
    """The moments of one chunk, compiled."""
    n_weighted = 0 if w is None else n_bins
    sums, squares, held = _lines(n_bins), _lines(n_weighted), np.zeros(n_weighted)
    outside = np.empty(x.size, np.intp)
    half = -exponent // 2  # two halves: the power itself may leave the range of a double
    scale = math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half)
    places = np.empty(loops.ROWS), np.empty(loops.ROWS, np.int32)
    arguments = scale, float(first), sums, squares, held, outside, *places
    n_outside, low, high = loop(*plain(x, w), *arguments)
    with np.errstate(invalid="ignore"):
        both = None if w is None else squares[0] + squares[1]
    return BinMoments(sums[0] + sums[1], both, outside[:n_outside].copy(), low, high)


def _lines(n_bins: int) -> Array:
    """Zeros (2, n_bins, 8), each bin in one line of the cache and not astride two."""
    size = 2 * n_bins * N_MOMENTS
    raw = np.zeros(size + _LINE // 8)
    start = -raw.ctypes.data % _LINE // 8
    return raw[start : start + size].reshape(2, n_bins, N_MOMENTS)


def check_columns(x: Any, w: Array | None) -> None:
    """Compiled loops do not look where an array ends."""
    if x.ndim != 1 or (w is not None and w.shape != x.shape):
        shapes = [column.shape for column in (x, w) if column is not None]
        raise ValueError(f"rows and weights of shapes {shapes} are not columns of one length.")


def _is_single(x: Any) -> bool:
    """Whether rows are float32 and are to be converted one by one."""
    return bool(x.dtype == np.float32)


def plain(x: Any, w: Array | None) -> Chunk:
    """Rows and weights of a chunk as the loops take them, copied only where they are not so."""
    dtype = np.float32 if _is_single(x) else np.float64
    plain = np.require(x, dtype, ["C", "A"])
    return plain, None if w is None else np.require(w, np.float64, ["C", "A"])


def chunks(x: Any, w: Array | None, rows: int) -> list[Chunk]:
    """Rows and weights in chunks, whose borders no number of threads moves."""
    starts = range(0, x.size, rows)
    return [(x[i : i + rows], None if w is None else w[i : i + rows]) for i in starts]


def in_order(
    work: Callable[[Any, Array | None], Part], chunks: Sequence[Chunk], threads: int | None
) -> Iterator[Part]:
    """What the work makes of each chunk, in the order of the chunks, whoever is the first.

    The thread that asks takes its share: while it only waited, the system left the second of two
    others without a processor for up to two milliseconds, half of what they had to do.
    """
    workers = min(_processors() if threads is None else threads, len(chunks))
    waiting = deque(enumerate(chunks))
    found: dict[int, Part] = {}

    def one() -> bool:
        """Do a chunk, if there is one."""
        try:
            i, chunk = waiting.popleft()
        except IndexError:  # not asked for before: another thread may take the last
            return False
        found[i] = work(*chunk)
        return True

    def share() -> None:
        """Do chunks until there is none."""
        while one():
            pass

    first = 0
    with ThreadPoolExecutor(max(workers - 1, 1)) as pool:
        others = [pool.submit(share) for _ in range(workers - 1)]
        try:
            while one():
                while first in found:
                    yield found.pop(first)
                    first += 1
        finally:
            waiting.clear()  # where this thread is interrupted the others stop too
        for other in others:
            other.result()
    yield from (found[i] for i in range(first, len(chunks)))


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _has_numba() -> bool:
    """Whether numba is there and goes with this NumPy."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def kernel(name: str, x: Any, w: Array | None) -> loops.Loop:
    """The compiled loop of this name for rows and weights of these types, made at first use."""
    key = name, _is_single(x), w is not None
    with _compiling:
        if key not in _compiled:
            _compiled[key] = _BUILDERS[name](*key[1:])
        return _compiled[key]


def _columns(types: Any, single: bool, weighted: bool) -> tuple[Any, Any]:
    """The types of rows and weights, which may be read-only."""
    x = types.Array(types.float32 if single else types.float64, 1, "C", readonly=True)
    return x, types.Array(types.float64, 1, "C", readonly=True) if weighted else types.none


def _build_moments(single: bool, weighted: bool) -> loops.Loop:
    """The loop of `bin_moments`, compiled for one signature."""
    import numba

    t, make, part = numba.types, partial(numba.njit, **_OPTIONS), partial(numba.njit, **_PART)
    merged = part(inline="always")
    loop = loops.moments(part(loops.locate), merged(loops.add_row), merged(loops.carry))
    sums, held, outside = t.float64[:, :, ::1], t.float64[::1], t.intp[::1]
    scale = t.UniTuple(t.float64, 2)
    columns = _columns(t, single, weighted)
    places = t.float64[::1], t.int32[::1]
    found: loops.Loop = make([(*columns, scale, t.float64, sums, sums, held, outside, *places)])(
        loop
    )
    return found


def _build_pair(single: bool, weighted: bool) -> loops.Loop:
    """The loop of `full_sums` for two components, compiled for one signature."""
    import numba

    t, make = numba.types, partial(numba.njit, **_OPTIONS)
    part, of_sums = partial(numba.njit, **_PART), partial(numba.njit, **_SUMS)
    terms = mixture_loops.pair_terms(part(inline="always")(mixture_loops.exponential))
    wider = mixture_loops.wider_sums(part(forceinline=True)(mixture_loops.log_share))
    narrower = of_sums(mixture_loops.narrower_sums)
    add_block = part(mixture_loops.add_block)
    loop = mixture_loops.pair_chunk(part(terms), of_sums(wider), narrower, add_block)
    columns = _columns(t, single, weighted)
    found: loops.Loop = make([(*columns, t.float64[::1], *_block_types(t))])(loop)
    return found


def _block_types(t: Any) -> tuple[Any, ...]:
    """The types of the terms of a block, its sums, their total, and which blocks are left out."""
    return t.float64[:, ::1], t.float64[::1], t.float64[:, ::1], t.boolean[::1]


def _build_general(single: bool, weighted: bool) -> loops.Loop:
    """The loop of `full_sums` for any number of components, compiled for one signature."""
    import numba

    t, make = numba.types, partial(numba.njit, **_OPTIONS)
    part, of_sums = partial(numba.njit, **_PART), partial(numba.njit, **_SUMS)
    share = general_loops.share(part(inline="always")(mixture_loops.exponential))
    block = general_loops.general_block(
        part(general_loops.place),
        part(share),
        part(general_loops.add_logs),
        of_sums(general_loops.add_single),
        of_sums(general_loops.add_pair),
    )
    at, pairs = t.float64[:, ::1], t.intp[:, ::1]
    columns = _columns(t, single, weighted)
    found: loops.Loop = make([(*columns, t.float64, at, pairs, *_block_types(t))])(
        general_loops.general_chunk(part(block), part(mixture_loops.add_block))
    )
    return found


_BUILDERS = {"moments": _build_moments, "pair": _build_pair, "general": _build_general}
