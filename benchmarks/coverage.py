"""How often nominal 95 % intervals hold the truth: a simulation study; writes docs/coverage.md.

Run it with  .venv/bin/python benchmarks/coverage.py  (about an hour on two cores; --replicates
for fewer). A profile-likelihood interval holds the truth where twice the fall of the profile there
is below the chi-square quantile, so that one constrained maximum tells it. What every replicate
found is kept in benchmarks/results/, and --report writes the page from that alone.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.infer.choice import chosen_cut
from bactrian.infer.covariance import free_covariance
from bactrian.infer.cuts import cut_quantity
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
    """One design: rows, distance of the means in sds (both one), weight of the lower component."""

    n: int
    separation: float
    weight: float

    @property
    def truth(self) -> bt.NormalMixture:
        """The mixture that rows are drawn from."""
        return bt.NormalMixture(
            [self.weight, 1.0 - self.weight], [0.0, self.separation], [1.0, 1.0]
        )

    @property
    def file(self) -> Path:
        """Where its replicates are kept."""
        return RESULTS / f"coverage_{self.n}_{self.separation:g}_{self.weight:g}.npy"


CELLS = tuple(Cell(*cell) for cell in itertools.product(SIZES, SEPARATIONS, WEIGHTS))


def quantities() -> tuple[Quantity, ...]:
    """What intervals are wanted for: a weight, the means, the sds, the cut at even odds."""
    named = {quantity.name: quantity for quantity in parameters(2)}
    chosen = [named[name] for name in ("weight 1", "mean 1", "mean 2", "sd 1", "sd 2")]
    return (*chosen, cut_quantity(chosen_cut(2).cut, "cut"))


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
        run(order, chosen.replicates, chosen.workers)


if __name__ == "__main__":
    main()
