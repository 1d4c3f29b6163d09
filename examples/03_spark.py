"""Fit a column of a Spark data frame where it lives.

Every pass is one Spark query of built-in functions: no Python runs on the executors, and only bins
come back to the driver. Any cluster will do; this one is in this machine.

Install: pip install bactrian pyspark, and a Java of version 17 or later
"""

from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

import bactrian as bt

TRUTH = bt.NormalMixture(weights=[0.35, 0.65], means=[0.0, 2.0], sds=[1.0, 1.3])


def main() -> None:
    readings = TRUTH.sample(100_000, np.random.default_rng(3))
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.ui.enabled", value=False)
        .config("spark.ui.showConsoleProgress", value=False)
        .getOrCreate()
    )
    with TemporaryDirectory() as folder:
        for number, part in enumerate(np.array_split(readings, 2)):
            pq.write_table(pa.table({"reading": part}), f"{folder}/{number}.parquet")
        frame = session.read.parquet(folder)
        fit = bt.fit(frame, column="reading")
        print(f"{frame.count():,} rows, summed up by Spark {session.version}")
        session.stop()
    in_memory = bt.fit(readings)

    assert fit.converged
    for parameter in ("weights", "means", "sds"):
        found, expected = getattr(fit.mixture, parameter), getattr(in_memory.mixture, parameter)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    print(f"the maximum of the rows in memory: log-likelihood {fit.loglike:.4f}")
    print(f"means {fit.mixture.means.round(4)}, sds {fit.mixture.sds.round(4)}")


if __name__ == "__main__":
    main()
