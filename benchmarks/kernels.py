"""Time the sums over large columns, compiled and in NumPy, in nanoseconds a row.

Run on a quiet machine:  .venv/bin/python benchmarks/kernels.py [millions of rows]
Minima over repeats, and ratios to a plain sum of the same array by one thread in the same run.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from bactrian.data.loops.full import full_sums
from bactrian.data.loops.kernels import bin_moments

REPEATS = 25  # of the compiled loops: each is short beside what else a processor does
N_BINS = 4096
TWO = ([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
THREE = ([0.2, 0.3, 0.5], [-1.0, 0.5, 2.0], [0.5, 1.0, 2.0])
COLD = """
import time, numpy as np
from bactrian.data.loops.{module} import {name}
x = np.zeros(1)
begin = time.perf_counter()
{name}({arguments}, compiled=True)
print(time.perf_counter() - begin)
"""
MOMENTS = "x, None, -7, -2048, 4096"
FIRST_CALLS = {
    "bin_moments": ("kernels", "bin_moments", MOMENTS),
    "full_sums, two components": ("full", "full_sums", f"x, None, 0.0, 1.0, *map(np.array, {TWO})"),
    "full_sums, three": ("full", "full_sums", f"x, None, 0.0, 1.0, *map(np.array, {THREE})"),
}


def best(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Least seconds of an action after one run that does not count."""
    action()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def operations(x: Any, w: Any) -> dict[str, Callable[..., object]]:
    """What is timed, by name."""
    two, three = ([np.array(part) for part in mixture] for mixture in (TWO, THREE))
    window = (-7, -N_BINS // 2, N_BINS)
    return {
        "moments": lambda **how: bin_moments(x, None, *window, **how),
        "moments, weights": lambda **how: bin_moments(x, w, *window, **how),
        "two components": lambda **how: full_sums(x, None, 0.0, 1.0, *two, **how),
        "two, weights": lambda **how: full_sums(x, w, 0.0, 1.0, *two, **how),
        "three components": lambda **how: full_sums(x, None, 0.0, 1.0, *three, **how),
    }


def table(n: int) -> None:
    """A line for each operation, number type, path and number of threads."""
    rng = np.random.default_rng(0)
    doubles = np.where(rng.random(n) < TWO[0][0], rng.normal(0.0, 1.0, n), rng.normal(2.0, 1.3, n))
    w = rng.gamma(2.0, 0.5, n)
    print(f"{'':>34}{'1 thread':>17}{'2 threads':>17}    ns a row, and as plain sums")
    for x in (doubles, doubles.astype(np.float32)):
        plain = best(x.sum, REPEATS)
        print(f"{x.dtype}, plain sum {plain / n * 1e9:.2f} ns a row")
        for name, action in operations(x, w).items():
            for compiled in (True, False):
                label = f"  {name}, {'compiled' if compiled else 'NumPy'}"
                cells = ""
                for threads in (1, 2):
                    repeats = REPEATS if compiled else 2
                    taken = best(
                        lambda a=action, c=compiled, t=threads: a(compiled=c, threads=t), repeats
                    )
                    cells += f"{taken / n * 1e9:9.2f} ({taken / plain:5.1f})"
                print(f"{label:<34}{cells}")


def first_calls() -> None:
    """Seconds of the first call in a fresh process, the import of numba in it."""
    for label, (module, name, arguments) in FIRST_CALLS.items():
        code = COLD.format(module=module, name=name, arguments=arguments)
        runs = [
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
            for _ in range(3)
        ]
        print(f"first call of {label}: {min(float(run.stdout) for run in runs):.1f} s")


if __name__ == "__main__":
    rows = round(1e6 * float(sys.argv[1])) if len(sys.argv) > 1 else 20_000_000
    versions = f"NumPy {np.__version__}, numba {numba.__version__}"
    print(f"Python {platform.python_version()}, {versions}, {platform.machine()}, {rows:,} rows")
    first_calls()
    table(rows)
