"""Time the things that a user waits for; prints medians and the machine they were taken on.

Run on a quiet machine:  .venv/bin/python benchmarks/timing.py
With scikit-learn installed, its GaussianMixture is timed side by side, in turn, in the same run.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import bactrian as bt
from bactrian.likelihood.derivatives import derivatives

ROOT = Path(__file__).resolve().parent.parent


def median(action: Callable[[], object], runs: int) -> float:
    """Median seconds of an action after one run that does not count."""
    action()
    taken = []
    for _ in range(runs):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken))


def evaluation() -> None:
    """One evaluation for two components on 1,000 weighted points."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=1000), rng.uniform(0.5, 2.0, 1000)
    mixture = bt.NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
    batch = [array[None] for array in (mixture.weights, mixture.means, mixture.sds)]
    kernel = median(lambda: derivatives(x, w, *batch), 2000)
    print(f"log-likelihood, score and Hessian, 1,000 weighted points: {kernel * 1e6:.0f} µs")
    for coordinates in ("working", "natural"):
        taken = median(
            lambda c=coordinates: bt.evaluate(x, mixture, coordinates=c, sample_weight=w), 1000
        )
        print(f"  the same through evaluate(), input checked, {coordinates}: {taken * 1e6:.0f} µs")


def fits() -> None:
    """Whole fits in a warm process, and the command in a cold one."""
    waiting = bt.datasets.load("faithful")["waiting"]
    print(f"fit of 272 rows, all starts: {median(lambda: bt.fit(waiting), 100) * 1e3:.1f} ms")
    rng = np.random.default_rng(0)
    million = np.where(
        rng.random(10**6) < 0.4, rng.normal(0, 1, 10**6), rng.normal(2.5, 1.5, 10**6)
    )
    print(f"fit of 1,000,000 rows: {median(lambda: bt.fit(million), 3):.2f} s")
    command = [
        Path(sys.executable).with_name("bactrian"), "fit",
        ROOT / "src" / "bactrian" / "datasets" / "faithful.csv", "--column", "waiting",
    ]  # fmt: skip
    cold = median(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), 15)
    print(f"the command on the CSV of 272 rows, whole process: {cold:.2f} s")


def side_by_side() -> None:
    """The heavily overlapping case against scikit-learn, and how far each ends from the top."""
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError:
        print("scikit-learn is not installed: no comparison")
        return
    rng = np.random.default_rng(1)
    n = 200_000
    x = np.where(rng.random(n) < 0.35, rng.normal(0, 1, n), rng.normal(2, 1.3, n))
    slow = GaussianMixture(2, tol=1e-9, max_iter=100_000)
    ours, theirs, tight = [], [], []
    top = bt.fit(x).loglike
    for _ in range(3):
        ours.append(median(lambda: bt.fit(x), 1))
        theirs.append(median(lambda: GaussianMixture(2).fit(x[:, None]), 1))
        tight.append(median(lambda: slow.fit(x[:, None]), 1))
    loose = GaussianMixture(2).fit(x[:, None])
    short = top - n * loose.score(x[:, None]), top - n * slow.score(x[:, None])
    print(f"{n:,} overlapping rows, time as a ratio to bactrian.fit ({np.median(ours):.2f} s):")
    print(f"  scikit-learn, defaults: {np.median(theirs) / np.median(ours):.2f}, "
          f"{short[0]:.2f} log-likelihood units short")  # fmt: skip
    print(f"  scikit-learn, tol=1e-9: {np.median(tight) / np.median(ours):.2f}, "
          f"{short[1]:.4f} log-likelihood units short")  # fmt: skip


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    evaluation()
    fits()
    side_by_side()
