"""Real clusters: the same sums on many processes, also when one of them dies during a pass."""

from __future__ import annotations

import importlib
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.engines.lazy import is_lazy, lazy_source
from bactrian.data.engines.spark_queries import SparkQueries
from bactrian.errors import DataError, DataTypeError
from bactrian.model.mixture import NormalMixture
from bactrian.present.sql import Expressions
from tests.conftest import NO_JAVA
from tests.data.lazy_frames import (
    DASK_MOVES,
    arrow_table,
    assert_sketch_is_exact,
    assert_sums_are_exact,
)

Array = NDArray[np.float64]

pytestmark = [
    pytest.mark.filterwarnings(DASK_MOVES),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    # PySpark leaves sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

N_ROWS, N_FILES = 5_000_000, 40
EVERYWHERE = np.array([[-100.0, 100.0]])  # with an exponent: no pilot, so one pass only


@pytest.fixture(scope="module")
def rows() -> Array:
    """Two components, five million rows."""
    random = np.random.default_rng(5)
    return random.normal(np.where(random.random(N_ROWS) < 0.4, -1.0, 3.0), 1.0)


@pytest.fixture(scope="module")
def folder(rows: Array, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as many Parquet files; and a few with faults in one of them."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path: Path = tmp_path_factory.mktemp("clusters")
    for name in ("clean", "dirty"):
        (path / name).mkdir()
    for i, part in enumerate(np.array_split(rows, N_FILES)):
        parquet.write_table(arrow_table({"x": part}), path / "clean" / f"{i:03}.parquet")
    random = np.random.default_rng(6)
    for i in range(4):
        x = random.normal(size=1000).tolist()
        y = random.normal(size=1000).tolist()
        if i == 2:
            x[10:13], y[5:7] = [None, None, float("nan")], [float("inf"), float("-inf")]
        part = arrow_table({"x": x, "y": y, "t": ["a"] * 1000, "w": random.random(1000)})
        parquet.write_table(part, path / "dirty" / f"{i:03}.parquet")
    return path


@pytest.fixture(scope="module")
def dask_client() -> Iterator[Any]:
    """A Dask cluster of two processes besides this one."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, memory_limit="2GiB",
            dashboard_address=":0", silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark cluster of two executor processes besides the driver."""
    pyspark = pytest.importorskip("pyspark")
    require_java()
    home = Path(pyspark.__file__).parent
    patch = pytest.MonkeyPatch()
    patch.setenv("SPARK_HOME", str(home))  # local-cluster starts its executors from there
    patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.executor.memory": "768m",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
    }
    builder = importlib.import_module("pyspark.sql").SparkSession.builder
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.master("local-cluster[2,1,1024]").appName("bactrian").getOrCreate()
    work = home / "work" / session.sparkContext.applicationId
    yield session
    session.stop()
    shutil.rmtree(work, ignore_errors=True)
    patch.undo()


def require_java() -> None:
    """Install Java where there is none, or skip."""
    script = Path(__file__).parent.parent / "services" / "java.sh"
    if shutil.which("java") is None:
        done = subprocess.run(
            ["bash", str(script)], capture_output=True, check=False, encoding="utf-8"
        )
        if done.returncode:
            pytest.skip(f"{NO_JAVA}: {done.stderr.strip()[-200:]}")


@pytest.fixture(params=["dask", "spark"])
def read(request: pytest.FixtureRequest) -> Callable[[Path], Any]:
    """How a cluster reads a folder of Parquet files."""
    if request.param == "dask":
        request.getfixturevalue("dask_client")
        return lambda path: importlib.import_module("dask.dataframe").read_parquet(path)
    session = request.getfixturevalue("spark")
    return lambda path: session.read.parquet(str(path))


def test_the_sums_are_those_of_the_rows(
    read: Callable[[Path], Any], folder: Path, rows: Array
) -> None:
    frame = read(folder / "clean")
    assert is_lazy(frame)
    found = lazy_source(frame)
    assert_sketch_is_exact(found.sketch(), rows, None)
    assert_sums_are_exact(found, rows, None, 2, 1.0, 4.0)


def test_faults_of_a_partition_are_named_once(read: Callable[[Path], Any], folder: Path) -> None:
    frame = read(folder / "dirty")
    with pytest.raises(DataError, match="column 'x' has 3 missing values among 4000 rows"):
        lazy_source(frame, "x").sketch()
    with pytest.raises(DataError, match="column 'y' has 2 infinite values among 4000 rows"):
        lazy_source(frame, "y", missing="drop").sketch()
    with pytest.raises(DataTypeError, match="column 't' is of type String, not real numbers"):
        lazy_source(frame, "t")
    with pytest.raises(DataError, match="sample_weight is not finite in 3 of 4000 rows"):
        lazy_source(frame, "w", "x").sketch()


@pytest.mark.parametrize("weighted", [False, True])
def test_missing_rows_are_dropped(
    read: Callable[[Path], Any], folder: Path, weighted: bool
) -> None:
    files = sorted((folder / "dirty").iterdir())
    parquet = importlib.import_module("pyarrow.parquet")
    whole = importlib.import_module("pyarrow").concat_tables([parquet.read_table(f) for f in files])
    x, w = (whole.column(name).to_pandas().to_numpy(dtype=np.float64) for name in "xw")
    kept = np.isfinite(x)
    x, w = x[kept], w[kept] if weighted else None
    found = lazy_source(read(folder / "dirty"), "x", "w" if weighted else None, "drop")
    sketch = found.sketch()
    assert sketch.n_missing == 3
    assert_sketch_is_exact(sketch, x, w)
    for k in (1, 3) if weighted else (2,):
        assert_sums_are_exact(found, x, w, k, 0.5, 2.0)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**900])
def test_extreme_units_lose_nothing_in_spark(spark: Any, unit: float) -> None:
    x = np.append(np.random.default_rng(1).normal(3.0, 1.0, 500), [1e5, -1e7, 0.0]) * unit
    found = lazy_source(spark.createDataFrame(arrow_table({"x": x})))
    assert_sketch_is_exact(found.sketch(), x, None)
    assert_sums_are_exact(found, x, None, 2, float(np.median(x)), 2.0 ** np.frexp(unit)[1])


def test_rows_at_any_distance_in_spark(spark: Any) -> None:
    # Bins whose numbers no integer holds; then more rows than may be given bins wherever they are.
    random = np.random.default_rng(5)
    for far in (np.array([3e30, -7e200]), np.exp(random.normal(0.0, 60.0, 70_000))):
        x = np.append(random.normal(size=9_000), far)
        found = lazy_source(spark.createDataFrame(arrow_table({"x": x}))).sketch()
        assert_sketch_is_exact(found, x, None)


def test_numbers_beyond_the_integers_in_spark(spark: Any) -> None:
    x = 1e300 * np.array([1.0, 1.0, 1.0 + 2.0**-40, -0.5, 0.0, -0.0])
    found = lazy_source(spark.createDataFrame(arrow_table({"x": x})))
    assert_sketch_is_exact(found.sketch(), x, None)
    # A distance of 1e300 standard deviations has no square.
    sums = found.first_order(0.0, 1.0, np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.ones(2))
    assert np.isfinite([sums.loglike, *sums.sums.ravel()]).all()


@pytest.mark.parametrize("name", ["a `b` {c}.d", "{}", "{frame}", "${x}", "select", "naïve ☃"])
def test_a_column_of_any_name_in_spark(spark: Any, name: str) -> None:
    x = np.random.default_rng(2).normal(size=300)
    frame = spark.createDataFrame(arrow_table({name: x, "x": np.zeros(300)}))
    views = spark.catalog.listTables()
    found = lazy_source(frame, name)
    assert_sketch_is_exact(found.sketch(), x, None)
    assert spark.catalog.listTables() == views


def test_the_pilot_in_spark_is_a_part_of_one_partition(spark: Any) -> None:
    frame = lazy_source(spark.range(0, 500_000, 1, 50).selectExpr("double(id) as x")).frame
    context = spark.sparkContext
    context.setJobGroup("pilot", "")
    (query,) = frame.some(8000)
    assert query.collect().get_column("x").to_list() == [float(i) for i in range(1000)]
    context.setJobGroup("", "")
    tracker = context.statusTracker()
    jobs = map(tracker.getJobInfo, tracker.getJobIdsForGroup("pilot"))
    stages = [tracker.getStageInfo(stage) for job in jobs for stage in job.stageIds]
    assert sum(stage.numTasks for stage in stages) == 1


def test_a_frame_in_the_cache_of_spark_stays_there(spark: Any) -> None:
    frame = spark.range(1000).selectExpr("double(id) as x").cache()
    frame.count()
    lazy_source(frame, "x").sketch()
    assert frame.storageLevel.useMemory
    for its_like in (frame, SparkQueries.of(frame).answer("select * from {frame} where x > 3")):
        assert "InMemory" in its_like._jdf.queryExecution().executedPlan().toString()
    frame.unpersist()


def test_two_columns_of_one_name_in_spark(spark: Any) -> None:
    frame = spark.range(100).selectExpr("double(id) as x", "double(id) as X", "1D as w", "id as y")
    for arguments in (("x",), ("y", "x")):
        with pytest.raises(DataError, match="has 2 columns that Spark knows as 'x': give them"):
            lazy_source(frame, *arguments)
    lazy_source(frame, "y", "w").sketch()
    spark.conf.set("spark.sql.caseSensitive", "true")
    assert lazy_source(frame, "x").sketch().count == 100
    spark.conf.unset("spark.sql.caseSensitive")


@pytest.mark.parametrize(("theirs", "ours"), [("200", 8), ("3", 3)])
def test_the_session_in_spark_is_left_as_it_was(spark: Any, theirs: str, ours: int) -> None:
    """Only a copy of it is told to add few groups by few tasks."""
    name = "spark.sql.shuffle.partitions"
    spark.conf.set(name, theirs)
    frame = spark.range(1000).selectExpr("double(id) as x")
    queries = SparkQueries.of(frame)
    grouped = queries.answer("select x, count(*) as n from {frame} group by x")
    assert f", {ours})" in exchange(grouped)
    assert grouped.count() == 1000
    lazy_source(frame, "x").sketch()
    assert spark.conf.get(name) == theirs
    assert f", {theirs})" in exchange(frame.groupBy("x").count())
    assert spark.catalog.listTables() == []
    spark.conf.unset(name)


def exchange(frame: Any) -> str:
    """The lines of a plan in which groups are dealt out."""
    plan = frame._jdf.queryExecution().executedPlan().toString()
    return "".join(line for line in plan.splitlines() if "hashpartitioning" in line)


@pytest.mark.parametrize("kind", ["float", "int", "decimal(12, 3)", "bigint"])
def test_numbers_of_any_type_in_spark(spark: Any, kind: str) -> None:
    x = np.random.default_rng(3).normal(0.0, 50.0, 400).round(2)
    frame = spark.createDataFrame(arrow_table({"x": x})).selectExpr(f"cast(x as {kind}) as x")
    stored = frame.selectExpr("double(x) as x").toArrow().column("x").to_numpy()
    assert_sketch_is_exact(lazy_source(frame).sketch(), stored, None)


def test_a_dask_worker_that_is_killed_changes_nothing(
    dask_client: Any, folder: Path, rows: Array, tmp_path: Path
) -> None:
    mark = str(tmp_path / "pid")

    def wait_once(part: Any) -> Any:
        """Let the first process that comes here wait for its end."""
        try:
            with open(mark, "x") as file:
                file.write(f"{os.getpid()}\n")
        except FileExistsError:
            return part
        time.sleep(120.0)
        return part

    frame = importlib.import_module("dask.dataframe").read_parquet(folder / "clean")
    source = lazy_source(frame.map_partitions(wait_once, meta=frame._meta))
    before = set(dask_client.run(os.getpid).values())
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_when_marked, Path(mark), lambda pid: pid)
        found = source.sketch(-6, EVERYWHERE)
        assert killed.result() in before
    assert_sketch_is_exact(found, rows, None)


def test_spark_scores_rows_as_the_mixture_does(spark: Any) -> None:
    mixture = NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.1, 2.0])
    x = [*np.linspace(-50.0, 60.0, 45).tolist(), 1e300, -1e300, math.inf, -math.inf]
    of = Expressions.of("two `words`", "spark")
    frame = spark.createDataFrame([*zip(x), (math.nan,), (None,)], "`two ``words``` double")
    asked = [of.posterior(mixture, 1), of.component(mixture), of.logpdf(mixture)]
    *rows, nan, null = (tuple(row) for row in frame.selectExpr(*asked).collect())
    posterior, component, logpdf = np.array(rows, dtype=float).T
    expected = mixture.responsibilities(x)
    np.testing.assert_allclose(posterior, expected[:, 1], rtol=0.0, atol=1e-12)
    assert component.tolist() == (1 + expected.argmax(axis=1)).tolist()
    np.testing.assert_allclose(logpdf[:45], mixture.logpdf(x[:45]), rtol=1e-12)
    assert np.isneginf(logpdf[45:]).all()
    assert (math.isnan(nan[0]), nan[1], math.isnan(nan[2])) == (True, None, True)
    assert null == (None, None, None)


def test_a_spark_executor_that_is_killed_changes_nothing(
    spark: Any, folder: Path, rows: Array, tmp_path: Path
) -> None:
    mark = str(tmp_path / "pid")

    def wait_once(parts: Any) -> Any:
        """Let the first process that comes here wait for its end; give back no row."""
        for part in parts:
            try:
                with open(mark, "x") as file:
                    file.write(f"{os.getpid()}\n")
                time.sleep(120.0)
            except FileExistsError:
                yield part[:0]

    waiting = spark.range(1).selectExpr("double(id) as x").mapInPandas(wait_once, "x double")
    source = lazy_source(spark.read.parquet(str(folder / "clean")).union(waiting))
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_when_marked, Path(mark), executor_of)
        found = source.sketch(-6, EVERYWHERE)
        assert killed.result() > 0
    assert_sketch_is_exact(found, rows, None)


def kill_when_marked(mark: Path, which: Callable[[int], int]) -> int:
    """Kill the process that a process has to do with whose number a file will hold."""
    deadline = time.monotonic() + 60.0
    while not (mark.exists() and mark.read_text().endswith("\n")):
        assert time.monotonic() < deadline, "no process came"
        time.sleep(0.02)
    pid = which(int(mark.read_text()))
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    return pid


def executor_of(pid: int) -> int:
    """The executor, a Java process, above one of its Python processes."""
    psutil = importlib.import_module("psutil")
    return next(
        int(parent.pid)
        for parent in psutil.Process(pid).parents()
        if "CoarseGrainedExecutorBackend" in " ".join(parent.cmdline())
    )
