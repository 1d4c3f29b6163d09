"""Lazy frames: sums taken inside an engine are those of the rows, and faults are named once."""

from __future__ import annotations

import importlib
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.engines import groups, lazy, lazy_grid
from bactrian.data.engines.lazy import LazySource, is_lazy, lazy_source
from bactrian.data.sketches.accumulate import exponent_for, rows_within, sketch_of
from bactrian.data.sketches.sketch import CAP
from bactrian.errors import DataError, DataTypeError, ParameterError
from tests.data.lazy_frames import (
    DASK_MOVES,
    ENGINES,
    arrow_table,
    assert_sketch_is_exact,
    assert_sums_are_exact,
    lazy_frame,
)

Array = NDArray[np.float64]

pytestmark = pytest.mark.filterwarnings(DASK_MOVES)
every_engine = pytest.mark.parametrize("engine", ENGINES)


def column(n: int, seed: int = 1) -> Array:
    """Two components."""
    random = np.random.default_rng(seed)
    return random.normal(np.where(random.random(n) < 0.4, -1.0, 3.0), 1.0)


def source(engine: str, missing: Any = "error", **columns: Any) -> LazySource:
    """A source of column x, weighted by column w if there is one."""
    frame = lazy_frame(engine, arrow_table(columns))
    return lazy_source(frame, "x", "w" if "w" in columns else None, missing)


@every_engine
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_the_rows(engine: str, weighted: bool) -> None:
    x = column(20_000)
    w = np.random.default_rng(2).uniform(0.0, 2.0, x.size) if weighted else None
    if w is not None:
        w[::5] = 0.0
    found = source(engine, x=x) if w is None else source(engine, x=x, w=w)
    assert found.is_rereadable
    assert found.column == "x"
    sketch = found.sketch()
    assert abs(sketch.exponent - exponent_for(x)) <= 1
    assert sketch.column == "x"
    assert_sketch_is_exact(sketch, x, w)
    assert_sketch_is_exact(found.sketch(-3), x, w)


@every_engine
def test_products_lose_no_digits(engine: str) -> None:
    x = np.random.default_rng(4).uniform(0.98, 1.0, 4000)
    (found,) = source(engine, x=x).sketch(0).moments
    terms = [np.ones(x.size, np.longdouble), 2.0 * x.astype(np.longdouble) - 1.0]
    for _ in range(6):
        terms.append(2.0 * terms[1] * terms[-1] - terms[-2])
    # A sum taken row by row is known to eps sqrt(n) / 6; of a product twice as large as the
    # polynomial, to twice that. Six standard deviations; sums of powers are off by forty.
    rounding = 2.0 * np.finfo(np.float64).eps * np.sqrt(x.size) * x.size
    assert (np.abs(found - np.sum(terms, axis=1)) <= rounding).all()


@every_engine
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_under_a_mixture_are_those_of_the_likelihood(
    engine: str, k: int, weighted: bool
) -> None:
    x = column(20_000)
    w = np.random.default_rng(2).uniform(0.0, 2.0, x.size) if weighted else None
    found = source(engine, x=x) if w is None else source(engine, x=x, w=w)
    assert_sums_are_exact(found, x, w, k, 1.0, 4.0)
    found.sketch()
    assert_sums_are_exact(found, x, w, k, 1.0, 4.0)


@every_engine
@pytest.mark.parametrize("unit", [2.0**-1040, 1e-300, 1e12, 2.0**900])
def test_extreme_units_lose_nothing(engine: str, unit: float) -> None:
    x = column(500) * unit
    found = source(engine, x=x)
    assert_sketch_is_exact(found.sketch(), x, None)
    assert_sums_are_exact(found, x, None, 2, float(np.median(x)), 2.0 ** np.frexp(unit)[1])


@every_engine
def test_a_large_offset_loses_nothing(engine: str) -> None:
    x = 1e12 + np.round(column(5000), 3)
    found = source(engine, x=x)
    assert_sketch_is_exact(found.sketch(), x, None)
    assert_sums_are_exact(found, x, None, 2, 1e12, 2.0)


@every_engine
def test_whole_bins_beyond_the_integers(engine: str) -> None:
    x = 1e300 * np.array([1.0, 1.0, 1.0 + 2.0**-40, -0.5, 0.0, -0.0])
    found = source(engine, x=x)
    assert_sketch_is_exact(found.sketch(), x, None)
    far = found.first_order(0.0, 1.0, np.array([0.5, 0.5]), np.zeros(2), np.ones(2))
    assert np.isfinite(far.loglike)
    assert np.isfinite(far.sums).all()


@every_engine
def test_missing_values_are_counted_once(engine: str) -> None:
    x = [1.0, None, 2.0, None, float("nan"), 4.0]
    kept = np.array([1.0, 2.0, 4.0])
    with pytest.raises(DataError, match="column 'x' has 3 missing values among 6 rows: pass miss"):
        source(engine, x=x).sketch()
    with pytest.raises(DataError, match="3 missing values"):
        source(engine, x=x).first_order(0.0, 1.0, np.ones(1), np.ones(1), np.ones(1))
    dropped = source(engine, "drop", x=x)
    sketch = dropped.sketch()
    assert sketch.n_missing == 3
    assert_sketch_is_exact(sketch, kept, None)
    assert_sums_are_exact(dropped, kept, None, 2, 2.0, 1.0)


@every_engine
def test_infinite_values_are_refused_in_any_case(engine: str) -> None:
    x = [1.0, float("inf"), None, float("-inf")]
    with pytest.raises(DataError, match="column 'x' has 2 infinite values among 4 rows"):
        source(engine, "drop", x=x).sketch()


@every_engine
def test_the_largest_double_is_a_number(engine: str) -> None:
    x = np.array([np.finfo(float).max, 1.0])
    assert source(engine, x=x).sketch().maximum == x[0]
    with pytest.raises(DataError, match="a range beyond the largest double"):
        source(engine, x=np.array([x[0], -x[0]])).sketch()


@every_engine
@pytest.mark.parametrize(
    ("w", "message"),
    [
        ([1.0, -1.0, 2.0], "sample_weight is negative in 1 of 3 rows"),
        ([1.0, float("nan"), None], "sample_weight is not finite in 2 of 3 rows"),
        ([1.0, float("inf"), 2.0], "sample_weight is not finite in 1 of 3 rows"),
        ([0.0, 0.0, 0.0], "sample_weight is zero in every row"),
    ],
)
def test_weights_that_are_none_are_refused(engine: str, w: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        source(engine, x=[1.0, 2.0, 3.0], w=w).sketch()


@every_engine
def test_weights_of_rows_that_are_left_out_do_not_matter(engine: str) -> None:
    found = source(engine, "drop", x=[1.0, None, 3.0], w=[1.0, -9.0, 2.0]).sketch()
    assert (found.total, found.n_missing) == (3.0, 1)


@every_engine
def test_columns_without_rows(engine: str) -> None:
    nothing = arrow_table({"x": np.empty(0)})
    with pytest.raises(DataError, match="column 'x' has no rows"):
        lazy_source(lazy_frame(engine, nothing)).sketch()
    with pytest.raises(DataError, match="column 'x' has missing values only"):
        source(engine, "drop", x=[float("nan")] * 3).sketch()


@every_engine
def test_text_is_refused_before_any_pass(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "collected", None)
    frame = lazy_frame(engine, arrow_table({"t": ["a", "b"], "x": [1.0, 2.0]}))
    with pytest.raises(DataTypeError, match="column 't' is of type String, not real numbers"):
        lazy_source(frame, "t")
    with pytest.raises(DataTypeError, match="column 't' is of type String"):
        lazy_source(frame, "x", "t")
    assert lazy_source(frame).column == "x"


@every_engine
def test_the_column_must_be_known(engine: str) -> None:
    frame = lazy_frame(engine, arrow_table({"Height": [1.0, 2.0], "width": [1, 2]}))
    with pytest.raises(DataError, match="has 2 columns of numbers, Height and width: choose one"):
        lazy_source(frame)
    with pytest.raises(DataError, match="did you mean 'Height'"):
        lazy_source(frame, "height")
    with pytest.raises(DataError, match="no column 'weights'"):
        lazy_source(frame, "Height", "weights")
    assert lazy_source(frame, weight="width").column == "Height"
    with pytest.raises(ParameterError, match="missing must be"):
        lazy_source(frame, "Height", missing="no")  # type: ignore[arg-type]


@every_engine
@pytest.mark.parametrize("kind", ["int32", "float32", "uint8", "decimal", "nullable"])
def test_other_numbers_become_doubles(engine: str, kind: str) -> None:
    numbers: Any = [3, 1, 2, 2, 7]
    if kind == "decimal":
        numbers = [Decimal(v) / 4 for v in numbers]
    elif kind == "nullable":
        numbers = [*numbers, None]
    else:
        numbers = np.array(numbers, dtype=kind)
    if (engine, kind) == ("dask", "decimal"):  # which come there as Python objects
        with pytest.raises(DataTypeError, match="column 'x' is of type"):
            source(engine, x=numbers)
        return
    x: Array = np.array([float(v) for v in numbers if v is not None])
    found = source(engine, "drop", x=numbers).sketch()
    assert found.n_missing == (kind == "nullable")
    assert_sketch_is_exact(found, x, None)


@every_engine
def test_ranges_are_half_open(engine: str) -> None:
    x = np.concatenate([column(5000), [0.0, 1.0, 2.0]])
    within = np.array([[2.0, np.inf], [0.0, 1.0]])
    inside = x[rows_within(x, within)]
    found = source(engine, x=x)
    for exponent in (-12, -6, None):
        assert_sketch_is_exact(found.sketch(exponent, within), inside, None)
    narrow = np.array([[0.25, 0.5], [1.0, 1.0625]])
    expected = x[rows_within(x, narrow)]
    assert_sketch_is_exact(found.sketch(-12, narrow), expected, None)
    nothing = found.sketch(-12, np.array([[99.0, 100.0]]))
    assert (nothing.count, nothing.bins.size) == (0, 0)


@every_engine
def test_a_few_far_rows_have_bins_of_their_own(engine: str) -> None:
    x = column(3000)
    x[::1000] = [1e9, -1e11, 1e5]
    assert_sketch_is_exact(source(engine, x=x).sketch(), x, None)
    w: Array = np.arange(float(x.size)) % 3.0
    assert_sketch_is_exact(source(engine, x=x, w=w).sketch(), x, w)


@pytest.mark.parametrize("engine", ["polars", "duckdb", "ibis"])
def test_a_row_so_far_that_its_bin_has_no_number(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_grid, "PILOT", 100)
    x = np.append(1e-200 * column(3000), 1e200)
    assert_sketch_is_exact(source(engine, x=x).sketch(), x, None)


@every_engine
@pytest.mark.parametrize("exponent", [None, -40])
def test_many_far_rows_lead_to_a_coarser_grid(
    engine: str, exponent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy, "_FEW", 100)
    monkeypatch.setattr(lazy, "_REACH", 64.0)
    monkeypatch.setattr(lazy_grid, "GROUPS", 2000)
    x = np.random.default_rng(3).standard_cauchy(20_000) + 5.0
    found = source(engine, x=x).sketch(exponent)
    assert 50 < found.bins.size <= 2000
    assert_sketch_is_exact(found, x, None)


def test_what_comes_back_is_limited() -> None:
    random = np.random.default_rng(3)
    x = np.exp(random.normal(0.0, 60.0, 200_000))  # more octaves than a grid can resolve
    found = source("polars", x=x).sketch()
    assert CAP // 4 < found.bins.size <= CAP
    assert_sketch_is_exact(found, x, None)


@pytest.mark.parametrize("engine", ["polars", "duckdb", "ibis"])  # Dask looks elsewhere too
def test_a_head_that_is_constant_misleads_nobody(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_grid, "PILOT", 100)
    monkeypatch.setattr(lazy, "_FEW", 100)
    x = np.concatenate([np.full(7000, 40.0), column(20_000)])
    found = source(engine, x=x).sketch()
    assert found.width < 0.02
    assert_sketch_is_exact(found, x, None)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("narrow", [1.0, 1e-3])
def test_a_head_that_is_wide_misleads_nobody(
    engine: str, narrow: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_grid, "PILOT", 100)
    x = np.concatenate([np.linspace(-1e4, 1e4, 100), 7.0 + narrow * column(20_000)])
    found = source(engine, x=x).sketch()
    assert found.width <= narrow / 16.0
    assert_sketch_is_exact(found, x, None)


def test_ties_do_not_make_the_grid_finer() -> None:
    x = np.concatenate([column(1000), np.full(9000, 0.1)])
    assert source("polars", x=x).sketch().exponent == exponent_for(x)


@every_engine
def test_a_fit_is_that_of_the_rows_in_memory(engine: str) -> None:
    x = column(20_000)
    frame = lazy_frame(engine, arrow_table({"x": x}))
    found, expected = bt.fit(frame, column="x"), bt.fit(x)
    assert found.converged
    for name in ("weights", "means", "sds"):
        mine, theirs = getattr(found.mixture, name), getattr(expected.mixture, name)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    assert bt.Sketch.of(frame, column="x").count == x.size


@every_engine
def test_one_pass_and_a_pilot(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[object] = []
    run = groups.collected

    def counting(query: Any) -> dict[str, Array]:
        """Run a query and remember it."""
        queries.append(query)
        return run(query)

    monkeypatch.setattr(groups, "collected", counting)
    monkeypatch.setattr(lazy_grid, "collected", counting)
    found = source(engine, x=column(1000))
    assert not queries
    found.sketch()
    assert len(queries) == 2
    found.sketch(-9, np.array([[0.0, 1.0]]))
    assert len(queries) == 3
    found.first_order(0.0, 1.0, np.ones(1), np.zeros(1), np.ones(1))
    assert len(queries) == 4


def test_data_that_change_between_the_passes_are_refused() -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as engine:
        engine.execute("create table t as select range::double as x from range(100)")
        found = lazy_source(engine.table("t"))
        found.sketch()
        mixture = (np.ones(1), np.zeros(1), np.ones(1))
        assert found.first_order(0.0, 1.0, *mixture).total == 100.0
        engine.execute("insert into t values (1.0)")
        with pytest.raises(DataError, match="has 101 rows now and had 100 before: the data chang"):
            found.first_order(0.0, 1.0, *mixture)
        engine.execute("insert into t values ('nan')")
        with pytest.raises(DataError, match="1 missing value among 102 rows"):
            found.sketch()


def test_lazy_frames_are_told_from_others() -> None:
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    nw = importlib.import_module("narwhals")
    table = arrow_table({"x": [1.0]})
    assert all(is_lazy(lazy_frame(engine, table)) for engine in ENGINES)
    assert is_lazy(nw.from_native(polars.LazyFrame({"x": [1.0]})))
    frames = [table, polars.DataFrame({"x": [1.0]}), pandas.DataFrame({"x": [1.0]})]
    others: list[object] = [*frames, nw.from_native(frames[1]), [1.0], "x.csv", None, np.ones(3)]
    assert not any(is_lazy(other) for other in others)


def test_telling_imports_nothing() -> None:
    code = (
        "import sys; from bactrian.data.engines.lazy import is_lazy;"
        "is_lazy([1.0]); is_lazy('x.csv');"
        "names = 'narwhals polars duckdb dask pyspark ibis pandas pyarrow'.split();"
        "sys.exit(sum(name in sys.modules for name in names))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_reference_is_a_sketch_of_rows() -> None:
    """The comparison that the other tests rest on tells sketches apart."""
    x = column(1000)
    found = sketch_of(x, None, -4)
    with pytest.raises(AssertionError):
        assert_sketch_is_exact(found, x + 1e-9, None)
