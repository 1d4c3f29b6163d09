"""Print the coefficients of `bactrian.model.tails`: a Mills ratio right to two ulp, from mpmath.

Run as ``python tools/mills_ratio.py``. The ratio M(u) = Q(u) / exp(-u²/2), Q the upper tail area
of the standard normal law, is written as P(t) / (u + SHIFT) with t = (u - CENTRE) / (u + CENTRE),
which maps [0, ∞] to [-1, 1]; P is nearly constant, hence the small rounding error. P interpolates
at Chebyshev points.
"""

from __future__ import annotations

import mpmath

DEGREE = 25
CENTRE = 4.0
SHIFT = 1.25


def mills_ratio(u: mpmath.mpf) -> mpmath.mpf:
    """M(u), u >= 0, to the working precision."""
    return mpmath.erfc(u / mpmath.sqrt(2)) * mpmath.exp(u * u / 2) / 2


def argument(t: mpmath.mpf) -> mpmath.mpf:
    """The u whose image is t."""
    return CENTRE * (1 + t) / (1 - t)


def coefficients() -> list[float]:
    """Coefficients of P, constant first, the constant nudged so that M(0) is exactly one half."""
    points = [mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * (DEGREE + 1))) for i in range(DEGREE + 1)]
    powers = mpmath.matrix([[t**j for j in range(DEGREE + 1)] for t in points])
    values = mpmath.matrix([mills_ratio(argument(t)) * (argument(t) + SHIFT) for t in points])
    solution = [float(value) for value in mpmath.lu_solve(powers, values)]
    rest = 0.0
    for value in reversed(solution[1:]):
        rest = rest * -1.0 + value
    return [0.5 * SHIFT + rest, *solution[1:]]


if __name__ == "__main__":
    with mpmath.workdps(60):
        for value in coefficients():
            print(f"    {value!r},")
