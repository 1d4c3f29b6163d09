"""Time the passes inside engines against their own mean and standard deviation, side by side.

.venv/bin/python benchmarks/engines.py [rows]

Writes the numbers between the markers of docs/engines.md. Every engine reads the same Parquet
files of one column. Processor time of all its threads is counted, which a busy machine changes
least; actions take turns.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
import textwrap
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bactrian.data.engines.lazy import lazy_source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
MARKERS = "<!-- measured by benchmarks/engines.py -->", "<!-- end of the measurements -->"
N_FILES, TURNS = 8, 5
MIXTURE = (np.array([0.4, 0.6]), np.array([-1.0, 3.0]), np.array([1.0, 1.0]))
ACTIONS = ["mean and sd", "rows per bin", "sketch", "certificate"]
PACKAGES = {
    "DuckDB": "duckdb",
    "Polars": "polars",
    "Ibis on DuckDB": "ibis-framework",
    "Dask, threads": "dask",
    "Spark, local": "pyspark",
}


def write_rows(folder: Path, n: int) -> None:
    """Two components, in several files."""
    random = np.random.default_rng(0)
    for i in range(N_FILES):
        size = n // N_FILES
        x = random.normal(np.where(random.random(size) < 0.4, -1.0, 3.0), 1.0)
        pq.write_table(pa.table({"x": x}), folder / f"{i}.parquet")


def openers(folder: Path) -> dict[str, Callable[[], Any]]:
    """For each engine a function that opens the files anew: some engines keep what they did."""
    files = str(folder / "*.parquet")
    duckdb, polars, ibis = map(importlib.import_module, ("duckdb", "polars", "ibis"))
    dask = importlib.import_module("dask.dataframe")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        importlib.import_module("pyspark.sql")
        .SparkSession.builder.master("local[*]")
        .config("spark.log.level", "OFF")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    return {
        "DuckDB": lambda: duckdb.read_parquet(files),
        "Polars": lambda: polars.scan_parquet(files),
        "Ibis on DuckDB": lambda: ibis.read_parquet(files),
        "Dask, threads": lambda: dask.read_parquet(str(folder)),
        "Spark, local": lambda: session.read.parquet(str(folder)),
    }


def mean_and_sd(frame: Any) -> Any:
    """What everybody asks of a column."""
    if hasattr(frame, "npartitions"):
        return importlib.import_module("dask").compute(frame["x"].mean(), frame["x"].std())
    x = nw.col("x")
    return nw.from_native(frame).select(x.mean().alias("m"), x.std().alias("s")).collect()


def rows_per_bin(frame: Any) -> Any:
    """The least that any sketch by groups needs: the engine's own count by a key."""
    if hasattr(frame, "npartitions"):
        key = frame["x"].map_partitions(lambda x: np.floor(x * 64.0))
        return key.value_counts(sort=False).compute()
    grouped = nw.from_native(frame).with_columns(key=(nw.col("x") * 64.0).floor())
    return grouped.group_by("key").agg(nw.len().alias("count")).collect()


def processor_time() -> float:
    """Seconds that this process and those below it, such as Spark's, have used so far."""
    psutil = importlib.import_module("psutil")
    me = psutil.Process()
    used = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return float(sum(times.user + times.system for times in used))


def seconds(open_anew: Callable[[], Any]) -> dict[str, float]:
    """The least processor time of each action; of the turns they take, the first is practice."""
    actions: dict[str, Callable[[Any], Any]] = {
        "mean and sd": mean_and_sd,
        "rows per bin": rows_per_bin,
        "sketch": lambda frame: lazy_source(frame, "x").sketch(),
        "certificate": certificate,
    }
    least = dict.fromkeys(ACTIONS, np.inf)
    for turn in range(TURNS + 1):
        for name, action in actions.items():
            frame = open_anew()
            begin = processor_time()
            action(frame)
            if turn:
                least[name] = min(least[name], processor_time() - begin)
    return least


def certificate(frame: Any) -> Any:
    """The pass that certifies a fit; it follows a sketch, which has looked for faults already."""
    source = lazy_source(frame, "x")
    source._seen.update(low=-20.0, high=20.0)
    return source.first_order(0.0, 1.0, *MIXTURE)


def table(n: int, found: dict[str, dict[str, float]]) -> str:
    """The measurements as Markdown."""
    conditions = (
        f"{n:,} rows in {N_FILES} Parquet files, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}. Nanoseconds of processor time a row, over all threads, the "
        f"least of {TURNS} turns; in parentheses the ratio to the same engine's mean and standard "
        "deviation of the column."
    )
    lines = [
        *textwrap.wrap(conditions, 100),
        "",
        "| engine | mean and sd | rows per bin, nothing else "
        "| sketch | certificate, two components |",
        "|---|---|---|---|---|",
    ]
    for engine, taken in found.items():
        rates = [taken[name] / n * 1e9 for name in ACTIONS]
        ratios = [f"{rate:.1f} ({rate / rates[0]:.1f})" for rate in rates[1:]]
        label = f"{engine} {version(PACKAGES[engine])}"
        lines.append(f"| {label} | {rates[0]:.1f} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main(n: int) -> None:
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        write_rows(Path(folder), n)
        found = {}
        for engine, open_anew in openers(Path(folder)).items():
            found[engine] = seconds(open_anew)
            print(
                engine, {k: f"{v / n * 1e9:.1f} ns" for k, v in found[engine].items()}, flush=True
            )
    begin, end = MARKERS
    text = PAGE.read_text("utf-8")
    measured = f"{begin}\n\n{table(n, found)}\n\n{end}"
    pattern = re.escape(begin) + ".*" + re.escape(end)
    PAGE.write_text(re.sub(pattern, lambda _: measured, text, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 20_000_000)
