"""One component or two? What every test of the number of components returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

HomogeneityMethod = Literal["em", "likelihood_ratio", "bootstrap"]


@dataclass(frozen=True, slots=True)
class HomogeneityTest:
    """Whether so many components are enough, or one more is needed; printing says it in words.

    Attributes
    ----------
    null_components : int
        Components under the hypothesis that is tested, against one more.
    method : {"em", "likelihood_ratio", "bootstrap"}
        How it was tested.
    equal_variances : bool
        Whether all components share one variance, under both hypotheses.
    statistic : float
        Twice a difference of (for the EM-test: modified) log-likelihoods.
    p_value : float
        How often the statistic would be as large, or larger, with so many components; never zero
        where its law was simulated.
    law : str
        What the statistic was compared with, in words.
    p_error : float
        Monte-Carlo standard error of `p_value`; zero where the law is a formula.
    is_bound : bool
        Whether no simulated statistic was as large, so that the p-value is the smallest that so
        many simulations can give.
    n_replicates : int
        How many simulated samples the p-value rests on.
    n_exceeding : int
        How many of these have a statistic at least as large.
    n_failed : int
        How many have no admissible maximum with one component more; their statistic counts as
        zero.
    n_negative : int
        How many have their best admissible maximum with one component more below the maximum
        without it; they count as they are.
    notes : tuple of str
        What to know about it, in sentences.
    """

    null_components: int
    method: HomogeneityMethod
    equal_variances: bool
    statistic: float
    p_value: float
    law: str
    p_error: float = 0.0
    is_bound: bool = False
    n_replicates: int = 0
    n_exceeding: int = 0
    n_failed: int = 0
    n_negative: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for strict JSON."""
        return {**asdict(self), "notes": list(self.notes)}
