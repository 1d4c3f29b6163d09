"""Score and Hessian of rows so far out, or under sds so extreme, that doubles overflow on the way.

A sum may be a fine number although the squares in it are none: the slope along a variance is that
of a squared distance over another square. Everything is a `Wide` number until the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.extremes import FarTerms, far_terms
from bactrian.model.mixture import NormalMixture
from bactrian.model.wide import Wide, stacked

Array = NDArray[np.float64]

_BLOCK = 4096  # rows; their terms stay in the cache
_HALF = Wide.of(0.5)


class WideDerivatives(NamedTuple):
    """Log-likelihood, score (p,) and Hessian (p, p), sums over rows that may exceed any double."""

    loglike: float
    score: Wide
    hessian: Wide

    def __add__(self, other: tuple[object, ...]) -> WideDerivatives:
        """Return the sums over the rows of both."""
        assert isinstance(other, WideDerivatives)
        return WideDerivatives(
            self.loglike + other.loglike, self.score + other.score, self.hessian + other.hessian
        )


class _Slopes(NamedTuple):
    """What the derivatives of rows are made of: for each component by weight, mean and spread.

    Attributes
    ----------
    own : (3,) of Wide (K, n)
        Derivatives of the log of a component; in place of the first, one.
    shared : (3,) of Wide (K, n)
        These times the responsibility, the derivatives of log f but for the constraint; the
        first is phi_k / f in natural coordinates.
    others : Wide (K, n)
        Sums of the responsibilities of all the other components.
    bends : mapping of Wide (K, n)
        Second derivatives of the log of a component times the responsibility, by mean (1) and
        spread (2).
    """

    own: list[Wide]
    shared: list[Wide]
    others: Wide
    bends: dict[tuple[int, int], Wide]


def far_derivatives(
    x: Array, w: Array, mixture: NormalMixture, *, natural: bool
) -> WideDerivatives:
    """Return the derivatives in natural or in working coordinates, sums over rows.

    Parameters
    ----------
    x, w : (n,) float64
        Finite rows, at least one, and their positive weights.
    mixture : NormalMixture
        Without weights of zero in working coordinates.
    natural : bool
        Whether the 3K natural or the 3K - 1 working coordinates are meant.

    Notes
    -----
    Source: derivation, "Hessian in natural coordinates" and "Hessian in working coordinates".
    """
    parts = [
        _of_block(x[i : i + _BLOCK], w[i : i + _BLOCK], mixture, natural)
        for i in range(0, x.size, _BLOCK)
    ]
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    if natural:
        return found
    kept = _without_gauge(mixture.n_components)
    return WideDerivatives(found.loglike, found.score[kept], found.hessian[np.ix_(kept, kept)])


def far_score_rows(x: Array, mixture: NormalMixture, *, natural: bool) -> Array:
    """Return the score of each row, (3K, n) in natural or (3K - 1, n) in working coordinates."""
    rows = far_terms(x, mixture.weights, mixture.means, mixture.sds)
    scores = stacked(_scores(_slopes(rows, mixture, natural), mixture, natural)).doubles()
    scores = scores.reshape(-1, x.size)
    return scores if natural else scores[_without_gauge(mixture.n_components)]


def _without_gauge(n_components: int) -> NDArray[np.intp]:
    """The positions of the working coordinates among 3K: the last logit is the gauge."""
    return np.delete(np.arange(3 * n_components), n_components - 1)


def _of_block(x: Array, w: Array, mixture: NormalMixture, natural: bool) -> WideDerivatives:
    """The sums over few rows, (3K,) and (3K, 3K) in either system."""
    rows = far_terms(x, mixture.weights, mixture.means, mixture.sds)
    slopes, wide = _slopes(rows, mixture, natural), Wide.of(w)
    score = (stacked(_scores(slopes, mixture, natural)) * wide).sum()
    hessian = _hessian(slopes, wide, natural)
    if not natural:
        hessian = hessian + _of_softmax(mixture.weights) * wide.sum()
    size = 3 * mixture.n_components
    with np.errstate(over="ignore"):
        loglike = float(w @ rows.logpdf)
    return WideDerivatives(loglike, score.reshape(size), hessian.reshape(size, size))


def _slopes(rows: FarTerms, mixture: NormalMixture, natural: bool) -> _Slopes:
    """The derivatives of the components' logs in either system."""
    r, u, sds = rows.responsibilities, rows.distances, Wide.of(mixture.sds[:, None])
    one, square = Wide.of(np.ones((1, 1))), _HALF * u * u
    by_mean, by_spread = u / sds, square - _HALF * one
    bends = {(1, 1): -(r / sds / sds), (1, 2): -(r * by_mean), (2, 2): -(r * square)}
    if natural:
        by_spread = by_spread / sds / sds
        bends[1, 2] = bends[1, 2] / sds / sds
        bends[2, 2] = -(r * (square + by_spread * sds * sds)) / sds / sds / sds / sds
    others = Wide.of(1.0 - np.eye(mixture.n_components))[:, :, None] * r
    shared = [rows.ratios if natural else r, r * by_mean, r * by_spread]
    return _Slopes([one, by_mean, by_spread], shared, others.sum(axis=1), bends)


def _scores(slopes: _Slopes, mixture: NormalMixture, natural: bool) -> list[Wide]:
    """The scores of rows, three of (K, n)."""
    if natural:
        return slopes.shared
    # r_k (1 - pi_k) - pi_k (1 - r_k), both complements as sums of the other components.
    r, weights = slopes.shared[0], mixture.weights[:, None]
    rest = (1.0 - np.eye(mixture.n_components)) @ weights
    return [r * Wide.of(rest) - Wide.of(weights) * slopes.others, *slopes.shared[1:]]


def _hessian(slopes: _Slopes, w: Wide, natural: bool) -> Wide:
    """The sums (3, K, 3, K) but for the constraint of the weights."""
    own, shared, others, bends = slopes
    every = stacked(shared)
    across = -((every * w)[:, :, None, None] * every).sum()

    def block(a: int, b: int) -> Wide:
        """The sums (K,) of each component with itself."""
        if natural and a == b == 0:
            return -(shared[0] * shared[0] * w).sum()
        # r (1 - r), the complement a sum: r - r^2 would lose a saturated row's small part.
        terms = others * shared[a] * own[b]
        return ((terms + bends[a, b] if (a, b) in bends else terms) * w).sum()

    pairs = {(a, b): block(a, b) for a in range(3) for b in range(a, 3)}
    rows = [stacked([pairs[min(a, b), max(a, b)] for b in range(3)], axis=1) for a in range(3)]
    same = np.eye(others.shape[0])[:, None, :]
    return across * Wide.of(1.0 - same) + stacked(rows)[..., None] * Wide.of(same)


def _of_softmax(weights: Array) -> Wide:
    """What the constraint of the weights adds to the Hessian (3, K, 3, K) for each row."""
    K = weights.size
    table = np.outer(weights, weights)
    np.fill_diagonal(table, 0.0)
    np.fill_diagonal(table, -table.sum(axis=1))
    found = np.zeros((3, K, 3, K))
    found[0, :, 0] = table
    return Wide.of(found)
