"""The likelihood of the nodes is that of the rows, within a bound that knows nothing of them.

The bound comes from the zeros of the density in the complex plane. In the upper half plane and its
mirror image they are where the log-odds of the two components are odd multiples of i pi, the roots
of quadratic equations. A bin [-1, 1] whose zeros are at zeta has, for each of them,

    rho = |zeta + sqrt(zeta^2 - 1)|,

the sum of the semi-axes of the ellipse with foci -1 and 1 through zeta. Rows and nodes of a bin
have the same first eight moments and the same weight, which makes the difference of their sums of
log f at most, with q = 4,

    2 weight sum over zeros of rho^(-2 q) / (q (1 - 1 / rho)).

For any function g that is analytic inside such an ellipse it is at most

    4 weight max |g| rho^(-2 q) / (1 - 1 / rho)

with the maximum over the ellipse: the coefficients of its Chebyshev series are 2 max |g| rho^(-n).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.data.sketches.grid import chebyshev_sums, placed
from bactrian.data.sketches.nodes import nodes_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.likelihood.derivatives import derivatives
from bactrian.likelihood.sums import sum_rows
from bactrian.model.mixture import NormalMixture
from tests.data.binned import SHAPES, rows_of, sketch_of_rows

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Q = 4
ROUNDING = 2e-13  # of the sum of the absolute terms


class Pair(NamedTuple):
    """Two components in local units."""

    weights: Array
    means: Array
    sds: Array

    def log_odds(self, z: Complex) -> Complex:
        """Of the first component against the second."""
        u, v = ((z - self.means[k]) / self.sds[k] for k in (0, 1))
        level = math.log(self.weights[0] * self.sds[1] / (self.weights[1] * self.sds[0]))
        return np.asarray(level - 0.5 * (u - v) * (u + v))

    def zeros(self, turns: int = 200) -> Complex:
        """Zeros of the density in both half planes, those nearest to the real axis."""
        (m, n), (s, t) = self.means, self.sds
        square = 0.5 * (1.0 / t**2 - 1.0 / s**2)
        slope = m / s**2 - n / t**2
        level = math.log(self.weights[0] * t / (self.weights[1] * s))
        level += 0.5 * (n**2 / t**2 - m**2 / s**2)
        found = []
        for turn in range(-turns, turns):
            constant = level - 1j * math.pi * (2 * turn + 1)
            if s == t:
                found += [-constant / slope] if slope else []
            else:
                found += np.roots([square, slope, constant]).tolist()
        return np.array(found, dtype=np.complex128)

    def nearest(self) -> float:
        """Height of the nearest zeros above the real axis."""
        return float(np.abs(self.zeros(2).imag).min())

    def log_density(self, x: Array) -> Array:
        """Log f, the plain way."""
        u = (x - self.means[:, None]) / self.sds[:, None]
        logs = np.log(self.weights / self.sds)[:, None] - 0.5 * u**2 - 0.5 * math.log(2 * math.pi)
        return np.asarray(np.logaddexp(logs[0], logs[1]))

    def features(self, z: Complex) -> Complex:
        """All functions (11, ...) whose sums make score and Hessian, at complex places."""
        u = [(z - self.means[k]) / self.sds[k] for k in (0, 1)]
        odds = self.log_odds(z)
        with np.errstate(over="ignore", invalid="ignore"):
            small = np.exp(-np.where(odds.real > 0.0, odds, -odds))
        shares = np.where(odds.real > 0.0, 1.0, small), np.where(odds.real > 0.0, small, 1.0)
        r = [share / (1.0 + small) for share in shares]
        single = [r[k] * u[k] ** p for k in (0, 1) for p in range(3)]
        narrow = 0 if self.sds[0] <= self.sds[1] else 1
        return np.array([*single, *(r[0] * r[1] * u[narrow] ** p for p in range(5))])


def radius(zeta: Complex) -> Array:
    """Sum of the semi-axes of the ellipse with foci -1 and 1 through points."""
    root = np.sqrt(zeta - 1.0) * np.sqrt(zeta + 1.0)
    return np.asarray(np.abs(zeta + root))


def loglike_bounds(pair: Pair, centres: Array, half: float) -> Array:
    """Bounds (B,) for the difference of the log-likelihoods per weight in the bins."""
    rho = radius((pair.zeros() - centres[:, None]) / half)
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * (rho ** (-2 * Q) / (Q * (1.0 - 1.0 / rho))).sum(axis=1))


def feature_bounds(pair: Pair, centres: Array, half: float) -> Array:
    """Bounds (11, B) for the differences of the sums of features per weight in the bins."""
    limit = radius((pair.zeros(20) - centres[:, None]) / half).min(axis=1, initial=1e6)
    angles = np.exp(1j * np.pi * np.linspace(0.0, 2.0, 96, endpoint=False))
    best = np.full((11, centres.size), np.inf)
    for share in (0.5, 0.75, 0.9):
        rho = limit**share
        reach = rho[:, None] * angles
        z = centres[:, None] + half * 0.5 * (reach + 1.0 / reach)
        with np.errstate(over="ignore", invalid="ignore"):
            largest = np.abs(pair.features(z)).max(axis=-1)
        best = np.fmin(best, 4.0 * largest * rho ** (-2 * Q) / (1.0 - 1.0 / rho))
    return best


def local(mixture: NormalMixture, sample: Sample, origin: float) -> Pair:
    """The mixture in the coordinates of a sample, its own origin given apart from its means."""
    means = (mixture.means + (origin - sample.origin)) / sample.scale
    return Pair(mixture.weights, means, mixture.sds / sample.scale)


def check_bin_by_bin(x: Array, sketch: Sketch, pair: Pair, sample: Sample) -> None:
    """Every bin's log-likelihood and sums of features within their bounds.

    `x` are the rows in the coordinates of the sample.
    """
    bins = nodes_of([sketch]).bins
    # From the places of the rows: bins counted from the origin of the sample.
    away = sketch.bins - sample.origin / sketch.width
    centres, half = (away + 0.5) * sample.width, 0.5 * sample.width
    rows = np.searchsorted(away, np.floor(x / sample.width))
    weight = sketch.moments[:, 0]
    logs = pair.log_density(x), pair.log_density(sample.local)
    both = pair.features(x.astype(complex)).real, pair.features(sample.local.astype(complex)).real
    bounds = np.vstack([loglike_bounds(pair, centres, half), feature_bounds(pair, centres, half)])
    for of_rows, of_nodes, bound in zip(
        [logs[0], *both[0]], [logs[1], *both[1]], bounds, strict=True
    ):
        left = np.bincount(rows, of_rows, weight.size)
        right = np.bincount(bins, of_nodes * sample.weights, weight.size)
        size = np.bincount(rows, np.abs(of_rows), weight.size) + weight
        slack = 1e-12 * size * (1.0 + np.abs(centres) / pair.sds.min()) ** 2
        assert (np.abs(left - right) <= bound * weight + slack).all()


@st.composite
def problems(draw: st.DrawFn) -> tuple[str, int, Pair, int]:
    """Rows, a mixture whose zeros are some bins from the axis, and the exponent of the bins."""
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    weight = rng.uniform(0.02, 0.98)
    sds = np.exp(rng.normal(0.0, 0.8, 2))
    if draw(st.booleans()):
        sds[1] = sds[0]
    pair = Pair(np.array([weight, 1.0 - weight]), rng.normal(0.0, 1.5, 2), sds)
    exponent = math.floor(math.log2(pair.nearest())) - draw(st.integers(-1, 4))
    return shape, draw(st.integers(1, 2000)), pair, exponent


@settings(max_examples=60)
@given(problems())
def test_every_bin_is_within_the_bound(problem: tuple[str, int, Pair, int]) -> None:
    shape, n, pair, exponent = problem
    x = np.clip(rows_of(shape, n, 11), -1e6, 1e6)  # farther ones are in the tests of sums
    sketch = sketch_of_rows(x, exponent)
    sample = sketch.to_sample()
    means = (pair.means - sample.origin) / sample.scale
    inside = Pair(pair.weights, means, pair.sds / sample.scale)
    check_bin_by_bin((x - sample.origin) / sample.scale, sketch, inside, sample)


MIXTURE = NormalMixture([0.3, 0.7], [-2.0, 1.0], [1.0, 0.5])
OFFSETS = [0.0, 1e6, 1e12]


def working(x: Array, w: Array, pair: Pair) -> tuple[float, Array, Array]:
    """Log-likelihood, score and Hessian in working coordinates."""
    found = derivatives(x, w, *(np.atleast_2d(each) for each in pair))
    return float(found.loglike[0]), found.score[0], found.hessian[0]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_loglike_score_and_hessian_are_those_of_all_rows(
    shape: str, offset: float, weighted: bool
) -> None:
    x = rows_of(shape, 20_000, 7) + offset
    w = np.random.default_rng(12).gamma(1.0, 1.0, x.size) if weighted else np.ones(x.size)
    sample = sketch_of_rows(x, -6, w if weighted else None).to_sample()
    pair = local(MIXTURE, sample, offset)
    rows = working((x - sample.origin) / sample.scale, w, pair)
    nodes = working(sample.local, sample.weights, pair)
    size = np.abs(pair.log_density((x - sample.origin) / sample.scale)) @ w
    assert abs(nodes[0] - rows[0]) <= ROUNDING * size
    # Differences in the units of standard errors and of curvature, at this mixture.
    information = np.abs(np.diagonal(rows[2]))
    units = np.sqrt(np.maximum(information, 1.0))
    far = float(np.abs(x - offset).max())
    slack = 1e-11 * math.sqrt(w.sum()) * (1.0 + far**2 * 1e-6)
    assert (np.abs(nodes[1] - rows[1]) / units <= slack).all()
    assert (np.abs(nodes[2] - rows[2]) / np.outer(units, units) <= 1e-10).all()


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("coordinates", ["natural", "working"])
def test_public_functions_take_the_nodes_for_the_rows(
    scale: float, coordinates: Literal["natural", "working"]
) -> None:
    x = rows_of("mixture", 5000, 8) * scale
    sample = Sketch.of(x).to_sample()
    mixture = NormalMixture(MIXTURE.weights, MIXTURE.means * scale, MIXTURE.sds * scale)
    values, weight = sample.values, sample.weights
    plain = bt.loglike(x, mixture)
    assert bt.loglike(values, mixture, sample_weight=weight) == pytest.approx(plain, rel=1e-13)
    for function in (bt.score, bt.hessian):
        with np.errstate(over="ignore"):
            rows = function(x, mixture, coordinates=coordinates)
            nodes = function(values, mixture, sample_weight=weight, coordinates=coordinates)
        finite = np.isfinite(rows)
        assert (finite == np.isfinite(nodes)).all()
        np.testing.assert_allclose(nodes[finite], rows[finite], rtol=1e-9, atol=1e-9 * (scale == 1))


def test_three_components_too() -> None:
    x = np.concatenate([rows_of("mixture", 30_000, 9), 5.0 + 2.0 * rows_of("normal", 10_000, 10)])
    sample = Sketch.of(x).to_sample()
    three = ([[0.2, 0.5, 0.3]], [[-2.0, 1.0, 5.0]], [[1.0, 0.5, 2.0]])
    weights, means, sds = map(np.array, three)
    means, sds = (means - sample.origin) / sample.scale, sds / sample.scale
    rows = sum_rows((x - sample.origin) / sample.scale, np.ones(x.size), weights, means, sds)
    nodes = sum_rows(sample.local, sample.weights, weights, means, sds)
    assert nodes.loglike[0] == pytest.approx(rows.loglike[0], rel=1e-13)
    np.testing.assert_allclose(nodes.products, rows.products, rtol=1e-10, atol=1e-8)


DESIGNS = {
    "equal sds, three apart": Pair(
        np.array([0.35, 0.65]), np.array([0.0, 3.0]), np.array([1.0, 1.0])
    ),
    "equal sds, two apart": Pair(np.array([0.5, 0.5]), np.array([0.0, 2.0]), np.array([1.0, 1.0])),
    "unequal sds": Pair(np.array([0.4, 0.6]), np.array([-0.5, 1.0]), np.array([0.5, 1.5])),
    "narrow in wide": Pair(np.array([0.2, 0.8]), np.array([0.0, 0.0]), np.array([0.1, 1.0])),
}


def errors(x: Array, width: float, pair: Pair, order: int) -> tuple[float, float]:
    """Sums over bins of the absolute differences of log-likelihood and of first responsibility."""
    bins, t = placed(x / width, 0)
    bins, index = np.unique(bins, return_inverse=True)
    sketch = Sketch(0, bins, chebyshev_sums(t, None, index, bins.size), None, x.size, 0.0, 0.0)
    sample, at = nodes_of([sketch], order)
    places = sample.values * width
    found = []
    for function in (pair.log_density, lambda z: pair.features(z.astype(complex))[0].real):
        rows = np.bincount(index, function(x))
        nodes = np.bincount(at, function(places) * sample.weights)
        found.append(float(np.abs(rows - nodes).sum()))
    return found[0], found[1]


def predicted(width: float, pair: Pair, order: int) -> float:
    """The factor rho^(-2 q) of a bin on the threshold, below the nearest zero."""
    eta = 2.0 * pair.nearest() / width
    return float((eta + math.sqrt(1.0 + eta**2)) ** (-2 * order))


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("design", DESIGNS)
def test_half_the_width_is_a_256th_of_the_error_with_four_nodes(design: str, order: int) -> None:
    pair = DESIGNS[design]
    x = np.linspace(-4.0, 6.0, 200_001)  # evenly spaced, so that bins differ by the density alone
    widths = pair.nearest() * 2.0 ** -np.arange(1.0, 5.0)
    measured = np.array([errors(x, width, pair, order) for width in widths])
    for column in measured.T:
        column = column[column > 8e-9]  # below is what rounding leaves of 200,000 rows
        assert column.size >= 2
        slopes = np.log2(column[:-1] / column[1:])
        assert slopes[-1] == pytest.approx(2 * order, abs=0.7)


@pytest.mark.parametrize("exponent", [-1, -2, -3])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_working_rule_bounds_how_far_the_estimate_moves(design: str, exponent: int) -> None:
    pair = DESIGNS[design]
    rng = np.random.default_rng(13)
    which = (rng.random(50_000) > pair.weights[0]).astype(int)
    x = rng.normal(pair.means[which], pair.sds[which])
    width = pair.nearest() * 2.0**exponent
    unit = 2.0 ** math.floor(math.log2(width))
    x = x * (unit / width)  # so that bins are exactly that share of the height
    moved = Pair(pair.weights, pair.means * (unit / width), pair.sds * (unit / width))
    sample = sketch_of_rows(x, int(math.log2(unit))).to_sample()
    inside = Pair(
        moved.weights, (moved.means - sample.origin) / sample.scale, moved.sds / sample.scale
    )
    rows = working((x - sample.origin) / sample.scale, np.ones(x.size), inside)
    nodes = working(sample.local, sample.weights, inside)
    difference = np.linalg.solve(np.linalg.cholesky(-rows[2]), nodes[1] - rows[1])
    rule = 10.0 * math.sqrt(x.size) * predicted(width, pair, Q)
    assert np.linalg.norm(difference) <= rule + 1e-10


def test_a_component_below_half_a_bin_collapses_falsely() -> None:
    x = rows_of("normal", 100_000, 14)
    sample = sketch_of_rows(x, -3).to_sample()
    heaviest = int(np.argmax(sample.weights))
    ordinates = sample.local[heaviest] * sample.scale
    for sd, faithful in ((4.0, True), (0.5, True), (0.01, False)):
        narrow = sd / 8.0
        mixture = NormalMixture([0.01, 0.99], [sample.origin + ordinates, 0.0], [narrow, 1.0])
        rows = bt.loglike(x, mixture)
        nodes = bt.loglike(sample.values, mixture, sample_weight=sample.weights)
        assert (abs(nodes - rows) < 10.0) == faithful
        assert nodes > rows - 10.0
