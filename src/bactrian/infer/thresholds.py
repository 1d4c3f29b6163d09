"""Thresholds: a cut between two components, and how often it is wrong, each with its error."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bactrian.infer.choice import Choice
from bactrian.infer.cuts import LevelCut, OtherCut, ValleyCut, cut_quantity, rate_quantities
from bactrian.infer.estimates import Estimate, Estimates
from bactrian.infer.quantity import Quantity
from bactrian.infer.rounding import round_by_error
from bactrian.infer.scales import inverse
from bactrian.model.mixture import NormalMixture
from bactrian.model.pairs import extreme

Estimator = Callable[[Sequence[Quantity]], Sequence[Estimate]]

_WIDTH = 88  # columns, as for a fit
_FEW = 0.001
_ALWAYS = "a cut by false_positive_rate or false_negative_rate always exists."


@dataclass(frozen=True, slots=True, repr=False)
class Threshold:
    """A cut with its error rates; used as an estimate, it is that of the cut.

    Attributes
    ----------
    cut : Estimate
        Where to cut, in the unit of the data; NaN where there is no such point. Its note says why,
        and what else to know.
    false_positive_rate : Estimate
        Share of the lower component that lies above the cut.
    false_negative_rate : Estimate
        Share of the upper component that lies below the cut.
    error_rate : Estimate
        Expected share of wrong calls among the members of the two components.
    rule : str
        What cut this is, in a sentence.
    call : str
        How it was asked for, as Python.
    """

    cut: Estimate
    false_positive_rate: Estimate
    false_negative_rate: Estimate
    error_rate: Estimate
    rule: str
    call: str = field(default="", compare=False)

    @property
    def estimates(self) -> tuple[Estimate, Estimate, Estimate, Estimate]:
        """The cut and its three rates."""
        return self.cut, self.false_positive_rate, self.false_negative_rate, self.error_rate

    @property
    def name(self) -> str:
        """What is estimated."""
        return self.cut.name

    @property
    def value(self) -> float:
        """The cut, in the unit of the data."""
        return self.cut.value

    @property
    def standard_error(self) -> float:
        """The standard error of the cut."""
        return self.cut.standard_error

    @property
    def low(self) -> float:
        """The lower end of the interval of the cut."""
        return self.cut.low

    @property
    def high(self) -> float:
        """The upper end of the interval of the cut."""
        return self.cut.high

    @property
    def level(self) -> float:
        """Coverage the intervals aim at."""
        return self.cut.level

    @property
    def method(self) -> str:
        """How the intervals were made."""
        return self.cut.method

    @property
    def note(self) -> str:
        """What to know about the cut, or nothing."""
        return self.cut.note

    def __float__(self) -> float:
        """Return the cut, in the unit of the data."""
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Return the rule and the estimates as plain values for strict JSON, unrounded."""
        names = ("cut", "false_positive_rate", "false_negative_rate", "error_rate")
        estimates = zip(names, self.estimates, strict=True)
        return {"rule": self.rule, **{name: _plain(estimate) for name, estimate in estimates}}

    def __str__(self) -> str:
        """Return the rule, a table of the cut and its rates, and the notes."""
        table = str(Estimates(replace(estimate, note="") for estimate in self.estimates))
        names: dict[str, list[str]] = {}
        for rate in self.estimates[1:]:
            if rate.note and _sentence(rate.note) not in self.note:
                names.setdefault(rate.note, []).append(rate.name)
        notes = [f"{', '.join(named)}: {_sentence(note)}" for note, named in names.items()]
        shown = [
            textwrap.fill(f"Note: {note}", _WIDTH, subsequent_indent="      ")
            for note in (self.note, *notes)
            if note
        ]
        return "\n\n".join([textwrap.fill(self.rule, _WIDTH), table, *shown])

    def __repr__(self) -> str:
        """Return the printed form: a threshold is looked at where it is made."""
        return str(self)


def threshold_of(
    choice: Choice, mixture: NormalMixture, n_obs: float, estimate: Estimator
) -> Threshold:
    """Return a cut and its rates as estimates.

    Parameters
    ----------
    choice : Choice
        The cut that is asked for.
    mixture : NormalMixture
        The fitted mixture, in the unit of the data.
    n_obs : float
        Number of rows.
    estimate : callable
        From quantities to their estimates.
    """
    quantities = (
        cut_quantity(choice.cut, "threshold"),
        *rate_quantities(choice.cut, choice.prior),
    )
    cut, above, below, error = estimate(quantities)
    notes = [cut.note] if cut.note and not math.isnan(cut.value) else []
    if math.isnan(cut.value):
        notes.append(_why_none(choice, mixture))
    elif isinstance(choice.cut, LevelCut):
        notes += _about_level(choice.cut, cut, mixture, n_obs)
    elif isinstance(choice.cut, ValleyCut) and not (cut.low > -math.inf and cut.high < math.inf):
        notes.append("an end may be open because there the density has no minimum any more")
    cut = replace(cut, note=" ".join(_sentence(note) for note in notes))
    return Threshold(cut, _rate(above), _rate(below), _rate(error), choice.rule)


def _rate(found: Estimate) -> Estimate:
    """A rate without the note that it is fixed or none: what the cut is says so.

    A rate that a float cannot tell from 0 or 1 has no error, but is not known either.
    """
    if found.value in (0.0, 1.0):
        return replace(found, standard_error=math.nan, low=math.nan, high=math.nan, note="")
    is_silent = math.isnan(found.value) or found.standard_error == 0.0
    return replace(found, note="") if is_silent else found


def crossing_estimates(
    mixture: NormalMixture, lower: int, upper: int, estimate: Estimator
) -> list[Estimate]:
    """Return the points where two components are equally probable, in ascending order."""
    main = LevelCut(lower, upper)
    cuts = (main, OtherCut(main))
    there = [cut for cut in cuts if not math.isnan(cut.at(mixture))]
    found = estimate([cut_quantity(cut, "crossing") for cut in there])
    found = [e for e in found if not math.isnan(e.value)]
    if len(found) > 1:
        found[1] = _placed(found[1], abs(found[1].value - found[0].value))
    found = sorted(found, key=lambda e: e.value)
    return [replace(e, name=f"crossing {i}") for i, e in enumerate(found, start=1)]


def _placed(other: Estimate, distance: float) -> Estimate:
    """The second crossing; one that the data place nowhere has no error of use, nor ends.

    With the difference of the sds it goes to infinity and comes back from the other side.
    """
    is_open = math.isinf(other.low) and math.isinf(other.high)
    if other.method == "bootstrap" or not (other.standard_error > distance or is_open):
        return other
    return replace(
        other, standard_error=math.nan, low=-math.inf, high=math.inf,
        note="the data do not place it: they allow equal sds, which have no second crossing",
    )  # fmt: skip


def _about_level(cut: LevelCut, found: Estimate, mixture: NormalMixture, n_obs: float) -> list[str]:
    """What to know about a cut by posterior: whether it is between the means, and the other one."""
    means = sorted(float(mixture.means[k]) for k in (cut.lower, cut.upper))
    notes = []
    if not means[0] <= found.value <= means[1]:
        side = "below" if found.value < means[0] else "above"
        notes.append(f"The cut is {side} both means")
    other = cut.other(mixture)
    if math.isnan(other):
        return notes
    is_above = other > found.value
    again, called = (cut.lower, cut.upper) if is_above else (cut.upper, cut.lower)
    area = float(mixture.sf(other) if is_above else mixture.cdf(other))
    shown = round_by_error(other, 0.01 * abs(other - found.value)).value
    notes.append(
        f"Component {again + 1}, the wider one, is the better call again "
        f"{'above' if is_above else 'below'} {shown}, where this cut calls component {called + 1} "
        f"({_expected(n_obs * area, n_obs)} expected there)"
    )
    return notes


def _expected(rows: float, n_obs: float) -> str:
    """How many of the rows, with the verb."""
    among = f"{n_obs:,.0f}" if float(n_obs).is_integer() else f"{n_obs:,.6g}"
    if rows < _FEW:
        return f"none of {among} rows is"
    return f"{rows:,.0f} of {among} rows are" if rows >= 10.0 else f"{rows:.2g} of {among} rows are"


def _why_none(choice: Choice, mixture: NormalMixture) -> str:
    """Why there is no cut, and what to do."""
    cut = choice.cut
    if not isinstance(cut, LevelCut):
        return (
            "the density has no minimum between the two means; leave density_minimum away for the "
            "point where both components are equally probable"
        )
    pair = cut.pair(mixture)
    x, excess = extreme(pair)
    if math.isnan(x):
        return f"there is no such cut: the two components do not differ; {_ALWAYS}"
    most = "most" if pair.upper.sd < pair.lower.sd else "least"
    reached, needed = inverse("logit", excess + cut.level), inverse("logit", cut.level)
    return (
        "there is no such cut: the posterior probability of component "
        f"{cut.upper + 1} is at {most} {reached:.4g}, at {x:.6g}, and this rule needs "
        f"{needed:.4g}; {_ALWAYS}"
    )


def _sentence(words: str) -> str:
    """The words with a capital letter and a full stop."""
    return f"{words[0].upper()}{words[1:].rstrip('.')}."


def _plain(estimate: Estimate) -> dict[str, Any]:
    """The fields of an estimate, None for a number that JSON cannot say."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(estimate).items()
    }
