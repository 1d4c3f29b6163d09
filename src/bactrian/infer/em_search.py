"""The highest penalised likelihood for every choice of shares: the search of the EM-test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.infer.em_starts import starts
from bactrian.infer.splits import Parameters, SplitProblem
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.merge import gathered
from bactrian.solve.steps import newton_step
from bactrian.solve.thinning import thinned

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_FEW_VALUES = 1024
_WARM_UP, _MAX_STEPS = 15, 200
_CLIMBED, _FEW_CLIMBED = 8, 2  # starts of each choice, of one or two pairs and of more
_ROUNDS, _EXCHANGED = 5, 3
_HIGHER = 1e-9
_ALIKE = 1e-2


def maxima(problem: SplitProblem, null: NormalMixture, choices: Array) -> Parameters:
    """Return the highest point found (C, 2m) for each choice of shares (C, m).

    Ascents begin at many places for every choice, and then where those of the choices ended that
    differ in one share, until none of them is raised so.
    """
    few = problem
    if len(problem.sample) > _FEW_VALUES:
        few = problem.over(thinned(problem.sample))  # tells where to climb, not the answer
    begun, choice = starts(few.sample, null, few.edges, choices)
    most = _CLIMBED if few.n_pairs <= 2 else _FEW_CLIMBED
    best, height = _highest(few, *_promising(few, begun, choice, most), len(choices))
    for _ in range(_ROUNDS if few.n_pairs > 1 else 0):
        begun, choice = _exchanged(best, choices)
        begun, choice = _promising(few, begun, choice, _EXCHANGED)
        is_new = ~_alike(begun, _part(best, choice))
        if not is_new.any():
            break
        tried, reached = _highest(few, _part(begun, is_new), choice[is_new], len(choices))
        higher = reached > height + _HIGHER
        best, height = _chosen(higher, tried, best), np.maximum(height, reached)
        if not higher.any():
            break
    if few is not problem:
        best, _ = _highest(problem, best, np.arange(len(choices)), len(choices))
    return best


def _part(at: Parameters, index: Index | NDArray[np.bool_]) -> Parameters:
    """Some of the mixtures."""
    weights, means, sds = at
    return weights[index], means[index], sds[index]


def _chosen(which: NDArray[np.bool_], one: Parameters, other: Parameters) -> Parameters:
    """Mixtures of one list where they are chosen, else of the other."""
    weights, means, sds = (np.where(which[:, None], a, b) for a, b in zip(one, other, strict=True))
    return weights, means, sds


def _promising(
    problem: SplitProblem, at: Parameters, choice: Index, most: int
) -> tuple[Parameters, Index]:
    """For each choice the best after some EM steps, no two of them alike."""
    for _ in range(_WARM_UP):
        at = problem.maximised(problem.expect_roughly(*at), at)
    worth, kept = problem.worth(at), []
    for each in np.unique(choice):
        own = np.flatnonzero(choice == each)
        own = own[np.unique(gathered(worth[own], *_part(at, own)))]
        kept.append(own[np.argsort(-worth[own], kind="stable")][:most])
    index = np.concatenate(kept)
    return _part(at, index), choice[index]


def _highest(
    problem: SplitProblem, begun: Parameters, choice: Index, n_choices: int
) -> tuple[Parameters, Array]:
    """For each choice the highest end of its ascents, and how high it is; none is the lowest."""
    start = problem.free(*begun)
    state = climb(problem, start, newton_step, max_steps=_MAX_STEPS, merge=True).state
    reached = np.where(np.isfinite(state.loglike), state.loglike, -np.inf)
    height, best = np.full(n_choices, -np.inf), np.zeros(n_choices, dtype=np.intp)
    for i in np.argsort(reached, kind="stable"):
        height[choice[i]], best[choice[i]] = reached[i], i
    return _part((state.weights, state.means, state.sds), best), height


def _exchanged(best: Parameters, choices: Array) -> tuple[Parameters, Index]:
    """For each choice the mixtures of those that differ from it in one share, given its shares.

    Either half of that pair may be the first: of equal ones it is not known which.
    """
    weights, means, sds = best
    m = choices.shape[1]
    differ = choices[:, None] != choices
    choice, source = np.nonzero(differ.sum(axis=2) == 1)
    shares, whole = choices[choice], weights.reshape(-1, m, 2).sum(axis=2)[source]
    both = (whole[:, :, None] * np.stack([shares, 1.0 - shares], axis=2)).reshape(-1, 2 * m)
    other = np.arange(2 * m) ^ differ[choice, source].repeat(2, axis=1)  # 0 for 1, 1 for 0
    means, sds = (
        np.concatenate([a[source], np.take_along_axis(a[source], other, axis=1)])
        for a in (means, sds)
    )
    return (np.concatenate([both, both]), means, sds), np.concatenate([choice, choice])


def _alike(one: Parameters, other: Parameters) -> NDArray[np.bool_]:
    """Whether mixtures with the same shares agree to about ten percent."""
    weights, means, sds = other
    apart = ((one[1] - means) / sds) ** 2 + 2.0 * np.log(one[2] / sds) ** 2
    return np.asarray((weights * apart).sum(axis=1) < _ALIKE)
