"""The function that is climbed: its coordinates, derivatives and metric."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of
from tests.problems import MIXTURES, draw, problem, scattered, true_start

BOTH = pytest.mark.parametrize("equal", [False, True])
EVERY = pytest.mark.parametrize("name", list(MIXTURES))


def complete_information(of: Problem, weights: np.ndarray, sds: np.ndarray) -> np.ndarray:
    """Expected information of rows whose component is known, in free coordinates."""
    k, n = weights.size, of.sample.total
    full = np.zeros((3 * k - 1, 3 * k - 1))
    logits = n * (np.diag(weights) - np.outer(weights, weights))
    full[: k - 1, : k - 1] = logits[:-1, :-1]
    full[k - 1 : 2 * k - 1, k - 1 : 2 * k - 1] = np.diag(n * weights / sds**2)
    full[2 * k - 1 :, 2 * k - 1 :] = np.diag(n * weights / 2.0)
    return np.asarray(of.constraints.matrix.T @ full @ of.constraints.matrix)


@BOTH
@EVERY
def test_parameters_and_free_coordinates_are_each_others_inverse(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    free = scattered(of, 20)
    np.testing.assert_allclose(of.free(*of.parameters(free)), free, rtol=1e-12, atol=1e-12)


def test_equal_variances_start_from_the_weighted_mean_of_variances() -> None:
    of = problem("overlapping", equal_variances=True)
    assert of.is_bounded
    weights, means, sds = np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]]), np.array([[1.0, 3.0]])
    found = of.parameters(of.free(weights, means, sds))
    np.testing.assert_allclose(found[2] ** 2, [[7.0, 7.0]], rtol=1e-14)
    np.testing.assert_allclose(found[0], weights, rtol=1e-14)


@BOTH
@EVERY
def test_derivatives_are_those_of_the_public_functions(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    state = of.evaluate(scattered(of, 6))
    for i in range(len(state)):
        mixture = bt.NormalMixture(state.weights[i], state.means[i], state.sds[i])
        known = bt.evaluate(
            of.sample.local, mixture, coordinates="working", sample_weight=of.sample.weights
        )
        size = np.abs(known.hessian).max()
        np.testing.assert_allclose(state.loglike[i], known.loglike, rtol=1e-12)
        np.testing.assert_allclose(
            state.score[i], known.score @ of.constraints.matrix, atol=1e-12 * size
        )
        np.testing.assert_allclose(
            state.hessian[i],
            of.constraints.matrix.T @ known.hessian @ of.constraints.matrix,
            atol=1e-12 * size,
        )


@BOTH
@EVERY
def test_a_batch_is_its_members_one_by_one(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    free = scattered(of, 5)
    together = of.evaluate(free)
    for i in range(5):
        alone = of.evaluate(free[i : i + 1])
        np.testing.assert_allclose(together.loglike[i], alone.loglike[0], rtol=1e-13)
        np.testing.assert_allclose(together.eigenvalues[i], alone.eigenvalues[0], atol=1e-9)
        np.testing.assert_allclose(together.decrement[i], alone.decrement[0], rtol=1e-7)


@BOTH
@EVERY
def test_the_whitener_turns_complete_information_into_the_identity(name: str, equal: bool) -> None:
    of = problem(name, equal_variances=equal)
    state = of.evaluate(scattered(of, 8))
    for i in range(len(state)):
        information = complete_information(of, state.weights[i], state.sds[i])
        white = state.whitener[i].T @ information @ state.whitener[i]
        np.testing.assert_allclose(white, np.eye(len(white)), atol=1e-9)


@BOTH
@EVERY
def test_eigenvalues_and_decrement_are_those_of_the_generalised_problem(
    name: str, equal: bool
) -> None:
    of = problem(name, equal_variances=equal)
    state = of.evaluate(scattered(of, 8))
    for i in range(len(state)):
        information = complete_information(of, state.weights[i], state.sds[i])
        eigenvalues, vectors = scipy.linalg.eigh(-state.hessian[i], information)
        size = np.abs(eigenvalues).max()
        np.testing.assert_allclose(state.eigenvalues[i], eigenvalues, atol=1e-10 * size)
        known = ((state.score[i] @ vectors) ** 2 / np.abs(eigenvalues)).sum()
        # A curvature of almost nothing is known to 1e-10 of the largest only.
        bound = 1e-8 + 1e-9 * size / np.abs(eigenvalues).min()
        np.testing.assert_allclose(state.decrement[i], known, rtol=bound)


def test_the_decrement_is_the_score_in_the_metric_of_the_hessian() -> None:
    of = problem("apart")
    start = of.evaluate(true_start("apart", of))
    known = start.score[0] @ np.linalg.solve(-start.hessian[0], start.score[0])
    assert start.is_concave[0]
    np.testing.assert_allclose(start.decrement[0], known, rtol=1e-9)


def test_the_floor_is_what_the_data_resolve() -> None:
    rounded = Sample.of(np.round(draw("apart"), 1))
    of = problem_of(rounded, unconstrained(2))
    assert of.floor * rounded.scale == pytest.approx(0.1 / 4.0, rel=1e-6)


def test_states_are_chosen_row_by_row() -> None:
    of = problem("apart")
    one, other = of.evaluate(scattered(of, 4, 1)), of.evaluate(scattered(of, 4, 2))
    accept = np.array([True, False, False, True])
    mixed = one.where(accept, other)
    for i, taken in enumerate(accept):
        source = other if taken else one
        np.testing.assert_array_equal(mixed.free[i], source.free[i])
        np.testing.assert_array_equal(mixed.hessian[i], source.hessian[i])
        assert mixed.loglike[i] == source.loglike[i]
    assert one.where(np.ones(4, dtype=bool), other) is other
    picked = one[np.array([2, 0])]
    np.testing.assert_array_equal(picked.means, one.means[[2, 0]])
    assert len(picked) == 2
