"""One estimated number and what is known about its error."""

from __future__ import annotations

from dataclasses import dataclass

from bactrian.infer.rounding import round_by_error


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its interval; printing rounds by the error.

    Attributes
    ----------
    name : str
        What is estimated: ``"weight 1"``, ``"mean 1"``, ``"sd 1"``, with components counted from 1.
    value : float
        The estimate, in the unit of the data (weights have none).
    standard_error : float
        In the unit of `value`; NaN when there is none.
    low, high : float
        The ends of the interval, in the unit of `value`; NaN when there is none.
    level : float
        Coverage the interval aims at, between 0 and 1.
    method : str
        How the interval was made, for example ``"wald"``.
    """

    name: str
    value: float
    standard_error: float
    low: float
    high: float
    level: float
    method: str

    def __str__(self) -> str:
        """Return ``value ± standard error``, rounded by the standard error."""
        shown = round_by_error(self.value, self.standard_error)
        return f"{shown.value} ± {shown.standard_error}"
