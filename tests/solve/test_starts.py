"""Starts are the same for the same data, mirror with it, and are worth climbing from."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.partitions import Candidates, Moments, intervals
from bactrian.solve.search import problem_of
from bactrian.solve.starts import (
    THOROUGH,
    Pool,
    best_distinct,
    criterion,
    more_component_starts,
    random_starts,
    two_component_starts,
)
from tests.problems import TWO, draw, problem, scattered, true_start


def check_valid(found: Candidates, n_components: int) -> None:
    """Candidates are mixtures."""
    assert found.weights.shape == found.means.shape == found.sds.shape
    assert found.weights.shape[1] == n_components
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, rtol=1e-12)
    assert (found.weights > 0.0).all()
    assert np.isfinite(found.means).all()
    assert (found.sds > 0.0).all()


@pytest.mark.parametrize("name", TWO)
def test_two_component_starts_are_mixtures_and_always_the_same(name: str) -> None:
    of = problem(name)
    one, other = two_component_starts(of, 30), two_component_starts(of, 30)
    check_valid(one, 2)
    assert len(one.weights) >= 40
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


def test_three_component_starts_are_mixtures_and_always_the_same() -> None:
    of = problem("three")
    two = problem_of(of.sample, unconstrained(2))
    smaller = [tuple(a[0] for a in two.parameters(scattered(two, 1, seed))) for seed in (1, 2)]
    one, other = (more_component_starts(of, smaller, THOROUGH) for _ in range(2))
    check_valid(one, 3)
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_random_starts_lie_within_the_data_and_do_not_depend_on_the_unit(count: int) -> None:
    x = draw("overlapping")
    sample, scaled = Sample.of(x), Sample.of(1024.0 * x)
    found = random_starts(sample, count, 20)
    check_valid(found, count)
    assert (found.means >= sample.local[0]).all()
    assert (found.means <= sample.local[-1]).all()
    for first, second in zip(found, random_starts(scaled, count, 20), strict=True):
        np.testing.assert_array_equal(first, second)


def test_random_starts_mirror_with_the_data() -> None:
    x = draw("rare")
    samples = Sample.of(x), Sample.of(-x)
    one, other = (random_starts(sample, 2, 20) for sample in samples)
    half = len(one.weights) // 2
    turned = np.concatenate([other.means[half:], other.means[:half]])
    means = samples[0].origin + samples[0].scale * one.means
    mirrored = samples[1].origin + samples[1].scale * turned
    np.testing.assert_allclose(mirrored, -means, atol=1e-12)
    np.testing.assert_allclose(other.sds, one.sds, rtol=1e-12)


def test_the_criterion_prices_narrow_components() -> None:
    of = problem("overlapping")
    sds = np.array([[0.5, 0.1], [0.5, 0.5]])
    variance = of.sample.local_variance
    known = 7.0 - np.log1p(variance / sds**2).sum(axis=1)
    np.testing.assert_allclose(criterion(of, np.full(2, 7.0), sds), known, rtol=1e-14)


def test_the_criterion_of_a_bounded_likelihood_is_the_likelihood() -> None:
    of = problem("overlapping", equal_variances=True)
    sds = np.full((1, 2), 0.01)
    np.testing.assert_array_equal(criterion(of, np.array([7.0]), sds), [7.0])


def test_the_best_distinct_candidates_are_distinct() -> None:
    of = problem("overlapping")
    moments = Moments.of(of.sample)
    every = intervals(moments, moments.quantile_cuts(np.linspace(0.0, 1.0, 17)))
    found = best_distinct(of, Pool(every, 8))
    check_valid(found, 2)
    assert 1 <= len(found.weights) <= 8
    for i in range(len(found.weights)):
        for j in range(i):
            apart = np.abs(found.weights[i] - found.weights[j]).max() / 0.03
            apart = max(
                apart, float((np.abs(found.means[i] - found.means[j]) / found.sds[j]).max()) / 0.05
            )
            apart = max(apart, float(np.abs(found.sds[i] / found.sds[j] - 1.0).max()) / 0.05)
            assert apart >= 1.0


@pytest.mark.parametrize("name", TWO)
def test_some_start_is_near_the_mixture_that_the_rows_come_from(name: str) -> None:
    of = problem(name, size=500)
    found = two_component_starts(of, 30)
    truth = of.evaluate(true_start(name, of)).loglike[0]
    best = of.evaluate(of.free(*found)).loglike.max()
    sample = of.sample
    centre = np.full((1, 2), sample.weights @ sample.local / sample.total)
    width = np.full((1, 2), np.sqrt(sample.local_variance))
    worst = of.evaluate(of.free(np.ones((1, 2)) / 2, centre, width)).loglike[0]
    # Nine tenths of the way from one normal to the truth.
    assert best > worst + 0.9 * (truth - worst)
