"""The surface: at each point the maximum that a fit with the two values held finds."""

from __future__ import annotations

import numpy as np
import pytest

import bactrian as bt
from bactrian.infer.surface import surface
from tests.problems import draw, drawn_fit


def test_every_point_is_the_maximum_with_two_values_held() -> None:
    fit = drawn_fit("apart")
    problem, state = fit.solution.problem, fit.solution.state
    at, sample = state.free[0], problem.sample
    found = surface(
        problem, state, (1, 2), at[1] + np.array([-0.1, 0.0, 0.1]), at[2] + np.array([0.0, 0.2])
    )
    assert found.loglike.shape == (2, 3)
    for j, second in enumerate(found.second):
        for i, first in enumerate(found.first):
            means = (sample.origin + sample.scale * np.array([first, second])).tolist()
            held = bt.fit(draw("apart"), fixed={"means": means})
            assert held.loglike - fit.loglike == pytest.approx(found.loglike[j, i], abs=1e-4)


def test_the_fit_is_its_highest_point() -> None:
    fit = drawn_fit("overlapping")
    state = fit.solution.state
    at = state.free[0]
    around = np.linspace(-0.3, 0.3, 7)
    found = surface(fit.solution.problem, state, (1, 4), at[1] + around, at[4] + around)
    assert int(np.nanargmax(found.loglike)) == 3 * 7 + 3
    assert found.loglike[3, 3] == pytest.approx(0.0, abs=1e-9)


def test_of_many_values_a_few_stand_for_all() -> None:
    fit = bt.fit(draw("apart", 20_000))
    state = fit.solution.state
    at = state.free[0]
    found = surface(fit.solution.problem, state, (1, 2), at[1] + np.array([0.0, 0.05]), at[2:3])
    sample = fit.solution.problem.sample
    held = [sample.origin + sample.scale * float(v) for v in (found.first[1], found.second[0])]
    exact = bt.fit(draw("apart", 20_000), fixed={"means": held}).loglike - fit.loglike
    assert found.loglike[0, 1] == pytest.approx(exact, rel=0.01)
    assert found.loglike[0, 0] == pytest.approx(0.0, abs=1e-4)
