"""The sums under a mixture as Narwhals expressions, which an engine runs where the rows are."""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bactrian.data.engines.expressions import factors, is_usable, language

__all__ = ["mixture_sums"]

Array = NDArray[np.float64]

HUGE: Final = 1e150  # beyond this a squared distance overflows


def mixture_sums(
    frame: Any,
    weighted: bool,
    place: tuple[float, float],
    mixture: tuple[Array, Array, Array],
    tame: bool,
) -> Any:
    """Sums over the rows under a mixture.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        As for ``moment_sums``.
    weighted : bool
        Whether rows have weights.
    place : (origin, scale)
        Of the local coordinates in which the mixture is, unit of the data.
    mixture : (weights, means, sds), each (K,)
        The mixture.
    tame : bool
        Whether distances may be so large that their squares overflow.

    Returns
    -------
    A lazy frame of one row: the count of the rows that are finite and have a weight, and over them
    the sums m0.. of w (if weighted), of w log(f sqrt(2 pi)), then of w r_k, of w r_k u_k and of
    w r_k (u_k^2 - 1) / 2.
    """
    nw = language(frame)
    col = nw.col
    origin, scale = place
    frame = frame.filter(is_usable(frame, weighted)).with_columns(z=_local(col("x"), origin, scale))
    n = len(mixture[0])
    distances = {}
    for k, (mean, sd) in enumerate(zip(*(a.tolist() for a in mixture[1:]), strict=True)):
        u = (col("z") - mean) / sd
        distances[f"u{k}"] = u.clip(-HUGE, HUGE) if tame else u
    frame = frame.with_columns(**distances)
    frame = (_two_shares if n == 2 else _shares)(frame, mixture)
    if weighted:
        frame = frame.with_columns(
            logf=col("w") * col("logf"), **{f"r{k}": col("w") * col(f"r{k}") for k in range(n)}
        )
    frame = frame.with_columns(
        **{f"f{k}": col(f"r{k}") * col(f"u{k}") for k in range(n)},
        **{f"q{k}": col(f"r{k}") * (0.5 * (col(f"u{k}") * col(f"u{k}") - 1.0)) for k in range(n)},
    )
    summed = [*"w"[: int(weighted)], "logf", *(f"{a}{k}" for a in "rfq" for k in range(n))]
    first = 0 if weighted else 1  # the sum of the weights is the count
    sums = [col(name).sum().alias(f"m{i}") for i, name in enumerate(summed, first)]
    return frame.select(nw.len().alias("count"), *sums)


def _local(x: Any, origin: float, scale: float) -> Any:
    """The local coordinate of x: exact where the scale is a power of two, even an extreme one.

    By factors: some engines divide by multiplying with a reciprocal, which may be infinite.
    """
    mantissa, exponent = math.frexp(scale)
    z = x - origin
    for factor in factors(1 - exponent):
        z = z * factor
    return z if mantissa == 0.5 else z / (2.0 * mantissa)


def _constants(weights: Array, sds: Array) -> list[float]:
    """Log of weight over sd, never infinite: not every engine takes an infinite literal."""
    with np.errstate(divide="ignore"):
        logs = np.log(weights) - np.log(sds)
    found: list[float] = np.maximum(logs, -1e300).tolist()
    return found


def _two_shares(frame: Any, mixture: tuple[Array, Array, Array]) -> Any:
    """The frame with r0, r1 and logf, from one exponential a row.

    The log-odds in the factored form of the row kernel: a difference of squares would lose the
    digits of rows far out.
    """
    nw = language(frame)
    col = nw.col
    c0, c1 = _constants(mixture[0], mixture[2])
    (m0, m1), (s0, s1) = mixture[1].tolist(), mixture[2].tolist()
    wider = max(s0, s1)
    narrow = col("u0") if s0 <= s1 else col("u1")
    difference = narrow * ((s1 - s0) / wider) + (m1 - m0) / wider
    frame = frame.with_columns(odds=(col("u0") + col("u1")) * difference * -0.5 + (c0 - c1))
    frame = frame.with_columns(e=(-1.0 * col("odds").abs()).exp(), first=col("odds") >= 0.0)
    frame = frame.with_columns(larger=1.0 / (1.0 + col("e")))
    frame = frame.with_columns(smaller=col("e") * col("larger"))

    def choose(first: Any, second: Any) -> Any:
        """One expression where the first component is the more probable one, else the other."""
        return nw.when(col("first")).then(first).otherwise(second)

    best = choose(c0 - 0.5 * col("u0") * col("u0"), c1 - 0.5 * col("u1") * col("u1"))
    return frame.with_columns(
        r0=choose(col("larger"), col("smaller")),
        r1=choose(col("smaller"), col("larger")),
        logf=best + (1.0 + col("e")).log(),
    )


def _shares(frame: Any, mixture: tuple[Array, Array, Array]) -> Any:
    """The frame with r0, r1, ... and logf, for any number of components."""
    nw = language(frame)
    col = nw.col
    constants = _constants(mixture[0], mixture[2])
    n = len(constants)
    if n == 1:
        best = constants[0] - 0.5 * col("u0") * col("u0")
        return frame.with_columns(logf=best, r0=nw.lit(1.0))
    frame = frame.with_columns(
        **{f"a{k}": constants[k] - 0.5 * col(f"u{k}") * col(f"u{k}") for k in range(n)}
    )

    def larger(a: Any, b: Any) -> Any:
        """The larger of two expressions."""
        return nw.when(a >= b).then(a).otherwise(b)

    # Not by max_horizontal and sum_horizontal, for which Dask would shuffle all the rows.
    frame = frame.with_columns(top=reduce(larger, (col(f"a{k}") for k in range(n))))
    frame = frame.with_columns(**{f"e{k}": (col(f"a{k}") - col("top")).exp() for k in range(n)})
    frame = frame.with_columns(total=reduce(add, (col(f"e{k}") for k in range(n))))
    return frame.with_columns(
        logf=col("top") + col("total").log(),
        **{f"r{k}": col(f"e{k}") / col("total") for k in range(n)},
    )
