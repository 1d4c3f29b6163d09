"""Fit what a query to a database gives, without a file in between.

Each pass runs the query again and reads its rows a batch at a time, through ADBC: here from SQLite,
with 'postgresql://...' from PostgreSQL. A filter, a join, a conversion of units belong into the
query. The rows in memory give the same answer.

Install: pip install 'bactrian[database]'
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import bactrian as bt

TRUTH = bt.NormalMixture(weights=[0.35, 0.65], means=[0.0, 2.0], sds=[1.0, 1.3])
N_ROWS, N_SENSORS = 200_000, 3


def main() -> None:
    rng = np.random.default_rng(5)
    sensors, readings = rng.integers(N_SENSORS, size=N_ROWS), TRUTH.sample(N_ROWS, rng)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plant.db"
        with closing(sqlite3.connect(path)) as database:
            database.execute("create table measured (sensor integer, reading double precision)")
            rows = zip(sensors.tolist(), readings.tolist(), strict=True)
            database.executemany("insert into measured values (?, ?)", rows)
            database.commit()

        query = bt.Query(f"sqlite:///{path}", "select reading from measured where sensor <> 2")
        fit = bt.fit(query)
    in_memory = bt.fit(readings[sensors != 2])

    assert fit.converged
    for parameter in ("weights", "means", "sds"):
        found, expected = getattr(fit.mixture, parameter), getattr(in_memory.mixture, parameter)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    print(f"{(sensors != 2).sum():,} of {N_ROWS:,} rows, as the query asks")
    print(f"the maximum of the rows in memory: log-likelihood {fit.loglike:.4f}")
    print(f"means {fit.mixture.means.round(4)}, sds {fit.mixture.sds.round(4)}")


if __name__ == "__main__":
    main()
