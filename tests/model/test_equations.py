"""A set of mixtures as equations: they hold for its members, and their slopes are right."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.model.equations import equations
from bactrian.model.mixture import NormalMixture
from bactrian.model.parameters import from_working, split_working, to_working
from tests.model.test_constraints import SETS, some_free

EVERY_SET = pytest.mark.parametrize("name", list(SETS))
ANY = {
    1: NormalMixture([1.0], [0.3], [1.7]),
    2: NormalMixture([0.35, 0.65], [0.3, 1.1], [0.8, 1.6]),
    3: NormalMixture([0.2, 0.3, 0.5], [0.3, 1.1, -2.0], [0.8, 1.6, 0.5]),
    4: NormalMixture([0.2, 0.3, 0.1, 0.4], [0.3, 1.1, -2.0, 4.0], [0.8, 1.6, 0.5, 1.0]),
}


@EVERY_SET
def test_members_fulfil_them(name: str) -> None:
    constraints = SETS[name]
    weights, means, sds = split_working(constraints.working(some_free(constraints)))
    for i in range(len(weights)):
        found = equations(constraints, NormalMixture(weights[i], means[i], sds[i]))
        np.testing.assert_allclose(found.residuals, 0.0, atol=1e-13)


@EVERY_SET
def test_there_are_as_many_as_parameters_are_lost_and_they_are_independent(name: str) -> None:
    constraints = SETS[name]
    k = constraints.n_components
    found = equations(constraints, ANY[k])
    lost = 3 * k - 1 - constraints.n_free
    assert found.residuals.shape == (lost,)
    assert found.slopes.shape == (lost, 3 * k - 1)
    assert np.linalg.matrix_rank(found.slopes) == lost


@EVERY_SET
def test_their_slopes_vanish_along_the_set(name: str) -> None:
    constraints = SETS[name]
    free = some_free(constraints)
    along = constraints.jacobian(free)
    weights, means, sds = split_working(constraints.working(free))
    for i in range(len(weights)):
        slopes = equations(constraints, NormalMixture(weights[i], means[i], sds[i])).slopes
        np.testing.assert_allclose(slopes @ along[i], 0.0, atol=1e-12)


@EVERY_SET
def test_their_slopes_are_those_of_the_residuals(name: str) -> None:
    constraints = SETS[name]
    mixture = ANY[constraints.n_components]
    at, h = to_working(mixture), 1e-5
    found = equations(constraints, mixture).slopes
    for i in range(at.size):
        ends = [from_working(at + sign * h * np.eye(at.size)[i]) for sign in (1.0, -1.0)]
        up, down = (equations(constraints, end).residuals for end in ends)
        np.testing.assert_allclose(found[:, i], (up - down) / (2.0 * h), atol=1e-9)
