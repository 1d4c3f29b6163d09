"""A fit as SQL: which component, which cut, which column; refusals in words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw, drawn_fit


def scores(fit: bt.Fit, x: list[float], **options: Any) -> list[Any]:
    """What SQLite makes of x."""
    expression = fit.to_sql("x", dialect="sqlite", **options)
    with closing(sqlite3.connect(":memory:")) as engine:
        engine.execute("create table t (x real)")
        engine.executemany("insert into t values (?)", [(value,) for value in x])
        return [row[0] for row in engine.execute(f"select {expression} from t")]


X = [-3.0, 0.0, 2.5, 3.0, 4.0, 9.0]


def test_the_posterior_is_that_of_the_component_with_the_largest_mean() -> None:
    fit = drawn_fit("three")
    r = fit.mixture.responsibilities(X)
    assert scores(fit, X) == pytest.approx(r[:, 2], abs=1e-12)
    assert scores(fit, X, component=1) == pytest.approx(r[:, 0], abs=1e-12)
    named = bt.fit(draw("apart"), fixed={"means": [6.0, None]})
    assert named.mixture.means[0] > named.mixture.means[1]
    assert scores(named, X) == pytest.approx(named.mixture.responsibilities(X)[:, 0], abs=1e-12)


@pytest.mark.parametrize(
    "cut",
    [{}, {"posterior": 0.9}, {"costs": (1, 5)}, {"prevalence": 0.1}, {"density_minimum": True},
     {"false_positive_rate": 0.05}],
)  # fmt: skip
def test_the_class_is_that_of_the_threshold(cut: dict[str, Any]) -> None:
    fit = drawn_fit("overlapping")
    point = fit.threshold(**cut, method="wald").value
    x = [*X, point, float(np.nextafter(point, 9.0))]
    assert scores(fit, x, what="class", **cut) == [1 + (value > point) for value in x]


def test_of_more_than_two_the_pair_is_named() -> None:
    fit = drawn_fit("three")
    point = fit.threshold(components=(2, 3), method="wald").value
    found = scores(fit, X, what="class", components=(2, 3))
    assert found == [2 + (value > point) for value in X]
    with pytest.raises(bt.ParameterError, match="say between which two to cut"):
        fit.to_sql("x", what="class")


def test_the_component_and_the_log_density() -> None:
    fit = drawn_fit("three")
    assert scores(fit, X, what="component") == [
        1 + k for k in fit.mixture.responsibilities(X).argmax(axis=1)
    ]
    assert scores(fit, X, what="logpdf") == pytest.approx(fit.mixture.logpdf(X), rel=1e-13)


def test_the_column_is_the_fitted_one_by_default() -> None:
    fit = bt.fit({"wait, min": draw("apart")}, column="wait, min")
    assert '"wait, min"' in fit.to_sql()
    assert '"t"."wait"' in fit.to_sql(("t", "wait"))
    with pytest.raises(bt.ParameterError, match=r'has no name; say which is meant: column="x"'):
        drawn_fit("apart").to_sql()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "score"}, "'score' is unknown; choose one of 'posterior', 'class'"),
        ({"dialect": "db2"}, "'db2' is unknown"),
        ({"component": 0}, "component=0 is none of the 2; count from 1"),
        ({"component": 3}, "component=3 is none"),
        ({"component": True}, "component=True is none"),
        ({"component": 1, "what": "class"}, 'goes with what="posterior"'),
        ({"posterior": 0.9}, 'posterior= says where to cut, which goes with what="class"'),
        ({"cost": (1, 2), "what": "class"}, "cost= is unknown; where to cut is said by components"),
        ({"level": 0.9, "what": "class"}, "level= is unknown"),
        ({"posterior": 2.0, "what": "class"}, "strictly between 0 and 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        drawn_fit("apart").to_sql("x", **options)


def test_where_there_is_no_cut_it_says_why() -> None:
    heights = bt.datasets.load("heights")  # two components, one hump
    fit = bt.fit(heights["height"], sample_weight=heights["count"])
    with pytest.raises(bt.ParameterError, match="No row can be cut: the density has no minimum"):
        fit.to_sql("x", what="class", density_minimum=True)


def test_a_fit_that_is_no_maximum_scores_nothing() -> None:
    fit = bt.fit(draw("apart"), max_steps=1, method="em")
    with pytest.raises(bt.ParameterError, match="no maximum"):
        fit.to_sql("x")
