"""Rows that prefer round numbers are noticed, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.solve.heaping import Heaping, _most, heaping

Array = NDArray[np.float64]
NAMES = ("crabs", "faithful", "galaxies", "heights", "iris", "newcomb", "penguins")


def found_in(x: Array, sd: float, counts: Array | None = None) -> Heaping | None:
    """What is found in rows under one component of an sd in their unit."""
    sample = Sample.of(x, counts)
    return heaping(sample, np.array([1.0]), np.array([sd / sample.scale]))


def rounded(rng: np.random.Generator, mean: float, sd: float, step: float, share: float) -> Array:
    """Rows of a normal distribution in whole numbers, a share of them to multiples of a step."""
    x = rng.normal(mean, sd, 800)
    return np.where(rng.uniform(size=x.size) < share, step * np.rint(x / step), np.rint(x))


@pytest.mark.parametrize("m", [2, 5, 10])
@pytest.mark.parametrize("sd", [0.8, 1.5, 3.0, 8.0])
def test_no_normal_distribution_has_a_larger_share_of_round_numbers(m: int, sd: float) -> None:
    numbers = m * np.arange(-60, 61)
    shares = [
        float((norm.cdf(numbers + 0.5, mean, sd) - norm.cdf(numbers - 0.5, mean, sd)).sum())
        for mean in np.linspace(0.0, m, 21)
    ]
    most = float(_most(np.array([sd]), m)[0])
    # Rounding makes the waves a little lower: by no more than the first, times 1 - 2 / pi.
    wave = 2.0 * np.exp(-2.0 * (np.pi * sd / m) ** 2)
    assert max(shares) - 1e-12 <= most <= max(shares) + 0.37 * wave + 1e-12


@pytest.mark.parametrize("step", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("unit", [1.0, 0.1, 2.0**-80])
def test_the_step_and_the_share_are_found(step: float, unit: float) -> None:
    x = rounded(np.random.default_rng(int(step)), 60.0, 14.0, step, 0.4)
    found = found_in(unit * x, unit * 14.0)
    assert found is not None
    scale = Sample.of(unit * x).scale
    assert found.unit * scale == pytest.approx(step * unit, rel=1e-9)
    assert found.share == np.mean(x % step == 0.0)
    # Of the others, one in as many is round by chance.
    error = np.sqrt(0.4 * 0.6 / x.size) / (1.0 - 1.0 / step)
    assert found.rounded == pytest.approx(0.4, abs=4.0 * error)


def test_a_count_stands_for_as_many_rows() -> None:
    x = rounded(np.random.default_rng(3), 60.0, 14.0, 5.0, 0.4)
    values, counts = np.unique(x, return_counts=True)
    assert found_in(values, 14.0, counts.astype(float)) == found_in(x, 14.0)


def test_rows_that_were_rounded_alike_are_left_alone() -> None:
    rng = np.random.default_rng(4)
    for _ in range(400):
        mean, sd, step = rng.uniform(-50.0, 50.0), rng.uniform(0.7, 20.0), rng.choice([0.1, 1.0, 5])
        x = step * np.rint(rng.normal(mean, sd, 400))
        assert found_in(x, step * sd) is None
    assert found_in(rng.normal(0.0, 1.0, 400), 1.0) is None
    shifted = rounded(rng, 60.0, 14.0, 5.0, 0.4) + 0.25
    assert found_in(shifted, 14.0) is None


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_word_of_it_in_the_data_sets_that_ship(name: str) -> None:
    for values in bt.datasets.load(name).values():
        if values.dtype.kind not in "fiu":
            continue
        for k in (1, 2):
            fit = bt.fit(values, k, missing="drop")
            assert not any("Heaping" in words for words in fit.certificate.warnings)


def test_a_fit_says_what_to_do() -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rounded(rng, 40.0, 9.0, 5.0, 0.5), rounded(rng, 70.0, 7.0, 5.0, 0.5)])
    words = [words for words in bt.fit(x).certificate.warnings if words.startswith("Heaping")]
    assert len(words) == 1
    assert f"{100 * np.mean(x % 5.0 == 0.0):.0f} % of the rows are multiples of 5, " in words[0]
    assert "at most 20 % would be" in words[0]
    assert "round all values to multiples of 5, fit again" in words[0]
    wide = np.concatenate([x, x + 200.0])
    assert bt.fit(10.0 + wide, 1).certificate.warnings == ()
