"""How often the tests of the number of components reject: a simulation; writes docs/calibration.md.

    python benchmarks/calibration.py                    simulate everything, write the page
    python benchmarks/calibration.py --only size power  only these parts
    python benchmarks/calibration.py --replicates 500   fewer samples of each design
    python benchmarks/calibration.py --report           only write the page

What every sample gave is kept in benchmarks/results/calibration/, in blocks, and a run that is
started again goes on where it ended; everything takes about an hour on two cores. A design's
samples depend on its name, its number of rows and the sample's number only, and all tests see the
same ones. Searches and tests take compiled twins of the library's loops, as in ``null_law.py``;
every run begins by comparing what comes out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

import calibration_known
import calibration_page
import calibration_sums
import numpy as np
from calibration_designs import (
    BLOCK,
    BOTH,
    DOUBTFUL,
    LAWS,
    ONE_HUMP,
    PAIRS,
    PARTS,
    PLAN,
    SINGLE_MODE,
    TWO_HUMPS,
    WIDTHS,
    Array,
    Cell,
)

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.fitting.dip import dip_test
from bactrian.infer.em_test import em_test
from bactrian.infer.likelihood_ratio import likelihood_ratio
from bactrian.infer.ratio_bootstrap import bootstrap_test
from bactrian.infer.verdict import Verdict

SEED = 2009  # the table's samples have another
AGREEMENT = 1e-8
N_SAMPLES = 99  # of a goodness of fit


def fitted(x: Array, rng: np.random.Generator) -> list[float]:
    """The EM-test and the likelihood ratio of one normal against two, the verdict, the dip test.

    Without a maximum of two components the likelihood ratio counts as zero, as in the table, and
    there is no verdict.
    """
    fit = bt.fit(x)
    if not fit.converged:
        dip = dip_test(fit.sample)
        return [em_test(fit.sample, 1).p_value, 0.0, np.nan, np.nan if dip is None else dip.p_value]
    ratio = likelihood_ratio(fit.sample, 1, general=fit.solution)
    said = fit.verdict(n_replicates=0)
    p_dip = np.nan if said.dip is None else said.dip.p_value
    return [said.test.p_value, ratio.statistic, shown(said), p_dip]


def shown(said: Verdict) -> int:
    """What a verdict says but for the dip test; two modes count as two humps if unjudged."""
    said = replace(said, dip=None)
    if said.headline.startswith("Two humps") or said.headline.endswith("was not tested."):
        return TWO_HUMPS
    if not said.is_rejected:
        return ONE_HUMP
    return SINGLE_MODE if said.n_modes == 1 else DOUBTFUL


def judged(x: Array, rng: np.random.Generator) -> list[float]:
    """What the headline says where the goodness of fit has its word too, as by default."""
    fit = bt.fit(x)
    quick = shown(fit.verdict(n_replicates=0)) if fit.converged else np.nan
    if quick != TWO_HUMPS:
        return [quick]  # and no goodness of fit makes two humps of it
    return [shown(fit.verdict(n_replicates=N_SAMPLES, rng=rng))]


def equal(x: Array, rng: np.random.Generator) -> list[float]:
    """The EM-test of one normal against two with equal variances."""
    return [em_test(Sample.of(x), 1, equal_variances=True).p_value]


def more(x: Array, rng: np.random.Generator) -> list[float]:
    """The EM-test of two components against more."""
    return [em_test(Sample.of(x), 2).p_value]


def bootstrap(x: Array, rng: np.random.Generator) -> list[float]:
    """The likelihood-ratio test of one normal against two by bootstrap."""
    return [bootstrap_test(Sample.of(x), 1, rng=rng).p_value]


TESTS = {test.__name__: test for test in (fitted, judged, equal, more, bootstrap)}


def replicate(cell: Cell, i: int) -> list[float]:
    """What one sample says; NaN where nothing can be said."""
    seeds = [SEED, cell.key, cell.n, i]
    x = LAWS[cell.law](cell.n, np.random.default_rng(seeds))
    try:
        return TESTS[cell.test](x, np.random.default_rng([*seeds, 1]))
    except (bt.DataError, bt.ParameterError):
        return [np.nan] * WIDTHS[cell.test]


def block(task: tuple[Cell, int]) -> Cell:
    """Simulate one block and keep it, whole or not at all."""
    cell, first = task
    found = np.array([replicate(cell, i) for i in range(first, first + BLOCK)])
    file = cell.file(first)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, found)
    part.replace(file)
    return cell


def tasks(some: list[Cell], replicates: int) -> Iterator[tuple[Cell, int]]:
    """The blocks that are not kept yet; all designs in turn, so that a run may be stopped."""
    for first in range(0, replicates, BLOCK):
        for cell in some:
            if not cell.file(first).exists():
                yield cell, first


def verify() -> None:
    """Compare some samples by the compiled loops with the same by the library's."""
    some = [Cell("normal", 100, test) for test in BOTH] + [Cell(next(iter(PAIRS)), 200, "more")]
    quick = [replicate(cell, 0) for cell in some]
    calibration_sums.remove()
    by_library = [replicate(cell, 0) for cell in some]
    calibration_sums.install()
    apart = np.abs(np.concatenate(quick) - np.concatenate(by_library)).max()
    if not apart <= AGREEMENT:
        raise SystemExit(f"The compiled loops give other numbers: {quick}, not {by_library}.")
    print(f"By the compiled loops and by the library's the numbers differ by {apart:.1e}.")


def run(parts: Iterable[str], most: int, workers: int) -> None:
    """Simulate what is not kept."""
    parts = [name for name in PARTS if name in parts]
    if not parts:
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # in the processes to come
    with multiprocessing.get_context("spawn").Pool(workers, calibration_sums.install) as pool:
        pool.apply(verify)
        for name, replicates in PLAN:
            left = list(tasks(PARTS[name], min(replicates, most))) if name in parts else []
            for i, cell in enumerate(pool.imap_unordered(block, left), 1):
                if i % 10 == 0 or i == len(left):
                    print(f"{name}: {i} of {len(left)} blocks, {cell.law}, {cell.n}", flush=True)


def main() -> None:
    """Simulate and measure what is not kept, and write the page."""
    everything = [*PARTS, *calibration_known.PARTS]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replicates", type=int, default=10**6, help="at most, of a design")
    options.add_argument("--only", nargs="+", choices=everything, default=everything)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--report", action="store_true", help="only write the page")
    chosen = options.parse_args()
    if not chosen.report:
        run(chosen.only, chosen.replicates, chosen.workers)
        calibration_known.run(chosen.only)
    calibration_page.write()


if __name__ == "__main__":
    main()
