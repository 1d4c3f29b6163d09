"""Laws of rounding by the standard error, against the correctly rounded formatting of floats."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import inf, nan

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bactrian.infer.rounding import Rounded, round_by_error, round_plain

sizes = st.floats(min_value=5e-324, max_value=1e308)
values = st.one_of(sizes, sizes.map(lambda x: -x), st.just(0.0))
# Most pairs of random floats are many powers of ten apart; real estimates are not.
ratios = st.floats(min_value=1e-9, max_value=1e3)


@st.composite
def rows(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Draw a value, a standard error and the ends of an interval around the value."""
    value = draw(values)
    error = abs(value) * draw(ratios) if value and draw(st.booleans()) else draw(sizes)
    below, above = draw(st.floats(0.0, 10.0)), draw(st.floats(0.0, 10.0))
    low, high = value - below * error, value + above * error
    assume(error > 0 and -inf < low and high < inf)
    return value, error, low, high


def last_place(error: float) -> int:
    """Return the power of ten of the second digit of a standard error, by Python's formatting."""
    return Decimal(f"{error:.1e}").as_tuple().exponent  # type: ignore[return-value]


def off_by(shown: str, exact: float) -> Decimal:
    """Return the distance of a printed number from the exact one, without rounding."""
    with localcontext(prec=1200):
        return abs(Decimal(shown) - Decimal(exact))


def is_capped(value: float, error: float) -> bool:
    """Return whether the standard error lies below the 17 digits that a float64 has."""
    largest = max(Decimal(f"{abs(x):.0e}").adjusted() for x in (value, error))
    return last_place(error) < largest - 16


@settings(deadline=None, max_examples=300)
@given(rows())
def test_no_number_is_off_by_more_than_half_a_unit_of_its_last_place(
    row: tuple[float, float, float, float],
) -> None:
    assume(not is_capped(*row[:2]))
    half = Decimal((0, (5,), last_place(row[1]) - 1))
    shown = round_by_error(*row)
    assert all(off_by(text, exact) <= half for text, exact in zip(shown, row, strict=True))


@settings(deadline=None, max_examples=300)
@given(rows())
def test_standard_error_has_two_significant_digits(row: tuple[float, float, float, float]) -> None:
    shown = round_by_error(*row)
    assert Decimal(shown.standard_error) == Decimal(f"{row[1]:.1e}")


@settings(deadline=None, max_examples=300)
@given(rows())
def test_all_numbers_end_at_the_same_place(row: tuple[float, float, float, float]) -> None:
    assume(not is_capped(*row[:2]))
    places = {Decimal(text).as_tuple().exponent for text in round_by_error(*row)}
    # Zeros stand in for the digits between the last place and the decimal point.
    assert places <= {last_place(row[1])} or (places == {0} and last_place(row[1]) > 0)


@settings(deadline=None, max_examples=300)
@given(rows())
def test_all_numbers_have_the_same_power_of_ten(row: tuple[float, float, float, float]) -> None:
    assume(not is_capped(*row[:2]))
    powers = {text.partition("e")[2] for text in round_by_error(*row)}
    assert len(powers) == 1
    largest = max(float(Decimal(f"{abs(x):.0e}")) for x in row[:2])
    assert (powers == {""}) == (1e-4 <= largest < 1e12)


@settings(deadline=None, max_examples=300)
@given(st.lists(values, min_size=3, max_size=3).map(sorted), st.one_of(sizes, st.just(nan)))
def test_printed_interval_contains_the_printed_value(numbers: list[float], error: float) -> None:
    low, value, high = numbers
    shown = round_by_error(value, error, low, high)
    assert Decimal(shown.low) <= Decimal(shown.value) <= Decimal(shown.high)
    assert max(map(len, shown)) <= 26


@settings(deadline=None, max_examples=300)
@given(values.filter(bool), st.sampled_from([nan, inf, 0.0]))
def test_without_a_standard_error_six_digits(value: float, error: float) -> None:
    shown = round_by_error(value, error)
    assert Decimal(shown.value) == Decimal(f"{value:.5e}")
    assert shown.standard_error == {"nan": "–", "inf": "inf", "0.0": "0"}[str(error)]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ((0.25, 0.0996, 0.0548, 0.4452), ("0.25", "0.10", "0.05", "0.45")),
        ((9.9996, 0.0995, 9.8046, 10.1946), ("10.00", "0.10", "9.80", "10.19")),
        ((-0.001, 0.7, -1.373, 1.371), ("0.00", "0.70", "-1.37", "1.37")),
        ((0.0, nan, nan, nan), ("0.00000", "–", "–", "–")),
        ((0.0, nan, -2.0, 300.0), ("0.000", "–", "-2.000", "300.000")),
        ((nan, nan, nan, nan), ("–", "–", "–", "–")),
        ((1.0, 0.5, -inf, inf), ("1.00", "0.50", "-inf", "inf")),
        ((1.0, 100.0, 1e-85, 1e85), ("0", "100", "0", "1.00e85")),
        ((1.0, 1e-30, 1.0, 1.0), ("1." + "0" * 16, "1.0e-30", "1." + "0" * 16, "1." + "0" * 16)),
        ((1.2e-4, 1e-5, 1e-4, 1.4e-4), ("0.000120", "0.000010", "0.000100", "0.000140")),
        ((9.4e-5, 1e-5, 7.4e-5, 1.14e-4), ("9.4e-5", "1.0e-5", "7.4e-5", "11.4e-5")),
        (
            (9e11, 1e11, 7e11, 1.1e12),
            ("900000000000", "100000000000", "700000000000", "1100000000000"),
        ),
        ((1.1e12, 1e11, 9e11, 1.3e12), ("1.10e12", "0.10e12", "0.90e12", "1.30e12")),
        ((5e-324, 5e-324, 0.0, 1e-323), ("4.9e-324", "4.9e-324", "0.0e-324", "9.9e-324")),
    ],
)
def test_examples(row: tuple[float, ...], shown: tuple[str, ...]) -> None:
    assert round_by_error(*row) == Rounded(*shown)


@settings(deadline=None, max_examples=200)
@given(values.filter(bool))
def test_plain_numbers_keep_four_decimals_and_six_digits(x: float) -> None:
    size = Decimal(f"{x:.5e}").adjusted()
    place = max(min(size - 5, -4), size - 16)
    assert off_by(round_plain(x), x) <= Decimal((0, (5,), place - 1))
    assert len(round_plain(x)) <= 24
