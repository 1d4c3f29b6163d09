"""Fits with several numbers of components, made from one reading of the data."""

from __future__ import annotations

import numpy as np
import pytest

import bactrian as bt

WAITING = bt.datasets.load("faithful")["waiting"]


def test_each_fit_is_the_one_made_alone() -> None:
    found = bt.compare(WAITING, [1, 2, 3])
    assert len(found) == 3
    for k in (1, 2, 3):
        alone = bt.fit(WAITING, k)
        assert found[k].loglike == alone.loglike
        assert found[k].icl == alone.icl
    assert [fit.options.n_components for fit in found] == [1, 2, 3]
    assert found.best() is found[2]
    assert found.best("aic") is found[2]


def test_the_table_marks_the_smallest_criteria() -> None:
    lines = str(bt.compare(WAITING, range(1, 4))).splitlines()
    assert lines[0] == "Mixtures of normal components, fitted to data (272 rows)"
    assert lines[2].split() == [
        "components", "parameters", "log-likelihood", "AIC", "BIC", "ICL", "outcome"
    ]  # fmt: skip
    assert [line.count("*") for line in lines[3:6]] == [0, 3, 0]
    assert "-1034.0017" in lines[4]
    assert " ".join(lines[-2:]) == (
        "No mixture of any number of components with sds of at least 5.87 can have a "
        "log-likelihood higher than that with 2 by more than 0.16."
    )


def test_a_sketch_and_a_stream_are_read_once_for_all_fits() -> None:
    rng = np.random.default_rng(0)
    x = np.append(rng.normal(0.0, 1.0, 3000), rng.normal(4.0, 1.0, 2000))
    found = bt.compare(bt.Sketch.of(x), [1, 2])
    assert found[2].loglike == pytest.approx(bt.fit(x).loglike, rel=1e-12)


def test_one_number_may_stand_alone() -> None:
    assert len(bt.compare(WAITING, 2)) == 1


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(bt.ParameterError, match="names no number"):
        bt.compare(WAITING, [])
    with pytest.raises(bt.ParameterError, match="not a positive whole number"):
        bt.compare(WAITING, [0, 1])
    with pytest.raises(bt.ParameterError, match="is unknown; choose aic"):
        bt.compare(WAITING, [1]).best("mse")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        bt.compare(WAITING, [1])[2]
    outlier = np.append(WAITING[:50], 1e9)
    assert "No mixture" not in str(bt.compare(outlier, [2]))
    with pytest.raises(bt.ParameterError, match="None of the fits converged"):
        bt.compare(outlier, [2]).best()
