"""Numbers with an exponent of their own, where squares and products leave the range of a double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_NOTHING = -(1 << 50)  # the exponent of zero: below any other, and safe to add up
_FARTHEST = 1 << 40  # exponents of exponentials
_APART = 2200  # binary orders between the largest double and nothing
_LOG2_E = 1.4426950408889634
_LOG_2_HIGH, _LOG_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """An array of numbers m 2**e, each with 53 digits in m and a whole number e of 64.

    Some ten times as slow as doubles: for the few rows where those overflow. Every operation
    rounds once, as with doubles, and arrays broadcast as those of NumPy do.

    Parameters
    ----------
    mantissa : (...,) float64
        Between 1/2 and 1 in size, or zero.
    exponent : (...,) int64
        Binary exponents.
    """

    mantissa: Array
    exponent: NDArray[np.int64]

    @classmethod
    def of(cls, values: ArrayLike) -> Wide:
        """Return finite doubles."""
        return _normal(np.asarray(values, dtype=np.float64), np.int64(0))

    @classmethod
    def exp(cls, logs: Array) -> Wide:
        """Return exp of numbers; of infinite ones, what no double tells from infinity or zero."""
        logs = np.clip(logs, -_FARTHEST, _FARTHEST)
        power = np.rint(logs * _LOG2_E)
        # The logarithm of two in two parts, the first of which has room for a factor.
        rest = (logs - power * _LOG_2_HIGH) - power * _LOG_2_LOW
        return _normal(np.exp(rest), power.astype(np.int64))

    def __neg__(self) -> Wide:
        return Wide(-self.mantissa, self.exponent)

    def __add__(self, other: Wide) -> Wide:
        top = np.maximum(self.exponent, other.exponent)
        return _normal(self._at(top) + other._at(top), top)

    def __sub__(self, other: Wide) -> Wide:
        return self + -other

    def __mul__(self, other: Wide) -> Wide:
        return _normal(self.mantissa * other.mantissa, self.exponent + other.exponent)

    def __truediv__(self, other: Wide) -> Wide:
        """Return the quotient; the divisor is not zero."""
        return _normal(self.mantissa / other.mantissa, self.exponent - other.exponent)

    def __getitem__(self, index: Any) -> Wide:
        return Wide(self.mantissa[index], self.exponent[index])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.mantissa.shape

    def reshape(self, *shape: int) -> Wide:
        """Return the array in another shape."""
        return Wide(self.mantissa.reshape(shape), self.exponent.reshape(shape))

    def shifted(self, powers: ArrayLike) -> Wide:
        """Return the numbers times powers of two."""
        return Wide(self.mantissa, self.exponent + np.asarray(powers, dtype=np.int64))

    def sum(self, axis: int = -1) -> Wide:
        """Return the sums along an axis that is not empty."""
        top = self.exponent.max(axis=axis, keepdims=True)
        return _normal(self._at(top).sum(axis=axis), top.squeeze(axis))

    def doubles(self) -> Array:
        """Return the nearest doubles; infinite beyond the largest one."""
        with np.errstate(over="ignore", under="ignore"):
            return self._at(np.int64(0))

    def _at(self, exponent: Any) -> Array:
        """The mantissas that belong to another exponent."""
        apart = np.clip(self.exponent - exponent, -_APART, _APART)
        with np.errstate(under="ignore"):
            return np.asarray(np.ldexp(self.mantissa, apart.astype(np.intc)))


def stacked(parts: Sequence[Wide], axis: int = 0) -> Wide:
    """Return arrays of one shape along a new axis."""
    return Wide(
        np.stack([part.mantissa for part in parts], axis),
        np.stack([part.exponent for part in parts], axis),
    )


def _normal(mantissa: Array, exponent: Any) -> Wide:
    """The numbers with mantissas between 1/2 and 1."""
    mantissa, shift = np.frexp(mantissa)
    exponent = np.where(mantissa == 0.0, _NOTHING, exponent + shift.astype(np.int64))
    return Wide(np.asarray(mantissa), np.asarray(exponent))
