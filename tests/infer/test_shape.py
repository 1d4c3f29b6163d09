"""Measures of how far two components are apart, against mpmath."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.typing import NDArray

import bactrian as bt
from bactrian.fitting.uncertainty import estimates
from bactrian.infer.shape import shape_quantities
from bactrian.model.parameters import from_working, to_working
from tests.infer.test_cuts import MIXTURES, split, working_of
from tests.problems import draw

Array = NDArray[np.float64]

PAIRS = [
    (name, pair) for name in MIXTURES for pair in ((0, 1), (1, 2)) if pair[1] < 2 or name == "three"
]
NAMES = ["separation", "Ashman's D", "overlap", "Bayes error", "bimodality"]


def exact_values(mixture: bt.NormalMixture, j: int, k: int) -> list[float]:
    """Four of the measures from their definitions."""
    weights, means, sds = split(working_of(mixture))
    p, q = (weights[i] / (weights[j] + weights[k]) for i in (j, k))
    pooled = mp.sqrt(p * sds[j] ** 2 + q * sds[k] ** 2)
    gap = means[k] - means[j]

    def common(one: mpf, other: mpf) -> mpf:
        def smaller(x: mpf) -> mpf:
            return min(one * mp.npdf(x, means[j], sds[j]), other * mp.npdf(x, means[k], sds[k]))

        ends = [means[i] + d * sds[i] for i in (j, k) for d in range(-12, 13, 2)]
        cuts = bt.NormalMixture(
            [float(one / (one + other)), float(other / (one + other))],
            [float(means[i]) for i in (j, k)],
            [float(sds[i]) for i in (j, k)],
        ).crossings()
        return mp.quad(smaller, sorted([*ends, *map(mpf, cuts)]))

    ashman = mp.sqrt(2) * gap / mp.sqrt(sds[j] ** 2 + sds[k] ** 2)
    return [float(v) for v in (gap / pooled, ashman, common(mpf(1), mpf(1)), common(p, q))]


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_measures_are_those_of_their_definitions(name: str, pair: tuple[int, int]) -> None:
    mixture = MIXTURES[name]
    quantities = shape_quantities(*pair)
    assert [quantity.name for quantity in quantities] == NAMES
    with mp.workdps(25):
        exact = exact_values(mixture, *pair)
    for quantity, value in zip(quantities[:4], exact, strict=True):
        assert quantity.of(mixture) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_slopes_are_those_of_differences(name: str, pair: tuple[int, int]) -> None:
    mixture = MIXTURES[name]
    at, step = to_working(mixture), 1e-2
    # Central differences of the sixth order err by some step**6 / 140, and by rounding / step.
    nodes = [(n, c) for n, c in zip((1, 2, 3), (3 / 4, -3 / 20, 1 / 60), strict=True)]
    for quantity in shape_quantities(*pair):
        slopes = np.zeros(at.size)
        for i, unit in enumerate(np.eye(at.size) * step):
            for n, c in nodes:
                ends = [quantity.of(from_working(at + s * n * unit)) for s in (1, -1)]
                slopes[i] += c * (ends[0] - ends[1]) / step
        if math.isnan(quantity.of(mixture)):
            assert (name, quantity.name) == ("overlapping", "bimodality")
            continue
        assert quantity.gradient is not None
        np.testing.assert_allclose(quantity.gradient(mixture), slopes, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["unequal", "equal sds", "lower wider"])
def test_two_humps_become_one_when_the_odds_move_by_the_bimodality(name: str) -> None:
    mixture = MIXTURES[name]
    margin = shape_quantities(0, 1)[4].of(mixture)
    assert margin > 0.0
    counts = set()
    for side in (-1.0, 1.0):
        for factor, most in ((0.999, 2), (1.001, 2)):
            odds = math.log(mixture.weights[1] / mixture.weights[0]) + side * margin * factor
            share = 1.0 / (1.0 + math.exp(-odds))
            moved = bt.NormalMixture([1.0 - share, share], mixture.means, mixture.sds)
            counts.add((factor, moved.modes().size))
            assert moved.modes().size <= most
            left = shape_quantities(0, 1)[4].of(moved)
            assert (left > 0.0) == (moved.modes().size == 2)
    # On the nearer side one hump is lost just beyond the margin, and none before.
    assert (0.999, 1) not in counts
    assert (1.001, 1) in counts


def test_a_fit_lists_them_with_intervals() -> None:
    fit = bt.fit(draw("apart"))
    shape = fit.shape()
    assert [e.name for e in shape] == NAMES
    assert all(e.low < e.value < e.high and e.method == "wald" for e in shape)
    assert shape["bimodality"].low > 0.0
    assert fit.mixture.modes().size == 2
    by_profile = estimates(fit, shape_quantities(0, 1)[:4], 0.95, "profile", None)
    for one, other in zip(shape[:4], by_profile, strict=True):
        assert other.low == pytest.approx(one.low, rel=0.2)
        assert other.high == pytest.approx(one.high, rel=0.2)


def test_the_measures_do_not_depend_on_unit_and_origin() -> None:
    x = draw("overlapping")
    shapes = [bt.fit(rows).shape() for rows in (x, 2.0**60 * x, x + 2.0**20)]
    for moved in shapes[1:]:
        for one, other in zip(shapes[0], moved, strict=True):
            for field in ("value", "standard_error", "low", "high"):
                expected = pytest.approx(getattr(one, field), rel=1e-7, nan_ok=True)
                assert getattr(other, field) == expected


def test_one_hump_has_no_bimodality_and_says_so() -> None:
    heights = bt.datasets.load("heights")
    fit = bt.fit(heights["height"], sample_weight=heights["count"])
    found = fit.shape()["bimodality"]
    assert math.isnan(found.value)
    assert "no weights" in found.note
    assert fit.mixture.modes().size == 1


def test_three_components_need_the_names_of_two() -> None:
    fit = bt.fit(draw("three"), 3)
    with pytest.raises(bt.ParameterError, match=r"components=\(1, 2\)"):
        fit.shape()
    assert fit.shape((2, 3))["separation"].value > 4.0


def test_a_profile_ends_where_the_other_hump_is_lost_first() -> None:
    found = bt.fit(bt.datasets.load("faithful")["waiting"]).shape(method="profile")["bimodality"]
    assert found.high == math.inf
    assert "the quantity has a kink or an end there" in found.note
