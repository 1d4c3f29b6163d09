"""A start that is given: one more beside those found, or the one that a method sets out from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.model.mixture import NormalMixture
from bactrian.solve.given import are_same, check_start, free_of, joined
from bactrian.solve.search import search
from bactrian.solve.solver import METHODS, solve
from tests.problems import draw, problem

POOR = NormalMixture([0.5, 0.5], [3.0, 3.5], [2.0, 2.0])
GALAXIES = bt.datasets.load("galaxies")["velocity"]
ALL = ("newton", "em", "gradient", "lbfgs")


def lesser() -> NormalMixture:
    """A maximum of three components that is ranked below the best one."""
    return bt.fit(GALAXIES, 3).certificate.optima[1].mixture


@pytest.mark.parametrize("method", ALL)
def test_the_path_begins_at_the_start_and_ends_at_a_maximum(method: Any) -> None:
    x = draw("apart")
    fit = bt.fit(x, start=POOR, method=method)
    for name in ("weights", "means", "sds"):
        begun, given = getattr(fit.trace[0].mixture, name), getattr(POOR, name)
        np.testing.assert_allclose(begun, given, rtol=1e-12)
    assert fit.trace[0].loglike == pytest.approx(bt.loglike(x, POOR), rel=1e-12)
    assert fit.converged
    assert fit.loglike == pytest.approx(bt.fit(x).loglike, abs=1e-9)
    assert fit.solution.n_steps == len(fit.trace) - 1
    assert fit.certificate.n_starts == bt.fit(x).certificate.n_starts + 1


def test_em_takes_the_steps_of_its_formulas() -> None:
    x = draw("apart")
    fit = bt.fit(x, start=POOR, method="em")
    for before, after in zip(fit.trace[:6], fit.trace[1:7], strict=True):
        r = before.mixture.responsibilities(x)
        n = r.sum(axis=0)
        means = x @ r / n
        np.testing.assert_allclose(after.mixture.weights, n / x.size, rtol=1e-10)
        np.testing.assert_allclose(after.mixture.means, means, rtol=1e-10)
        variances = (r * (x[:, None] - means) ** 2).sum(axis=0) / n
        np.testing.assert_allclose(after.mixture.variances, variances, rtol=1e-10)


def test_the_first_step_along_the_gradient_is_in_units_of_the_scale() -> None:
    waiting = bt.datasets.load("faithful")["waiting"]
    start = NormalMixture([0.5, 0.5], [55.0, 79.0], [7.0, 7.0])
    fit = bt.fit(waiting, start=start, method="gradient")
    assert fit.sample.scale == 16.0
    moved = bt.to_working(fit.trace[1].mixture) - bt.to_working(start)
    length = moved / bt.score(waiting, start, coordinates="working")
    np.testing.assert_allclose(length / length[0], [1.0, 256.0, 256.0, 1.0, 1.0], rtol=1e-9)


def test_the_path_is_the_same_in_units_that_are_powers_of_two() -> None:
    x = draw("apart")
    plain = bt.fit(x, start=POOR, method="gradient")
    wide = bt.fit(8.0 * x, start=POOR.affine(0.0, 8.0), method="gradient")
    assert len(plain.trace) == len(wide.trace)
    for one, other in zip(plain.trace, wide.trace, strict=True):
        np.testing.assert_array_equal(8.0 * one.mixture.means, other.mixture.means)
        np.testing.assert_array_equal(one.mixture.weights, other.mixture.weights)


@pytest.mark.parametrize("method", ALL)
def test_a_named_method_ends_at_the_maximum_it_reaches_and_tells_of_the_better(method: Any) -> None:
    fit, best = bt.fit(GALAXIES, 3, start=lesser(), method=method), bt.fit(GALAXIES, 3)
    np.testing.assert_allclose(fit.mixture.means, lesser().means, rtol=1e-9)
    assert fit.converged
    assert fit.options.is_local
    chosen, *others = fit.certificate.optima
    assert chosen.status == "chosen"
    assert chosen.hits == best.certificate.optima[1].hits + 1
    assert others[0].loglike == pytest.approx(best.loglike, abs=1e-9)
    first = fit.certificate.warnings[0]
    assert first.startswith("A better maximum is known (log-likelihood higher by 8.65): weights")
    assert sum("8.65" in warning for warning in fit.certificate.warnings) == 1
    assert not [w for w in fit.certificate.warnings if "ranked lower" in w and "higher" in w]


def test_without_a_method_a_start_is_one_more() -> None:
    best, fit = bt.fit(GALAXIES, 3), bt.fit(GALAXIES, 3, start=lesser())
    assert fit.loglike == best.loglike
    assert not fit.options.is_local
    assert fit.certificate.warnings == best.certificate.warnings
    hits = [optimum.hits for optimum in fit.certificate.optima]
    assert hits[1] == best.certificate.optima[1].hits + 1
    assert fit.certificate.n_starts == best.certificate.n_starts + 1
    assert sum(hits) == sum(o.hits for o in best.certificate.optima) + 1


def test_a_maximum_that_the_search_missed_is_found_from_the_start() -> None:
    of = problem("three")
    found = search(of.sample, of.constraints)
    best = found.admissible[0]
    start = of.free(*(array[None] for array in best.parameters))
    without = type(found)(
        tuple(root for root in found.roots if root is not best), found.n_starts, found.outcomes,
        found.problem, found.last, found.collapses,
    )  # fmt: skip
    again = joined(of, without, start, METHODS["newton"].run(of, start, 200))
    assert len(again.roots) == len(found.roots)
    assert are_same(of, again.roots[0], best)
    assert again.roots[0].hits == 1


def test_the_path_is_that_from_the_start_where_it_leads_to_the_best() -> None:
    x = draw("apart")
    fit = bt.fit(x, start=POOR)
    np.testing.assert_allclose(fit.trace[0].mixture.means, POOR.means, rtol=1e-12)
    large = np.random.default_rng(3).normal(size=6000) + np.repeat([0.0, 4.0], 3000)
    fit = bt.fit(large, start=POOR)
    np.testing.assert_allclose(fit.trace[0].mixture.means, POOR.means, rtol=1e-12)
    assert fit.loglike == pytest.approx(bt.fit(large).loglike, abs=1e-8)


def test_an_ascent_that_collapses_says_that_others_did_not() -> None:
    value = float(GALAXIES.min())
    start = NormalMixture([0.05, 0.35, 0.6], [value, 19.0, 22.0], [1e-3, 3.0, 3.0])
    fit = bt.fit(GALAXIES, 3, start=start, method="em")
    assert fit.outcome is bt.Outcome.START_LED_NOWHERE
    assert not fit.converged
    assert "No maximum was reached from this start" in str(fit)
    assert f"log-likelihood of {bt.fit(GALAXIES, 3).loglike:.4f}" in str(fit)


def test_too_few_steps_from_a_start_are_said() -> None:
    fit = bt.fit(draw("apart"), start=POOR, method="em", max_steps=3)
    assert fit.outcome is bt.Outcome.MAX_STEPS
    assert fit.solution.n_steps == 3 == len(fit.trace) - 1


def test_from_a_maximum_no_more_than_a_last_step_is_taken() -> None:
    fit = bt.fit(draw("apart"))
    again = bt.fit(draw("apart"), start=fit.mixture, method="em")
    assert again.solution.n_steps <= 1
    assert again.loglike == pytest.approx(fit.loglike, rel=1e-14)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (NormalMixture([0.5, 0.5], [0.0, 6.0], [1e-13, 1.0]), "Component 1 of start has an sd of"),
        (NormalMixture([0.5, 0.5], [1e200, -1e200], [1.0, 1.0]), "likelihood of the rows is zero"),
        (NormalMixture([0.5, 0.5], [0.0, 1e5], [3.0, 1.0]), "Component 2 of start .* holds 0 rows"),
    ],
)
def test_a_start_from_which_nothing_leads_is_refused(start: NormalMixture, message: str) -> None:
    of = problem("apart")
    with pytest.raises(bt.ParameterError, match=message):
        check_start(of, start)
    with pytest.raises(bt.ParameterError, match=message):
        bt.fit(draw("apart"), start=start)


def test_a_start_far_away_that_has_a_slope_is_not_refused() -> None:
    of = problem("apart")
    start = NormalMixture([0.5, 0.5], [40.0, 41.0], [10.0, 11.0])
    check_start(of, start)
    assert solve(of.sample, of.constraints, method="em", start=start, is_local=True).trace
    np.testing.assert_allclose(of.parameters(free_of(of, start))[0], [start.weights])


def test_twin_maxima_are_told_apart() -> None:
    rng = np.random.default_rng(8)
    half = np.concatenate([rng.normal(5.0, 1.0, 40), rng.normal(0.0, 1.0, 20)])
    x = np.concatenate([half, -half])
    fit = bt.fit(x)
    m = fit.mixture
    twin = NormalMixture(m.weights[::-1], -m.means[::-1], m.sds[::-1])
    other = bt.fit(x, start=twin, method="newton")
    np.testing.assert_allclose(other.mixture.means, twin.means, rtol=1e-6, atol=1e-9)
    assert abs(m.means - twin.means).min() > 1.0
    chosen = [o for o in other.certificate.optima if o.status == "chosen"]
    assert [o.mixture.means.tolist() for o in chosen] == [
        pytest.approx(twin.means.tolist(), rel=1e-6, abs=1e-9)
    ]
