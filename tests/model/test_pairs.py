"""Two components side by side, against roots and integrals in mpmath."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp, mpf

import bactrian as bt
from bactrian.model.pairs import Component, Pair, extreme, meeting, pair_of, shared

PAIRS = {
    "equal sds": Pair(Component(0.0, 1.0), Component(2.5, 1.0), 0.4),
    "upper wider": Pair(Component(0.0, 1.0), Component(2.5, 1.5), 0.4),
    "lower wider": Pair(Component(-1.0, 2.0), Component(2.5, 0.5), -0.7),
    "nearly equal sds": Pair(Component(0.0, 1.0), Component(2.5, 1.0 + 1e-12), 0.4),
    "same means": Pair(Component(1.0, 1.0), Component(1.0, 2.0), 0.5),
    "narrow in wide": Pair(Component(0.0, 3.0), Component(0.5, 0.01), -2.0),
    "far apart": Pair(Component(0.0, 1.0), Component(60.0, 2.0), 0.0),
}
NEVER = Pair(Component(0.0, 2.0), Component(0.3, 1.0), -3.0)


def density(component: Component, x: mpf) -> mpf:
    """The normal density in mpmath."""
    return mp.npdf(x, mpf(component.mean), mpf(component.sd))


def odds(pair: Pair, x: mpf) -> mpf:
    """Log-odds of the upper component, from the logarithms of the densities."""
    parts = [
        -(((x - mpf(c.mean)) / mpf(c.sd)) ** 2) / 2 - mp.log(mpf(c.sd))
        for c in (pair.lower, pair.upper)
    ]
    return mpf(pair.log_odds) + parts[1] - parts[0]


@pytest.mark.parametrize("name", list(PAIRS))
def test_the_odds_rise_through_one_at_the_first_point_and_fall_at_the_second(name: str) -> None:
    pair = PAIRS[name]
    with mp.workdps(40):
        found = meeting(pair)
        assert not math.isnan(found.overtaking)
        for x, sign in zip(found, (1, -1), strict=True):
            if math.isnan(x):
                assert pair.lower.sd == pair.upper.sd
                continue
            slope = mp.diff(lambda t: odds(pair, t), mpf(x))
            exact = mp.findroot(lambda t: odds(pair, t), mpf(x))
            assert slope * sign > 0
            assert abs(mpf(x) - exact) < 1e-14 * (abs(exact) + pair.upper.sd)


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "same means"])
def test_the_odds_rise_at_the_point_nearest_to_the_middle_of_the_means(name: str) -> None:
    pair = PAIRS[name]
    middle, found = 0.5 * (pair.lower.mean + pair.upper.mean), meeting(pair)
    if not math.isnan(found.falling_back):
        assert abs(found.overtaking - middle) < abs(found.falling_back - middle)


def test_turned_means_exchange_the_two_points() -> None:
    for pair in (PAIRS["upper wider"], PAIRS["lower wider"]):
        turned = Pair(pair.upper, pair.lower, -pair.log_odds)
        assert meeting(turned) == tuple(reversed(meeting(pair)))


def test_no_point_where_the_wider_one_always_wins() -> None:
    assert all(math.isnan(x) for x in meeting(NEVER))
    x, most = extreme(NEVER)
    grid = np.linspace(-5.0, 5.0, 2001)
    values = [float(odds(NEVER, mpf(t))) for t in grid]
    assert max(values) <= most + 1e-14 < 0.0
    assert most == pytest.approx(float(odds(NEVER, mpf(x))), rel=1e-13)
    assert most == pytest.approx(max(values), abs=1e-4)
    wide = Pair(NEVER.upper, NEVER.lower, 3.0)
    assert extreme(wide) == pytest.approx((x, -most))


def test_components_that_are_the_same_never_meet() -> None:
    pair = Pair(Component(1.0, 2.0), Component(1.0, 2.0), 0.3)
    assert all(math.isnan(x) for x in (*meeting(pair), *extreme(pair)))
    assert shared(pair).value == pytest.approx(pair.lower_share, rel=1e-15)


@pytest.mark.parametrize("name", [*PAIRS, "never"])
def test_the_shared_area_is_the_integral_of_the_smaller_density(name: str) -> None:
    pair = PAIRS.get(name, NEVER)
    with mp.workdps(30):
        shares = [1 / (1 + mp.exp(mpf(sign * pair.log_odds))) for sign in (1, -1)]

        def smaller(x: mpf) -> mpf:
            one, other = (density(c, x) for c in (pair.lower, pair.upper))
            return min(shares[0] * one, shares[1] * other)

        points = [c.mean + d * c.sd for c in (pair.lower, pair.upper) for d in range(-14, 15, 2)]
        points += [x for x in meeting(pair) if abs(x) < 1e3]
        exact = mp.quad(smaller, sorted(map(mpf, points)))
        assert shared(pair).value == pytest.approx(float(exact), rel=1e-12)


def test_a_pair_of_a_mixture_has_the_odds_of_its_weights() -> None:
    mixture = bt.NormalMixture([0.2, 0.5, 0.3], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
    pair = pair_of(mixture, 0, 2)
    assert (pair.lower, pair.upper) == ((0.0, 1.0), (2.0, 3.0))
    assert pair.upper_share == pytest.approx(0.6, rel=1e-15)
    assert pair.lower_share == pytest.approx(0.4, rel=1e-15)
    assert pair_of(mixture, 0, 2, 1.5).log_odds == 1.5
    empty = bt.NormalMixture([0.0, 1.0], [0.0, 1.0], [1.0, 1.0])
    assert all(math.isnan(x) for x in meeting(pair_of(empty, 0, 1)))


def test_shares_of_extreme_odds_do_not_overflow() -> None:
    for sign in (-1.0, 1.0):
        pair = Pair(Component(0.0, 1.0), Component(1.0, 1.0), sign * 1e4)
        assert (pair.lower_share, pair.upper_share) == ((1.0, 0.0) if sign < 0 else (0.0, 1.0))
