"""Candidate mixtures from which the likelihood is climbed. The same data give the same starts."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.partitions import (
    Candidates,
    Moments,
    best_split,
    groups,
    intervals,
    join,
    splits,
)
from bactrian.solve.pearson import pearson
from bactrian.solve.problem import Problem

Array = NDArray[np.float64]

_SEED = 1894
_WARM_UP, _FEW_STEPS = 5, 12
_INTERVALS = 8
_CUTS, _FINE_CUTS = 13, 37
_SHORT, _SHORT_RUNS, _TAIL_RUNS = 3, 12, 4
_MAX_ORDERS = 3


def two_component_starts(problem: Problem, n_random: int) -> Candidates:
    """Return the starts for two components: splits, intervals, Pearson's moments, random pairs."""
    sample = problem.sample
    moments = Moments.of(sample)
    return join(
        [
            splits(moments, moments.quantile_cuts(np.arange(1, 10) / 10.0)),
            splits(moments, best_split(moments)),
            best_distinct(
                problem,
                Pool(intervals(moments, _cuts(moments, _CUTS)), _INTERVALS),
                Pool(_short_runs(moments), _SHORT_RUNS, likeness=6.0),
                Pool(_tail_runs(moments), _TAIL_RUNS),
            ),
            pearson(sample),
            random_starts(sample, 2, n_random),
        ]
    )  # fmt: skip


class Effort(NamedTuple):
    """How many smaller maxima to extend, runs and short runs to insert, random starts to draw."""

    n_smaller: int
    n_runs: int
    n_short: int
    n_random: int


THOROUGH = Effort(n_smaller=4, n_runs=16, n_short=24, n_random=80)
# The search with K components contains that with K - 1, and each costs more than the last.
QUICK = Effort(n_smaller=2, n_runs=8, n_short=12, n_random=40)


def more_component_starts(
    problem: Problem, smaller: list[tuple[Array, Array, Array]], effort: Effort
) -> Candidates:
    """Return the starts for three components or more.

    Parameters
    ----------
    problem : Problem
        With K components.
    smaller : list of (weights, means, sds)
        Maxima with K - 1 components, best first, each array (K - 1,), local coordinates. Each is
        given one component more: a run of the data in turn, or one of its own halved.
    effort : Effort
        How many of each kind.
    """
    sample, k = problem.sample, problem.n_components
    moments = Moments.of(sample)
    runs = intervals(moments, _cuts(moments, _CUTS))
    short, tails = _short_runs(moments), _tail_runs(moments)
    parts = [random_starts(sample, k, effort.n_random)]
    for shift in (0.0, -0.15, 0.15):
        edges = moments.quantile_cuts((np.arange(1, k) + shift) / k)
        if edges.size == k - 1 and edges[0] > 0 and edges[-1] < moments.counts.size - 1:
            parts.append(groups(moments, edges))
    pools: list[Pool] = []
    for mixture in smaller:
        parts.append(_halved(mixture))
        pools += [
            Pool(_inserted(mixture, runs), effort.n_runs),
            Pool(_inserted(mixture, short), effort.n_short, likeness=6.0),
            Pool(_inserted(mixture, tails), _TAIL_RUNS),
        ]
    if pools:
        parts.append(best_distinct(problem, *pools))
    return join(parts)


def _cuts(moments: Moments, count: int) -> NDArray[np.intp]:
    """Cuts at evenly spaced quantiles, both ends included."""
    return moments.quantile_cuts(np.linspace(0.0, 1.0, count))


def _short_runs(moments: Moments) -> Candidates:
    """Intervals of a few percent of the rows: a narrow component within a wide one."""
    return intervals(moments, _cuts(moments, _FINE_CUTS), longest=_SHORT)


def _tail_runs(moments: Moments) -> Candidates:
    """The 1, 2, 4, 8... outermost values of either tail: a component of a few far rows."""
    size = moments.counts.size - 1
    ends = 2 ** np.arange(int(np.log2(max(size / 8.0, 1.0))) + 1)
    return splits(moments, np.concatenate([ends, size - ends]))


def random_starts(sample: Sample, n_components: int, count: int) -> Candidates:
    """Return mixtures of random quantiles of the data, each with its mirror image.

    The mirror images make the fit of minus x the mirror image of the fit of x.
    """
    rng = np.random.default_rng([_SEED, n_components])
    half = (count + 1) // 2
    place = rng.random((half, n_components))
    weights = rng.dirichlet(np.full(n_components, 2.0), half)
    sds = np.exp(rng.uniform(-2.0, 0.0, (half, n_components))) * np.sqrt(sample.local_variance)
    cumulative = sample.weights.cumsum()
    middle = (cumulative - 0.5 * sample.weights) / cumulative[-1]
    places = np.concatenate([place, 1.0 - place])
    means = np.interp(places, middle, sample.local)
    return Candidates(np.tile(weights, (2, 1)), means, np.tile(sds, (2, 1)))


class Pool(NamedTuple):
    """Candidates of which to keep so many.

    A larger `likeness` takes fewer of those that are on their way to the same maximum, and so
    leaves room for less promising ones elsewhere.
    """

    candidates: Candidates
    keep: int
    likeness: float = 1.0


def best_distinct(problem: Problem, *pools: Pool) -> Candidates:
    """Return the most promising of each pool after a few EM steps, no two of them alike."""
    weights, means, sds = join([pool.candidates for pool in pools])
    for _ in range(_WARM_UP):
        expected = problem.expect_roughly(weights, means, sds)
        weights, means, sds = problem.maximised(expected, means, sds)
    expected = problem.expect(weights, means, sds)
    worth = criterion(problem, expected.loglike, sds)
    lost = (expected.counts.min(axis=1) < 1.0) | (sds.min(axis=1) < problem.floor)
    worth[~np.isfinite(worth) | lost] = -np.inf
    warm, kept, end = Candidates(weights, means, sds), [], 0
    for pool in pools:
        begin, end = end, end + len(pool.candidates.weights)
        kept += [begin + i for i in _chosen(warm.part(slice(begin, end)), worth[begin:end], pool)]
    return warm.part(np.array(kept, dtype=np.intp))


def _chosen(warm: Candidates, worth: Array, pool: Pool) -> list[int]:
    """The best ones of a pool that are unlike each other by a few percent times the likeness."""
    chosen: list[int] = []
    left = np.flatnonzero(worth > -np.inf)
    left = left[np.argsort(-worth[left], kind="stable")]
    place = np.concatenate(warm, axis=1)
    share = np.full_like(warm.weights, 0.03 * pool.likeness)
    width = 0.05 * pool.likeness * warm.sds
    near = np.concatenate([share, width, width], axis=1)
    while left.size and len(chosen) < pool.keep:
        best = left[0]
        chosen.append(int(best))
        left = left[(np.abs(place[left] - place[best]) >= near[best]).any(axis=1)]
    return chosen


def warmed_up(problem: Problem, candidates: Candidates) -> tuple[Candidates, Array, Array]:
    """Return the candidates after a few EM steps, their log-likelihoods (S,) before and after.

    One that EM would make collapse is left as it was.
    """
    weights, means, sds = candidates
    expected = problem.expect(weights, means, sds)
    before_any = expected.loglike
    for left in reversed(range(_FEW_STEPS)):
        with np.errstate(over="ignore"):  # a component that is held far off has no rows
            new = problem.maximised(expected, means, sds)
        sound = (new[2].min(axis=1) >= problem.floor) & (expected.counts.min(axis=1) >= 1.0)
        weights, means, sds = (
            np.where(sound[:, None], after, before)
            for after, before in zip(new, (weights, means, sds), strict=True)
        )
        expect = problem.expect_roughly if left else problem.expect
        expected = expect(weights, means, sds)
    return Candidates(weights, means, sds), before_any, expected.loglike


def criterion(problem: Problem, loglike: Array, sds: Array) -> Array:
    """Return what maxima are ranked by: loglike less the price of locating narrow components.

    Source: derivation, "Unboundedness".
    """
    may = problem.constraints.can_collapse
    if not may.any():
        return np.array(loglike)
    price = np.log1p(problem.sample.local_variance / sds[:, may] ** 2).sum(axis=1)
    return np.asarray(loglike - price)


def relabelled(candidates: Candidates) -> Candidates:
    """Return the candidates with their components in every order; from four on, in two.

    Where a constraint names a component, it matters which of them is which.
    """
    k = candidates.means.shape[1]
    if k <= _MAX_ORDERS:
        orders = list(permutations(range(k)))
    else:
        orders = [tuple(range(k)), tuple(reversed(range(k)))]
    ranked = candidates.means.argsort(axis=1)
    if k > _MAX_ORDERS:
        candidates = Candidates(*(np.take_along_axis(a, ranked, 1) for a in candidates))
    return join([Candidates(*(a[:, list(order)] for a in candidates)) for order in orders])


def _halved(mixture: tuple[Array, Array, Array]) -> Candidates:
    """The mixture with each of its components in turn replaced by two narrower halves."""
    weights, means, sds = mixture
    found = []
    for k in range(means.size):
        for offset, shrink in ((0.8, 0.6), (0.0, 1.0)):
            inner, outer = shrink * (1.0 if offset else 0.4), shrink * (1.0 if offset else 1.5)
            found.append(
                Candidates(
                    np.concatenate([np.delete(weights, k), [weights[k] / 2, weights[k] / 2]]),
                    np.concatenate(
                        [np.delete(means, k), means[k] + sds[k] * np.array([-offset, offset])]
                    ),
                    np.concatenate([np.delete(sds, k), sds[k] * np.array([inner, outer])]),
                )
            )
    return Candidates(*(np.stack(arrays) for arrays in zip(*found, strict=True)))


def _inserted(mixture: tuple[Array, Array, Array], runs: Candidates) -> Candidates:
    """The mixture with a component more, that of each run of the data in turn."""
    weights, means, sds = mixture
    count, row = len(runs.weights), np.arange(len(runs.weights))
    smaller = runs.weights.argmin(axis=1)
    share, mean, sd = (array[row, smaller][:, None] for array in runs)
    share = 0.5 * share
    return Candidates(
        np.concatenate([(1.0 - share) * weights, share], axis=1),
        np.concatenate([np.tile(means, (count, 1)), mean], axis=1),
        np.concatenate([np.tile(sds, (count, 1)), sd], axis=1),
    )
