"""The cells of the tables: rounded, grouped by component, aligned at the decimal point."""

from __future__ import annotations

import math
from typing import NamedTuple

from bactrian.infer.estimates import Estimate
from bactrian.infer.rounding import MISSING, Rounded, round_by_error, round_plain
from bactrian.present.summary import Summary
from bactrian.present.wording import printable


class Row(NamedTuple):
    """One line of the table of estimates; the cells of a column are equally wide."""

    group: str
    label: str
    value: str
    standard_error: str
    interval: str


def estimate_rows(summary: Summary, *, aligned: bool = True) -> list[Row]:
    """Return the rows of the table of estimates, component by component.

    Parameters
    ----------
    summary : Summary
        A weight is left out when there is one component: it is 1 by definition.
    aligned : bool
        Pad the cells so that the decimal points of a column are below each other.

    Returns
    -------
    list of Row
        Sorted by component, names without a component (group ``""``) last.
    """
    named = [(*_group_and_label(e.name), e) for e in summary.estimates]
    if summary.n_components == 1:
        named = [item for item in named if item[1:2] != ("weight",)]
    named.sort(key=lambda item: _position(item[0]))
    columns = list(zip(*(_round(e) for _, _, e in named), strict=True)) or [()] * 4
    if aligned:
        columns = [tuple(align(column)) for column in columns]
    value, error, low, high = columns
    intervals = [
        e.note.partition(",")[0] if e.standard_error == 0.0 and e.note else _interval(*ends)
        for (_, _, e), *ends in zip(named, low, high, strict=True)
    ]
    if aligned:
        width = max(map(len, intervals), default=0)
        intervals = [interval.ljust(width) for interval in intervals]
    cells = zip(named, value, error, intervals, strict=True)
    return [Row(group, label, v, s, i) for (group, label, _), v, s, i in cells]


def measures(summary: Summary) -> list[tuple[str, str]]:
    """Return the log-likelihood, the criteria and the number of parameters, label and number."""
    labels = ("log-likelihood", "AIC", "BIC", "parameters")
    numbers = [round_plain(x) for x in (summary.loglike, summary.aic, summary.bic)]
    return list(zip(labels, align([*numbers, str(summary.n_params)]), strict=True))


def align(cells: list[str] | tuple[str, ...]) -> list[str]:
    """Return the cells padded to one width, their decimal points below each other."""
    wholes = [len(cell.partition(".")[0].partition("e")[0]) for cell in cells]
    left = max(wholes, default=0)
    shifted = [" " * (left - whole) + cell for whole, cell in zip(wholes, cells, strict=True)]
    width = max(map(len, shifted), default=0)
    return [cell.ljust(width) for cell in shifted]


def _group_and_label(name: str) -> tuple[str, str]:
    """Return the component and the parameter of a name such as "mean 2"."""
    label, _, number = printable(name).rpartition(" ")
    if label and number.isdecimal():
        return f"Component {number}", label
    return "", printable(name)


def _position(group: str) -> float:
    """Return the place of a component in the table; what belongs to none comes last."""
    return int(group.rpartition(" ")[2]) if group else math.inf


def _round(estimate: Estimate) -> Rounded:
    """Return the numbers of an estimate as text; what was fixed has neither error nor interval."""
    if estimate.standard_error == 0.0 and estimate.note:
        return Rounded(f"{estimate.value:.6g}", MISSING, "", "")
    return round_by_error(estimate.value, estimate.standard_error, estimate.low, estimate.high)


def _interval(low: str, high: str) -> str:
    """Return an interval in words; one dash when neither end is known."""
    if low.strip() == high.strip() == MISSING:
        return f"{'':{len(low)}} {MISSING:>2} {'':{len(high)}}"
    return f"{low} to {high}"
