"""Sets of mixtures: their free coordinates, the slopes of these, and what EM may choose there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from bactrian.fitting.constraints import constraints_of
from bactrian.model.constraints import Constraints, unconstrained
from bactrian.model.parameters import join_working, split_working
from bactrian.solve.steps import em_step
from tests.constrained import CASES, constrained_fit, constrained_problem
from tests.problems import Array, scattered

EVERY = pytest.mark.parametrize("name", list(CASES))
FOUR = constraints_of(4, fixed={"weights": [0.125, None, 0.25, None]})
TIED = constraints_of(3, fixed={"weights": [None, None, 0.5]}, sd_ratios=[1.0, 2.0, 0.5])
SETS: dict[str, Constraints] = {name: case.constraints for name, case in CASES.items()}
SETS |= {"four, two weights": FOUR, "three, weight 3 and ratios": TIED}
EVERY_SET = pytest.mark.parametrize("name", list(SETS))


def some_free(constraints: Constraints, count: int = 6) -> Array:
    """Free coordinates (S, p) within their bounds."""
    found = np.random.default_rng(4).normal(0.0, 1.0, (count, constraints.n_free))
    return constraints.clipped(found)


def exact_working(constraints: Constraints, free: list[Any]) -> list[Any]:
    """The working coordinates in many digits, from what the free ones are said to be."""
    k, left = constraints.n_components, list(free)
    free_of = (constraints.free_weights, constraints.free_means, constraints.free_sds)
    indices = [index.tolist() for index in free_of]
    own, ratios = indices[0], constraints.sd_ratios
    weights = [mpf(float(constraints.weights[i, 0])) for i in range(k)]
    powers = [mp.exp(left.pop(0)) for _ in own[:-1]] + [mpf(1)] * min(len(own), 1)
    share = 1 - mp.fsum(weights[i] for i in range(k) if i not in own)
    for i, power in zip(own, powers, strict=True):
        weights[i] = share * power / mp.fsum(powers)
    means = [left.pop(0) if i in indices[1] else mpf(float(constraints.means[i, 0]))
             for i in range(k)]  # fmt: skip
    if ratios is not None and indices[2]:
        common = left.pop(0)
        logs = [common + 2 * mp.log(mpf(float(ratio))) for ratio in ratios]
    else:
        logs = [left.pop(0) if i in indices[2] else 2 * mp.log(mpf(float(constraints.sds[i, 0])))
                for i in range(k)]  # fmt: skip
    assert not left
    return [mp.log(w / weights[-1]) for w in weights[:-1]] + means + logs


def wave(working: list[Any]) -> Any:
    """A smooth function without any symmetry."""
    first = mp.fsum((1 + 0.3 * i) * mp.sin(0.7 * v + i) for i, v in enumerate(working))
    return first + working[0] * working[-1] + 0.5 * working[0] * working[1] ** 2


def slopes_of(function: Callable[[list[Any]], Any], at: Array, second: bool = False) -> Array:
    """Its gradient, or its second derivatives, by differences in 40 digits."""
    with mp.workdps(40):
        point, h = [mpf(float(v)) for v in at], mpf(10) ** -12

        def value(*moves: tuple[int, int]) -> Any:
            """The function some steps away."""
            moved = list(point)
            for i, sign in moves:
                moved[i] += sign * h
            return function(moved)

        size = range(len(point))
        if not second:
            return np.array([float((value((i, 1)) - value((i, -1))) / (2 * h)) for i in size])
        return np.array([
            [
                float(
                    (value((i, 1), (j, 1)) + value((i, -1), (j, -1))
                     - value((i, 1), (j, -1)) - value((i, -1), (j, 1))) / (4 * h * h)
                )
                for j in size
            ]
            for i in size
        ])  # fmt: skip


@EVERY_SET
def test_free_coordinates_are_what_they_are_said_to_be(name: str) -> None:
    constraints = SETS[name]
    free = some_free(constraints)
    found = constraints.working(free)
    for row, known in zip(found, free, strict=True):
        exact = [float(v) for v in exact_working(constraints, [mpf(float(v)) for v in known])]
        np.testing.assert_allclose(row, exact, rtol=1e-13, atol=1e-13)


@EVERY_SET
def test_members_have_their_free_coordinates_back(name: str) -> None:
    constraints = SETS[name]
    free = some_free(constraints)
    found = constraints.free(*split_working(constraints.working(free)))
    np.testing.assert_allclose(found, free, rtol=1e-12, atol=1e-12)


@EVERY_SET
def test_slopes_are_those_of_the_map(name: str) -> None:
    constraints = SETS[name]
    free = some_free(constraints, 3)
    found = constraints.jacobian(free)
    assert found.shape == (3, 3 * constraints.n_components - 1, constraints.n_free)
    for at, slopes in zip(free, found, strict=True):
        for i, row in enumerate(slopes):
            known = slopes_of(lambda v, i=i: exact_working(constraints, v)[i], at)  # type: ignore[misc]
            np.testing.assert_allclose(row, known, atol=1e-12)


@EVERY_SET
def test_score_and_hessian_are_pulled_back_by_the_chain_rule(name: str) -> None:
    constraints = SETS[name]
    free = some_free(constraints, 2)
    working = constraints.working(free)
    score = np.array([slopes_of(wave, at) for at in working])
    hessian = np.array([slopes_of(wave, at, second=True) for at in working])
    found = constraints.pulled(free, score, hessian)
    for i, at in enumerate(free):
        chained = [slopes_of(lambda v: wave(exact_working(constraints, v)), at, s) for s in
                   (False, True)]  # fmt: skip
        np.testing.assert_allclose(found[0][i], chained[0], rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(found[1][i], chained[1], rtol=1e-10, atol=1e-10)


def test_only_weights_of_which_some_are_fixed_bend_the_coordinates() -> None:
    bent = {name for name, constraints in SETS.items() if constraints.has_curved_weights}
    assert bent == {
        "three, weight 1", "three, weight 2", "three, weight 3", "three, all kinds",
        "four, two weights", "three, weight 3 and ratios",
    }  # fmt: skip


@EVERY_SET
def test_any_parameters_have_a_nearest_member(name: str) -> None:
    constraints = SETS[name]
    rng, k = np.random.default_rng(8), constraints.n_components
    shares = rng.dirichlet(np.ones(k), 20)
    means, sds = rng.normal(0.0, 5.0, (20, k)), rng.gamma(2.0, 1.0, (20, k))
    weights, means, sds = split_working(constraints.working(constraints.free(shares, means, sds)))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-14)
    for values, (low, high) in (
        (weights, constraints.weights.T),
        (means, constraints.means.T),
        (sds, constraints.sds.T),
    ):
        assert (values >= low - 1e-13).all()
        assert (values <= high + 1e-13).all()
    if constraints.sd_ratios is not None:
        np.testing.assert_allclose(sds / sds[:, :1], np.tile(constraints.sd_ratios, (20, 1)))


@EVERY_SET
def test_the_weights_of_an_m_step_are_the_best_there_are(name: str) -> None:
    constraints, k = SETS[name], SETS[name].n_components
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(k), 5)
    found = constraints.nearest_weights(shares)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)
    gained = (shares * np.log(found)).sum(axis=1)
    # No other member has a larger expected complete-data log-likelihood.
    for other in split_working(constraints.working(some_free(constraints, 40)))[0]:
        assert (gained >= (shares * np.log(other)).sum(axis=1) - 1e-12).all()


@EVERY
def test_an_em_step_never_lowers_the_likelihood(name: str) -> None:
    problem = constrained_problem(name)
    state = problem.evaluate(scattered(problem, 40))
    for _ in range(3):
        moved = problem.evaluate(em_step(problem, state, None))  # type: ignore[arg-type]
        assert (moved.loglike >= state.loglike - 1e-11 * np.abs(state.loglike)).all()
        state = moved


@EVERY
def test_an_em_step_stays_at_the_maximum(name: str) -> None:
    solution = constrained_fit(name).solution
    moved = em_step(solution.problem, solution.state, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(moved, solution.state.free, atol=1e-9)


def test_the_set_of_all_mixtures_has_working_coordinates() -> None:
    every = unconstrained(3)
    assert every.is_none
    assert not every.names_components
    assert every.can_collapse.all()
    rng = np.random.default_rng(6)
    known = rng.dirichlet(np.ones(3), 4), rng.normal(size=(4, 3)), rng.gamma(2.0, size=(4, 3))
    np.testing.assert_array_equal(every.free(*known), join_working(*known))
    np.testing.assert_array_equal(every.working(every.free(*known)), join_working(*known))


@pytest.mark.parametrize(
    ("options", "may"),
    [
        ({}, [True, True]),
        ({"equal_variances": True}, [False, False]),
        ({"sd_ratios": [1.0, 2.0]}, [False, False]),
        ({"bounds": {"sds": [(0.1, None), None]}}, [False, True]),
        ({"fixed": {"sds": [None, 1.0]}}, [True, False]),
        ({"fixed": {"means": [0.0, None]}}, [True, True]),
    ],
)
def test_components_collapse_where_nothing_holds_their_sd(
    options: dict[str, Any], may: list[bool]
) -> None:
    assert constraints_of(2, **options).can_collapse.tolist() == may


@pytest.mark.parametrize(
    ("options", "orders"),
    [
        ({}, 6),
        ({"equal_variances": True, "equal_weights": True}, 6),
        ({"fixed": {"means": [0.0, None, None]}}, 2),
        ({"fixed": {"means": [0.0, None, 0.0]}}, 2),
        ({"sd_ratios": [1.0, 2.0, 2.0]}, 2),
        ({"sd_ratios": [1.0, 2.0, 3.0]}, 1),
        ({"bounds": {"sds": [(0.1, None)] * 3}}, 6),
    ],
)
def test_components_are_named_by_what_is_known_of_them(
    options: dict[str, Any], orders: int
) -> None:
    constraints = constraints_of(3, **options)
    assert len(constraints.orders()) == orders
    assert constraints.names_components == (orders < 6)


def test_a_set_moves_with_the_coordinates() -> None:
    constraints = SETS["two bounds"]
    local = constraints.localised(10.0, 4.0)
    np.testing.assert_array_equal(local.means, (constraints.means - 10.0) / 4.0)
    np.testing.assert_array_equal(local.sds, constraints.sds / 4.0)
    np.testing.assert_array_equal(local.weights, constraints.weights)
    assert local.n_free == constraints.n_free
