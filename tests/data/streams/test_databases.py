"""Databases: real ones, a SQLite file and a PostgreSQL server of our own."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bactrian.data.sketches.accumulate import first_order_of, sketch_of
from bactrian.data.streams import batches
from bactrian.data.streams.adbc import asked, connected
from bactrian.data.streams.databases import Query, database_source
from bactrian.errors import DataError, DataTypeError, ParameterError
from tests.conftest import NO_POSTGRESQL
from tests.services.postgresql import NotInstallableError, server

pytest.importorskip("pyarrow")
sqlite = pytest.importorskip("adbc_driver_sqlite.dbapi")
postgresql = pytest.importorskip("adbc_driver_postgresql.dbapi")

N = 20_000
X = np.random.default_rng(8).normal(1.0, 2.0, N)
W = np.random.default_rng(9).integers(1, 4, N).astype(float)
MIXTURE = np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.5, 1.5])
PASSWORD = "s3cret/pass word"
ENCODED = "s3cret%2Fpass%20word"


@pytest.fixture(scope="module")
def socket() -> Iterator[str]:
    """The folder of the socket of a server."""
    try:
        with server(PASSWORD) as folder:
            yield folder
    except NotInstallableError as reason:
        pytest.skip(f"{NO_POSTGRESQL}: {reason}")


def postgresql_address(socket: str, password: str = ENCODED, database: str = "postgres") -> str:
    return f"postgresql://bactrian:{password}@/{database}?host={socket}"


TABLES = (
    "create table rows (x double precision, w integer, s text, n numeric, gap double precision)"
)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory, socket: str) -> dict[str, str]:
    """The address of each database with the same tables."""
    path = tmp_path_factory.mktemp("sqlite") / "rows of mine.db"
    rows = [
        (x, int(w), "a", repr(x), None if i % 10 else x)
        for i, (x, w) in enumerate(zip(X.tolist(), W.tolist(), strict=True))
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(TABLES)
        connection.executemany("insert into rows values (?, ?, ?, ?, ?)", rows)
        connection.execute('create table "two words" as select * from rows limit 7')
        connection.commit()
    address = postgresql_address(socket)
    with postgresql.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        import pyarrow as pa

        names = ["x", "w", "s", "n", "gap"]
        types = [pa.float64(), pa.int32(), pa.string(), pa.string(), pa.float64()]
        columns = [pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)]
        cursor.adbc_ingest("raw", pa.table(dict(zip(names, columns, strict=True))))
        cursor.execute("insert into rows select x, w, s, n::numeric, gap from raw")
        cursor.execute('create table "two words" as select * from rows limit 7')
        connection.commit()
    return {"sqlite": f"sqlite:///{path}", "postgresql": address}


BOTH = pytest.mark.parametrize("which", ["sqlite", "postgresql"])


@BOTH
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("column", ["x", "n"])
def test_sums_are_those_of_the_rows(
    databases: dict[str, str], which: str, weight: str | None, column: str
) -> None:
    source = database_source(Query(databases[which], "rows"), column, weight)
    assert (source.column, source.is_rereadable) == (column, True)
    w = None if weight is None else W
    found, expected = source.sketch(-6), sketch_of(X, w, -6)
    assert found.bins.tolist() == expected.bins.tolist()
    np.testing.assert_allclose(found.moments, expected.moments, atol=1e-10)
    assert (found.count, found.column) == (N, column)
    sums = source.first_order(0.5, 2.0, *MIXTURE)
    assert sums.loglike == pytest.approx(
        first_order_of(X, w, 0.5, 2.0, *MIXTURE).loglike, rel=1e-13
    )


@BOTH
def test_numbers_of_any_kind_come_as_doubles(databases: dict[str, str], which: str) -> None:
    source = database_source(Query(databases[which], "rows"), "n", "w")
    with source.open() as pairs:
        for values, weights in pairs:
            assert values.values.dtype == np.float64
            assert weights is not None
            assert weights.values.dtype == np.float64


@BOTH
@pytest.mark.parametrize(
    "sql",
    [
        "select x from rows where w = 2",
        "  SELECT x FROM rows WHERE w = 2 ; \n",
        "with two as (select * from rows where w = 2) select x from two -- only these",
        "/* some */ select x from rows where w = 2",
    ],
)
def test_any_statement_that_gives_rows_is_taken(
    databases: dict[str, str], which: str, sql: str
) -> None:
    found = database_source(Query(databases[which], sql)).sketch(-6)
    assert found.bins.tolist() == sketch_of(X[W == 2.0], None, -6).bins.tolist()


def test_a_statement_may_be_in_parentheses(databases: dict[str, str]) -> None:
    query = Query(databases["postgresql"], "(select x from rows where w = 2)")
    assert database_source(query).sketch().count == (W == 2.0).sum()


@BOTH
def test_a_table_may_have_any_name(databases: dict[str, str], which: str) -> None:
    assert database_source(Query(databases[which], "two words"), "x").sketch().count == 7


@BOTH
def test_nulls_are_missing_also_when_they_come_first(databases: dict[str, str], which: str) -> None:
    query = Query(databases[which], "select gap from rows order by gap is not null")
    found = database_source(query, missing="drop").sketch()
    assert (found.count, found.n_missing) == (N // 10, N - N // 10)
    assert found.total == N // 10
    with pytest.raises(DataError, match=r"'gap' has \d+ missing values .* at row 1 of the query"):
        database_source(query).sketch()


@BOTH
def test_a_connection_of_the_user_stays_open(databases: dict[str, str], which: str) -> None:
    driver = {"sqlite": sqlite, "postgresql": postgresql}[which]
    address = databases[which]
    target = address.removeprefix("sqlite:///") if which == "sqlite" else address
    with driver.connect(target) as connection:
        source = database_source(Query(connection, "rows"), "x")
        assert source.sketch(-6).count == source.sketch(-6).count == N
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from rows")
            assert cursor.fetchone() == (N,)


@BOTH
def test_rows_that_come_or_go_between_passes_are_noticed(
    databases: dict[str, str], which: str
) -> None:
    address = databases[which]
    driver = {"sqlite": sqlite, "postgresql": postgresql}[which]
    target = address.removeprefix("sqlite:///") if which == "sqlite" else address
    with driver.connect(target) as connection, connection.cursor() as cursor:
        cursor.execute("create table few as select x from rows limit 100")
        connection.commit()
        source = database_source(Query(address, "few"))
        source.sketch()
        cursor.execute("insert into few values (1.0)")
        connection.commit()
        with pytest.raises(DataError, match="the query had 100 rows when read before and 101 now"):
            source.first_order(0.0, 1.0, *MIXTURE)
        cursor.execute("drop table few")
        connection.commit()
        with pytest.raises(DataError, match="the query fails"):
            source.sketch()


FAULTS = [
    ("selec", {}, "the query fails.*selec"),
    ("selects", {}, "the query fails.*selects"),
    ("select x from none", {}, "the query fails.*none"),
    ("rows", {"column": "X"}, r"the query has no column 'X'; did you mean 'x'\?"),
    ("rows", {"column": "x", "weight": "y"}, "no column 'y'"),
    ("rows", {"column": "s"}, "column 's' of the query is of type (text|string), not real"),
    ("select x, n from rows", {}, "2 columns of numbers, x and n: choose one"),
    ("select x from rows where x > 1e9", {}, "has no rows"),
]


@BOTH
@pytest.mark.parametrize(("sql", "options", "words"), FAULTS)
def test_faults_are_named(
    databases: dict[str, str], which: str, sql: str, options: dict[str, Any], words: str
) -> None:
    if which == "sqlite" and words.startswith("2 columns"):
        sql = "select x, w from rows"
        words = words.replace("n:", "w:")
    with pytest.raises((DataError, DataTypeError), match=words) as caught:
        database_source(Query(databases[which], sql), **options).sketch()
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_error_in_the_middle_is_named(databases: dict[str, str]) -> None:
    sql = "select 1 / (i - 900000) as x from generate_series(1, 1000000) as t (i)"
    with pytest.raises(DataError, match=r"the query fails \(division by zero\)"):
        database_source(Query(databases["postgresql"], sql)).sketch()


def test_a_value_that_is_no_number_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("create table t (x)")
        values = [(1,), (2.5,), (None,)] * 1000
        connection.executemany("insert into t values (?)", [*values, ("oops",), (b"1",)])
        connection.commit()
    query = Query(f"sqlite:///{tmp_path / 'x.db'}", "t")
    with pytest.raises(DataTypeError, match=r"'x' holds a value that is not a .* row 3001 of the"):
        database_source(query, missing="drop").sketch()


REFUSED = [
    ("mysql://root:s3cret@host/x", DataError, "the scheme 'mysql' is unknown"),
    ("file.db", DataError, "the address has no scheme"),
    ("sqlite:///none.db", DataError, "there is no database 'none.db'"),
    ("postgresql://u:s3cret@localhost:1/x", DataError, "cannot be reached"),
    ("postgresql://u:s3cret x@[bad/x", DataError, "cannot be reached"),
    ("postgresql://localhost:1/x?password=s3cret&port=x", DataError, "cannot be reached"),
    (sqlite3.connect, DataTypeError, "is not one of an ADBC driver"),
    (None, DataTypeError, "is not one of an ADBC driver"),
]


@pytest.mark.parametrize(("connection", "kind", "words"), REFUSED)
def test_what_cannot_be_reached_is_refused(
    connection: Any, kind: type[Exception], words: str
) -> None:
    query = Query(connection, "select 1 as x")
    with pytest.raises(kind, match=words) as caught:
        database_source(query)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value) + repr(query)
    assert not Path("none.db").exists()


def test_a_wrong_password_and_an_unknown_database_are_named(socket: str) -> None:
    for address, words in (
        (postgresql_address(socket, "wr0ng"), "password authentication failed"),
        (postgresql_address(socket, database="none"), 'database "none" does not exist'),
    ):
        with pytest.raises(DataError, match=f"cannot be reached .*{words}") as caught:
            database_source(Query(address, "rows"))
        assert not re.search("s3cret|wr0ng", str(caught.value))


def test_a_driver_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(DataError, match=r"adbc_driver_postgresql, which is not.*\[database\]"):
        database_source(Query("postgresql://localhost/x", "rows"))


def test_a_database_of_sqlite_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (x real)")
        connection.commit()
    query = Query(f"sqlite:///{path}", "t")
    with pytest.raises(DataError, match="no rows"):
        database_source(query, "x").sketch()
    assert [found.name for found in tmp_path.iterdir()] == ["x.db"]
    with (
        pytest.raises(DataError, match="readonly"),
        connected(f"sqlite:///{path}") as connection,
        asked(connection, "insert into t values (1.0) returning x", None) as reader,
    ):
        reader.read_all()


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="'error' or 'drop'"):
        database_source(Query("sqlite:///x.db", "t"), missing="no")  # type: ignore[arg-type]


def test_a_query_shows_no_password() -> None:
    assert repr(Query("postgresql://u:s3cret@h/d", "t")) == "Query('postgresql:///...', 't')"
    assert repr(Query("s3cret", "t")) == "Query('...', 't')"
    assert repr(Query(1.0, "t")) == "Query(float, 't')"


def test_progress_is_told(databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HELD", 1000)
    told: list[tuple[int, int | None]] = []
    query = Query(databases["sqlite"], "rows")
    database_source(query, "x", progress=lambda *now: told.append(now)).sketch()
    assert told[-1] == (N, None)
    assert len(told) > 2


PEAK = """
import resource, sys
sys.modules["numba"] = None  # the compiler needs memory of its own, once
from bactrian.data.streams.databases import Query, database_source

sql = f"select random() as x from generate_series(1, {sys.argv[2]})"
print(database_source(Query(sys.argv[1], sql)).sketch().count)
unit = 1024 if sys.platform == "darwin" else 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""


def test_memory_does_not_grow_with_the_rows(databases: dict[str, str]) -> None:
    pytest.importorskip("resource")  # not on Windows

    def peak(rows: int) -> float:
        run = [sys.executable, "-c", PEAK, databases["postgresql"], str(rows)]
        done = subprocess.run(run, capture_output=True, check=True, text=True).stdout.split()
        assert int(done[0]) == rows
        return float(done[1])

    few, many = peak(2_000_000), peak(6_000_000)
    assert many - few < 0.4 * 4_000_000 * 8 / 1024  # in kilobytes
