"""Fit two million rows with scikit-learn and with Bactrian: a table and a picture of the README.

    python benchmarks/two_million.py            measure, and write README.md and the picture
    python benchmarks/two_million.py --quick    without EM run to its end, which takes a minute

Everything that the README says between its marks comes from one run of this script. The rows are
those of ``scale_programs.py``. Both programs have run once before the clock starts. It counts the
seconds that processors work for the process, which other load on the machine hardly changes;
scikit-learn is held to one thread, since threads that wait for each other count as work.
"""

from __future__ import annotations

import sys
import textwrap
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scale_page import machine
from scale_programs import MEANS, SDS, WEIGHT, Array, in_memory
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

import bactrian as bt

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "README.md"
PICTURE = ROOT / "docs" / "pictures" / "two_million.svg"
BEGIN, END = "<!-- two million: begin -->\n", "<!-- two million: end -->\n"

N = 2_000_000
N_TIGHT, TIGHT = 100_000, {"tol": 1e-9, "max_iter": 1_000_000}
CALLS = 6
TRUTH = bt.NormalMixture([WEIGHT, 1.0 - WEIGHT], MEANS, SDS)


class Answer(NamedTuple):
    """What a program gives, and the processor seconds of its fastest warm call."""

    mixture: bt.NormalMixture
    seconds: float
    passes: int


def fastest(action: Callable[[], Any], calls: int = CALLS) -> tuple[Any, float]:
    """What an action gives, and the fewest processor seconds of the calls after the first."""
    taken = []
    for _ in range(calls):
        begin = time.process_time()
        given = action()
        taken.append(time.process_time() - begin)
    return given, min(taken[1:] or taken)


def theirs(x: Array, calls: int = CALLS, **options: Any) -> Answer:
    """scikit-learn's answer, its components in order of mean."""
    X = x[:, None]
    model = GaussianMixture(2, random_state=0, **options)
    with threadpool_limits(1):
        _, seconds = fastest(lambda: model.fit(X), calls)
    assert model.converged_
    sds = np.sqrt(model.covariances_[:, 0, 0])
    mixture = bt.NormalMixture(model.weights_, model.means_[:, 0], sds).ordered()
    return Answer(mixture, seconds, model.n_iter_)


def ours(x: Array) -> Answer:
    """Bactrian's answer."""
    fit, seconds = fastest(lambda: bt.fit(x))
    assert fit.converged
    return Answer(fit.mixture, seconds, 0)


def numbers(values: Array) -> str:
    """The components' numbers, to three decimals."""
    return ", ".join(f"{value:.3f}" for value in values)


def row(name: str, mixture: bt.NormalMixture, loglike: float, best: float, seconds: str) -> str:
    """One line of the table."""
    parts = [numbers(a) for a in (mixture.weights, mixture.means, mixture.sds)]
    short = "0" if loglike == best else f"{best - loglike:,.1f}"
    return f"| {name} | {' | '.join(parts)} | {loglike:,.1f} | {short} | {seconds} |\n"


def table(x: Array, other: Answer, mine: Answer) -> str:
    """The table: what the rows were drawn from, and both answers."""
    best = bt.loglike(x, mine.mixture)
    label = f"scikit-learn {metadata.version('scikit-learn')}, `GaussianMixture(2)`"
    head = "| | weights | means | sds | log-likelihood | below the maximum | processor seconds |\n"
    return (
        f"{head}|:--|:--|:--|:--|--:|--:|--:|\n"
        + row("what the rows were drawn from", TRUTH, bt.loglike(x, TRUTH), best, "")
        + row(label, other.mixture, bt.loglike(x, other.mixture), best, f"{other.seconds:.2f}")
        + row("Bactrian, `bt.fit(x)`", mine.mixture, best, best, f"{mine.seconds:.2f}")
    )


def story(x: Array, other: Answer, mine: Answer) -> str:
    """What the table shows, in words."""
    short = bt.loglike(x, mine.mixture) - bt.loglike(x, other.mixture)
    return (
        f"scikit-learn reports that it converged, after {other.passes} passes: it stops when a "
        f"pass gains less than 0.001 a row, and of {N:,} rows such gains are thousands. Bactrian "
        f"ends at the maximum, {short:,.0f} log-likelihood units higher, and "
        f"is {other.seconds / mine.seconds:.0f} times as fast."
    )


def to_the_end(x: Array) -> str:
    """What it takes scikit-learn to come near the maximum, in words."""
    part = x[:N_TIGHT]
    other = theirs(part, calls=1, **TIGHT)
    mine = ours(part)
    short = bt.loglike(part, mine.mixture) - bt.loglike(part, other.mixture)
    return (
        f" Run on with `tol=1e-9`, on the first {N_TIGHT:,} rows, scikit-learn takes "
        f"{other.passes:,} passes and {other.seconds:.0f} seconds and ends {short:.2g} below the "
        f"maximum; Bactrian takes {mine.seconds:.2f} seconds."
    )


def draw(x: Array, other: Answer, mine: Answer) -> None:
    """Write the picture: the rows, the maximum with its components, scikit-learn's components."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "two million", "font.size": 10})
    figure, axes = plt.subplots(figsize=(7.2, 3.4), layout="constrained")
    counts, edges = np.histogram(x, bins=110, range=(-4.0, 7.0))
    density = counts / (x.size * np.diff(edges))
    axes.stairs(density, edges, fill=True, color="#e3e3e3", label=f"{N:,} rows")
    points = np.linspace(-4.0, 7.0, 111)
    axes.plot(points, mine.mixture.pdf(points), color="black", lw=1.2, label="the maximum")
    styles = [
        (mine, "#0072b2", "-", "its components"),
        (other, "#d55e00", "--", "scikit-learn’s components"),
    ]
    for answer, colour, line, label in styles:
        m = answer.mixture
        for k in range(2):
            part = bt.NormalMixture([1.0], m.means[[k]], m.sds[[k]])
            curve, name = m.weights[k] * part.pdf(points), label if k == 0 else None
            axes.plot(points, curve, color=colour, ls=line, lw=1.8, label=name)
    axes.set(xlim=(-4.0, 7.0), ylim=(0.0, None), xlabel="x", ylabel="density")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, facecolor="white", metadata={"Date": None, "Creator": None})
    assert PICTURE.stat().st_size < 60_000


def with_text(page: str, text: str) -> str:
    """The page with the text between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{text}{END}{after}"


def main(arguments: list[str]) -> None:
    warnings.simplefilter("error")
    x = in_memory(N)
    other, mine = theirs(x), ours(x)
    end = "" if "--quick" in arguments else to_the_end(x)
    where = machine()[0].removeprefix("- ").split(";")[0]
    notes = (
        " Seconds of processor time, the fewest of five calls after a first one, in one run of "
        f"`benchmarks/two_million.py` with the extra `fast` ({where})."
    )
    words = textwrap.fill(
        story(x, other, mine) + end + notes, 100, break_on_hyphens=False, break_long_words=False
    )
    text = f"\n{table(x, other, mine)}\n{words}\n\n"
    draw(x, other, mine)
    PAGE.write_text(with_text(PAGE.read_text("utf-8"), text), encoding="utf-8", newline="\n")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
