"""Write the tables of docs/migration.md: the answers of other programs beside ours, same data.

    python benchmarks/migration.py

scikit-learn is run here with its defaults. What R packages answer was recorded once and is in
``tests/reference/peers.json``; our fits of the same data are made here.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bactrian as bt

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "migration.md"
REFERENCE = ROOT / "tests" / "reference"
MARKS = {
    name: (f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n")
    for name in ("live", "recorded", "times")
}

HARD = bt.NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
HARD_ROWS, HARD_SEED = 20_000, 20
TIMED_ROWS = 3_000

# Of the recorded sets; the fifth is two overlapping normals with means 0 and 1.5.
RECORDED = {
    "faithful_waiting": "Old Faithful, waiting",
    "acidity": "acidity of lakes",
    "crab_midpoints": "Weldon's crabs",
    "nhanes_adult_height": "heights of adults",
    "s01_overlap_D15": "two normals, 1.5 sds apart",
}
PEERS = ("mclust_default", "mixtools_default", "flexmix_default")


def column(name: str, key: str) -> Array:
    """A column that ships with the package, its counts written out as rows."""
    table = bt.datasets.load(name)
    rows = np.asarray(table[key], dtype=np.float64)
    return np.repeat(rows, np.asarray(table["count"], dtype=int)) if "count" in table else rows


def hard_rows() -> Array:
    """Rows of two components that overlap heavily, always the same."""
    return HARD.sample(HARD_ROWS, np.random.default_rng(HARD_SEED))


LIVE: dict[str, Callable[[], Array]] = {
    "Old Faithful, waiting": lambda: column("faithful", "waiting"),
    "Old Faithful, eruptions": lambda: column("faithful", "eruptions"),
    "iris, petal length": lambda: column("iris", "petal_length"),
    "penguins, flipper length": lambda: column("penguins", "flipper_length"),
    "galaxies": lambda: column("galaxies", "velocity"),
    "Weldon's crabs": lambda: column("crabs", "ratio"),
    "heights of adults": lambda: column("heights", "height"),
    "two normals that overlap": hard_rows,
}


def our_fit(x: Array) -> bt.Fit:
    """Our fit of two components."""
    fit = bt.fit(x)
    assert fit.converged
    return fit


def live_rows() -> Iterable[str]:
    """scikit-learn's answers beside ours, one line for each column of numbers."""
    from sklearn.mixture import GaussianMixture

    for name, rows in LIVE.items():
        x = rows()
        fit = our_fit(x)
        model = GaussianMixture(2, random_state=0).fit(x[:, None])
        assert model.converged_
        theirs, ours = model.score(x[:, None]) * x.size, fit.loglike
        lower = model.weights_[model.means_[:, 0].argmin()]
        yield (
            f"| {name} | {x.size:,} | {lower:.3f} | {fit.mixture.weights[0]:.3f} "
            f"| {theirs:,.3f} | {ours:,.3f} | {ours - theirs:.3f} |\n"
        )


def live_table() -> str:
    """The table of scikit-learn's answers."""
    version = metadata.version("scikit-learn")
    return (
        f"| data | rows | lower weight: scikit-learn {version} | Bactrian "
        "| log-likelihood: scikit-learn | Bactrian | difference |\n"
        "|:--|--:|--:|--:|--:|--:|--:|\n"
    ) + "".join(live_rows())


def reference_rows(name: str) -> Array:
    """Rows of a reference set, its counts written out."""
    with (REFERENCE / "csv" / f"{name}.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    values = np.array([float(row["x"]) for row in table])
    return np.repeat(values, [int(row.get("count", 1)) for row in table])


def shorts(records: Iterable[Any], name: str, peer: str, best: float) -> str:
    """How far a program's answers are below our log-likelihood: the least and the most."""
    found = sorted(
        best - record["loglik"]
        for record in records
        if (record["dataset"], record["peer"], record["model"]) == (name, peer, "2V")
        and record.get("loglik") is not None
    )
    if not found:
        return "–"
    ends = [f"{value:.3f}" for value in (found[0], found[-1])]
    return ends[0] if len(found) == 1 else f"{ends[0]} to {ends[1]} ({len(found)} runs)"


def recorded_table() -> str:
    """The table of what R packages answered."""
    records = json.loads((REFERENCE / "peers.json").read_text("utf-8"))
    lines = ["| data | rows | log-likelihood: Bactrian | mclust | mixtools | flexmix |\n"]
    lines.append("|:--|--:|--:|--:|--:|--:|\n")
    for name, title in RECORDED.items():
        x = reference_rows(name)
        best = our_fit(x).loglike
        cells = [shorts(records, name, peer, best) for peer in PEERS]
        lines.append(f"| {title} | {x.size:,} | {best:,.3f} | {' | '.join(cells)} |\n")
    return "".join(lines)


def seconds_of_fit(x: Array, n_components: int) -> float:
    """Processor seconds of the estimator's fit, the less of two calls."""
    from bactrian.estimator import GaussianMixture1D

    found = []
    for _ in range(2):
        start = time.process_time()
        GaussianMixture1D(n_components).fit(x[:, None])
        found.append(time.process_time() - start)
    return min(found)


def times_table() -> str:
    """The table of what a fit of so many components costs."""
    x, counts = hard_rows()[:TIMED_ROWS], range(1, 6)
    cells = [f"{seconds_of_fit(x, count):.2f}" for count in counts]
    return (
        f"| components | {' | '.join(map(str, counts))} |\n"
        f"|:--|{'--:|' * len(cells)}\n"
        f"| seconds | {' | '.join(cells)} |\n"
    )


def with_table(page: str, name: str, table: str) -> str:
    """The page with a table between its marks."""
    begin, end = MARKS[name]
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> None:
    page = PAGE.read_text("utf-8")
    page = with_table(page, "live", live_table())
    page = with_table(page, "recorded", recorded_table())
    page = with_table(page, "times", times_table())
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
