"""Sketches of rows, straight from their definition, and rows of many shapes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sketches.grid import chebyshev_sums, placed
from bactrian.data.sketches.sketch import Sketch

Array = NDArray[np.float64]


def sketch_of_rows(
    x: Array, exponent: int, w: Array | None = None, *, column: str | None = None
) -> Sketch:
    """The sketch of rows (n,), n >= 1, on one grid."""
    x = np.asarray(x, dtype=np.float64)
    bins, t = placed(x, exponent)
    bins, index = np.unique(bins, return_inverse=True)
    moments = chebyshev_sums(t, w, index, bins.size)
    squares = None if w is None else chebyshev_sums(t, w * w, index, bins.size)
    low, high = float(x.min()), float(x.max())
    return Sketch(exponent, bins, moments, squares, x.size, low, high, column)


def exact_place(x: float, exponent: int) -> tuple[int, Fraction]:
    """The number of the bin and the local coordinate, without any rounding."""
    position = Fraction(x) / Fraction(2) ** exponent
    number = position.numerator // position.denominator
    return number, 2 * (position - number) - 1


def chebyshev(p: int, t: Fraction) -> Fraction:
    """T_p(t), without any rounding."""
    before, now = Fraction(1), t
    for _ in range(p):
        before, now = now, 2 * t * now - before
    return before


SHAPES = ("normal", "mixture", "cauchy", "lognormal", "integers", "ties", "outlier")


def rows_of(shape: str, n: int, seed: int = 0) -> Array:
    """Rows (n,) of a shape, about one unit wide in the bulk."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    if shape == "mixture":
        x = np.where(rng.random(n) < 0.3, x - 2.0, 0.5 * x + 1.0)
    elif shape == "cauchy":
        x = rng.standard_cauchy(n)
    elif shape == "lognormal":
        x = np.exp(1.5 * x)
    elif shape == "integers":
        x = np.round(4.0 * x)
    elif shape == "ties":
        x = np.where(rng.random(n) < 0.5, 0.7, x)
    elif shape == "outlier":
        x[n // 2] = 1e9
    return x


@st.composite
def columns(draw: st.DrawFn) -> Array:
    """Rows of any shape, at any place, in any unit."""
    n = draw(st.integers(1, 300))
    x = rows_of(draw(st.sampled_from(SHAPES)), n, draw(st.integers(0, 2**31)))
    return x + draw(st.sampled_from([0.0, -3.0, 1e6, 1e12]))


@st.composite
def weighted_columns(draw: st.DrawFn) -> tuple[Array, Array | None]:
    """The same with weights, or without."""
    x = draw(columns())
    kind = draw(st.sampled_from(["none", "counts", "real"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    if kind == "none":
        return x, None
    counts = rng.integers(1, 6, x.size).astype(np.float64)
    return x, counts if kind == "counts" else rng.gamma(1.0, 1e3, x.size) + 1e-6
