"""The function to be climbed: the log-likelihood of a sample over free coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.likelihood.derivatives import Expectations, derivatives, expectations
from bactrian.likelihood.rough import rough_expectations
from bactrian.model.constraints import Constraints
from bactrian.model.parameters import split_working
from bactrian.solve.state import State

Array = NDArray[np.float64]

_LEAST_WEIGHT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The log-likelihood of a sample as a function of free coordinates.

    Parameters
    ----------
    sample : Sample
        The weighted values; only their local coordinates are used.
    constraints : Constraints
        The set of mixtures to choose from, in local coordinates.
    floor : float
        Smallest sd, in local units, at which the data still resolve a component.
    """

    sample: Sample
    constraints: Constraints
    floor: float

    @property
    def n_components(self) -> int:
        """K."""
        return self.constraints.n_components

    @property
    def is_bounded(self) -> bool:
        """Whether no component can collapse while another does not."""
        return not self.constraints.can_collapse.any()

    def free(self, weights: Array, means: Array, sds: Array) -> Array:
        """Return the free coordinates (S, p) nearest to given parameters, each (S, K)."""
        return self.constraints.free(weights, means, sds)

    def parameters(self, free: Array) -> tuple[Array, Array, Array]:
        """Return the weights, means and sds, each (S, K), at free coordinates (S, p)."""
        return split_working(self.constraints.working(free))

    def score(self, free: Array, working: Array) -> Array:
        """Return the score (p,) along the free coordinates (p,), of one along working ones.

        Zero where it only pushes against a bound.
        """
        along = working @ self.constraints.jacobian(free[None])[0]
        return np.where(self._held(free, along), 0.0, along)

    def at_bound(self, free: Array) -> NDArray[np.bool_]:
        """Which of the free coordinates (p,) are at a bound."""
        held = self.constraints
        return np.asarray((free <= held.lower) | (free >= held.upper))

    def _held(self, free: Array, score: Array) -> NDArray[np.bool_]:
        """Which coordinates are at a bound that the score pushes against."""
        low, high = self.constraints.lower, self.constraints.upper
        return ((free <= low) & (score < 0.0)) | ((free >= high) & (score > 0.0))

    def expect(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the E-step's sums at parameters (S, K)."""
        sample = self.sample
        with np.errstate(over="ignore", invalid="ignore"):  # of rows beyond all doubles
            return expectations(sample.local, sample.weights, weights, means, sds)

    def expect_roughly(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the same to some eight digits, without the log-likelihood, faster."""
        sample = self.sample
        with np.errstate(over="ignore", invalid="ignore"):
            return rough_expectations(sample.local, sample.weights, weights, means, sds)

    def maximised(
        self, expected: Expectations, means: Array, sds: Array
    ) -> tuple[Array, Array, Array]:
        """Return the weights, means and sds (S, K) of the M-step from those of the E-step."""
        held = self.constraints
        shares, moved, variances = moments_of(expected, means, sds)
        if held.is_none:
            new_sds = np.sqrt(variances)
        else:
            allowed = held.nearest_means(moved)
            new_sds = held.nearest_sds(shares, variances + (moved - allowed) ** 2)
            moved, shares = allowed, held.nearest_weights(shares)
        # A component on one value would go to an sd of zero at once: stop where it has collapsed.
        return shares, moved, np.maximum(new_sds, 0.5 * self.floor)

    def after_em(self, state: State) -> Array:
        """Return the free coordinates (S, p) of the maximum of the expected log-likelihood."""
        expected = Expectations(state.loglike, state.counts, state.spreads)
        return self.free(*self.maximised(expected, state.means, state.sds))

    def reach(self, state: State) -> Array:
        """Return how far (S, p) a step may go: logits, means in their sds, log variances."""
        held = self.constraints
        n_logits, n_means = max(held.free_weights.size - 1, 0), held.free_means.size
        found = np.tile(trust(n_logits, n_means, held.n_free), (len(state), 1))
        found[:, n_logits : n_logits + n_means] *= state.sds[:, held.free_means]
        return found

    def evaluate(self, free: Array) -> State:
        """Return the state at free coordinates (S, p), or at the nearest within their bounds.

        A proposal may be anywhere; where its curvature overflows it counts as flat. Coordinates
        that the score holds at a bound count as known: they have no slope, and unit curvature.
        """
        free = self.constraints.clipped(free)
        with np.errstate(all="ignore"):
            weights, means, sds = self.parameters(free)
            found = derivatives(self.sample.local, self.sample.weights, weights, means, sds)
            score, hessian = found.score, found.hessian
            whitener = self._whitener(weights, sds)
            score, hessian = self.constraints.pulled(free, score, hessian)
            if self.constraints.has_bounds:
                held = self._held(free, score)
                score, hessian = without_held(held, score, hessian, whitener)
            return State.whitened(
                free=free,
                weights=weights,
                means=means,
                sds=sds,
                loglike=found.loglike,
                score=score,
                hessian=hessian,
                counts=found.counts,
                spreads=found.spreads,
                whitener=whitener,
            )

    def _whitener(self, weights: Array, sds: Array) -> Array:
        """Matrices (S, p, p) that turn the complete-data information into the identity.

        That of the logits is the multinomial one, W (diag(pi) - pi pi'); its inverse, whose root
        is wanted, is (diag(1 / pi_k) + 1 1' / pi_K) / W.
        """
        held, total, k = self.constraints, self.sample.total, self.n_components
        p = held.n_free
        inverse = 1.0 / (total * np.maximum(weights, _LEAST_WEIGHT))
        whitener = np.zeros((len(weights), p, p))
        diagonal = whitener.reshape(-1, p * p)[:, :: p + 1]
        if held.is_none:
            means = slice(k - 1, 2 * k - 1)
            diagonal[:, means] = sds * np.sqrt(inverse)
            diagonal[:, 2 * k - 1 :] = np.sqrt(2.0 * inverse)
            shares = inverse
        else:
            first = max(held.free_weights.size - 1, 0)
            last, own = first + held.free_means.size, held.free_means
            diagonal[:, first:last] = sds[:, own] * np.sqrt(inverse[:, own])
            each = inverse[:, held.free_sds] if held.sd_ratios is None else 1.0 / total
            diagonal[:, last:] = np.sqrt(2.0 * each)
            shares = inverse[:, held.free_weights]
        m = shares.shape[1] - 1
        if m > 0:
            covariance = shares[:, :-1, None] * np.eye(m) + shares[:, -1:, None]
            whitener[:, :m, :m] = np.sqrt(covariance) if m == 1 else np.linalg.cholesky(covariance)
        return whitener


def moments_of(expected: Expectations, means: Array, sds: Array) -> tuple[Array, Array, Array]:
    """Return shares, means and variances (S, K) of the rows by their responsibilities."""
    counts = np.maximum(expected.counts, 1e-300)
    with np.errstate(over="ignore", invalid="ignore"):  # of a component that has lost its rows
        shift = expected.spreads[:, 0] / counts
        inflation = np.maximum(2.0 * expected.spreads[:, 1] / counts + 1.0 - shift**2, 1e-300)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return shares, means + sds * shift, sds**2 * inflation


def without_held(
    held: NDArray[np.bool_], score: Array, hessian: Array, whitener: Array
) -> tuple[Array, Array]:
    """Return score and Hessian with the coordinates held (S, p) taken for known.

    They have no slope, and the curvature of complete data.
    """
    information = np.linalg.inv(whitener @ whitener.swapaxes(1, 2))
    either = held[:, :, None] | held[:, None, :]
    both = held[:, :, None] & held[:, None, :]
    hessian = np.where(either, np.where(both, -information, 0.0), hessian)
    return np.where(held, 0.0, score), hessian


@lru_cache
def trust(n_logits: int, n_means: int, n_free: int) -> Array:
    """Return how far (p,) logits, means in units of their sd, and log variances may go at once."""
    return np.repeat([2.0, 2.0, 1.5], [n_logits, n_means, n_free - n_logits - n_means])
