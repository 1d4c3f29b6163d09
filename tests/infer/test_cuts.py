"""Cuts and their rates against roots in mpmath; slopes against differences of those roots."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.typing import NDArray

import bactrian as bt
from bactrian.infer.cuts import (
    Cut,
    LevelCut,
    OtherCut,
    QuantileCut,
    Rate,
    ValleyCut,
    cut_quantity,
    rate_quantities,
)

Array = NDArray[np.float64]
Numbers = list[mpf]

MIXTURES = {
    "unequal": bt.NormalMixture([0.35, 0.65], [-0.8, 2.75], [0.75, 1.25]),
    "equal sds": bt.NormalMixture([0.3, 0.7], [0.0, 3.0], [1.0, 1.0]),
    "lower wider": bt.NormalMixture([0.6, 0.4], [0.0, 3.5], [1.5, 0.5]),
    "three": bt.NormalMixture([0.3, 0.4, 0.3], [-4.0, 0.0, 5.0], [1.0, 0.7, 1.5]),
    "overlapping": bt.NormalMixture([0.5, 0.5], [0.0, 1.2], [1.0, 1.6]),
}
LOGIT = math.log(0.1 / 0.9)
CUTS: dict[str, Callable[[int, int], Cut]] = {
    "posterior of one half": LevelCut,
    "posterior of 0.9": lambda j, k: LevelCut(j, k, -LOGIT),
    "another population": lambda j, k: LevelCut(j, k, 0.3, LOGIT),
    "quantile of the lower": lambda j, k: QuantileCut(j, k, False, 1.6),
    "quantile of the upper": lambda j, k: QuantileCut(j, k, True, -2.3),
    "valley": ValleyCut,
    "where it falls back": lambda j, k: OtherCut(LevelCut(j, k)),
}
CASES = [
    (name, kind, pair)
    for name, mixture in MIXTURES.items()
    for kind in CUTS
    for pair in ((0, 1), (1, 2))[: mixture.n_components - 1]
    if not math.isnan(CUTS[kind](*pair).at(mixture))
]


def split(working: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Weights, means and sds of working coordinates."""
    k = (len(working) + 1) // 3
    shares = [mp.exp(a) for a in (*working[: k - 1], mpf(0))]
    total = mp.fsum(shares)
    sds = [mp.exp(t / 2) for t in working[2 * k - 1 :]]
    return [s / total for s in shares], working[k - 1 : 2 * k - 1], sds


def working_of(mixture: bt.NormalMixture) -> Numbers:
    weights = [mpf(w) for w in mixture.weights]
    return [
        *(mp.log(w / weights[-1]) for w in weights[:-1]),
        *map(mpf, mixture.means),
        *(2 * mp.log(mpf(s)) for s in mixture.sds),
    ]


def equation(cut: Cut, working: Numbers) -> Callable[[mpf], mpf]:
    """What is zero at the cut."""
    weights, means, sds = split(working)
    j, k = cut.lower, cut.upper
    if isinstance(cut, OtherCut):
        return equation(cut.main, working)
    if isinstance(cut, QuantileCut):
        which = k if cut.of_upper else j
        area = mp.ncdf(mpf(cut.distance))
        return lambda x: mp.ncdf(x, means[which], sds[which]) - area
    if isinstance(cut, LevelCut):
        ratio = mp.exp(mpf(cut.prior)) if cut.prior is not None else weights[k] / weights[j]
        return lambda x: (
            mp.log(ratio * mp.npdf(x, means[k], sds[k]) / mp.npdf(x, means[j], sds[j]))
            - mpf(cut.level)
        )
    rows = list(zip(weights, means, sds, strict=True))
    return lambda x: mp.fsum(w * (x - u) / s**2 * mp.npdf(x, u, s) for w, u, s in rows)


def exact_cut(cut: Cut, working: Numbers, near: float) -> mpf:
    return mp.findroot(equation(cut, working), mpf(near))


def exact_rates(cut: Cut, working: Numbers, near: float, prior: float | None) -> list[mpf]:
    weights, means, sds = split(working)
    x, j, k = exact_cut(cut, working, near), cut.lower, cut.upper
    above = 1 - mp.ncdf(x, means[j], sds[j])
    below = mp.ncdf(x, means[k], sds[k])
    share = weights[k] / (weights[j] + weights[k])
    share = share if prior is None else 1 / (1 + mp.exp(-mpf(prior)))
    return [above, below, (1 - share) * above + share * below]


def difference(function: Callable[[Numbers], mpf], at: Numbers) -> Array:
    """Slopes by central differences in 40 digits."""
    step, found = mpf(10) ** -12, []
    for i in range(len(at)):
        ends = [function([*at[:i], at[i] + d, *at[i + 1 :]]) for d in (step, -step)]
        found.append(float((ends[0] - ends[1]) / (2 * step)))
    return np.array(found)


@pytest.mark.parametrize(("name", "kind", "pair"), CASES)
def test_cuts_and_their_slopes_are_exact(name: str, kind: str, pair: tuple[int, int]) -> None:
    mixture, cut = MIXTURES[name], CUTS[kind](*pair)
    quantity = cut_quantity(cut, "threshold")
    x = quantity.of(mixture)
    assert quantity.gradient is not None
    with mp.workdps(40):
        at = working_of(mixture)
        assert x == pytest.approx(float(exact_cut(cut, at, x)), rel=1e-13, abs=1e-13)
        slopes = difference(lambda working: exact_cut(cut, working, x), at)
    np.testing.assert_allclose(quantity.gradient(mixture), slopes, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("prior", [None, LOGIT])
@pytest.mark.parametrize(("name", "kind", "pair"), CASES)
def test_rates_and_their_slopes_are_exact(
    name: str, kind: str, pair: tuple[int, int], prior: float | None
) -> None:
    mixture, cut = MIXTURES[name], CUTS[kind](*pair)
    x = cut.at(mixture)
    with mp.workdps(40):
        at = working_of(mixture)
        exact = [float(rate) for rate in exact_rates(cut, at, x, prior)]
        slopes = [
            difference(lambda working, i=i: exact_rates(cut, working, x, prior)[i], at)  # type: ignore[misc]
            for i in range(3)
        ]
    for quantity, value, slope in zip(rate_quantities(cut, prior), exact, slopes, strict=True):
        assert quantity.gradient is not None
        assert quantity.of(mixture) == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(quantity.gradient(mixture), slope, rtol=1e-9, atol=1e-10)


def test_every_kind_of_cut_is_tried_on_every_mixture_that_has_it() -> None:
    missing = {
        (name, kind)
        for name in MIXTURES
        for kind in CUTS
        if not any(case[:2] == (name, kind) for case in CASES)
    }
    assert missing == {("equal sds", "where it falls back"), ("overlapping", "valley")}


@pytest.mark.parametrize("of_upper", [False, True])
def test_a_chosen_rate_is_reached_to_the_last_digit_and_has_no_slope(of_upper: bool) -> None:
    for distance in (-3.7, 0.123, 1.37, 1.6449, 2.9):
        cut = QuantileCut(0, 1, of_upper, distance)
        values = [Rate(cut, of_upper).of(mixture) for mixture in MIXTURES.values()]
        assert len(set(values)) == 1
        assert values[0] == pytest.approx(
            float(mp.ncdf(distance if of_upper else -distance)), rel=1e-15
        )
        for mixture in MIXTURES.values():  # with a rounding error it would count as unknown
            assert not Rate(cut, of_upper).slopes(mixture).any()
        assert Rate(cut, not of_upper).slopes(MIXTURES["three"]).any()


def test_without_a_cut_there_are_neither_rates_nor_slopes() -> None:
    mixture = bt.NormalMixture([0.99, 0.01], [0.0, 0.3], [2.0, 1.0])
    for cut in (LevelCut(0, 1), ValleyCut(0, 1)):
        for quantity in (cut_quantity(cut, "threshold"), *rate_quantities(cut, None)):
            assert quantity.gradient is not None
            assert math.isnan(quantity.of(mixture))
            assert np.isnan(quantity.gradient(mixture)).any()


def test_rates_at_the_cut_are_those_of_a_million_draws() -> None:
    mixture = MIXTURES["unequal"]
    cut, rng, size = LevelCut(0, 1), np.random.default_rng(7), 1_000_000
    x = cut.at(mixture)
    upper = rng.random(size) < mixture.weights[1]
    k = upper.astype(int)
    draws = mixture.means[k] + mixture.sds[k] * rng.standard_normal(size)
    called = draws > x
    counted = [called[~upper].mean(), 1.0 - called[upper].mean(), (called != upper).mean()]
    for quantity, share in zip(rate_quantities(cut, None), counted, strict=True):
        rate = quantity.of(mixture)
        # Four standard errors of a share of at least a third of the draws.
        assert share == pytest.approx(rate, abs=4.0 * math.sqrt(3.0 * rate * (1.0 - rate) / size))


def test_a_point_too_far_for_any_slope_has_none() -> None:
    """There the distances in sds are the same to the last digit, and the log-odds seem flat."""
    mixture = bt.NormalMixture([0.5, 0.5], [0.0, 1.0], [1.0, 1.0])
    slopes = LevelCut(0, 1).slopes(mixture, 1e20)
    assert np.isnan(slopes).all()
