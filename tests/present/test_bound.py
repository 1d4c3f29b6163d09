"""The sentence on what no mixture could gain: rounded so that it stays true."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bactrian.present.bound import bound_sentence
from bactrian.present.html import as_html
from bactrian.present.summary import Summary
from bactrian.present.tables import as_text

positive = st.floats(min_value=1e-300, max_value=1e300)


@pytest.mark.parametrize(
    ("bound", "floor", "shown"),
    [
        (0.1501, 5.861, ("5.87", "0.16")),
        (0.0, 1.0, ("1.00", "0.0")),
        (0.0004, 1.0001e-150, ("1.01e-150", "0.01")),
        (12.01, 0.01, ("0.0101", "13")),
        (22634.8, 99.91, ("100.0", "23000")),
    ],
)
def test_both_numbers_are_rounded_up(bound: float, floor: float, shown: tuple[str, str]) -> None:
    numbers = re.findall(r"\d[\d.e-]*\d", bound_sentence(bound, floor))
    assert tuple(numbers) == shown


@given(bound=positive, floor=positive)
def test_what_is_said_is_never_less_than_what_is_known(bound: float, floor: float) -> None:
    least, most = re.findall(r"\d\S*\d", bound_sentence(bound, floor))
    assert Decimal(floor) <= Decimal(least) <= Decimal(floor) * Decimal("1.0101") + Decimal("1e-9")
    assert Decimal(bound) <= Decimal(most) <= Decimal(bound) * Decimal("1.101") + Decimal("0.01")


def test_without_a_bound_nothing_is_said(normal: Summary) -> None:
    assert bound_sentence(None, 1.0) == bound_sentence(1.0, None) == ""
    unknown = replace(normal, gain_bound=None)
    for form in (as_text, as_html):
        assert "No mixture of any number" in form(normal)
        assert "No mixture of any number" not in form(unknown)


def test_what_it_is_gained_over_can_be_named() -> None:
    assert "higher than that with 2 by more than 1.0." in bound_sentence(1.0, 1.0, "that with 2")
