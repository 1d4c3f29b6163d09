"""How often nominal 95 % intervals hold the truth: a simulation study; writes docs/coverage.md.

Run it with  .venv/bin/python benchmarks/interval_coverage.py  (about an hour on two cores;
--replicates for fewer). A profile-likelihood interval holds the truth where twice the fall of the
profile there is below the chi-square quantile, so that one constrained maximum tells it. What every
replicate found is kept in benchmarks/results/, and --report writes the page from that alone.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.infer.choice import chosen_cut
from bactrian.infer.covariance import free_covariance
from bactrian.infer.cuts import cut_quantity
from bactrian.infer.intervals import small_sample_factor
from bactrian.infer.profile import Profile
from bactrian.infer.quantity import LocalQuantity, Quantity, parameters
from bactrian.model.constraints import unconstrained
from bactrian.solve.climb import climb
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "coverage.md"

SIZES = (50, 100, 200, 1000)
SEPARATIONS = (2.0, 3.0, 4.0)
WEIGHTS = (0.5, 0.3, 0.1)
LABELS = ("weight", "mean 1", "mean 2", "sd 1", "sd 2", "cut")
CHUNK = 50
MANY = 200  # rows from which the search for the best of several maxima is left out


class Cell(NamedTuple):
    """One design: rows, distance of the means, weight of the lower component, sd of the upper.

    The sd of the lower component is one.
    """

    n: int
    separation: float
    weight: float
    sd: float = 1.0

    @property
    def truth(self) -> bt.NormalMixture:
        """The mixture that rows are drawn from."""
        return bt.NormalMixture(
            [self.weight, 1.0 - self.weight], [0.0, self.separation], [1.0, self.sd]
        )

    @property
    def file(self) -> Path:
        """Where its replicates are kept."""
        name = "_".join(f"{value:g}" for value in self[: 3 + (self.sd != 1.0)])
        return RESULTS / f"coverage_{name}.npy"


# Simulated after the factor for few rows was chosen on the others.
FRESH = (Cell(100, 4.0, 0.4, 1.5), Cell(200, 4.0, 0.4, 1.5), Cell(200, 3.0, 0.25, 0.5))
CELLS = tuple(Cell(*cell) for cell in itertools.product(SIZES, SEPARATIONS, WEIGHTS))


def quantities() -> tuple[Quantity, ...]:
    """What intervals are wanted for: a weight, the means, the sds, the cut at even odds."""
    named = {quantity.name: quantity for quantity in parameters(2)}
    chosen = [named[name] for name in ("weight 1", "mean 1", "mean 2", "sd 1", "sd 2")]
    return (*chosen, cut_quantity(chosen_cut([0.0, 1.0]).cut, "cut"))


def estimate(cell: Cell, x: Array) -> tuple[Problem, State] | None:
    """The maximum that a user would be given; with many rows, the one that the truth leads to."""
    if cell.n < MANY:
        fit = bt.fit(x)
        return (fit.solution.problem, fit.solution.state) if fit.converged else None
    problem = problem_of(Sample.of(x), unconstrained(2))
    climbs = climb(problem, true_point(cell, problem)[None], newton_step, max_steps=200)
    return (problem, climbs.state) if climbs.outcomes[0] is bt.Outcome.CONVERGED else None


def true_point(cell: Cell, problem: Problem) -> Array:
    """The truth in free coordinates."""
    sample = problem.sample
    truth = cell.truth.affine(-sample.origin / sample.scale, 1.0 / sample.scale)
    return problem.free(truth.weights[None], truth.means[None], truth.sds[None])[0]


def replicate(cell: Cell, seed: int) -> Array:
    """What one sample says: squared distances of the truth, three for each quantity.

    By the observed information, by the sandwich, by the profile; then the effective number of
    rows in the worst direction, and the estimate: a weight, two means, two sds, in the unit of the
    data. NaN throughout where there is no maximum.
    """
    rng = np.random.default_rng([cell.n, int(10 * cell.separation), int(100 * cell.weight), seed])
    found = np.full(3 * len(LABELS) + 6, np.nan)
    maximum = estimate(cell, cell.truth.sample(cell.n, rng))
    if maximum is None:
        return found
    problem, state = maximum
    true = true_point(cell, problem)
    model = free_covariance(problem, state, "hessian")
    robust = free_covariance(problem, state, "sandwich")
    for i, quantity in enumerate(quantities()):
        local = LocalQuantity(quantity, problem)
        here, there = local.at(state.free[0]), local.value(true)
        if math.isnan(here.value):
            continue
        away = (there - here.value) ** 2
        found[3 * i] = away / (here.gradient @ model @ here.gradient)
        found[3 * i + 1] = away / (here.gradient @ robust @ here.gradient)
        fall = Profile(problem, state, local, model).fall(there)
        found[3 * i + 2] = fall[0] if fall[1].converged else -1.0  # an open interval
    sample = problem.sample
    means, sds = sample.origin + sample.scale * state.means[0], sample.scale * state.sds[0]
    found[-6:] = cell.n * state.eigenvalues[0, 0], state.weights[0, 0], *means, *sds
    return found


def chunk(task: tuple[Cell, int, int]) -> Array:
    """Some replicates of a cell."""
    cell, first, last = task
    return np.array([replicate(cell, seed) for seed in range(first, last)])


def run(cells: list[Cell], replicates: int, workers: int) -> None:
    """Simulate the cells that are not kept yet, and keep them."""
    RESULTS.mkdir(exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for cell in cells:
            if cell.file.exists() and len(np.load(cell.file)) >= replicates:
                continue
            tasks = [(cell, i, min(i + CHUNK, replicates)) for i in range(0, replicates, CHUNK)]
            np.save(cell.file, np.concatenate(pool.map(chunk, tasks, chunksize=1)))
            print(cell, flush=True)


def kept_cells() -> list[Cell]:
    """The designs that were simulated."""
    return [cell for cell in CELLS if cell.file.exists()]


def shares(cell: Cell, method: str) -> Array:
    """How often intervals (6,) of one kind held the truth, among the samples with a maximum.

    A profile that could not be followed to the truth makes an open interval, which holds it.
    """
    found = np.load(cell.file)
    found = found[~np.isnan(found[:, 0])]
    distance = found[:, METHODS.index(method.replace("plain_", "")) : 3 * len(LABELS) : 3]
    if method == "profile":
        worth, weight = found[:, 3 * len(LABELS) : 3 * len(LABELS) + 2].T
        few = cell.n * np.minimum(weight, 1.0 - weight)
        pairs = zip(few, worth, strict=True)
        factor = np.array([small_sample_factor(2, cell.n, k, nl) for k, nl in pairs])
        distance = distance / factor[:, None]
    known = ~np.isnan(distance)
    holds = distance < CHI_SQUARE
    return np.array([holds[known[:, j], j].mean() for j in range(len(LABELS))])


def table(method: str, cells: Sequence[Cell] = CELLS) -> list[str]:
    """The shares of one method in some cells, in per cent."""
    lines = [f"| rows | separation | weight | {' | '.join(LABELS)} |", "|---" * 9 + "|"]
    for cell in (cell for cell in cells if cell.file.exists()):
        shown = " | ".join(f"{100.0 * share:.1f}" for share in shares(cell, method))
        lines.append(f"| {cell.n} | {cell.separation:g} | {cell.weight:g} | {shown} |")
    return lines


def span(method: str, sizes: tuple[int, ...], separations: tuple[float, ...]) -> str:
    """The range of the shares over some cells, in per cent."""
    some = [c for c in kept_cells() if c.n in sizes and c.separation in separations]
    all_ = np.concatenate([shares(cell, method) for cell in some])
    return f"{100.0 * all_.min():.1f} to {100.0 * all_.max():.1f}"


def page() -> str:
    """The page, from what is kept."""
    kept = [np.load(cell.file) for cell in kept_cells()]
    least = min(map(len, kept))
    lost = sum(int(np.isnan(found[:, 0]).sum()) for found in kept)
    open_ = max(float((found[:, 2 : 3 * len(LABELS) : 3] == -1.0).mean()) for found in kept)
    error = 100.0 * math.sqrt(0.95 * 0.05 / least)
    far = (3.0, 4.0)
    rows = [
        "| method | separation ≥ 3, rows ≥ 200 | separation ≥ 3, rows 50 and 100 | separation 2 |",
        "|---|---|---|---|",
    ]
    for method, name in NAMES.items():
        cells = (span(method, (200, 1000), far), span(method, (50, 100), far),
                 span(method, SIZES, (2.0,)))  # fmt: skip
        rows.append(f"| {name} | {' | '.join(cells)} |")
    parts = [TEXT.format(least=least, lost=lost, total=sum(map(len, kept)), error=error,
                         open=100.0 * open_, many=MANY), "\n".join(rows), ADVICE]  # fmt: skip
    parts += [UNSEEN, "\n".join(table("profile", FRESH))]
    for method, name in NAMES.items():
        parts += [f"## {name[0].upper()}{name[1:]}", "\n".join(table(method))]
    return "\n\n".join(parts) + "\n"


CHI_SQUARE = 3.841458820694124
METHODS = ("wald", "sandwich", "profile")
NAMES = {
    "profile": 'profile (`method="profile"`)',
    "plain_profile": 'profile without its factor for few rows (`"plain_profile"`)',
    "wald": 'Wald, from the observed information (`"wald"`)',
    "sandwich": 'Wald, from the sandwich (`"wald"`, `kind="sandwich"`)',
}
TEXT = """\
# How often intervals hold the truth

*Written by `python benchmarks/interval_coverage.py`; do not edit.*

Samples of 50 to 1,000 rows were drawn from two components of sd one whose means are 2, 3 or 4 sds
apart, the lower one with a weight of 0.5, 0.3 or 0.1: {least:,} samples for each design. Each was
fitted, and nominal 95 % intervals were made of the lower weight, both means, both sds and the cut
at even odds. The tables say how many of a hundred intervals hold the truth; the standard error of
such a number near 95 is {error:.1f}.

{lost} of {total:,} samples had no admissible maximum and are left out. Samples of fewer than {many}
rows were fitted from all starts, as a user would; larger ones from the truth. Profiles that could
not be followed to the truth, at most {open:.1f} % of those of a design, count as open intervals,
which hold it.

The range over designs and quantities, in per cent:"""
ADVICE = """\
Profile intervals are the ones to report. Twice the fall of the log-likelihood at the truth is
larger on average than the chi-square law of large samples says; the factor by which `"profile"`
multiplies the quantile was chosen on these designs, and takes most of that back. Where the
components are two sds apart, or one of them has a handful of rows, no interval of any kind can be
relied on: the estimate itself may belong to another maximum. The printed fit warns of it."""
UNSEEN = """\
Designs that had no part in the choice of the factor, with a second sd of 1.5, 1.5 and 0.5, and
`"profile"`:"""


def main() -> None:
    """Simulate what is not kept, and write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replicates", type=int, default=2000)
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("--report", action="store_true", help="only write the page")
    chosen = options.parse_args()
    if not chosen.report:
        # Where intervals are promised to hold first: an interrupted run keeps what it has.
        order = sorted(CELLS, key=lambda cell: (cell.separation < 3.0, cell.n < 200, cell.n))
        run([*order, *FRESH], chosen.replicates, chosen.workers)
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
