"""Time and memory against the number of rows, and how close to the maximum each program comes.

    python benchmarks/scale.py                       measure everything, write docs/performance.md
    python benchmarks/scale.py --huge                also a billion rows (9 GB of disk)
    python benchmarks/scale.py --rows 1e6 1e7        only these; the page goes to standard output
    python benchmarks/scale.py --keep found.json     go on where an earlier run was stopped; what is
                                                     taken out of the file is measured anew

Run it on a quiet machine, with Polars, DuckDB, PyArrow, Numba, scikit-learn and PySpark (and Java)
installed; a program that is not installed is left out. Everything takes about an hour.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import scale_page as page
from scale_programs import PROGRAMS, chunks, write

import bactrian as bt

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"

ROWS = [10**3, 10**4, 10**5, 10**6, 5 * 10**6, 10**7, 10**8, 2 * 10**8]
HUGE = 10**9
MOST_IN_MEMORY = 10**8
SPARK_ROWS = (10**6, 5 * 10**6, 10**7)
IN_MEMORY = ("array", "sklearn", "sklearn_tight")
ON_SPARK = ("spark", "mllib")
OTHERS = ("sklearn", "sklearn_tight", "mllib")
PATIENCE = 120.0  # seconds that another program may be expected to take
BYTES_PER_ROW = 9.0  # doubles, which hardly compress

Result = dict[str, Any]


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def left_out(name: str, rows: int, found: Sequence[Result], *, quick: bool) -> str | None:
    """Why a program is not run with so many rows: "" if nobody expects it, None if it is run."""
    if name in IN_MEMORY and rows > MOST_IN_MEMORY:
        return ""
    if name in ON_SPARK and (quick or rows not in SPARK_ROWS):
        return ""
    if name == "sklearn_tight" and quick:
        return ""
    if name.startswith("sklearn"):
        smaller = [r for r in found if r["program"] == name and r["rows"] < rows and "first" in r]
        if smaller:
            last = max(smaller, key=lambda r: int(r["rows"]))
            expected = last["first"] * rows / last["rows"]
            if expected > PATIENCE:
                return f"would take about {expected / 60.0:.0f} minutes"
    return None


def measured(name: str, rows: int, folder: Path, *, quick: bool) -> Result:
    """One program in a fresh process."""
    program = Path(__file__).with_name("scale_programs.py")
    command = [sys.executable, str(program), name, str(rows), str(folder)]
    timeout = 4.0 * PATIENCE if name in OTHERS else None
    try:
        done = subprocess.run(
            command + ["--quick"] * quick,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return {"left out": f"takes more than {4.0 * PATIENCE / 60.0:.0f} minutes"}
    if done.returncode == 0:
        result: Result = json.loads(done.stdout.splitlines()[-1])
        return result
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    if "ModuleNotFoundError" in last[0] or "JAVA_GATEWAY_EXITED" in done.stderr:
        return {"left out": "is not installed"}
    say(done.stderr[-4000:])
    if name in OTHERS:
        return {"left out": "fails"}
    raise SystemExit(f"{name} fails with {rows:,} rows")


def add_shortfalls(found: Sequence[Result], rows: int) -> None:
    """To each answer: how far below the best one its log-likelihood over all the rows is.

    One pass for all of them. Chunks are added with ``math.fsum``, which leaves only the rounding
    within a chunk.
    """
    answers = [result for result in found if result["rows"] == rows and "parameters" in result]
    mixtures = [bt.NormalMixture(*result["parameters"]) for result in answers]
    sums: list[list[float]] = [[] for _ in answers]
    for chunk in chunks(rows):
        for terms, mixture in zip(sums, mixtures, strict=True):
            terms.append(bt.loglike(chunk, mixture))
    loglikes = [math.fsum(terms) for terms in sums]
    for result, loglike in zip(answers, loglikes, strict=True):
        result["short"] = max(loglikes) - loglike


def add_size(found: list[Result], rows: int, options: argparse.Namespace) -> None:
    """Measure all programs with one number of rows."""
    known = {result["program"] for result in found if result["rows"] == rows}
    plan = {name: left_out(name, rows, found, quick=options.quick) for name in PROGRAMS}
    plan = {name: why for name, why in plan.items() if why != "" and name not in known}
    if plan:
        with tempfile.TemporaryDirectory(prefix="bactrian-", dir=options.folder) as name:
            folder = Path(name)
            require_space(rows, folder)
            say(f"{rows:,} rows: writing Parquet")
            write(rows, folder)
            for program, reason in plan.items():
                result: Result = {"program": program, "rows": rows, "commit": page.commit()}
                if reason is None:
                    result |= measured(program, rows, folder, quick=options.quick)
                else:
                    result["left out"] = reason
                found.append(result)
                say(f"  {program}: {page.in_words(result)}")
                keep(found, options.keep)
    if any("parameters" in r and "short" not in r for r in found if r["rows"] == rows):
        say(f"{rows:,} rows: log-likelihoods")
        add_shortfalls(found, rows)
        keep(found, options.keep)


def require_space(rows: int, folder: Path) -> None:
    """Refuse to begin what would fill the disk."""
    need, free = rows * BYTES_PER_ROW + 1e8, shutil.disk_usage(folder).free
    if need > free:
        raise SystemExit(
            f"{rows:,} rows need {need / 1e9:.1f} GB of disk, but {free / 1e9:.1f} GB are free: "
            "name another place with --folder, or fewer rows with --rows"
        )


def keep(found: Sequence[Result], path: Path | None) -> None:
    """Store what was measured."""
    if path is not None:
        path.write_text(json.dumps(found), encoding="utf-8")


def kept(path: Path | None) -> list[Result]:
    """What an earlier run measured; the page says on which commits."""
    if path is None or not path.exists():
        return []
    found: list[Result] = json.loads(path.read_text(encoding="utf-8"))
    return found


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=float, help="only these numbers of rows")
    parser.add_argument("--huge", action="store_true", help="also a billion rows")
    parser.add_argument("--quick", action="store_true", help="few calls; no Spark, no tight EM")
    parser.add_argument("--folder", type=Path, help="where to write the rows for a while")
    parser.add_argument("--keep", type=Path, help="file of measurements to go on from")
    parser.add_argument("--write", action="store_true", help="write the page in any case")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Measure, and write the page."""
    options = parse(arguments)
    chosen = [int(rows) for rows in options.rows or ROWS] + [HUGE] * options.huge
    machine = page.machine()
    say("\n".join(machine))
    found = kept(options.keep)
    for rows in sorted(set(chosen)):
        add_size(found, rows, options)
    text = page.written(found, machine)
    if options.write or not (options.rows or options.quick):
        PAGE.write_text(text, encoding="utf-8", newline="\n")
        say(f"wrote {PAGE.relative_to(ROOT)}")
    else:
        print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
