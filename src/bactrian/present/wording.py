"""The words around the numbers, the same in text and in HTML."""

from __future__ import annotations

from decimal import Decimal

from bactrian.present.summary import Summary

_ROUNDING = 1e-13
_METHODS = {
    "newton": "Newton's method",
    "em": "the EM algorithm",
    "gradient": "gradient ascent",
    "lbfgs": "L-BFGS",
}


def title(summary: Summary) -> str:
    """Return one line: what was fitted, to which column, with how many rows, by which method."""
    if summary.n_components == 1:
        model = "One normal component"
    else:
        model = f"Mixture of {summary.n_components} normal components"
        if summary.equal_variances:
            model += " with equal variances"
    column = "data" if summary.column is None else printable(summary.column)
    method = _METHODS.get(summary.method, printable(summary.method))
    return f"{model}, fitted to {column} ({_rows_of(summary)}) by {method}"


def _rows_of(summary: Summary) -> str:
    """The number of rows in words, or what it stands for."""
    if summary.weight_kind == "sampling":
        return f"{summary.n_obs:,.6g} effective rows"
    return row_count(summary.n_obs)


def row_count(n_obs: float) -> str:
    """Return the number of rows in words; a sum of weights that is not whole is called that."""
    whole = abs(n_obs - round(n_obs)) <= _ROUNDING * n_obs  # sums over bins are not quite whole
    number = f"{n_obs:,.0f}" if whole and abs(n_obs) < 1e15 else f"{n_obs:,.12g}"
    if not whole:
        return f"total weight {number}"
    return f"{number} row" if number == "1" else f"{number} rows"


def outcome_heading(summary: Summary) -> str | None:
    """Return the outcome in words when it is anything but converged, else None."""
    if summary.outcome == "converged":
        return None
    return printable(summary.outcome).replace("_", " ").capitalize()


def interval_heading(summary: Summary) -> str:
    """Return the heading of the intervals, with their level when they share one."""
    levels = {estimate.level for estimate in summary.estimates}
    if len(levels) != 1:
        return "interval"
    percent = Decimal(repr(float(levels.pop()))) * 100  # 99.99999 must not become 100
    methods = {estimate.method for estimate in summary.estimates if estimate.standard_error != 0.0}
    kind = ""
    if len(methods) == 1 and methods != {"wald"}:
        kind = f" {printable(methods.pop()).replace('_', ' ')}"
    return f"{percent.normalize():f} %{kind} interval"


def remarks(summary: Summary) -> list[tuple[str, str]]:
    """Return the warnings as pairs of a prefix, ``"Note:"`` or ``"Warning:"``, and the words."""
    pairs = []
    for warning in summary.warnings:
        words = sentence(warning)
        prefix = "Note:" if words.startswith("Note:") else "Warning:"
        pairs.append((prefix, words.removeprefix(prefix).lstrip()))
    return pairs


def sentence(text: str) -> str:
    """Return a text on one line, single spaces between its words, safe to print."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return a text whose control characters are spelled out.

    A column name can hold line breaks, terminal commands or marks that reverse the direction of
    writing; printed as they are, these would forge the lines around them.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
