"""Where a batch of ascents stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = tuple[int, ...]
# Where each quantity stands in a row, and its shape where it is neither a number nor a vector.
Layout = dict[str, tuple[int | slice, Shape | None]]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where a batch of S ascents stands, in local coordinates.

    All that is known of an ascent is one row of `packed`, so that choosing among ascents, which
    the loop does at every step, is one operation and not one for each quantity.

    `whitener` W turns the complete-data information into the identity. In that metric
    `eigenvalues` of minus the Hessian are at most about one: one minus the smallest is the rate
    at which EM converges, and the number of rows times it is the effective number of complete
    observations in the worst direction.
    """

    packed: Array
    layout: Layout

    @classmethod
    def of(cls, **named: Array) -> State:
        """Return the state of named arrays, each with S first."""
        layout = _layout(tuple((name, array.shape[1:]) for name, array in named.items()))
        size = len(named["free"])
        packed = np.concatenate([array.reshape(size, -1) for array in named.values()], axis=1)
        return cls(packed, layout)

    @classmethod
    def whitened(cls, *, score: Array, hessian: Array, whitener: Array, **named: Array) -> State:
        """Return the state with what follows from score, Hessian and whitener.

        Where the curvature overflows it counts as flat.
        """
        curvature = -(whitener.swapaxes(1, 2) @ hessian @ whitener)
        curvature[~np.isfinite(curvature).all(axis=(1, 2))] = 0.0
        eigenvalues, eigenvectors = np.linalg.eigh(curvature)
        white_score = (score[:, None, :] @ whitener)[:, 0]
        slopes = (white_score[:, None, :] @ eigenvectors)[:, 0]
        decrement = (slopes**2 / np.maximum(np.abs(eigenvalues), 1e-10)).sum(axis=1)
        return cls.of(
            **named,
            score=score,
            hessian=hessian,
            whitener=whitener,
            eigenvalues=eigenvalues,
            eigenvectors=eigenvectors,
            slopes=slopes,
            decrement=decrement,
        )

    def __len__(self) -> int:
        """Return the number of ascents."""
        return len(self.packed)

    def __getitem__(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> State:
        """Return the ascents at an index array."""
        return State(self.packed[index], self.layout)

    def where(self, accept: NDArray[np.bool_], other: State) -> State:
        """Return the other state where accepted, this one elsewhere."""
        if accept.all():
            return other
        return State(np.where(accept[:, None], other.packed, self.packed), self.layout)

    def _field(self, name: str) -> Array:
        """One quantity as a view."""
        columns, shape = self.layout[name]
        found = self.packed[:, columns]
        return found if shape is None else found.reshape(-1, *shape)

    @property
    def free(self) -> Array:
        """Free coordinates (S, p)."""
        return self._field("free")

    @property
    def weights(self) -> Array:
        """Mixing weights (S, K)."""
        return self._field("weights")

    @property
    def means(self) -> Array:
        """Means (S, K)."""
        return self._field("means")

    @property
    def sds(self) -> Array:
        """Standard deviations (S, K)."""
        return self._field("sds")

    @property
    def loglike(self) -> Array:
        """Log-likelihoods (S,)."""
        return self._field("loglike")

    @property
    def score(self) -> Array:
        """Gradients (S, p) along the free coordinates."""
        return self._field("score")

    @property
    def hessian(self) -> Array:
        """Second derivatives (S, p, p)."""
        return self._field("hessian")

    @property
    def counts(self) -> Array:
        """Rows (S, K) of each component."""
        return self._field("counts")

    @property
    def spreads(self) -> Array:
        """First and second sums (S, 2, K) for the EM step."""
        return self._field("spreads")

    @property
    def whitener(self) -> Array:
        """Matrices (S, p, p) that turn the complete-data information into the identity."""
        return self._field("whitener")

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues (S, p), ascending, of minus the whitened Hessian."""
        return self._field("eigenvalues")

    @property
    def eigenvectors(self) -> Array:
        """Their eigenvectors (S, p, p), as columns."""
        return self._field("eigenvectors")

    @property
    def slopes(self) -> Array:
        """The whitened score (S, p) along the eigenvectors."""
        return self._field("slopes")

    @property
    def decrement(self) -> Array:
        """Newton decrements (S,), curvatures taken by their absolute value."""
        return self._field("decrement")

    @property
    def is_concave(self) -> NDArray[np.bool_]:
        """Whether minus the Hessian is positive definite (S,)."""
        return np.asarray(self.eigenvalues[:, 0] > 1e-10)


@lru_cache
def _layout(shapes: tuple[tuple[str, Shape], ...]) -> Layout:
    """The layout of a row that holds quantities of given names and shapes."""
    layout: Layout = {}
    start = 0
    for name, shape in shapes:
        end = start + prod(shape)
        layout[name] = (slice(start, end) if shape else start, shape if len(shape) > 1 else None)
        start = end
    return layout
