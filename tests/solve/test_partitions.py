"""Prefix sums give the moments that a loop over the rows gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.partitions import (
    Candidates,
    Moments,
    best_split,
    groups,
    intervals,
    join,
    splits,
)
from tests.problems import draw

Mask = NDArray[np.bool_]

X = np.sort(np.round(draw("overlapping", 60), 1))
SAMPLE = Sample.of(X)
MOMENTS = Moments.of(SAMPLE)
LEAST = np.sqrt(1e-4 * SAMPLE.local_variance)  # the sd that a partition of ties is given


def direct(inside: Mask) -> tuple[float, float, float]:
    """Weight, mean and sd of some of the values, in local coordinates."""
    x, w = SAMPLE.local[inside], SAMPLE.weights[inside]
    mean = float(np.average(x, weights=w))
    sd = float(np.sqrt(np.average((x - mean) ** 2, weights=w)))
    return float(w.sum() / SAMPLE.total), mean, max(sd, float(LEAST))


def check_component(found: Candidates, row: int, k: int, inside: Mask) -> None:
    """A component has the moments of the values that it is made of."""
    weight, mean, sd = direct(inside)
    assert found.weights[row, k] == pytest.approx(weight, rel=1e-13)
    assert found.means[row, k] == pytest.approx(mean, abs=1e-12)
    # E[x^2] - E[x]^2 loses what the mean is larger than the sd: good enough for a start.
    assert found.sds[row, k] == pytest.approx(sd, abs=1e-6)


def test_splits_have_the_moments_of_both_sides() -> None:
    cuts = np.arange(1, len(SAMPLE))
    found = splits(MOMENTS, cuts)
    position = np.arange(len(SAMPLE))
    for row, cut in enumerate(cuts):
        check_component(found, row, 0, position < cut)
        check_component(found, row, 1, position >= cut)


def test_cuts_at_the_ends_split_nothing() -> None:
    assert len(splits(MOMENTS, np.array([0, 3, len(SAMPLE)])).weights) == 1


def test_intervals_have_the_moments_of_inside_and_outside() -> None:
    cuts = MOMENTS.quantile_cuts(np.linspace(0.0, 1.0, 9))
    found = intervals(MOMENTS, cuts)
    position, row = np.arange(len(SAMPLE)), 0
    for i, begin in enumerate(cuts):
        for end in cuts[i + 1 :]:
            inside = (position >= begin) & (position < end)
            if inside.all():
                continue
            check_component(found, row, 0, inside)
            check_component(found, row, 1, ~inside)
            row += 1
    assert row == len(found.weights)


def test_groups_are_the_runs_between_the_cuts() -> None:
    found = groups(MOMENTS, np.array([5, 11]))
    position = np.arange(len(SAMPLE))
    for k, inside in enumerate([position < 5, (position >= 5) & (position < 11), position >= 11]):
        check_component(found, 0, k, inside)
    assert found.weights.shape == (1, 3)


def test_the_best_split_leaves_the_least_sum_of_squares() -> None:
    x, w = SAMPLE.local, SAMPLE.weights

    def within(cut: int) -> float:
        """Sum of squares around the two means."""
        return sum(
            float(w[part] @ (x[part] - np.average(x[part], weights=w[part])) ** 2)
            for part in (slice(None, cut), slice(cut, None))
        )

    known = min(range(1, len(SAMPLE)), key=within)
    np.testing.assert_array_equal(best_split(MOMENTS), [known])


@settings(deadline=None, max_examples=50)
@given(share=st.floats(0.0, 1.0))
def test_quantile_cuts_are_nearest_to_the_share(share: float) -> None:
    (cut,) = MOMENTS.quantile_cuts(np.array([share]))
    cumulative = np.concatenate([[0.0], np.cumsum(SAMPLE.weights)]) / SAMPLE.total
    assert abs(cumulative[cut] - share) <= np.abs(cumulative - share).min() + 1e-12


def test_ties_are_not_born_collapsed() -> None:
    ties = Sample.of(np.array([0.0] * 50 + [1.0] * 50 + [5.0]))
    found = splits(Moments.of(ties), np.array([1]))
    assert found.sds[0, 0] == pytest.approx(np.sqrt(1e-4 * ties.local_variance))


def test_joining_keeps_all_in_order() -> None:
    one, other = splits(MOMENTS, np.array([3])), splits(MOMENTS, np.array([7, 9]))
    both = join([one, other])
    np.testing.assert_array_equal(both.means, np.concatenate([one.means, other.means]))
    assert len(both.weights) == 3
