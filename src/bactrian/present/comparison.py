"""Fits with several numbers of components as a table."""

from __future__ import annotations

from typing import NamedTuple

from bactrian.infer.rounding import round_plain
from bactrian.present.layout import align
from bactrian.present.tables import wrapped
from bactrian.present.wording import printable


class ComparisonRow(NamedTuple):
    """What the table shows of one fit."""

    n_components: int
    n_params: int
    loglike: float
    aic: float
    bic: float
    icl: float
    outcome: str


def comparison_table(
    column: str | None, n_obs: float, rows: list[ComparisonRow], bound: str = ""
) -> str:
    """Return the table as text; an asterisk marks the smallest of each criterion.

    A sentence on what no mixture could gain stands beneath it, where one is known.
    """
    converged = [row for row in rows if row.outcome == "converged"]
    cells = [
        ["components", *(str(row.n_components) for row in rows)],
        ["parameters", *(str(row.n_params) for row in rows)],
        ["log-likelihood", *align([round_plain(row.loglike) for row in rows])],
    ]
    for name in ("aic", "bic", "icl"):
        least = min((getattr(row, name) for row in converged), default=None)
        numbers = align([round_plain(getattr(row, name)) for row in rows])
        marks = [
            "*" if row.outcome == "converged" and getattr(row, name) == least else " "
            for row in rows
        ]
        cells.append([name.upper() + " ", *map(str.__add__, numbers, marks)])
    cells.append(["outcome", *(row.outcome.replace("_", " ") for row in rows)])
    widths = [max(map(len, column_cells)) for column_cells in cells]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*cells, strict=True)
    ]
    of = printable(column) if column else "data"
    title = f"Mixtures of normal components, fitted to {of} ({n_obs:,.12g} rows)"
    notes = ["* the smallest among the fits that converged", *wrapped(bound)]
    return "\n".join([title, "", *lines, "", *notes])
