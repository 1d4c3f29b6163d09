"""Files and streams: the same bits in every format, and one sentence for each fault."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, DataTypeError
from tests import reference_sets

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N_LARGE = 150_000


def hard_texts() -> list[str]:
    """Decimals that expose a parser: random bits, many digits, ties, ends of the range."""
    rng = np.random.default_rng(11)
    bits = rng.integers(0, 2**64, size=3000, dtype=np.uint64).tobytes()
    numbers = [value for (value,) in struct.iter_unpack("<d", bits)]
    texts = [repr(value) for value in numbers if abs(value) < 8e307]
    deviates = rng.normal(size=2000).tolist()
    texts += [f"{1e9 + value:.6f}" for value in deviates]
    texts += [f"{value:.6f}e-150" for value in deviates]
    texts += [f"{value:.25f}" for value in deviates]
    texts += [f"{value:.30e}" for value in deviates]
    # Halfway between two doubles, subnormals, more digits than any integer type.
    texts += ["9007199254740993", "1.00000000000000011102230246251565404236316680908203125"]
    texts += ["5e-324", "2.2250738585072011e-308", "-0.0", "1E5", "123456789012345678901234567890"]
    return texts


TEXTS = hard_texts()
EXACT = np.array([float(text) for text in TEXTS])


def csv_bytes(texts: list[str] = TEXTS) -> bytes:
    return ("s,x\n" + "".join(f"a,{text}\n" for text in texts)).encode()


def tsv_bytes() -> bytes:
    return ("s\tx\n" + "".join(f"a, b\t{text}\n" for text in TEXTS)).encode()


def semicolon_bytes() -> bytes:
    return ("s;x\r\n" + "".join(f'"a;b";{text}\r\n' for text in TEXTS)).encode()


def json_bytes() -> bytes:
    return "".join(f'{{"s": "a", "x": {text}}}\n' for text in TEXTS).encode()


def json_array_bytes() -> bytes:
    return ("[" + ",\n".join(f'{{"x": {text}}}' for text in TEXTS) + "]").encode()


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"s": ["a"] * EXACT.size, "x": EXACT}), sink)
    return sink.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "a.csv": csv_bytes,
    "a.txt": csv_bytes,
    "semicolons.csv": semicolon_bytes,
    "a.tsv": tsv_bytes,
    "tabs.txt": tsv_bytes,
    "a.jsonl": json_bytes,
    "a.ndjson": json_bytes,
    "a.json": json_array_bytes,
    "a.parquet": parquet_bytes,
    "no_ending": parquet_bytes,
    "lines": json_bytes,
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_doubles_of_python(name: str, packed: bool, tmp_path: Path) -> None:
    content = FORMATS[name]()
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    rows = read_rows(path)
    assert rows.values.tobytes() == EXACT.tobytes()
    assert rows.name == "x"
    assert not rows.values.flags.writeable


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_is_read_without_knowing_its_format(name: str, packed: bool) -> None:
    content = FORMATS[name]()
    rows = read_rows(io.BytesIO(gzip.compress(content) if packed else content))
    assert rows.values.tobytes() == EXACT.tobytes()


@pytest.mark.parametrize("name", ["faithful_waiting", "s08_offset_1e9", "s09a_scale_1e-150"])
def test_reference_files_are_read_bit_for_bit(name: str) -> None:
    expected, _ = reference_sets.load(name)
    found = read_rows(reference_sets.FOLDER / "csv" / f"{name}.csv").values
    assert found.tobytes() == expected.tobytes()


LARGE = np.random.default_rng(5).normal(size=N_LARGE)
LARGE_FORMATS: dict[str, Callable[[str], str]] = {
    "csv": lambda texts: "x\n" + texts,
    "jsonl": lambda texts: "".join(f'{{"x":{text}}}\n' for text in texts.split()),
}


@pytest.mark.parametrize("ending", [*LARGE_FORMATS, "parquet"])
def test_rows_keep_their_order_in_a_large_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"large.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({"x": LARGE}), path, row_group_size=10_000)
    else:
        path.write_text(LARGE_FORMATS[ending]("".join(f"{v!r}\n" for v in LARGE.tolist())))
    assert np.array_equal(read_rows(path).values, LARGE)


def test_missing_words_far_down_keep_their_rows(tmp_path: Path) -> None:
    texts = [repr(value) for value in LARGE.tolist()]
    holes = [70_000, 90_001, 149_999]
    for row, word in zip(holes, ["NA", " null ", "NaN"], strict=True):
        texts[row] = word
    path = tmp_path / "holes.csv"
    path.write_text("x,s\n" + "".join(f"{text},a\n" for text in texts))
    with pytest.raises(
        DataError, match="3 missing values among 150000 rows, the first at row 70001"
    ):
        read_rows(path)
    rows = read_rows(path, missing="drop")
    assert np.array_equal(rows.values, np.delete(LARGE, holes))
    assert rows.n_missing == 3


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


READABLE: list[tuple[str, str, list[float], str, int]] = [
    ("no header", "1.5\n2.5\n", [1.5, 2.5], "column0", 0),
    ("no header, two", "1.5,a\n2.5,b\n", [1.5, 2.5], "column0", 0),
    ("a first line of numbers", "2019\nNA \n2020\n", [2019.0, 2020.0], "column0", 1),
    ("one row", "x\n5\n", [5.0], "x", 0),
    ("no line feed at the end", "x\n5\n6", [5.0, 6.0], "x", 0),
    ("blank lines at the end", "x\n1\n2\n\n\n", [1.0, 2.0], "x", 0),
    ("byte order mark", "\ufeffx\n1\n2\n", [1.0, 2.0], "x", 0),
    ("comment lines", "# made today\n\n# by hand\nx,s\n1,a\n2,b\n", [1.0, 2.0], "x", 0),
    ("comment above one column", "# made today\nx\n1\n2\n", [1.0, 2.0], "x", 0),
    ("mark and comment", "\ufeff# made today\nx\n1\n2\n", [1.0, 2.0], "x", 0),
    ("blank lines above one column", "\n\nx\n1\n2\n", [1.0, 2.0], "x", 0),
    ("a missing word like a comment", "x\n1\n#N/A\n2\n", [1.0, 2.0], "x", 1),
    ("quoted numbers", '"x","s"\n"1","a"\n"2","b"\n', [1.0, 2.0], "x", 0),
    ("spaces", "s , x\na, 1 \nb, 2 \n", [1.0, 2.0], "x", 0),
    ("dates beside", "day,x\n2020-01-01,1\n2020-01-02,2\n", [1.0, 2.0], "x", 0),
    ("a comma in the name", '"height, cm"\n1.5\n2.5\n', [1.5, 2.5], "height, cm", 0),
]


@pytest.mark.parametrize(
    ("text", "values", "name", "n_missing"), [f[1:] for f in READABLE], ids=[f[0] for f in READABLE]
)
def test_csv_as_people_write_it(
    text: str, values: list[float], name: str, n_missing: int, tmp_path: Path
) -> None:
    rows = read_rows(write(tmp_path, "a.csv", text), missing="drop")
    assert (rows.values.tolist(), rows.name, rows.n_missing) == (values, name, n_missing)


@pytest.mark.parametrize("word", ["NA", "NaN", "nan", "", "null", "None", "N/A", "<NA>"])
def test_a_missing_word_is_missing(word: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", f"x,s\n1,a\n{word},b\n3,c\n")
    with pytest.raises(DataError, match=r"1 missing value among 3 rows, at row 2 of 'a\.csv'"):
        read_rows(path, column="x")
    assert read_rows(path, column="x", missing="drop").values.tolist() == [1.0, 3.0]


def test_a_blank_line_inside_a_column_is_a_missing_value(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 missing value among 3 rows, at row 2"):
        read_rows(write(tmp_path, "a.csv", "x\n1\n\n3\n"))


@pytest.mark.parametrize("text", ['{"x":1}\n{"x":null}\n{"x":3}\n', '{"x":1}\n{"y":2}\n{"x":3}\n'])
def test_null_and_absent_keys_of_json_are_missing(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", text)
    with pytest.raises(DataError, match="1 missing value among 3 rows, at row 2"):
        read_rows(path, column="x")
    assert read_rows(path, column="x", missing="drop").values.tolist() == [1.0, 3.0]


def test_missing_values_of_parquet_are_null_and_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1.0, None, float("nan"), 4.0]}), path)
    with pytest.raises(DataError, match="2 missing values among 4 rows, the first at row 2"):
        read_rows(path)
    assert read_rows(path, missing="drop").values.tolist() == [1.0, 4.0]


PARQUET_TYPES = [
    (pa.array([0.1, 2.0], pa.float32()), [0.10000000149011612, 2.0]),
    (pa.array([2**53 + 1, 1], pa.int64()), [2.0**53, 1.0]),
    (pa.array([200, 1], pa.uint8()), [200.0, 1.0]),
    (pa.array(["1234567890.0123456789", "0.1"]).cast(pa.decimal128(38, 20)),
     [1234567890.0123456789, 0.1]),
    (pa.array(["52.5633466616649407779571356"]).cast(pa.decimal128(30, 25)),
     [52.5633466616649407779571356]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("array", "values"), PARQUET_TYPES, ids=[str(a.type) for a, _ in PARQUET_TYPES]
)
def test_numbers_of_parquet_go_to_their_nearest_double(
    array: Any, values: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": array}), path)
    assert read_rows(path).values.tolist() == values


@pytest.mark.parametrize("kind", ["bool", "timestamp", "list"])
def test_other_types_of_parquet_are_named(kind: str, tmp_path: Path) -> None:
    column = {"bool": [True], "timestamp": [np.datetime64("2020-01-01", "us")], "list": [[1.0]]}[
        kind
    ]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"y": column, "x": [1.0]}), path)
    with pytest.raises(DataError, match=r"column 'y' of 'a\.parquet' is of type .*choose one of x"):
        read_rows(path, column="y")


def test_weights_are_a_column_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x,count\n1.5,2\n2.5,0\n")
    rows = read_rows(path, sample_weight="count")
    assert (rows.name, rows.values.tolist()) == ("x", [1.5, 2.5])
    assert rows.weights is not None
    assert rows.weights.tolist() == [2.0, 0.0]


def test_a_bad_weight_is_named_by_its_row(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x,count\n1.5,2\n2.5,-1\n")
    with pytest.raises(DataError, match=r"sample_weight is negative at row 2 of 'a\.csv'"):
        read_rows(path, sample_weight="count")


class TestSeveralFiles:
    def test_they_are_read_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        write(tmp_path, "b.csv", "x,w\n3,1\n")
        write(tmp_path, "a.csv", "w,x\n7,1\n8,2\n")
        rows = read_rows(f"{tmp_path}/*.csv", column="x", sample_weight="w")
        assert rows.values.tolist() == [1.0, 2.0, 3.0]
        assert rows.weights is not None
        assert rows.weights.tolist() == [7.0, 8.0, 1.0]

    def test_the_order_does_not_depend_on_the_file_system(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paths = [str(write(tmp_path, f"{i}.csv", f"x\n{i}\n")) for i in range(4)]
        monkeypatch.setattr("glob.glob", lambda *_, **__: [paths[i] for i in (2, 0, 3, 1)])
        assert read_rows(f"{tmp_path}/*.csv").values.tolist() == [0.0, 1.0, 2.0, 3.0]

    def test_folders_below_and_formats_may_mix(self, tmp_path: Path) -> None:
        (tmp_path / "below").mkdir()
        write(tmp_path, "a.csv", "x\n1\n")
        write(tmp_path / "below", "b.jsonl", '{"x": 2}\n')
        assert read_rows(f"{tmp_path}/**/*.*").values.tolist() == [1.0, 2.0]

    def test_a_fault_is_placed_in_its_own_file(self, tmp_path: Path) -> None:
        write(tmp_path, "a.csv", "x\n1\n2\n")
        write(tmp_path, "b.csv", "x,s\nNA,a\n4,b\n")
        with pytest.raises(DataError, match=r"1 missing value among 4 rows, at row 1 of 'b\.csv'"):
            read_rows(f"{tmp_path}/?.csv")

    def test_each_must_have_the_column(self, tmp_path: Path) -> None:
        write(tmp_path, "a.csv", "x\n1\n")
        write(tmp_path, "b.csv", "y\n2\n")
        with pytest.raises(DataError, match=r"'b\.csv' has no column 'x'"):
            read_rows(f"{tmp_path}/?.csv")

    def test_a_pattern_without_files_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"no file matches .*: check the pattern"):
            read_rows(f"{tmp_path}/*.csv")


@pytest.mark.parametrize(
    "name", ["a[1].csv", "it's.csv", 'a"b.csv', "a b.csv", "100%.csv", "$x.csv"]
)
def test_any_name_of_a_file_is_safe(name: str, tmp_path: Path) -> None:
    write(tmp_path, "a1.csv", "x\n100\n")
    path = write(tmp_path, name, "x\n1\n2\n")
    assert read_rows(path).values.tolist() == [1.0, 2.0]


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be given there")
@pytest.mark.parametrize("name", ["a*.csv", "a?.csv", "[a]b.csv"])
def test_a_file_is_preferred_to_the_pattern_it_looks_like(name: str, tmp_path: Path) -> None:
    for other in ("aZ.csv", "ab.csv"):
        write(tmp_path, other, "x\n100\n")
    path = write(tmp_path, name, "x\n1\n2\n")
    assert read_rows(str(path)).values.tolist() == [1.0, 2.0]


def test_any_name_of_a_column_is_safe(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"a\\"b; drop": 1, "y": 2}\n')
    assert read_rows(path, column='a"b; drop').values.tolist() == [1.0]


def test_the_home_folder_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.csv", "x\n1\n2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read_rows("~/a.csv").values.tolist() == [1.0, 2.0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_list_names_several_files(tmp_path: Path) -> None:
    """In its order; paths, texts and globs."""
    for name, text in (("b.csv", "x\n1\n2\n"), ("a.csv", "x\n3\n"), ("c.tsv", "x\ty\n4\t5\n")):
        (tmp_path / name).write_text(text)
    listed = [tmp_path / "b.csv", str(tmp_path / "[ac].*")]
    for data in (listed, tuple(listed), [str(path) for path in listed]):
        assert read_rows(data, column="x").values.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(DataError, match="is named twice: its rows would count twice"):
        read_rows([tmp_path / "b.csv", str(tmp_path / "*.csv")])
    with pytest.raises(DataError, match="is named twice"):
        read_rows([tmp_path / "b.csv", str(tmp_path / ".." / tmp_path.name / "b.csv")])
    with pytest.raises(DataError, match="there is no file"):
        read_rows([tmp_path / "b.csv", tmp_path / "d.csv"])


@pytest.mark.parametrize("texts", [["1.5", "2"], ["a", "b.csv"], ["", "x"]])
def test_texts_that_are_no_names_of_files_are_texts(texts: list[str]) -> None:
    with pytest.raises(DataTypeError, match="text"):
        read_rows(texts)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"x\n1\n2\n",))
    writer.start()
    rows = read_rows(pipe)
    writer.join()
    assert rows.values.tolist() == [1.0, 2.0]


GZ = gzip.compress(csv_bytes())
FAULTS: list[tuple[str, str, str | bytes, str]] = [
    ("empty", "a.csv", "", r"'a\.csv' is empty: it holds no bytes"),
    ("empty gz", "a.csv.gz", gzip.compress(b""), r"'a\.csv\.gz' is empty"),
    ("empty Parquet", "a.parquet", "", "is empty"),
    ("empty JSON", "a.json", "[]", "nothing to fit"),
    ("header only", "a.csv", "x\n", "nothing to fit"),
    ("header only, two", "a.csv", "x,y\n", "nothing to fit"),
    ("blank lines only", "a.csv", "\n\n", "nothing to fit"),
    ("text", "a.csv", "x\n1\nabc\n3\n", r"column 'x' holds the text 'abc' at row 2 of 'a\.csv'"),
    ("long text", "a.csv", "x\n1\n" + "b" * 50 + "\n", r"the text 'b{27}\.\.\.' at row 2"),
    ("text column", "a.csv", "s,t\na,b\n", r"no column of numbers: its columns are s \(text\)"),
    ("decimal commas", "a.csv", "x;s\n1,5;a\n2,5;b\n", "no column of numbers"),
    ("infinite", "a.csv", "x\n1\ninf\n", "1 infinite value among 2 rows, at row 2"),
    ("too large", "a.csv", "x\n1\n1e400\n", "1 infinite value among 2 rows, at row 2"),
    ("true and false", "a.csv", "x\ntrue\nfalse\n", "holds the text 'true' at row 1"),
    ("several columns", "a.csv", "x,y\n1,2\n", r"2 columns of numbers, x and y: choose one"),
    ("row cut off", "a.csv", "a,b\n1,2\n3", r"line 3 of 'a\.csv' has 1 value where 2 are expected"),
    ("row cut off, comments", "a.csv", "# c\n\na,b\n1,2\n3", r"line 5 of 'a\.csv' has 1 value"),
    ("comments only", "a.csv", "# c\n\n# d\n", "nothing to fit"),
    ("row too long", "a.csv", "a,b\n1,2\n3,4,5\n", "line 3 of .* has 3 values where 2 are"),
    ("header too short", "a.csv", "a,b\n1,2,3\n4,5,6\n", "line 2 of .* has 3 values where 2 are"),
    ("late comment", "a.csv", "x\n1\n# c\n2\n", "the text '# c' at row 2"),
    ("title line", "a.csv", "Made today\nx,y\n1,2\n", "column 'Made today' holds the text 'x,y'"),
    ("not UTF-8", "a.csv", b"x,s\n1,caf\xe9\n", r"'a\.csv' is not UTF-8 text: save it"),
    ("UTF-16", "a.csv", "x\n1\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
    ("workbook", "a.xlsx", b"PK\x03\x04rest", "an Excel workbook: save the sheet as CSV"),
    ("NumPy file", "a.npy", b"\x93NUMPY\x01", "a NumPy file: read it with numpy.load"),
    ("zstd", "a.csv.zst", b"\x28\xb5\x2f\xfdrest", "compressed with zstd: decompress it first"),
    ("Arrow file", "a.feather", b"ARROW1\x00\x00", "an Arrow file: read it with pyarrow"),
    ("gz cut in half", "a.csv.gz", GZ[: len(GZ) // 2], "cut off or damaged: its gzip stream"),
    ("gz without its end", "a.csv.gz", GZ[:-5], "cut off or damaged: its gzip stream"),
    ("gz cut at its start", "a.csv.gz", GZ[:12], "cut off or damaged: its gzip stream"),
    ("gz with a wrong byte", "a.csv.gz", GZ[:-6] + b"?" + GZ[-5:], "cut off or damaged: its gzip"),
    ("Parquet cut in half", "a.parquet", parquet_bytes()[:9000], "is not a whole Parquet file"),
    ("Parquet that is text", "a.parquet", "x\n1\n", "is not a whole Parquet file"),
    ("JSON cut off", "a.jsonl", '{"x": 1}\n{"x": 2', "is not whole JSON .*unexpected end"),
    ("JSON that is text", "a.jsonl", '{"x": 1}\nhello\n', "is not whole JSON"),
    ("nested JSON", "a.jsonl", '{"x": {"y": 1}}\n', "holds the text .* which is not a number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(
    name: str, content: str | bytes, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_rows(write(tmp_path, name, content))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 300
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_damage_inside_a_parquet_file_is_found(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": np.arange(1000.0)}), sink, use_dictionary=False)
    content = bytearray(sink.getvalue())
    content[500:900] = bytes(400)
    with pytest.raises(DataError, match="is not a whole Parquet file"):
        read_rows(write(tmp_path, "a.parquet", bytes(content)), column="x")


def test_decimal_commas_have_their_own_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x;s\n1,5;a\n2,5;b\n")
    with pytest.raises(DataError, match=r"text '1,5' at row 1 .*with a decimal point"):
        read_rows(path, column="x")


def test_an_unknown_column_brings_a_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "waiting,eruptions,s\n1,2,a\n")
    words = r"no column 'wating'; did you mean 'waiting'\? \(its columns are waiting \(integer\), "
    with pytest.raises(DataError, match=words):
        read_rows(path, column="wating")


def test_a_file_that_is_not_there_brings_a_suggestion(tmp_path: Path) -> None:
    write(tmp_path, "faithful.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"there is no file .*: did you mean 'faithful\.csv'\?"):
        read_rows(tmp_path / "faitful.csv")
    with pytest.raises(DataError, match=r"there is no file .*: check the path"):
        read_rows(tmp_path / "nowhere" / "a.csv")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a directory: name a file, or several as .*\*\.csv"):
        read_rows(tmp_path)


def test_a_file_that_may_not_be_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.csv", "x\n1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=r"'a\.csv' cannot be read: Permission denied"):
        read_rows(path)


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    with contextlib.suppress(NotImplementedError):
        link.symlink_to(tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"'link\.csv' cannot be read: No such file"):
        read_rows(link)


def test_an_empty_stream_is_refused() -> None:
    with pytest.raises(DataError, match="the open file is empty"):
        read_rows(io.BytesIO())


def test_standard_input_is_called_so() -> None:
    stream = io.BytesIO(b"x\nabc\n")
    stream.name = "<stdin>"  # as sys.stdin.buffer has it
    with pytest.raises(DataError, match="'abc' at row 1 of standard input"):
        read_rows(stream)


def test_a_stream_that_is_closed_is_refused() -> None:
    stream = io.BytesIO(b"x\n1\n")
    stream.close()
    with pytest.raises(DataError, match="the open file cannot be read: I/O operation on closed"):
        read_rows(stream)


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(
        DataError, match=r"DuckDB, which is not installed: run pip install 'bactrian\[files\]'"
    ):
        read_rows(write(tmp_path, "a.csv", "x\n1\n"))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert read_rows(io.BytesIO(b"x\n1\n2\n")).values.size == 2
    with pytest.raises(DataError):
        read_rows(io.BytesIO(b"x\nabc\n"))
    assert list(tmp_path.iterdir()) == []
