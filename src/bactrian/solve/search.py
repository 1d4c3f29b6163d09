"""All the maxima that can be found, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.model.constraints import Constraints, unconstrained
from bactrian.solve.climb import climb
from bactrian.solve.merge import gathered
from bactrian.solve.mesh import graded
from bactrian.solve.outcome import Outcome
from bactrian.solve.partitions import Candidates
from bactrian.solve.problem import Problem
from bactrian.solve.resolution import least_sd
from bactrian.solve.starts import (
    QUICK,
    THOROUGH,
    criterion,
    more_component_starts,
    relabelled,
    two_component_starts,
    warmed_up,
)
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step
from bactrian.solve.thinning import LARGE, thinned

Array = NDArray[np.float64]

# To be raised when the search finds anything else: the law of the likelihood ratio that ships with
# the package is that of this one.
SEARCH_VERSION = 1
LEAST_ROWS = 1.5
_N_RANDOM = {2: 30}
_MAX_STEPS = 150
_FULL_KEPT = 6
_GRADED_FROM = 10_000
_WORTH_POLISHING = 30.0
_MOST_ORDERED = 6  # components whose orders are all tried


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """A local maximum of the likelihood, in local coordinates, components in order of mean.

    `start` are the free coordinates of the most likely start that led there. A maximum is
    admissible if every component that may collapse has more than one and a half rows; with one
    common variance none may, and every maximum is.
    """

    weights: Array
    means: Array
    sds: Array
    counts: Array
    loglike: float
    criterion: float
    hits: int
    is_admissible: bool
    start: Array

    @property
    def parameters(self) -> tuple[Array, Array, Array]:
        """Weights, means and sds, each (K,)."""
        return self.weights, self.means, self.sds


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The maxima found, the best first, and how all the ascents ended.

    `problem` is that of the sample searched, which for large data is a thinned one; `collapses`
    are the local means of the components that shrank onto a value.
    """

    roots: tuple[Root, ...]
    n_starts: int
    outcomes: dict[Outcome, int]
    problem: Problem
    last: State
    collapses: Array

    @property
    def admissible(self) -> list[Root]:
        """The maxima that may be chosen, best first."""
        return [root for root in self.roots if root.is_admissible]


def problem_of(sample: Sample, constraints: Constraints) -> Problem:
    """Return the likelihood of a sample over a set of mixtures, which is in the data's unit."""
    local = constraints.localised(sample.origin, sample.scale)
    return Problem(sample, local, least_sd(sample))


def search(sample: Sample, constraints: Constraints) -> Search:
    """Return the maxima of the likelihood reached from all starts, every one of them polished.

    Large samples are searched thinned, and the maxima worth it are climbed again on all the rows;
    on a graded mesh of them, where that takes less time than it takes to make.
    """
    if len(sample) <= LARGE:
        return _search(problem_of(sample, constraints))
    coarse = _search(problem_of(thinned(sample), constraints))
    candidates = coarse.admissible or list(coarse.roots)
    if not candidates:
        return coarse
    best = candidates[0].criterion
    kept = [r for r in candidates if r.criterion > best - _WORTH_POLISHING][:_FULL_KEPT]
    mesh = sample
    if len(sample) > _GRADED_FROM:
        mesh = graded(sample, [root.parameters for root in kept])
    problem = problem_of(mesh, constraints)
    near = (np.stack(arrays) for arrays in zip(*(root.parameters for root in kept), strict=True))
    state, outcomes = _climb_all(problem, problem.free(*near))
    hits = np.array([root.hits for root in kept])
    starts = np.stack([root.start for root in kept])
    roots = roots_of(problem, state, outcomes, Origins(starts, state.loglike, hits))
    return Search(roots, coarse.n_starts, coarse.outcomes, problem, state, coarse.collapses)


def _search(problem: Problem) -> Search:
    """The maxima of one problem from all its starts; starts that EM brings together climb once."""
    weights, means, sds = _candidates(problem)
    start = problem.free(weights, means, np.maximum(sds, 1.01 * problem.floor))
    warm, begun, loglike = warmed_up(problem, Candidates(*problem.parameters(start)))
    leader = gathered(loglike, *warm)
    leaders, member = np.unique(leader, return_inverse=True)
    state, ends = _climb_all(problem, problem.free(*(array[leaders] for array in warm)))
    state, outcomes = state[member], tuple(ends[i] for i in member)
    roots = roots_of(problem, state, outcomes, Origins(start, begun, np.ones(len(start))))
    counted = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    fallen = [i for i, o in enumerate(outcomes) if o is Outcome.COMPONENT_COLLAPSED]
    narrowest = state.sds[fallen].argmin(axis=1)
    collapses = state.means[fallen, narrowest]
    return Search(roots, len(start), counted, problem, state, collapses)


def _climb_all(problem: Problem, start: Array) -> tuple[State, tuple[Outcome, ...]]:
    """Newton ascents from all starts as one batch."""
    climbs = climb(problem, start, newton_step, max_steps=_MAX_STEPS, merge=True)
    return climbs.state, climbs.outcomes


def _candidates(problem: Problem) -> Candidates:
    """The starts; those of a free fit in every order where a constraint names components."""
    if not problem.constraints.names_components:
        return _starts(problem)
    plain = Problem(problem.sample, unconstrained(problem.n_components), problem.floor)
    return relabelled(_starts(plain))


def _starts(problem: Problem) -> Candidates:
    """The starts for any number of components."""
    sample, k = problem.sample, problem.n_components
    if k == 1:
        mean = sample.weights @ sample.local / sample.total
        one = np.ones((1, 1))
        return Candidates(one, mean * one, np.sqrt(sample.local_variance) * one)
    if k == 2:
        return two_component_starts(problem, _N_RANDOM[2])
    equal = problem.constraints.sd_ratios is not None
    smaller = _search(Problem(sample, unconstrained(k - 1, equal_variances=equal), problem.floor))
    effort = THOROUGH if k == 3 else QUICK
    kept = (smaller.admissible or list(smaller.roots))[: effort.n_smaller]
    return more_component_starts(problem, [root.parameters for root in kept], effort)


class Origins(NamedTuple):
    """Where ascents came from: starts (S, p), log-likelihoods there (S,), how many each is."""

    starts: Array
    loglike: Array
    hits: Array


def roots_of(
    problem: Problem, state: State, outcomes: tuple[Outcome, ...], origins: Origins
) -> tuple[Root, ...]:
    """Return the distinct maxima among the ends of the ascents, by falling criterion."""
    converged = np.array([outcome is Outcome.CONVERGED for outcome in outcomes])
    index = np.flatnonzero(converged)
    worth = criterion(problem, state.loglike, state.sds)
    signature = _signature(problem, state)
    left = index[np.argsort(-state.loglike[index], kind="stable")]
    groups: list[list[int]] = []
    while left.size:
        alike = (np.abs(signature[left] - signature[left[0]]) < 1e-5).all(axis=1)
        alike[0] = True
        groups.append(left[alike].tolist())
        left = left[~alike]
    roots, may_collapse = [], problem.constraints.can_collapse
    for group in groups:
        first = min(group, key=lambda i: float(state.decrement[i]))
        order = order_of(problem, state, first)
        nearest = max(group, key=lambda i: float(origins.loglike[i]))
        roots.append(
            Root(
                state.weights[first, order],
                state.means[first, order],
                state.sds[first, order],
                state.counts[first, order],
                float(state.loglike[first]),
                float(worth[first]),
                int(origins.hits[group].sum()),
                bool((state.counts[first] >= LEAST_ROWS)[may_collapse].all()),
                origins.starts[nearest],
            )
        )
    return tuple(sorted(roots, key=lambda root: -root.criterion))


def order_of(problem: Problem, state: State, which: int = 0) -> NDArray[np.intp]:
    """Return the order (K,) of components by mean, then sd, then weight.

    Where constraints name components, it is the first such order in which they are met.
    """
    weights, means, sds = state.weights[which], state.means[which], state.sds[which]
    ranked, held = np.lexsort((weights, sds, means)), problem.constraints
    if not held.names_components or held.allows(weights[ranked], means[ranked], sds[ranked]):
        return ranked
    if held.n_components <= _MOST_ORDERED:
        for places in permutations(range(held.n_components)):
            order = ranked[list(places)]
            if held.allows(weights[order], means[order], sds[order]):
                return order
    order = np.empty_like(ranked)
    for each in range(held.classes.max() + 1):
        order[held.classes == each] = ranked[held.classes[ranked] == each]
    return order


def _signature(problem: Problem, state: State) -> Array:
    """Numbers that tell maxima apart whatever the order of their components."""
    spread = np.sqrt(problem.sample.local_variance)
    return np.concatenate(
        [
            np.sort(state.weights, axis=1),
            np.sort(state.means, axis=1) / spread,
            np.sort(np.log(state.sds), axis=1),
        ],
        axis=1,
    )
