"""Fits with several numbers of components as a table: text, HTML, plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from bactrian.infer.rounding import MISSING, round_plain
from bactrian.present.html import cell, heading, opening
from bactrian.present.layout import align
from bactrian.present.tables import wrapped
from bactrian.present.wording import printable, row_count

_CRITERIA = ("aic", "aicc", "bic", "icl")
_WIDE = 1e6
_LEGEND = "* smallest of the fits that converged; p: EM-test of one component less."


class ComparisonRow(NamedTuple):
    """What the table shows of one fit."""

    n_components: int
    equal_variances: bool
    n_params: int
    loglike: float
    aic: float
    aicc: float
    bic: float
    icl: float
    entropy: float
    statistic: float | None
    p_value: float | None
    outcome: str
    weights: tuple[float, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]


class Sections(NamedTuple):
    """What is shown of a comparison: the column, its rows, the fits, sentences beneath them."""

    column: str | None
    n_obs: float
    rows: Sequence[ComparisonRow]
    sentences: Sequence[str]

    @property
    def title(self) -> str:
        """What was fitted."""
        of = printable(self.column) if self.column else "data"
        return f"Mixtures of normal components, fitted to {of} ({row_count(self.n_obs)})"


def family_in_words(equal_variances: bool) -> str:
    """Return which of the two kinds of mixtures a fit belongs to."""
    return f"with {'equal' if equal_variances else 'different'} variances"


def row_values(row: ComparisonRow) -> dict[str, Any]:
    """Return a fit as plain values for strict JSON, None for the non-finite."""
    found: dict[str, Any] = row._asdict()
    for name, value in found.items():
        if isinstance(value, tuple):
            found[name] = list(value)
        elif isinstance(value, float) and not math.isfinite(value):
            found[name] = None
    return found


def comparison_text(shown: Sections) -> str:
    """Return the table as text; an asterisk marks the smallest of each criterion."""
    cells = _cells(shown.rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    body = [lines[0]]
    for equal, members in _families(shown.rows):
        body += [f"{family_in_words(equal)}:"] if _has_both(shown.rows) else []
        body += [lines[1 + i] for i in members]
    notes = [line for text in (_LEGEND, *shown.sentences) for line in wrapped(text)]
    return "\n".join([shown.title, "", *body, "", *notes])


def comparison_html(shown: Sections) -> str:
    """Return the table as an HTML fragment for notebooks, with the content of the text form."""
    head, *lines = _cells(shown.rows)
    parts = [f"<p><strong>{escape(shown.title)}</strong></p>", *opening("Comparison")]
    parts += ["<thead><tr>", *map(heading, head), "</tr></thead>"]
    for equal, members in _families(shown.rows):
        parts.append("<tbody>")
        if _has_both(shown.rows):
            kind = escape(family_in_words(equal))
            parts.append(f'<tr><th scope="rowgroup" colspan="{len(head)}">{kind}</th></tr>')
        parts += [f"<tr>{''.join(map(cell, lines[i]))}</tr>" for i in members]
        parts.append("</tbody>")
    parts.append("</table>")
    parts += [f"<p>{escape(text)}</p>" for text in (_LEGEND, *shown.sentences) if text]
    return "\n".join(["<div>", *parts, "</div>"])


def _has_both(rows: Sequence[ComparisonRow]) -> bool:
    """Whether there are fits of both kinds."""
    return len({row.equal_variances for row in rows}) > 1


def _families(rows: Sequence[ComparisonRow]) -> list[tuple[bool, list[int]]]:
    """The positions of the fits of each kind."""
    kinds = dict.fromkeys(row.equal_variances for row in rows)
    return [(kind, [i for i, r in enumerate(rows) if r.equal_variances == kind]) for kind in kinds]


def _cells(rows: Sequence[ComparisonRow]) -> list[list[str]]:
    """The table with its headings, numbers aligned."""
    converged = [row for row in rows if row.outcome == "converged"]
    places = _places(rows)
    columns = [
        ["K", *(str(row.n_components) for row in rows)],
        ["params", *(str(row.n_params) for row in rows)],
        ["log-likelihood", *align([round_plain(row.loglike) for row in rows])],
    ]
    for name in _CRITERIA:
        values = [getattr(row, name) for row in rows]
        finite = [v for row in converged if math.isfinite(v := getattr(row, name))]
        least = min(finite, default=math.nan)
        marks = [
            "*" if row.outcome == "converged" and value == least else " "
            for row, value in zip(rows, values, strict=True)
        ]
        shown = align([_criterion(value, places) for value in values])
        columns.append([f"{name.upper()} ", *map(str.__add__, shown, marks)])
    columns[4][0] = "AICc "
    columns.append(["entropy", *align([_criterion(row.entropy, places) for row in rows])])
    columns.append(["p", *(_p(row.p_value) for row in rows)])
    if len(converged) < len(rows):
        columns.append(["outcome", *(row.outcome.replace("_", " ") for row in rows)])
    return [list(line) for line in zip(*columns, strict=True)]


def _places(rows: Sequence[ComparisonRow]) -> int:
    """Decimals of criteria: differences of less than a hundredth mean nothing.

    In those of millions they would make the table wider than a page, and mean as little.
    """
    values = [abs(getattr(row, name)) for row in rows for name in _CRITERIA]
    return 0 if any(_WIDE <= value < math.inf for value in values) else 2


def _criterion(value: float, places: int) -> str:
    """A criterion or an entropy; AICc is infinite where it has no value."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.{places}f}" if abs(value) < 1e12 else f"{value:.10g}"


def _p(value: float | None) -> str:
    """A p-value."""
    if value is None:
        return MISSING
    if value == 0.0:
        return "<1e-300"
    return f"{value:.1e}" if value < 1e-3 else f"{value:.3f}"
