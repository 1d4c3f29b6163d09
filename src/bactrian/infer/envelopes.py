"""How rows depart from a fitted mixture, and how far rows drawn from it would depart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.infer.bootstrap import replicated
from bactrian.infer.edf import binned
from bactrian.infer.goodness import drawn_and_fitted
from bactrian.infer.recording import Recording
from bactrian.infer.residuals import quantile_residuals
from bactrian.model.mixture import NormalMixture
from bactrian.solve.problem import Problem
from bactrian.solve.state import State

Array = NDArray[np.float64]

_POINTS = 101  # at which a band is taken
_MOST = 2000  # points of a drawn curve


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Where a curve of drawn rows stays, all of it, with a given probability.

    Attributes
    ----------
    at, low, high : (g,) float64
        Points, and the ends of the band there.
    """

    at: Array
    low: Array
    high: Array


@dataclass(frozen=True, slots=True, eq=False)
class Departures:
    """Rows beside the mixture that was fitted to them.

    Attributes
    ----------
    scores : (m,) float64
        Standard normal quantiles of the shares of the rows up to the points of comparison.
    residuals : (m,) float64
        Quantile residuals of these points: equal to the scores where rows and mixture agree.
    fitted : (m,) float64
        The mixture's shares up to them.
    excess : (m,) float64
        The rows' shares less the mixture's.
    residual_band : Band or None
        For the residuals, over scores; None where nothing was drawn. Where drawn samples have
        fewer rows, it ends where theirs do.
    excess_band : Band or None
        For the excess, over the mixture's shares.
    level : float
        Probability that a curve of drawn rows is in its band everywhere.
    n_replicates, n_failed : int
        Samples drawn and fitted, and how many of these fits ended at no maximum: left out.
    """

    scores: Array
    residuals: Array
    fitted: Array
    excess: Array
    residual_band: Band | None
    excess_band: Band | None
    level: float
    n_replicates: int
    n_failed: int


class _Curve(NamedTuple):
    """Shares of rows, residuals and shares of the mixture (m,) at the points of comparison."""

    shares: Array
    residuals: Array
    fitted: Array


class _Points(NamedTuple):
    """A curve: ascending places and heights (m,)."""

    x: Array
    y: Array

    def some(self) -> _Points:
        """Return the curve by no more points than it takes to see how far it goes."""
        if self.x.size <= _MOST:
            return self
        kept = np.unique(np.linspace(0, self.x.size - 1, _MOST).round().astype(np.intp))
        return _Points(self.x[kept], self.y[kept])


def departures(
    problem: Problem,
    state: State,
    n_replicates: int,
    level: float = 0.95,
    *,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Departures:
    """Return how rows depart from their fit, and the bands for rows drawn from it.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    n_replicates : int
        How many samples are drawn and fitted; none without bands.
    level : float
        Probability, in (0, 1), that rows drawn from the mixture are in the band everywhere.
    rng, workers, progress
        As for ``bootstrap``.

    Raises
    ------
    ParameterError
        If the level is no probability, the samples are too few for it, or the weights are sampling
        weights and bands are asked for.

    Notes
    -----
    Exact rows are compared at each of them, rounded ones half-way between their multiples, those of
    a sketch at the edges of its bins. Drawn samples are recorded likewise and fitted, as in
    ``goodness_of_fit``. The band is the envelope of the largest studentised deviation: at each
    point its half-widths are in proportion to the root mean square of the drawn curves above and
    below their mean, by a factor such that the wanted share of them stays inside everywhere.

    Source: derivation, "Goodness of fit". Myllymäki, Mrkvička, Grabarnik, Seijo and Hahn (2017),
    "Global envelope tests for spatial processes", JRSS B 79.
    """
    _check(problem, n_replicates, level)
    sample = problem.sample
    recording, mixture = Recording.of(sample), NormalMixture(*state_parameters(state))
    rows = _curve(sample.local, sample.weights, mixture, recording)
    scores = _scores(rows.shares)
    bands: tuple[Band | None, Band | None] = None, None
    failed = 0
    if n_replicates:
        # Drawn samples with fewer rows know nothing of what is farther out than their own.
        most = recording.n_drawn
        low, high = np.clip(scores[[0, -1]], *_scores(np.array([0.5, most - 0.5]) / most))
        run = partial(_replicate, problem, state, recording)
        drawn = replicated(run, n_replicates, rng=rng, workers=workers, progress=progress)
        found = [pair for pair in drawn if pair is not None]
        failed = len(drawn) - len(found)
        if len(found) < _least(level):
            raise ParameterError(
                f"{failed} of {n_replicates} fits of drawn samples ended at no maximum, so that "
                "there is no band; n_replicates=0 draws none."
            )
        by_score, by_share = np.linspace(low, high, _POINTS), np.linspace(0.0, 1.0, _POINTS)[1:-1]
        bands = (
            _band(by_score, [pair[0] for pair in found], level, by_score),
            _band(by_share, [pair[1] for pair in found], level, np.zeros(1)),
        )
    return Departures(
        scores, rows.residuals, rows.fitted, rows.shares - rows.fitted, *bands, level,
        n_replicates, failed,
    )  # fmt: skip


def state_parameters(state: State) -> tuple[Array, Array, Array]:
    """Return the weights, means and sds (K,) of a single state."""
    return state.weights[0], state.means[0], state.sds[0]


def _check(problem: Problem, n_replicates: int, level: float) -> None:
    """Refuse what no band can be made of, before anything is drawn."""
    if not 0.0 < level < 1.0:
        raise ParameterError(f"level={level!r} is not between 0 and 1; 0.95 is usual.")
    if n_replicates and problem.sample.squared is not None:
        raise ParameterError(
            "With sampling weights the rows are no plain draws from the mixture, and there is no "
            "band for them; n_replicates=0 draws the residuals without one."
        )
    if 0 < n_replicates < _least(level):
        raise ParameterError(
            f"n_replicates={n_replicates} samples are too few for a band of level {level:g}, "
            f"{_least(level)} the least; 199 is usual, and 0 draws none."
        )


def _least(level: float) -> int:
    """The smallest number of curves of which so large a share can be inside."""
    return math.ceil(level / (1.0 - level) - 1e-9)


def _curve(x: Array, weights: Array, mixture: NormalMixture, recording: Recording) -> _Curve:
    """The comparison of rows (n,) with a mixture where it can be made."""
    ends = recording.ends(x)
    if ends is None:
        upto = np.cumsum(weights)
        return _of_points((upto - 0.5 * weights) / upto[-1], x, mixture)
    counts = binned(x, weights, ends)
    below, above = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[-2::-1]
    inside = (below > 0.0) & (above > 0.0)
    return _of_points(below[inside] / counts.sum(), ends[inside], mixture)


def _of_points(shares: Array, points: Array, mixture: NormalMixture) -> _Curve:
    """The comparison at points (m,), of which those between two rows that follow are one."""
    first = np.flatnonzero(np.concatenate([[True], shares[1:] > shares[:-1]]))
    last = np.append(first[1:], shares.size) - 1
    z, u = quantile_residuals(points, mixture), np.asarray(mixture.cdf(points))
    return _Curve(shares[first], 0.5 * (z[first] + z[last]), 0.5 * (u[first] + u[last]))


def _replicate(
    problem: Problem, state: State, recording: Recording, rng: np.random.Generator
) -> tuple[_Points, _Points] | None:
    """How a drawn sample departs from its own fit: residuals less scores, and excess of shares."""
    found = drawn_and_fitted(problem, state, recording, rng)
    if found is None:
        return None
    rows, counts, mixture = found
    curve = _curve(rows, counts, mixture, recording)
    fewer = math.sqrt(recording.n_drawn / problem.sample.total)
    scores, share = _scores(curve.shares), np.concatenate([[0.0], curve.fitted, [1.0]])
    excess = np.concatenate([[0.0], curve.shares - curve.fitted, [0.0]])
    return (
        _Points(scores, fewer * (curve.residuals - scores)).some(),
        _Points(share, fewer * excess).some(),
    )


def _band(at: Array, curves: Sequence[_Points], level: float, around: Array) -> Band:
    """The band at points (g,) in which that share of B curves stays everywhere.

    Each curve is judged at its own points, and by the others, as that of the rows will be: judged
    by all of them, its own part in the spread would make it look nearer than it is.
    """
    size = len(curves)
    # Beyond the outermost point the mixture itself says how a curve goes on.
    found = np.array([np.interp(at, *curve) for curve in curves])
    middle = found.mean(axis=0)
    spreads, farthest = [], np.zeros(size)
    for side in (-1.0, 1.0):
        beyond = np.maximum(side * (found - middle), 0.0)
        squares, number = (beyond**2).sum(axis=0), np.count_nonzero(beyond, axis=0)
        spreads.append(_root(squares, number))
        others = _root(squares - beyond**2, number - (beyond > 0.0))
        for b, curve in enumerate(curves):
            inside = (curve.x >= at[0]) & (curve.x <= at[-1])
            x, y = curve.x[inside], curve.y[inside]
            apart = side * (y - np.interp(x, at, middle)) * (size / (size - 1))
            most = (apart / np.interp(x, at, others[b])).max(initial=0.0)
            farthest[b] = max(farthest[b], float(most))
    factor = np.sort(farthest)[math.ceil(level * (size + 1) - 1e-9) - 1]
    down, up = spreads
    return Band(at, around + middle - factor * down, around + middle + factor * up)


def _root(squares: Array, number: NDArray[np.intp]) -> Array:
    """Root mean squares, from sums of squares."""
    least = np.finfo(np.float64).tiny
    return np.asarray(np.sqrt(np.maximum(squares, least) / np.maximum(number, 1)))


def _scores(shares: Array) -> Array:
    """The standard normal quantiles of shares (m,)."""
    from scipy.special import ndtri

    return np.asarray(ndtri(shares))
