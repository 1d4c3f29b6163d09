"""The words: title, counts, levels, prefixes, characters that must not reach a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bactrian.present.summary import Summary
from bactrian.present.tables import as_text
from bactrian.present.wording import (
    interval_heading,
    outcome_heading,
    printable,
    remarks,
    row_count,
    title,
)


@pytest.mark.parametrize(
    ("n_obs", "words"),
    [
        (272.0, "272 rows"),
        (1.0, "1 row"),
        (0.0, "0 rows"),
        (1234567.0, "1,234,567 rows"),
        (271.5, "total weight 271.5"),
        (1e6 + 0.25, "total weight 1,000,000.25"),
        (1e18, "1e+18 rows"),
        (1e202, "1e+202 rows"),
        (272.0000000000001, "272 rows"),
        (1.0 + 2.0**-52, "1 row"),
        (272.000001, "total weight 272.000001"),
    ],
)
def test_row_count(n_obs: float, words: str) -> None:
    assert row_count(n_obs) == words


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("newton", "Newton's method"),
        ("em", "the EM algorithm"),
        ("gradient", "gradient ascent"),
        ("lbfgs", "L-BFGS"),
        ("other", "other"),
    ],
)
def test_title_names_the_method(normal: Summary, method: str, words: str) -> None:
    assert title(replace(normal, method=method)).endswith(f"(272 rows) by {words}")


def test_sampling_weights_are_worth_effective_rows(normal: Summary) -> None:
    of = replace(normal, n_obs=1248.9812345, weight_kind="sampling")
    assert "fitted to waiting (1,248.98 effective rows) by" in title(of)


def test_title_names_the_model_and_the_column(normal: Summary) -> None:
    assert title(normal).startswith("Mixture of 2 normal components, fitted to waiting (")
    equal = replace(normal, equal_variances=True, column=None)
    expected = "Mixture of 2 normal components with equal variances, fitted to data ("
    assert title(equal).startswith(expected)
    assert title(replace(equal, n_components=1)).startswith("One normal component, fitted to data")


@pytest.mark.parametrize(
    ("level", "heading"),
    [
        (0.95, "95 % interval"),
        (0.9, "90 % interval"),
        (0.6827, "68.27 % interval"),
        (0.99999999, "99.999999 % interval"),
    ],
)
def test_interval_heading_has_the_level(normal: Summary, level: float, heading: str) -> None:
    estimates = tuple(replace(e, level=level) for e in normal.estimates)
    summary = replace(normal, estimates=estimates)
    assert interval_heading(summary) == heading
    assert heading in as_text(summary)


def test_interval_heading_without_a_common_level(normal: Summary) -> None:
    first, *others = normal.estimates
    mixed = replace(normal, estimates=(replace(first, level=0.5), *others))
    assert interval_heading(mixed) == "interval"


def test_outcome_heading(normal: Summary) -> None:
    assert outcome_heading(normal) is None
    other = replace(normal, outcome="components_not_distinct")
    assert outcome_heading(other) == "Components not distinct"


def test_remarks_get_a_prefix_once(normal: Summary) -> None:
    given = ("Few\n rows.", "Note: rounded.", "Warning: heavy ties.", "Notes are not Note: s")
    expected = [
        ("Warning:", "Few rows."),
        ("Note:", "rounded."),
        ("Warning:", "heavy ties."),
        ("Warning:", "Notes are not Note: s"),
    ]
    assert remarks(replace(normal, warnings=given)) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("höhe in m²", "höhe in m²"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("abc\u202edef", r"abc\u202edef"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_characters_are_spelled_out(normal: Summary, name: str, shown: str) -> None:
    assert printable(name) == shown
    assert f"fitted to {shown} (272 rows)" in as_text(replace(normal, column=name))
