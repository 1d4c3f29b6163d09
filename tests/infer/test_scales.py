"""The scales of intervals: each with its inverse and its slope."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bactrian.infer.scales import SCALES, inverse, slope, transform


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("value", [1e-300, 0.25, 0.5, 0.9999])
def test_scales_have_their_inverses_and_slopes(scale: Any, value: float) -> None:
    there = transform(scale, value)
    assert inverse(scale, there) == pytest.approx(value, rel=1e-12)
    h = 1e-5 * min(value, 1.0 - value)
    known = (transform(scale, value + h) - transform(scale, value - h)) / (2.0 * h)
    assert slope(scale, value) == pytest.approx(known, rel=1e-6)


def test_scales_end_where_their_range_does() -> None:
    assert math.isnan(transform("log", -1.0))
    assert math.isnan(transform("logit", 1.5))
    assert math.isnan(slope("log", 0.0))
    assert transform("logit", 1.0) == math.inf
    assert transform("logit", 0.0) == -math.inf
    assert inverse("log", 1e4) == math.inf
    assert inverse("logit", -800.0) == 0.0
    assert inverse("logit", 800.0) == 1.0
