"""An estimate is a value that prints rounded by its standard error."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import inf, nan

import pytest

from bactrian.errors import ParameterError
from bactrian.infer.estimates import Estimate, Estimates


@pytest.mark.parametrize(
    ("value", "standard_error", "text"),
    [
        (54.614857, 0.699719, "54.61 ± 0.70"),
        (0.36088610, 0.03116460, "0.361 ± 0.031"),
        (45678.9, 1234.5, "45700 ± 1200"),
        (1000000000.0123456, 0.0699719, "1000000000.012 ± 0.070"),
        (5.4614857e-149, 6.99719e-151, "5.461e-149 ± 0.070e-149"),
        (54.614857, nan, "54.6149 ± –"),
    ],
)
def test_print(value: float, standard_error: float, text: str) -> None:
    shown = Estimate("mean 1", value, standard_error, nan, nan, 0.95, "wald")
    assert str(shown) == text


def test_estimates_are_values() -> None:
    one = Estimate("mean 1", 1.0, 0.5, 0.0, 2.0, 0.95, "wald")
    assert one == Estimate("mean 1", 1.0, 0.5, 0.0, 2.0, 0.95, "wald")
    assert not hasattr(one, "__dict__")
    with pytest.raises(FrozenInstanceError):
        one.value = 2.0  # type: ignore[misc]


OPEN = Estimate("mean 1", 54.614857, 0.699719, -inf, 55.9, 0.95, "profile", "open below: no end")
SEVERAL = Estimates([OPEN, Estimate("sd 1", 5.871, 0.54, 4.91, 7.02, 0.95, "wald")])


def test_several_are_found_by_place_and_by_name() -> None:
    assert SEVERAL[0] is OPEN
    assert SEVERAL["mean 1"] is OPEN
    assert SEVERAL["sd 1"] is SEVERAL[-1]
    assert SEVERAL[:1] == (OPEN,)
    assert len(SEVERAL) == 2
    assert list(SEVERAL) == [SEVERAL[0], SEVERAL[1]]


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ParameterError, match="no estimate 'mean 3'; there are 'mean 1', 'sd 1'"):
        SEVERAL["mean 3"]


def test_several_print_as_a_table_with_their_notes() -> None:
    head, one, other, note = str(SEVERAL).splitlines()
    assert head.split() == ["estimate", "std.", "error", "low", "high", "method"]
    assert one.split() == ["mean", "1", "54.61", "0.70", "-inf", "55.90", "profile", "0.95"]
    assert other.split() == ["sd", "1", "5.87", "0.54", "4.91", "7.02", "wald", "0.95"]
    assert note == "mean 1: open below: no end"
    assert repr(SEVERAL) == str(SEVERAL)
