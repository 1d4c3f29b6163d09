"""The law of the likelihood ratio of one normal against two, from samples of one normal.

Run it with  .venv/bin/python benchmarks/null_law.py  (an hour of processor time; --replicates for
fewer). The statistic T = 2 (l2 - l1) is that of the library: l1 the closed-form maximum of one
normal, l2 the best admissible maximum that `search` finds for two normals of unequal variances. Of
one normal the law depends on the number of rows only. What every replicate gave is kept in
benchmarks/results/null_law/, in blocks, and a run that is started again goes on where it ended.

The searches take compiled sums and ascents, eight times as quick as the library's; every run
begins by comparing what comes out, and --verify compares more and does nothing else. --write makes
the table that ships with the package from what is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import null_law_ascents
import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.sketch import Sketch
from bactrian.fitting.reading import LARGE_COLUMN
from bactrian.infer.null_law import FILE
from bactrian.model.constraints import unconstrained
from bactrian.solve.search import SEARCH_VERSION, search

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "null_law"
TABLE = ROOT / "src" / "bactrian" / "infer" / FILE

SIZES = (20, 30, 50, 75, 100, 200, 500, 1000, 3000, 10_000, 30_000, 100_000)
SEED = 1894
BLOCK = 200
_AGREEMENT = 1e-8
_PLACES, _TOP, _FIRST = 130, 20, 15
_TWO = unconstrained(2)


def statistic(sample: Sample) -> float:
    """Return T of a sample; NaN where two normals have no admissible maximum."""
    found = search(sample, _TWO).admissible
    if not found:
        return math.nan
    one = -0.5 * sample.total * (math.log(2.0 * math.pi * sample.local_variance) + 1.0)
    return 2.0 * (found[0].loglike - one)


def replicate(n: int, i: int) -> float:
    """Return the i-th statistic for n rows, of numbers that depend on n and i only."""
    x = np.random.default_rng([SEED, n, i]).standard_normal(n)
    return statistic(Sketch.of(x).to_sample() if n >= LARGE_COLUMN else Sample.of(x))


def _file(results: Path, n: int, first: int) -> Path:
    """Where a block of replicates is kept."""
    return results / f"{n}" / f"{first:06d}.npy"


def block(task: tuple[Path, int, int, int]) -> tuple[int, int, float]:
    """Simulate one block and keep it, whole or not at all; return its place and its seconds."""
    results, n, first, last = task
    begun = time.process_time()
    found = np.array([replicate(n, i) for i in range(first, last)])
    file = _file(results, n, first)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, found)
    part.replace(file)
    return n, first, time.process_time() - begun


def tasks(results: Path, sizes: list[int], replicates: int) -> Iterator[tuple[Path, int, int, int]]:
    """The blocks that are not kept yet; all sizes in turn, so that a run may be stopped."""
    for first in range(0, replicates, BLOCK):
        for n in sizes:
            if not _file(results, n, first).exists():
                yield results, n, first, min(first + BLOCK, replicates)


def run(results: Path, sizes: list[int], replicates: int, workers: int) -> None:
    """Simulate what is not kept."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # in the processes to come
    left = list(tasks(results, sizes, replicates))
    begun, spent = time.perf_counter(), dict.fromkeys(sizes, 0.0)
    done = dict.fromkeys(sizes, 0)
    with multiprocessing.get_context("spawn").Pool(workers, null_law_ascents.install) as pool:
        for i, (n, _, seconds) in enumerate(pool.imap_unordered(block, left), 1):
            spent[n] += seconds
            done[n] += BLOCK
            if i % len(sizes) == 0 or i == len(left):
                minutes = (time.perf_counter() - begun) / 60.0
                each = ", ".join(f"{m}: {1e3 * spent[m] / max(done[m], 1):.1f}" for m in sizes)
                print(f"{i}/{len(left)} blocks, {minutes:.1f} min; ms each {each}", flush=True)


def kept(results: Path, n: int) -> Array:
    """The statistics for n rows, in the order of their seeds, up to the first gap."""
    found = []
    for first in range(0, 10**9, BLOCK):
        file = _file(results, n, first)
        if not file.exists():
            break
        found.append(np.load(file))
    return np.concatenate([*found, np.empty(0)])


def column(n: int, raw: Array) -> dict[str, Any]:
    """What the table holds of them."""
    falling = -np.sort(-np.nan_to_num(raw, nan=0.0))
    # Close together in the upper tail, by their logarithms, and nowhere far apart.
    spaced = np.concatenate([np.geomspace(1.0, raw.size, _PLACES), np.linspace(1.0, raw.size, 40)])
    ranks = np.unique(np.concatenate([np.arange(1, _TOP + 1), np.rint(spaced).astype(int)]))
    return {
        "n_rows": n,
        "n_replicates": raw.size,
        "n_failed": int(np.isnan(raw).sum()),
        "n_negative": int((raw < 0.0).sum()),
        "ranks": ranks.tolist(),
        "statistics": [round(t, 4) for t in falling[ranks - 1].tolist()],
        "first": [None if math.isnan(t) else round(t, 8) for t in raw[:_FIRST].tolist()],
    }


def write(results: Path, file: Path) -> None:
    """Write the table from what is kept, a column a line."""
    found = {n: kept(results, n) for n in SIZES}
    columns = [json.dumps(column(n, raw)) for n, raw in found.items() if raw.size]
    head = f'{{"search_version": {SEARCH_VERSION}, "seed": {SEED}, "columns": ['
    text = head + "\n" + ",\n".join(columns) + "\n]}\n"
    file.write_text(text, encoding="utf-8", newline="\n")
    for n, raw in found.items():
        shares = np.quantile(np.nan_to_num(raw, nan=0.0), [0.5, 0.9, 0.95, 0.99, 0.999])
        shown = " ".join(f"{value:6.2f}" for value in shares)
        print(f"{n:>7} {raw.size:>6} failed {np.isnan(raw).sum():>4} below 0 {(raw < 0).sum():>4}"
              f"  50, 90, 95, 99, 99.9 %: {shown}")  # fmt: skip


def verify(sizes: list[int], replicates: int) -> None:
    """Compare the statistics by the compiled sums with those by the library's."""
    for n in sizes:
        null_law_ascents.install()
        replicate(n, 0)  # compiles
        begun = time.process_time()
        quick = np.array([replicate(n, i) for i in range(replicates)])
        middle = time.process_time()
        null_law_ascents.remove()
        slow = np.array([replicate(n, i) for i in range(replicates)])
        ended = time.process_time()
        apart = np.where(np.isnan(quick) & np.isnan(slow), 0.0, np.abs(quick - slow))
        print(
            f"{n} rows: {replicates} statistics differ by {apart.max():.1e}; "
            f"{1e3 * (middle - begun) / replicates:.1f} ms and "
            f"{1e3 * (ended - middle) / replicates:.1f} ms each", flush=True,
        )  # fmt: skip
        if not apart.max() <= _AGREEMENT:
            raise SystemExit(f"The compiled sums give other statistics for {n} rows: {apart}.")


def main() -> None:
    """Simulate what is not kept."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replicates", type=int, default=20_000)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--results", type=Path, default=RESULTS)
    options.add_argument("--verify", action="store_true", help="only compare with the library")
    options.add_argument("--write", action="store_true", help="only write the table")
    chosen = options.parse_args()
    if chosen.write:
        write(chosen.results, TABLE)
        return
    sizes = list(chosen.sizes)
    if chosen.verify:
        verify(sizes, 40)
        return
    verify(sizes[::3], 4)
    run(chosen.results, sizes, chosen.replicates, chosen.workers)


if __name__ == "__main__":
    main()
