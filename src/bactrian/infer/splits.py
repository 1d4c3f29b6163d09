"""What the EM-test climbs: the penalised likelihood of mixtures with every component split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.likelihood.derivatives import Expectations, derivatives, expectations
from bactrian.likelihood.rough import rough_expectations
from bactrian.model.mixture import NormalMixture
from bactrian.solve.problem import moments_of, trust, without_held
from bactrian.solve.resolution import rounding_unit
from bactrian.solve.state import State

Array = NDArray[np.float64]
Parameters = tuple[Array, Array, Array]

_LEAST_WEIGHT = 1e-9  # of a pair, whose logarithm is taken


@dataclass(frozen=True, slots=True, eq=False)
class SplitProblem:
    """A penalised log-likelihood over mixtures of m pairs of components.

    Free coordinates are the logits of the weights of the pairs against the last one, the logits
    of the share of the first component in each pair, which are held, the 2m means, and the 2m log
    variances or the common one.

    Parameters
    ----------
    sample : Sample
        The weighted values; only their local coordinates are used.
    variances : (m,) float64
        Those of the null hypothesis, local; each draws those of its pair to itself.
    level : float
        How strongly: ``-level (s / v + log(v / s) - 1)`` is added for each of them.
    edges : (m + 1,) float64
        The means of a pair stay between two edges.
    equal : bool
        Whether all components share one variance.
    narrowest : (m,) float64
        No sd of a pair is below it.
    floor : float
        Zero: no sd is too small to go on from.

    Notes
    -----
    Source: derivation, "EM-test".
    """

    sample: Sample
    variances: Array
    level: float
    edges: Array
    equal: bool
    narrowest: Array
    floor: float = field(init=False, default=0.0)
    matrix: Array = field(init=False)
    lower: Array = field(init=False)
    upper: Array = field(init=False)

    @classmethod
    def around(
        cls, sample: Sample, null: NormalMixture, level: float, *, equal: bool = False
    ) -> SplitProblem:
        """Return the problem that splits a fitted mixture, whose means ascend, local.

        Neighbouring pairs meet halfway between the means. No half is narrower than what values are
        rounded to or half a bin, unless its component is: heaps of equal values would be split off
        otherwise.
        """
        halfway = 0.5 * (null.means[1:] + null.means[:-1])
        edges = np.concatenate([sample.local[:1], halfway, sample.local[-1:]])
        step = max(rounding_unit(sample), 0.5 * sample.width)
        return cls(sample, null.variances, level, edges, equal, np.minimum(null.sds, step))

    def __post_init__(self) -> None:
        """Lay out the slopes (3K - 1, p) of the working coordinates along the free ones."""
        m, k = self.variances.size, 2 * self.variances.size
        logits, identity = np.zeros((k - 1, k - 1)), np.eye(2 * k)
        for pair in range(m - 1):
            logits[2 * pair : 2 * pair + 2, pair] = 1.0
        spread = identity[:, k:]
        spread = spread.sum(axis=1, keepdims=True) if self.equal else spread
        below = np.concatenate([identity[:, :k], spread], axis=1)
        matrix = np.zeros((3 * k - 1, k - 1 + below.shape[1]))
        matrix[: k - 1, : k - 1], matrix[k - 1 :, k - 1 :] = logits, below
        lower, upper = np.full((2, matrix.shape[1]), [[-np.inf], [np.inf]])
        lower[self._means], upper[self._means] = self.edges[:-1].repeat(2), self.edges[1:].repeat(2)
        with np.errstate(divide="ignore"):
            least = 2.0 * np.log(self.narrowest)
        lower[self._means.stop :] = least[0] if self.equal else least.repeat(2)
        for name, value in (("matrix", matrix), ("lower", lower), ("upper", upper)):
            object.__setattr__(self, name, value)

    def over(self, sample: Sample) -> SplitProblem:
        """Return the same problem over other weighted values in the same coordinates."""
        return replace(self, sample=sample)

    @property
    def n_pairs(self) -> int:
        """How many components there are to be split, m."""
        return self.variances.size

    @property
    def _means(self) -> slice:
        """Where the means stand among the free coordinates."""
        return slice(2 * self.n_pairs - 1, 4 * self.n_pairs - 1)

    def free(self, weights: Array, means: Array, sds: Array) -> Array:
        """Return the free coordinates (S, p) of parameters (S, 2m)."""
        logs = np.log(weights).reshape(len(weights), -1, 2)
        pairs = np.logaddexp(logs[:, :, 0], logs[:, :, 1])
        spread = 2.0 * np.log(sds[:, :1] if self.equal else sds)
        blocks = [pairs[:, :-1] - pairs[:, -1:], logs[:, :, 0] - logs[:, :, 1], means, spread]
        return np.concatenate(blocks, axis=1)

    def parameters(self, free: Array) -> Parameters:
        """Return the weights, means and sds (S, 2m) at free coordinates (S, p)."""
        m, size = self.n_pairs, len(free)
        logits = np.concatenate([free[:, : m - 1], np.zeros((size, 1))], axis=1)
        logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)
        share = free[:, m - 1 : 2 * m - 1]
        both = np.stack([-np.logaddexp(0.0, -share), -np.logaddexp(0.0, share)], axis=2)
        weights = np.exp(logits[:, :, None] + both).reshape(size, 2 * m)
        sds = np.exp(0.5 * free[:, 4 * m - 1 :])
        return weights, free[:, self._means], np.broadcast_to(sds, weights.shape)

    def shares(self, weights: Array) -> Array:
        """Return the shares (S, m) of the first components of the pairs, of weights (S, 2m)."""
        pairs = weights.reshape(len(weights), -1, 2)
        return np.asarray(pairs[:, :, 0] / pairs.sum(axis=2))

    def penalty(self, sds: Array) -> Array:
        """Return what is added (S,) to the log-likelihood at sds (S, 2m)."""
        ratio = self._ratio(sds)
        found = (ratio - np.log(ratio) - 1.0).sum(axis=1)
        return np.asarray(-self._each * found)

    def _ratio(self, sds: Array) -> Array:
        """Variances of the null hypothesis over those of the components (S, 2m)."""
        return np.asarray(self.variances.repeat(2) / sds**2)

    @property
    def _each(self) -> float:
        """The level of the penalty of one component: a part of it where the variance is common."""
        return self.level / (2 * self.n_pairs) if self.equal else self.level

    def worth(self, parameters: Parameters) -> Array:
        """Return the penalised log-likelihood (S,), minus infinity where there is none."""
        found = self.expect(*parameters).loglike + self.penalty(parameters[2])
        return np.where(np.isfinite(found), found, -np.inf)

    def expect(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the E-step's sums at parameters (S, 2m)."""
        return expectations(self.sample.local, self.sample.weights, weights, means, sds)

    def expect_roughly(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the same to some eight digits, without the log-likelihood, faster."""
        return rough_expectations(self.sample.local, self.sample.weights, weights, means, sds)

    def maximised(
        self, expected: Expectations, parameters: Parameters, *, shares_move: bool = False
    ) -> Parameters:
        """Return the parameters of the M-step from those of the E-step.

        Where the shares move they are drawn to one half, as by one more row in the smaller part,
        and the means leave the edges, as in the authors' program.
        """
        _, means, variances = moments_of(expected, *parameters[1:])
        counts, rows = expected.counts, 2.0 * self._each
        if not shares_move:
            allowed = np.clip(means, self.lower[self._means], self.upper[self._means])
            means, variances = allowed, variances + (means - allowed) ** 2
        sums, rows_of = counts * variances + rows * self.variances.repeat(2), counts + rows
        if self.equal:
            sums, rows_of = (np.add.reduce(a, axis=1, keepdims=True) for a in (sums, rows_of))
        sds = np.maximum(np.sqrt(sums / rows_of), self.narrowest.repeat(2))
        pairs = counts.reshape(len(counts), -1, 2)
        whole = pairs.sum(axis=2)
        shares = self.shares(parameters[0])
        if shares_move:
            first = pairs[:, :, 0]
            lower = np.minimum((first + 1.0) / (whole + 1.0), 0.5)
            upper = np.maximum(first / (whole + 1.0), 0.5)
            shares = np.where(first <= 0.5 * whole, lower, upper)
        whole = np.maximum(whole / whole.sum(axis=1, keepdims=True), _LEAST_WEIGHT)
        both = whole[:, :, None] * np.stack([shares, 1.0 - shares], axis=2)
        return both.reshape(means.shape), means, sds

    def after_em(self, state: State) -> Array:
        """Return the free coordinates (S, p) of the EM step in which the shares are held."""
        expected = Expectations(state.loglike, state.counts, state.spreads)
        return self.free(*self.maximised(expected, (state.weights, state.means, state.sds)))

    def reach(self, state: State) -> Array:
        """Return how far (S, p) a step may go: logits, means in their sds, log variances."""
        n_means = 2 * self.n_pairs
        found = np.tile(trust(n_means - 1, n_means, state.free.shape[1]), (len(state), 1))
        found[:, self._means] *= state.sds
        return found

    def evaluate(self, free: Array) -> State:
        """Return the state at free coordinates (S, p), or at the nearest within the edges."""
        free = np.clip(free, self.lower, self.upper)
        with np.errstate(all="ignore"):
            weights, means, sds = self.parameters(free)
            found = derivatives(self.sample.local, self.sample.weights, weights, means, sds)
            score, hessian = found.score @ self.matrix, self.matrix.T @ found.hessian @ self.matrix
            pull, spread = self._each * self._ratio(sds), slice(self._means.stop, None)
            slope, bend = pull - self._each, pull
            if self.equal:
                slope, bend = slope.sum(axis=1, keepdims=True), bend.sum(axis=1, keepdims=True)
            score[:, spread] += slope
            hessian[:, spread, spread] -= bend[:, :, None] * np.eye(bend.shape[1])
            whitener = self._whitener(weights, sds)
            held = self._held(free, score)
            score, hessian = without_held(held, score, hessian, whitener)
            return State.whitened(
                free=free,
                weights=weights,
                means=means,
                sds=sds,
                loglike=found.loglike + self.penalty(sds),
                score=score,
                hessian=hessian,
                counts=found.counts,
                spreads=found.spreads,
                whitener=whitener,
            )

    def _held(self, free: Array, score: Array) -> NDArray[np.bool_]:
        """Which coordinates are shares, or at an edge that the score pushes against."""
        held = ((free <= self.lower) & (score < 0.0)) | ((free >= self.upper) & (score > 0.0))
        held[:, self.n_pairs - 1 : 2 * self.n_pairs - 1] = True
        return held

    def _whitener(self, weights: Array, sds: Array) -> Array:
        """Matrices (S, p, p) that turn the complete-data information into the identity."""
        m, total = self.n_pairs, self.sample.total
        inverse = 1.0 / (total * np.maximum(weights, _LEAST_WEIGHT))
        spread = np.full((len(weights), 1), 1.0 / total) if self.equal else inverse
        ones = np.ones((len(weights), 2 * m - 1))
        diagonal = [ones, sds * np.sqrt(inverse), np.sqrt(2.0 * spread)]
        whitener = np.concatenate(diagonal, axis=1)[:, :, None] * np.eye(self.matrix.shape[1])
        if m > 1:
            pairs = 1.0 / (total * np.maximum(weights.reshape(-1, m, 2).sum(axis=2), _LEAST_WEIGHT))
            covariance = pairs[:, :-1, None] * np.eye(m - 1) + pairs[:, -1:, None]
            whitener[:, : m - 1, : m - 1] = np.linalg.cholesky(covariance)
        return whitener
