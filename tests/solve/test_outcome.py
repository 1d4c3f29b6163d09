"""Every way to end has its cause and, but for the good one, its remedy."""

from __future__ import annotations

import pytest

from bactrian.solve.outcome import Outcome


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_cause_in_one_or_more_sentences(outcome: Outcome) -> None:
    assert outcome.cause.endswith(".")
    assert outcome.cause[0].isupper()
    assert outcome.value == outcome.name.lower()


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.CONVERGED])
def test_every_failure_has_a_remedy(outcome: Outcome) -> None:
    assert outcome.remedy.endswith(".")


def test_a_success_needs_no_remedy() -> None:
    assert Outcome.CONVERGED.remedy == ""


def test_the_remedy_for_a_collapse_is_a_bounded_likelihood() -> None:
    assert "equal_variances=True" in Outcome.COMPONENT_COLLAPSED.remedy


def test_no_two_outcomes_say_the_same() -> None:
    assert len({o.cause for o in Outcome}) == len(Outcome)
