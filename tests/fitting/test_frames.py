"""Estimates as frames of the library that the data came in."""

from __future__ import annotations

import importlib.util
from typing import Any

import narwhals as nw
import pytest

import bactrian as bt
from bactrian.data.tables import made
from tests.problems import draw, drawn_fit

FIELDS = ["name", "value", "standard_error", "low", "high", "level", "method", "note"]


def column_of(library: str) -> Any:
    """The same rows as a column of a library."""
    module = pytest.importorskip(library)
    if library == "pyarrow":
        return module.array(draw("apart"))
    return (
        module.Series("x", draw("apart")) if library == "polars" else module.Series(draw("apart"))
    )


@pytest.mark.parametrize("library", made.BACKENDS)
@pytest.mark.parametrize("is_frame", [False, True])
def test_the_frame_is_of_the_library_of_the_data(library: str, is_frame: bool) -> None:
    data = column_of(library)
    if is_frame:
        data = getattr(importlib.import_module(library), _FRAME[library])({"x": data})
    fit = bt.fit(data)
    frame = fit.to_frame()
    assert type(frame).__module__.partition(".")[0] == library
    rows = nw.from_native(frame, eager_only=True).rows(named=True)
    expected = fit.confint()
    assert [row["name"] for row in rows] == [e.name for e in expected]
    assert list(rows[0]) == FIELDS
    assert [row["high"] for row in rows] == [e.high for e in expected]
    again = bt.Fit.from_json(fit.to_json()).to_frame()
    assert type(again) is type(frame)


_FRAME = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}


def test_a_lazy_frame_and_one_of_narwhals_know_their_library() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"x": draw("apart")})
    for data in (frame.lazy(), nw.from_native(frame)):
        assert isinstance(bt.fit(data).to_frame(), polars.DataFrame)


def test_the_name_of_a_library_is_taken_in_the_place_of_the_level() -> None:
    pyarrow, fit = pytest.importorskip("pyarrow"), drawn_fit("apart")
    assert isinstance(fit.to_frame("pyarrow"), pyarrow.Table)
    assert fit.to_frame("pyarrow").equals(fit.to_frame(backend="pyarrow"))
    with pytest.raises(bt.ParameterError, match="name two libraries; leave one of them"):
        fit.to_frame("pyarrow", backend="polars")
    with pytest.raises(bt.ParameterError, match="choose one of 'pandas', 'polars', 'pyarrow'"):
        fit.to_frame("panda")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_notes_do_not_hide_the_numbers_in_pandas(method: Any) -> None:
    pandas, fit = pytest.importorskip("pandas"), drawn_fit("overlapping")
    known = fit.confint(method=method)
    assert any(e.note for e in known) == (method == "wald")
    for frame in (fit.to_frame(method=method), known.to_frame()):
        with pandas.option_context("display.width", 80, "display.max_columns", 0):
            shown = repr(frame)
        assert "..." not in shown
        assert all(f"{e.low:.6f}" in shown for e in known)
        assert frame["note"].tolist() == ["*" if e.note else "" for e in known]
        assert frame.attrs.get("notes", {}) == {e.name: e.note for e in known if e.note}
    assert drawn_fit("apart").to_frame().attrs == {}


def test_elsewhere_notes_stay_where_they_are() -> None:
    pytest.importorskip("polars")
    fit = drawn_fit("overlapping")
    assert fit.to_frame(backend="polars")["note"].to_list() == [e.note for e in fit.confint()]


def test_level_and_method_are_those_of_confint() -> None:
    pytest.importorskip("pandas")
    fit = drawn_fit("apart")
    frame = fit.to_frame(0.5, method="profile")
    assert set(frame["method"]) == {"profile"}
    assert frame["low"].tolist() == [e.low for e in fit.confint(0.5, method="profile")]


def test_rows_of_no_library_make_a_frame_of_the_first_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    fit = drawn_fit("apart")
    assert isinstance(fit.to_frame(), pandas.DataFrame)
    assert isinstance(fit.to_frame(backend="polars"), polars.DataFrame)
    assert isinstance(fit.confint().to_frame(), pandas.DataFrame)

    def without(*missing: str) -> None:
        """Let these packages be missing."""
        find = importlib.util.find_spec
        monkeypatch.setattr(made, "find_spec", lambda n: None if n in missing else find(n))

    without("pandas")
    assert isinstance(fit.to_frame(), polars.DataFrame)
    assert isinstance(bt.fit(pandas.Series(draw("apart"))).to_frame(), polars.DataFrame)
    monkeypatch.undo()
    without(*made.BACKENDS)
    with pytest.raises(bt.ParameterError, match=r"none of them is installed: run pip install"):
        fit.to_frame()


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="'excel' is unknown; choose one of 'pandas'"):
        drawn_fit("apart").to_frame(backend="excel")  # type: ignore[arg-type]
