"""Where each step goes: up, and as fast as its theory says."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.climb import climb
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of
from bactrian.solve.state import State
from bactrian.solve.steps import (
    Memory,
    em_step,
    full_newton_step,
    gradient_step,
    newton_step,
)
from tests.problems import MIXTURES, problem, scattered, true_start

BOTH = pytest.mark.parametrize("equal", [False, True])
EVERY = pytest.mark.parametrize("name", list(MIXTURES))


def nothing(state: State) -> Memory:
    """The memory of an ascent that has not moved."""
    return Memory(np.zeros_like(state.free), np.zeros_like(state.free))


def maximum(name: str, *, equal_variances: bool = False) -> tuple[Problem, State]:
    """A problem and its maximum near the mixture that the rows were drawn from."""
    of = problem(name, equal_variances=equal_variances)
    found = climb(of, true_start(name, of), newton_step, max_steps=300)
    assert found.outcomes == (Outcome.CONVERGED,)
    return of, found.state


@settings(deadline=None, max_examples=40)
@given(name=st.sampled_from(list(MIXTURES)), seed=st.integers(0, 10**6), equal=st.booleans())
def test_em_never_lowers_the_likelihood(name: str, seed: int, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    state = of.evaluate(scattered(of, 4, seed))
    for _ in range(10):
        after = of.evaluate(em_step(of, state, nothing(state)))
        kept = after.sds.min(axis=1) > of.floor
        # The sum of n terms is rounded by a few units of n eps.
        slack = 1e-13 * np.abs(state.loglike)
        assert (after.loglike >= state.loglike - slack)[kept].all()
        state = after


@BOTH
@EVERY
def test_an_em_step_is_the_textbook_one(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    x, w = of.sample.local, of.sample.weights
    state = of.evaluate(scattered(of, 5))
    weights, means, sds = of.parameters(em_step(of, state, nothing(state)))
    for i in range(5):
        density = (
            state.weights[i]
            / state.sds[i]
            * np.exp(-0.5 * ((x[:, None] - state.means[i]) / state.sds[i]) ** 2)
        )
        r = w[:, None] * density / density.sum(axis=1, keepdims=True)
        counts = r.sum(axis=0)
        centres = (r * x[:, None]).sum(axis=0) / counts
        variances = (r * (x[:, None] - centres) ** 2).sum(axis=0) / counts
        if equal:
            variances = np.full_like(variances, (counts * variances).sum() / counts.sum())
        np.testing.assert_allclose(weights[i], counts / w.sum(), rtol=1e-9)
        np.testing.assert_allclose(means[i], centres, atol=1e-11)
        np.testing.assert_allclose(sds[i] ** 2, variances, rtol=1e-9)


@BOTH
@EVERY
def test_a_newton_step_climbs_and_stays_where_its_model_may_be_believed(
    name: str, equal: bool
) -> None:
    of = problem(name, equal_variances=equal)
    state = of.evaluate(scattered(of, 30))
    moved = newton_step(of, state, nothing(state)) - state.free
    assert ((state.score * moved).sum(axis=1) > 0.0).all()
    k = of.n_components
    working = np.abs(moved @ of.constraints.matrix.T)
    assert (working[:, : k - 1] <= 2.0 * (1 + 1e-12)).all()
    assert (working[:, k - 1 : 2 * k - 1] <= 2.0 * state.sds * (1 + 1e-12)).all()
    assert (working[:, 2 * k - 1 :] <= 1.5 * (1 + 1e-12)).all()


@BOTH
@pytest.mark.parametrize("name", ["apart", "overlapping", "three"])
def test_newton_squares_its_error(name: str, equal: bool) -> None:
    of, top = maximum(name, equal_variances=equal)
    direction = np.random.default_rng(3).standard_normal(top.free.shape)
    sizes = 2.0 ** -np.arange(6, 12)
    errors = []
    for size in sizes:
        near = of.evaluate(top.free + size * direction / np.sqrt(of.sample.total))
        errors.append(float(np.abs(full_newton_step(near) - top.free).max()))
    slopes = np.diff(np.log(errors)) / np.diff(np.log(sizes))
    np.testing.assert_allclose(slopes[-3:], 2.0, atol=0.1)


@pytest.mark.parametrize("name", ["overlapping", "three", "narrow in wide"])
def test_em_converges_at_the_rate_that_the_smallest_eigenvalue_says(name: str) -> None:
    of, top = maximum(name)
    worst = top.whitener[0] @ top.eigenvectors[0][:, 0]
    point = of.evaluate(top.free + 1e-5 * worst[None])
    for _ in range(3):
        point = of.evaluate(em_step(of, point, nothing(point)))
    before = np.linalg.norm(point.free - top.free)
    after = np.linalg.norm(em_step(of, point, nothing(point)) - top.free)
    assert after / before == pytest.approx(1.0 - top.eigenvalues[0, 0], abs=2e-3)


def test_a_newton_step_near_a_maximum_is_not_regularised() -> None:
    of, top = maximum("overlapping")
    near = of.evaluate(top.free + 1e-5)
    np.testing.assert_allclose(
        newton_step(of, near, nothing(near)), full_newton_step(near), rtol=1e-12
    )


def symmetric_saddle() -> tuple[Problem, State]:
    """Three equal clusters, and the point that shares the middle one evenly between two."""
    half = np.array([NormalDist().inv_cdf(p) for p in (np.arange(26) + 0.5) / 51])
    cluster = np.concatenate([half[:-1], -half[::-1]])
    of = problem_of(
        Sample.of(np.concatenate([cluster - 6.0, cluster, cluster + 6.0])), unconstrained(2)
    )
    weights, mean, sd = np.array([[0.5, 0.5]]), 0.5, 0.4
    for _ in range(500):
        free = of.free(weights, np.array([[-mean, mean]]), np.array([[sd, sd]]))
        state = of.evaluate(free)
        _, means, sds = of.parameters(em_step(of, state, nothing(state)))
        mean, sd = float(means[0, 1] - means[0, 0]) / 2.0, float(sds.mean())
    return of, state


def test_newton_leaves_a_saddle() -> None:
    of, saddle = symmetric_saddle()
    assert saddle.decrement[0] < 1e-12
    assert saddle.eigenvalues[0, 0] < -0.1
    found = climb(of, saddle.free, newton_step, max_steps=200)
    assert found.outcomes == (Outcome.CONVERGED,)
    assert found.state.loglike[0] > saddle.loglike[0] + 10.0


@BOTH
def test_a_gradient_step_goes_along_the_score(equal: bool) -> None:
    of = problem("overlapping", equal_variances=equal)
    state = of.evaluate(scattered(of, 10))
    moved = gradient_step(of, state, nothing(state)) - state.free
    cosine = (moved * state.score).sum(axis=1)
    cosine /= np.linalg.norm(moved, axis=1) * np.linalg.norm(state.score, axis=1)
    np.testing.assert_allclose(cosine, 1.0, rtol=1e-12)


def test_a_gradient_step_has_the_length_of_the_secant() -> None:
    of, top = maximum("overlapping")
    state = of.evaluate(top.free + 1e-6)
    last = np.full_like(state.free, 1e-6)
    bent = (state.hessian @ last[:, :, None])[:, :, 0]
    moved = gradient_step(of, state, Memory(last, bent)) - state.free
    length = (last**2).sum() / -(last * bent).sum()
    # The displacement is a difference of coordinates of order one, rounded as such.
    np.testing.assert_allclose(moved, length * state.score, rtol=1e-12, atol=4e-16)
