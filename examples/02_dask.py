"""Fit a column of a Dask data frame where it lives: on a cluster of processes.

Every pass is one task graph. A partition is reduced to sums on the worker that holds it; what comes
back to this process is a few thousand bins, however many rows there are.

Install: pip install bactrian 'dask[dataframe,distributed]'
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster

import bactrian as bt

TRUTH = bt.NormalMixture(weights=[0.35, 0.65], means=[0.0, 2.0], sds=[1.0, 1.3])
N_FILES, ROWS_PER_FILE = 4, 100_000


def write_files(folder: Path) -> None:
    """Write one file after another."""
    rng = np.random.default_rng(2)
    for number in range(N_FILES):
        readings = TRUTH.sample(ROWS_PER_FILE, rng)
        pd.DataFrame({"reading": readings}).to_parquet(folder / f"{number}.parquet")


def main() -> None:
    with TemporaryDirectory() as folder:
        write_files(Path(folder))
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            frame = dd.read_parquet(folder)
            fit = bt.fit(frame, column="reading")
            workers = len(client.scheduler_info()["workers"])
            print(f"{frame.npartitions} partitions on {workers} worker processes")
        in_memory = bt.fit(pd.read_parquet(folder)["reading"])

    assert fit.converged
    for parameter in ("weights", "means", "sds"):
        found, expected = getattr(fit.mixture, parameter), getattr(in_memory.mixture, parameter)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    print(f"the maximum of the rows in memory: log-likelihood {fit.loglike:.4f}")
    print(f"means {fit.mixture.means.round(4)}, sds {fit.mixture.sds.round(4)}")


# Worker processes import this file: only the first process may start a cluster.
if __name__ == "__main__":
    main()
