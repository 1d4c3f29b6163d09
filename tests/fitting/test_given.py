"""Starts that users give: for every kind of data, and refused where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw

X = draw("apart")
START = bt.NormalMixture([0.5, 0.5], [1.0, 3.0], [2.0, 2.0])


def large() -> Any:
    """A column that is sketched."""
    rng = np.random.default_rng(4)
    return np.concatenate([rng.normal(0.0, 1.0, 30_000), rng.normal(5.0, 1.5, 30_000)])


@pytest.mark.parametrize(
    "data",
    [X.tolist(), {"x": X, "y": ["a"] * X.size}, bt.Sketch.of(X), iter([X[:100], X[100:]])],
    ids=["list", "frame", "sketch", "stream"],
)
def test_every_kind_of_data_is_climbed_from_the_start(data: Any) -> None:
    fit = bt.fit(data, start=START, method="em")
    assert fit.converged
    np.testing.assert_allclose(fit.trace[0].mixture.means, START.means, rtol=1e-12)
    assert fit.loglike == pytest.approx(bt.fit(X).loglike, rel=1e-6)
    assert fit.solution.n_steps == len(fit.trace) - 1


def test_a_sketched_column_ends_its_path_on_all_its_rows() -> None:
    x = large()
    fit = bt.fit(x, start=START, method="gradient")
    assert fit.certificate.rests_on == "rows"
    assert fit.solution.n_steps == len(fit.trace) - 1
    assert fit.trace[-1].loglike == pytest.approx(fit.loglike, rel=1e-12)
    np.testing.assert_allclose(fit.trace[-1].mixture.means, fit.mixture.means, rtol=1e-9)
    backwards = bt.NormalMixture([0.5, 0.5], [4.0, 1.0], [2.0, 2.0])
    fit = bt.fit(x, start=backwards, method="em")
    np.testing.assert_allclose(fit.trace[-1].mixture.means, fit.mixture.means[::-1], rtol=1e-9)


def test_a_fit_of_many_rows_is_a_start_however_narrow_its_components() -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0.0, 1.0, 40_000), rng.normal(3.0, 1e-4, 4_000)])
    fit = bt.fit(x)
    assert fit.mixture.sds[1] < 2e-4
    again = bt.fit(x, start=fit.mixture, method="em")
    np.testing.assert_allclose(again.trace[0].mixture.sds, fit.mixture.sds, rtol=1e-12)
    assert again.loglike == pytest.approx(fit.loglike, rel=1e-12)


def test_constraints_hold_along_the_path() -> None:
    start = bt.NormalMixture([0.5, 0.5], [1.0, 3.0], [2.0, 2.0])
    fit = bt.fit(X, equal_variances=True, start=start, method="em")
    assert all(np.ptp(np.log(step.mixture.sds)) < 1e-12 for step in fit.trace)
    fit = bt.fit(X, fixed={"means": [1.0, None]}, start=start, method="gradient")
    assert all(step.mixture.means[0] == pytest.approx(1.0, abs=1e-12) for step in fit.trace)
    assert fit.trace[0].mixture.means[1] == pytest.approx(3.0, rel=1e-12)


def test_one_component_has_a_start_too() -> None:
    fit = bt.fit(X, 1, start=bt.NormalMixture([1.0], [9.0], [0.5]), method="newton")
    assert fit.mixture.means[0] == pytest.approx(X.mean(), rel=1e-12)
    assert fit.trace[0].mixture.means[0] == 9.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": [1.0, 2.0]}, "start is of type list and must be a mixture"),
        ({"start": START, "n_components": 3}, "start has 2 components and n_components=3"),
        ({"start": bt.NormalMixture([1, 0], [0, 6], [1, 2])}, "Component 2 .* has weight 0"),
        ({"start": bt.NormalMixture([0.3, 0.7], [1, 1], [2, 2])}, "Components 1 and 2 .* the same"),
        (
            {"start": bt.NormalMixture([0.5, 0.5], [0, 6], [1, 2]), "equal_variances": True},
            "sds 1, 2, which equal_variances=True excludes: give it sds such as 1, 1",
        ),
        ({"start": START, "sd_ratios": [1, 3]}, "sds 2, 2, which sd_ratios excludes"),
        ({"start": START, "fixed": {"means": [0, None]}}, "1 for the mean of component 1.*at 0:"),
        (
            {"start": START, "bounds": {"sds": [None, (3, 4)]}},
            "2 for the sd .* from 3 to 4",
        ),
        (
            {"start": bt.NormalMixture([0.4, 0.6], [0, 6], [1, 2]), "equal_weights": True},
            "0.4 for the weight of component 1, which in this fit is held at 0.5",
        ),
    ],
)
def test_a_start_that_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bt.ParameterError, match=message):
        bt.fit(X, **options)


def test_a_start_is_kept_in_the_document_and_among_the_calls() -> None:
    fit = bt.fit(X, start=START, method="newton")
    again = bt.Fit.from_json(fit.to_json())
    assert again.options.start is not None
    assert again.options.start.means.tolist() == START.means.tolist()
    assert again.options.is_local
    assert [step.kind for step in again.trace] == [step.kind for step in fit.trace]
    from bactrian.fitting.reproduction import calls_of

    call = calls_of(fit, None, [])
    assert "start=bt.NormalMixture(weights=[0.5, 0.5]" in call
    made: dict[str, Any] = {"data": X}
    exec(call.rpartition("fit.page")[0], made)
    assert made["fit"].to_dict() == fit.to_dict()
