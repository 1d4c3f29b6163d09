"""The function to be climbed: the log-likelihood of a sample over free coordinates."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.likelihood.derivatives import Expectations, derivatives, expectations
from bactrian.model.parameters import join_working, split_working

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class State:
    """Where a batch of S ascents stands, in local coordinates.

    `whitener` W turns the complete-data information into the identity. In that metric
    `eigenvalues` of minus the Hessian are at most about one: one minus the smallest is the rate
    at which EM converges, and the number of rows times it is the effective number of complete
    observations in the worst direction.
    """

    free: Array
    weights: Array
    means: Array
    sds: Array
    loglike: Array
    score: Array
    hessian: Array
    counts: Array
    spreads: Array
    whitener: Array
    eigenvalues: Array
    eigenvectors: Array
    slopes: Array
    decrement: Array

    def __len__(self) -> int:
        """Return the number of ascents."""
        return len(self.free)

    def __getitem__(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> State:
        """Return the ascents at an index array."""
        return State(*(getattr(self, field.name)[index] for field in fields(self)))

    def where(self, accept: NDArray[np.bool_], other: State) -> State:
        """Return the other state where accepted, this one elsewhere."""
        if accept.all():
            return other
        return State(
            *(
                np.where(
                    accept.reshape(-1, *[1] * (getattr(self, field.name).ndim - 1)),
                    getattr(other, field.name),
                    getattr(self, field.name),
                )
                for field in fields(self)
            )
        )

    @property
    def is_concave(self) -> NDArray[np.bool_]:
        """Whether minus the Hessian is positive definite."""
        return np.asarray(self.eigenvalues[:, 0] > 1e-10)


@dataclass(frozen=True, slots=True)
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

    def free(self, weights: Array, means: Array, sds: Array) -> Array:
        """Return the free coordinates (S, p) nearest to given parameters, each (S, K)."""
        return np.asarray(join_working(weights, means, sds) @ np.linalg.pinv(self.matrix).T)

    def parameters(self, free: Array) -> tuple[Array, Array, Array]:
        """Return the weights, means and sds, each (S, K), at free coordinates (S, p)."""
        return split_working(free @ self.matrix.T)

    def expect(self, weights: Array, means: Array, sds: Array) -> Expectations:
        """Return the E-step's sums at parameters (S, K)."""
        return expectations(self.sample.local, self.sample.weights, weights, means, sds)

    def evaluate(self, free: Array) -> State:
        """Return the state at free coordinates (S, p)."""
        weights, means, sds = self.parameters(free)
        found = derivatives(self.sample.local, self.sample.weights, weights, means, sds)
        score = found.score @ self.matrix
        hessian = self.matrix.T @ found.hessian @ self.matrix
        whitener = self._whitener(weights, sds)
        curvature = -(whitener.swapaxes(1, 2) @ hessian @ whitener)
        curvature[~np.isfinite(curvature).all(axis=(1, 2))] = 0.0
        eigenvalues, eigenvectors = np.linalg.eigh(curvature)
        white_score = (score[:, None, :] @ whitener)[:, 0]
        slopes = (white_score[:, None, :] @ eigenvectors)[:, 0]
        decrement = (slopes**2 / np.maximum(np.abs(eigenvalues), 1e-10)).sum(axis=1)
        return State(
            free, weights, means, sds, found.loglike, score, hessian, found.counts, found.spreads,
            whitener, eigenvalues, eigenvectors, slopes, decrement,
        )  # fmt: skip

    def _whitener(self, weights: Array, sds: Array) -> Array:
        """Matrices (S, p, p) that turn the complete-data information into the identity."""
        k = self.n_components
        total = self.sample.total
        counts = total * weights
        diagonal = np.concatenate([counts[:, :-1], counts / sds**2, 0.5 * counts], axis=1)
        information = np.zeros((len(weights), 3 * k - 1, 3 * k - 1))
        every = np.arange(3 * k - 1)
        information[:, every, every] = diagonal
        information[:, : k - 1, : k - 1] -= counts[:, :-1, None] * weights[:, None, :-1]
        if k == 2:
            information[:, 0, 0] = counts[:, 0] * weights[:, 1]
        information = self.matrix.T @ information @ self.matrix
        if k <= 2:  # diagonal, and a weight within rounding of one cannot spoil it
            size = np.arange(self.matrix.shape[1])
            whitener = np.zeros_like(information)
            whitener[:, size, size] = 1.0 / np.sqrt(information[:, size, size])
            return whitener
        size = np.arange(self.matrix.shape[1])
        information[:, size, size] *= 1.0 + 1e-14
        return np.linalg.inv(np.linalg.cholesky(information)).swapaxes(1, 2)
