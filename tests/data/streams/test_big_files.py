"""Files streamed batch by batch: the same rows and the same words as read whole."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bactrian.data.sketches.accumulate import first_order_of, sketch_of
from bactrian.data.streams import big_files, file_batches
from bactrian.data.streams.big_files import file_source, is_large
from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, ParameterError

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N = 30_000
X = np.random.default_rng(8).normal(1.0, 2.0, N)
W = np.random.default_rng(9).integers(0, 4, N).astype(float)
MIXTURE = np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.5, 1.5])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_batches, "_BATCH", 2048)


def csv(x: list[Any], w: list[Any] | None = None, mark: str = ",") -> str:
    """A table with a column of text, one of values and one of weights."""
    weights: list[Any] = [1] * len(x) if w is None else w
    lines = [f"a{mark}{x}{mark}{w}" for x, w in zip(x, weights, strict=True)]
    return "\n".join([mark.join("sxw"), *lines, ""])


def json_lines(x: list[Any], w: list[Any]) -> str:
    return "".join(f'{{"x": {x}, "w": {w}}}\n' for x, w in zip(x, w, strict=True))


def parquet(path: Path, x: Any = X, w: Any = W) -> None:
    pq.write_table(pa.table({"x": x, "w": w}), path, row_group_size=7000)


def half(part: slice) -> str:
    return csv(X[part].tolist(), W[part].tolist())


WRITERS: dict[str, Callable[[Path], Any]] = {
    "x.parquet": parquet,
    "x.csv": lambda path: path.write_text(csv(X.tolist(), W.tolist())),
    "x.tsv": lambda path: path.write_text(csv(X.tolist(), W.tolist(), "\t")),
    "x.jsonl": lambda path: path.write_text(json_lines(X.tolist(), W.tolist())),
    "x.csv.gz": lambda path: path.write_bytes(
        gzip.compress(csv(X.tolist(), W.tolist()).encode(), 1)
    ),
    "comments.csv": lambda path: path.write_text("# a\n\n" + csv(X.tolist(), W.tolist())),
    "*.csv": lambda path: [
        (path.parent / "1.csv").write_text(half(slice(N // 3))),
        (path.parent / "2.csv").write_text(half(slice(N // 3, N))),
    ],
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("weight", [None, "w"])
def test_sums_are_those_of_the_file_read_whole(
    tmp_path: Path, name: str, weight: str | None
) -> None:
    WRITERS[name](tmp_path / name)
    rows = read_rows(tmp_path / name, column="x", sample_weight=weight)
    assert np.array_equal(rows.values, X)
    source = file_source(tmp_path / name, "x", weight)
    assert (source.column, source.is_rereadable) == ("x", True)
    found, expected = source.sketch(-6), sketch_of(X, rows.weights, -6)
    assert found.bins.tolist() == expected.bins.tolist()
    np.testing.assert_allclose(found.moments, expected.moments, atol=1e-10)
    assert (found.count, found.column) == (N, "x")
    sums = source.first_order(0.5, 2.0, *MIXTURE)
    assert sums.loglike == pytest.approx(
        first_order_of(X, rows.weights, 0.5, 2.0, *MIXTURE).loglike, rel=1e-13
    )


def test_missing_words_are_dropped_and_counted(tmp_path: Path) -> None:
    texts: list[Any] = [repr(x) for x in X.tolist()]
    texts[5::10] = ["NA"] * (N // 10)
    texts[6::10] = [""] * (N // 10)
    path = tmp_path / "x.csv"
    path.write_text(csv(texts))
    found = file_source(path, "x", missing="drop").sketch(-6)
    assert (found.count, found.n_missing) == (N * 8 // 10, N // 5)
    assert found.count == read_rows(path, column="x", missing="drop").values.size


@pytest.mark.parametrize("missing", ["error", "drop"])
@pytest.mark.parametrize("blank", [0, 1, 9000])
def test_blank_lines_that_end_a_single_column_are_no_rows(
    tmp_path: Path, missing: Any, blank: int
) -> None:
    path = tmp_path / "x.csv"
    texts = [repr(x) for x in X.tolist()]
    path.write_text("\n".join(["x", *texts]) + "\n" * (blank + 1))
    found = file_source(path, missing=missing).sketch()
    assert (found.count, found.n_missing) == (N, 0)
    path.write_text("\n".join(["x", *texts[:9000], *[""] * blank, *texts[9000:]]) + "\n" * blank)
    found = file_source(path, missing="drop").sketch()
    assert (found.count, found.n_missing) == (N, blank)


def texts_with(at: int, text: str) -> str:
    texts: list[Any] = X.tolist()
    texts[at] = text
    return csv(texts)


FAULTS = {
    "text": lambda path: path.write_text(texts_with(23_456, "oops")),
    "decimal comma": lambda path: path.write_text(texts_with(23_456, '"1,5"')),
    "missing": lambda path: path.write_text(texts_with(23_456, "NA")),
    "infinite": lambda path: path.write_text(texts_with(23_456, "inf")),
    "ragged": lambda path: path.write_text(csv(X.tolist()) + "a,1\n"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_the_words_of_the_file_read_whole(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "x.csv"
    FAULTS[fault](path)
    with pytest.raises(DataError) as whole:
        read_rows(path, column="x")
    with pytest.raises(DataError) as streamed:
        file_source(path, "x").sketch()
    words = re.sub(r"among the first \d+ rows", f"among {N} rows", str(streamed.value))
    assert words == str(whole.value)
    assert fault == "ragged" or "row 23457 of 'x.csv'" in words


def test_a_text_among_weights_is_named(tmp_path: Path) -> None:
    weights: list[Any] = [1] * N
    weights[20_000] = "many"
    (tmp_path / "x.csv").write_text(csv(X.tolist(), weights))
    with pytest.raises(DataError, match=r"column 'w' holds the text 'many' at row 20001"):
        file_source(tmp_path / "x.csv", "x", "w").sketch()


def test_places_are_those_in_each_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(half(slice(N // 3)))
    (tmp_path / "2.csv").write_text(texts_with(7000, "oops"))
    with pytest.raises(DataError, match=r"'oops' at row 7001 of '2.csv'"):
        file_source(tmp_path / "*.csv", "x").sketch()


def test_statistics_of_parquet_tell_of_missing_values_at_once(tmp_path: Path) -> None:
    parquet(tmp_path / "x.parquet", pa.array([None, *X[1:].tolist()]))
    words = r"has 1 missing value among 30000 rows, at row 1 of 'x.parquet': .*missing='drop'"
    with pytest.raises(DataError, match=words):
        file_source(tmp_path / "x.parquet", "x")
    assert file_source(tmp_path / "x.parquet", "x", missing="drop").sketch().n_missing == 1
    some = [None if i in (23_456, 29_999) else x for i, x in enumerate(X.tolist())]
    parquet(tmp_path / "x.parquet", pa.array(some))
    with pytest.raises(DataError, match=r"2 missing values .*, the first at row 23457 of 'x"):
        file_source(tmp_path / "x.parquet", "x")


def test_not_a_number_is_missing_whatever_the_statistics_say(tmp_path: Path) -> None:
    parquet(tmp_path / "x.parquet", np.where(np.arange(N) == 20_000, np.nan, X))
    with pytest.raises(DataError, match=r"1 missing value .* at row 20001 of 'x.parquet'"):
        file_source(tmp_path / "x.parquet", "x").sketch()


def touched(path: Path) -> None:
    os.utime(path, ns=(0, 0))


CHANGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "longer": (lambda path: parquet(path, np.tile(X, 2), np.tile(W, 2)), "'x.parquet' was changed"),
    "touched": (touched, "'x.parquet' was changed"),
    "gone": (Path.unlink, "'x.parquet' is gone"),
    "cut off": (lambda path: os.truncate(path, 1000), "'x.parquet' was changed"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_changes_between_passes_is_named(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.parquet"
    parquet(path)
    source = file_source(path, "x")
    source.sketch()
    change, words = CHANGES[how]
    change(path)
    with pytest.raises(DataError, match=words):
        source.first_order(0.0, 1.0, *MIXTURE)


@pytest.mark.parametrize("how", ["touched", "gone", "cut off"])
def test_a_file_that_changes_during_a_pass_is_named(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.parquet"
    parquet(path)
    change, words = CHANGES[how]

    def meanwhile(done: int, total: int | None) -> None:
        if path.exists():
            change(path)

    with pytest.raises(DataError, match=words):
        file_source(path, "x", progress=meanwhile).sketch()


def test_a_change_is_named_and_not_the_damage_that_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    parquet(path)

    def overtaken(*_: object) -> Iterator[Any]:
        yield from ()
        os.truncate(path, 1000)
        raise DataError("this is not a whole file")

    source = file_source(path, "x")
    monkeypatch.setattr(big_files, "file_pairs", overtaken)
    with pytest.raises(DataError, match=r"'x.parquet' was changed"):
        source.sketch()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    parquet(path)
    content = bytearray(path.read_bytes())
    content[100_000:150_000] = b"\xff" * 50_000
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'x.parquet' is not a whole Parquet file") as caught:
        file_source(path, "x").sketch()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"column": "y"}, DataError, "no column 'y'"),
        ({"column": "x", "weight": "y"}, DataError, "no column 'y'"),
        ({}, DataError, "2 columns of numbers, x and w"),
        ({"column": "x", "missing": "no"}, ParameterError, "'error' or 'drop'"),
    ],
)
def test_options_that_do_not_go_with_the_file_are_refused(
    tmp_path: Path, options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    parquet(tmp_path / "x.parquet")
    with pytest.raises(kind, match=words):
        file_source(tmp_path / "x.parquet", **options)


def test_the_column_must_be_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(half(slice(9)))
    (tmp_path / "2.csv").write_text("s,y\na,1\n")
    with pytest.raises(DataError, match=r"'2.csv' has no column 'x'"):
        file_source(tmp_path / "*.csv", "x")


def test_progress_is_told(tmp_path: Path) -> None:
    parquet(tmp_path / "x.parquet")

    def estimate() -> int | None:
        """The last estimate of the number of rows, when all of them were read."""
        told: list[tuple[int, int | None]] = []
        file_source(tmp_path / "x.parquet", "x", progress=lambda *now: told.append(now)).sketch()
        done = [rows for rows, _ in told]
        assert len(done) > 2
        assert done == sorted(done)
        assert done[-1] == N
        assert all(total is None or total >= rows for rows, total in told)
        return told[-1][1]

    # DuckDB tells of its own progress, now and then: of a small file it may be far behind.
    assert any(estimate() == pytest.approx(N, rel=0.5) for _ in range(20))


def test_large_is_told_from_rows_or_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "x.parquet")
    (tmp_path / "x.csv").write_text(csv(X.tolist()))
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(csv(X.tolist()).encode(), 1))
    names = ["x.parquet", "x.csv", "x.csv.gz", "*", "none.csv", "none*.csv"]
    paths = [tmp_path / name for name in names]
    assert [is_large(path) for path in paths] == [False] * 6
    monkeypatch.setattr(big_files, "LARGE_ROWS", N - 1)
    assert [is_large(path) for path in paths] == [True, False, False, True, False, False]
    assert is_large([str(paths[1]), paths[0]])
    assert not is_large(paths[1:3])
    monkeypatch.setattr(big_files, "LARGE_ROWS", N)
    monkeypatch.setattr(big_files, "LARGE_BYTES", (tmp_path / "x.csv").stat().st_size - 1)
    assert [is_large(str(path)) for path in paths] == [False, True, True, True, False, False]
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing")
    assert not is_large(tmp_path / "x.parquet")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not is_large(tmp_path / "x.csv")


def test_nothing_is_left_in_temporary_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    WRITERS["x.csv.gz"](tmp_path / "x.csv.gz")
    seen: list[Path] = []
    source = file_source(
        tmp_path / "x.csv.gz", "x", progress=lambda *_: seen.extend(folder.iterdir())
    )
    source.sketch()
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(texts_with(20_000, "oops").encode()))
    with pytest.raises(DataError, match="oops"):
        file_source(tmp_path / "x.csv.gz", "x").sketch()
    assert seen
    assert list(folder.iterdir()) == []


PEAK = """
import resource, sys
sys.modules["numba"] = None  # the compiler needs memory of its own, once
import duckdb, pyarrow
from bactrian.data.streams.big_files import file_source

print(file_source(sys.argv[1], "x").sketch().count)
unit = 1024 if sys.platform == "darwin" else 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    pytest.importorskip("resource")  # not on Windows

    def peak(rows: int) -> float:
        path = tmp_path / f"{rows}.parquet"
        duckdb.sql(f"copy (select random() as x from range({rows})) to '{path}'")
        run = [sys.executable, "-c", PEAK, str(path)]
        done = subprocess.run(run, capture_output=True, check=True, text=True).stdout.split()
        assert int(done[0]) == rows
        return float(done[1])

    few, many = peak(5_000_000), peak(25_000_000)
    assert many - few < 0.4 * 20_000_000 * 8 / 1024  # in kilobytes
