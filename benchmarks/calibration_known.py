"""What ``calibration.py`` says of known data sets, and how long the tests take."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from calibration_designs import RESULTS, ROOT, Array
from scale_page import commit, machine

import bactrian as bt

PARTS = ("known", "times")
FOLDER = ROOT / "tests" / "reference" / "csv"
SETS = (
    "faithful_waiting", "faithful_eruptions", "acidity", "enzyme", "galaxies_mass", "stamps",
    "s12_single_normal",
)  # fmt: skip
MOST_COMPONENTS = 7
N_REPLICATES, SEED = 199, 1


def rows(name: str) -> Array:
    """The values of a reference set."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    counts = [int(row.get("count", 1)) for row in table]
    return np.repeat([float(row["x"]) for row in table], counts)


def known(name: str) -> dict[str, Any]:
    """The tests of one set, and how many components are recommended."""
    x = rows(name)
    compared = bt.compare(x, range(1, MOST_COMPONENTS + 1))
    best = compared.recommended
    two = compared[2]
    found = {
        "set": name,
        "rows": x.size,
        "values": len(two.sample),
        "em": [_em(compared, k) for k in (1, 2, 3)],
        "ratio": two.homogeneity_test(method="likelihood_ratio").to_dict(),
        "bootstrap": two.homogeneity_test(
            method="bootstrap", n_replicates=N_REPLICATES, rng=SEED
        ).to_dict(),
        "recommended": None if best is None else best.options.n_components,
        "equal": best is not None and best.options.equal_variances,
    }
    print(name, flush=True)
    return found


def _em(compared: bt.Comparison, k: int) -> float | None:
    """The p-value of so many components against more; None where there is no maximum."""
    more = compared[k + 1]
    try:
        return float(more.homogeneity_test(k).p_value)
    except (bt.DataError, bt.ParameterError):
        return None


def milliseconds(action: Callable[[], object], runs: int) -> float:
    """The median of several runs after one that does not count."""
    action()
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(taken))


def times() -> dict[str, Any]:
    """How long the tests take by the library alone, in milliseconds; and on what."""
    x = rows("faithful_waiting")
    two, equal, three = bt.fit(x), bt.fit(x, equal_variances=True), bt.fit(x, 3)
    normal = np.random.default_rng(SEED).standard_normal(10**6)
    large = bt.fit(bt.Sketch.of(normal))
    return {
        "machine": [*machine(), f"- Bactrian at commit {commit()}"],
        "em": milliseconds(two.homogeneity_test, 15),
        "em_equal": milliseconds(equal.homogeneity_test, 15),
        "em_more": milliseconds(lambda: three.homogeneity_test(2), 15),
        "em_sketch": milliseconds(large.homogeneity_test, 15),
        "nodes": len(large.sample),
        "table": milliseconds(lambda: two.homogeneity_test(method="likelihood_ratio"), 50),
        "bootstrap": _simulated(two),
    }


def _simulated(fit: bt.Fit) -> float:
    """All 999 samples of a bootstrap, drawn and fitted by two processes; of one run."""
    begun = time.perf_counter()
    test = fit.homogeneity_test(method="bootstrap", n_replicates=999, rng=SEED, workers=2)
    taken = 1e3 * (time.perf_counter() - begun)
    if test.n_replicates != 999:
        raise SystemExit(f"The bootstrap ended after {test.n_replicates} samples.")
    return taken


def run(parts: Iterable[str]) -> None:
    """Measure anew what is asked for, and keep it."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if part in parts:
            found = [known(name) for name in SETS] if part == "known" else times()
            text = json.dumps(found, indent=1) + "\n"
            (RESULTS / f"{part}.json").write_text(text, encoding="utf-8")


def kept(part: str) -> Any:
    """What was kept, or None."""
    file = RESULTS / f"{part}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
