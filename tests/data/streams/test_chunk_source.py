"""Streams: the same sums whatever the chunks, memory that does not grow, one sentence a fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.column_source import ColumnSource
from bactrian.data.sketches import addition
from bactrian.data.sketches.accumulate import exponent_for, first_order_of, sketch_of
from bactrian.data.sketches.sketch import CAP, Sketch
from bactrian.data.streams import batches
from bactrian.data.streams import chunk_source as streams
from bactrian.data.streams.chunk_source import ChunkSource, stream_source
from bactrian.data.streams.chunks import is_factory, is_one_shot
from bactrian.errors import DataError, DataTypeError, ParameterError
from bactrian.fitting.entry import fit

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

Array = NDArray[np.float64]
MIXTURE = np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.5, 1.5])


@pytest.fixture(autouse=True)
def nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of a few thousand rows are treated as long ones."""
    monkeypatch.setattr(streams, "HELD", 100)
    monkeypatch.setattr(batches, "HELD", 1000)
    monkeypatch.setattr(batches, "_BATCH", 500)


def column(n: int = 20_000) -> Array:
    random = np.random.default_rng(5)
    return random.normal(np.where(random.random(n) < 0.4, -1.0, 1.0), 1.0)


X = column()
W = np.random.default_rng(6).uniform(0.5, 2.0, X.size)


def cut(x: Array, size: int) -> Iterator[Array]:
    """Chunks of a size."""
    return (x[i : i + size] for i in range(0, x.size, size))


def assert_same(found: Sketch, expected: Sketch) -> None:
    """The same bins exactly, and the same moments to the rounding of a sum."""
    assert found.exponent == expected.exponent
    assert found.bins.tolist() == expected.bins.tolist()
    rounding = 1e-14 * (expected.moments[:, :1] + 1.0)
    assert (np.abs(found.moments - expected.moments) < rounding).all()
    assert (found.squares is None) == (expected.squares is None)
    if found.squares is not None and expected.squares is not None:
        assert (np.abs(found.squares - expected.squares) < 2.0 * rounding).all()
    assert found.count == expected.count
    assert (found.minimum, found.maximum) == (expected.minimum, expected.maximum)


CHUNKINGS: dict[str, Callable[[], Any]] = {
    "single values": lambda: iter(X.tolist()),
    "NumPy values": lambda: iter(X),
    "arrays of 1": lambda: cut(X[:3000], 1),
    "arrays of 7": lambda: cut(X, 7),
    "arrays of 999": lambda: cut(X, 999),
    "one array": lambda: iter([X]),
    "empty ones between": lambda: (x for some in cut(X, 999) for x in (some, some[:0])),
    "lists": lambda: (x.tolist() for x in cut(X, 999)),
    "pandas series": lambda: (pd.Series(x) for x in cut(X, 999)),
    "Polars series": lambda: (pl.Series(x) for x in cut(X, 999)),
    "Arrow arrays": lambda: (pa.array(x) for x in cut(X, 999)),
    "a function": lambda: lambda: cut(X, 999),
    "a function that gives a list": lambda: lambda: list(cut(X, 999)),
    "a function that gives an array": lambda: lambda: X,
}


@pytest.mark.parametrize("how", CHUNKINGS)
def test_sketches_are_those_of_the_whole_column(how: str) -> None:
    source = stream_source(CHUNKINGS[how]())
    assert isinstance(source, ChunkSource)
    assert source.is_rereadable == how.startswith("a function")
    x = X[:3000] if how == "arrays of 1" else X
    assert_same(source.sketch(-7), sketch_of(x, None, -7))


def reader() -> Any:
    table = pa.table({"s": ["a"] * X.size, "x": X, "w": W})
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(999))


class Exporter:
    """An Arrow stream that can be taken once, and nothing else."""

    def __init__(self) -> None:
        self.reader = reader()

    def __arrow_c_stream__(self, schema: object = None) -> object:
        return self.reader.__arrow_c_stream__(schema)


class ArrayExporter:
    """An Arrow stream of an array and not of a table."""

    def __arrow_c_stream__(self, schema: object = None) -> object:
        return pa.chunked_array([X[:999], X[999:]]).__arrow_c_stream__(schema)


def frames() -> Iterator[Any]:
    return (pd.DataFrame({"x": X[i : i + 999], "w": W[i : i + 999]}) for i in range(0, X.size, 999))


TABLES: dict[str, Callable[[], Any]] = {
    "record batches": reader,
    "an Arrow stream": Exporter,
    "iterated batches": lambda: iter(reader()),
    "pandas frames": frames,
    "Polars frames": lambda: (pl.DataFrame({"x": f.x, "w": f.w}) for f in frames()),
    "mappings": lambda: ({"x": f.x, "w": f.w} for f in frames()),
    "a function that gives a reader": lambda: reader,
}


@pytest.mark.parametrize("how", TABLES)
def test_columns_and_weights_are_read_by_name(how: str) -> None:
    source = stream_source(TABLES[how](), "x", "w")
    found = source.sketch(-7)
    assert_same(found, sketch_of(X, W, -7))
    assert (found.column, source.column) == ("x", "x")


@pytest.mark.parametrize("how", TABLES)
def test_first_order_sums_are_those_of_the_whole_column(how: str) -> None:
    found = stream_source(TABLES[how](), "x", "w").first_order(0.5, 2.0, *MIXTURE)
    expected = first_order_of(X, W, 0.5, 2.0, *MIXTURE)
    assert found.loglike == pytest.approx(expected.loglike, rel=1e-14)
    np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-12)
    assert found.total == pytest.approx(expected.total, rel=1e-14)


def test_a_stream_of_an_array_is_a_column() -> None:
    assert_same(stream_source(ArrayExporter()).sketch(-7), sketch_of(X, None, -7))


def test_the_only_column_of_numbers_is_chosen() -> None:
    assert stream_source(f[["x"]] for f in frames()).sketch().column == "x"
    assert stream_source(frames(), sample_weight="w").sketch().column == "x"


def test_ranges_select_rows() -> None:
    within = np.array([[-0.5, 0.25], [1.0, 1.5]])
    inside = ((X >= -0.5) & (X < 0.25)) | ((X >= 1.0) & (X < 1.5))
    found = stream_source(lambda: cut(X, 999)).sketch(-9, within)
    assert_same(found, sketch_of(X[inside], None, -9))
    nothing = stream_source(lambda: cut(X, 999)).sketch(-9, np.array([[90.0, 91.0]]))
    assert (nothing.count, nothing.bins.size) == (0, 0)


def test_the_grid_is_that_of_memory_and_finer_where_nothing_can_be_read_again() -> None:
    expected = exponent_for(X)
    assert stream_source(lambda: cut(X, 999)).sketch().exponent == expected
    assert stream_source(cut(X, 999)).sketch().exponent == expected - streams._FINER


BEGINNINGS = {
    "constant": np.full(5000, 0.25),
    "zero": np.zeros(5000),
    "narrow": X[:5000] * 1e-6,
    "far": X[:2000] * 1e-3 + 1e4,
}


@pytest.mark.parametrize("how", BEGINNINGS)
@pytest.mark.parametrize("again", [False, True])
def test_the_grid_recovers_from_a_beginning_unlike_the_rest(how: str, again: bool) -> None:
    x = np.concatenate([BEGINNINGS[how], *[X] * 4])
    data = (lambda: cut(x, 999)) if again else cut(x, 999)
    found = stream_source(data).sketch()
    expected = exponent_for(x) - (0 if again else streams._FINER)
    assert found.exponent == expected
    assert_same(found, sketch_of(x, None, expected))


def test_equal_rows_at_the_beginning_have_weights() -> None:
    x = np.concatenate([np.full(5000, 0.25), X[:15_000]])
    for within in (None, np.array([[0.2, 0.3]]), np.array([[-1.0, 0.1]])):
        inside = (
            np.full(x.size, True) if within is None else (x >= within[0, 0]) & (x < within[0, 1])
        )
        data = ({"x": x[i : i + 999], "w": W[i : i + 999]} for i in range(0, x.size, 999))
        found = stream_source(data, "x", "w").sketch(None, within)
        assert_same(found, sketch_of(x[inside], W[inside], found.exponent))


def test_equal_rows_of_no_weight_are_counted_only() -> None:
    w = np.where(np.arange(X.size) < 5000, 0.0, W)
    x = np.where(w > 0.0, X, 0.25)
    data = ({"x": x[i : i + 1000], "w": w[i : i + 1000]} for i in range(0, x.size, 1000))
    found = stream_source(data, "x", "w").sketch()
    assert found.count == X.size
    assert found.bins.tolist() == sketch_of(X[5000:], W[5000:], found.exponent).bins.tolist()


def test_one_run_of_equal_rows_after_another() -> None:
    x: Array = np.repeat([0.25, 1.0, 0.5], 5000)
    found = stream_source(cut(x, 1000)).sketch()
    assert_same(found, sketch_of(x, None, found.exponent))
    assert found.bins.size == 3


def test_equal_rows_at_the_beginning_cost_no_halvings(monkeypatch: pytest.MonkeyPatch) -> None:
    halved: list[int] = []
    real = addition._halved

    def counted(sketch: Sketch) -> Sketch:
        halved.append(sketch.exponent)
        return real(sketch)

    monkeypatch.setattr(addition, "_halved", counted)
    stream_source(cut(np.concatenate([np.zeros(5000), X]), 1000)).sketch()
    assert len(halved) < 50


def test_the_smallest_doubles_are_sketched() -> None:
    x = np.arange(5000, dtype=np.float64) * 5e-324
    found = stream_source(cut(x, 999)).sketch()
    assert (found.count, found.maximum) == (5000, x[-1])
    assert found.exponent >= -1074


@pytest.mark.parametrize("value", [0.0, -3.0, 1e300])
def test_equal_rows_only(value: float) -> None:
    found = stream_source(cut(np.full(5000, value), 999)).sketch()
    assert (found.bins.size, found.total, found.count) == (1, 5000.0, 5000)
    assert (found.minimum, found.maximum) == (value, value)


def test_sorted_rows_are_coarsened_to_the_same_grid() -> None:
    x = np.sort(X)
    assert stream_source(lambda: cut(x, 99)).sketch().exponent == exponent_for(x)


def test_occupied_bins_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_BATCH", 50_000)
    x = np.random.default_rng(7).standard_cauchy(200_000)
    found = stream_source(cut(x, 20_000)).sketch(-20)
    assert CAP // 3 < found.bins.size <= CAP
    assert_same(found, sketch_of(x, None, -20).coarsen(found.exponent))


def test_a_one_shot_stream_is_read_once() -> None:
    source = stream_source(cut(X, 999))
    assert not source.is_rereadable
    source.sketch()
    for second in (source.sketch, lambda: source.first_order(0.0, 1.0, *MIXTURE)):
        with pytest.raises(DataError, match=r"only once and have been read: pass a function"):
            second()


def test_a_function_is_called_for_each_pass() -> None:
    source = stream_source(lambda: cut(X, 999))
    assert_same(source.sketch(-7), source.sketch(-7))
    assert source.first_order(0.0, 1.0, *MIXTURE).total == X.size


def test_rows_that_change_between_passes_are_noticed() -> None:
    sizes = iter([X.size, X.size, X.size - 1])
    source = stream_source(lambda: cut(X[: next(sizes)], 999))
    source.sketch()
    with pytest.raises(DataError, match=r"had 20,000 rows when read before and 19,999 now"):
        source.first_order(0.0, 1.0, *MIXTURE)


@pytest.mark.parametrize("again", [False, True])
def test_a_short_stream_is_a_column_in_memory(again: bool) -> None:
    x = X[:90]
    source = stream_source((lambda: cut(x, 20)) if again else cut(x, 20))
    assert isinstance(source, ColumnSource)
    assert np.array_equal(source.rows.values, x)
    named = stream_source(({"x": p, "w": p * p} for p in cut(x, 20)), "x", "w")
    assert isinstance(named, ColumnSource)
    assert named.rows.weights is not None
    assert (named.rows.weights.tolist(), named.column) == ((x * x).tolist(), "x")


def test_an_array_that_is_filled_again_and_again_is_copied() -> None:
    def refilled() -> Iterator[Array]:
        array = np.empty(999)
        for x in cut(X[: 999 * 20], 999):
            array[:] = x
            yield array

    assert_same(stream_source(refilled()).sketch(-7), sketch_of(X[: 999 * 20], None, -7))
    assert_same(stream_source(refilled).sketch(-7), sketch_of(X[: 999 * 20], None, -7))


def spoilt(at: int, value: Any) -> list[Any]:
    values: list[Any] = X.tolist()
    values[at] = value
    return values


FAULTS: list[tuple[str, Any, type[Exception], str]] = [
    ("no chunks", [], DataError, "the data has no rows"),
    ("empty chunks", [X[:0], X[:0]], DataError, "the data has no rows"),
    ("missing", spoilt(12_345, None), DataError, "1 missing value among .*, at index 12345:"),
    ("infinite", spoilt(12_345, np.inf), DataError, "1 infinite value .*, at index 12345:"),
    ("text", spoilt(12_345, "a"), DataTypeError, "the text 'a' at index 12345"),
    ("text at once", ["a", "b"], DataTypeError, "the text 'a' at index 0"),
    ("range", [X, np.array([-1e308]), np.array([1e308])], DataError, "runs from -1e"),
    ("two axes", [X, X[:, None]], DataError, "two-dimensional"),
    ("rows", [(1.0, 2.0)], DataTypeError, "tuples, which look like rows"),
    ("mixed", [X, {"x": X}], DataTypeError, "frames and bare columns in turn"),
    ("nothing known", [X, object()], DataTypeError, "of type object"),
]


@pytest.mark.parametrize(
    ("data", "kind", "words"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_faults_are_named(data: list[Any], kind: type[Exception], words: str) -> None:
    for given in (iter(data), lambda: iter(data)):
        with pytest.raises(kind, match=words) as caught:
            stream_source(given).sketch()
        assert "\n" not in str(caught.value)


def weighted(w: Array) -> Iterator[dict[str, Array]]:
    return ({"x": X[i : i + 999], "w": w[i : i + 999]} for i in range(0, X.size, 999))


@pytest.mark.parametrize(
    ("w", "words"),
    [
        (np.where(np.arange(X.size) == 12_345, -1.0, 1.0), r"negative at index 12345 \(-1\)"),
        (np.where(np.arange(X.size) == 12_345, np.nan, 1.0), r"not finite at index 12345"),
        (np.zeros(X.size), "zero in every row"),
        (np.ones(X.size - 1), "a chunk has 19 weights for 20 rows"),
    ],
)
def test_faults_of_weights_are_named(w: Array, words: str) -> None:
    with pytest.raises(DataError, match=words):
        stream_source(weighted(w), "x", "w").sketch()


def test_missing_rows_are_dropped_and_counted() -> None:
    x = X.copy()
    x[::10] = np.nan
    found = stream_source(cut(x, 999), missing="drop").sketch(-7)
    assert_same(found, sketch_of(X[np.isfinite(x)], None, -7))
    assert found.n_missing == 2000
    with pytest.raises(DataError, match="missing values only"):
        stream_source(cut(np.full(5000, np.nan), 999), missing="drop").sketch()


@pytest.mark.parametrize(
    ("given", "options", "kind", "words"),
    [
        (lambda: cut(X, 99), {"column": "x"}, ParameterError, "column='x' names a column"),
        (lambda: cut(X, 99), {"sample_weight": "w"}, ParameterError, "'w' names a column"),
        (lambda: cut(X, 99), {"sample_weight": W}, ParameterError, "column of weights"),
        (lambda: cut(X, 99), {"missing": "no"}, ParameterError, "'error' or 'drop'"),
        (frames, {}, DataError, "2 columns of numbers, x and w"),
        (frames, {"column": "y"}, DataError, "no column 'y'"),
        (lambda: lambda: 3.0, {}, DataTypeError, "object of type float: return an iterator"),
    ],
)
def test_options_that_do_not_go_with_a_stream_are_refused(
    given: Callable[[], Any], options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        stream_source(given(), **options)


@pytest.mark.parametrize("at", [0, 50, 19_000])
@pytest.mark.parametrize("again", [False, True])
def test_an_error_of_the_stream_is_passed_on_and_all_is_closed(at: int, again: bool) -> None:
    closed = []

    def interrupted() -> Iterator[Array]:
        try:
            for i in range(0, X.size, 10):
                if i >= at:
                    raise ConnectionError("gone")
                yield X[i : i + 10]
        finally:
            closed.append(True)

    def read() -> None:
        stream_source(interrupted if again else interrupted()).sketch()

    with pytest.raises(ConnectionError, match="gone"):
        read()
    assert len(closed) == (2 if again and at > 1000 else 1)


def test_what_a_function_opened_is_closed_after_a_fault() -> None:
    opened, closed = [], []

    def chunks() -> Iterator[Any]:
        opened.append(1)
        try:
            yield from cut(X, 999)
            yield ["a"]
            yield from cut(X, 999)
        finally:
            closed.append(1)

    source = stream_source(chunks)
    with pytest.raises(DataTypeError, match="at index 20000"):
        source.sketch()
    assert len(opened) == len(closed) == 2


class Cursor:
    """An iterator that says whether it was closed."""

    opened = 0
    closed = 0

    def __init__(self) -> None:
        type(self).opened += 1
        self.chunks = cut(X, 999)

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Array:
        return next(self.chunks)

    def close(self) -> None:
        type(self).closed += 1


def test_what_a_function_opened_is_closed_after_each_pass() -> None:
    source = stream_source(Cursor)
    assert (Cursor.opened, Cursor.closed) == (1, 1)
    source.sketch()
    assert (Cursor.opened, Cursor.closed) == (2, 2)
    stream_source(Cursor()).sketch()
    assert (Cursor.opened, Cursor.closed) == (3, 2)  # what we did not open is not ours to close


def test_progress_is_told() -> None:
    told: list[tuple[int, int | None]] = []
    stream_source(cut(X, 5000), progress=lambda *now: told.append(now)).sketch()
    assert told == [(5000, None), (10_000, None), (15_000, None), (20_000, None)]


def test_what_is_a_stream_is_told_without_reading() -> None:
    once = [iter([1.0]), cut(X, 9), reader(), Exporter(), map(float, [1]), ArrayExporter()]
    assert [is_one_shot(data) for data in once] == [True] * 6
    others = [
        *([1.0], (1.0,), X, range(3), "x.csv", b"x", {"x": X}, {1.0}, None, 1.0),
        *(pa.table({"x": X}), pa.array(X), pa.chunked_array([X]), pa.record_batch({"x": X})),
        *(pd.DataFrame({"x": X}), pd.Series(X), pl.DataFrame({"x": X}), pl.Series(X)),
        *(pl.LazyFrame({"x": X}), sys.stdin, sys.stdin.buffer, np.ma.array(X), memoryview(b"x")),
    ]
    assert [is_one_shot(data) for data in others] == [False] * len(others)
    assert [is_factory(data) for data in [*once, *others]] == [False] * len([*once, *others])
    lazy = type("Table", (Exporter,), {"__module__": "ibis.expr.types"})
    assert not is_one_shot(lazy())
    assert is_factory(frames)
    assert is_factory(Cursor)
    assert not is_one_shot(Exporter)
    assert is_factory(lambda: iter([1.0]))


def test_pyarrow_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Exporter()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataTypeError, match=r"PyArrow, which is not installed.*bactrian\[arrow\]"):
        stream_source(given)


PEAK = """
import resource, sys
sys.modules["numba"] = None  # the compiler needs memory of its own, once
import numpy as np
from bactrian.data.streams.chunk_source import stream_source

def chunks():
    random = np.random.default_rng(1)
    for _ in range(int(sys.argv[1])):
        yield random.normal(size=100_000)

source = stream_source(chunks if sys.argv[2] == "again" else chunks())
print(source.sketch().count)
if sys.argv[2] == "again":
    print(source.first_order(0.0, 1.0, np.array([1.0]), np.array([0.0]), np.array([1.0])).total)
unit = 1024 if sys.platform == "darwin" else 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""


@pytest.mark.parametrize("how", ["once", "again"])
def test_memory_does_not_grow_with_the_rows(how: str) -> None:
    pytest.importorskip("resource")  # not on Windows

    def peak(chunks: int) -> float:
        run = [sys.executable, "-c", PEAK, str(chunks), how]
        done = subprocess.run(run, capture_output=True, check=True, text=True).stdout.split()
        assert int(done[0]) == chunks * 100_000
        return float(done[-1])

    few, many = peak(30), peak(150)
    assert many - few < 0.15 * 120 * 100_000 * 8 / 1024  # in kilobytes


def test_a_long_stream_is_fitted_like_the_column() -> None:
    x = column(60_000)
    exact = fit(x)
    once = fit(stream_source(lambda: cut(x, 999)).sketch())
    np.testing.assert_allclose(once.mixture.means, exact.mixture.means, rtol=1e-9)
