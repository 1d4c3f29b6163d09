"""A graded mesh carries the likelihood near its mixture with a few hundred nodes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.solve.mesh import graded
from bactrian.solve.search import problem_of
from bactrian.solve.solver import solve

Array = NDArray[np.float64]

SIZE = 40_000


def humps(*components: tuple[float, float, float]) -> Array:
    """Rows of a mixture of (weight, mean, sd)."""
    rng = np.random.default_rng(8)
    weights, means, sds = (np.array(column) for column in zip(*components, strict=True))
    which = rng.choice(len(weights), SIZE, p=weights)
    return np.asarray(rng.normal(means[which], sds[which]))


SHAPES = {
    "overlapping": (2, humps((0.35, 0.0, 1.0), (0.65, 2.0, 1.3))),
    "far apart": (2, humps((0.5, 0.0, 1.0), (0.5, 8.0, 1.0))),
    "sd ratio 100": (2, humps((0.5, 0.0, 0.01), (0.5, 0.0, 1.0))),
    "three": (3, humps((0.3, 0.0, 1.0), (0.3, 3.0, 0.2), (0.4, 7.0, 2.0))),
    "heavy tails": (2, np.random.default_rng(1).standard_cauchy(SIZE)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_score_and_likelihood_are_those_of_the_rows(shape: str) -> None:
    k, x = SHAPES[shape]
    sample = Sample.of(x)
    solution = solve(sample, unconstrained(k))
    state = solution.state
    mesh = graded(sample, [(state.weights[0], state.means[0], state.sds[0])])
    assert len(mesh) < 500
    assert mesh.total == pytest.approx(sample.total, rel=1e-13)
    there = problem_of(mesh, unconstrained(k)).evaluate(state.free)
    exact = problem_of(sample, unconstrained(k)).evaluate(state.free)
    # The mesh is made for 1e-12 a row in the log-density; its score in standard errors may be off
    # by the root of the number of rows times some tens of that.
    assert np.sqrt(there.decrement[0]) < 1e-12 * 50.0 * np.sqrt(SIZE)
    assert there.loglike[0] == pytest.approx(exact.loglike[0], abs=1e-12 * SIZE)
    np.testing.assert_allclose(there.eigenvalues, exact.eigenvalues, rtol=1e-7)


def test_few_values_stay_as_they_are() -> None:
    x = np.arange(8.0)
    sample = Sample.of(x)
    mesh = graded(sample, [(np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([0.1, 0.1]))])
    np.testing.assert_array_equal(mesh.local, sample.local)
    np.testing.assert_array_equal(mesh.weights, sample.weights)


def test_a_mesh_for_several_mixtures_serves_each() -> None:
    k, x = SHAPES["overlapping"]
    sample = Sample.of(x)
    mixtures = [
        (np.array([0.35, 0.65]), np.array([-1.0, 0.5]), np.array([0.6, 0.8])),
        (np.array([0.1, 0.9]), np.array([0.2, 0.0]), np.array([0.01, 1.0])),
    ]
    mesh = graded(sample, mixtures)
    for mixture in mixtures:
        free = problem_of(sample, unconstrained(k)).free(*(part[None] for part in mixture))
        there, exact = (problem_of(s, unconstrained(k)).evaluate(free) for s in (mesh, sample))
        scale = np.sqrt(np.abs(np.diagonal(exact.hessian[0])))
        assert (np.abs(there.score[0] - exact.score[0]) / scale < 1e-8).all()
