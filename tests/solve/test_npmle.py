"""The best mixture of components of one sd: optimal, and the same as by plain EM."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bactrian.solve.npmle import loglike_and_ratios, npmle

Array = np.ndarray


def by_em(x: Array, w: Array) -> float:
    """The log-likelihood of the best shares on a fine grid, without its constant."""
    kernel = np.exp(-0.5 * (x[:, None] - np.arange(x[0], x[-1] + 0.1, 0.1)) ** 2)
    shares = np.full(kernel.shape[1], 1.0 / kernel.shape[1])
    for _ in range(3000):
        shares = shares * (kernel.T @ (w / (kernel @ shares))) / w.sum()
    return float(w @ np.log(kernel @ shares))


@pytest.mark.parametrize("spread", [0.5, 2.0, 6.0])
def test_it_is_at_least_as_good_as_em_on_a_fine_grid(spread: float) -> None:
    rng = np.random.default_rng(7)
    x, w = np.sort(rng.standard_t(3, 80)) * spread, rng.integers(1, 4, 80).astype(float)
    places, shares = npmle(x, w, math.inf)
    loglike, _ = loglike_and_ratios(x, w, places, shares)
    assert by_em(x, w) - 0.01 <= loglike
    assert shares.sum() == pytest.approx(1.0)
    assert (shares > 0.0).all()


def test_no_place_is_worth_more_than_those_taken() -> None:
    """The condition of optimality, from the definition."""
    rng = np.random.default_rng(8)
    x, w = np.sort(rng.normal(0.0, 3.0, 200)), np.ones(200)
    places, shares = npmle(x, w, math.inf)
    _, ratios = loglike_and_ratios(x, w, places, shares)
    grid = np.linspace(x[0], x[-1], 2001)
    height = np.exp(-0.5 * (grid[:, None] - x) ** 2) @ ratios
    assert 200.0 * math.log(height.max()) < 1.1e-3
    assert np.exp(-0.5 * (places[:, None] - x) ** 2) @ ratios == pytest.approx(1.0, abs=1e-3)


def test_far_from_each_other_each_value_has_its_share() -> None:
    x, w = np.array([0.0, 100.0, 200.0]), np.array([1.0, 2.0, 5.0])
    places, shares = npmle(x, w, 0.0)
    order = places.argsort()
    np.testing.assert_allclose(places[order], x, atol=1e-6)
    np.testing.assert_allclose(shares[order], w / 8.0, atol=1e-6)


def test_blocks_of_rows_are_one_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    x, w = np.sort(rng.normal(0.0, 3.0, 200)), rng.exponential(1.0, 200)
    places, shares = np.array([-2.0, 0.0, 3.0]), np.array([0.2, 0.5, 0.3])
    whole = loglike_and_ratios(x, w, places, shares)
    monkeypatch.setattr("bactrian.solve.npmle._BLOCK", 30)
    parts = loglike_and_ratios(x, w, places, shares)
    assert parts[0] == pytest.approx(whole[0], rel=1e-14)
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-14)
