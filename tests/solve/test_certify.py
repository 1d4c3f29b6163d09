"""Laws of the pass over all rows at the maximum of their sketch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.passes import FirstOrder
from bactrian.solve.certify import certified
from bactrian.solve.solver import Solution

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows of equal weight that are read again and again, whose sums are off by an error."""

    x: Array
    weight: float
    error: float = 0.0
    passes: list[int] = field(default_factory=list)
    is_rereadable: bool = True

    def first_order(
        self, origin: float, scale: float, weights: Array, means: Array, sds: Array
    ) -> FirstOrder:
        """The sums, by the definition."""
        self.passes.append(1)
        local = (self.x - origin) / scale
        mixture = bt.NormalMixture(weights, means, sds)
        r = mixture.responsibilities(local).T
        u = (local - means[:, None]) / sds[:, None]
        sums = self.weight * np.stack([r, r * u, r * 0.5 * (u * u - 1.0)]).sum(axis=2)
        sums += self.error * np.random.default_rng(len(self.passes)).standard_normal(sums.shape)
        loglike = self.weight * float(mixture.logpdf(local).sum())
        return FirstOrder(loglike, sums, self.weight * self.x.size)


def solved(weight: float) -> tuple[Array, Solution]:
    """Overlapping rows of equal weight and the maximum of their likelihood."""
    x = bt.NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]).sample(2000, 7)
    return x, bt.fit(x, sample_weight=np.full(x.size, weight)).solution


@pytest.mark.parametrize("weight", [1.0, 5e5])
def test_the_rows_are_read_once_where_only_rounding_is_left(weight: float) -> None:
    x, solution = solved(weight)
    n = weight * x.size
    rows: Any = Rows(x, weight, error=2.0**-53 * n**1.5 / 64.0)
    found = certified(solution, rows)
    assert len(rows.passes) == 1
    assert found.certificate.rests_on == "rows"
    assert found.certificate.decrement < 1e-12


def test_what_a_sketch_left_is_removed_by_a_step() -> None:
    x, solution = solved(5e5)
    off = solution.problem.evaluate(solution.state.free + 1e-8)
    rows: Any = Rows(x, 5e5)
    found = certified(replace(solution, state=off), rows)
    assert len(rows.passes) == 2
    assert found.certificate.decrement < 1e-16
    np.testing.assert_allclose(found.mixture.means, solution.mixture.means, rtol=1e-12)


def test_that_step_is_the_last_of_the_path_whose_components_keep_their_order() -> None:
    x, _ = solved(1.0)
    backwards = bt.NormalMixture([0.5, 0.5], [3.0, 0.0], [1.0, 1.0])
    solution = bt.fit(x, start=backwards, method="em").solution
    off = solution.problem.evaluate(solution.state.free + 1e-6)
    rows: Any = Rows(x, 1.0)
    found = certified(replace(solution, state=off), rows)
    steps = len(rows.passes) - 1
    assert steps >= 1
    assert found.n_steps == solution.n_steps + steps == len(found.trace) - 1
    assert [step.kind for step in found.trace[-steps:]] == ["newton"] * steps
    last = found.trace[-1]
    assert last.loglike == found.loglike
    np.testing.assert_array_equal(last.mixture.means, found.mixture.means[::-1])
    np.testing.assert_array_equal(last.mixture.weights, found.mixture.weights[::-1])


def test_other_rows_are_refused() -> None:
    x, solution = solved(1.0)
    rows: Any = Rows(x[1:], 1.0)
    with pytest.raises(bt.DataError, match="1999 the second"):
        certified(solution, rows)
