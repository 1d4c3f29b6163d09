"""Numbers rounded by their uncertainty.

The rule: the standard error keeps two significant digits, whatever its leading digit, and the
value and the ends of its interval stop at the same decimal place. Rounding is to the nearest,
ties to even, from the exact value of the float. A row whose size is below 1e-4 or from 1e12 on
is written in powers of ten, all its numbers with the same power.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

MISSING = "–"

_ERROR_DIGITS = 2  # significant digits of a standard error
_PLAIN_DIGITS = 6  # significant digits of a value without a standard error
_PLAIN_DECIMALS = 4  # decimals of a sum over the rows
_FAR_DIGITS = 3  # significant digits of an interval end of quite another size
_MOST_DIGITS = 17  # a float64 has no more to show
_FAR = 6  # powers of ten that make an interval end "of quite another size"
_FIXED = range(-4, 12)  # powers of ten written out in full
_EXACT = Context(prec=1200, rounding=ROUND_HALF_EVEN)  # the longest float64 has 767 digits


class Rounded(NamedTuple):
    """The four numbers of an estimate, as printed."""

    value: str
    standard_error: str
    low: str
    high: str


def round_by_error(
    value: float, standard_error: float, low: float = math.nan, high: float = math.nan
) -> Rounded:
    """Return a value, its standard error and its interval as text, rounded by the uncertainty.

    Parameters
    ----------
    value, standard_error, low, high : float
        All in the same unit. NaN means "not known" and is printed as a dash.

    Returns
    -------
    Rounded
        The standard error has two significant digits, the other numbers the same last place.
        Without a usable standard error (NaN, infinite or zero) the value has six significant
        digits. An end a million times larger than value and standard error (an interval on a
        log scale can have one) is written by itself with three significant digits. No more than
        17 significant digits of a value are shown, however small its standard error.
    """
    sizes = [_size(x, 1) for x in (value, standard_error) if _has_size(x)]
    if not sizes:
        sizes = [_size(x, 1) for x in (low, high) if _has_size(x)] or [0]
    largest = max(sizes)
    if _has_size(standard_error):
        place = _size(standard_error, _ERROR_DIGITS) - _ERROR_DIGITS + 1
    else:
        place = (_size(value, _PLAIN_DIGITS) if _has_size(value) else largest) - _PLAIN_DIGITS + 1
    place = max(place, largest - _MOST_DIGITS + 1)
    power = 0 if largest in _FIXED else largest
    return Rounded(
        _at_place(value, place, power),
        _error_at_place(standard_error, place, power),
        _end_at_place(low, place, power, largest),
        _end_at_place(high, place, power, largest),
    )


def round_plain(x: float) -> str:
    """Return a number without a standard error as text, such as a log-likelihood.

    Four decimals; six significant digits where that is more, and never more than 17.
    """
    size = _size(x, _PLAIN_DIGITS) if _has_size(x) else 1
    place = max(min(-_PLAIN_DECIMALS, size - _PLAIN_DIGITS + 1), size - _MOST_DIGITS + 1)
    return _at_place(x, place, 0 if size in _FIXED else size)


def round_up(x: float, digits: int, finest: int | None = None) -> str:
    """Return a bound as text, no smaller than it is, with so many significant digits.

    Parameters
    ----------
    x : float
        Finite, not negative.
    digits : int
        How many, where that is not finer than `finest`.
    finest : int, optional
        The power of ten below which no digit is shown.
    """
    exact = Decimal(float(x))
    place = exact.adjusted() - digits + 1
    if finest is not None:
        place = max(place, finest)
    rounded = exact.quantize(Decimal((0, (1,), place)), ROUND_CEILING, _EXACT)
    size = rounded.adjusted()
    return _at_place(float(rounded), place, 0 if size in _FIXED else size)


def _has_size(x: float) -> bool:
    """Return whether a number has a leading digit: finite and not zero."""
    return math.isfinite(x) and x != 0


def _size(x: float, digits: int) -> int:
    """Return the power of ten of the leading digit of x once rounded to so many digits."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(Decimal(float(x))).adjusted()


def _at_place(x: float, place: int, power: int) -> str:
    """Return x rounded to a multiple of 10**place, written in units of 10**power."""
    if math.isnan(x):
        return MISSING
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    rounded = Decimal(float(x)).quantize(Decimal((0, (1,), place)), context=_EXACT)
    shown = abs(rounded) if rounded.is_zero() else rounded  # no "-0.00"
    text = f"{shown.scaleb(-power, context=_EXACT):.{max(power - place, 0)}f}"
    return f"{text}e{power}" if power else text


def _error_at_place(x: float, place: int, power: int) -> str:
    """Return the standard error at the place of its value, or by itself when that hides it."""
    if x == 0:
        return "0"
    if _has_size(x) and _size(x, _ERROR_DIGITS) - _ERROR_DIGITS + 1 < place:
        return _by_itself(x, _ERROR_DIGITS)
    return _at_place(x, place, power)


def _end_at_place(x: float, place: int, power: int, largest: int) -> str:
    """Return an interval end at the place of its value, or by itself when it is far larger."""
    if _has_size(x) and _size(x, 1) > largest + _FAR:
        return _by_itself(x, _FAR_DIGITS)
    return _at_place(x, place, power)


def _by_itself(x: float, digits: int) -> str:
    """Return x with so many significant digits, in its own power of ten."""
    size = _size(x, digits)
    return _at_place(x, size - digits + 1, size)
