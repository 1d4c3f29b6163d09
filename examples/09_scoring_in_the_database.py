"""Fit a sample once, keep the fit as JSON, and score every row in the database that has them.

The posterior of a mixture is an expression of one column, so the rows need not leave the database:
not for the probability of the second component, not for the class at a threshold. The numbers are
those of NumPy.

Install: pip install 'bactrian[files]'
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

import bactrian as bt

TRUTH = bt.NormalMixture(weights=[0.35, 0.65], means=[0.0, 4.0], sds=[1.0, 1.3])
N_ROWS = 500_000


def main() -> None:
    readings = TRUTH.sample(N_ROWS, np.random.default_rng(9))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fit.json"
        path.write_text(bt.fit({"reading": readings[:5000]}).to_json(), encoding="utf-8")
        fit = bt.Fit.from_json(path.read_text(encoding="utf-8"))
    print(f"a fit of {fit.n_obs:,.0f} rows, kept as {len(fit.to_json()):,} characters of JSON")

    with duckdb.connect() as database:
        database.register("plant", {"reading": readings})
        database.execute(
            f"create table scored as select reading, {fit.to_sql()} as posterior, "
            f"{fit.to_sql(what='class', posterior=0.9)} as class from plant"
        )
        scored = database.execute("select * from scored").fetchnumpy()

    expected = fit.mixture.responsibilities(scored["reading"])[:, 1]
    assert np.abs(scored["posterior"] - expected).max() < 1e-12
    above = scored["reading"] > fit.threshold(posterior=0.9).value
    assert (scored["class"] == 1 + above).all()
    print(f"{N_ROWS:,} rows scored where they are: posteriors as in NumPy, to 1e-12")
    print(f"{above.mean():.4f} of them are above the cut")


if __name__ == "__main__":
    main()
