"""What a test of the number of components says: its words, its values, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import bactrian as bt
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.words import count_in_words, p_in_words

WAITING = bt.datasets.load("faithful")["waiting"]
SMALL = HomogeneityTest(1, "em", False, 40.0, 2e-9, "chi-square with 2 degrees of freedom")


def test_counts_and_p_values_in_words() -> None:
    assert [count_in_words(k) for k in (1, 2, 11)] == [
        "one component", "two components", "11 components"
    ]  # fmt: skip
    assert count_in_words(3, short=True) == "three"
    said = [
        (0.0, False),
        (2e-9, False),
        (0.034, False),
        (0.9999, False),
        (0.005, True),
        (5e-5, True),
    ]
    assert [p_in_words(*p) for p in said] == [
        "p < 1e-300", "p = 2.0e-09", "p = 0.034", "p = 1", "p < 0.005", "p < 5e-05"
    ]  # fmt: skip


@pytest.mark.parametrize("count", [19, 199, 999, 20_000, 3])
def test_a_bound_in_words_is_not_below_the_number(count: int) -> None:
    p = 1.0 / (count + 1.0)
    assert float(p_in_words(p, True).removeprefix("p < ")) >= p


def test_the_words_follow_the_p_value() -> None:
    assert "clearly better than one (p = 2.0e-09)" in SMALL.conclusion
    assert "not yet" in SMALL.conclusion
    less = replace(SMALL, p_value=0.02)
    assert "are better than one (p = 0.02)" in less.conclusion
    none = replace(SMALL, p_value=0.2)
    assert "Two components are not clearly better than one (p = 0.2)" in none.conclusion
    lines = str(replace(SMALL, equal_variances=True, notes=("A note. " * 20,))).splitlines()
    assert lines[0] == "One component against two with equal variances: EM-test"
    assert max(map(len, lines)) <= 88


def test_a_monte_carlo_error_is_shown_unless_the_p_value_is_a_bound() -> None:
    drawn = replace(SMALL, method="bootstrap", p_value=0.2, p_error=0.01)
    assert "p = 0.2 ± 0.01" in str(drawn)
    bound = replace(drawn, p_value=0.001, is_bound=True)
    assert "±" not in str(bound)


def test_it_is_strict_json() -> None:
    found = json.loads(json.dumps(bt.fit(WAITING).homogeneity_test().to_dict(), allow_nan=False))
    assert found["method"] == "em"
    assert found["notes"] == []


def test_each_number_of_components_is_tested_against_one_more() -> None:
    fits = {k: bt.fit(WAITING, k) for k in (1, 2, 3)}
    assert [fits[k].homogeneity_test().null_components for k in (1, 2, 3)] == [1, 1, 2]
    two = [fits[k].homogeneity_test(2).statistic for k in (2, 3)]
    assert two[0] == pytest.approx(two[1], abs=1e-6)


def test_what_cannot_be_tested_is_refused() -> None:
    fit = bt.fit(WAITING)
    for wrong in (0, True, 1.5):
        with pytest.raises(bt.ParameterError, match="null_components="):
            fit.homogeneity_test(wrong)  # type: ignore[arg-type]
    with pytest.raises(bt.ParameterError, match="method='dip' is unknown"):
        fit.homogeneity_test(method="dip")  # type: ignore[arg-type]
    with pytest.raises(bt.ParameterError, match="9 is too few: no p-value"):
        fit.homogeneity_test(method="bootstrap", n_replicates=9)
    held = [
        {"equal_weights": True}, {"sd_ratios": [1, 2]}, {"fixed": {"means": [55, None]}},
        {"bounds": {"sds": [(1, None), None]}}, {"equal_variances": True, "equal_weights": True},
    ]  # fmt: skip
    for constraints in held:
        with pytest.raises(bt.ParameterError, match="fits without constraints"):
            bt.fit(WAITING, **constraints).homogeneity_test()  # type: ignore[arg-type]
    survey = bt.fit(WAITING, sample_weight=np.linspace(0.5, 2.0, 272), weight_kind="sampling")
    with pytest.raises(bt.ParameterError, match="sampling weights"):
        survey.homogeneity_test()
