"""How each format of file is scanned, and which columns it has."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bactrian.data.tables.engine import File, query, quoted
from bactrian.errors import DataError

__all__ = ["MISSING_WORDS", "Scan", "scan_of"]

MISSING_WORDS = (
    *("", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NULL", "null", "None"),
    *("NaN", "nan", "NAN", "-NaN", "-nan", "-NAN"),
)
_WORDS = ", ".join(f"'{word}'" for word in MISSING_WORDS)
_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
_KINDS = {"VARCHAR": "text", "JSON": "mixed", "DOUBLE": "number", "FLOAT": "number"} | (
    dict.fromkeys(_INTEGERS | {"INTEGER", "UINTEGER"}, "integer")
)
_SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Scan:
    """A table function of DuckDB with its parameters, and the columns it gives.

    Attributes
    ----------
    sql, parameters : the table function.
    types : for each column, in order, its type in DuckDB.
    kinds : the same in a word for messages.
    numeric : the columns that hold numbers, also numbers written as text among missing words.
    texts : whether every value is scanned as its text.
    """

    sql: str
    parameters: dict[str, Any]
    types: Mapping[str, str]
    kinds: Mapping[str, str]
    numeric: Sequence[str]
    texts: bool


def scan_of(engine: Any, file: File) -> Scan:
    """The way to scan a file.

    Parameters
    ----------
    engine : an open connection to DuckDB.
    file : the file, of known format.

    Raises
    ------
    DataError
        The file is damaged or not of its format.
    """
    if file.form == "parquet":
        sql = "read_parquet($path, hive_partitioning = false)"
        parameters = {"path": _literal(file.path)}
        types = _described(engine, file, sql, parameters)
    else:
        scan = _json if file.form == "json" else _delimited
        sql, parameters, types = scan(engine, file)
    kinds = {name: _kind(kind) for name, kind in types.items()}
    if file.form != "parquet":
        texts = [name for name, kind in kinds.items() if kind in ("text", "mixed")]
        kinds |= _kinds_of_texts(engine, file, sql, parameters, texts)
    numeric = [name for name, kind in kinds.items() if kind in ("number", "integer")]
    return Scan(sql, parameters, types, kinds, numeric, file.form != "parquet")


def _json(engine: Any, file: File) -> tuple[str, dict[str, Any], dict[str, str]]:
    """JSON lines, or one array of objects; every value is scanned as its text."""
    parameters: dict[str, Any] = {"path": _literal(file.path)}
    sql = "read_json($path, hive_partitioning = false"
    types = _described(engine, file, sql + ")", parameters)
    parameters["columns"] = dict.fromkeys(types, "VARCHAR")
    return sql + ", columns = $columns)", parameters, types


def _delimited(engine: Any, file: File) -> tuple[str, dict[str, Any], dict[str, str]]:
    """CSV or TSV in the dialect that DuckDB finds; every value is scanned as its text."""
    found = _sniffed(engine, file)
    types = {column["name"]: column["type"] for column in found["Columns"]}
    header = found["HasHeader"]
    if header and all(map(_is_number, types)):
        # A first line of numbers is data, whatever text in later lines makes the detection say.
        header, types = False, {f"column{i}": kind for i, kind in enumerate(types.values())}
    delimiter = found["Delimiter"]
    if header and (split := _undetected_delimiter(types)):
        # Lines of unequal length defeat the detection; scanning by the header finds the culprit.
        delimiter = split
        names = next(csv.reader([next(iter(types))], delimiter=split))
        types = dict.fromkeys((name.strip() for name in names), "VARCHAR")
    quote = "'" if found["Quote"] == "'" else '"'
    parameters = {
        "path": _literal(file.path),
        "delimiter": delimiter,
        "quote": quote,
        "escape": "\\" if found["Escape"] == "\\" else quote,
        "header": header,
        "columns": dict.fromkeys(types, "VARCHAR"),
    }
    sql = (
        "read_csv($path, auto_detect = false, hive_partitioning = false, "
        "delim = $delimiter, quote = $quote, escape = $escape, header = $header, skip = 0, "
        "comment = '', columns = $columns)"
    )
    return sql, parameters, types


def _sniffed(engine: Any, file: File) -> dict[str, Any]:
    """The dialect of a delimited text, as DuckDB finds it.

    Left to itself DuckDB skips as many lines as it takes to make the others alike, and takes
    "#N/A" for a comment: rows would be lost in silence.
    """
    parameters: dict[str, Any] = {
        "path": _literal(file.path),
        "missing": list(MISSING_WORDS),
    }
    sql = "sniff_csv($path, nullstr = $missing, "
    sql += "skip = 0, comment = ''"
    if file.form == "tsv":
        parameters["delimiter"] = "\t"
        sql += ", delim = $delimiter"
    fields = ("Delimiter", "Quote", "Escape", "HasHeader", "Columns")
    found = query(engine, file, f"select {', '.join(map(quoted, fields))} from {sql})", parameters)
    if not len(found["Columns"]):
        raise DataError(f"{file.label} cannot be read as a table: check that it is CSV or TSV")
    return {field: found[field].tolist()[0] for field in fields}


def _undetected_delimiter(types: Mapping[str, str]) -> str | None:
    """The delimiter in a header that was taken for the name of a single column of text."""
    if list(types.values()) != ["VARCHAR"]:
        return None
    (name,) = types
    count, delimiter = max((name.count(mark), mark) for mark in ",;\t|")
    return delimiter if count else None


def _kinds_of_texts(
    engine: Any, file: File, sql: str, parameters: dict[str, Any], names: Sequence[str]
) -> dict[str, str]:
    """Those columns of text whose first rows are numbers or missing words, or nothing at all."""
    if not names:
        return {}
    counts = ", ".join(
        f"count(try_cast({quoted(name)} as double)) as n{i}, "
        f"count(*) filter (trim({quoted(name)}) not in ({_WORDS})) as p{i}"
        for i, name in enumerate(names)
    )
    listing = ", ".join(map(quoted, names))
    inner = f"select {listing} from {sql} limit {_SAMPLE}"
    found = query(engine, file, f"select {counts} from ({inner})", parameters)
    kinds = {}
    for i, name in enumerate(names):
        if found[f"p{i}"][0] == 0:
            kinds[name] = "empty"
        elif found[f"n{i}"][0] == found[f"p{i}"][0]:
            kinds[name] = "number"
    return kinds


def _described(engine: Any, file: File, sql: str, parameters: dict[str, Any]) -> dict[str, str]:
    """The columns that a table function gives, with their types."""
    found = query(engine, file, f"describe from {sql}", parameters)
    return dict(zip(found["column_name"].tolist(), found["column_type"].tolist(), strict=True))


def _kind(kind: str) -> str:
    """A type of DuckDB in a word."""
    if kind.startswith("DECIMAL"):
        return "number"
    return _KINDS.get(kind, kind.partition("(")[0].lower())


def _is_number(word: str) -> bool:
    """Whether a word reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _literal(path: str) -> str:
    """A glob that matches this one path and nothing else."""
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in path)
