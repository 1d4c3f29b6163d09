"""A fit as an HTML fragment, for notebooks.

No style sheet, no script, no colour but the reader's own: it follows a light or a dark page. The
numbers are in a fixed-width font, so that the padding of the cells aligns the decimal points.
"""

from __future__ import annotations

from html import escape
from itertools import groupby

from bactrian.present.bound import bound_sentence
from bactrian.present.layout import estimate_rows, measures
from bactrian.present.summary import Summary
from bactrian.present.wording import (
    interval_heading,
    outcome_heading,
    remarks,
    sentence,
    title,
)

_TABLE = "border-collapse: collapse; margin: 0.5em 0"
_CAPTION = "text-align: left; color: currentColor; padding: 0.3em 0"
_RULE = "border-bottom: 1px solid currentColor"
_LABEL = "text-align: left; padding: 0.1em 1em 0.1em 0; font-weight: normal"
_GROUP = "text-align: left; padding: 0.4em 0 0.1em 0"
_HEADING = "text-align: right; padding: 0.1em 0 0.1em 1.5em"
_CELL = "text-align: right; padding: 0.1em 0 0.1em 1.5em; white-space: pre; font-family: monospace"


def as_html(summary: Summary) -> str:
    """Return the summary as an HTML fragment with the content of the text form.

    Parameters
    ----------
    summary : Summary
        Every text in it is escaped, so a column may have any name.

    Returns
    -------
    str
        One ``div``, well-formed also as XML: paragraphs and two tables, each with a caption and
        with headings of columns, components and rows marked as such.
    """
    parts = [f"<p><strong>{escape(title(summary))}</strong></p>", *_outcome(summary)]
    parts += [*_estimates(summary), *_measures(summary)]
    if summary.certainty:
        parts.append(f"<p>{escape(sentence(summary.certainty))}</p>")
    if bound := bound_sentence(summary.gain_bound, summary.sd_floor):
        parts.append(f"<p>{escape(bound)}</p>")
    parts += [
        f"<p><strong>{prefix}</strong> {escape(words)}</p>" for prefix, words in remarks(summary)
    ]
    return "\n".join(["<div>", *parts, "</div>"])


def _outcome(summary: Summary) -> list[str]:
    """Return what happened when the fit did not converge, else nothing."""
    heading = outcome_heading(summary)
    if heading is None:
        return []
    style = "border: 2px solid currentColor; padding: 0.5em"
    words = escape(sentence(summary.outcome_sentence))
    return [f'<p style="{style}"><strong>{escape(heading)}.</strong> {words}</p>']


def _estimates(summary: Summary) -> list[str]:
    """Return the table of estimates, one group of rows per component."""
    rows = estimate_rows(summary)
    if not rows:
        return []
    headings = ("estimate", "std. error", interval_heading(summary))
    lines = [
        *opening("Estimates"),
        f'<thead><tr style="{_RULE}"><td></td>',
        *map(heading, headings),
        "</tr></thead>",
    ]
    for group, members in groupby(rows, key=lambda row: row.group):
        lines.append("<tbody>")
        if group:
            cell = f'<th scope="rowgroup" colspan="4" style="{_GROUP}">{escape(group)}</th>'
            lines.append(f"<tr>{cell}</tr>")
        lines += [_row(row.label, *row[2:]) for row in members]
        lines.append("</tbody>")
    return [*lines, "</table>"]


def _measures(summary: Summary) -> list[str]:
    """Return the table of the log-likelihood, the criteria and the number of parameters."""
    rows = [_row(label, number) for label, number in measures(summary)]
    return [*opening("Likelihood"), "<tbody>", *rows, "</tbody>", "</table>"]


def opening(caption: str) -> list[str]:
    """Return the start of a table."""
    return [f'<table style="{_TABLE}">', f'<caption style="{_CAPTION}">{caption}</caption>']


def heading(text: str) -> str:
    """Return the heading of a column."""
    return f'<th scope="col" style="{_HEADING}">{escape(text)}</th>'


def cell(text: str) -> str:
    """Return a cell with a number."""
    return f'<td style="{_CELL}">{escape(text)}</td>'


def _row(label: str, *cells: str) -> str:
    """Return one row of a table: its heading and its numbers."""
    shown = "".join(map(cell, cells))
    return f'<tr><th scope="row" style="{_LABEL}">{escape(label)}</th>{shown}</tr>'
