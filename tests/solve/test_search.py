"""All starts are climbed, and the maxima are told apart, ranked and counted."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.model.constraints import Constraints, unconstrained
from bactrian.solve import search as room
from bactrian.solve.problem import Problem
from bactrian.solve.search import order_of, search
from tests.problems import MIXTURES, TWO, draw, problem, true_start


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("name", TWO)
def test_roots_are_maxima_in_order_of_rank(name: str, equal: bool) -> None:
    found = search(Sample.of(draw(name)), unconstrained(2, equal_variances=equal))
    ranks = [root.criterion for root in found.roots]
    assert ranks == sorted(ranks, reverse=True)
    assert 1 <= sum(root.hits for root in found.roots) <= found.n_starts
    for root in found.roots:
        state = found.problem.evaluate(found.problem.free(*(a[None] for a in root.parameters)))
        assert state.is_concave[0]
        assert state.decrement[0] < 1e-12
        assert state.loglike[0] == pytest.approx(root.loglike, abs=1e-9)
        assert (np.diff(root.means) >= 0.0).all()


@pytest.mark.parametrize("name", TWO)
def test_roots_are_distinct(name: str) -> None:
    found = search(Sample.of(draw(name)), unconstrained(2))
    for i, one in enumerate(found.roots):
        for other in found.roots[:i]:
            apart = np.abs(np.stack(one.parameters) - np.stack(other.parameters)).max()
            assert apart > 1e-6


@pytest.mark.parametrize("name", TWO)
def test_the_maximum_near_the_truth_is_among_the_roots(name: str) -> None:
    found = search(Sample.of(draw(name)), unconstrained(2))
    of = problem(name)
    truth = of.evaluate(true_start(name, of)).loglike[0]
    assert max(root.loglike for root in found.admissible) >= truth


@pytest.mark.parametrize("name", ["overlapping", "rare"])
def test_a_thinned_search_finds_the_same_maximum(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = Sample.of(draw(name, 800))
    count = MIXTURES[name].n_components
    whole = search(sample, unconstrained(count))
    monkeypatch.setattr(room, "LARGE", 700)
    thinned = search(sample, unconstrained(count))
    assert len(thinned.problem.sample) == len(sample)
    best, same = whole.admissible[0], thinned.admissible[0]
    assert same.loglike == pytest.approx(best.loglike, abs=1e-9)
    np.testing.assert_allclose(np.stack(same.parameters), np.stack(best.parameters), atol=1e-8)


def test_one_component_has_one_start_and_one_root() -> None:
    sample = Sample.of(draw("overlapping"))
    found = search(sample, unconstrained(1))
    (root,) = found.roots
    assert found.n_starts == root.hits == 1
    assert root.sds[0] == pytest.approx(np.sqrt(sample.local_variance), rel=1e-14)


def test_a_component_of_one_row_is_admissible_only_where_the_likelihood_is_bounded() -> None:
    x = np.concatenate([draw("apart"), [60.0]])
    free = search(Sample.of(x), unconstrained(2))
    assert all(root.counts.min() >= 1.5 for root in free.admissible)
    bounded = search(Sample.of(x), unconstrained(2, equal_variances=True))
    assert bounded.admissible == list(bounded.roots)


WIDE = {"weights": [[0.0, 1.0]] * 2, "means": [[-np.inf, np.inf]] * 2, "sds": [[0.0, np.inf]] * 2}


@pytest.mark.parametrize(
    ("known", "order"),
    [
        ({"weights": [[0.3, 0.7], [0.0, 1.0]]}, [1, 0]),  # its mirror image is allowed as well
        ({"means": [[-9.0, 9.0], [-8.0, 8.0]]}, [1, 0]),
        ({"means": [[1.0, 9.0], [-8.0, 8.0]]}, [0, 1]),
        ({"weights": [[0.5, 0.7], [0.0, 1.0]]}, [0, 1]),
        ({"sds": [[2.0, 2.0], [0.0, np.inf]]}, [0, 1]),
    ],
)
def test_named_components_ascend_wherever_the_constraints_allow_it(
    known: dict[str, list[list[float]]], order: list[int]
) -> None:
    boxes = {name: np.array(box) for name, box in (WIDE | known).items()}
    sample = Sample.of(draw("overlapping"))
    of = Problem(sample, Constraints(**boxes), 1e-6)
    at = (np.array([pair]) for pair in ([0.6, 0.4], [1.5, -0.5], [2.0, 1.0]))
    assert order_of(of, of.evaluate(of.free(*at))).tolist() == order
