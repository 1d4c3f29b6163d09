"""Which cut is meant: one at a time, within its range, between two named components."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bactrian.errors import ParameterError
from bactrian.infer.choice import chosen_cut, log_odds, named_pair
from bactrian.infer.cuts import LevelCut, QuantileCut, ValleyCut

MEANS = [0.0, 1.0, 2.0, 3.0]


def test_without_a_word_it_is_where_both_are_equally_probable() -> None:
    choice = chosen_cut(MEANS[:2])
    assert choice.cut == LevelCut(0, 1, 0.0, None)
    assert choice.prior is None
    assert choice.rule == "The posterior probability of component 2 rises through 0.5."
    assert chosen_cut(MEANS[:2], posterior=0.5) == choice


def test_a_posterior_is_a_level_of_the_log_odds() -> None:
    for three_quarters in (0.75, np.float64(0.75), np.float32(0.75)):
        cut = chosen_cut(MEANS[:2], posterior=three_quarters).cut  # type: ignore[arg-type]
        assert isinstance(cut, LevelCut)
        assert cut.level == pytest.approx(math.log(3.0), rel=1e-15)


def test_costs_are_the_posterior_at_which_the_expected_costs_are_equal() -> None:
    choice = chosen_cut(MEANS[:2], costs=(1, 4), prevalence=0.1)
    # Calling it positive costs 1 with probability 1 - p, negative 4 with probability p: p = 1/5.
    assert isinstance(choice.cut, LevelCut)
    assert choice.cut.level == pytest.approx(log_odds(0.2), rel=1e-15)
    assert choice.cut.prior == choice.prior == log_odds(0.1)
    assert choice.rule == (
        "The expected cost is least if a member of component 1 above the cut costs 1, one of "
        "component 2 below it 4, in a population where 0.1 are of component 2."
    )


def test_rates_are_quantiles_of_one_component() -> None:
    above = chosen_cut(MEANS[:3], (2, 3), false_positive_rate=0.05, prevalence=0.3)
    assert isinstance(above.cut, QuantileCut)
    assert above.cut.distance == pytest.approx(1.6448536269514722, rel=1e-15)
    assert above.cut == QuantileCut(1, 2, False, above.cut.distance)
    assert above.prior == log_odds(0.3)
    assert above.rule == (
        "Above the cut is 0.05 of component 2; error rate in a population where 0.3 are of "
        "component 3."
    )
    below = chosen_cut(MEANS[:2], false_negative_rate=0.05)
    assert below.cut == QuantileCut(0, 1, True, -above.cut.distance)
    assert below.rule == "Below the cut is 0.05 of component 2."


def test_the_lowest_density_is_a_rule_of_its_own() -> None:
    choice = chosen_cut(MEANS[:2], density_minimum=True)
    assert choice.cut == ValleyCut(0, 1)
    assert choice.rule == "The density is lowest between the means of components 1 and 2."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"posterior": 0.5, "costs": (1, 2)}, "posterior and costs are given"),
        (
            {"false_positive_rate": 0.1, "false_negative_rate": 0.1, "density_minimum": True},
            "false_positive_rate and false_negative_rate and density_minimum are given",
        ),
        (
            {"posterior": 0.0},
            r"posterior=0\.0 is not .* 0 and 1: give a probability such as 0\.9\.",
        ),
        ({"posterior": "half"}, "posterior='half' is not strictly"),
        ({"posterior": math.nan}, "posterior=nan is not strictly"),
        ({"prevalence": 10}, "prevalence=10 is not strictly"),
        ({"false_positive_rate": 0}, "no cut has a rate of 0 or 1"),
        ({"false_negative_rate": 1.0}, "no cut has a rate of 0 or 1"),
        (
            {"false_negative_rate": -0.5},
            r"false_negative_rate=-0\.5 is not strictly between 0 and 1: g",
        ),
        ({"costs": (1, 0)}, r"costs=\(1, 0\) are not two positive numbers"),
        ({"costs": 3}, "costs=3 are not two positive numbers"),
        ({"costs": (1, 2, 3)}, "are not two positive numbers"),
        ({"costs": (1, math.inf)}, "are not two positive numbers"),
    ],
)
def test_contradictions_and_numbers_out_of_range_are_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        chosen_cut(MEANS[:2], **arguments)


def test_components_are_counted_from_one_and_stand_by_their_means() -> None:
    assert named_pair([5.0, 1.0], None) == named_pair([5.0, 1.0], (1, 2)) == (1, 0)
    assert named_pair(MEANS[:3], (2, 1)) == (0, 1)
    assert named_pair(MEANS[:2], None) == (0, 1)
    assert named_pair(MEANS[:4], [2, 4]) == (1, 3)
    assert named_pair(MEANS[:3], list(range(1, 3))) == (0, 1)
    for wrong in ((1, 1), (0, 1), (1, 4), (1, 2, 3), 2, (1.5, 2), ("a", "b")):
        with pytest.raises(ParameterError, match="count from 1 in the order of the fit"):
            named_pair(MEANS[:3], wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"There are 3 components; say between which two"):
        named_pair(MEANS[:3], None)
    with pytest.raises(ParameterError, match="fit two with n_components=2"):
        named_pair(MEANS[:1], None)
