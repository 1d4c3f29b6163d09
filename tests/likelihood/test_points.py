"""The public functions of sums take whatever a fit takes; those of rows take what has rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bactrian as bt
from bactrian.data.streams import big_files
from bactrian.likelihood.points import LEAST_BINS, in_unit

RNG = np.random.default_rng(20261127)
X = np.concatenate([RNG.normal(50.0, 6.0, 400), RNG.normal(75.0, 8.0, 600)])
W = RNG.integers(0, 4, X.size).astype(float)
MIXTURE = bt.NormalMixture([0.45, 0.55], [51.0, 74.0], [6.5, 7.0])
FRAME = pl.DataFrame({"x": X, "other": X**2, "w": W})
SUMS: dict[str, Any] = {
    "evaluate": bt.evaluate,
    "loglike": bt.loglike,
    "score": bt.score,
    "hessian": bt.hessian,
}
ROWS: dict[str, Any] = {"responsibilities": bt.responsibilities, "score_obs": bt.score_obs}
OPTIONS = ("natural", "working")


def numbers(found: Any) -> np.ndarray[Any, Any]:
    """All numbers of a result."""
    if isinstance(found, bt.Evaluation):
        return np.concatenate([[found.loglike], found.score, found.hessian.ravel()])
    return np.asarray(found)


@pytest.mark.parametrize("name", SUMS)
def test_a_column_of_a_frame_or_file_is_an_array(name: str, tmp_path: Path) -> None:
    function = SUMS[name]
    expected = numbers(function(X, MIXTURE, sample_weight=W))
    path = tmp_path / "table.parquet"
    FRAME.write_parquet(path)
    for data in (FRAME, FRAME.to_pandas(), FRAME.to_arrow(), FRAME.to_dict(), path):
        found = function(data, MIXTURE, column="x", sample_weight="w")
        assert np.array_equal(numbers(found), expected)


@pytest.mark.parametrize("name", SUMS)
def test_missing_rows_are_dropped_where_that_is_asked_for(name: str) -> None:
    holed = np.insert(X, [3, 500], np.nan)
    with pytest.raises(bt.DataError, match=r"2 missing values.*missing='drop'"):
        SUMS[name](holed, MIXTURE)
    found = SUMS[name](holed, MIXTURE, missing="drop")
    assert np.array_equal(numbers(found), numbers(SUMS[name](X, MIXTURE)))


@pytest.mark.parametrize("coordinates", OPTIONS)
@pytest.mark.parametrize("scale", [1.0, 2.0**500, 2.0**-500])
def test_a_sketch_stands_for_its_rows(coordinates: Any, scale: float) -> None:
    """To rounding, as each component is dozens of bins wide; errors are in standard errors."""
    x, mixture = X * scale, MIXTURE.affine(0.0, scale)
    rows = bt.evaluate(X, MIXTURE, coordinates=coordinates, sample_weight=W)
    sketch = bt.Sketch.of(x, sample_weight=W)
    assert sketch.width < mixture.sds.min() / 8.0
    found = bt.evaluate(sketch, mixture, coordinates=coordinates)
    loglike = rows.loglike - W.sum() * np.log(scale)
    assert found.loglike == pytest.approx(loglike, rel=1e-13)
    assert bt.loglike(sketch, mixture) == pytest.approx(loglike, rel=1e-13)
    size, p = np.sqrt(-np.diag(rows.hessian)), rows.score.size
    orders = np.repeat([0.0, 1.0, 2.0 * (coordinates == "natural")], 2)[-p:]
    with np.errstate(over="ignore"):
        units = np.stack([scale ** np.minimum(orders, 1.0), scale ** np.maximum(orders - 1.0, 0.0)])
    scores = found.score * units[0] * units[1]
    assert scores / size == pytest.approx(rows.score / size, abs=1e-10)
    first, second = units[:, :, None], units[:, None]
    hessian = found.hessian * first[0] * second[0] * first[1] * second[1]
    seen = (found.hessian != 0.0) & np.isfinite(found.hessian)
    assert seen.sum() > p
    error = (hessian - rows.hessian)[seen] / np.outer(size, size)[seen]
    assert np.abs(error).max() < 1e-11


def test_other_sources_are_their_sketches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.sketch"
    bt.Sketch.of(X).save(path)
    expected = bt.loglike(X, MIXTURE)
    chunks = (FRAME[i : i + 100] for i in range(0, X.size, 100))
    lazy = FRAME.lazy()
    for data, column in ((path, None), (chunks, "x"), (lazy, "x")):
        assert bt.loglike(data, MIXTURE, column=column) == pytest.approx(expected, rel=1e-13)
    table = tmp_path / "table.parquet"
    FRAME.write_parquet(table)
    monkeypatch.setattr(big_files, "is_large", lambda data: True)
    found = bt.score(table, MIXTURE, column="x", sample_weight="w")
    assert found == pytest.approx(bt.score(X, MIXTURE, sample_weight=W), rel=1e-9)


def test_a_fit_and_its_sketch_have_the_log_likelihood_that_is_computed_here() -> None:
    sketch = bt.Sketch.of(FRAME, column="x")
    fit = bt.fit(sketch)
    assert bt.loglike(sketch, fit.mixture) == pytest.approx(fit.loglike, rel=1e-13)
    score = bt.score(sketch, fit.mixture, coordinates="working")
    assert np.abs(score).max() < 1e-6


def test_a_component_narrower_than_two_bins_is_refused() -> None:
    sketch = bt.Sketch.of(X, exponent=2)
    enough = bt.NormalMixture([0.0, 1.0], [50.0, 75.0], [1.0, LEAST_BINS * sketch.width])
    assert np.isfinite(bt.loglike(sketch, enough))
    narrow = bt.NormalMixture([0.5, 0.5], [50.0, 75.0], [7.9, 20.0])
    for function in SUMS.values():
        with pytest.raises(bt.DataError, match=r"bins of width 4.*sd 7.9.*smaller exponent"):
            function(sketch, narrow)
    with pytest.raises(bt.DataError, match=r"bins of width.*pass the rows"):
        bt.score(bt.Sketch.of([50.0, 75.0, 1e155]), MIXTURE)


def test_a_mixture_far_from_the_unit_of_a_sketch_is_still_evaluated() -> None:
    """Its sds may have no digits in local units, which are those of the rows."""
    x, wide = X * 1e-200, bt.NormalMixture([0.5, 0.5], [0.0, 1e150], [1e150, 2e150])
    assert in_unit(wide, 0.0, -660) is None
    sketch = bt.Sketch.of(x)
    for coordinates in ("natural", "working"):
        found = bt.evaluate(sketch, wide, coordinates=coordinates)
        expected = bt.evaluate(x, wide, coordinates=coordinates)
        assert numbers(found) == pytest.approx(numbers(expected), rel=1e-12, abs=0.0)


@pytest.mark.parametrize("name", ROWS)
def test_what_is_asked_for_row_by_row_takes_rows(name: str, tmp_path: Path) -> None:
    function, path = ROWS[name], tmp_path / "table.csv"
    FRAME.write_csv(path)
    expected = function(X, MIXTURE)
    for data in (FRAME, FRAME.to_pandas(), path):
        assert np.array_equal(function(data, MIXTURE, column="x"), expected)
    assert np.array_equal(function(pd.Series(X), MIXTURE), expected)
    with pytest.raises(bt.DataError, match=r"2 columns|3 columns"):
        function(FRAME, MIXTURE)
    with pytest.raises(bt.DataError, match=r"1 missing value.*leave such rows out first"):
        function([1.0, np.nan], MIXTURE)


@pytest.mark.parametrize("name", ROWS)
def test_a_sketch_has_no_rows_to_give(name: str, tmp_path: Path) -> None:
    sketch, path = bt.Sketch.of(X), tmp_path / "x.sketch"
    sketch.save(path)
    for data in (sketch, path):
        with pytest.raises(bt.DataTypeError, match=r"a sketch does not hold the rows"):
            ROWS[name](data, MIXTURE)
    for other in (FRAME.lazy(), iter([X]), lambda: iter([X])):
        with pytest.raises(bt.DataTypeError, match=r"not in memory.*collect the column first"):
            ROWS[name](other, MIXTURE, column="x")
