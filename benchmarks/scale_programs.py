"""What ``scale.py`` measures: each program in a process of its own, which prints one line of JSON.

    python benchmarks/scale_programs.py PROGRAM ROWS FOLDER [--quick]

The folder holds the rows as Parquet files. Whatever is imported by a user's own script is imported
before the clock starts; what is imported on the way belongs to the first call.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bactrian as bt

Array = NDArray[np.float64]
Result = dict[str, Any]

WEIGHT, MEANS, SDS = 0.35, (0.0, 2.0), (1.0, 1.3)
CHUNK_ROWS = 1_000_000
FILE_ROWS = 10_000_000
SEED = 20
# Calls of each program, if they fit into the budget of seconds. Java goes on compiling what it runs
# for a dozen of them.
CALLS, SPARK_CALLS = 6, 21
BUDGET, SPARK_BUDGET = 60.0, 200.0


def chunks(n: int) -> Iterator[Array]:
    """The same rows each time, a million at a time: two components that overlap heavily."""
    for number in range(-(-n // CHUNK_ROWS)):
        size = min(CHUNK_ROWS, n - number * CHUNK_ROWS)
        random = np.random.default_rng([SEED, number])
        first = random.random(size) < WEIGHT
        yield np.where(first, *MEANS) + np.where(first, *SDS) * random.standard_normal(size)


def in_memory(n: int) -> Array:
    """All the rows, made without a second copy of them."""
    x, done = np.empty(n), 0
    for chunk in chunks(n):
        x[done : done + chunk.size] = chunk
        done += chunk.size
    return x


def write(n: int, folder: Path) -> None:
    """Write the rows as Parquet files of ten million rows with PyArrow's default options."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, per_file = pa.schema({"x": pa.float64()}), FILE_ROWS // CHUNK_ROWS
    writer = None
    for number, chunk in enumerate(chunks(n)):
        if number % per_file == 0:
            if writer is not None:
                writer.close()
            writer = pq.ParquetWriter(folder / f"{number // per_file:04}.parquet", schema)
        assert writer is not None
        writer.write_table(pa.table({"x": chunk}))
    if writer is not None:
        writer.close()


def peak_memory() -> int:
    """The most bytes that this process held at once, plus those of each of its descendants."""
    if not Path("/proc/self/status").exists():
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # Not ru_maxrss: across exec() it keeps the mark of the process that started this one.
    marks, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:  # it has ended
            continue
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        parents[path.parent.name] = found["PPid"].strip()
        marks[path.parent.name] = int(found.get("VmHWM", "0").split()[0]) * 1024
    family, before = {str(Path("/proc/self").resolve().name)}, 0
    while len(family) > before:
        before = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return sum(marks[process] for process in family)


def timed(action: Callable[[], Any], *, quick: bool, spark: bool = False) -> tuple[Any, Result]:
    """What an action gives; seconds of its first call, and the fewest of those that follow."""
    taken: list[float] = []
    calls, budget = (SPARK_CALLS, SPARK_BUDGET) if spark else (CALLS, BUDGET)
    calls = 2 if quick else calls
    while not taken or (len(taken) < calls and sum(taken) + taken[-1] <= budget):
        begin = time.perf_counter()
        given = action()
        taken.append(time.perf_counter() - begin)
    return given, {"first": taken[0], "later": min(taken[1:], default=None)}


def our_fit(action: Callable[[], bt.Fit], *, quick: bool, spark: bool = False) -> Result:
    """Measure one way to our fit."""
    fit, result = timed(action, quick=quick, spark=spark)
    parameters = [a.tolist() for a in (fit.mixture.weights, fit.mixture.means, fit.mixture.sds)]
    return {**result, "parameters": parameters, "ended": fit.outcome.value}


def fit_array(n: int, folder: Path, *, quick: bool) -> Result:
    x = in_memory(n)
    return our_fit(lambda: bt.fit(x), quick=quick)


def fit_polars(n: int, folder: Path, *, quick: bool) -> Result:
    import polars as pl

    return our_fit(lambda: bt.fit(pl.scan_parquet(folder / "*.parquet"), column="x"), quick=quick)


def fit_duckdb(n: int, folder: Path, *, quick: bool) -> Result:
    import duckdb

    files = str(folder / "*.parquet")
    return our_fit(lambda: bt.fit(duckdb.read_parquet(files), column="x"), quick=quick)


def fit_path(n: int, folder: Path, *, quick: bool) -> Result:
    return our_fit(lambda: bt.fit(folder / "*.parquet", column="x"), quick=quick)


def fit_spark(n: int, folder: Path, *, quick: bool) -> Result:
    frame = _spark_session().read.parquet(str(folder))
    return our_fit(lambda: bt.fit(frame, column="x"), quick=quick, spark=True)


def mllib(n: int, folder: Path, *, quick: bool) -> Result:
    """MLlib's defaults: 100 iterations unless the log-likelihood gains less than 0.01."""
    session = _spark_session()
    from pyspark.ml.clustering import GaussianMixture
    from pyspark.ml.feature import VectorAssembler

    frame = session.read.parquet(str(folder))
    vectors = VectorAssembler(inputCols=["x"], outputCol="features")
    program = GaussianMixture(k=2, seed=1)
    model, result = timed(lambda: program.fit(vectors.transform(frame)), quick=quick, spark=True)
    gaussians = model.gaussiansDF.collect()
    means = [float(row["mean"][0]) for row in gaussians]
    sds = [float(row["cov"][0, 0]) ** 0.5 for row in gaussians]
    ended = f"{model.summary.numIter} iterations"
    return {**result, "parameters": [list(model.weights), means, sds], "ended": ended}


def _spark_session() -> Any:
    """Spark in one Java process with two threads."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]")
    for option in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(option, value=False)
    return builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()


def sklearn(n: int, folder: Path, *, quick: bool, **options: Any) -> Result:
    from sklearn.mixture import GaussianMixture

    x = in_memory(n)[:, None]
    model, result = timed(lambda: GaussianMixture(2, random_state=0, **options).fit(x), quick=quick)
    sds = np.sqrt(model.covariances_[:, 0, 0])
    parameters = [a.tolist() for a in (model.weights_, model.means_[:, 0], sds)]
    ended = f"{model.n_iter_} iterations"
    return {**result, "parameters": parameters, "ended": ended}


def sklearn_tight(n: int, folder: Path, *, quick: bool) -> Result:
    return sklearn(n, folder, quick=quick, tol=1e-9, max_iter=1_000_000)


def passes(n: int, folder: Path, *, quick: bool) -> Result:
    """Per engine: seconds of our sketch and of a mean and standard deviation, taken in turn."""
    import duckdb
    import polars as pl

    files = str(folder / "*.parquet")
    x = pl.col("x")
    actions: dict[str, Callable[[], Any]] = {
        "polars sketch": lambda: bt.Sketch.of(pl.scan_parquet(files), column="x"),
        "polars moments": lambda: pl.scan_parquet(files).select(m=x.mean(), s=x.std()).collect(),
        "duckdb sketch": lambda: bt.Sketch.of(duckdb.read_parquet(files), column="x"),
        "duckdb moments": lambda: (
            duckdb.read_parquet(files).aggregate("avg(x), stddev_samp(x)").fetchall()
        ),
    }
    # What the first calls load on the way is no part of a pass.
    sketch = {name: action() for name, action in actions.items()}["polars sketch"]
    sketch.save(folder / "rows.sketch")
    taken: dict[str, list[float]] = {name: [] for name in actions}
    begin = time.perf_counter()
    rounds = 3 if quick else 9
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - begin > 2.0 * BUDGET:
            break
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            taken[name].append(time.perf_counter() - start)
    size, bins = (folder / "rows.sketch").stat().st_size, int(sketch.bins.size)
    return {**{name: min(times) for name, times in taken.items()}, "bytes": size, "bins": bins}


PROGRAMS: dict[str, Callable[..., Result]] = {
    "array": fit_array,
    "path": fit_path,
    "polars": fit_polars,
    "duckdb": fit_duckdb,
    "spark": fit_spark,
    "sklearn": sklearn,
    "sklearn_tight": sklearn_tight,
    "mllib": mllib,
    "passes": passes,
}


if __name__ == "__main__":
    name, rows, where = sys.argv[1:4]
    found = PROGRAMS[name](int(rows), Path(where), quick="--quick" in sys.argv)
    print(json.dumps({**found, "peak": peak_memory()}))
