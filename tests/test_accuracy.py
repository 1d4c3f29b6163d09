"""The accuracy page says what is measured today."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests import reference_fits
from tests.reference_fits import cases, digits
from tools import accuracy

PAGE = accuracy.PAGE.read_text("utf-8").splitlines()
SAMPLE = [
    (name, model)
    for name in ("acidity", "darwin_maize", "galaxies_rg", "penny_thickness", "s06_n10")
    for model in ("1", "2V", "2E")
]


def of_page(name: str, model: str) -> list[str]:
    """The lines of the page about a fit."""
    begin = PAGE.index(f"## {accuracy.MODELS[model]}")
    end = next((i for i in range(begin + 1, len(PAGE)) if PAGE[i].startswith("## ")), len(PAGE))
    return [line for line in PAGE[begin:end] if line.startswith(f"| {name} |")]


@pytest.mark.parametrize(("name", "model"), SAMPLE)
def test_a_row_of_the_page_is_what_is_measured(name: str, model: str) -> None:
    (line,) = of_page(name, model)
    assert accuracy.comparable(line) == accuracy.comparable(accuracy.row(name, model))


def test_every_case_has_its_row() -> None:
    assert [case for case in cases() if len(of_page(*case)) != 1] == []


def test_the_figures_of_the_peers_are_those_of_their_records() -> None:
    summary = accuracy.peer_summary()
    begin = PAGE.index(summary[0])
    assert PAGE[begin : begin + len(summary)] == summary


def test_ours_are_short_nowhere_but_by_the_rule() -> None:
    short = [
        case
        for case in SAMPLE
        if reference_fits.fitted(*case).loglike
        <= reference_fits.listed(*case)[0].loglike - accuracy.SHORT
    ]
    assert short == [("penny_thickness", "2V")]
    (line,) = [line for line in PAGE if "one unit or more below the certified" in line]
    assert "penny_thickness 2V" in line


def test_a_gap_is_the_median_over_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    records = {("p", "s", "2V"): [{"gap": g} for g in (0.0, 5.0, 2.0)], ("q", "s", "2V"): [{}, {}]}
    monkeypatch.setattr(accuracy, "peer_records", lambda: records)
    assert accuracy.peer_gap("p", "s", "2V") == 2.0
    assert math.isnan(accuracy.peer_gap("q", "s", "2V"))


def test_digits_are_counted_by_the_worst_number() -> None:
    exact = np.array([1.0, 200.0])
    assert digits(exact, exact) == 16.0
    assert digits(np.array([1.0, 200.02]), exact) == pytest.approx(4.0, abs=1e-6)
    assert accuracy.shown_digits(13.9) == "12"
    assert accuracy.shown_digits(8.9) == "8"


def test_the_check_forgives_steps_and_starts_only() -> None:
    (line,) = of_page("acidity", "2V")
    cells = line.split(" | ")
    for i in range(len(cells)):
        other = " | ".join([*cells[:i], "99", *cells[i + 1 :]])
        assert (accuracy.comparable(other) == accuracy.comparable(line)) == (i in (8, 9))


@pytest.mark.slow
def test_the_whole_page_is_up_to_date() -> None:
    assert accuracy.main(["--check"]) == 0
