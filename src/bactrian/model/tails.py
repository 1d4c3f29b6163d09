"""Areas of a normal mixture, lower and upper, right to the last digits at any distance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_INVERSE_SQRT_2PI = 0.3989422804014327
_NOWHERE = 64.0  # sds at which area and density have long been exactly zero
_OVERFLOWING = 2.0**1020
_BLOCK = 4096  # points whose working arrays stay in the cache
_LEADING_BITS = ~np.int64(2**27 - 1)

# P of tools/mills_ratio.py, constant first.
_CENTRE, _SHIFT = 4.0, 1.25
_MILLS = (
    0.4956558668353369,
    -0.13930290771363962,
    0.045094448559240184,
    0.010673512219111806,
    -0.024481636401442106,
    0.015813073609307303,
    -0.0048754880737522975,
    -0.00012591963766896917,
    0.0006481010544804385,
    -0.00010581895292974052,
    -8.069121740063103e-05,
    2.2407793309901112e-05,
    1.2551506251390795e-05,
    -3.6389736283051807e-06,
    -2.449042436119641e-06,
    4.544194237160731e-07,
    5.313241928784e-07,
    -8.855706970344788e-09,
    -1.121902556098816e-07,
    -2.0444914915542727e-08,
    2.0369628250634333e-08,
    8.422747990633656e-09,
    -2.716239678184966e-09,
    -1.8855800099275765e-09,
    1.931127237043149e-10,
    2.0088415234436098e-10,
)


class Components(NamedTuple):
    """The components of positive weight in the order of their means, with sums of weights.

    `below[j]` is the weight of the first j components, `above[j]` that of the others; what their
    rounding left out is in `below_rest` and `above_rest`. An sd is `mantissas * 2**exponents`.
    """

    weights: Array
    means: Array
    sds: Array
    mantissas: Array
    exponents: NDArray[np.int32]
    below: Array
    below_rest: Array
    above: Array
    above_rest: Array


class TailSums(NamedTuple):
    """What the components add up to at each point, those passed and those ahead apart.

    `passed` (n,) counts the means below the point. `upper` (n,) is the area of the passed
    components above the point and `lower` (n,) that of the others below it: each term is at most
    half its weight and has full relative accuracy. `upper_density` and `lower_density` are the
    densities of the two groups.
    """

    passed: NDArray[np.intp]
    upper: Array
    lower: Array
    upper_density: Array
    lower_density: Array


def components(weights: Array, means: Array, sds: Array) -> Components:
    """Return the components of a mixture as the areas need them."""
    order = [k for k in np.argsort(means, kind="stable") if weights[k] > 0.0]
    mantissas, exponents = np.frexp(sds[order])
    listed = weights[order].tolist()
    below, below_rest = zip(*(_exact_sum(listed[:j]) for j in range(len(listed) + 1)), strict=True)
    above, above_rest = zip(*(_exact_sum(listed[j:]) for j in range(len(listed) + 1)), strict=True)
    sums = (np.array(column) for column in (below, below_rest, above, above_rest))
    return Components(
        weights[order], means[order], sds[order], mantissas, exponents.astype(np.int32), *sums
    )


def mirrored(own: Components) -> Components:
    """Return the components of the law of -x."""
    back = slice(None, None, -1)
    return Components(
        own.weights[back],
        -own.means[back],
        own.sds[back],
        own.mantissas[back],
        own.exponents[back],
        own.above[back],
        own.above_rest[back],
        own.below[back],
        own.below_rest[back],
    )


def cdf(x: Array, own: Components) -> Array:
    """Return P(X <= x), the area below each of the points x (n,), to a few ulp.

    The tail below half is summed from tails; the rest is one less the upper area. Not a sum of
    `scipy.special.ndtr`, which is wrong by up to a thousand ulp in the tail.
    """

    def block(x: Array) -> Array:
        sums = tail_sums(x, own)
        lower = own.below[sums.passed] - sums.upper + sums.lower
        upper = own.above[sums.passed] - sums.lower + sums.upper
        return np.where(lower <= 0.5, lower, 1.0 - upper)

    return in_blocks(block, x)


def pdf(x: Array, own: Components) -> Array:
    """Return the density at each of the points x (n,), to a few ulp; inf where it overflows."""

    def block(x: Array) -> Array:
        sums = tail_sums(x, own)
        with np.errstate(over="ignore"):
            return np.asarray(sums.upper_density + sums.lower_density)

    return in_blocks(block, x)


def in_blocks(function: Callable[[Array], Array], x: Array) -> Array:
    """Return function(x) for a function of each point by itself, a cache's worth at a time."""
    result = np.empty_like(x)
    for start in range(0, x.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        result[part] = function(x[part])
    return result


def tail_sums(x: Array, own: Components, gain: float = 1.0, unit: int = 0) -> TailSums:
    """Return the tail sums at points x (n,).

    Parameters
    ----------
    x : (n,) float64
        Points; nan gives nan, infinities count as far away.
    own : Components
        The mixture.
    gain : float
        A power of two that multiplies every area and density: keeps them off the denormals.
    unit : int
        Densities are multiplied by ``2**unit``: keeps them in range at extreme scales.
    """
    with np.errstate(all="ignore"):
        passed, u, du = _standardized(x, own)
        leading = _leading(u)
        half_square = 0.5 * leading * leading  # exact, and so is the argument of the exponential
        left_out = 0.5 * (u - leading) * (u + leading)
        far = half_square > 600.0  # where the exponential would be denormal: its root, twice
        factor = np.exp(np.where(far, -0.5 * half_square, -half_square))
        again = np.where(far, factor, 1.0)
        kernel = (own.weights * gain)[:, None] * factor
        ratio = _mills_ratio(u)
        area = kernel * ratio
        area -= area * _decrease(left_out + du * (_INVERSE_SQRT_2PI / ratio))
        area *= again
        # The weight goes with the sd: both may be tiny, and their ratio ordinary.
        heights, powers = np.frexp(own.weights * gain)
        first, second = _powers_of_two(unit + powers - own.exponents)
        density = factor - factor * _decrease(left_out + u * du)
        density *= (_INVERSE_SQRT_2PI * heights * first / own.mantissas)[:, None]
        density *= second[:, None]
        density *= again
        ahead = ~passed
        return TailSums(
            passed.sum(axis=0),
            np.where(passed, area, 0.0).sum(axis=0),
            np.where(ahead, area, 0.0).sum(axis=0),
            np.where(passed, density, 0.0).sum(axis=0),
            np.where(ahead, density, 0.0).sum(axis=0),
        )


def _exact_sum(values: list[float]) -> tuple[float, float]:
    """The sum of a list, and what its rounding left out."""
    total = math.fsum(values)
    return total, math.fsum([*values, -total])


def _powers_of_two(exponents: NDArray[np.int32]) -> tuple[Array, Array]:
    """Two factors, neither over- nor underflowing, whose product is 2**exponents."""
    half = exponents // 2
    return np.ldexp(1.0, half), np.ldexp(1.0, exponents - half)


def _standardized(x: Array, own: Components) -> tuple[NDArray[np.bool_], Array, Array]:
    """Whether x is above the mean, the distance |x - mean| / sd, and what its rounding left out.

    Without the left-out part the area 37 sds out is wrong by a thousand ulp, and constant over
    many neighbouring x where x is small beside the mean.
    """
    means = own.means[:, None]
    shrink = np.float64(1.0) * np.ones_like(means)
    if max(np.abs(x).max(initial=0.0), np.abs(means).max()) >= _OVERFLOWING:
        shrink = np.where(np.maximum(np.abs(x), np.abs(means)) >= _OVERFLOWING, 0.0625, 1.0)
        x, means = x * shrink, means * shrink
    distance = x - means
    taken = distance - x
    rounding = (x - (distance - taken)) - (means + taken)
    passed = distance > 0.0
    rounding = np.where(passed, rounding, -rounding)
    first, second = _powers_of_two(-own.exponents)
    distance = np.abs(distance) * first[:, None] * second[:, None] / shrink
    rounding = rounding * first[:, None] * second[:, None] / shrink
    rounding = np.where(distance < _NOWHERE, rounding, 0.0)
    distance = np.minimum(distance, _NOWHERE)
    divisor = own.mantissas[:, None]
    u = distance / divisor
    leading, divisor_leading = _leading(u), _leading(divisor)
    rest, divisor_rest = u - leading, divisor - divisor_leading
    product = u * divisor
    excess = leading * divisor_leading - product + leading * divisor_rest
    excess = excess + rest * divisor_leading + rest * divisor_rest
    return passed, u, (distance - product - excess + rounding) / divisor


def _leading(values: Array) -> Array:
    """The first 26 bits of each value, so that products of two such parts are exact."""
    return (values.view(np.int64) & _LEADING_BITS).view(np.float64)


def _mills_ratio(u: Array) -> Array:
    """Upper tail area of the standard normal law over exp(-u^2 / 2), u >= 0, to two ulp."""
    argument = (u - _CENTRE) / (u + _CENTRE)
    value = np.full_like(u, _MILLS[-1])
    for coefficient in _MILLS[-2::-1]:
        value *= argument
        value += coefficient
    value /= u + _SHIFT
    return value


def _decrease(small: Array) -> Array:
    """1 - exp(-small) for values below 1e-4."""
    return small * (1.0 - small * (0.5 - small * (1.0 / 6.0)))
