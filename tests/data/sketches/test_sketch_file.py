"""Sketches in files: every bit comes back, half a file never appears, faults have a sentence."""

from __future__ import annotations

import json
import math
import re
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sketches import sketch_file
from bactrian.data.sketches.grid import halving_map
from bactrian.data.sketches.sketch import Sketch
from bactrian.errors import DataError
from tests.data.binned import SHAPES, rows_of, sketch_of_rows

Array = NDArray[np.float64]
PAGE = Path(__file__).parents[3] / "docs" / "sketch-format.md"

NAMES = [
    None,
    "",
    "x",
    "flow 'rate' of \"inlet\"; drop table x --",
    "Länge\n(mm)\t\\ 例 😀",
    "\x00\ud800",
]


def bits(sketch: Sketch) -> tuple[Any, ...]:
    """All that a sketch holds, to the last bit; NaN, which squares of weights can give, is NaN."""
    squares = sketch.squares
    if squares is not None:
        squares = np.where(np.isnan(squares), np.nan, squares)
    return (
        sketch.exponent, sketch.bins.tobytes(), sketch.moments.tobytes(),
        None if squares is None else squares.tobytes(), sketch.count,
        sketch.minimum.hex(), sketch.maximum.hex(), sketch.column, sketch.n_missing,
    )  # fmt: skip


def reloaded(sketch: Sketch, folder: Path) -> Sketch:
    """The sketch, saved and loaded."""
    path = folder / "sketch.parquet"
    sketch.save(path)
    return Sketch.load(path)


def sample_sketch(*, weighted: bool = False) -> Sketch:
    """Some sketch with a name."""
    x = rows_of("mixture", 400)
    w = np.random.default_rng(1).gamma(1.0, 1.0, 400) if weighted else None
    return sketch_of_rows(x, -3, w, column="x")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_bit_comes_back(shape: str, weighted: bool, tmp_path: Path) -> None:
    x = rows_of(shape, 3000)
    w = np.random.default_rng(2).gamma(1.0, 1.0, 3000) if weighted else None
    sketch = replace(sketch_of_rows(x, -6, w), n_missing=17)
    again = reloaded(sketch, tmp_path)
    assert bits(again) == bits(sketch)
    before, after = sketch.to_sample(), again.to_sample()
    assert before.local.tobytes() == after.local.tobytes()
    assert before.weights.tobytes() == after.weights.tobytes()
    assert (before.origin, before.scale, before.width) == (after.origin, after.scale, after.width)


def test_squares_beyond_the_doubles_are_in_the_file(tmp_path: Path) -> None:
    x = np.array([0.25, 0.5, 0.75])
    with np.errstate(over="ignore", invalid="ignore"):
        sketch = sketch_of_rows(x, 0, np.full(3, 1e200))
    assert sketch.squares is not None
    assert np.isnan(sketch.squares).any()
    assert bits(reloaded(sketch, tmp_path)) == bits(sketch)
    table = pq.read_table(tmp_path / "sketch.parquet")
    assert [column.null_count for column in table.columns] == [0] * 17


@pytest.mark.parametrize("column", NAMES)
def test_names_come_back(column: str | None, tmp_path: Path) -> None:
    assert reloaded(replace(sample_sketch(), column=column), tmp_path).column == column


doubles = st.floats(allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(doubles, min_size=1, max_size=30),
    st.integers(-1074, 1023),
    st.none() | st.floats(1e-300, 1e300),
    st.none() | st.text(),
)
def test_rows_of_any_size_come_back(
    tmp_path: Path, x: list[float], exponent: int, weight: float | None, column: str | None
) -> None:
    exponent = max(exponent, math.frexp(max(map(abs, x)))[1] - 1000)
    w = None if weight is None else np.full(len(x), weight)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sketch = sketch_of_rows(np.array(x), exponent, w, column=column)
    assert bits(reloaded(sketch, tmp_path)) == bits(sketch)


@pytest.mark.parametrize("exponent", [-1074, -1000, 0, 970, 1023])
def test_extreme_grids_come_back(exponent: int, tmp_path: Path) -> None:
    x = np.ldexp([1.0, 3.0, -5.0], exponent - 2 if exponent > -1000 else exponent)
    for values in (
        x,
        np.array([5e-324, -1e-310, 1e-310]),
        np.array([2.0**53, 2.0**60, -(2.0**53)]),
    ):
        sketch = sketch_of_rows(values, max(exponent, math.frexp(np.abs(values).max())[1] - 1000))
        assert bits(reloaded(sketch, tmp_path)) == bits(sketch)


def test_more_bins_than_a_row_group_stay_in_order(tmp_path: Path) -> None:
    x = np.random.default_rng(3).uniform(0.0, 1.0, 300_000)
    sketch = sketch_of_rows(x, -20)
    assert sketch.bins.size > 200_000
    assert bits(reloaded(sketch, tmp_path)) == bits(sketch)


@pytest.mark.parametrize("name", ["a[1]*?.parquet", 'it\'s; "x".pq', "ünï", "no ending"])
def test_any_name_of_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a1x.parquet").write_bytes(b"another that the glob would match")
    sketch = sample_sketch()
    sketch.save(tmp_path / name)
    assert bits(Sketch.load(str(tmp_path / name))) == bits(sketch)
    monkeypatch.chdir(tmp_path)
    sketch.save("here.parquet")
    assert bits(Sketch.load("here.parquet")) == bits(sketch)


def test_a_home_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    sample_sketch().save("~/x.parquet")
    assert (tmp_path / "x.parquet").is_file()
    assert len(Sketch.load("~/x.parquet")) == 400


def test_saving_twice_gives_the_same_numbers_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    sample_sketch(weighted=True).save(path)
    newer = sample_sketch()
    newer.save(path)
    assert bits(Sketch.load(path)) == bits(newer)
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"]


# Interruptions.


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError, MemoryError])
@pytest.mark.parametrize("place", ["os.fsync", "os.replace", "_copy"])
@pytest.mark.parametrize("existing", [False, True])
def test_an_interruption_leaves_what_was_there(
    place: str, error: type[BaseException], existing: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "x.parquet"
    before = sample_sketch(weighted=True)
    if existing:
        before.save(path)
    copy = sketch_file._copy

    def broken(*args: Any) -> None:
        if place == "_copy":
            copy(*args)
        raise error("stop")

    module = "bactrian.data.sketches.sketch_file." if place == "_copy" else ""
    monkeypatch.setattr(f"{module}{place}", broken)
    with pytest.raises(DataError if error is OSError else error):
        sample_sketch().save(path)
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"] * existing
    if existing:
        assert bits(Sketch.load(path)) == bits(before)


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    versions = [sample_sketch(), sample_sketch(weighted=True)]
    versions[0].save(path)
    done = threading.Event()
    seen = []

    def look() -> None:
        while not done.is_set():
            raw = path.read_bytes()
            seen.append(raw[:4] == raw[-4:] == b"PAR1")

    reader = threading.Thread(target=look)
    reader.start()
    for k in range(10):
        versions[k % 2].save(path)
    done.set()
    reader.join()
    assert seen
    assert all(seen)


# What cannot be written.


def refusal(action: Callable[[], Any]) -> str:
    """The one sentence of the error, with a cause and, after a colon, a remedy."""
    with pytest.raises(DataError) as caught:
        action()
    words = str(caught.value)
    assert "\n" not in words
    assert ": " in words
    assert len(words) < 250
    return words


def test_a_directory_is_not_written_over(tmp_path: Path) -> None:
    words = refusal(lambda: sample_sketch().save(tmp_path))
    assert "is a directory: name a file in it" in words
    assert list(tmp_path.iterdir()) == []


def test_a_folder_must_exist(tmp_path: Path) -> None:
    words = refusal(lambda: sample_sketch().save(tmp_path / "none" / "x.parquet"))
    assert "there is no folder" in words
    assert words.endswith("make it first")


def test_a_sketch_of_no_rows_is_not_saved(tmp_path: Path) -> None:
    sketch = sample_sketch()
    nothing = sketch.select(np.zeros(sketch.bins.size, dtype=bool))
    assert "without rows" in refusal(lambda: nothing.save(tmp_path / "x.parquet"))
    assert list(tmp_path.iterdir()) == []


# What cannot be read.


def test_no_such_file(tmp_path: Path) -> None:
    words = refusal(lambda: Sketch.load(tmp_path / "x.parquet"))
    assert words.startswith("there is no file")


def test_a_directory_is_no_sketch(tmp_path: Path) -> None:
    words = refusal(lambda: Sketch.load(tmp_path))
    assert "is a directory: name the file of one sketch" in words


@pytest.mark.parametrize("content", [b"", b"x\n1.0\n2.0\n", b"PAR", bytes(500)])
def test_other_files_are_no_sketch(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    words = refusal(lambda: Sketch.load(path))
    assert words == "'x.parquet' is no Parquet file and no sketch: load what Sketch.save wrote"


def test_other_parquet_is_no_sketch(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"bin": [1.0, 2.0]}), path)
    words = refusal(lambda: Sketch.load(path))
    assert "is a Parquet file but no sketch" in words
    assert "Sketch.of" in words


def test_no_cut_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    sample_sketch().save(path)
    raw = path.read_bytes()
    for size in (4, 8, 12, 100, len(raw) // 2, len(raw) - 9, len(raw) - 4, len(raw) - 1):
        path.write_bytes(raw[:size])
        assert "is not a whole Parquet file" in refusal(lambda: Sketch.load(path))


def test_no_changed_byte_changes_a_number_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    sketch = sample_sketch(weighted=True)
    sketch.save(path)
    raw = path.read_bytes()
    rng = np.random.default_rng(4)
    errors = 0
    for at in rng.integers(0, len(raw) - 400, 40).tolist():
        changed = bytearray(raw)
        changed[at] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(changed)
        try:
            found = Sketch.load(path)
        except DataError:
            errors += 1
        else:
            assert bits(found) == bits(sketch)
    assert errors >= 20


# The format, from its page.


def written(
    path: Path, rows: Array, exponent: int, w: Array | None = None,
    *, metadata: dict[str, Any] | None = None, columns: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """A file written by the words of docs/sketch-format.md, with PyArrow and plain Python.

    Entries of `metadata` and `columns` take the place of those written, or None leaves them out.
    """
    sums: dict[int, Array] = {}
    for x, weight in zip(rows.tolist(), np.ones(rows.size) if w is None else w, strict=True):
        b = math.floor(x / 2.0**exponent)
        t = 2.0 * (x / 2.0**exponent - b) - 1.0
        polynomials = [1.0, t]
        while len(polynomials) < 8:
            polynomials.append(2.0 * t * polynomials[-1] - polynomials[-2])
        both = np.outer([weight, weight**2], polynomials)
        sums[b] = sums.get(b, np.zeros((2, 8))) + both
    table: dict[str, Any] = {"bin": [float(b) for b in sorted(sums)]}
    for k, name in enumerate(["moment", "square"][: 1 if w is None else 2]):
        table |= {f"{name}_{p}": [float(sums[b][k, p]) for b in sorted(sums)] for p in range(8)}
    fields: dict[str, Any] = {
        "format": "bactrian-sketch", "format_version": "1", "exponent": str(exponent),
        "count": str(rows.size), "minimum": repr(float(rows.min())),
        "maximum": repr(float(rows.max())), "n_missing": "0", "written_by": "hand",
    }  # fmt: skip
    table |= columns or {}
    fields |= metadata or {}
    arrow = pa.table({k: v for k, v in table.items() if v is not None})
    pq.write_table(
        arrow.replace_schema_metadata({k: v for k, v in fields.items() if v is not None}), path
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_a_file_that_another_program_wrote_is_loaded(weighted: bool, tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    rows = rows_of("cauchy", 500, 6)
    w = np.random.default_rng(7).gamma(1.0, 1.0, 500) if weighted else None
    numbers = {"crc32": None, "column": json.dumps('their "column"')}
    written(
        path,
        rows,
        -3,
        w,
        metadata=numbers,
        columns={"comment": ["more"] * len(set(np.floor(8 * rows)))},
    )
    found, ours = Sketch.load(path), sketch_of_rows(rows, -3, w)
    assert (found.exponent, found.count, found.column) == (-3, 500, 'their "column"')
    assert (found.minimum, found.maximum, found.n_missing) == (rows.min(), rows.max(), 0)
    assert found.bins.tolist() == ours.bins.tolist()
    np.testing.assert_allclose(found.moments, ours.moments, atol=1e-12)
    assert (found.squares is None) == (w is None)
    if found.squares is not None and ours.squares is not None:
        np.testing.assert_allclose(found.squares, ours.squares, atol=1e-11)
    assert len(found + ours) == 1000


def test_the_checksum_is_the_one_of_the_page(tmp_path: Path) -> None:
    sketch = sample_sketch(weighted=True)
    path = tmp_path / "x.parquet"
    sketch.save(path)
    table = pq.read_table(path)
    names = ["bin", *(f"moment_{p}" for p in range(8)), *(f"square_{p}" for p in range(8))]
    raw = b"".join(table[name].to_numpy().astype("<f8").tobytes() for name in names)
    fields = pq.read_schema(path).metadata
    assert fields[b"crc32"].decode() == str(zlib.crc32(raw))
    assert set(names) == set(table.column_names)
    assert set(table.schema.types) == {pa.float64()}


def test_the_page_names_every_key_and_column(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    sketch = replace(sample_sketch(), column="x")
    sketch.save(tmp_path / "x.parquet")
    for key in pq.read_schema(tmp_path / "x.parquet").metadata:
        assert f"`{key.decode()}`" in text
    assert f"version {sketch_file.VERSION}." in text
    assert f"`{sketch_file.FORMAT}`" in text


def test_the_halving_map_is_the_table_of_the_page() -> None:
    rows = re.findall(r"^\| (\d) \| (.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [int(p) for p, _ in rows] == list(range(8))
    table = np.zeros((8, 8))
    for p, cells in rows:
        for r, cell in enumerate(cells.split("|")[:8]):
            number, _, divisor = cell.strip().replace("−", "-").partition("/")
            table[int(p), r] = float(number or 0) / float(divisor or 1)
    signs = (-1.0) ** np.add.outer(np.arange(8), np.arange(8))
    assert (halving_map(True) == table).all()
    assert (halving_map(False) == signs * table).all()


ROWS = np.array([-0.75, 0.25, 0.5, 3.0, 3.5, 6.0])  # bins -1, 0, 3, 6 of width 1


@pytest.mark.parametrize(
    ("columns", "metadata", "reason"),
    [
        ({}, {"format_version": "2"}, "written by a newer Bactrian .format version 2"),
        ({}, {"format_version": "one"}, "format_version is no whole number"),
        ({}, {"format": "another"}, "no sketch"),
        ({}, {"exponent": None}, "exponent is no whole number"),
        ({}, {"exponent": "1.5"}, "exponent is no whole number"),
        ({}, {"exponent": "-1075"}, "exponent -1075 is that of no double"),
        ({}, {"exponent": "1024"}, "exponent 1024 is that of no double"),
        ({}, {"count": "7"}, "count 7 is not the sum"),
        ({}, {"count": "0"}, "no rows"),
        ({}, {"n_missing": "-1"}, "no rows"),
        ({}, {"n_missing": None}, "n_missing is no whole number"),
        ({}, {"minimum": "abc"}, "minimum is no number"),
        ({}, {"maximum": None}, "maximum is no number"),
        ({}, {"minimum": "nan"}, "do not fit its bins"),
        ({}, {"maximum": "inf"}, "do not fit its bins"),
        ({}, {"minimum": "6.5"}, "do not fit its bins"),
        ({}, {"minimum": "-1.5"}, "do not fit its bins"),
        ({}, {"maximum": "8.0"}, "do not fit its bins"),
        ({}, {"column": "x"}, "no name in JSON"),
        ({}, {"column": "12"}, "no name in JSON"),
        ({}, {"crc32": "1"}, "not those that were written"),
        ({"bin": [-1.0, 0.0, 3.5, 6.0]}, {}, "not whole"),
        ({"bin": [-1.0, 0.0, math.nan, 6.0]}, {}, "not whole"),
        ({"bin": [-1.0, 0.0, 3.0, math.inf]}, {}, "not whole"),
        ({"bin": [-1.0, 0.0, None, 6.0]}, {}, "not whole"),
        ({"bin": [-1.0, 3.0, 0.0, 6.0]}, {}, "ascending"),
        ({"bin": [-1.0, 0.0, 0.0, 6.0]}, {}, "ascending"),
        ({"bin": [-1, 0, 3, 6]}, {}, "no column bin of type DOUBLE"),
        ({"bin": None}, {}, "no column bin of type DOUBLE"),
        ({"moment_7": None}, {}, "no column moment_7"),
        ({"moment_2": ["a"] * 4}, {}, "no column moment_2"),
        ({"square_0": [1.0] * 4}, {}, "no column square_1"),
        ({"moment_3": [0.0, math.nan, 0.0, 0.0]}, {}, "not finite"),
        ({"moment_3": [0.0, None, 0.0, 0.0]}, {}, "not finite"),
        ({"moment_0": [1.0, math.inf, 2.0, 1.0]}, {}, "not finite"),
        ({"moment_0": [1.0, 0.0, 4.0, 1.0]}, {}, "no positive weight"),
        ({"moment_0": [1.0, -2.0, 6.0, 1.0]}, {}, "no positive weight"),
        ({"moment_5": [0.0, 2.1, 0.0, 0.0]}, {}, "exceeds its bin's weight"),
        ({"moment_5": [0.0, 0.0, -2.1, 0.0]}, {}, "exceeds its bin's weight"),
    ],
)  # fmt: skip
def test_content_that_no_rows_have_is_refused(
    columns: dict[str, Any], metadata: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.parquet"
    written(path, ROWS, 0)
    assert len(Sketch.load(path)) == 6
    written(path, ROWS, 0, columns=columns, metadata=metadata)
    assert re.search(reason, refusal(lambda: Sketch.load(path)))


def test_a_table_without_bins_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    names = ["bin", *(f"moment_{p}" for p in range(8))]
    empty = {name: pa.array([], pa.float64()) for name in names}
    written(path, ROWS, 0, columns=empty)
    assert "it has no bins" in refusal(lambda: Sketch.load(path))


def test_what_subtraction_leaves_is_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    many = sketch_of_rows(rng.normal(size=200_000), -2)
    few = sketch_of_rows(np.array([0.1, 0.2, 3.0]), -2)
    left = (many + few) - many
    assert bits(reloaded(left, tmp_path)) == bits(left)


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.parquet"
    sample_sketch().save(path)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for action in (lambda: sample_sketch().save(path), lambda: Sketch.load(path)):
        assert "pip install 'bactrian[files]'" in refusal(action)
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"]
