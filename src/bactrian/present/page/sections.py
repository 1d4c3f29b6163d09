"""The sections of the page, each from plain values to HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from bactrian.infer.estimates import Estimate
from bactrian.infer.goodness import GoodnessOfFit
from bactrian.infer.rounding import round_by_error, round_plain
from bactrian.infer.thresholds import Threshold
from bactrian.present.bound import bound_sentence
from bactrian.present.layout import estimate_rows, measures
from bactrian.present.page.contents import Figure, Page
from bactrian.present.summary import Summary
from bactrian.present.wording import (
    interval_heading,
    outcome_heading,
    printable,
    remarks,
    sentence,
)

_MOST_OPTIMA = 12
_NO_GAP = 1e-6
_TESTS = {
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "cramer_von_mises": "Cramér–von Mises",
    "anderson_darling": "Anderson–Darling",
}


def verdict(page: Page) -> str:
    """Return the verdict in words, or what happened instead of a maximum."""
    headline, *others = page.verdict
    parts = [f'<p class="lead">{_text(headline)}</p>']
    heading = outcome_heading(page.summary)
    if heading is not None:
        parts.insert(0, f'<p class="alarm"><strong>{_text(heading)}.</strong></p>')
    if others:
        parts.append(paragraph(" ".join(others)))
    if page.verdict_note:
        parts.append(f'<p class="aside">{_text(page.verdict_note)}</p>')
    return "\n".join(parts)


def estimates(summary: Summary) -> str:
    """Return the table of estimates with their intervals, and that of the likelihood."""
    rows = estimate_rows(summary)
    lines = _head("Estimates with their intervals", ("", "estimate", "std. error",
                                                     interval_heading(summary)))  # fmt: skip
    for group, members in groupby(rows, key=lambda row: row.group):
        lines.append("<tbody>")
        if group:
            lines.append(f'<tr><th scope="rowgroup" colspan="4">{_text(group)}</th></tr>')
        lines += [_row(row.label, row[2:]) for row in members]
        lines.append("</tbody>")
    shown = measures(summary)
    likelihood = [
        *_head("Likelihood", ()),
        "<tbody>",
        *(_row(a, (b,)) for a, b in shown),
        "</tbody>",
    ]
    tables = [[*lines, "</table>"], [*likelihood, "</table>"]]
    return "\n".join(_scrolling("\n".join(table)) for table in tables)


def thresholds(found: Sequence[Threshold]) -> str:
    """Return the cuts between neighbours with their error rates."""
    if not found:
        return paragraph("There are no two components to cut between.")
    parts = []
    for threshold in found:
        parts.append(paragraph(threshold.rule))
        level = f"{100.0 * threshold.level:g} % interval"
        lines = _head("Threshold and error rates", ("", "estimate", "std. error", level))
        lines += ["<tbody>", *map(_estimate_row, threshold.estimates), "</tbody>", "</table>"]
        parts.append(_scrolling("\n".join(lines)))
        notes = dict.fromkeys(estimate.note for estimate in threshold.estimates if estimate.note)
        parts += [paragraph(note[0].upper() + note[1:]) for note in notes]
    return "\n".join(parts)


def certificate(summary: Summary, certificate: Any) -> str:
    """Return why to trust the fit: how the ascent ended, the other maxima, the warnings."""
    bound = bound_sentence(summary.gain_bound, summary.sd_floor)
    parts = [
        paragraph(text) for text in (summary.outcome_sentence, summary.certainty, bound) if text
    ]
    lines = [*_head("Certificate", ()), "<tbody>"]
    lines += [_row(label, (number,)) for label, number in _reasons(certificate)]
    parts.append(_scrolling("\n".join([*lines, "</tbody>", "</table>"])))
    parts.append(_scrolling(_optima(certificate.optima)))
    parts.append("<h3>Warnings and notes</h3>")
    items = [f"<li><strong>{a}</strong> {_text(b)}</li>" for a, b in remarks(summary)]
    parts.append("\n".join(["<ul>", *items, "</ul>"]) if items else paragraph("There are none."))
    return "\n".join(parts)


def goodness(found: GoodnessOfFit | None) -> str:
    """Return the tests of goodness of fit."""
    if found is None:
        return paragraph("Goodness of fit was not tested for this page.")
    heads = ("", "statistic", f"p-value ({found.n_replicates} samples drawn and fitted)")
    lines = [*_head("Goodness of fit", heads), "<tbody>"]
    for name, label in _TESTS.items():
        test = getattr(found, name)
        lines.append(_row(label, (f"{test.statistic:.4g}", test.shown_p)))
    table = _scrolling("\n".join([*lines, "</tbody>", "</table>"]))
    return "\n".join([table, *map(paragraph, found.notes)])


def figures(found: Sequence[Figure]) -> str:
    """Return the pictures, or what they need."""
    if not found:
        return paragraph(
            "Pictures need Matplotlib, which was not installed where this page was made: run "
            "pip install 'bactrian[plot]'. The live likelihood below does without."
        )
    shown = [
        f"<figure>\n<figcaption>{_text(figure.title)}</figcaption>\n{figure.svg}</figure>"
        for figure in found
    ]
    return "\n".join(['<div class="plots">', *shown, "</div>"])


def reproduction(page: Page) -> str:
    """Return the calls, what tells the data from others, and the versions."""
    rows = [_row(label, (number,)) for label, number in (*page.facts, *page.versions)]
    table = "\n".join([*_head("Data and versions", ()), "<tbody>", *rows, "</tbody>", "</table>"])
    return f'<pre tabindex="0"><code>{escape(page.calls)}</code></pre>\n{_scrolling(table)}'


def citation(text: str) -> str:
    """Return how to cite: a line to read, and the citation file."""
    fields = dict(re.findall(r'^([a-z-]+): "?(.+?)"?$', text, re.MULTILINE))
    authors = ", ".join(re.findall(r"- name: (.+)", text))
    line = f"{authors}. <cite>{_text(fields['title'])}</cite>. Version {_text(fields['version'])}."
    whole = f'<pre tabindex="0"><code>{escape(text.strip())}</code></pre>'
    return f"<p>{line}</p>\n<details><summary>CITATION.cff</summary>\n{whole}\n</details>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{_text(text)}</p>"


def _reasons(certificate: Any) -> Iterable[tuple[str, str]]:
    """The numbers of the certificate with their names."""
    yield "Newton decrement", _digits(certificate.decrement)
    yield "largest score, in standard errors", _digits(certificate.max_score)
    yield (
        "smallest and largest eigenvalue of the relative information",
        f"{_digits(certificate.eigenvalues[0])}, {_digits(certificate.eigenvalues[-1])}",
    )
    yield "effective complete rows in the worst direction", _digits(certificate.n_lambda_min)
    yield "starts", f"{certificate.n_starts:,}"
    yield "the sums are taken over", f"the {certificate.rests_on}"
    if certificate.sketch_error:
        yield "what the sketch may move, in standard errors", _digits(certificate.sketch_error)


def _optima(optima: Sequence[Any]) -> str:
    """The maxima that were found."""
    heads = ("", "below the fit", "starts", "weights", "means", "sds")
    lines = [*_head("Maxima found", heads), "<tbody>"]
    for i, optimum in enumerate(optima[:_MOST_OPTIMA], 1):
        mixture = optimum.mixture
        sizes = [mixture.weights, mixture.means, mixture.sds]
        shown = [", ".join(_near(v, mixture.sds.min()) for v in values) for values in sizes]
        label = f"{i}, {optimum.status}"
        gap = "0" if abs(optimum.gap) < _NO_GAP else round_plain(optimum.gap)
        lines.append(_row(label, (gap, f"{optimum.hits:,}", *shown)))
    left = len(optima) - _MOST_OPTIMA
    if left > 0:
        lines.append(f'<tr><td colspan="{len(heads)}">and {left:,} more</td></tr>')
    return "\n".join([*lines, "</tbody>", "</table>"])


def _near(value: float, size: float) -> str:
    """A number to four digits, or to a hundredth of a size that it is far from."""
    return round_by_error(value, min(abs(value) / 100.0, size / 10.0)).value


def _digits(value: float) -> str:
    """A number of which the size matters."""
    return "–" if value != value else f"{value:.3g}"


def _estimate_row(estimate: Estimate) -> str:
    """One estimate with its error and interval."""
    shown = round_by_error(estimate.value, estimate.standard_error, estimate.low, estimate.high)
    return _row(estimate.name, (shown.value, shown.standard_error, f"{shown.low} to {shown.high}"))


def _head(caption: str, heads: Sequence[str]) -> list[str]:
    """The start of a table, with the headings of its columns."""
    lines = ["<table>", f"<caption>{_text(caption)}</caption>"]
    if heads:
        first, *others = heads
        cells = "".join(f'<th scope="col">{_text(head)}</th>' for head in others)
        lines.append(f"<thead><tr><td>{_text(first)}</td>{cells}</tr></thead>")
    return lines


def _row(label: str, cells: Sequence[str]) -> str:
    """One row of a table: its heading and its numbers."""
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{_text(label)}</th>{shown}</tr>'


def _scrolling(table: str) -> str:
    """A table that scrolls by itself where the screen is narrow."""
    return f'<div class="table">{table}</div>'


def _text(text: str) -> str:
    """A text without control characters, escaped."""
    return escape(sentence(printable(text)))
