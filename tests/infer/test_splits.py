"""The penalised likelihood of split components: its derivatives, its EM step, what it holds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer.splits import SplitProblem
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.steps import newton_step
from tests.problems import draw

Array = NDArray[np.float64]

EQUAL = "one, equal variances"
CASES = {"one": (1, False), EQUAL: (1, True), "two": (2, False), "three": (3, False)}


def split(name: str) -> tuple[SplitProblem, Array]:
    """A problem, and free coordinates (S, p) within its edges."""
    m, equal = CASES[name]
    sample = Sample.of(draw("three", 150))
    edges = np.quantile(sample.local, np.linspace(0.0, 1.0, m + 1))
    variances = np.linspace(0.3, 0.9, m)
    problem = SplitProblem(sample, variances, 0.25, edges, equal, np.zeros(m))
    rng = np.random.default_rng(3)
    low, high = edges[:-1].repeat(2), edges[1:].repeat(2)
    weights = rng.dirichlet(np.full(2 * m, 3.0), 6)
    means = low + (high - low) * rng.uniform(0.2, 0.8, (6, 2 * m))
    sds = np.exp(rng.uniform(-1.0, 0.0, (6, 2 * m)))
    sds = np.repeat(sds[:, :1], 2 * m, axis=1) if equal else sds
    return problem, problem.free(weights, means, sds)


def value(problem: SplitProblem, free: Array) -> float:
    """The penalised log-likelihood from the density itself."""
    weights, means, sds = (a[0] for a in problem.parameters(free[None]))
    x, w = problem.sample.local[:, None], problem.sample.weights
    density = weights / sds / np.sqrt(2.0 * np.pi) * np.exp(-0.5 * ((x - means) / sds) ** 2)
    ratio = problem.variances.repeat(2) / sds**2
    each = 0.25 / sds.size if problem.equal else 0.25
    return float(w @ np.log(density.sum(axis=1)) - each * (ratio - np.log(ratio) - 1.0).sum())


@pytest.mark.parametrize("name", CASES)
def test_free_coordinates_and_parameters_are_inverse(name: str) -> None:
    problem, free = split(name)
    weights, means, sds = problem.parameters(free)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(problem.free(weights, means, sds), free, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_score_and_hessian_are_slopes_and_shares_are_held(name: str) -> None:
    problem, free = split(name)
    state, m, h = problem.evaluate(free), problem.n_pairs, 1e-5
    held = np.zeros(free.shape[1], dtype=bool)
    held[m - 1 : 2 * m - 1] = True
    for i, at in enumerate(free):
        assert state.loglike[i] == pytest.approx(value(problem, at), rel=1e-12)
        steps = h * np.eye(at.size)
        slopes = [(value(problem, at + s) - value(problem, at - s)) / (2.0 * h) for s in steps]
        np.testing.assert_allclose(state.score[i][~held], np.array(slopes)[~held], atol=1e-6)
        assert (state.score[i][held] == 0.0).all()
        bends = [
            (problem.evaluate((at + s)[None]).score[0] - problem.evaluate((at - s)[None]).score[0])
            / (2.0 * h)
            for s in steps
        ]
        rows = np.array(bends)[~held][:, ~held]
        np.testing.assert_allclose(state.hessian[i][~held][:, ~held], rows, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_an_em_step_never_lowers_it_and_stays_at_the_maximum(name: str) -> None:
    problem, free = split(name)
    state = problem.evaluate(free)
    m = problem.n_pairs
    for _ in range(20):
        moved = problem.evaluate(problem.after_em(state))
        assert (moved.loglike >= state.loglike - 1e-9).all()
        shares = slice(m - 1, 2 * m - 1)
        np.testing.assert_allclose(moved.free[:, shares], free[:, shares], atol=1e-12)
        state = moved
    top = climb(problem, free, newton_step, max_steps=300).state
    best = top[np.array([int(top.loglike.argmax())])]
    np.testing.assert_allclose(problem.after_em(best), best.free, atol=1e-5)
    assert best.decrement[0] < 1e-12


def test_means_stop_at_the_edges() -> None:
    problem, free = split("two")
    narrow = replace(problem, edges=np.array([-0.2, 0.0, 0.2]))
    state = climb(narrow, free, newton_step, max_steps=300).state
    assert (state.means[:, :2] <= 0.0).all()
    assert (state.means[:, 2:] >= 0.0).all()
    assert np.isin(state.means, [-0.2, 0.0, 0.2]).any()


def test_sds_stop_where_values_are_rounded() -> None:
    # A heap of equal values would draw a half onto itself: 40 rows outweigh the penalty.
    x = np.concatenate([np.round(draw("overlapping", 200)), np.full(40, 1.0)])
    sample = Sample.of(x)
    null = NormalMixture([1.0], [float(sample.local.mean())], [math.sqrt(sample.local_variance)])
    problem = SplitProblem.around(sample, null, 0.25)
    step = float(np.diff(sample.local).min())
    np.testing.assert_allclose(problem.narrowest, min(step, null.sds[0]))
    at = (np.array([[0.3, 0.7]]), np.array([[1.0, 1.0]]), np.array([[0.2, 1.0]]))
    at = (at[0], (at[1] - sample.origin) / sample.scale, at[2])
    free = replace(problem, narrowest=np.zeros(1))
    found = [
        climb(each, each.free(*at), newton_step, max_steps=300).state for each in (problem, free)
    ]
    assert found[0].sds.min() == pytest.approx(step, rel=1e-12)
    assert found[0].decrement[0] < 1e-12
    assert found[1].sds.min() < 0.5 * step
    assert found[1].loglike[0] > found[0].loglike[0] + 10.0
    top = found[0]
    np.testing.assert_allclose(problem.after_em(top), top.free, atol=1e-5)
    wide = replace(problem, narrowest=np.array([2.0 * step]))
    assert (wide.maximised(wide.expect(*at), at)[2] >= 2.0 * step).all()


def test_edges_are_halfway_between_means() -> None:
    sample = Sample.of(draw("three", 150))
    null = NormalMixture([0.3, 0.4, 0.3], [-1.0, 0.0, 1.5], [0.3, 0.2, 0.4])
    problem = SplitProblem.around(sample, null, 0.2)
    np.testing.assert_allclose(problem.edges, [sample.local[0], -0.5, 0.75, sample.local[-1]])
    np.testing.assert_array_equal(problem.variances, null.variances)
    assert (problem.narrowest == 0.0).all()  # these values are not rounded
    other = problem.over(Sample.of(draw("three", 160)))
    assert other.sample.total == 160.0
    assert other.edges is problem.edges


def test_a_pair_without_rows_divides_nothing_by_zero() -> None:
    # Both halves of the first pair stand where no row is: its weight falls to nothing.
    problem, _ = split("two")
    problem = replace(problem, edges=np.array([-1e3, -9e2, 1e2]))
    at = (np.full((1, 4), 0.25), np.array([[-950.0, -940.0, 0.0, 1.0]]), np.full((1, 4), 0.5))
    for _ in range(30):
        at = problem.maximised(problem.expect(*at), at)
    state = problem.evaluate(problem.free(*at))
    assert np.isfinite(state.loglike).all()
    assert 0.0 < at[0][0, 0] < 1e-8
    np.testing.assert_allclose(problem.shares(at[0]), 0.5)
    assert np.isfinite(problem.worth(at)).all()


def test_the_worth_of_what_has_no_value_is_the_lowest() -> None:
    problem, _ = split("one")
    at = (np.full((1, 2), 0.5), np.zeros((1, 2)), np.array([[1.0, np.nan]]))
    assert problem.worth(at)[0] == -np.inf


def test_means_leave_the_edges_where_shares_move() -> None:
    problem, _ = split("two")
    problem = replace(problem, edges=np.array([-3.0, 2.0, 3.0]))
    at = (np.full((1, 4), 0.25), np.array([[-2.0, 0.0, 2.0, 2.5]]), np.full((1, 4), 1.0))
    expected = problem.expect(*at)
    free_means = at[1] + expected.spreads[:, 0] / expected.counts
    assert free_means[0, 2] < 2.0
    moved = problem.maximised(expected, at, shares_move=True)
    np.testing.assert_allclose(moved[1], free_means, rtol=1e-12)
    assert problem.maximised(expected, at)[1][0, 2] == 2.0


def test_moving_shares_gain_a_row_for_the_smaller_half() -> None:
    problem, free = split("one")
    at = problem.parameters(free)
    expected = problem.expect(*at)
    (moved, _, _), n = problem.maximised(expected, at, shares_move=True), problem.sample.total
    first = expected.counts[:, 0]
    lower = np.minimum((first + 1.0) / (n + 1.0), 0.5)
    upper = np.maximum(first / (n + 1.0), 0.5)
    np.testing.assert_allclose(moved[:, 0], np.where(first <= 0.5 * n, lower, upper), rtol=1e-13)
