"""Histograms: shares counted right, at edges where they are known, in bins that suit the fit."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.infer.histogram import Histogram, histogram
from bactrian.model.mixture import NormalMixture
from tests.problems import MIXTURES, draw

ROWS = draw("apart", 2000)


def of_rows(x: np.ndarray, bins: int | np.ndarray | None = None) -> Histogram:
    """The histogram of rows, for one normal of their mean and sd."""
    sample = Sample.of(x)
    local = NormalMixture([1.0], [sample.local.mean()], [math.sqrt(sample.local_variance)])
    return histogram(sample, local, bins)


def test_the_heights_are_those_of_numpy() -> None:
    found = of_rows(ROWS, 17)
    heights, edges = np.histogram(ROWS, 17, density=True)
    np.testing.assert_allclose(found.edges, edges, rtol=1e-12)
    np.testing.assert_allclose(found.heights, heights, rtol=1e-12)


def test_rows_outside_the_users_edges_count_in_the_total() -> None:
    edges = np.array([-1.0, 0.0, 2.0])
    found = of_rows(ROWS, edges)
    shares = [((ROWS >= a) & (ROWS < b)).mean() for a, b in ((-1.0, 0.0), (0.0, 2.0))]
    np.testing.assert_allclose(found.heights * np.diff(edges), shares, rtol=1e-12)
    np.testing.assert_array_equal(found.edges, edges)


def test_of_one_normal_the_width_is_that_of_scott() -> None:
    found = of_rows(x := np.random.default_rng(1).normal(5.0, 3.0, 4000))
    scott = (24.0 * math.sqrt(math.pi) / x.size) ** (1.0 / 3.0) * x.std()
    assert np.ptp(x) / scott <= found.heights.size < np.ptp(x) / scott + 1.0


def test_the_width_for_a_mixture_is_that_of_its_roughness() -> None:
    mixture = MIXTURES["three"]
    sample = Sample.of(x := draw("three", 4000))
    local = mixture.affine(-sample.origin / sample.scale, 1.0 / sample.scale)
    at = np.linspace(-10.0, 10.0, 200_001)
    slopes = np.gradient(mixture.pdf(at), at)
    best = (6.0 / (x.size * (slopes**2).sum() * (at[1] - at[0]))) ** (1.0 / 3.0)
    assert histogram(sample, local).heights.size == math.ceil(np.ptp(x) / best)


def test_rounded_values_are_counted_between_their_multiples_and_show_no_comb() -> None:
    x = np.round(ROWS, 1)
    for bins in (None, 7, 40):
        edges, heights = of_rows(x, bins)
        multiples = (edges - 0.05) / 0.1
        np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-6)
        np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0], rtol=1e-9)
        assert (heights * np.diff(edges)).sum() == pytest.approx(1.0, rel=1e-12)


def test_a_sketch_gives_the_shares_of_its_rows_exactly() -> None:
    x = MIXTURES["apart"].sample(60_000, np.random.default_rng(3))
    sample = bt.Sketch.of(x).to_sample()
    assert sample.edges is not None
    assert sample.width > 0.0
    local = NormalMixture([1.0], [0.0], [1.0])
    edges, heights = histogram(sample, local, 30)
    assert heights.size > 20
    shares = np.histogram(x, np.nextafter(edges, -np.inf))[0] / x.size
    np.testing.assert_allclose(heights * np.diff(edges), shares, atol=2.5 / x.size)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_the_unit_of_the_data_does_not_matter(scale: float) -> None:
    plain, scaled = of_rows(ROWS), of_rows(scale * ROWS)
    np.testing.assert_allclose(scaled.edges, scale * plain.edges, rtol=1e-9)
    np.testing.assert_allclose(scaled.heights * scale, plain.heights, rtol=1e-9)


def test_a_collapsed_component_does_not_ask_for_endless_bins() -> None:
    sample = Sample.of(ROWS[:100])
    spike = NormalMixture([0.5, 0.5], [0.0, 1.0], [1.0, 1e-8])
    assert histogram(sample, spike).heights.size == 30  # three for each root of a row
