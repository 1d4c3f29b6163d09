"""One component or two? What every test of the number of components returns."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bactrian.infer.rounding import round_plain
from bactrian.infer.words import count_in_words, p_in_words

HomogeneityMethod = Literal["em", "likelihood_ratio", "bootstrap"]

_CLEAR, _LIKELY = 0.001, 0.05
_WIDTH = 88


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
    call : str
        How it was asked for, as Python.
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
    call: str = field(default="", compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for strict JSON."""
        statistic = self.statistic if math.isfinite(self.statistic) else None
        found = {**asdict(self), "statistic": statistic, "notes": list(self.notes)}
        del found["call"]
        return found

    @property
    def hypothesis(self) -> str:
        """What is tested against what, in words."""
        k = self.null_components
        kind = " with equal variances" if self.equal_variances else ""
        return f"{count_in_words(k)} against {count_in_words(k + 1, short=True)}{kind}"

    @property
    def conclusion(self) -> str:
        """What the p-value says and what it does not, in sentences."""
        k, p = self.null_components, p_in_words(self.p_value, self.is_bound)
        more, fewer = count_in_words(k + 1), count_in_words(k, short=True)
        if self.p_value < _CLEAR:
            degree = "clearly better than"
        elif self.p_value < _LIKELY:
            degree = "better than"
        else:
            return (
                f"{more.capitalize()} are not clearly better than {fewer} ({p}): the data do not "
                f"show that {count_in_words(k)} {'is' if k == 1 else 'are'} too few."
            )
        shape = "a single normal curve" if k == 1 else f"{count_in_words(k)}"
        return (
            f"{more.capitalize()} are {degree} {fewer} ({p}). So the data are not {shape}; that is "
            "not yet so many groups, since skewness or heavy tails alone are reason enough."
        )

    def __str__(self) -> str:
        """Return the test in lines: what was tested, the numbers, what they say."""
        name = {
            "em": "EM-test",
            "likelihood_ratio": "likelihood-ratio test",
            "bootstrap": "likelihood-ratio test by bootstrap",
        }
        hypothesis = self.hypothesis
        error = f" ± {self.p_error:.2g}" if self.p_error > 0.0 and not self.is_bound else ""
        numbers = (
            f"statistic {round_plain(self.statistic)}, "
            f"{p_in_words(self.p_value, self.is_bound)}{error} ({self.law})"
        )
        lines = [
            f"{hypothesis[0].upper()}{hypothesis[1:]}: {name[self.method]}",
            *textwrap.wrap(numbers, _WIDTH),
            *textwrap.wrap(self.conclusion, _WIDTH),
        ]
        for note in self.notes:
            lines += textwrap.wrap(f"Note: {note}", _WIDTH, subsequent_indent="      ")
        return "\n".join(lines)
