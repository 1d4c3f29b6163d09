"""The text form: golden texts, width, alignment, prominence of what went wrong."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.infer.estimates import Estimate
from bactrian.present.summary import Summary
from bactrian.present.tables import as_text

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_text_is_the_golden_text(
    case: tuple[str, Summary], golden: Callable[[str, str], None]
) -> None:
    name, summary = case
    golden(f"{name}.txt", as_text(summary))


def test_decimal_points_of_a_column_are_below_each_other(normal: Summary) -> None:
    lines = [line for line in as_text(normal).splitlines() if line.startswith("  ")]
    rows = [line for line in lines if line.split()[0] in ("weight", "mean", "sd")]
    points = {tuple(i for i, c in enumerate(row) if c == ".") for row in rows}
    assert len(rows) == 6
    assert len(points) == 1
    assert len(points.pop()) == 4


@settings(deadline=None, max_examples=150)
@given(numbers=st.lists(st.tuples(anything, anything, anything, anything), min_size=6, max_size=6))
def test_no_line_is_wider_than_88_columns(
    numbers: list[tuple[float, float, float, float]],
) -> None:
    names = [f"{kind} {k}" for k in (1, 2) for kind in ("weight", "mean", "sd")]
    estimates = [
        Estimate(name, v, abs(s), low, high, 0.95, "wald")
        for name, (v, s, low, high) in zip(names, numbers, strict=True)
    ]
    (loglike, aic, bic, n_obs) = numbers[0]
    summary = Summary(
        column="word " * 40,
        n_obs=n_obs,
        n_components=2,
        equal_variances=False,
        method="x" * 100,
        estimates=tuple(estimates),
        loglike=loglike,
        aic=aic,
        bic=bic,
        n_params=5,
        outcome="max_steps",
        outcome_sentence="x" * 200,
        certainty="word " * 50,
        warnings=("word " * 50, "x" * 200),
    )
    assert max(map(len, as_text(summary).splitlines())) <= 88


def test_what_went_wrong_stands_right_below_the_title(normal: Summary) -> None:
    summary = replace(normal, outcome="max_steps", outcome_sentence="It needs more steps.")
    lines = as_text(summary).splitlines()
    assert lines[1:4] == ["*** Max steps ***", "It needs more steps.", ""]
    assert "***" not in as_text(normal)
    assert normal.outcome_sentence not in as_text(normal)


def test_weight_of_the_only_component_is_left_out(case: tuple[str, Summary]) -> None:
    _, summary = case
    weights = sum(line.split()[:1] == ["weight"] for line in as_text(summary).splitlines())
    assert weights == (0 if summary.n_components == 1 else summary.n_components)


def test_text_without_a_single_estimate_has_no_table(normal: Summary) -> None:
    text = as_text(replace(normal, estimates=()))
    assert "std. error" not in text
    assert "log-likelihood  -1034.0017" in text


def test_estimates_are_grouped_by_component_whatever_their_order(normal: Summary) -> None:
    threshold = Estimate("threshold", 67.1, 0.62, 65.9, 68.3, 0.95, "wald")
    mixed = replace(normal, estimates=(threshold, *normal.estimates[::2], *normal.estimates[1::2]))
    labels = [line.split()[0] for line in as_text(mixed).splitlines()[3:12]]
    one = ["Component", "weight", "sd", "mean"]
    assert labels == [*one, "Component", "mean", "weight", "sd", "threshold"]


def test_component_10_comes_after_component_9(normal: Summary) -> None:
    estimates = tuple(Estimate(f"sd {k}", k, 0.1, k, k, 0.95, "wald") for k in range(11, 0, -1))
    text = as_text(replace(normal, n_components=11, estimates=estimates))
    found = [int(line.split()[1]) for line in text.splitlines() if line.startswith("Component")]
    assert found == list(range(1, 12))


@pytest.mark.parametrize("prefix", ["Note:", "Warning:"])
def test_warnings_are_wrapped_below_their_first_word(normal: Summary, prefix: str) -> None:
    words = "word " * 40
    text = as_text(replace(normal, warnings=(f"{prefix} {words}",)))
    lines = text.split("\n\n")[-1].splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"{prefix} word")
    assert all(line.startswith(" " * (len(prefix) + 1) + "word") for line in lines[1:])
    assert textwrap.dedent(" ".join(lines)).split() == [prefix, *words.split()]
