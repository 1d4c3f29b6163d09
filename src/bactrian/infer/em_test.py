"""The EM-test of the number of components: instant, with a known limiting law."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.infer.em_law import (
    MOST_COMPONENTS,
    N_STEPS,
    SHARES,
    law_in_words,
    p_value,
    penalty_level,
)
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.splits import Parameters, SplitProblem
from bactrian.likelihood.derivatives import Expectations
from bactrian.model.constraints import unconstrained
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.outcome import Outcome
from bactrian.solve.partitions import Moments, splits
from bactrian.solve.solver import solve
from bactrian.solve.steps import newton_step
from bactrian.solve.thinning import thinned

Array = NDArray[np.float64]

# Ways to split a component: distance of the halves in its sds, log of the ratio of an sd to it.
_SPLITS = ((1.0, 0.0), (-1.0, 0.0), (0.3, 0.0), (-0.3, 0.0),
           (2.0, 0.0), (-2.0, 0.0), (0.0, 0.25), (0.0, -0.25))  # fmt: skip
_ALONE = (0, 1, 6)  # of these, in one component while the others are hardly split
_HARDLY = 2
_LEAST_VARIANCE = 0.3  # of the component's, for each half
_WARM_UP, _KEPT, _CLIMBED, _MAX_STEPS = 25, 3, 24, 200
_FEW_VALUES = 1024
_COARSE, _MOST_TIED = 0.55, 0.5


def em_test(
    sample: Sample,
    null_components: int,
    *,
    equal_variances: bool = False,
    general: Parameters | None = None,
) -> HomogeneityTest:
    """Return the EM-test of so many components against more.

    Every component of the null hypothesis is split in two with a few fixed shares; the penalised
    likelihood is maximised with these held, and a few EM steps then let the shares move.

    Parameters
    ----------
    sample : Sample
        The weighted values; weights count rows.
    null_components : int
        Components under the null hypothesis.
    equal_variances : bool
        Whether all components share one variance; for one component only.
    general : (weights, means, sds), each (K,), optional
        A fit with one component more in local coordinates, as one more start.

    Raises
    ------
    ParameterError
        If no law is known, or the null hypothesis has no maximum of the likelihood.

    Notes
    -----
    Source: derivation, "EM-test"; Chen and Li (2009), Chen, Li and Fu (2012).
    """
    if null_components > MOST_COMPONENTS:
        raise ParameterError(
            f"The EM-test is for up to {MOST_COMPONENTS} components against more, not for "
            f'{null_components}; method="bootstrap" takes any number.'
        )
    p_value(0.0, null_components, equal_variances)  # whether its law is known
    null, loglike = _null(sample, null_components)
    if is_coarse(sample, float(null.sds.min())):
        raise ParameterError(
            "The values are rounded so coarsely, in steps of more than half an sd, that the "
            "halves of the EM-test would shrink onto single values: its law does not hold; "
            'method="bootstrap" draws samples that are rounded alike.'
        )
    level = penalty_level(null, sample.total, equal_variances)
    edges = np.concatenate(
        [sample.local[:1], 0.5 * (null.means[1:] + null.means[:-1]), sample.local[-1:]]
    )
    problem = SplitProblem(sample, null.variances, level, edges, equal_variances)
    statistic = 2.0 * (_highest(problem, null, general) - loglike)
    return HomogeneityTest(
        null_components,
        "em",
        equal_variances,
        statistic,
        p_value(statistic, null_components, equal_variances),
        law_in_words(null_components, equal_variances),
    )


def is_coarse(sample: Sample, sd: float) -> bool:
    """Return whether values are so coarsely rounded for an sd, local, that the law is another.

    In simulations of rounded normals it holds for steps of half an sd, and no longer for 0.6.
    """
    if len(sample) < 2 or len(sample) > _MOST_TIED * sample.total:
        return False
    gaps, mass = np.diff(sample.local), 0.5 * (sample.weights[1:] + sample.weights[:-1])
    order = gaps.argsort()
    median = gaps[order][np.searchsorted(mass[order].cumsum(), 0.5 * mass.sum())]
    return bool(median > _COARSE * sd)


def _null(sample: Sample, n_components: int) -> tuple[NormalMixture, float]:
    """The maximum under the null hypothesis in local coordinates, and its log-likelihood."""
    found = solve(sample, unconstrained(n_components))
    if found.outcome is not Outcome.CONVERGED:
        raise ParameterError(
            f"There is no admissible maximum with {n_components} components, so there is no "
            "hypothesis to test; test fewer components."
        )
    state = found.state
    null = NormalMixture(state.weights[0], state.means[0], state.sds[0])
    return null, float(state.loglike[0])


def _highest(problem: SplitProblem, null: NormalMixture, general: Parameters | None) -> float:
    """The largest modified log-likelihood over all the shares, after the steps that move them."""
    few = problem.sample
    if len(few) > _FEW_VALUES:
        few = thinned(few)  # tells the best start, not the answer
    coarse = SplitProblem(few, problem.variances, problem.level, problem.edges, problem.equal)
    best = [
        _best_starts(coarse, _starts(coarse, null, np.array(shares), general))
        for shares in product(SHARES, repeat=problem.n_pairs)
    ]
    starts = [np.concatenate(arrays) for arrays in zip(*best, strict=True)]
    if len(starts[0]) > _CLIMBED:
        order = np.argsort(-_reached(coarse, (starts[0], starts[1], starts[2])), kind="stable")
        starts = [array[order[:_CLIMBED]] for array in starts]
    free = problem.free(*starts)
    ended = climb(problem, free, newton_step, max_steps=_MAX_STEPS, merge=True).state
    at: Parameters = (ended.weights, ended.means, ended.sds)
    for _ in range(N_STEPS):
        at = problem.maximised(problem.expect(*at), at, shares_move=True)
    return float(_reached(problem, at).max())


def _reached(problem: SplitProblem, at: Parameters) -> Array:
    """The modified log-likelihood (S,): with the penalties of variances and of shares."""
    pairs = at[0].reshape(len(at[0]), -1, 2)
    shares = pairs[:, :, 0] / pairs.sum(axis=2)
    balance = np.log1p(-np.abs(1.0 - 2.0 * shares)).sum(axis=1)
    return np.asarray(_worth(problem, problem.expect(*at), at) + balance)


def _best_starts(problem: SplitProblem, starts: Parameters) -> Parameters:
    """The few most promising starts after some EM steps."""
    at = starts
    for _ in range(_WARM_UP):
        at = problem.maximised(problem.expect_roughly(*at), at)
    expected = problem.expect(*at)
    worth = _worth(problem, expected, at)
    order = np.argsort(-worth, kind="stable")[:_KEPT]
    weights, means, sds = (array[order] for array in at)
    return weights, means, sds


def _worth(problem: SplitProblem, expected: Expectations, at: Parameters) -> Array:
    """The penalised log-likelihood (S,); the lowest value where it is none."""
    found = expected.loglike + problem.penalty(at[2])
    return np.where(np.isfinite(found), found, -np.inf)


def _starts(
    problem: SplitProblem, null: NormalMixture, shares: Array, general: Parameters | None
) -> Parameters:
    """Mixtures (S, 2m) with given shares (m,) from which the likelihood is climbed."""
    m = null.n_components
    ways = [(way,) * m for way in range(len(_SPLITS))]
    if m > 1:
        ways += [
            tuple(way if k == alone else _HARDLY for k in range(m))
            for alone in range(m)
            for way in _ALONE
        ]
    parts = [_split(null, shares, np.array([[_SPLITS[way] for way in some] for some in ways]))]
    if m == 1:
        parts.append(_cut(problem.sample, float(shares[0])))
    if general is not None:
        parts += _from_general(problem, shares, general)
    weights, means, sds = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if problem.equal:
        variance = (weights * sds**2).sum(axis=1, keepdims=True)
        sds = np.broadcast_to(np.sqrt(variance), sds.shape)
    return weights, means, sds


def _split(null: NormalMixture, shares: Array, ways: Array) -> Parameters:
    """The null hypothesis with its components split in ways (S, m, 2) that keep their means."""
    apart, wider = ways[:, :, 0], ways[:, :, 1]
    left = np.maximum(1.0 - shares * (1.0 - shares) * apart**2, _LEAST_VARIANCE)
    sd = null.sds * np.sqrt(left)
    first = null.means + (1.0 - shares) * apart * null.sds
    second = null.means - shares * apart * null.sds
    wide, narrow = sd * np.exp(wider), sd * np.exp(-wider * shares / (1.0 - shares))
    weights = np.stack([null.weights * shares, null.weights * (1.0 - shares)], axis=1).ravel()
    return (
        np.tile(weights, (len(ways), 1)),
        np.stack([first, second], axis=2).reshape(len(ways), -1),
        np.stack([wide, narrow], axis=2).reshape(len(ways), -1),
    )


def _cut(sample: Sample, share: float) -> Parameters:
    """The rows cut in two at a share from below or above, and beside the outermost value."""
    moments = Moments.of(sample)
    # A single row far out can be a component of its own, and no other start is near it.
    outermost = np.array([1, len(sample) - 1])
    cuts = np.union1d(moments.quantile_cuts(np.array([share, 1.0 - share])), outermost)
    found = splits(moments, cuts)
    weights = np.broadcast_to([share, 1.0 - share], found.means.shape)
    mirrored = found.means[:, ::-1], found.sds[:, ::-1]
    return (
        np.concatenate([weights, weights]),
        np.concatenate([found.means, mirrored[0]]),
        np.concatenate([found.sds, mirrored[1]]),
    )


def _from_general(problem: SplitProblem, shares: Array, general: Parameters) -> list[Parameters]:
    """A fit with one component more, two of which are the halves of one; in both orders."""
    weights, means, sds = general
    pair = np.clip(np.searchsorted(problem.edges, means) - 1, 0, problem.n_pairs - 1)
    members = [np.flatnonzero(pair == k) for k in range(problem.n_pairs)]
    if not all(1 <= some.size <= 2 for some in members):
        return []
    found: list[Parameters] = []
    for step in (1, -1):
        chosen = np.concatenate([np.resize(some[::step], 2) for some in members])
        whole = np.array([weights[some].sum() for some in members])
        both = np.stack([whole * shares, whole * (1.0 - shares)], axis=1).ravel()
        found.append((both[None], means[chosen][None], sds[chosen][None]))
    return found
