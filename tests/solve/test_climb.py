"""The one loop: it rises, it stops where it says, and it says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.climb import TOLERANCE, climb, polished
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of
from bactrian.solve.steps import em_step, full_newton_step, gradient_step, newton_step
from tests.problems import MIXTURES, TWO, Array, draw, problem, scattered, true_start

NORMAL = NormalDist()
STEPS: list[tuple[Callable[..., Any], int]] = [
    (newton_step, 200),
    (em_step, 20_000),
    (gradient_step, 20_000),
]
EVERY_STEP = pytest.mark.parametrize(("step", "most"), STEPS, ids=["newton", "em", "gradient"])


def near_truth(name: str) -> tuple[Problem, Array]:
    """A problem, and the mixture that its rows come from as a start."""
    of = problem(name)
    return of, true_start(name, of)


@EVERY_STEP
@pytest.mark.parametrize("name", list(MIXTURES))
def test_every_step_ends_at_the_same_maximum(
    name: str, step: Callable[..., Any], most: int
) -> None:
    of, start = near_truth(name)
    tries = 30 if step is gradient_step else 5
    found = climb(of, start, step, max_steps=most, keep_trace=True, max_tries=tries)
    known = climb(of, start, newton_step, max_steps=200)
    assert found.outcomes == known.outcomes == (Outcome.CONVERGED,)
    assert found.state.loglike[0] == pytest.approx(known.state.loglike[0], abs=1e-9)
    np.testing.assert_allclose(found.state.means, known.state.means, atol=1e-7)


@EVERY_STEP
@pytest.mark.parametrize("name", list(MIXTURES))
def test_no_step_lowers_the_likelihood(name: str, step: Callable[..., Any], most: int) -> None:
    of, start = near_truth(name)
    tries = 30 if step is gradient_step else 5
    found = climb(of, start, step, max_steps=most, keep_trace=True, max_tries=tries)
    path = np.array([point.loglike for point in found.trace])
    assert (np.diff(path) >= -1e-13 * np.abs(path[1:])).all()
    assert found.n_steps[0] == len(found.trace) - 1
    own = {newton_step: "newton", em_step: "em", gradient_step: "gradient"}[step]
    first, *between, last = [point.kind for point in found.trace]
    assert (first, set(between), last) == ("start", {own}, "newton")


def test_newton_needs_few_steps_and_the_last_ones_square_the_decrement() -> None:
    of, start = near_truth("overlapping")
    found = climb(of, start, newton_step, max_steps=200, keep_trace=True)
    assert found.n_steps[0] <= 12
    decrements = [point.decrement for point in found.trace]
    # In standard errors the distance is the root of the decrement; it is squared by each step.
    *_, before, last = [d for d in decrements if d > 1e-24]
    assert np.sqrt(last) < 50.0 * before


def test_an_ascent_ends_below_the_tolerance_and_is_polished() -> None:
    of, start = near_truth("overlapping")
    found = climb(of, start, em_step, max_steps=20_000)
    assert found.state.decrement[0] < TOLERANCE**1.5
    rough = climb(of, start, em_step, max_steps=20_000, tolerance=1e-4)
    assert rough.n_steps[0] < found.n_steps[0]
    # Already the polishing of a rough end is one Newton step away from it.
    assert rough.state.decrement[0] < 1e-6


def test_polishing_never_leaves_a_maximum_for_a_worse_point() -> None:
    of, start = near_truth("overlapping")
    top = climb(of, start, newton_step, max_steps=100).state
    rng = np.random.default_rng(7)
    errors = np.sqrt(np.diag(np.linalg.inv(-top.hessian[0])))
    # Far enough for a full step to miss, and so near that it only stirs the rounding.
    away = np.repeat([1.0, 1e-15], 40)[:, None]
    state = of.evaluate(top.free + away * errors * rng.standard_normal((80, 5)))
    state = state[np.flatnonzero(state.is_concave)]
    blind = of.evaluate(full_newton_step(state))
    worse = blind.decrement > state.decrement
    assert (worse & blind.is_concave).any()
    assert (worse & ~blind.is_concave).any()
    assert not worse.all()
    after = polished(of, state, 1e9)
    np.testing.assert_array_equal(after.free[worse], state.free[worse])
    assert (after.decrement <= state.decrement).all()


def test_only_what_has_arrived_is_polished() -> None:
    of, start = near_truth("overlapping")
    state = of.evaluate(start)
    np.testing.assert_array_equal(polished(of, state, TOLERANCE).free, state.free)


@pytest.mark.parametrize("name", list(MIXTURES))
def test_a_batch_ends_where_its_members_end_alone(name: str) -> None:
    of = problem(name)
    start = scattered(of, 8)
    together = climb(of, start, newton_step, max_steps=150)
    for i in range(8):
        alone = climb(of, start[i : i + 1], newton_step, max_steps=150)
        assert alone.outcomes[0] is together.outcomes[i]
        if alone.outcomes[0] is Outcome.CONVERGED:
            assert together.state.loglike[i] == pytest.approx(alone.state.loglike[0], abs=1e-9)


@pytest.mark.parametrize("name", TWO)
def test_merging_finds_the_same_maxima_with_less_work(name: str) -> None:
    of = problem(name)
    start = scattered(of, 30)
    plain = climb(of, start, newton_step, max_steps=150)
    merged = climb(of, start, newton_step, max_steps=150, merge=True)
    assert merged.outcomes == plain.outcomes
    done = np.array([o is Outcome.CONVERGED for o in plain.outcomes])
    np.testing.assert_allclose(
        merged.state.loglike[done], plain.state.loglike[done], rtol=0.0, atol=1e-8
    )
    assert merged.n_steps.sum() <= plain.n_steps.sum()


@EVERY_STEP
def test_a_component_on_one_value_collapses(step: Callable[..., Any], most: int) -> None:
    of = problem("overlapping")
    value = of.sample.local[-1]
    start = of.free(np.array([[0.95, 0.05]]), np.array([[0.0, value]]), np.array([[1.0, 1e-3]]))
    found = climb(of, start, step, max_steps=most)
    assert found.outcomes == (Outcome.COMPONENT_COLLAPSED,)
    assert np.isfinite(found.state.loglike).all()
    assert (found.state.sds >= of.floor).all()


def test_a_component_far_from_all_rows_vanishes() -> None:
    of = problem("overlapping")
    start = of.free(np.array([[0.999, 0.001]]), np.array([[0.5, 60.0]]), np.array([[1.0, 2.0]]))
    found = climb(of, start, newton_step, max_steps=200)
    assert found.outcomes == (Outcome.COMPONENT_VANISHED,)


def test_too_few_steps_are_said_to_be_too_few() -> None:
    of = problem("overlapping")
    found = climb(of, scattered(of, 3), em_step, max_steps=2)
    assert found.outcomes == (Outcome.MAX_STEPS,) * 3
    assert (found.n_steps <= 2).all()


def test_components_that_the_data_do_not_tell_apart_are_not_climbed_for_ever() -> None:
    # A lone normal and equal variances: the likelihood is flat where both components coincide.
    quantiles = np.array([NORMAL.inv_cdf(p) for p in (np.arange(200) + 0.5) / 200])
    of = problem_of(Sample.of(quantiles), unconstrained(2, equal_variances=True))
    found = climb(of, scattered(of, 10), newton_step, max_steps=400)
    assert set(found.outcomes) <= {
        Outcome.COMPONENTS_NOT_DISTINCT,
        Outcome.COMPONENT_VANISHED,
        Outcome.CONVERGED,
    }
    assert np.isfinite(found.state.loglike).all()


def test_the_trace_starts_where_the_ascent_starts() -> None:
    of, start = near_truth("apart")
    found = climb(of, start, newton_step, max_steps=100, keep_trace=True)
    assert found.trace[0].free == tuple(start[0].tolist())
    assert found.trace[-1].loglike == found.state.loglike[0]
    np.testing.assert_allclose(found.trace[-1].free, found.state.free[0], rtol=0.0, atol=1e-9)
    assert climb(of, start, newton_step, max_steps=100).trace == ()


def test_steps_of_em_in_the_place_of_refused_ones_are_called_so() -> None:
    of = problem("overlapping")
    start = scattered(of, 1)
    found = climb(of, start, gradient_step, max_steps=200, keep_trace=True, max_tries=1)
    kinds = [point.kind for point in found.trace]
    assert {"em", "gradient"} <= set(kinds)
    for before, after in zip(found.trace[:-1], found.trace[1:], strict=True):
        end = of.after_em(of.evaluate(np.array([before.free])))[0]
        assert np.allclose(after.free, end, rtol=1e-12, atol=1e-14) == (after.kind == "em")


def test_rows_that_count_often_are_climbed_like_many_rows() -> None:
    x = draw("overlapping", 60)
    weights = np.arange(1.0, 61.0) % 4
    once = problem_of(Sample.of(np.repeat(x, weights.astype(int))), unconstrained(2))
    weighted = problem_of(Sample.of(x, weights), unconstrained(2))
    start = scattered(once, 5)
    one, other = (climb(of, start, newton_step, max_steps=100) for of in (once, weighted))
    np.testing.assert_array_equal(one.state.loglike, other.state.loglike)
