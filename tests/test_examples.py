"""The examples run, without a warning, and find what they say; so does the benchmark of scale."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NO_JAVA

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

# Warnings about versions to come that packages address to every user of theirs.
FOREIGN = [
    "ignore:Dask support is moving out of Narwhals:FutureWarning",
    "ignore:PySpark does not yet fully support pandas:FutureWarning",
    # Of older versions of Matplotlib, about names of pyparsing.
    "ignore::DeprecationWarning:matplotlib._fontconfig_pattern",
    "ignore::DeprecationWarning:matplotlib._mathtext",
]
# Java code that is run once is not worth the compiler's best.
QUICK_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1", "SPARK_LOCAL_IP": "127.0.0.1"}


def printed(*command: str | Path) -> str:
    """What a Python program prints when warnings are errors."""
    warnings = [word for text in ("error", *FOREIGN) for word in ("-W", text)]
    done = subprocess.run(
        [sys.executable, *warnings, *command],
        cwd=ROOT,
        env={**os.environ, **QUICK_JAVA, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize(
    ("name", "packages", "line"),
    [
        (
            "01_out_of_core",
            ["duckdb", "polars", "pyarrow"],
            "the same maximum each time: log-likelihood -11045630.6146",
        ),
        (
            "02_dask",
            ["dask.dataframe", "distributed"],
            "the maximum of the rows in memory: log-likelihood -736173.8994",
        ),
        (
            "03_spark",
            ["pyspark", "pyarrow"],
            "the maximum of the rows in memory: log-likelihood -184076.9601",
        ),
        (
            "04_daily_sketches",
            ["duckdb"],
            "days  5 to 11: 280,000 rows, second mean 2.393 ± 0.016",
        ),
        (
            "05_database",
            ["adbc_driver_sqlite", "pyarrow"],
            "the maximum of the rows in memory: log-likelihood -245309.3748",
        ),
        (
            "06_thresholds",
            [],
            "error rate 0.194 ± 0.011, 0.171 to 0.215; actually 0.182",
        ),
        (
            "07_uncertainty",
            [],
            "share of short waits: 0.362 ± 0.040 with the weights, 0.216 without",
        ),
        (
            "08_one_or_two",
            [],
            "waiting: Two humps: two components are clearly better than one (p = 1.3e-26), and "
            "the density has two modes.",
        ),
        (
            "09_scoring_in_the_database",
            ["duckdb"],
            "500,000 rows scored where they are: posteriors as in NumPy, to 1e-12",
        ),
        (
            "10_plots",
            ["matplotlib"],
            "Newton: 4 steps",
        ),
    ],
)
def test_the_example_prints_this_line(name: str, packages: list[str], line: str) -> None:
    for package in packages:
        pytest.importorskip(package)
    if name == "03_spark" and shutil.which("java") is None:
        pytest.skip(NO_JAVA)
    assert line in printed(EXAMPLES / f"{name}.py").splitlines()


def test_the_benchmark_of_scale_runs_and_every_way_to_the_rows_ends_at_the_maximum() -> None:
    for package in ("duckdb", "polars", "pyarrow"):
        pytest.importorskip(package)
    page = printed("benchmarks/scale.py", "--rows", "1e4", "--quick")
    ours = [line for line in page.splitlines() if line.startswith("| Bactrian, ")]
    assert len(ours) == 4
    assert [line for line in ours if not line.endswith("| converged | < 1e-6 |")] == []
    assert "## A pass over the rows" in page


def test_every_example_is_listed_and_run() -> None:
    programs = {path.stem for path in EXAMPLES.glob("*.py")}
    assert programs
    listed = re.findall(r"^\| \[`(\w+)\.py`\]\((\w+)\.py\) \|", read(EXAMPLES / "README.md"), re.M)
    assert {name for pair in listed for name in pair} == programs
    assert programs == set(re.findall(r'"(\d\d_\w+)",$', read(Path(__file__)), re.M))


def read(path: Path) -> str:
    """The text of a file."""
    return path.read_text(encoding="utf-8")
