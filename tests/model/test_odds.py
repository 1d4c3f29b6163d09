"""Log-odds as a product of two lines are those of the densities, to the digits of their terms."""

from __future__ import annotations

import math

import mpmath
import pytest

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.model.odds import Odds, odds_between, range_of

PAIRS = {
    "two": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.5]),
    "the wider one first": NormalMixture([0.7, 0.3], [2.0, -1.0], [4.0, 0.25]),
    "equal sds": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.2, 1.2]),
    "nearly equal sds": NormalMixture([0.4, 0.6], [0.0, 3.0], [1.0, 1.0 + 1e-12]),
    "offset 1e9": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 1.5]),
    "sd ratio 1e9": NormalMixture([0.5, 0.5], [1.0, 0.0], [1e-9, 1.0]),
    "tiny unit": NormalMixture([0.4, 0.6], [0.0, 3e-90], [1e-90, 1.5e-90]),
}


def computed(odds: Odds, x: float) -> float:
    """The log-odds as a database computes them."""
    u = (x - odds.mean) / odds.sd
    return odds.level + (odds.a * u + odds.b) * (odds.c * u + odds.d)


@pytest.mark.parametrize("mixture", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("which", [(0, 1), (1, 0)])
def test_they_are_the_log_odds(mixture: NormalMixture, which: tuple[int, int]) -> None:
    odds = odds_between(mixture, *which)
    with mpmath.workdps(60):
        for distance in (-1e6, -40.0, -1.0, 0.0, 0.3, 2.0, 17.0, 1e6):
            x = float(mixture.means[0] + distance * mixture.sds[0])
            parts = []
            for k in which:
                weight, mean, sd = (
                    mpmath.mpf(float(a[k])) for a in (mixture.weights, mixture.means, mixture.sds)
                )
                u = (mpmath.mpf(x) - mean) / sd
                parts.append((mpmath.log(weight) - mpmath.log(sd) - u * u / 2, u))
            (one, u), (other, v) = parts
            # Both lines and the level are good to some units of their largest terms, which for the
            # difference are small only if the distance is measured by the narrower component.
            narrow, wide = sorted(which, key=lambda k: float(mixture.sds[k]))
            ratio = mixture.sds[narrow] / mixture.sds[wide]
            apart = abs(mixture.means[0] - mixture.means[1]) / mixture.sds[wide]
            nearer = abs(u if which[0] == narrow else v)
            terms = (abs(u) + abs(v)) * (float(1.0 - ratio) * nearer + float(apart))
            allowed = 16 * 2.0**-53 * (1 + abs(odds.level) + terms)
            assert abs(computed(odds, x) - (one - other)) <= allowed


def test_a_component_against_itself_is_even() -> None:
    odds = odds_between(PAIRS["two"], 1, 1)
    assert [computed(odds, x) for x in (-1e100, 0.0, 3.0, 1e100)] == [0.0] * 4


def test_weights_of_zero_are_never_chosen() -> None:
    mixture = NormalMixture([0.0, 1.0], [0.0, 3.0], [1.0, 1.5])
    assert odds_between(mixture, 0, 1).level == -math.inf
    assert odds_between(mixture, 1, 0).level == math.inf


def test_the_range_holds_every_square() -> None:
    for mixture in PAIRS.values():
        low, high = range_of(mixture)
        assert low < mixture.means.min()
        assert mixture.means.max() < high
        for x in (low, high):
            for j, k in ((0, 1), (1, 0)):
                assert math.isfinite(computed(odds_between(mixture, j, k), x))


@pytest.mark.parametrize(
    ("means", "sds"),
    [([0.0, 1.0], [1e-60, 1e60]), ([0.0, 1e200], [1.0, 1.0]), ([0.0, 1e301], [1e300, 1e300]),
     ([0.0, 0.0], [1e-305, 1e-305])],
)  # fmt: skip
def test_what_no_doubles_express_is_refused(means: list[float], sds: list[float]) -> None:
    with pytest.raises(ParameterError, match="too different in scale"):
        range_of(NormalMixture([0.5, 0.5], means, sds))
