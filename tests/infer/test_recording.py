"""How rows were recorded, and whether drawn rows are recorded in the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer import recording
from bactrian.infer.edf import EdfStatistics, bin_statistics, binned, row_statistics
from bactrian.infer.recording import Recording
from bactrian.model.mixture import NormalMixture
from tests.data.binned import sketch_of_rows
from tests.problems import MIXTURES, draw

Array = NDArray[np.float64]


def local(sample: Sample, mixture: NormalMixture) -> NormalMixture:
    """A mixture in the coordinates of a sample."""
    return mixture.affine(-sample.origin / sample.scale, 1.0 / sample.scale)


def test_exact_rows_are_compared_everywhere() -> None:
    sample = Sample.of(draw("overlapping"))
    found, mixture = Recording.of(sample), local(sample, MIXTURES["overlapping"])
    assert (found.n_rows, found.n_drawn, found.step, found.edges) == (240, 240, 0.0, None)
    x, w = sample.local, sample.weights
    assert found.statistics(x, w, mixture) == row_statistics(x, w, mixture)
    drawn, counts = found.drawn(mixture, np.random.default_rng(1))
    assert (np.diff(drawn) > 0.0).all()
    assert counts.tolist() == [1.0] * 240


def test_ties_that_are_no_rounding_stay_ties() -> None:
    x = np.repeat(draw("overlapping", 80), 3)
    sample = Sample.of(x)
    found, mixture = Recording.of(sample), local(sample, MIXTURES["overlapping"])
    assert (found.step, found.n_rows) == (0.0, 240)
    assert found.statistics(sample.local, sample.weights, mixture) == row_statistics(
        sample.local, sample.weights, mixture
    )


def test_more_rows_than_matter_are_not_drawn(monkeypatch: Any) -> None:
    monkeypatch.setattr(recording, "MOST_DRAWN", 100)
    sample = Sample.of(draw("overlapping"))
    found = Recording.of(sample)
    assert (found.n_rows, found.n_drawn) == (240, 100)
    assert found.drawn(MIXTURES["overlapping"], np.random.default_rng(1))[1].sum() == 100.0
    rounded = Recording.of(Sample.of(np.round(draw("overlapping"), 1)))
    assert rounded.n_drawn == 240  # what rounding does grows with every row


@pytest.mark.parametrize("step", [0.25, 0.1])
@pytest.mark.parametrize("shift", [0.0, 0.07])
def test_rounded_rows_are_compared_half_way_between_their_values(step: float, shift: float) -> None:
    rows = draw("overlapping", 1000)
    sample = Sample.of(shift + step * np.round(rows / step))
    found, mixture = Recording.of(sample), local(sample, MIXTURES["overlapping"])
    assert found.step * sample.scale == pytest.approx(step, rel=1e-9)
    statistics = found.statistics(sample.local, sample.weights, mixture)
    # There the distribution function is that of the rows before they were rounded.
    numbers = np.unique(np.round(rows / step))
    ends = np.unique(np.concatenate([numbers - 0.5, numbers + 0.5])) * step
    before = binned(rows, np.ones(rows.size), ends)
    shifted = NormalMixture(
        mixture.weights, MIXTURES["overlapping"].means - shift, MIXTURES["overlapping"].sds
    )
    np.testing.assert_allclose(statistics, bin_statistics(before, ends, shifted), rtol=1e-6)


@pytest.mark.parametrize("most_drawn", [20_000, 1])
def test_drawn_rows_are_rounded_to_the_same_values(most_drawn: int, monkeypatch: Any) -> None:
    """One by one or by the multinomial law: the counts are within chance of what they should be."""
    monkeypatch.setattr(recording, "MOST_DRAWN", most_drawn)
    mixture = NormalMixture([0.3, 0.7], [0.0, 3.3], [0.2, 1.0])
    rows = np.round(mixture.sample(8000, np.random.default_rng(2)) * 2.0) / 2.0
    sample = Sample.of(rows)
    found = Recording.of(sample)
    x, counts = found.drawn(local(sample, mixture), np.random.default_rng(1))
    assert counts.sum() == 8000.0
    values = sample.origin + sample.scale * x
    np.testing.assert_allclose(values, np.round(values * 2.0) / 2.0, atol=1e-12)
    assert (np.diff(x) > 0.0).all()
    expected = 8000.0 * (mixture.cdf(values + 0.25) - mixture.cdf(values - 0.25))
    often = expected > 5.0
    chi2 = ((counts[often] - expected[often]) ** 2 / expected[often]).sum()
    assert 0.2 * often.sum() < chi2 < 2.5 * often.sum()


def test_a_wide_component_is_drawn_row_by_row_where_its_values_are_more_than_its_rows(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(recording, "MOST_DRAWN", 1)
    found = Recording(30_000, 0.1, 0.0, None)
    mixture = NormalMixture([0.99, 0.01], [0.0, 0.0], [1.0, 1e9])
    x, counts = found.drawn(mixture, np.random.default_rng(1))
    assert counts.sum() == 30_000.0
    assert 200 < counts[np.abs(x) > 20.0].sum() < 400


@pytest.mark.parametrize("name", ["overlapping", "rare"])
def test_a_sketch_is_compared_at_the_edges_of_its_bins(name: str) -> None:
    rows = np.sort(draw(name, 3000))
    sample = sketch_of_rows(rows, -5).to_sample()
    found = Recording.of(sample)
    assert (found.n_rows, found.step) == (3000, 0.0)
    assert found.edges is not None
    mixture = local(sample, MIXTURES[name])
    ends = sample.origin + sample.scale * found.edges
    known = bin_statistics(binned(rows, np.ones(3000), ends), ends, MIXTURES[name])
    statistics = found.statistics(sample.local, sample.weights, mixture)
    np.testing.assert_allclose(statistics, known, rtol=1e-9)
    exact = row_statistics(rows, np.ones(3000), MIXTURES[name])
    distance = found.distance(sample.local, sample.weights, mixture)
    assert distance.largest == statistics.kolmogorov_smirnov
    assert distance.largest <= exact.kolmogorov_smirnov <= distance.largest + distance.beyond
    assert nearly(statistics, exact)


def nearly(one: EdfStatistics, other: EdfStatistics) -> bool:
    """Whether statistics are the same but for what happens within bins."""
    return bool(np.allclose(one, other, rtol=0.1))


def test_rounded_rows_of_a_sketch_are_known_by_their_values() -> None:
    rows = 0.03 + np.round(draw("overlapping", 3000), 1)
    one, other = Sample.of(rows), sketch_of_rows(rows, -5).to_sample()
    first, second = (Recording.of(sample) for sample in (one, other))
    assert first.step * one.scale == pytest.approx(0.1, rel=1e-9)
    assert second.step * other.scale == pytest.approx(0.1, rel=1e-6)
    assert second.edges is None
    found = [
        r.statistics(s.local, s.weights, local(s, MIXTURES["overlapping"]))
        for r, s in ((first, one), (second, other))
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
    drawn, _ = second.drawn(local(other, MIXTURES["overlapping"]), np.random.default_rng(1))
    values = other.origin + other.scale * drawn - 0.03
    np.testing.assert_allclose(values, np.round(values, 1), atol=1e-5)
