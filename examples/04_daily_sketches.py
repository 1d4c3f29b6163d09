"""Fit the last seven days, every day, without ever reading a row twice.

A day's rows become a sketch, a file of some tens of kilobytes; the rows themselves may be thrown
away. Sketches add and subtract, so a rolling window is the window before it, plus the day that
comes, minus the day that goes. The rows of each window in memory give the same answer.

Install: pip install 'bactrian[files]'
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import bactrian as bt

N_DAYS, WINDOW, ROWS_PER_DAY = 12, 7, 40_000


def rows_of(day: int) -> np.ndarray:
    """What was measured on a day; the second component wanders upwards."""
    mixture = bt.NormalMixture([0.35, 0.65], [0.0, 2.0 + 0.05 * day], [1.0, 1.3])
    return mixture.sample(ROWS_PER_DAY, np.random.default_rng([4, day]))


def assert_same(fit: bt.Fit, expected: bt.Fit) -> None:
    """Both fits are the same maximum."""
    assert fit.converged
    for name in ("weights", "means", "sds"):
        found = getattr(fit.mixture, name)
        np.testing.assert_allclose(found, getattr(expected.mixture, name), rtol=1e-9)


def main() -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"day-{day:02}.sketch" for day in range(N_DAYS)]
        for day, path in enumerate(paths):
            bt.Sketch.of(rows_of(day)).save(path)
        size = sum(path.stat().st_size for path in paths) / N_DAYS / 1e3
        print(f"{N_DAYS} days of {ROWS_PER_DAY:,} rows; a sketch has {size:.0f} kB")

        window = sum(bt.Sketch.load(path) for path in paths[:WINDOW])
        for last in range(WINDOW - 1, N_DAYS):
            if last >= WINDOW:
                window = window + bt.Sketch.load(paths[last])
                window = window - bt.Sketch.load(paths[last - WINDOW])
            days = range(last - WINDOW + 1, last + 1)
            fit = bt.fit(window)
            assert_same(fit, bt.fit(np.concatenate([rows_of(day) for day in days])))
            mean = next(found for found in fit.confint() if found.name == "mean 2")
            print(
                f"days {days[0]:2} to {days[-1]:2}: {len(window):,} rows, "
                f"second mean {mean.value:.3f} ± {mean.standard_error:.3f}"
            )


if __name__ == "__main__":
    main()
