"""The function to be climbed: the log-likelihood of a sample over free coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.likelihood.derivatives import Expectations, derivatives, expectations
from bactrian.model.parameters import join_working, split_working
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
    n_components : int
        K.
    matrix : (3K - 1, p) float64
        Linear map from the p free coordinates to the working ones.
    floor : float
        Smallest sd, in local units, at which the data still resolve a component.
    """

    sample: Sample
    n_components: int
    matrix: Array
    floor: float

    @property
    def is_bounded(self) -> bool:
        """Whether one variance serves several components, so that no component can collapse."""
        return bool(self.matrix.shape[1] < self.matrix.shape[0])

    def free(self, weights: Array, means: Array, sds: Array) -> Array:
        """Return the free coordinates (S, p) nearest to given parameters, each (S, K).

        Where one variance serves all, it is the weighted mean of theirs.
        """
        if self.is_bounded:
            pooled = np.sqrt((weights * sds**2).sum(axis=1, keepdims=True))
            sds = np.broadcast_to(pooled, sds.shape)
        working = join_working(weights, means, sds)
        return np.asarray(working @ self.matrix / self.matrix.sum(axis=0))

    def parameters(self, free: Array) -> tuple[Array, Array, Array]:
        """Return the weights, means and sds, each (S, K), at free coordinates (S, p)."""
        return split_working(self.working(free))

    def working(self, free: Array) -> Array:
        """Return the working coordinates (S, 3K - 1) of free ones, or of displacements."""
        return free @ self.matrix.T if self.is_bounded else free

    def expect(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the E-step's sums at parameters (S, K)."""
        return expectations(self.sample.local, self.sample.weights, weights, means, sds)

    def evaluate(self, free: Array) -> State:
        """Return the state at free coordinates (S, p).

        A proposal may be anywhere; where its curvature overflows it counts as flat.
        """
        with np.errstate(all="ignore"):
            weights, means, sds = self.parameters(free)
            found = derivatives(self.sample.local, self.sample.weights, weights, means, sds)
            score, hessian = found.score, found.hessian
            if self.is_bounded:
                score, hessian = score @ self.matrix, self.matrix.T @ hessian @ self.matrix
            whitener = self._whitener(weights, sds)
            curvature = -(whitener.swapaxes(1, 2) @ hessian @ whitener)
            curvature[~np.isfinite(curvature).all(axis=(1, 2))] = 0.0
            eigenvalues, eigenvectors = np.linalg.eigh(curvature)
            white_score = (score[:, None, :] @ whitener)[:, 0]
            slopes = (white_score[:, None, :] @ eigenvectors)[:, 0]
            decrement = (slopes**2 / np.maximum(np.abs(eigenvalues), 1e-10)).sum(axis=1)
        return State.of(
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
            eigenvalues=eigenvalues,
            eigenvectors=eigenvectors,
            slopes=slopes,
            decrement=decrement,
        )

    def _whitener(self, weights: Array, sds: Array) -> Array:
        """Matrices (S, p, p) that turn the complete-data information into the identity.

        That of the logits is the multinomial one, W (diag(pi) - pi pi'); its inverse, whose root
        is wanted, is (diag(1 / pi_k) + 1 1' / pi_K) / W.
        """
        k, p, total = self.n_components, self.matrix.shape[1], self.sample.total
        inverse = 1.0 / (total * np.maximum(weights, _LEAST_WEIGHT))
        whitener = np.zeros((len(weights), p, p))
        diagonal = whitener.reshape(-1, p * p)[:, :: p + 1]
        diagonal[:, k - 1 : 2 * k - 1] = sds * np.sqrt(inverse)
        diagonal[:, 2 * k - 1 :] = np.sqrt(2.0 * (1.0 / total if self.is_bounded else inverse))
        covariance = inverse[:, :-1, None] * np.eye(k - 1) + inverse[:, -1:, None]
        whitener[:, : k - 1, : k - 1] = np.sqrt(covariance) if k == 2 else _root(covariance)
        return whitener


def _root(covariance: Array) -> Array:
    """Cholesky factors of matrices (S, q, q) that may be empty."""
    return covariance if covariance.shape[1] == 0 else np.asarray(np.linalg.cholesky(covariance))
