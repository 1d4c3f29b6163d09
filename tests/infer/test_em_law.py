"""The laws of the EM-test and the constants of its penalty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, norm

import bactrian as bt
from bactrian.infer.em_law import _confusions, law_in_words, p_value, penalty_level
from bactrian.model.mixture import NormalMixture

TWO = NormalMixture([0.3, 0.7], [0.0, 2.5], [1.0, 1.4])
THREE = NormalMixture([0.3, 0.4, 0.3], [-3.0, 0.0, 4.0], [1.0, 0.8, 1.5])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_law_is_chi_square_with_two_degrees_a_component(k: int) -> None:
    for statistic in (-1.0, 0.0, 0.3, 4.0, 60.0):
        expected = chi2.sf(max(statistic, 0.0), 2 * k)
        assert p_value(statistic, k, False) == pytest.approx(expected, rel=1e-12)
    assert str(2 * k) in law_in_words(k, False)


def test_with_equal_variances_it_is_the_larger_of_two() -> None:
    for level, critical in ((0.1, 2.720), (0.05, 3.901), (0.01, 6.745)):
        assert p_value(critical, 1, True) == pytest.approx(level, abs=2e-5)
    shift = 2.0 * math.log(0.6)
    for t in (-1.5, -0.5, 0.0, 1.0, 30.0):
        below = chi2.cdf(t - shift, 1) * (0.5 + 0.5 * chi2.cdf(t, 1) if t >= 0.0 else 0.0)
        if t < 0.0:
            below = 0.0 if t < shift else 0.5 * chi2.cdf(t - shift, 1)
        if t >= 0.0:
            assert p_value(t, 1, True) == pytest.approx(1.0 - below, abs=1e-12)
    assert 0.0 < p_value(200.0, 1, True) < 1e-40  # no difference of two numbers near one
    with pytest.raises(bt.ParameterError, match="bootstrap"):
        p_value(1.0, 2, True)


def taken_for_the_other(mixture: NormalMixture, own: int, other: int) -> float:
    """The share of a component that is more probably of another, by integration."""

    def height(x: float, k: int) -> float:
        return float(mixture.weights[k] * norm.pdf(x, mixture.means[k], mixture.sds[k]))

    def taken(x: float) -> float:
        heights = height(x, own), height(x, other)
        return heights[0] / float(mixture.weights[own]) if heights[1] > heights[0] else 0.0

    share: float = quad(taken, -15.0, 20.0, limit=2000)[0]
    return share


@pytest.mark.parametrize("mixture", [TWO, THREE])
def test_neighbours_are_confused_as_often_as_an_integral_says(mixture: NormalMixture) -> None:
    for k, ours in enumerate(_confusions(mixture)):
        wrong = taken_for_the_other(mixture, k, k + 1) + taken_for_the_other(mixture, k + 1, k)
        assert ours == pytest.approx(0.5 * wrong, abs=1e-6)


def test_penalties_are_those_of_the_authors() -> None:
    one = NormalMixture([1.0], [0.0], [1.0])
    assert penalty_level(one, 50.0, False) == 0.25
    assert penalty_level(one, 50.0, True) == 1.0
    (w,) = _confusions(TWO)
    exponent = -1.859 - 0.577 * math.log(w / (1.0 - w)) - 60.453 / 200.0
    assert penalty_level(TWO, 200.0, False) == pytest.approx(0.35 / (1.0 + math.exp(-exponent)))
    odds = np.prod([w / (1.0 - w) for w in _confusions(THREE)])
    exponent = -1.602 - 0.240 * math.log(odds) - 130.394 / 300.0
    assert penalty_level(THREE, 300.0, False) == pytest.approx(0.35 / (1.0 + math.exp(-exponent)))
    four = NormalMixture([0.25] * 4, [0.0, 3.0, 6.0, 9.0], [1.0] * 4)
    assert penalty_level(four, 300.0, False) == 0.2
    far = NormalMixture([0.5, 0.5], [0.0, 1e6], [1.0, 1.0])
    assert 0.0 < penalty_level(far, 300.0, False) <= 0.35
