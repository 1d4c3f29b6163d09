"""An estimate is a value that prints rounded by its standard error."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import nan

import pytest

from bactrian.infer.estimates import Estimate


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
