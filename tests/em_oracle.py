"""The EM-test as it is published, in plain NumPy and SciPy: slow, from many starts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

Array = NDArray[np.float64]

SHARES = (0.1, 0.3, 0.5)
STEPS = 3


class Pairs(NamedTuple):
    """Weights of m pairs and shares of their first halves (S, m), means and variances (S, 2m)."""

    whole: Array
    shares: Array
    means: Array
    variances: Array

    @property
    def weights(self) -> Array:
        """The weights (S, 2m) of all halves."""
        both = np.stack([self.shares, 1.0 - self.shares], axis=2)
        return (self.whole[:, :, None] * both).reshape(len(self.whole), -1)


@dataclass(frozen=True)
class Published:
    """The rows, the fitted null hypothesis (weights, means, variances, each (m,)), the penalty."""

    x: Array
    w: Array
    null: tuple[Array, Array, Array]
    level: float
    equal: bool = False

    @property
    def edges(self) -> Array:
        """Between which the means of each pair are (m + 1,)."""
        means = self.null[1]
        return np.array([self.x.min(), *(0.5 * (means[1:] + means[:-1])), self.x.max()])

    def log_terms(self, at: Pairs) -> Array:
        """Logarithms of the weighted densities (S, n, 2m)."""
        means, variances = at.means[:, None], at.variances[:, None]
        distance = (self.x[:, None] - means) ** 2 / variances
        logs = -0.5 * (distance + np.log(2.0 * np.pi * variances))
        return np.asarray(np.log(at.weights)[:, None] + logs)

    def penalised(self, at: Pairs) -> Array:
        """Log-likelihood less the penalty of the variances (S,)."""
        loglike = np.logaddexp.reduce(self.log_terms(at), axis=2) @ self.w
        ratio = self.null[2].repeat(2) / at.variances
        each = ratio - np.log(ratio) - 1.0
        return np.asarray(loglike - self.level * (each[:, 0] if self.equal else each.sum(axis=1)))

    def step(self, at: Pairs, *, moving: bool = False) -> Pairs:
        """An EM step: the shares are held, or move, drawn to one half."""
        logs = self.log_terms(at)
        r = np.exp(logs - np.logaddexp.reduce(logs, axis=2, keepdims=True)) * self.w[:, None]
        counts = r.sum(axis=1)
        means = (r * self.x[:, None]).sum(axis=1) / counts
        if not moving:
            means = np.clip(means, self.edges[:-1].repeat(2), self.edges[1:].repeat(2))
        squares = (r * (self.x[:, None] - means[:, None]) ** 2).sum(axis=1)
        a, s = self.level, self.null[2].repeat(2)
        if self.equal:
            # One penalty for the one variance, which all rows share.
            common = (squares.sum(axis=1) + 2.0 * a * s[0]) / (self.w.sum() + 2.0 * a)
            variances = np.repeat(common[:, None], means.shape[1], axis=1)
        else:
            variances = (squares + 2.0 * a * s) / (counts + 2.0 * a)
        first, both = counts[:, ::2], counts[:, ::2] + counts[:, 1::2]
        shares = at.shares
        if moving:
            shares = np.where(
                first / both <= 0.5,
                np.minimum((first + 1.0) / (both + 1.0), 0.5),
                np.maximum(first / (both + 1.0), 0.5),
            )
        return Pairs(both / self.w.sum(), shares, means, variances)

    def starts(self, shares: tuple[float, ...], count: int, rng: np.random.Generator) -> Pairs:
        """Random mixtures with means between the edges, and the null hypothesis slightly split."""
        whole, means, variances = self.null
        m = whole.size
        low, high = self.edges[:-1].repeat(2), self.edges[1:].repeat(2)
        sds = np.sqrt(variances.repeat(2))
        places = rng.uniform(low, high, (count, 2 * m))
        # Half of them at rows, where there is something to be found.
        rows = rng.choice(self.x, (count, 2 * m), p=self.w / self.w.sum())
        places = np.where(rng.random((count, 1)) < 0.5, places, np.clip(rows, low, high))
        near = means.repeat(2) + rng.normal(0.0, 0.5, (count, 2 * m)) * sds
        places = np.where(rng.random((count, 2 * m)) < 0.3, np.clip(near, low, high), places)
        spreads = sds * np.exp(rng.uniform(-2.0, 0.7, (count, 2 * m)))
        if self.equal:
            spreads = np.repeat(spreads[:, :1], 2 * m, axis=1)
        return Pairs(np.tile(whole, (count, 1)), np.tile(shares, (count, 1)), places, spreads**2)

    def maximum(self, shares: tuple[float, ...], count: int, seed: int) -> Pairs:
        """The highest point with these shares: EM from many starts, then its fixed point."""
        at = self.starts(shares, count, np.random.default_rng(seed))
        for keep, steps in ((count, 60), (count // 3, 200), (count // 8, 800)):
            best = np.argsort(-self.penalised(at))[:keep]
            at = Pairs(*(array[best] for array in at))
            for _ in range(steps):
                at = self.step(at)
        found = [self.fixed_point(Pairs(*(a[i : i + 1] for a in at))) for i in range(3)]
        return max(found, key=lambda point: float(self.penalised(point)[0]))

    def fixed_point(self, at: Pairs) -> Pairs:
        """Where EM from one point ends."""
        m = at.whole.shape[1]

        def unpacked(flat: Array) -> Pairs:
            logits, means, logs = np.split(flat, [m, 3 * m])
            whole = np.exp(logits - logits.max())
            return Pairs(whole[None] / whole.sum(), at.shares, means[None], np.exp(logs)[None])

        def packed(point: Pairs) -> Array:
            return np.concatenate(
                [np.log(point.whole[0]), point.means[0], np.log(point.variances[0])]
            )

        found = root(lambda flat: packed(self.step(unpacked(flat))) - flat, packed(at), tol=1e-13)
        end = self.step(unpacked(found.x))
        moved = np.abs(packed(self.step(end)) - packed(end)).max()
        higher = self.penalised(end)[0] >= self.penalised(at)[0] - 1e-9
        if moved < 1e-9 and higher:
            return end
        for _ in range(20_000):
            at = self.step(at)
        return at

    def statistic(self, count: int = 60, seed: int = 0) -> float:
        """Twice the gain of the best shares after the steps that move them."""
        weights, means, variances = self.null
        null = Pairs(weights[None], np.full((1, weights.size), 0.5), means.repeat(2)[None],
                     variances.repeat(2)[None])  # fmt: skip
        below = float(self.penalised(null)[0])
        best = -np.inf
        for shares in product(SHARES, repeat=weights.size):
            at = self.maximum(shares, count, seed)
            for _ in range(STEPS):
                at = self.step(at, moving=True)
            balance = np.log(1.0 - np.abs(1.0 - 2.0 * at.shares[0])).sum()
            best = max(best, float(self.penalised(at)[0]) + balance)
        return 2.0 * (best - below)
