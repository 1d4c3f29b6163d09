"""A catalogue of small problems: drawn from known mixtures with a fixed generator."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.model.constraints import unconstrained
from bactrian.model.mixture import NormalMixture
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of

Array = NDArray[np.float64]

MIXTURES = {
    "apart": NormalMixture([0.4, 0.6], [0.0, 6.0], [1.0, 1.0]),
    "overlapping": NormalMixture([0.4, 0.6], [0.0, 2.5], [1.0, 1.5]),
    "rare": NormalMixture([0.95, 0.05], [0.0, 5.0], [1.0, 0.5]),
    "narrow in wide": NormalMixture([0.3, 0.7], [1.0, 0.0], [0.1, 2.0]),
    "three": NormalMixture([0.3, 0.4, 0.3], [-4.0, 0.0, 5.0], [1.0, 0.7, 1.5]),
}
SIZE = 240
TWO = tuple(name for name in MIXTURES if name != "three")


def draw(name: str, size: int = SIZE) -> Array:
    """Rows drawn from one of the mixtures, always the same."""
    seed = [1, sorted(MIXTURES).index(name), size]
    return np.asarray(MIXTURES[name].sample(size, np.random.default_rng(seed)))


def problem(name: str, *, equal_variances: bool = False, size: int = SIZE) -> Problem:
    """The likelihood of such rows with the number of components they come from."""
    count = MIXTURES[name].n_components
    return problem_of(
        Sample.of(draw(name, size)), unconstrained(count, equal_variances=equal_variances)
    )


def scattered(problem: Problem, count: int, seed: int = 5) -> Array:
    """Free coordinates (S, p) all over the place, but within the data."""
    rng = np.random.default_rng(seed)
    k = problem.n_components
    low, high = problem.sample.local[[0, -1]]
    weights = rng.dirichlet(np.full(k, 2.0), count)
    means = rng.uniform(low, high, (count, k))
    sds = np.exp(rng.uniform(-2.0, 0.5, (count, k)))
    return problem.free(weights, means, sds)


def true_start(name: str, of: Problem) -> Array:
    """The mixture that the rows were drawn from, in free coordinates (1, p)."""
    truth = MIXTURES[name].affine(-of.sample.origin / of.sample.scale, 1.0 / of.sample.scale)
    return of.free(truth.weights[None], truth.means[None], truth.sds[None])


@cache
def drawn_fit(name: str, equal_variances: bool = False) -> bt.Fit:
    """The fit of such rows, made once."""
    return bt.fit(draw(name), MIXTURES[name].n_components, equal_variances=equal_variances)
