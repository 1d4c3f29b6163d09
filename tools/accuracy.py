"""Fit every reference set and write ``docs/accuracy.md``: digits of agreement, and the peers.

    python tools/accuracy.py            write the page
    python tools/accuracy.py --check    exit 1 when it is stale

Digits beyond twelve are not counted and decrements below 1e-20 not told apart, and the check does
not compare numbers of steps and starts: these hang on last bits, which differ between machines. It
takes a minute or two.
"""

from __future__ import annotations

import difflib
import json
import math
import statistics
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import bactrian as bt  # noqa: E402
from tests import reference_fits as ours  # noqa: E402
from tests.reference_sets import FOLDER, certified  # noqa: E402

PAGE = ROOT / "docs" / "accuracy.md"
MOST_DIGITS = 12
LEAST_DECREMENT = 1e-20
SHORT = 1.0

MODELS = {
    "1": "One component",
    "2V": "Two components",
    "2E": "Two components, equal variances",
    "3V": "Three components",
    "3E": "Three components, equal variances",
}
PEERS = {
    "sklearn_default": "scikit-learn",
    "sklearn_tight": "scikit-learn, tight",
    "mclust_default": "mclust",
    "mclust_tol1e-13": "mclust, tight",
    "nor1mix_norMixMLE": "nor1mix MLE",
    "mixtools_default": "mixtools",
    "flexmix_default": "flexmix",
}
SHOWN = ("sklearn_default", "sklearn_tight", "mclust_default", "mclust_tol1e-13")

COLUMNS = (
    "set",
    "rows",
    "log-likelihood",
    "digits: log-likelihood",
    "parameters",
    "errors",
    "maximum",
    "named",
    "steps",
    "starts",
    "decrement",
)

INTRODUCTION = """\
# Accuracy

*Written by `python tools/accuracy.py`; do not edit.*

Every raw set of `tests/reference` with every certified model, fitted with the default options. The
reference has each maximum to 25 digits, found from hundreds of starts and checked with 50-digit
arithmetic.

- **log-likelihood, parameters, errors**: significant digits in which ours agree with the reference,
  the least over all parameters and over all standard errors (observed information), counted up to
  {most}. A parameter smaller than its standard error is compared in units of that: its leading
  digits are noise.
- **maximum**: `certified`, or how much lower (-) or higher (+) the log-likelihood of the one chosen
  is. With variances of their own components the likelihood has no highest maximum, so that a rule
  must choose; where the reference marks a set as open (**open**), a sound rule may choose another
  one of the maxima, and the certificate has to name the rest.
- **named**: how many of the other regular maxima listed by the reference the certificate names.
- **steps**: of the reported ascent, from the start nearest to the maximum, the last undamped one
  among them; few for large sets, where the ascent continues from the end of the search. **starts**:
  those that ended at this maximum, of all.
- **decrement**: twice the log-likelihood that remains to be gained.
- Peers: how far below the certified log-likelihood they end, the median over the seeds tried
  (`-` before a number: a higher one, with a component that is near-degenerate; *none*: an error, or
  a component lost). "Tight" is a tolerance of 1e-13 or the like instead of the default one.
"""


@cache
def peer_records() -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """What the peers answered, by peer, data set and model."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for record in json.loads((FOLDER / "peers.json").read_text(encoding="utf-8")):
        found.setdefault((record["peer"], record["dataset"], record["model"]), []).append(record)
    return found


def peer_gap(peer: str, name: str, model: str) -> float:
    """The median gap of a peer over its seeds; NaN where most of them have no fit."""
    records = peer_records().get((peer, name, model), [])
    gaps = [record.get("gap") for record in records]
    known = [float(gap) for gap in gaps if gap is not None]
    return statistics.median(known) if 2 * len(known) > len(gaps) else math.nan


def compared(model: str, peer: str) -> list[str]:
    """The sets with a certified fit of a model that a peer was tried on."""
    return [
        name for name, of in ours.cases() if of == model and (peer, name, model) in peer_records()
    ]


def shown_digits(agreement: float) -> str:
    """A number of digits, as far as it is the same on every machine."""
    return str(min(MOST_DIGITS, math.floor(agreement)))


def shown_gap(gap: float) -> str:
    """A gap, rounded."""
    if math.isnan(gap):
        return "none"
    if abs(gap) < 0.005:
        return "0"
    return f"{gap:.2f}" if abs(gap) < 1e4 else f"{gap:.3g}"


def agreement(name: str, model: str, exact: ours.Listed) -> list[str]:
    """Digits of the log-likelihood, the parameters and the standard errors."""
    fit, errors = ours.fitted(name, model), ours.exact_errors(name, exact)
    if exact.observed is None and exact.kind == "alternate":
        return [shown_digits(ours.digits(np.array(fit.loglike), np.array(exact.loglike))), "", ""]
    sizes = np.maximum(np.abs(exact.parameters), errors)
    differences = np.abs(ours.our_parameters(fit) - exact.parameters)
    worst = float((differences / sizes).max())
    kept = slice(1, None) if model == "1" else slice(None)
    found = (
        ours.digits(np.array(fit.loglike), np.array(exact.loglike)),
        16.0 if worst < 1e-16 else -math.log10(worst),
        ours.digits(ours.our_errors(fit)[kept], errors[kept]),
    )
    return [shown_digits(each) for each in found]


def row(name: str, model: str) -> str:
    """One line of a table."""
    fit, known = ours.fitted(name, model), ours.listed(name, model)
    end = ours.ended_at(name, model)
    where = "certified" if end is known[0] else f"{fit.loglike - known[0].loglike:+.2f}"
    if ours.is_open(name, model):
        where += ", **open**"
    if end is None:
        where += ", not listed"
    others = [m for m in known if not m.spurious and m is not end]
    missing = [m for m in ours.not_named(name, model) if m is not end]
    certificate = fit.certificate
    decrement = certificate.decrement
    cells = [
        name,
        f"{fit.n_obs:.0f}",
        f"{known[0].loglike:.4f}",
        *(agreement(name, model, end) if end else ["", "", ""]),
        where,
        f"{len(others) - len(missing)} of {len(others)}" if others else "",
        str(fit.solution.n_steps),
        f"{certificate.optima[0].hits} of {certificate.n_starts}",
        "< 1e-20" if decrement < LEAST_DECREMENT else f"{decrement:.0e}",
    ]
    if model in ("2V", "2E"):
        tried = {peer for peer in SHOWN if (peer, name, model) in peer_records()}
        cells += [shown_gap(peer_gap(p, name, model)) if p in tried else "" for p in SHOWN]
    return "| " + " | ".join(cells) + " |"


def heading(model: str) -> list[str]:
    """The head of a table."""
    names = list(COLUMNS)
    if model in ("2V", "2E"):
        names += [PEERS[peer] for peer in SHOWN]
    alignment = ["---"] + ["---:"] * (len(names) - 1)
    return ["| " + " | ".join(names) + " |", "| " + " | ".join(alignment) + " |"]


def peer_summary() -> list[str]:
    """How often the peers end one unit or more short of the certified log-likelihood."""
    lines = [
        "| | one unit or more short: two components | equal variances | no fit: two components "
        "| equal variances | largest gap |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for peer, label in PEERS.items():
        short, without, largest = [], [], 0.0
        for model in ("2V", "2E"):
            names = compared(model, peer)
            gaps = np.array([peer_gap(peer, name, model) for name in names])
            counted = f"of {len(names)}"
            short.append(f"{(gaps >= SHORT).sum()} {counted}" if names else "")
            without.append(f"{np.isnan(gaps).sum()} {counted}" if names else "")
            largest = max(largest, float(np.nanmax(gaps))) if names else largest
        lines.append("| " + " | ".join([label, *short, *without, shown_gap(largest)]) + " |")
    return lines


def comparable(line: str) -> str:
    """A line of the page without what hangs on last bits: the numbers of steps and starts."""
    cells = line.split(" | ")
    return line if len(cells) < len(COLUMNS) else " | ".join([*cells[:8], *cells[10:]])


def own_summary() -> list[str]:
    """How ours end, over all models."""
    every = ours.cases()
    found = [case for case in every if ours.ended_at(*case) is ours.listed(*case)[0]]
    decided = [case for case in every if not ours.is_open(*case)]
    two = [case for case in every if case[1][0] == "2"]
    lower = [
        case for case in two if ours.fitted(*case).loglike <= ours.listed(*case)[0].loglike - SHORT
    ]
    opened = sum(ours.is_open(*case) for case in lower)
    unnamed = [case for case in every if ours.listed(*case)[0] in ours.not_named(*case)]
    missed = ", ".join(f"{name} {model}" for name, model in unnamed) or "none"
    by_rule = ", ".join(f"{name} {model}" for name, model in lower) or "none"
    return [
        f"- {len(every)} fits of {len({name for name, _ in every})} sets; {len(found)} end at the "
        f"certified maximum, among them {len([c for c in decided if c in found])} of the "
        f"{len(decided)} that the reference does not mark as open.",
        f"- Fits with a certified maximum that the certificate does not name: {missed}.",
        f"- Fits of two components one unit or more below the certified maximum: {len(lower)} of "
        f"{len(two)} ({by_rule}), {opened} of them open: there the rule prefers a maximum whose "
        "components are less narrow.",
    ]


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION.format(most=MOST_DIGITS), "## In short", "", *own_summary(), ""]
    lines += ["Peers, over the same sets (median over seeds):", "", *peer_summary(), ""]
    for model, title in MODELS.items():
        lines += [f"## {title}", "", *heading(model)]
        lines += [row(name, of) for name, of in ours.cases() if of == model]
        lines.append("")
    lines += ["## Without a maximum", "", *without_maximum(), ""]
    return "\n".join(lines).rstrip() + "\n"


def without_maximum() -> list[str]:
    """What is answered where the reference says that there is nothing to find."""
    lines = ["| set | model | answer |", "|---|---|---|"]
    for name, facts in sorted(certified().items()):
        for entry in facts["models"]:
            model = entry["model"]
            if model in MODELS and entry["status"] != "certified":
                try:
                    answer = ours.fitted(name, model).outcome.cause
                except bt.DataError as error:
                    answer = f"`DataError`: {error}"
                lines.append(f"| {name} | {model} | {answer} |")
    return lines


def main(arguments: list[str]) -> int:
    """Exit status: 0 when the page is (now) up to date, 1 when ``--check`` found it stale."""
    after = page()
    if "--check" not in arguments:
        PAGE.write_text(after, encoding="utf-8", newline="\n")
        return 0
    before = PAGE.read_text(encoding="utf-8")
    lines = difflib.unified_diff(
        [comparable(line) for line in before.splitlines()],
        [comparable(line) for line in after.splitlines()],
        "docs/accuracy.md",
        "measured now",
        lineterm="",
    )
    difference = "\n".join(lines)
    if difference:
        print(f"{difference}\ndocs/accuracy.md is stale; run: python tools/accuracy.py")
    return int(bool(difference))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
