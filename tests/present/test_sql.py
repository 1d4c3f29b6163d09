"""SQL expressions give what the mixture gives, in databases and however far out."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.present.sql import Dialect, Expressions, literal
from tests.conftest import NO_POSTGRESQL

Array = NDArray[np.float64]
Answers = Callable[[str, Array], list[float | None]]

FAR = [1e20, 1e160, 1e300, 1.7e308, math.inf]
EVERYWHERE = [*FAR, *(-x for x in FAR), 0.0, -0.0, 5e-324]
MIXTURES = {
    "one": NormalMixture([1.0], [3.0], [2.0]),
    "two": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.5]),
    "equal sds": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.2, 1.2]),
    "alike": NormalMixture([0.4, 0.6], [1.0, 1.0], [1.2, 1.2]),
    "in wide": NormalMixture([0.4, 0.6], [1.0, 1.0], [0.01, 1.2]),
    "far offset": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 1.5]),
    "far apart": NormalMixture([0.4, 0.6], [-1e4, 1e4], [1.0, 1.5]),
    "far apart, equal sds": NormalMixture([0.4, 0.6], [-1e4, 1e4], [1.0, 1.0]),
    "nearly equal sds": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.0 + 1e-12]),
    "tiny weight": NormalMixture([1e-300, 1.0 - 1e-300], [0.0, 3.0], [1.0, 1.5]),
    "weight zero": NormalMixture([0.0, 0.4, 0.6], [0.0, 1.0, 2.0], [3.0, 1.0, 0.5]),
    "tiny unit": NormalMixture([0.4, 0.6], [0.0, 3e-90], [1e-90, 1.5e-90]),
    "huge unit": NormalMixture([0.4, 0.6], [0.0, 3e200], [1e200, 1.5e200]),
    "four": NormalMixture([0.1, 0.4, 0.3, 0.2], [-3.0, 0.0, 2.0, 9.0], [1.0, 0.2, 2.0, 1.0]),
}
each = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)


def points(mixture: NormalMixture) -> Array:
    """Points near and far, the crossings and their neighbours among them."""
    near = mixture.means[:, None] + mixture.sds[:, None] * np.linspace(-45.0, 45.0, 31)
    crossings = mixture.crossings()
    beside = [np.nextafter(crossings, side) for side in (-np.inf, np.inf)]
    return np.concatenate([near.ravel(), crossings, *beside, EVERYWHERE])


def duckdb_answers(expression: str, x: Array) -> list[float | None]:
    """The expression for each x by DuckDB."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as engine:
        engine.execute("create table t (row integer, x double)")
        engine.execute("insert into t select generate_subscripts(a, 1), unnest(a) from "
                       "(select ?::double[] as a)", [x.tolist()])  # fmt: skip
        return [row[0] for row in engine.sql(f"select {expression} from t order by row").fetchall()]


def sqlite_answers(expression: str, x: Array) -> list[float | None]:
    """The expression for each x by SQLite, which takes NaN for NULL."""
    with closing(sqlite3.connect(":memory:")) as engine:
        engine.execute("create table t (x real)")
        engine.executemany("insert into t values (?)", [(value,) for value in x.tolist()])
        return [row[0] for row in engine.execute(f"select {expression} from t order by rowid")]


ENGINES: dict[Dialect, Answers] = {"duckdb": duckdb_answers, "sqlite": sqlite_answers}
each_engine = pytest.mark.parametrize("dialect", ENGINES)


def numbers(found: list[float | None]) -> Array:
    """Answers as doubles; NaN for NULL."""
    return np.array([math.nan if value is None else value for value in found], dtype=float)


def assert_posteriors(found: Array, mixture: NormalMixture, x: Array) -> None:
    """Whether posteriors (n, K) are those of a mixture.

    To 1e-12, and what rounding of the terms of the log-odds, (|u_j| + |u_k|) |u_j - u_k| / 2,
    allows: some units where components are so far apart that these are thousands.
    """
    r = mixture.responsibilities(x)
    with np.errstate(all="ignore"):
        u = np.abs(x[:, None] - mixture.means) / mixture.sds
        far = u.max(axis=1)
        terms = 0.5 * far * (far + np.ptp(mixture.means) / mixture.sds.min())
        rounding = 16.0 * 2.0**-53 * (r * (1.0 - r)).max(axis=1) * terms
    allowed = 1e-12 + np.nan_to_num(rounding, nan=0.0, posinf=0.0)
    assert not np.isnan(found).any()
    assert (np.abs(found - r).max(axis=1) <= allowed).all()


def off_crossings(x: Array, mixture: NormalMixture) -> NDArray[np.bool_]:
    """Which points are further from all crossings than these are known."""
    crossings = mixture.crossings()
    known = 1e-12 * (np.abs(crossings) + np.abs(mixture.means).max())
    return np.asarray((np.abs(x[:, None] - crossings) > known).all(axis=1))


# --- what they give ------------------------------------------------------------------------------


@each_engine
@each
def test_the_posterior_is_that_of_the_mixture(mixture: NormalMixture, dialect: Dialect) -> None:
    x, of, answers = points(mixture), Expressions.of("x", dialect), ENGINES[dialect]
    found = [answers(of.posterior(mixture, k), x) for k in range(mixture.n_components)]
    assert_posteriors(np.transpose(list(map(numbers, found))), mixture, x)


@each_engine
@each
def test_the_component_is_the_most_probable_one(mixture: NormalMixture, dialect: Dialect) -> None:
    x = points(mixture)
    found = ENGINES[dialect](Expressions.of("x", dialect).component(mixture), x)
    chosen = np.array(found, dtype=np.intp) - 1
    r = mixture.responsibilities(x)
    right = r[np.arange(x.size), chosen] == r.max(axis=1)
    assert right[off_crossings(x, mixture)].all()


@each_engine
@each
def test_the_log_density_is_that_of_the_mixture(mixture: NormalMixture, dialect: Dialect) -> None:
    x = points(mixture)
    expected = mixture.logpdf(x)
    found = numbers(ENGINES[dialect](Expressions.of("x", dialect).logpdf(mixture), x))
    beyond = np.abs(x - mixture.means[0]) > 0.9e150 * float(mixture.sds.min())
    np.testing.assert_allclose(found[~beyond], expected[~beyond], rtol=1e-12, atol=1e-12)
    assert (found[beyond] < -1e290).all()


@settings(max_examples=40)
@given(
    weight=st.floats(1e-9, 1.0 - 1e-9),
    distance=st.floats(0.0, 50.0),
    ratio=st.floats(1e-3, 1e3),
    offset=st.sampled_from([0.0, -1e3, 1e6]),
)
def test_the_posterior_of_any_two(
    weight: float, distance: float, ratio: float, offset: float
) -> None:
    mixture = NormalMixture([weight, 1.0 - weight], [offset, offset + distance], [1.0, ratio])
    x = points(mixture)
    of = Expressions.of("x", "sqlite")
    found = [numbers(sqlite_answers(of.posterior(mixture, k), x)) for k in range(2)]
    assert_posteriors(np.transpose(found), mixture, x)


def test_a_cut_calls_the_lower_component_up_to_it() -> None:
    x = np.array([-math.inf, 1.0, 1.5, np.nextafter(1.5, 2.0), 1e308, math.inf])
    for dialect, answers in ENGINES.items():
        expression = Expressions.of("x", dialect).side(1.5, 1, 0)
        assert answers(expression, x) == [2, 2, 2, 1, 1, 1]


def test_null_stays_null_and_nan_is_neither_high_nor_low() -> None:
    duckdb = pytest.importorskip("duckdb")
    mixture, of = MIXTURES["two"], Expressions.of("x", "duckdb")
    for row, numeric in (("null::double", None), ("'nan'::double", math.nan)):
        for expression, answer in (
            (of.posterior(mixture, 0), numeric),
            (of.posterior(MIXTURES["one"], 0), numeric),
            (of.logpdf(mixture), numeric),
            (of.component(mixture), None),
            (of.side(1.5, 0, 1), None),
        ):
            found = (
                duckdb.connect()
                .execute(f"select {expression} from (select {row} as x)")
                .fetchall()[0][0]
            )
            assert found is answer or (answer is numeric is not None and math.isnan(found))
    of = Expressions.of("x", "sqlite")
    for expression in (of.posterior(mixture, 0), of.logpdf(mixture), of.side(1.5, 0, 1)):
        assert sqlite_answers(expression, np.array([math.nan])) == [None]


@pytest.mark.parametrize("kind", ["integer", "bigint", "float", "decimal(12, 3)", "hugeint"])
def test_columns_of_other_numbers_are_doubles_first(kind: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    mixture = MIXTURES["two"]
    expression = Expressions.of("x", "duckdb").posterior(mixture, 1)
    found = (
        duckdb.connect()
        .execute(f"select {expression} from (select 2::{kind} as x)")
        .fetchall()[0][0]
    )
    assert found == pytest.approx(mixture.responsibilities(2.0)[1], rel=1e-14)


def test_two_equal_sds_make_a_logistic() -> None:
    expression = Expressions.of("x", "duckdb").posterior(MIXTURES["equal sds"], 1)
    inside = expression.splitlines()[2]
    assert inside.count('"x"') == 2  # the comparison, and one slope
    slope = literal(3.0 / 1.2 / 1.2)
    assert f'- {slope} * ("x" - 3.0e0)' in inside


# --- names and numbers ---------------------------------------------------------------------------

NAMES = ["x", "select", "two words", 'quo"te', "it's", "`tick`", "x; drop table t --", "ß\n]", "1"]


@each_engine
@pytest.mark.parametrize("name", NAMES)
def test_any_text_is_only_a_name(name: str, dialect: Dialect) -> None:
    expression = Expressions.of(name, dialect).posterior(MIXTURES["two"], 1)
    expected = MIXTURES["two"].responsibilities(2.0)[1]
    if dialect == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        quoted = '"' + name.replace('"', '""') + '"'
        found = (
            duckdb.connect()
            .execute(f"select {expression} from (select 2e0 as {quoted})")
            .fetchall()[0][0]
        )
    else:
        with closing(sqlite3.connect(":memory:")) as engine:
            quoted = '"' + name.replace('"', '""') + '"'
            found = engine.execute(f"select {expression} from (select 2e0 as {quoted})").fetchone()[
                0
            ]
    assert found == pytest.approx(expected, rel=1e-14)


def test_a_column_that_is_not_there_is_an_error_in_sqlite_too() -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        sqlite_answers(Expressions.of("y", "sqlite").side(1.0, 0, 1), np.array([1.0]))


def test_a_column_of_a_table() -> None:
    expression = Expressions.of(("t", "x"), "sqlite").side(1.0, 0, 1)
    assert "`t`.`x`" in expression
    assert sqlite_answers(expression, np.array([0.0, 2.0])) == [1, 2]
    assert '"a"."b"' in Expressions.of(["a", "b"], "postgresql").side(1.0, 0, 1)


@pytest.mark.parametrize("column", ["", "a\0b", (), ("t", ""), ("t", None), 3, None])
def test_what_is_no_name_is_refused(column: Any) -> None:
    with pytest.raises(ParameterError, match=r'"table", "column"'):
        Expressions.of(column, "duckdb")


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(ParameterError, match="'oracle' is unknown; choose one of 'duckdb'"):
        Expressions.of("x", "oracle")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_literal_is_a_double_with_every_digit(number: float) -> None:
    assert "e" in literal(number)
    assert float(literal(number)) == number


def test_databases_read_the_literals_as_they_are_written() -> None:
    duckdb = pytest.importorskip("duckdb")
    rng = np.random.default_rng(1)
    drawn = (rng.normal(size=200) * 10.0 ** rng.integers(-30, 30, 200)).tolist()
    row = ", ".join(map(literal, drawn))
    assert duckdb.connect().execute(f"select {row}").fetchall()[0] == tuple(drawn)
    with closing(sqlite3.connect(":memory:")) as engine:
        assert engine.execute(f"select {row}").fetchone() == tuple(drawn)


# --- other servers -------------------------------------------------------------------------------


def test_postgresql_gives_the_same_and_never_overflows() -> None:
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
    pytest.importorskip("pyarrow")
    services = pytest.importorskip("tests.services.postgresql")
    try:
        services.programs()
    except services.NotInstallableError as error:
        pytest.skip(f"{NO_POSTGRESQL}: {error}")
    with services.server("secret") as socket:
        uri = f"postgresql://bactrian:secret@/postgres?host={socket}"
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            for mixture in MIXTURES.values():
                x = points(mixture)
                rows = ", ".join(f"({i}, '{v!r}'::float8)" for i, v in enumerate(x.tolist()))
                of = Expressions.of("x", "postgresql")
                asked = [of.posterior(mixture, k) for k in range(mixture.n_components)]
                shown = ", ".join([*asked, of.component(mixture), of.logpdf(mixture)])
                cursor.execute(f"select {shown} from (values {rows}) as t (i, x) order by i")
                columns = zip(*cursor.fetchall(), strict=True)
                *found, component, logpdf = (numbers(list(column)) for column in columns)
                expected = mixture.responsibilities(x)
                assert_posteriors(np.transpose(found), mixture, x)
                chosen = expected[np.arange(x.size), component.astype(np.intp) - 1]
                clear = off_crossings(x, mixture)
                assert (chosen == expected.max(axis=1))[clear].all()
                near = np.abs(x) < 1e100
                np.testing.assert_allclose(logpdf[near], mixture.logpdf(x)[near], rtol=1e-12)
            of = Expressions.of("x", "postgresql")
            odd = "(values ('nan'::float8), (null)) as t (x)"
            both = f"{of.posterior(MIXTURES['two'], 0)}, {of.component(MIXTURES['two'])}"
            cursor.execute(f"select {both} from {odd}")
            (nan, first), *rest = cursor.fetchall()
            assert math.isnan(nan)
            assert (first, rest) == (None, [(None, None)])
            # Whole numbers and decimals would be computed in decimals.
            cursor.execute(f"select {of.posterior(MIXTURES['two'], 1)} from (select 2 as x) as t")
            assert cursor.fetchone() == pytest.approx([MIXTURES["two"].responsibilities(2.0)[1]])
