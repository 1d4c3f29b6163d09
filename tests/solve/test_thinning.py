"""Thinned samples keep the moments, and stand for the whole in a search."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.climb import climb
from bactrian.solve.search import problem_of
from bactrian.solve.steps import newton_step
from bactrian.solve.thinning import thinned
from tests.problems import MIXTURES, draw, true_start

MANY = 20_000


@pytest.mark.parametrize("name", list(MIXTURES))
def test_weight_mean_variance_and_third_moment_are_kept(name: str) -> None:
    sample = Sample.of(draw(name, MANY))
    small = thinned(sample)
    assert small.total == pytest.approx(sample.total, rel=1e-13)
    for power in (1, 2, 3):
        size = sample.weights @ np.abs(sample.local) ** power
        ours = small.weights @ small.local**power
        assert ours == pytest.approx(sample.weights @ sample.local**power, abs=1e-12 * size)


@pytest.mark.parametrize("name", list(MIXTURES))
def test_few_points_are_left_within_the_range_and_in_order(name: str) -> None:
    sample = Sample.of(draw(name, MANY))
    small = thinned(sample)
    assert len(small) < 2500
    assert (np.diff(small.local) >= 0.0).all()
    assert (small.weights > 0.0).all()
    assert (small.origin, small.scale) == (sample.origin, sample.scale)
    # Two points stand for a run of values at most a thirty-second of an sd wide.
    margin = np.sqrt(sample.local_variance) / 32.0
    assert small.local[0] >= sample.local[0] - margin
    assert small.local[-1] <= sample.local[-1] + margin


def test_lone_values_are_themselves() -> None:
    sample = Sample.of(np.array([0.0, 1.0, 2.0, 5.0, 9.0]))
    small = thinned(sample)
    np.testing.assert_array_equal(small.local, sample.local)
    np.testing.assert_array_equal(small.weights, sample.weights)


@pytest.mark.parametrize("name", ["overlapping", "rare", "three"])
def test_the_maximum_moves_by_a_small_part_of_its_standard_error(name: str) -> None:
    sample = Sample.of(draw(name, MANY))
    count = MIXTURES[name].n_components
    full, small = (problem_of(s, unconstrained(count)) for s in (sample, thinned(sample)))
    one, other = (
        climb(of, true_start(name, of), newton_step, max_steps=100).state for of in (full, small)
    )
    errors = np.sqrt(np.diag(np.linalg.inv(-one.hessian[0])))
    assert (np.abs(other.free[0] - one.free[0]) < 0.1 * errors).all()
