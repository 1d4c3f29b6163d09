"""A fit as text, for terminals: what `print(fit)` shows."""

from __future__ import annotations

import textwrap
from itertools import groupby

from bactrian.present.bound import bound_sentence
from bactrian.present.html import as_html
from bactrian.present.layout import Row, estimate_rows, measures
from bactrian.present.summary import Summary
from bactrian.present.wording import (
    interval_heading,
    outcome_heading,
    remarks,
    sentence,
    title,
)

__all__ = ["as_html", "as_text"]

WIDTH = 88  # columns


def as_text(summary: Summary) -> str:
    """Return the summary as text, at most 88 columns wide, without a final line break.

    Parameters
    ----------
    summary : Summary
        An outcome other than ``"converged"`` stands right below the title.

    Returns
    -------
    str
        Title, estimates by component, log-likelihood and criteria, certainty, warnings.
    """
    blocks = [_head(summary), _estimates(summary)]
    blocks.append([f"{label:<14}  {number}".rstrip() for label, number in measures(summary)])
    bound = bound_sentence(summary.gain_bound, summary.sd_floor)
    blocks.append([*wrapped(sentence(summary.certainty)), *wrapped(bound)])
    blocks.append([line for pair in remarks(summary) for line in _remark(*pair)])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(summary: Summary) -> list[str]:
    """Return the title and, unless it converged, what happened instead."""
    lines = wrapped(title(summary))
    heading = outcome_heading(summary)
    if heading is None:
        return lines
    return [*lines, f"*** {heading} ***", *wrapped(sentence(summary.outcome_sentence))]


def _estimates(summary: Summary) -> list[str]:
    """Return the table of estimates, or its two-line form when the numbers are too long."""
    rows = estimate_rows(summary)
    if not rows:
        return []
    lines = _table(rows, interval_heading(summary))
    if max(map(len, lines)) <= WIDTH:
        return lines
    return _stacked(estimate_rows(summary, aligned=False), interval_heading(summary))


def _table(rows: list[Row], interval: str) -> list[str]:
    """Return one line per estimate under its component, four columns."""
    labels = max(len(row.label) for row in rows) + 2
    headings = ("estimate", "std. error", interval)
    widths = [
        max(len(heading), *(len(row[i]) for row in rows))
        for i, heading in enumerate(headings, start=2)
    ]
    lines = [_line(labels, "", headings, widths)]
    for group, members in groupby(rows, key=lambda row: row.group):
        lines += [group] if group else []
        lines += [_line(labels, row.label, row[2:], widths) for row in members]
    return lines


def _line(labels: int, label: str, cells: tuple[str, ...], widths: list[int]) -> str:
    """Return one line of the table, its cells to the right of their columns."""
    shown = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    return "   ".join([f"  {label}".ljust(labels), *shown]).rstrip()


def _stacked(rows: list[Row], interval: str) -> list[str]:
    """Return two lines per estimate: the value with its standard error, then the interval."""
    labels = max(len(row.label) for row in rows) + 2
    lines = [f"{'':{labels}}   estimate ± std. error", f"{'':{labels}}   {interval}"]
    for group, members in groupby(rows, key=lambda row: row.group):
        lines += [group] if group else []
        for row in members:
            lines.append(f"  {row.label}".ljust(labels) + f"   {row.value} ± {row.standard_error}")
            lines.append(f"{'':{labels}}   {row.interval.strip()}")
    return lines


def _remark(prefix: str, words: str) -> list[str]:
    """Return a warning wrapped below its first word."""
    return wrapped(f"{prefix} {words}", indent=" " * (len(prefix) + 1))


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text in lines of at most 88 columns."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
