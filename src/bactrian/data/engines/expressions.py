"""The sums over rows as Narwhals expressions, which an engine runs where the rows are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bactrian.data.engines import terms
from bactrian.data.engines.dask_frame import DaskFrame
from bactrian.data.engines.spark_frame import SparkFrame
from bactrian.data.sketches.grid import N_MOMENTS

__all__ = [
    "FAR",
    "INFINITE",
    "MISSING",
    "NEGATIVE",
    "NOT_A_WEIGHT",
    "WEIGHTLESS",
    "Grid",
    "chebyshev_sums",
    "column_names",
    "factors",
    "fault_counts",
    "is_finite",
    "is_usable",
    "is_within",
    "language",
    "moment_sums",
    "octave_counts",
]

Array = NDArray[np.float64]

LARGEST: Final = float(np.finfo(np.float64).max)
_WHOLE: Final = 2.0**53  # from here on every double is a whole number

# Rows that belong to no bin are groups of their own, so that one pass finds them too. Their keys
# end in a half, which the number of a bin never does.
FAR: Final = 0.5
MISSING: Final = 1.5
INFINITE: Final = 2.5
WEIGHTLESS: Final = 3.5
NEGATIVE: Final = 4.5
NOT_A_WEIGHT: Final = 5.5


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of width ``2**exponent``, of which those near one may be all that is wanted.

    Attributes
    ----------
    exponent : int
        Binary exponent of the width.
    centre : float
        Number of the bin in the middle.
    reach : float or None
        Rows farther than this many bins from the centre are one group; None: every bin counts.
    """

    exponent: int
    centre: float = 0.0
    reach: float | None = None


def column_names(n_sums: int, prefix: str) -> list[str]:
    """The names of a series of sums."""
    return [f"{prefix}{p}" for p in range(n_sums)]


def language(frame: Any) -> Any:
    """Where a frame's ``col``, ``lit``, ``when`` and ``len`` are."""
    if isinstance(frame, DaskFrame | SparkFrame):
        return terms
    import narwhals as nw

    return nw


def factors(exponent: int) -> list[float]:
    """Powers of two whose product is 2**exponent, which itself may not be a double."""
    if -1022 <= exponent <= 1023:
        return [math.ldexp(1.0, exponent)]
    half = exponent // 2
    return [math.ldexp(1.0, half), math.ldexp(1.0, exponent - half)]


def is_finite(frame: Any, column: str) -> Any:
    """Whether a row's number is one: neither missing nor infinite.

    By a comparison, because in SQL a NaN is larger than any number and in IEEE 754 it is not, and
    in either the comparison fails.
    """
    nw = language(frame)
    return nw.col(column).abs() <= LARGEST


def is_usable(frame: Any, weighted: bool) -> Any:
    """Whether a row's value is finite and its weight is positive and finite."""
    finite = is_finite(frame, "x")
    return finite & _counts(frame) if weighted else finite


def _counts(frame: Any) -> Any:
    """Whether a row's weight is positive and finite."""
    return (language(frame).col("w") > 0.0) & is_finite(frame, "w")


def is_within(frame: Any, within: Array) -> Any:
    """Whether low <= x < high for one of the ranges (m, 2)."""
    nw = language(frame)
    x = nw.col("x")
    # Not every engine takes an infinite literal.
    within = np.clip(within, -LARGEST, LARGEST)

    def inside(low: float, high: float) -> Any:
        """Whether low <= x < high."""
        return (x >= low) & (x < high if high < LARGEST else x <= LARGEST)

    # The hull beside the ranges: an engine compares it with the minimum and the maximum of a part
    # of a file, and leaves the part unread.
    hull = inside(float(within[:, 0].min()), float(within[:, 1].max()))
    ranges = [inside(low, high) for low, high in within.tolist()]
    return hull & reduce(or_, ranges)


def fault_counts(frame: Any, weighted: bool) -> Any:
    """Counts of rows by what is the matter with them: FAR, that nothing is, or another key."""
    nw = language(frame)
    frame = frame.with_columns(key=_fault(frame, weighted))
    return frame.group_by("key").agg(nw.len().alias("count"))


def _fault(frame: Any, weighted: bool) -> Any:
    """What is the matter with a row that is in no bin."""
    nw = language(frame)

    def either(condition: Any, key: float, otherwise: Any) -> Any:
        """One key where a condition holds; nulls fail it."""
        return nw.when(condition).then(nw.lit(key)).otherwise(otherwise)

    x, w = nw.col("x"), nw.col("w")
    of_weight: Any = nw.lit(FAR)
    if weighted:
        of_weight = either((w < 0.0) & is_finite(frame, "w"), NEGATIVE, nw.lit(NOT_A_WEIGHT))
        of_weight = either(w == 0.0, WEIGHTLESS, of_weight)
        of_weight = nw.when(_counts(frame)).then(nw.lit(FAR)).otherwise(of_weight)
    of_value = either(~x.is_nan(), INFINITE, nw.lit(MISSING))
    return nw.when(is_finite(frame, "x")).then(of_weight).otherwise(of_value)


def moment_sums(frame: Any, grid: Grid, weighted: bool, beyond: Grid | None = None) -> Any:
    """Sums over the rows of each bin.

    Parameters
    ----------
    frame : narwhals.LazyFrame, DaskFrame or SparkFrame
        Columns x and, if weighted, w, of doubles.
    grid : Grid
        The bins.
    weighted : bool
        Whether rows have weights.
    beyond : Grid, optional
        Only rows out of this grid's reach.

    Returns
    -------
    A lazy frame with one row for each group: its key (the number of a bin, or one of those above),
    count, low and high, m0..m7 and, if weighted, s0..s7 with squared weights. These are sums of
    products, of which ``chebyshev_sums`` makes moments.
    """
    nw = language(frame)
    col = nw.col
    if beyond is not None:
        far = _placed(frame, beyond).filter(~_is_near(frame, beyond))
        frame = far.select(*("xw" if weighted else "x"))
    near = _is_near(frame, grid)
    near = near & _counts(frame) if weighted else near
    frame = _placed(frame, grid).with_columns(
        key=nw.when(near).then(col("b")).otherwise(_fault(frame, weighted)),
        q1=(col("p") - col("b")) - 0.5,
    )
    frame = _with_products(frame)
    sums = {f"q{p}": f"m{p}" for p in range(1, N_MOMENTS)}
    if weighted:
        frame, sums = _with_weights(frame)
    return _by_key(frame, grid).agg(
        nw.len().alias("count"), col("x").min().alias("low"), col("x").max().alias("high"),
        *(col(term).sum().alias(name) for term, name in sums.items()),
    )  # fmt: skip


def _by_key(frame: Any, grid: Grid) -> Any:
    """The groups of rows; without a reach the numbers of bins are of any size."""
    is_small = grid.reach is not None and abs(grid.centre) + grid.reach < _WHOLE
    if is_small and isinstance(frame, SparkFrame):
        return frame.group_by_halves("key")
    return frame.group_by("key")


def octave_counts(frame: Any, grid: Grid) -> Any:
    """Counts of the finite rows out of the grid's reach, by powers of two of the bins to it."""
    nw = language(frame)
    away = (nw.col("b") - grid.centre).abs()
    far = _placed(frame, grid).filter(is_finite(frame, "x") & (away > grid.reach))
    far = far.with_columns(key=_floor(far, away.log(2.0)))
    return far.group_by("key").agg(nw.len().alias("count"))


def _placed(frame: Any, grid: Grid) -> Any:
    """The frame with the place p of each row in widths of a bin, and the number b of its bin."""
    nw = language(frame)
    p = nw.col("x")
    for factor in factors(-grid.exponent):
        p = p * factor
    frame = frame.with_columns(p=p)
    return frame.with_columns(b=_floor(frame, nw.col("p")))


def _floor(frame: Any, value: Any) -> Any:
    """The largest whole number not above a value, as a double."""
    nw = language(frame)
    if nw is terms or frame.implementation.is_polars() or frame.implementation.is_duckdb():
        return value.floor()
    # Other engines give an integer, which holds neither large numbers nor NaN.
    small = value.abs() < _WHOLE
    whole = nw.when(small).then(value).otherwise(nw.lit(0.0)).floor().cast(nw.Float64)
    return nw.when(small).then(whole).otherwise(value)


def _is_near(frame: Any, grid: Grid) -> Any:
    """Whether a row is in one of the bins of the grid; false or null where it is not finite."""
    nw = language(frame)
    if grid.reach is None:
        return nw.col("b").abs() <= LARGEST
    return (nw.col("b") - grid.centre).abs() <= grid.reach


def _with_products(frame: Any) -> Any:
    """The frame with q2..q7 of q1, each step a layer that an engine computes once.

    They are the polynomials T_2, T_3, T_4 over powers of two, and the products of those that hold
    T_5, T_6, T_7: half the operations of the polynomials themselves. ``chebyshev_sums`` does the
    rest to the sums. Powers of q1 would cost a little less, but the way from their sums to the
    polynomials loses two digits near the ends of a bin (test_products_lose_no_digits).
    """
    nw = language(frame)
    q1, q2, q3, q4 = (nw.col(f"q{p}") for p in range(1, 5))
    frame = frame.with_columns(q2=q1 * q1 - 1.0 / 8.0)
    frame = frame.with_columns(q3=q1 * (q2 - 1.0 / 16.0), q4=q2 * q2 - 1.0 / 128.0)
    return frame.with_columns(q5=q2 * q3, q6=q3 * q3, q7=q3 * q4)


def chebyshev_sums(products: Array) -> Array:
    """The sums of T_0..T_7, from the sums (g, 8) of 1 and the products q1..q7.

    For t = 2 q1, q2 q3 = T_2 T_3 / 256 = (T_5 + T_1) / 512, and so on. No coefficient but those
    of powers of two is larger than one, so that no digits are lost.
    """
    found: Array = products * 2.0 ** np.array([0, 1, 3, 5, 7, 9, 11, 13])
    found[:, 5:] -= found[:, [1, 0, 1]]
    return found


def _with_weights(frame: Any) -> tuple[Any, dict[str, str]]:
    """The frame with weighted terms, and the names of their sums."""
    nw = language(frame)
    w = nw.col("w")
    frame = frame.with_columns(**{f"q{p}": w * nw.col(f"q{p}") for p in range(1, N_MOMENTS)})
    frame = frame.with_columns(
        **{f"s{p}": w * nw.col(f"q{p}") for p in range(1, N_MOMENTS)}, s0=w * w
    )
    sums = {"w": "m0"} | {f"q{p}": f"m{p}" for p in range(1, N_MOMENTS)}
    return frame, sums | {name: name for name in column_names(N_MOMENTS, "s")}
