"""Ascents are merged where they have met, and nowhere else."""

from __future__ import annotations

import numpy as np

from bactrian.model.constraints import unconstrained
from bactrian.solve.climb import climb
from bactrian.solve.merge import following
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step
from tests.problems import problem, scattered, true_start


def top_of(name: str) -> tuple[Problem, State]:
    """A problem and its maximum."""
    of = problem(name)
    return of, climb(of, true_start(name, of), newton_step, max_steps=100).state


def test_ascents_near_one_maximum_follow_the_nearest() -> None:
    of, top = top_of("overlapping")
    small = 1e-3 / np.sqrt(of.sample.total)
    state = of.evaluate(top.free + small * np.array([[3.0], [1.0], [-2.0]]))
    np.testing.assert_array_equal(following(of, state), [1, -1, 1])


def test_the_order_of_components_is_no_difference() -> None:
    of, top = top_of("overlapping")
    swapped = of.free(top.weights[:, ::-1], top.means[:, ::-1], top.sds[:, ::-1])
    state = of.evaluate(np.concatenate([top.free, swapped + 1e-6]))
    np.testing.assert_array_equal(following(of, state), [-1, 0])


def test_ascents_on_their_way_are_left_alone() -> None:
    of = problem("overlapping")
    start = scattered(of, 1)
    state = of.evaluate(np.concatenate([start, start + 1e-9]))
    assert (state.decrement > 1.0).all()
    np.testing.assert_array_equal(following(of, state), [-1, -1])


def test_two_maxima_are_not_merged() -> None:
    of = problem("three")
    two = Problem(of.sample, unconstrained(2), of.floor)
    found = climb(two, scattered(two, 40), newton_step, max_steps=200)
    done = [i for i, o in enumerate(found.outcomes) if o is Outcome.CONVERGED]
    levels = found.state.loglike[done]
    distinct = np.array(done)[np.unique(np.round(levels, 6), return_index=True)[1]]
    assert distinct.size >= 2
    assert (following(two, found.state[distinct]) == -1).all()


def test_one_ascent_has_nobody_to_follow() -> None:
    of, top = top_of("apart")
    np.testing.assert_array_equal(following(of, top), [-1])
