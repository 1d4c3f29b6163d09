"""What is known of a mixture before the data are seen: fixed values, bounds, ratios of sds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from bactrian.model.parameters import join_working

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """The set of mixtures among which one is sought, and the free coordinates of its members.

    Free coordinates are the working ones of what is free: logits of the free weights against the
    last of them, free means, free log variances (one, where the ratios of the sds are known).

    Parameters
    ----------
    weights, means, sds : (K, 2) float64
        Lower and upper bound of each parameter; equal where it is fixed. Of the weights either
        none is fixed, or all, or all but two or more; other bounds than 0 and 1 are for K = 2.
    sd_ratios : (K,) float64, optional
        The sds up to a common factor.

    Attributes
    ----------
    matrix : (3K - 1, p) float64
        Slopes of the working coordinates along the free ones, where these are constant.
    offset : (3K - 1,) float64
        Working coordinates at free coordinates of zero.
    lower, upper : (p,) float64
        Bounds of the free coordinates.
    free_weights, free_means, free_sds : (m,) intp
        The components to which the free coordinates belong; the last free weight has none.
    classes : (K,) intp
        Components of the same class can be exchanged for each other.
    is_none : bool
        Whether every mixture is a member.
    has_bounds : bool
        Whether a free coordinate is bounded.
    has_curved_weights : bool
        Whether some weights are fixed and others not, which is no linear map of logits.

    Notes
    -----
    Source: derivation, "Constraints".
    """

    weights: Array
    means: Array
    sds: Array
    sd_ratios: Array | None = None
    matrix: Array = field(init=False)
    offset: Array = field(init=False)
    lower: Array = field(init=False)
    upper: Array = field(init=False)
    free_weights: Index = field(init=False)
    free_means: Index = field(init=False)
    free_sds: Index = field(init=False)
    classes: Index = field(init=False)
    is_none: bool = field(init=False)
    has_bounds: bool = field(init=False)
    has_curved_weights: bool = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the free coordinates, once: the solver asks for them at every step."""
        free = [np.flatnonzero(low < high) for low, high in map(np.transpose, self._boxes)]
        matrix, offset = _linear_map(self, *free)
        lower, upper = _free_bounds(self, *free)
        bounded = bool(np.isfinite(lower).any() or np.isfinite(upper).any())
        everything = matrix.shape[0] == matrix.shape[1] and not bounded
        ratios = np.ones(self.n_components) if self.sd_ratios is None else self.sd_ratios
        known = np.column_stack([*self._boxes, ratios])
        found = {
            "classes": np.unique(known, axis=0, return_inverse=True)[1].reshape(-1),
            "free_weights": free[0], "free_means": free[1], "free_sds": free[2],
            "matrix": matrix, "offset": offset, "lower": lower, "upper": upper,
            "has_bounds": bounded, "is_none": everything and self.sd_ratios is None,
            "has_curved_weights": 0 < free[0].size < self.n_components,
        }  # fmt: skip
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def _boxes(self) -> tuple[Array, Array, Array]:
        """The bounds of the weights, the means and the sds."""
        return self.weights, self.means, self.sds

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.weights)

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return int(self.matrix.shape[1])

    @property
    def names_components(self) -> bool:
        """Whether some components cannot be exchanged for each other."""
        return bool(self.classes.any())

    @property
    def can_collapse(self) -> NDArray[np.bool_]:
        """Whether the sd of each component (K,) may go to zero while another's does not."""
        alone = self.sd_ratios is None and self.n_components > 1
        return np.asarray((self.sds[:, 0] == 0.0) & alone)

    def orders(self) -> list[Index]:
        """Return the ways to number the components that keep the named ones in their places."""
        every = map(np.array, permutations(range(self.n_components)))
        return [order for order in every if (self.classes[order] == self.classes).all()]

    def allows(self, weights: Array, means: Array, sds: Array) -> bool:
        """Return whether a mixture (K,) is a member, to rounding."""
        pairs = zip(self._boxes, (weights, means, sds), strict=True)
        inside = all(
            np.allclose(np.clip(value, *box.T), value, _ROUNDING, _ROUNDING) for box, value in pairs
        )
        if self.sd_ratios is None or not inside:
            return inside
        return bool(np.ptp(np.log(sds / self.sd_ratios)) <= _ROUNDING)

    def localised(self, origin: float, scale: float) -> Constraints:
        """Return the same set in units of (x - origin) / scale."""
        means = (self.means - origin) / scale
        return Constraints(self.weights, means, self.sds / scale, self.sd_ratios)

    def nearest_weights(self, shares: Array) -> Array:
        """Return the weights (S, K) that an M-step takes for shares of the rows (S, K)."""
        low, high = self.weights.T
        if not self.free_weights.size:
            return np.broadcast_to(low, shares.shape)
        if self.n_components == 2:
            first = np.clip(shares[:, :1], max(low[0], 1.0 - high[1]), min(high[0], 1.0 - low[1]))
            return shares if not self.has_bounds else np.concatenate([first, 1.0 - first], axis=1)
        if not self.has_curved_weights:
            return shares
        free, found = self.free_weights, np.tile(low, (len(shares), 1))
        left = 1.0 - np.delete(low, free).sum()
        found[:, free] = left * shares[:, free] / shares[:, free].sum(axis=1, keepdims=True)
        return found

    def nearest_means(self, means: Array) -> Array:
        """Return the means (S, K) that an M-step takes for those of the rows."""
        return np.clip(means, *self.means.T)

    def nearest_sds(self, shares: Array, variances: Array) -> Array:
        """Return the sds (S, K) that an M-step takes for variances of the rows about the means."""
        if self.sd_ratios is None:
            return np.clip(np.sqrt(variances), *self.sds.T)
        each = variances / self.sd_ratios**2
        pooled = (shares * each).sum(axis=1, keepdims=True) / shares.sum(axis=1, keepdims=True)
        low, high = self.sds.T / self.sd_ratios
        return np.asarray(np.clip(np.sqrt(pooled), low.max(), high.min()) * self.sd_ratios)

    def free(self, weights: Array, means: Array, sds: Array) -> Array:
        """Return the free coordinates (S, p) of the member nearest to parameters (S, K)."""
        if self.is_none:
            return join_working(weights, means, sds)
        weights, means = self.nearest_weights(weights), self.nearest_means(means)
        sds = self.nearest_sds(weights, sds**2)
        logs = np.log(weights[:, self.free_weights])
        own = self.free_sds
        if self.sd_ratios is not None:
            own, sds = own[:1], sds / self.sd_ratios
        blocks = [logs[:, :-1] - logs[:, -1:], means[:, self.free_means], 2.0 * np.log(sds[:, own])]
        return self.clipped(np.concatenate(blocks, axis=1))

    def clipped(self, free: Array) -> Array:
        """Return free coordinates (S, p) within their bounds."""
        return np.clip(free, self.lower, self.upper) if self.has_bounds else free

    def working(self, free: Array) -> Array:
        """Return the working coordinates (S, 3K - 1) of free ones (S, p)."""
        if self.is_none:
            return free
        working = free @ self.matrix.T + self.offset
        if self.has_curved_weights:
            logs = self._log_weights(free)
            working[:, : self.n_components - 1] = logs[:, :-1] - logs[:, -1:]
        return np.asarray(working)

    def _log_weights(self, free: Array) -> Array:
        """Logs of the weights (S, K) where some of them are fixed."""
        index, fixed = self.free_weights, self.weights[:, 0]
        logits = np.zeros((len(free), index.size))
        logits[:, :-1] = free[:, : index.size - 1]
        logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)
        held = np.delete(fixed, index)
        found = np.empty((len(free), self.n_components))
        found[:, np.setdiff1d(np.arange(self.n_components), index)] = np.log(held)
        found[:, index] = logits + np.log1p(-held.sum())
        return found

    def jacobian(self, free: Array) -> Array:
        """Return the slopes (S, 3K - 1, p) of the working coordinates along the free ones."""
        found = np.tile(self.matrix, (len(free), 1, 1))
        if self.has_curved_weights:
            index, k = self.free_weights, self.n_components
            share = self._shares(free)
            by_logit = np.zeros((len(free), k, index.size - 1))
            by_logit[:, index, :] = -share[:, None, :]
            by_logit[:, index[:-1], np.arange(index.size - 1)] += 1.0
            found[:, : k - 1, : index.size - 1] = by_logit[:, :-1] - by_logit[:, -1:]
        return found

    def _shares(self, free: Array) -> Array:
        """Each free weight but the last (S, m - 1) as a share of them all."""
        logs = self._log_weights(free)[:, self.free_weights]
        return np.asarray(np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))[:, :-1])

    def pulled(self, free: Array, score: Array, hessian: Array) -> tuple[Array, Array]:
        """Return score (S, p) and Hessian (S, p, p) along the free coordinates.

        Source: derivation, "Constraints".
        """
        if self.is_none:
            return score, hessian
        if not self.has_curved_weights:
            return score @ self.matrix, self.matrix.T @ hessian @ self.matrix
        slopes = self.jacobian(free)
        bent = slopes.swapaxes(1, 2) @ hessian @ slopes
        share = self._shares(free)
        m, index = share.shape[1], self.free_weights
        spread = share[:, :, None] * (np.eye(m) - share[:, None, :])
        # The score of a logit is that of its log weight; those of all components sum to zero.
        of_free = score[:, index[index < self.n_components - 1]].sum(axis=1)
        if index[-1] == self.n_components - 1:
            of_free = of_free - score[:, : self.n_components - 1].sum(axis=1)
        bent[:, :m, :m] -= of_free[:, None, None] * spread
        return (score[:, None, :] @ slopes)[:, 0], bent


def unconstrained(n_components: int, *, equal_variances: bool = False) -> Constraints:
    """Return the set of all mixtures, or of all with one common variance."""
    ones = np.ones((n_components, 1))
    share = [[1.0, 1.0]] if n_components == 1 else ones * [0.0, 1.0]
    ratios = np.ones(n_components) if equal_variances else None
    return Constraints(
        np.array(share), ones * [-np.inf, np.inf], ones * [0.0, np.inf], ratios
    )  # fmt: skip


def _linear_map(
    constraints: Constraints, weights: Index, means: Index, sds: Index
) -> tuple[Array, Array]:
    """The matrix and the offset of the map from free to working coordinates."""
    k = constraints.n_components
    identity = np.eye(3 * k - 1)
    offset = np.zeros(3 * k - 1)
    logits = identity[:, weights[:-1]]
    if not weights.size:
        logs = np.log(constraints.weights[:, 0])
        offset[: k - 1] = logs[:-1] - logs[-1]
    held = np.setdiff1d(np.arange(k), means)
    offset[k - 1 + held] = constraints.means[held, 0]
    spread = identity[:, 2 * k - 1 + sds]
    held = np.setdiff1d(np.arange(k), sds)
    offset[2 * k - 1 + held] = 2.0 * np.log(constraints.sds[held, 0])
    if constraints.sd_ratios is not None and sds.size:
        spread = spread.sum(axis=1, keepdims=True)
        offset[2 * k - 1 :] = 2.0 * np.log(constraints.sd_ratios)
    return np.concatenate([logits, identity[:, k - 1 + means], spread], axis=1), offset


def _free_bounds(
    constraints: Constraints, weights: Index, means: Index, sds: Index
) -> tuple[Array, Array]:
    """The bounds (p,) of the free coordinates."""
    logit = np.full((max(weights.size - 1, 0), 2), [-np.inf, np.inf])
    with np.errstate(divide="ignore"):
        if constraints.n_components == 2 and weights.size:
            low, high = constraints.weights.T
            share = np.array([max(low[0], 1.0 - high[1]), min(high[0], 1.0 - low[1])])
            logit = (np.log(share) - np.log1p(-share))[None]
        spread = 2.0 * np.log(constraints.sds[sds])
        if constraints.sd_ratios is not None and sds.size:
            spread = spread - 2.0 * np.log(constraints.sd_ratios[sds, None])
            spread = np.array([[spread[:, 0].max(), spread[:, 1].min()]])
    both = np.concatenate([logit, constraints.means[means], spread])
    return both[:, 0], both[:, 1]
