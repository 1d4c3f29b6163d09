"""The scales on which intervals are formed: identity, logarithm, log-odds."""

from __future__ import annotations

import math
from typing import Literal

Scale = Literal["identity", "log", "logit"]

SCALES = ("identity", "log", "logit")


def transform(scale: Scale, value: float) -> float:
    """Return a value on the scale on which intervals are formed; NaN out of its range."""
    if scale == "identity":
        return value
    if scale == "log":
        return math.log(value) if value > 0.0 else math.nan
    if value in (0.0, 1.0):
        return math.copysign(math.inf, value - 0.5)
    return math.log(value) - math.log1p(-value) if 0.0 < value < 1.0 else math.nan


def inverse(scale: Scale, transformed: float) -> float:
    """Return the value from its transformed one."""
    if scale == "identity":
        return transformed
    if scale == "log":
        return math.exp(transformed) if transformed < 709.0 else math.inf
    if transformed < 0.0:
        odds = math.exp(transformed)
        return odds / (1.0 + odds)
    return 1.0 / (1.0 + math.exp(-transformed))


def slope(scale: Scale, value: float) -> float:
    """Return the slope of the transformed value along the value; NaN out of its range."""
    if scale == "identity":
        return 1.0
    if scale == "log":
        return 1.0 / value if value > 0.0 else math.nan
    return 1.0 / (value * (1.0 - value)) if 0.0 < value < 1.0 else math.nan
