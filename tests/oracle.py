"""The mixture in plain loops of 50-digit arithmetic, and what rounding may do to each number.

The exact values come from the density itself, f = sum of weight times normal density, by direct
summation and the quotient rule: (log f)_ab = f_ab / f - f_a f_b / f^2. The derivatives of a normal
density are Hermite polynomials in u = (x - mean) / sd. No log-odds, no responsibilities, no
complements: nothing is shared with the library's formulas. Where the two terms of the quotient
rule cancel, guard digits keep 50 right ones in every number that a double can hold.

The rule of comparison
----------------------
Each exact number comes with a `scale`, and the library's number must satisfy

    |ours - exact| <= LIMIT * 2**-53 * scale,          LIMIT * 2**-53 = 1.8e-15.

The scale is the sum of the magnitudes of the terms which add up to the number when it is written
without avoidable cancellation: r_j r_k and never r - r^2; 1 - pi and 1 - r as sums of the others;
u^2 - 1 as the two terms u^2 and 1; and each term times (1 + e), where e says how far an error of
one unit roundoff in the inputs moves the responsibilities of that row:

    e_k = sum_j r_j E_jk,
    E_jk = |log pi_j| + |log pi_k| + |log sd_j| + |log sd_k|
           + (|u_j| + |u_k|) / 2 * (|u_n| (sd_w - sd_n) + |mean_w - mean_n|) / sd_w,

n being the narrower and w the wider of the two. This is the sum of the magnitudes of the terms of
the log-odds, log(pi_j sd_k / (pi_k sd_j)) - (u_j - u_k)(u_j + u_k) / 2. It allows no more than the
problem itself: moving each sd by one unit roundoff (half an ulp) moves the log-odds by
u_j^2 + u_k^2 units, and the last line of E is at most that, because |mean_w - mean_n| is at most
|u_n| sd_n + |u_w| sd_w. It is often far less: components of equal sd stay apart by E of order |u|,
not u^2, and rows at an offset of 1e9 get no allowance for it, because the difference of two
doubles is correctly rounded.

With three components or more, log-odds may also be differences of two log-densities, which costs
less, where these are above -300: E is larger by min(u_b^2 / 2, 300), b being the row's best
component. That is 5.3e-13 at most after multiplication by LIMIT * 2**-53.

A computation without cancellation has scale = |exact|, hence a relative error far below 1e-12.

Numbers beyond the largest double must be infinite with the right sign; a responsibility below the
smallest normal double may be off by the spacing of subnormal numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mpf
from numpy.typing import ArrayLike, NDArray

from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]
Objects = NDArray[np.object_]

DIGITS = 50
GUARD = 330  # what r - r^2 may cancel before the difference is below the smallest double
UNIT = mpf(2) ** -53
LIMIT = 16
NEAR = 300  # log-densities above minus this may be subtracted from each other
TINY = mpf(2) ** -1022
LARGEST = mpf(float(np.finfo(np.float64).max))


class Entry(NamedTuple):
    """Exact numbers, and the magnitude of the terms each is the sum of: arrays of mpf."""

    value: Objects
    scale: Objects


@dataclass(frozen=True)
class Exact:
    """All quantities of one data set at one mixture."""

    logpdf: Entry
    responsibilities: Entry
    score_obs: Entry
    loglike: Entry
    score: Entry
    hessian: Entry


class Point(NamedTuple):
    """One mixture and one row, as mpf: u, densities phi, their weighted sum f."""

    weights: list[Any]
    sds: list[Any]
    u: list[Any]
    phi: list[Any]
    f: Any


def exact(
    x: ArrayLike,
    mixture: NormalMixture,
    coordinates: str,
    w: ArrayLike | None = None,
    guard: int = GUARD,
) -> Exact:
    """Return all quantities in one system of coordinates, rows weighted by w.

    The guard digits must be more where distances, to the fourth power, are larger.
    """
    rows = np.asarray(x, dtype=np.float64)
    row_weights = np.ones(rows.size) if w is None else np.asarray(w, dtype=np.float64)
    with mpmath.workdps(DIGITS + guard):
        found = [_row(float(row), mixture, coordinates) for row in rows]
        logpdf, responsibilities, score_obs, hessian = (
            Entry(*(np.array([getattr(r[i], part) for r in found]) for part in Entry._fields))
            for i in range(4)
        )
        mp_weights = np.array([mpf(float(weight)) for weight in row_weights], dtype=object)
        loglike, score, total = (
            Entry(*(_weighted_sum(mp_weights, part) for part in entry))
            for entry in (logpdf, score_obs, hessian)
        )
    return Exact(logpdf, responsibilities, score_obs, loglike, score, total)


def worst(ours: ArrayLike, exact: Entry) -> float:
    """Return the largest error in units of 2**-53 times the scale; inf for what is not a number."""
    numbers = np.atleast_1d(np.asarray(ours, dtype=np.float64))
    value, scale = np.atleast_1d(exact.value), np.atleast_1d(exact.scale)
    assert numbers.shape == value.shape
    return max(_error(*triple) for triple in zip(numbers.flat, value.flat, scale.flat, strict=True))


def allowance(exact: Entry) -> Array:
    """Return what each number may be off by; inf where that overflows."""
    with mpmath.workprec(53):
        allowed = [LIMIT * UNIT * (scale + TINY) for scale in exact.scale.flat]
    return np.array([float(size) for size in allowed]).reshape(exact.scale.shape)


def _error(ours: float, value: Any, scale: Any) -> float:
    """The error of one number in units of 2**-53 times its scale."""
    if np.isnan(ours):
        return np.inf
    if np.isinf(ours):
        return 0.0 if ours * value > 0 and abs(value) + UNIT * LIMIT * scale > LARGEST else np.inf
    with mpmath.workprec(200):
        return float(abs(mpf(float(ours)) - value) / (UNIT * (scale + TINY)))


def _weighted_sum(weights: Objects, rows: Objects) -> Objects:
    """The sum of rows (n, ...) times their weights (n,)."""
    total = np.zeros(rows.shape[1:], dtype=object)
    for weight, row in zip(weights, rows, strict=True):
        total = total + row * weight  # not weight * row: mpmath would print the row first
    return np.asarray(total, dtype=object)


def _row(x: float, mixture: NormalMixture, coordinates: str) -> tuple[Entry, Entry, Entry, Entry]:
    """Log-density, responsibilities, score and Hessian of one row."""
    point = point_at(x, mixture)
    k = mixture.n_components
    shares = [p * phi / point.f for p, phi in zip(point.weights, point.phi, strict=True)]
    best = max(range(k), key=lambda j: shares[j])
    sloppy = min(point.u[best] ** 2 / 2, mpf(NEAR)) if k > 2 else mpf(0)
    table = spans(point, mixture)
    errors = [1 + sloppy + sum(r * s for r, s in zip(shares, row, strict=True)) for row in table]
    log_scale = mpf(1) + abs(mpmath.log(point.weights[best])) + abs(mpmath.log(point.sds[best]))
    log_scale += point.u[best] ** 2 / 2 + mpmath.log(k) + errors[best]
    first, second = (_natural if coordinates == "natural" else _working)(point)
    score = first / point.f
    hessian = second / point.f - np.outer(score, score)
    scales = (_natural_scales if coordinates == "natural" else _working_scales)(point, errors)
    return (
        Entry(mpmath.log(point.f), log_scale),
        Entry(
            _objects(shares),
            _objects([(r + TINY) * e for r, e in zip(shares, errors, strict=True)]),
        ),
        Entry(score, scales[0]),
        Entry(hessian, scales[1]),
    )


def point_at(x: float, mixture: NormalMixture) -> Point:
    """The densities of all components at a row, none of which can underflow here."""
    weights = [mpf(float(value)) for value in mixture.weights]
    sds = [mpf(float(value)) for value in mixture.sds]
    u = [(mpf(x) - mpf(float(m))) / s for m, s in zip(mixture.means, sds, strict=True)]
    phi = [
        mpmath.exp(-d * d / 2) / s / mpmath.sqrt(2 * mpmath.pi) for d, s in zip(u, sds, strict=True)
    ]
    f = mpf(0)
    for weight, density in zip(weights, phi, strict=True):
        f += weight * density
    return Point(weights, sds, u, phi, f)


def _natural(point: Point) -> tuple[Objects, Objects]:
    """First and second derivatives of f by weights, means, variances.

    By the heat equation a derivative by the variance is half a second one by x.
    """
    k = len(point.u)
    first, second = np.full(3 * k, mpf(0)), np.full((3 * k, 3 * k), mpf(0))
    for j, (p, s, u, phi) in enumerate(zip(*point[:4], strict=True)):
        he1, he2, he3, he4 = u, u**2 - 1, u**3 - 3 * u, u**4 - 6 * u**2 + 3
        m, v = k + j, 2 * k + j
        first[[j, m, v]] = phi, p * phi * he1 / s, p * phi * he2 / (2 * s**2)
        second[j, m] = second[m, j] = phi * he1 / s
        second[j, v] = second[v, j] = phi * he2 / (2 * s**2)
        second[m, m] = p * phi * he2 / s**2
        second[m, v] = second[v, m] = p * phi * he3 / (2 * s**3)
        second[v, v] = p * phi * he4 / (4 * s**4)
    return first, second


def _working(point: Point) -> tuple[Objects, Objects]:
    """First and second derivatives of f by logits, means, log variances; weights sum to one."""
    k = len(point.u)
    first, second = np.full(3 * k, mpf(0)), np.full((3 * k, 3 * k), mpf(0))
    total = sum(point.weights, mpf(0))
    prior = [p / total for p in point.weights]
    f = point.f / total
    for j, (p, s, u, phi) in enumerate(zip(prior, *point[1:4], strict=True)):
        m, v = k + j, 2 * k + j
        slopes = {m: p * phi * u / s, v: p * phi * (u**2 - 1) / 2}
        first[j], first[m], first[v] = p * (phi - f), slopes[m], slopes[v]
        second[m, m] = p * phi * (u**2 - 1) / s**2
        second[m, v] = second[v, m] = p * phi * (u**3 - 3 * u) / (2 * s)
        second[v, v] = p * phi * (u**4 - 4 * u**2 + 1) / 4
        for a in range(k):
            by_logit = prior[a] * (point.phi[a] - f)
            second[a, j] = p * (int(a == j) - prior[a]) * (phi - f) - p * by_logit
            for column, slope in slopes.items():
                second[a, column] = second[column, a] = (int(a == j) - prior[a]) * slope
    kept = [*range(k - 1), *range(k, 3 * k)]
    return first[kept] * total, second[np.ix_(kept, kept)] * total


def spans(point: Point, mixture: NormalMixture) -> list[list[Any]]:
    """E_jk of the module's docstring; nothing for the logarithm of a weight of zero."""
    k = len(point.u)
    logs = [
        abs(mpmath.log(s)) + (abs(mpmath.log(p)) if p else 0)
        for p, s in zip(point.weights, point.sds, strict=True)
    ]
    table = [[mpf(0)] * k for _ in range(k)]
    for j in range(k):
        for i in set(range(k)) - {j}:
            n, w = (j, i) if point.sds[j] <= point.sds[i] else (i, j)
            apart = abs(mpf(float(mixture.means[w])) - mpf(float(mixture.means[n])))
            apart += abs(point.u[n]) * (point.sds[w] - point.sds[n])
            apart *= (abs(point.u[j]) + abs(point.u[i])) / 2 / point.sds[w]
            table[j][i] = logs[j] + logs[i] + apart
    return table


def _sizes(point: Point, log_variance: bool) -> list[list[Any]]:
    """Magnitudes of a component's own derivatives: log weight, mean, variance or its log."""
    return [
        [mpf(1), abs(u) / s, (u**2 + 1) / 2 / (1 if log_variance else s**2)]
        for u, s in zip(point.u, point.sds, strict=True)
    ]


def _own_curvatures(point: Point, log_variance: bool) -> list[list[list[Any]]]:
    """Magnitudes of a component's own second derivatives, the weight's left out."""
    found = []
    for u, s in zip(point.u, point.sds, strict=True):
        unit = mpf(1) if log_variance else s**2
        last = (u**2 + 2) / 2 if log_variance else u**2 + mpf(3) / 2
        cross = abs(u) / s / unit
        found.append([[0, 0, 0], [0, 1 / s**2, cross], [0, cross, last / unit**2]])
    return found


def _natural_scales(point: Point, errors: list[Any]) -> tuple[Objects, Objects]:
    """Scales of score and Hessian in natural coordinates."""
    ratios = [phi / point.f for phi in point.phi]
    shares = [p * ratio + TINY for p, ratio in zip(point.weights, ratios, strict=True)]
    factors = [
        [q + TINY / (p or 1), r, r] for p, q, r in zip(point.weights, ratios, shares, strict=True)
    ]
    sizes, curvatures = _sizes(point, False), _own_curvatures(point, False)
    first, second = _scales(factors, shares, errors, sizes, curvatures)
    k = len(shares)
    for j in range(k):
        second[j, j] = factors[j][0] ** 2 * (2 * errors[j])
    return first, second


def _working_scales(point: Point, errors: list[Any]) -> tuple[Objects, Objects]:
    """Scales of score and Hessian in working coordinates."""
    shares = [p * phi / point.f + TINY for p, phi in zip(point.weights, point.phi, strict=True)]
    factors = [[r, r, r] for r in shares]
    sizes, curvatures = _sizes(point, True), _own_curvatures(point, True)
    first, second = _scales(factors, shares, errors, sizes, curvatures)
    k = len(shares)
    for j in range(k):
        p = point.weights[j]
        others = [i for i in range(k) if i != j]
        first[j] = shares[j] * errors[j] * sum(point.weights[i] for i in others)
        first[j] += p * sum(shares[i] * errors[i] for i in others)
        for i in others:
            second[j, i] += p * point.weights[i]
            second[j, j] += p * point.weights[i]
    kept = [*range(k - 1), *range(k, 3 * k)]
    return first[kept], second[np.ix_(kept, kept)]


def _scales(
    factors: list[list[Any]],
    shares: list[Any],
    errors: list[Any],
    sizes: list[list[Any]],
    curvatures: list[list[list[Any]]],
) -> tuple[Objects, Objects]:
    """Magnitudes: r_j r_k h_j h_k off the diagonal blocks, r_j (1 - r_j) h_j^2 + r_j h_j' on."""
    k = len(shares)
    first, second = np.full(3 * k, mpf(0)), np.full((3 * k, 3 * k), mpf(0))
    for j in range(k):
        rest = sum((shares[i] * (errors[j] + errors[i]) for i in range(k) if i != j), mpf(0))
        for a in range(3):
            first[a * k + j] = factors[j][a] * errors[j] * sizes[j][a]
            for b in range(3):
                factor = factors[j][min(a, b)] * sizes[j][a] * sizes[j][b]
                second[a * k + j, b * k + j] = factor * rest
                second[a * k + j, b * k + j] += shares[j] * errors[j] * curvatures[j][a][b]
                for i in set(range(k)) - {j}:
                    size = factors[j][a] * factors[i][b] * sizes[j][a] * sizes[i][b]
                    second[a * k + j, b * k + i] = size * (errors[j] + errors[i])
    return first, second


def _objects(values: list[Any]) -> Objects:
    """A list of mpf as an array."""
    return np.array(values, dtype=object)
