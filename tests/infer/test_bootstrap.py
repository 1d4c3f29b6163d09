"""Refits of resampled rows: the same numbers for the same seed, and errors of the right size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.fitting import reading
from bactrian.infer.bootstrap import Bootstrap, _processes
from bactrian.infer.quantity import LocalQuantity, parameters
from tests.problems import Array, draw, drawn_fit

EITHER = pytest.mark.parametrize("parametric", [False, True])


def errors(fit: bt.Fit, method: Any = "wald") -> Array:
    """Standard errors of all parameters."""
    return np.array([e.standard_error for e in fit.confint(method=method)])


def unlike(refits: int) -> float:
    """Four standard errors of the log of an sd of so many numbers, and a twentieth for the law."""
    return 4.0 / math.sqrt(2.0 * refits) + 0.05


@EITHER
def test_the_same_seed_gives_the_same_numbers_with_any_number_of_workers(parametric: bool) -> None:
    fit = drawn_fit("apart")
    one = fit.bootstrap(60, rng=3, parametric=parametric)
    two = fit.bootstrap(60, rng=3, parametric=parametric, workers=2)
    np.testing.assert_array_equal(one.free, two.free)
    assert (one.n_failed, one.n_switched) == (two.n_failed, two.n_switched)
    assert one.parametric == parametric


@EITHER
def test_another_seed_gives_other_numbers(parametric: bool) -> None:
    fit = drawn_fit("apart")
    one, other = (fit.bootstrap(5, rng=seed, parametric=parametric) for seed in (1, 2))
    assert (one.free != other.free).all()
    assert np.unique(one.free, axis=0).shape == one.free.shape


def test_fewer_refits_are_the_first_of_more() -> None:
    fit = drawn_fit("apart")
    few, many = fit.bootstrap(10, rng=1), fit.bootstrap(40, rng=1)
    np.testing.assert_array_equal(few.free, many.free[:10])


def test_a_generator_is_a_seed_too() -> None:
    fit = drawn_fit("apart")
    one, other = (fit.bootstrap(3, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one.free, other.free)
    rng = np.random.default_rng(1)
    again = [fit.bootstrap(3, rng=rng) for _ in range(2)]
    assert (again[0].free != again[1].free).all()


@EITHER
@pytest.mark.parametrize(
    "options", [{}, {"equal_variances": True}, {"fixed": {"sds": [1.0, None]}}]
)
def test_errors_are_those_of_the_delta_method(parametric: bool, options: dict[str, Any]) -> None:
    fit = bt.fit(draw("apart", 400), **options)
    refits = fit.bootstrap(200, rng=5, parametric=parametric)
    known = errors(fit) if parametric else np.sqrt(errors(fit) * _sandwich(fit))
    found = errors(fit, refits)
    free = known > 0.0
    assert (found[~free] == 0.0).all()
    assert (np.abs(np.log(found[free] / known[free])) < unlike(200)).all()


def _sandwich(fit: bt.Fit) -> Array:
    """Sandwich errors, which the nonparametric bootstrap estimates."""
    return np.array([e.standard_error for e in fit.confint(kind="sandwich")])


def test_intervals_are_quantiles_of_the_refits() -> None:
    fit = drawn_fit("apart")
    refits = fit.bootstrap(200, rng=5)
    found = fit.confint(0.9, method=refits)
    for quantity, estimate in zip(parameters(2), found, strict=True):
        local = LocalQuantity(quantity, fit.solution.problem)
        values = np.sort([local.back(local.value(free)) for free in refits.free])
        assert estimate.method == "bootstrap"
        assert estimate.value == fit.confint()[estimate.name].value
        assert values[8] < estimate.low < values[11]
        assert values[-12] < estimate.high < values[-9]
        assert estimate.standard_error == pytest.approx(values.std(ddof=1), rel=1e-12)


def test_one_normal_has_refits_with_its_mean_and_sd() -> None:
    x = draw("apart")
    fit = bt.fit(x, 1)
    refits = fit.bootstrap(100, rng=2)
    mean = np.array([e.value for e in fit.confint()])[1]
    sample = fit.solution.problem.sample
    values = sample.origin + sample.scale * refits.free[:, 0]
    assert abs(values.mean() - mean) < 5.0 * x.std() / math.sqrt(100 * x.size)


def test_refits_serve_any_quantity() -> None:
    fit = drawn_fit("apart")
    refits = fit.bootstrap(200, rng=5)

    def gap(m: bt.NormalMixture) -> float:
        """The difference of the means."""
        return float(m.means[1] - m.means[0])

    found, known = fit.derive(gap, method=refits), fit.derive(gap)
    assert found.method == "bootstrap"
    assert abs(math.log(found.standard_error / known.standard_error)) < unlike(200)


def hard_fit() -> bt.Fit:
    """Fifty rows in which the components hardly show."""
    truth = bt.NormalMixture([0.5, 0.5], [0.0, 1.0], [1.0, 2.0])
    return bt.fit(truth.sample(50, np.random.default_rng(3)))


def test_what_fails_and_what_is_switched_is_counted_and_told() -> None:
    fit = hard_fit()
    refits = fit.bootstrap(150, rng=1)
    assert refits.n_failed > 0
    assert refits.n_switched > 0
    assert len(refits.free) + refits.n_failed == 150
    estimate = fit.confint(method=refits)["mean 1"]
    assert f"{refits.n_failed} of 150 refits failed" in estimate.note
    assert f"{refits.n_switched} had their components in another order" in estimate.note
    assert f"{refits.n_failed} more failed" in repr(refits)
    sound = replace(refits, n_failed=0)
    words = f"{refits.n_switched} of {len(refits.free)} refits had their components in another"
    assert fit.confint(method=sound)["mean 1"].note.startswith(words)


def test_switched_refits_are_put_in_the_order_of_the_fit() -> None:
    # Two components of the same mean are told apart by their sds, whatever their means do.
    truth = bt.NormalMixture([0.5, 0.5], [0.0, 0.05], [0.3, 3.0])
    fit = bt.fit(truth.sample(400, np.random.default_rng(3)))
    refits = fit.bootstrap(60, rng=1)
    narrow = int(fit.mixture.sds.argmin())
    logs = refits.free[:, 3:]
    assert (logs[:, narrow] < logs[:, 1 - narrow]).all()


def test_named_components_are_not_switched() -> None:
    fit = bt.fit(draw("overlapping", 60), fixed={"means": [0.0, None]})
    assert fit.bootstrap(40, rng=1).n_switched == 0


def test_too_few_refits_have_no_interval() -> None:
    fit = drawn_fit("apart")
    estimate = fit.confint(method=fit.bootstrap(5, rng=1))["mean 1"]
    assert math.isnan(estimate.low)
    assert "too few" in estimate.note


def test_what_refits_do_not_have_is_told() -> None:
    fit = drawn_fit("apart")
    refits = fit.bootstrap(100, rng=1)
    middle = float(fit.mixture.means[0])
    found = fit.derive(lambda m: float(m.means[0]) if m.means[0] <= middle else math.nan,
                       method=refits)  # fmt: skip
    assert "have no such value" in found.note
    assert found.high <= middle


@EITHER
def test_a_sketch_has_the_refits_of_its_rows(parametric: bool, monkeypatch: Any) -> None:
    x = draw("apart", 3000)
    known = errors(bt.fit(x))
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    fit = bt.fit(x)
    assert len(fit.sample) < 3000
    refits = fit.bootstrap(100, rng=1, parametric=parametric)
    assert refits.n_failed == 0
    assert (np.abs(np.log(errors(fit, refits) / known)) < unlike(100)).all()


def test_sampling_weights_are_resampled_row_by_row() -> None:
    x = draw("apart", 400)
    w = np.random.default_rng(5).gamma(0.5, 1.0, x.size)
    fit = bt.fit(x, sample_weight=w, weight_kind="sampling")
    refits = fit.bootstrap(200, rng=5)
    assert (np.abs(np.log(errors(fit, refits) / errors(fit))) < unlike(200) + 0.1).all()
    # Weights so unequal cost a third of the rows or more.
    assert (errors(fit) > 1.1 * errors(bt.fit(x))).mean() > 0.5


def test_progress_is_told() -> None:
    calls: list[tuple[float, float | None]] = []

    def progress(done: float, total: float | None) -> None:
        """Keep what is told."""
        calls.append((done, total))

    drawn_fit("apart").bootstrap(60, rng=1, progress=progress)
    assert calls == [(25, 60), (50, 60), (60, 60)]


def test_bootstrap_by_name_is_a_thousand_refits(monkeypatch: Any) -> None:
    asked: list[int] = []
    fit = drawn_fit("apart")
    ready = fit.bootstrap(30, rng=1)

    def instead(problem: Any, state: Any, n_replicates: int, **options: Any) -> Bootstrap:
        """Thirty refits that were made before."""
        asked.append(n_replicates)
        return ready

    monkeypatch.setattr("bactrian.fitting.uncertainty.resample", instead)
    found = fit.confint(method="bootstrap")
    assert asked == [1000]
    assert found == fit.confint(method=ready)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"n_replicates": 0}, "n_replicates=0"),
    ({"n_replicates": 2.5}, "n_replicates=2.5"),
    ({"workers": 0}, "workers=0"),
    ({"rng": "seed"}, "rng='seed' is no source"),
    ({"rng": -1}, "rng=-1"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        drawn_fit("apart").bootstrap(**options)


def test_without_a_maximum_there_are_no_refits() -> None:
    collapsed = bt.fit(np.concatenate([np.random.default_rng(1).normal(0.0, 1.0, 60), [1e4]]))
    assert not collapsed.converged
    with pytest.raises(bt.ParameterError, match="no maximum has no refits"):
        collapsed.bootstrap(10)


def test_sketched_sampling_weights_are_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    x = draw("apart", 2000)
    w = np.random.default_rng(5).gamma(2.0, 1.0, x.size)
    fit = bt.fit(x, sample_weight=w, weight_kind="sampling")
    with pytest.raises(bt.ParameterError, match=r"needs the rows.*profile"):
        fit.bootstrap(10)


def test_more_rows_than_can_be_drawn_are_refused() -> None:
    fit = bt.fit(draw("apart"), sample_weight=np.full(240, 10**6))
    with pytest.raises(bt.ParameterError, match=r"240,000,000 rows.*parametric=True"):
        fit.bootstrap(10, parametric=True)
    assert len(fit.bootstrap(2, rng=1).free) == 2


def test_refits_of_another_fit_are_refused() -> None:
    one, other = drawn_fit("apart"), drawn_fit("rare")
    with pytest.raises(bt.ParameterError, match="belong to another fit"):
        other.confint(method=one.bootstrap(20, rng=1))


def test_windows_is_asked_for_no_more_processes_than_it_can_wait_for() -> None:
    asked = [1, 2, 61, 62, 500]
    assert [_processes(n, "win32") for n in asked] == [1, 2, 61, 61, 61]
    assert [_processes(n, "linux") for n in asked] == asked
