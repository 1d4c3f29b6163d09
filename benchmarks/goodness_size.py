"""How often the tests of goodness of fit reject, where they should and where they should not.

Run it with  .venv/bin/python benchmarks/goodness_size.py  (about ten minutes on an idle core;
--replicates for fewer). Samples are fitted as a user would, from all starts, and tested. What every
sample gave is kept in benchmarks/results/, in blocks, and a run that is started again goes on where
it ended. The table in docs/goodness.md is written from what is kept; --report does only that.
"""

from __future__ import annotations

import argparse
import math
import re
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from numpy.typing import NDArray

import bactrian as bt
from bactrian.infer import recording

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "goodness.md"

TRUTH = bt.NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.0])
NAMES = ("kolmogorov_smirnov", "cramer_von_mises", "anderson_darling")
REFITS = 99
BLOCK = 20
# For a distribution that was known beforehand, modified for few rows (Stephens 1974): of D, W2, A2.
TABLES = {0.05: (1.358, 0.461, 2.492), 0.1: (1.224, 0.347, 1.933)}


class Design(NamedTuple):
    """Samples of one kind: what they are called, how many rows, how they are made."""

    name: str
    n: int
    rows: Callable[[np.random.Generator, int], Array]
    is_sketched: bool = False
    is_taken_for_exact: bool = False
    share: float = 1.0  # of the samples asked for

    @property
    def file(self) -> Path:
        """Where its results are kept."""
        return RESULTS / f"goodness_{re.sub('[^a-z0-9]+', '_', self.name.lower())}_{self.n}.npy"


def exact(rng: np.random.Generator, n: int) -> Array:
    """Rows of two normals three sds apart."""
    return np.asarray(TRUTH.sample(n, rng))


def rounded(rng: np.random.Generator, n: int) -> Array:
    """The same, rounded to a fifth of the sd of a component."""
    return np.round(exact(rng, n) * 5.0) / 5.0


def wrong(rng: np.random.Generator, n: int) -> Array:
    """Rows of Student's t with three degrees of freedom, and of an exponential."""
    low, high = 0.8 * rng.standard_t(3, n) - 1.5, 1.5 + rng.exponential(1.0, n) - 1.0
    return np.where(rng.random(n) < 0.4, low, high)


DESIGNS = (
    Design("two normals", 100, exact),
    Design("two normals", 400, exact),
    Design("two normals, rounded", 200, rounded),
    Design("two normals, rounded, taken for exact", 200, rounded, False, True, share=1.0 / 3.0),
    Design("two normals, sketched", 2000, exact, True, share=1.0 / 3.0),
    Design("t and exponential", 200, wrong, share=1.0 / 3.0),
)


def replicate(design: Design, seed: int) -> Array:
    """The three p-values, the three statistics and the number of failed refits; NaN: no maximum."""
    rng = np.random.default_rng([zlib.crc32(design.name.encode()), design.n, seed])
    x = design.rows(rng, design.n)
    fit = bt.fit(bt.Sketch.of(x) if design.is_sketched else x)
    if not fit.converged:
        return np.full(7, np.nan)
    blind = mock.patch.object(recording, "rounding_unit", return_value=0.0)
    with blind if design.is_taken_for_exact else nullcontext():
        found = fit.goodness_of_fit(REFITS, rng=seed)
    tests = [getattr(found, name) for name in NAMES]
    return np.array(
        [*(test.p_value for test in tests), *(test.statistic for test in tests), found.n_failed]
    )


def kept(design: Design) -> Array:
    """The results so far."""
    return np.load(design.file) if design.file.exists() else np.empty((0, 7))


def run(design: Design, replicates: int) -> None:
    """Simulate what is not kept yet, and keep it."""
    RESULTS.mkdir(exist_ok=True)
    found = kept(design)
    while len(found) < replicates:
        seeds = range(len(found), min(len(found) + BLOCK, replicates))
        found = np.concatenate([found, [replicate(design, seed) for seed in seeds]])
        np.save(design.file, found)
        print(design.name, design.n, len(found), flush=True)


def tabulated(design: Design, found: Array, level: float) -> Array:
    """How often (3,) the tables for a mixture that was known beforehand would reject."""
    (d, w, a), n = found[:, 3:6].T, design.n
    modified = (
        d * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)),
        (w - 0.4 / n + 0.6 / n**2) * (1.0 + 1.0 / n),
        a,
    )
    pairs = zip(modified, TABLES[level], strict=True)
    return np.array([np.mean(values >= limit) for values, limit in pairs])


def table() -> str:
    """The share of samples rejected, in per cent."""
    lines = [
        "| rows | level | samples | margin | Kolmogorov–Smirnov | Cramér–von Mises |"
        " Anderson–Darling | by tables | refits failed |",
        "|---" * 9 + "|",
    ]
    for design in DESIGNS:
        found = kept(design)
        found = found[~np.isnan(found[:, 0])]
        if not len(found):
            continue
        for level in TABLES:
            shares = 100.0 * (found[:, :3] <= level).mean(axis=0)
            known = "/".join(f"{100.0 * share:.1f}" for share in tabulated(design, found, level))
            margin = 196.0 * math.sqrt(level * (1.0 - level) / len(found))
            failed = 100.0 * found[:, 6].mean() / REFITS
            lines.append(
                f"| {design.n:,} of {design.name} | {100.0 * level:.0f} % | {len(found)} "
                f"| ± {margin:.1f} | {' | '.join(f'{share:.1f}' for share in shares)} "
                f"| {known} | {failed:.1f} |"
            )
    return "\n".join(lines)


def write() -> None:
    """Write the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- table: goodness_size -->\n", "<!-- end of table -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{table()}\n\n{end}{after}", encoding="utf-8", newline="\n")


def main() -> None:
    """Simulate what is not kept, and write the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replicates", type=int, default=300)
    options.add_argument("--report", action="store_true", help="only write the table")
    chosen = options.parse_args()
    if not chosen.report:
        for design in DESIGNS:
            run(design, round(design.share * chosen.replicates))
    write()


if __name__ == "__main__":
    main()
