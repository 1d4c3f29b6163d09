"""Fit a column that is read a piece at a time: Parquet files, by their glob and by a lazy frame.

Files of more than five million rows are streamed, and a lazy frame is summed up by its engine: each
pass keeps nothing but sums, so that the memory a fit needs does not grow with the number of rows.
All the rows in memory give the same answer.

Install: pip install 'bactrian[files,polars,arrow]'
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

import bactrian as bt

TRUTH = bt.NormalMixture(weights=[0.35, 0.65], means=[0.0, 2.0], sds=[1.0, 1.3])
N_FILES, ROWS_PER_FILE = 12, 500_000


def write_files(folder: Path) -> None:
    """Write one file after another: sensors and what they read."""
    rng = np.random.default_rng(1)
    for number in range(N_FILES):
        readings = TRUTH.sample(ROWS_PER_FILE, rng)
        sensors = rng.integers(100, size=ROWS_PER_FILE)
        frame = pl.DataFrame({"sensor": sensors, "reading": readings})
        frame.write_parquet(folder / f"{number:02}.parquet", row_group_size=100_000)


def peak_memory() -> str:
    """The most memory that this process has had so far."""
    try:
        import resource
    except ImportError:
        return "unknown on Windows"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6:.0f} MB"


def main() -> None:
    with TemporaryDirectory() as name:
        write_files(Path(name))
        files = f"{name}/*.parquet"
        print(f"{N_FILES * ROWS_PER_FILE:,} rows in {N_FILES} files; peak memory {peak_memory()}")

        by_scan = bt.fit(pl.scan_parquet(files), column="reading")
        print(f"after the fit of the lazy frame: peak memory {peak_memory()}")

        by_glob = bt.fit(files, column="reading")
        print(f"after the fit of the glob: peak memory {peak_memory()}")

        in_memory = bt.fit(pl.read_parquet(files)["reading"])
        print(f"after the fit of all the rows in memory: peak memory {peak_memory()}")

    for fit in (by_scan, by_glob):
        assert fit.converged
        for parameter in ("weights", "means", "sds"):
            found, expected = getattr(fit.mixture, parameter), getattr(in_memory.mixture, parameter)
            np.testing.assert_allclose(found, expected, rtol=1e-9)
    print(f"the same maximum each time: log-likelihood {by_glob.loglike:.4f}")
    print(f"means {by_glob.mixture.means.round(4)}, sds {by_glob.mixture.sds.round(4)}")


if __name__ == "__main__":
    main()
