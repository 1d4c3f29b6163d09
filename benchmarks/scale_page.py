"""The page that ``scale.py`` writes: what was measured, as Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Result = dict[str, Any]

LABELS = {
    "array": "Bactrian, array in memory",
    "path": "Bactrian, path of the files",
    "polars": "Bactrian, Polars scan",
    "duckdb": "Bactrian, DuckDB relation",
    "spark": "Bactrian, Spark frame",
    "sklearn": "scikit-learn, defaults",
    "sklearn_tight": "scikit-learn, tol=1e-9",
    "mllib": "Spark MLlib, defaults",
}
PACKAGES = "numpy scipy narwhals numba polars duckdb pyarrow scikit-learn pyspark".split()
LEAST_SHORT = 1e-6  # what is shorter is the rounding of the sums
MOST_RATIO, LEAST_SPEED_UP = 2.5, 30.0
ENGINES = {"duckdb": "DuckDB", "polars": "Polars"}

HEAD = """\
# Performance

*Written by `python benchmarks/scale.py`; do not edit.*

Two components that overlap heavily (weights 0.35 and 0.65, means 0 and 2, standard deviations 1 and
1.3), drawn with a fixed seed. The rows are doubles, in memory or in Parquet files of ten million
rows each, which the system may hold in its cache.

- **first**: seconds of the first call in a fresh process, with whatever is loaded or compiled on
  the way; **later**: the fewest seconds of up to five calls that follow; of up to twenty in Spark,
  because Java goes on compiling for a dozen of them. A dash: the first took too long for another.
- **memory**: the most that the process held at once: Python, packages, the array if there is one;
  for Spark also the Java process.
- **short**: how far below the maximum the log-likelihood at the answer is, over all the rows, in
  log-likelihood units; the maximum is the highest value that any of the programs found. (A 95 %
  likelihood interval of one parameter ends 1.92 units below the maximum; what is less than 1e-6 is
  rounding.)
- scikit-learn has one start (`n_init=1`) and is left out where it is expected to take more than two
  minutes; MLlib has its default of 100 iterations, on `local[2]`.
"""

PASSES_HEAD = """\
## A pass over the rows

Seconds that an engine takes to sketch the Parquet files (`bt.Sketch.of`), and for the mean and
standard deviation of the same column, asked of the same engine in turn; the fewest of several
calls. A fit takes two such passes.
"""

SIZES_HEAD = """\
## A sketch on disk

What `Sketch.save` writes.
"""


@cache
def commit() -> str:
    """The commit at the beginning, with a plus sign where the tree differs from it."""
    run = subprocess.run
    options: Any = {"cwd": ROOT, "capture_output": True, "check": False, "encoding": "utf-8"}
    head = run(["git", "rev-parse", "--short=10", "HEAD"], **options).stdout.strip()
    changed = run(["git", "status", "--porcelain", "--", "src", "benchmarks"], **options).stdout
    return (head or "unknown") + ("+" if changed.strip() else "")


def machine() -> list[str]:
    """What the numbers hold for."""
    versions = [_version(package) for package in PACKAGES]
    return [
        f"- {_processor()}, {os.cpu_count()} processors, {_memory()}; {platform.system()} "
        f"{platform.machine()}; load when the run began: {_load()}",
        f"- Python {platform.python_version()}, {', '.join(filter(None, versions))}",
    ]  # fmt: skip


def _processor() -> str:
    """The model of the processor."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def _memory() -> str:
    """How much memory there is."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        return "memory unknown"
    return f"{total / 1e9:.0f} GB of memory"


def _load() -> str:
    """How busy the machine is."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _version(package: str) -> str | None:
    """A package and its version."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return None


def in_words(result: Result) -> str:
    """One measurement for somebody who waits."""
    if "left out" in result:
        return f"left out: {result['left out']}"
    if "first" not in result:
        times = [f"{name} {seconds(result[name])} s" for name in result if " " in name]
        return ", ".join(times)
    return (
        f"first {seconds(result['first'])} s, later {seconds(result['later'])} s, "
        f"{result['peak'] / 1e6:.0f} MB, {result['ended']}"
    )


def seconds(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "–"
    return f"{value:.3g}" if value < 100.0 else f"{value:.0f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text."""
    marks = [":--"] + ["--:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, marks, *rows))


def written(found: Sequence[Result], machine: Sequence[str]) -> str:
    """The page."""
    if not found:
        return f"{HEAD}\nThis copy holds no measurements yet.\n"
    passes = [r for r in found if r["program"] == "passes" and "left out" not in r]
    fits = [r for r in found if r["program"] != "passes"]
    where = "\n".join([*machine, _commits(found)]) + "\n"
    parts = [
        HEAD, where, "## In short\n", _short(fits, passes), "## Fits\n",
        *_fits(fits), PASSES_HEAD, _passes(passes), SIZES_HEAD, _sizes(passes),
    ]  # fmt: skip
    return "\n".join(parts)


def _commits(found: Sequence[Result]) -> str:
    """On which states of the project the measurements were made."""
    counts = Counter(result["commit"] for result in found)
    said = [f"{commit} ({n} of the measurements)" for commit, n in counts.items()]
    return f"- Bactrian at commit {', '.join(said)}"


def _fits(fits: Sequence[Result]) -> list[str]:
    """A heading and a table for each number of rows."""
    parts = []
    for n in sorted({r["rows"] for r in fits}):
        rows = [_fit_row(r) for r in sorted(fits, key=_order) if r["rows"] == n]
        head = ["program", "first (s)", "later (s)", "memory (MB)", "ended", "short"]
        parts += [f"### {n:,} rows\n", table(head, rows)]
    return parts


def _order(result: Result) -> int:
    """Ours first."""
    return list(LABELS).index(result["program"])


def _fit_row(result: Result) -> list[str]:
    """The cells of one program."""
    label = LABELS[result["program"]]
    if "left out" in result:
        return [label, "–", "–", "–", result["left out"], "–"]
    short = result["short"]
    return [
        label, seconds(result["first"]), seconds(result["later"]), f"{result['peak'] / 1e6:,.0f}",
        result["ended"], f"{short:.3g}" if short >= LEAST_SHORT else "< 1e-6",
    ]  # fmt: skip


def _ratio(result: Result, engine: str) -> float:
    """How many times longer than a mean and standard deviation a sketch takes."""
    return float(result[f"{engine} sketch"] / result[f"{engine} moments"])


def _passes(passes: Sequence[Result]) -> str:
    """A row for each number of rows."""
    head, rows = ["rows"], []
    for label in ENGINES.values():
        head += [f"{label}: sketch (s)", "mean and sd (s)", "ratio"]
    for r in passes:
        cells = [f"{r['rows']:,}"]
        for engine in ENGINES:
            cells += [seconds(r[f"{engine} {what}"]) for what in ("sketch", "moments")]
            cells.append(f"{_ratio(r, engine):.2f}")
        rows.append(cells)
    return table(head, rows)


def _sizes(passes: Sequence[Result]) -> str:
    """A row for each number of rows."""
    rows = [[f"{r['rows']:,}", f"{r['bins']:,}", f"{r['bytes'] / 1e3:,.0f}"] for r in passes]
    return table(["rows", "occupied bins", "size (kB)"], rows)


def _short(fits: Sequence[Result], passes: Sequence[Result]) -> str:
    """The few sentences that most readers came for, with the goals."""
    lines = []
    whole = [r for r in fits if r["program"] in ("array", "path", "polars", "duckdb")]
    for program in ("array", "path", "polars", "duckdb"):
        done = [r for r in whole if r["program"] == program and "first" in r]
        if done:
            r = max(done, key=lambda r: int(r["rows"]))
            lines.append(
                f"- {LABELS[program]}: {r['rows']:,} rows in {seconds(_best(r))} s, "
                f"{r['peak'] / 1e6:,.0f} MB."
            )
    lines += [
        _against(fits, ours, theirs, goal)
        for ours, theirs, goal in (
            ("array", "sklearn", None),
            ("array", "sklearn_tight", None),
            ("spark", "mllib", LEAST_SPEED_UP),
        )
    ]
    if passes:
        last = max(passes, key=lambda r: int(r["rows"]))
        for engine, label in ENGINES.items():
            ratio = _ratio(last, engine)
            met = "met" if ratio <= MOST_RATIO else "missed"
            lines.append(
                f"- A sketch by {label} takes {ratio:.2f} times as long as a mean and standard "
                f"deviation, at {last['rows']:,} rows (goal: at most {MOST_RATIO:g}, {met})."
            )
    return "".join(f"{line}\n" for line in lines if line)


def _best(result: Result) -> float:
    """The fewest seconds of any call."""
    return float(min(t for t in (result["first"], result["later"]) if t is not None))


def _against(fits: Sequence[Result], ours: str, theirs: str, goal: float | None) -> str:
    """Us and another program, at the largest number of rows that both were given.

    With a goal, at every number: it may be met at one and missed at another.
    """
    us, them = (
        {r["rows"]: r for r in fits if r["program"] == name and "first" in r}
        for name in (ours, theirs)
    )
    both = us.keys() & them.keys()
    if not both:
        return ""
    return "\n".join(
        _line(us[n], them[n], goal) for n in (sorted(both) if goal is not None else [max(both)])
    )


def _line(us: Result, them: Result, goal: float | None) -> str:
    """Two programs on the same rows, in a sentence."""
    # First calls start what later ones find there, so that only like goes with like.
    kind = "first" if None in (us["later"], them["later"]) else "later"
    ratio = them[kind] / us[kind]
    aim = ""
    if goal is not None:
        aim = f" (goal: at least {goal:g}, {'met' if ratio >= goal else 'missed'})"
    short = f"{them['short']:.2g}" if them["short"] >= LEAST_SHORT else "less than 1e-6"
    ours, theirs = LABELS[us["program"]], LABELS[them["program"]]
    return (
        f"- {theirs}: {ratio:.3g} times the time of {ours} ({kind} calls), at "
        f"{us['rows']:,} rows{aim}; it ends {short} log-likelihood units short of the maximum."
    )
