"""Wide numbers: double precision at any exponent, against 50-digit arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from bactrian.model.wide import Wide, stacked

U = 2.0**-53

doubles = st.floats(allow_nan=False, allow_infinity=False)
shifts = st.integers(-10_000, 10_000)


def value(number: Wide) -> Any:
    """The exact number."""
    mantissa, exponent = number.mantissa.item(), int(number.exponent.item())
    return mpmath.ldexp(mpf(mantissa), exponent) if mantissa else mpf(0)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv])
@given(a=doubles, b=doubles, powers=st.tuples(shifts, shifts))
def test_each_operation_rounds_once(
    operation: Callable[[Any, Any], Any], a: float, b: float, powers: tuple[int, int]
) -> None:
    """Half a unit in the last place; the lesser of two summands far apart counts for nothing."""
    if operation is operator.truediv and b == 0.0:
        return
    one, other = (Wide.of([x]).shifted(p) for x, p in zip((a, b), powers, strict=True))
    with mpmath.workdps(8000):
        exact = operation(value(one), value(other))
        assert abs(value(operation(one, other)) - exact) <= U * abs(exact)


@given(x=doubles)
def test_doubles_come_back(x: float) -> None:
    assert Wide.of([x]).doubles().tolist() == [x]
    assert (-Wide.of([x])).doubles().tolist() == [-x]


def test_what_no_double_holds_is_infinite_or_zero() -> None:
    numbers = Wide.of([1.5, -1.5, 1.5, 0.0]).shifted([2000, 2000, -2000, 2000])
    assert numbers.doubles().tolist() == [math.inf, -math.inf, 0.0, 0.0]
    assert numbers.shifted([-2000, -2000, 2000, 0]).doubles().tolist() == [1.5, -1.5, 1.5, 0.0]


@given(log=st.floats(-1e6, 1e6))
def test_exponentials_are_as_good_as_their_logarithms(log: float) -> None:
    """A unit of roundoff of the log is as many of the exponential."""
    with mpmath.workdps(50):
        exact = mpmath.exp(mpf(log))
        assert abs(value(Wide.exp(np.array([log]))) - exact) <= U * (2 + abs(log)) * exact


def test_the_exponential_of_nothing_is_zero_and_of_any_number_a_number() -> None:
    found = Wide.exp(np.array([-np.inf, 1e300, np.inf]))
    assert found.doubles().tolist() == [0.0, np.inf, np.inf]
    assert (found * Wide.of(0.0)).doubles().tolist() == [0.0, 0.0, 0.0]


def test_sums_keep_what_cancels_beyond_the_doubles() -> None:
    table = stacked([Wide.of([1.0, 3.0, -1.0]).shifted([5000, 0, 5000]), Wide.of([0.0, 0.0, 0.0])])
    assert table.shape == (2, 3)
    assert table.sum().doubles().tolist() == [0.0, 0.0]  # 3 is far below the last digit
    assert table.sum(axis=0).shifted([-5000, 0, -5000]).doubles().tolist() == [1.0, 3.0, -1.0]
    several = Wide.of([1.0, 3.0, 0.25]).shifted(5000).sum()
    assert several.shifted(-5000).doubles() == 4.25
