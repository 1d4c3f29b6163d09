"""The cells: aligned at the decimal point, the numbers of the likelihood block."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.infer.estimates import Estimate
from bactrian.present.layout import align, estimate_rows, measures
from bactrian.present.summary import Summary


def test_align_puts_units_below_each_other() -> None:
    cells = ["-12.5", "1e150", "–", "3.25e-7", "inf", "400"]
    assert align(cells) == [
        "-12.5    ",
        "  1e150  ",
        "  –      ",
        "  3.25e-7",
        "inf      ",
        "400      ",
    ]
    assert align([]) == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,9})?(e-?[1-9][0-9]{0,2})?", fullmatch=True)))
def test_align_keeps_the_numbers_and_makes_one_width(cells: list[str]) -> None:
    aligned = align(cells)
    assert [cell.strip() for cell in aligned] == cells
    assert len({len(cell) for cell in aligned}) <= 1
    assert len({cell.index(".") for cell in aligned if "." in cell}) <= 1


def test_interval_with_one_known_end_shows_it(normal: Summary) -> None:
    def interval(low: float, high: float) -> str:
        one = Estimate("mean 1", 2.0, 0.1, low, high, 0.95, "profile")
        return estimate_rows(replace(normal, estimates=(one,)))[0].interval.strip()

    assert interval(1.8, 2.2) == "1.80 to 2.20"
    assert interval(nan, 2.2) == "– to 2.20"
    assert interval(-inf, 2.2) == "-inf to 2.20"
    assert interval(nan, nan) == "–"


def test_rows_without_alignment_have_no_padding(normal: Summary) -> None:
    row = estimate_rows(normal, aligned=False)[1]
    assert row[1:] == ("mean", "54.61", "0.70", "53.24 to 55.99")


@pytest.mark.parametrize(
    ("loglike", "shown"),
    [
        (-1034.00174, "-1034.0017"),
        (0.0, "0.0000"),
        (-0.00123456789, "-0.00123457"),
        (1.23456789e-7, "1.23457e-7"),
        (-1.5e300, "-1.5000000000000001e300"),
        (inf, "inf"),
        (-inf, "-inf"),
        (nan, "–"),
    ],
)
def test_measures(normal: Summary, loglike: float, shown: str) -> None:
    found = [
        (label, number.strip()) for label, number in measures(replace(normal, loglike=loglike))
    ]
    assert found == [
        ("log-likelihood", shown),
        ("AIC", "2078.0035"),
        ("BIC", "2096.0327"),
        ("parameters", "5"),
    ]
