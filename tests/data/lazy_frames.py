"""The engines whose lazy frames are tested, each made from the same Arrow table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.engines.lazy import LazySource
from bactrian.data.sketches.accumulate import sketch_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.likelihood.sums import sum_rows

Array = NDArray[np.float64]

ENGINES = ["polars", "duckdb", "dask", "ibis"]
# Narwhals announces that its support for Dask will become a package of its own.
DASK_MOVES = "ignore:Dask support is moving out of Narwhals:FutureWarning"


def arrow_table(columns: Mapping[str, Any]) -> Any:
    """An Arrow table; None is null, NaN stays NaN."""
    pa = pytest.importorskip("pyarrow")
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def lazy_frame(engine: str, table: Any) -> Any:
    """The table as a lazy frame of an engine; skips where the engine is not installed."""
    module = pytest.importorskip("dask.dataframe" if engine == "dask" else engine)
    if engine == "polars":
        return module.from_arrow(table).lazy()
    if engine == "duckdb":
        return module.from_arrow(table)
    if engine == "dask":
        return module.from_pandas(table.to_pandas(), npartitions=3)
    return module.memtable(table)


def assert_sketch_is_exact(found: Sketch, x: Array, w: Array | None) -> None:
    """Assert that a sketch is that of rows in memory, to the rounding of sums."""
    expected = sketch_of(x, w, found.exponent)
    assert found.exponent == expected.exponent
    assert found.bins.tolist() == expected.bins.tolist()
    assert found.count == expected.count
    assert (found.minimum, found.maximum) == (expected.minimum, expected.maximum)
    eps = float(np.finfo(np.float64).eps)
    for mine, theirs in ((found.moments, expected.moments), (found.squares, expected.squares)):
        if theirs is None:
            assert mine is None
            continue
        assert mine is not None
        # A sum of n terms of size w is known to n eps times the sum of the w.
        rounding = 4.0 * eps * np.sqrt(x.size) * theirs[:, :1] + 1e-300
        assert (np.abs(mine - theirs) <= rounding).all()


def assert_sums_are_exact(
    source: LazySource, x: Array, w: Array | None, k: int, origin: float, scale: float
) -> None:
    """Assert that a source's sums under a mixture are those of the likelihood."""
    z, every = (x - origin) / scale, np.ones(x.size) if w is None else w
    weights = np.linspace(1.0, 2.0, k) / np.linspace(1.0, 2.0, k).sum()
    means = np.quantile(z, np.linspace(0.2, 0.8, k))
    sds = np.linspace(0.4, 0.7, k) * z.std()
    found = source.first_order(origin, scale, weights, means, sds)
    expected = sum_rows(z, every, weights[None], means[None], sds[None], second_order=False)
    total = every.sum()
    assert found.total == pytest.approx(total, rel=1e-12)
    assert abs(found.loglike - expected.loglike[0]) <= 1e-12 * max(abs(found.loglike), total)
    size = np.abs(z - means[:, None]).max() / sds.min() + 1.0
    np.testing.assert_allclose(
        found.sums, _first_order(expected.products), rtol=0.0, atol=1e-12 * total * size
    )


def _first_order(products: Array) -> Array:
    """The sums (3, K) of each component's own features, from products (1, K, 2K + 1)."""
    k = products.shape[1]
    own = np.arange(k)
    return np.asarray(products[0][own, np.stack([0 * own, own + 1, own + 1 + k])])
