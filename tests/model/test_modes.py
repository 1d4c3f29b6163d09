"""Modes and valleys, against a dense search and the theorem of Robertson and Fryer."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.typing import NDArray

import bactrian as bt
from bactrian.model.modes import balance_turns, valley
from bactrian.model.pairs import Component


def slope(mixture: bt.NormalMixture, x: mpf) -> mpf:
    """The slope of the density in mpmath."""
    rows = zip(mixture.weights, mixture.means, mixture.sds, strict=True)
    return mp.fsum(
        -mpf(w) * (x - mpf(u)) / mpf(s) ** 2 * mp.npdf(x, mpf(u), mpf(s)) for w, u, s in rows
    )


def dense_turns(mixture: bt.NormalMixture, sign: float) -> NDArray[np.float64]:
    """Maxima (1) or minima (-1) of the log-density on a dense grid."""
    x = np.linspace(mixture.means.min() - 0.01, mixture.means.max() + 0.01, 10001)
    rise = np.sign(np.diff(mixture.logpdf(x))) * sign
    return x[1:-1][(rise[:-1] > 0.0) & (rise[1:] < 0.0)]


def random_mixture(seed: int, count: int) -> bt.NormalMixture:
    rng = np.random.default_rng(seed)
    means = np.sort(rng.normal(0.0, 2.0, count))
    return bt.NormalMixture(
        rng.dirichlet(np.full(count, 2.0)), means, np.exp(rng.normal(0, 0.6, count))
    )


@pytest.mark.parametrize(
    ("means", "sds"),
    [
        *itertools.product(
            [(0.0, 1.0), (0.0, 1e150), (-1e150, 1e150)],
            [(1.0, 2.0), (1e-150, 2e-150), (1e-150, 1e150), (1e150, 1e-150)],
        ),
        ((0.0, 1.0), (1e-300, 1e300)),
        ((-1e300, 1e300), (1.0, 2.0)),
        ((-1.7e308, 1.7e308), (1e300, 2e307)),
        ((-1.7e308, 1.7e308), (1.7e308, 1e300)),
        ((-1.7e308, 1.7e308), (1e308, 1e308)),
    ],
)
@pytest.mark.parametrize("share", [0.4, 1e-300])
def test_modes_are_found_at_any_scale(
    means: tuple[float, float], sds: tuple[float, float], share: float
) -> None:
    """The slope changes its sign within four floats of a mode, or a millionth of an sd."""
    mixture = bt.NormalMixture([share, 1.0 - share], means, sds)
    found = mixture.modes()
    assert 1 <= found.size <= 2
    with mp.workdps(60):
        for mode in found:
            near = max(1e-6 * min(sds), 4.0 * np.spacing(abs(mode)))
            assert slope(mixture, mpf(float(mode)) - near) >= 0
            assert slope(mixture, mpf(float(mode)) + near) <= 0
    if share == 0.4 and 0.5 * means[1] - 0.5 * means[0] > 50.0 * max(sds):
        assert np.all(
            np.abs(found - means) <= 1e-15 * np.array(sds) + 4.0 * np.spacing(np.abs(means))
        )


def test_modes_far_from_zero_and_below_the_distance_of_floats_are_found() -> None:
    for count in (2, 3):
        means = [1e6 + k for k in range(count)]
        mixture = bt.NormalMixture([1.0 / count] * count, means, [1e-5] * count)
        assert mixture.modes().tolist() == means
    tiny = bt.NormalMixture([0.4, 0.6], [1e-150, 3e-150], [1e-300, 1e300])
    assert tiny.modes().tolist() == [1e-150]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_modes_and_valleys_are_those_of_a_dense_search(count: int) -> None:
    several = 0
    for seed in range(30):
        mixture = random_mixture(seed, count)
        found, dense = mixture.modes(), dense_turns(mixture, 1.0)
        assert found == pytest.approx(dense, abs=3e-3)
        several += len(found) > 1
        lowest = dense_turns(mixture, -1.0)
        at = valley(mixture, mixture.means[0], mixture.means[-1])
        if lowest.size:
            assert at == pytest.approx(lowest[mixture.logpdf(lowest).argmin()], abs=3e-3)
        else:
            assert math.isnan(at)
    assert several > 5


def test_modes_are_roots_of_the_slope_to_rounding() -> None:
    mixture = bt.NormalMixture([0.4, 0.6], [0.0, 6.0], [1.0, 1.5])
    points = [*mixture.modes(), valley(mixture, 0.0, 6.0)]
    assert len(points) == 3
    with mp.workdps(40):
        for x in points:
            exact = mp.findroot(lambda t: slope(mixture, t), mpf(x))
            assert abs(mpf(x) - exact) < 1e-14 * max(1, abs(exact))


def test_two_humps_appear_at_two_sds() -> None:
    for apart, count in ((1.999, 1), (2.001, 2)):
        mixture = bt.NormalMixture([0.5, 0.5], [-apart / 2, apart / 2], [1.0, 1.0])
        assert mixture.modes().size == count


@pytest.mark.parametrize("ratio", [1.0, 0.5, 3.0])
def test_where_any_weights_give_two_humps_is_the_condition_of_robertson_and_fryer(
    ratio: float,
) -> None:
    square = ratio**2
    least = 2.0 * (square**2 - square + 1.0) ** 1.5
    least -= 2.0 * square**3 - 3.0 * square**2 - 3.0 * square + 2.0
    least = math.sqrt(least) / ratio  # their mu_0, in sds of the first component
    for factor, some in ((0.999, False), (1.001, True)):
        turns = balance_turns(
            Component(1.0, 2.0), Component(1.0 + 2.0 * least * factor, 2.0 * ratio)
        )
        assert math.isnan(turns[0]) != some


def test_degenerate_mixtures_have_one_mode() -> None:
    assert bt.NormalMixture([1.0], [3.0], [2.0]).modes().tolist() == [3.0]
    assert bt.NormalMixture([0.5, 0.5], [3.0, 3.0], [2.0, 1.0]).modes().tolist() == [3.0]
    mixture = bt.NormalMixture([0.5, 0.5], [3.0, 3.0], [2.0, 1.0])
    assert math.isnan(valley(mixture, 3.0, 3.0))


def test_modes_of_humps_far_apart_do_not_underflow() -> None:
    mixture = bt.NormalMixture([0.5, 0.5], [-1e4, 1e4], [1.0, 1.0])
    assert mixture.modes().tolist() == pytest.approx([-1e4, 1e4], rel=1e-15)
    assert valley(mixture, -1e4, 1e4) == pytest.approx(0.0, abs=1e-9)
    three = bt.NormalMixture([0.2, 0.5, 0.3], [-1e4, 0.0, 3e4], [1.0, 1.0, 2.0])
    assert three.modes().tolist() == pytest.approx([-1e4, 0.0, 3e4], rel=1e-15, abs=1e-15)
    # Where x / 1 = (3e4 - x) / 2 in sds, but for the logarithms of weights and sds.
    assert valley(three, 0.0, 3e4) == pytest.approx(1e4, abs=1e-2)
    with mp.workdps(40):
        low, high = (mpf(valley(three, 0.0, 3e4)) * (1 + d * mpf("1e-14")) for d in (-1, 1))
        assert slope(three, low) < 0 < slope(three, high)
