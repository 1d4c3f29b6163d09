"""Frames and series of other packages: the same bits, the same rule for missing values."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, DataTypeError

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

X = np.random.default_rng(7).normal(size=40) * 10.0 ** np.arange(-150, 50, 5)


class Stream:
    """An object that streams Arrow data once and offers nothing else."""

    def __init__(self, source: Any) -> None:
        self.sources = [source]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.sources.pop().__arrow_c_stream__(requested_schema)


class ArrowArray:
    """An object that shows one Arrow array."""

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return pa.array(X).__arrow_c_array__(requested_schema)


def pandas_nullable() -> Any:
    return pd.array(X, dtype="Float64")


HOLDERS: dict[str, Any] = {
    "pandas Series": lambda: pd.Series(X),
    "pandas Index": lambda: pd.Index(X),
    "pandas Float64": lambda: pd.Series(X, dtype="Float64"),
    "pandas array": pandas_nullable,
    "pandas pyarrow": lambda: pd.Series(X, dtype="double[pyarrow]"),
    "pandas object": lambda: pd.Series(X, dtype=object),
    "pandas Sparse": lambda: pd.Series(pd.arrays.SparseArray(X)),
    "pandas frame": lambda: pd.DataFrame({"x": X, "s": "a"}),
    "pandas numbered columns": lambda: pd.DataFrame({0: X}),
    "Polars Series": lambda: pl.Series(X),
    "Polars frame": lambda: pl.DataFrame({"x": X, "s": ["a"] * X.size}),
    "Polars lazy": lambda: pl.LazyFrame({"x": X, "s": ["a"] * X.size}),
    "Arrow array": lambda: pa.array(X),
    "Arrow chunks": lambda: pa.chunked_array([X[:7], X[7:]]),
    "Arrow table": lambda: pa.table({"x": X}),
    "Arrow batch": lambda: pa.RecordBatch.from_pydict({"x": X}),
    "Arrow reader": lambda: pa.table({"x": X}).to_reader(),
    "stream of a table": lambda: Stream(pa.table({"x": X})),
    "stream of an array": lambda: Stream(pa.chunked_array([X])),
    "Arrow capsule": ArrowArray,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_every_holder_gives_the_same_bits(holder: str) -> None:
    rows = read_rows(HOLDERS[holder]())
    assert rows.values.tobytes() == X.tobytes()
    assert not rows.values.flags.writeable


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (pd.Series([1.0, 2.0], name="t"), "t"),
        (pl.Series("t", [1.0, 2.0]), "t"),
        (pd.Series([1.0, 2.0]), None),
        (pl.Series([1.0, 2.0]), None),
        (pa.table({"t": [1.0]}), "t"),
    ],
)
def test_the_name_of_the_column_is_kept(data: object, name: str | None) -> None:
    assert read_rows(data).name == name


HOLED: dict[str, Any] = {
    "pandas NaN": pd.Series([1.0, None, 3.0]),
    "pandas Int64": pd.Series([1, None, 3], dtype="Int64"),
    "pandas Float64": pd.Series([1, None, 3], dtype="Float64"),
    "pandas pyarrow": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
    "pandas object": pd.Series([1, pd.NA, 3], dtype=object),
    "pandas decimals": pd.Series([Decimal(1), None, Decimal(3)]),
    "Polars null": pl.Series([1, None, 3]),
    "Polars NaN": pl.Series([1.0, float("nan"), 3.0]),
    "Polars decimals": pl.Series([Decimal(1), None, Decimal(3)]),
    "Arrow whole numbers": pa.array([1, None, 3]),
    "Arrow half precision": pa.array([np.float16(1), None, np.float16(3)], pa.float16()),
    "Arrow decimals": pa.array([Decimal(1), None, Decimal(3)]),
}


@pytest.mark.parametrize("holder", HOLED)
def test_a_missing_value_is_an_error_or_dropped(holder: str) -> None:
    with pytest.raises(DataError, match="1 missing value among 3 rows, at index 1"):
        read_rows(HOLED[holder])
    rows = read_rows(HOLED[holder], missing="drop")
    assert (rows.values.tolist(), rows.n_missing) == ([1.0, 3.0], 1)


@pytest.mark.parametrize(
    "data",
    [pl.Series([Decimal("0.1000000000"), Decimal("1234567890.0123456789")]),
     pa.array([Decimal("0.1000000000"), Decimal("1234567890.0123456789")]),
     pd.Series([Decimal("0.1"), Decimal("1234567890.0123456789")])],
)  # fmt: skip
def test_decimals_are_rounded_correctly(data: object) -> None:
    assert read_rows(data).values.tolist() == [0.1, 1234567890.0123456789]


LARGE: dict[str, Callable[[list[int]], Any]] = {
    "Polars UInt64": lambda values: pl.Series(values, dtype=pl.UInt64),
    "Polars Int128": lambda values: pl.Series(values, dtype=pl.Int128),
    "Arrow uint64": lambda values: pa.array(values, pa.uint64()),
    "pandas UInt64": lambda values: pd.Series(values, dtype="UInt64"),
}


@pytest.mark.parametrize("holder", LARGE)
def test_large_whole_numbers_go_to_the_nearest_double(holder: str) -> None:
    if holder == "Polars Int128" and not hasattr(pl, "Int128"):
        pytest.skip("this Polars is older than the type")
    data = LARGE[holder]([2**64 - 1, 2**53 + 1])
    assert read_rows(data).values.tolist() == [2.0**64, 2.0**53]


TYPE_FAULTS: dict[str, tuple[Any, str]] = {
    "pandas boolean": (pd.Series([True, None], dtype="boolean"), "of type Boolean"),
    "pandas bool": (pd.Series([True]), "of type Boolean"),
    "pandas text": (pd.Series(["a"]), "of type String"),
    "pandas categories": (pd.Series([1, 2]).astype("category"), "of type Categorical"),
    "pandas dates": (pd.Series(pd.to_datetime(["2020-01-01"])), "of type Datetime"),
    "pandas complex": (pd.Series([1j]), "complex"),
    "pandas periods": (pd.Series(pd.period_range("2020", periods=2, freq="Y")), "Period at index"),
    "pandas MultiIndex": (pd.MultiIndex.from_tuples([(1, 2)]), "MultiIndex is not a frame or"),
    "Polars text": (pl.Series(["a"]), "of type String"),
    "Polars lists": (pl.Series([[1.0]]), "of type List"),
    "Polars durations": (pl.Series([datetime.timedelta(1)]), "of type Duration"),
    "Polars expression": (pl.col("x"), "Expr is not a frame or a column"),
    "Arrow dictionary": (pa.array([1, 2]).dictionary_encode(), "of type Categorical"),
    "text column": (pl.DataFrame({"s": ["a"]}), "column 's' is of type String"),
}


@pytest.mark.parametrize("holder", TYPE_FAULTS)
def test_what_is_no_real_number_is_called_by_its_name(holder: str) -> None:
    data, words = TYPE_FAULTS[holder]
    with pytest.raises(DataTypeError, match=words):
        read_rows(data)


FRAMES = [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table]


@pytest.mark.parametrize("frame", FRAMES)
def test_column_and_weights_are_read_by_name(frame: Any) -> None:
    data = frame({"x": [1.0, 2.0], "w": [1, 3], "s": ["a", "b"]})
    rows = read_rows(data, column="x", sample_weight="w")
    assert (rows.values.tolist(), rows.name) == ([1.0, 2.0], "x")
    assert rows.weights is not None
    assert rows.weights.tolist() == [1.0, 3.0]
    assert read_rows(data, sample_weight="w").name == "x"


@pytest.mark.parametrize("frame", FRAMES)
def test_several_columns_of_numbers_are_listed(frame: Any) -> None:
    with pytest.raises(DataError, match=r"2 columns of numbers, x and w: choose one.*s \(String\)"):
        read_rows(frame({"x": [1.0, 2.0], "w": [1, 3], "s": ["a", "b"]}))


@pytest.mark.parametrize("frame", FRAMES)
def test_an_unknown_column_brings_a_suggestion(frame: Any) -> None:
    with pytest.raises(DataError, match=r"no column 'wating'; did you mean 'waiting'\?"):
        read_rows(frame({"waiting": [1.0], "eruptions": [2.0]}), column="wating")


def test_no_column_of_numbers_lists_what_there_is() -> None:
    with pytest.raises(DataError, match=r"no column of numbers: its columns are s \(String\)"):
        read_rows(pl.DataFrame({"s": ["a"], "t": ["b"]}))


def test_columns_that_share_a_name_are_refused() -> None:
    with pytest.raises(DataError, match="several columns of the same name"):
        read_rows(pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]))


def test_an_empty_frame_has_nothing_to_fit() -> None:
    with pytest.raises(DataError, match="nothing to fit"):
        read_rows(pd.DataFrame())


def test_an_empty_column_has_no_rows() -> None:
    with pytest.raises(DataError, match="column 'x' has no rows"):
        read_rows(pl.DataFrame({"x": []}, schema={"x": pl.Float64}))


def test_a_frame_is_no_weight() -> None:
    with pytest.raises(DataTypeError, match="sample_weight is a table"):
        read_rows([1.0], sample_weight=pl.DataFrame({"w": [1.0]}))


def test_a_series_of_weights_goes_with_a_plain_list() -> None:
    rows = read_rows([1.0, 2.0], sample_weight=pl.Series([2, 1]))
    assert rows.weights is not None
    assert rows.weights.tolist() == [2.0, 1.0]


def test_numpy_users_do_not_pay_for_frames() -> None:
    code = (
        "import sys, numpy as np; from bactrian.data.tables.rows import read_rows;"
        "read_rows(np.arange(3.0)); read_rows([1.0, None], missing='drop');"
        "packages = 'narwhals duckdb pandas polars pyarrow scipy'.split();"
        "print(sorted(set(packages) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_weights_of_pandas_have_the_index_of_the_data() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0], "g": [0, 1, 1]}, index=list("abc"))
    weights = pd.Series([10.0, 20.0, 30.0], index=list("abc"))
    found = read_rows(data["x"], sample_weight=weights).weights
    np.testing.assert_array_equal(found, [10.0, 20.0, 30.0])
    for moved in (weights.iloc[::-1], weights.reset_index(drop=True), weights.iloc[:2]):
        for rows in (data["x"], data):
            with pytest.raises(DataError, match=r"another index .* weights\.loc\[data\.index\]"):
                read_rows(rows, column=None if rows is not data else "x", sample_weight=moved)
    found = read_rows(data["x"], sample_weight=weights.iloc[::-1].loc[data.index]).weights
    np.testing.assert_array_equal(found, [10.0, 20.0, 30.0])


def test_what_has_no_index_goes_by_position() -> None:
    x = pd.Series([1.0, 2.0, 3.0], index=list("abc"))
    weights = pd.Series([10.0, 20.0, 30.0])
    for one, other in ((x, weights.to_numpy()), (x.tolist(), weights), (x, pl.Series(weights))):
        found = read_rows(one, sample_weight=other).weights
        np.testing.assert_array_equal(found, [10.0, 20.0, 30.0])
