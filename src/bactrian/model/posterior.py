"""Row by row: log-density, posterior probabilities and features of a mixture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALF_LOG_2PI = 0.9189385332046727418
_NEAR = 300.0  # log-densities down to which rounding in their differences is below 1e-13
_HUGE = 1e150  # beyond this a squared distance overflows


class RowTerms(NamedTuple):
    """What every row-wise quantity of a mixture is made of.

    Attributes
    ----------
    logpdf : (..., n) float64
        Natural log of the mixture density; -inf where it is below the smallest double.
    responsibilities : (..., K, n) float64
        Posterior probabilities of the components, each with full relative accuracy, so that a
        product of two of them stands for r(1 - r) without the cancellation of 1 - r.
    features : (..., 2K + 1, n) float64
        One, the distances u = (x - mean) / sd, and q = (u^2 - 1) / 2: the derivatives of a
        component's log-density with respect to its log weight, its mean (times its sd) and its
        log variance.
        Cut at 1e150 and at a quarter of the largest double, so that sums never become inf - inf:
        farther rows are for `model.extremes.far_terms`.
    """

    logpdf: Array
    responsibilities: Array
    features: Array


def row_terms(x: Array, weights: Array, means: Array, sds: Array) -> RowTerms:
    """Return the row terms of one mixture, or of a batch of mixtures, at finite points.

    Parameters
    ----------
    x : (n,) float64
        Points, finite.
    weights, means, sds : (..., K) float64
        Mixing weights, means and standard deviations; leading axes are a batch.

    Notes
    -----
    No density is ever formed, so a row a hundred thousand standard deviations out keeps all its
    digits. The log-odds between two components are computed in the factored form
    ``L - (u_k - u_ref)(u_k + u_ref) / 2`` with the difference taken from the *narrower* component's
    u; expanded in powers of x, or as a difference of squares, they lose up to all digits
    for narrow components and far rows.

    Source: derivation, "Responsibilities" and "Log-odds for two components".
    """
    n_components = means.shape[-1]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        # In memory components come first: what is done to one runs through a whole batch at once.
        mean, sd = means.T[..., None], sds.T[..., None]
        constant = (np.log(weights) - np.log(sds)).T[..., None]
        features = np.empty((2 * n_components + 1, *mean.shape[1:-1], x.size))
        features[0] = 1.0
        u, quadratic = features[1 : n_components + 1], features[n_components + 1 :]
        np.subtract(x, mean, out=u)
        np.divide(u, sd, out=u)
        np.multiply(u, u, out=quadratic)
        quadratic *= 0.5
        log_joint = constant - quadratic
        if not quadratic.max(initial=0.0) < _HUGE:
            _tame(u, quadratic)
        quadratic -= 0.5
        every = _Component(constant, mean, sd, u)
        if n_components == 2:
            logpdf = np.maximum(log_joint[0], log_joint[1])
            r, log_total = _two_responsibilities(every)
        else:
            logpdf = log_joint.max(axis=0)
            r, log_total = _responsibilities(every, log_joint)
        log_total -= HALF_LOG_2PI  # not from the constant, where large logs of sds would swallow it
        logpdf += log_total
        return RowTerms(logpdf, r.swapaxes(0, -2), features.swapaxes(0, -2))


class _Component(NamedTuple):
    """Log of weight over sd, mean, sd (k, ..., 1) and u (k, ..., n) of components."""

    constant: Array
    mean: Array
    sd: Array
    u: Array

    def one(self, k: int) -> _Component:
        """The component at a position, without the axis of components."""
        return _Component(self.constant[k], self.mean[k], self.sd[k], self.u[k])


def _log_odds(own: _Component, ref: _Component) -> Array:
    """Log posterior odds of components against a reference."""
    wider = np.maximum(own.sd, ref.sd)
    difference = np.where(own.sd <= ref.sd, own.u, ref.u)
    difference *= (ref.sd - own.sd) / wider
    difference += (ref.mean - own.mean) / wider
    odds = own.u + ref.u
    odds *= difference
    odds *= -0.5
    odds += own.constant - ref.constant
    return odds


def _two_responsibilities(every: _Component) -> tuple[Array, Array]:
    """Responsibilities of two components from one exponential a row, and log(1 + e^-|odds|)."""
    odds = _log_odds(every.one(0), every.one(1))
    smaller = np.abs(odds)
    np.exp(np.negative(smaller, out=smaller), out=smaller)
    total = 1.0 + smaller
    larger = np.reciprocal(total)
    smaller *= larger
    # The larger share with the sign of the odds exceeds the smaller one where the first wins: no
    # choice row by row, which would take several times as long.
    signed = np.copysign(larger, odds, out=larger)
    r = np.empty_like(every.u)
    np.maximum(smaller, signed, out=r[0])
    np.maximum(smaller, np.negative(signed, out=signed), out=r[1])
    return r, np.log(total, out=total)


def _responsibilities(every: _Component, log_joint: Array) -> tuple[Array, Array]:
    """Responsibilities of any number of components, and the log of the sum of their shares.

    Odds are taken against each row's best component. Where every row is near its best one, the
    difference of two log-densities is as good as the factored form.
    """
    top = log_joint.max(axis=0, keepdims=True)
    if len(log_joint) == 1:
        odds = np.zeros_like(log_joint)  # not -inf - -inf
    elif top.min(initial=0.0) > -_NEAR:
        odds = log_joint - top
    else:
        best = log_joint.argmax(axis=0)[None]
        if np.isneginf(top).any():
            best = np.where(np.isneginf(top), _best_far_out(every), best)
        odds = _log_odds(every, _picked(every, best))
        odds -= odds.max(axis=0, keepdims=True)
    shares = np.exp(odds, out=odds)
    total = shares.sum(axis=0, keepdims=True)
    shares /= total
    return shares, np.log(total[0])


def _best_far_out(every: _Component) -> NDArray[np.intp]:
    """The best component where every log-density is below the smallest double, (1, ..., n)."""
    held = np.where(np.isneginf(every.constant), 0.0, every.sd)
    widest = np.broadcast_to(held.argmax(axis=0)[None], every.u[:1].shape)
    best = _log_odds(every, _picked(every, widest)).argmax(axis=0)
    return np.asarray(best[None])


def _picked(every: _Component, which: NDArray[np.intp]) -> _Component:
    """One component for each row, (1, ..., n)."""
    return _Component(*(np.take_along_axis(array, which, axis=0) for array in every))


def _tame(u: Array, half_square: Array) -> None:
    """Keep distances where squares and differences of them cannot become inf - inf."""
    np.clip(u, -_HUGE, _HUGE, out=u)
    np.clip(half_square, 0.0, np.finfo(np.float64).max / 4.0, out=half_square)
