"""Nodes: where they are, and what they stand for."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.grid import suitable_exponent
from bactrian.data.sketches.nodes import nodes_of, sample_of
from bactrian.data.sketches.sketch import Sketch
from tests.data.binned import SHAPES, rows_of, sketch_of_rows, weighted_columns

Array = NDArray[np.float64]
EPS = Fraction(1, 2**52)


def check_places(parts: list[Sketch]) -> None:
    """Every node in its own bin, to rounding; ascending, with positive weights; local units."""
    sample, bins = nodes_of(parts)
    edges = [
        (Fraction(b) * Fraction(2) ** part.exponent, Fraction(2) ** part.exponent)
        for part in parts
        for b in part.bins.tolist()
    ]
    origin, scale = Fraction(sample.origin), Fraction(sample.scale)
    for local, b in zip(sample.local.tolist(), bins.tolist(), strict=True):
        low, width = edges[b]
        slack = abs(Fraction(local)) * scale * EPS
        assert low - slack <= origin + scale * Fraction(local) <= low + width + slack
    assert set(bins.tolist()) == set(range(len(edges)))
    assert (np.diff(sample.local) >= 0.0).all()
    assert (sample.weights > 0.0).all()
    assert math.frexp(sample.scale)[0] == 0.5
    assert sample.width * sample.scale == min(part.width for part in parts)


@given(weighted_columns(), st.integers(-12, 3))
def test_nodes_are_in_their_bins_and_weigh_what_the_rows_weigh(
    rows: tuple[Array, Array | None], exponent: int
) -> None:
    x, w = rows
    sketch = sketch_of_rows(x, exponent, w)
    check_places([sketch])
    total = x.size if w is None else w.sum()
    assert sample_of([sketch]).total == pytest.approx(total, rel=1e-13)
    counts = np.bincount(nodes_of([sketch]).bins, nodes_of([sketch]).sample.weights)
    np.testing.assert_allclose(counts, sketch.moments[:, 0], rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_on_finer_grids_join(shape: str) -> None:
    x = rows_of(shape, 3000, 5)
    fine = (x >= -0.5) & (x < 0.25)
    parts = [sketch_of_rows(x[~fine], -4), sketch_of_rows(x[fine], -9)]
    check_places(parts)
    joined, whole = sample_of(parts), sketch_of_rows(x, -4).to_sample()
    assert joined.total == pytest.approx(whole.total, rel=1e-13)
    mean = (joined.weights @ joined.values, whole.weights @ whole.values)
    assert mean[0] == pytest.approx(mean[1], rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_between_two_edges_is_the_weight_of_the_rows_there(shape: str) -> None:
    x = rows_of(shape, 3000, 5)
    fine = (x >= -0.5) & (x < 0.25)
    for parts in (
        [sketch_of_rows(x, -4)],
        [sketch_of_rows(x[~fine], -4), sketch_of_rows(x[fine], -9)],
    ):
        sample = sample_of(parts)
        assert sample.edges is not None
        assert (np.diff(sample.edges) > 0.0).all()
        assert sample.edges.size <= 2 * sum(part.bins.size for part in parts)
        at = sample.origin + sample.scale * sample.edges  # exact: whole numbers of bins
        rows = np.searchsorted(np.sort(x), at)
        places = np.searchsorted(sample.local, sample.edges)
        nodes = np.append(0.0, np.cumsum(sample.weights))[places]
        np.testing.assert_allclose(nodes, rows, rtol=1e-12)
        assert (rows[0], rows[-1]) == (0, x.size)


def test_rows_in_memory_have_no_edges() -> None:
    sample = sample_of([sketch_of_rows(rows_of("normal", 200), -4)])
    assert Sample.of(rows_of("normal", 200)).edges is None
    assert sample.with_local(sample.local, sample.weights).edges is None


def test_fewer_nodes_a_bin_come_from_the_same_moments() -> None:
    sketch = sketch_of_rows(rows_of("normal", 20_000), -2)
    for order in (1, 2, 3, 4):
        found = nodes_of([sketch], order)
        assert np.bincount(found.bins).max() == order
        assert found.sample.total == pytest.approx(20_000, rel=1e-13)
    one = nodes_of([sketch], 1).sample
    means = (sketch.bins + 0.5 + 0.5 * sketch.moments[:, 1] / sketch.moments[:, 0]) / 4.0
    np.testing.assert_allclose(one.values, means, rtol=1e-13)


@pytest.mark.parametrize("offset", [2.0**20, -(2.0**40)])
@pytest.mark.parametrize("power", [-900, 0, 900])
def test_the_sample_moves_with_the_rows_to_the_last_bit(offset: float, power: int) -> None:
    x = np.round(rows_of("mixture", 2000) * 2.0**12) / 2.0**12  # such sums are exact
    near, far = (
        sketch_of_rows(np.ldexp(x + by, power), power - 5).to_sample() for by in (0.0, offset)
    )
    plain = sketch_of_rows(x, -5).to_sample()
    for moved in (near, far):
        assert moved.local.tobytes() == plain.local.tobytes()
        assert moved.weights.tobytes() == plain.weights.tobytes()
    assert near.scale == math.ldexp(plain.scale, power)
    assert far.origin - near.origin == math.ldexp(offset, power)


def moments(sample: Sample, order: int) -> float:
    """A weighted mean of powers of local coordinates."""
    return float(sample.weights @ sample.local**order / sample.total)


@pytest.mark.parametrize("shape", ["normal", "mixture", "integers", "ties"])
def test_means_of_powers_up_to_seven_are_those_of_the_rows(shape: str) -> None:
    x = rows_of(shape, 5000, 3)
    sample = sketch_of_rows(x, -3).to_sample()
    rows = sample.with_local(np.sort((x - sample.origin) / sample.scale), np.ones(x.size))
    for order in range(8):
        assert moments(sample, order) == pytest.approx(moments(rows, order), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    "x",
    [
        [5e-324, 1e-323, 5e-323],
        [5e-324] * 1000 + [1e-323],
        [-1.7e308, 0.0, 1.7e308, 8e307],
        [3.0],
    ],
)
def test_rows_at_the_ends_of_the_doubles(x: list[float]) -> None:
    rows = np.array(x)
    exponent = suitable_exponent(float(np.ptp(rows / 2.0)), float(np.abs(rows).max()))
    sample = sketch_of_rows(rows, exponent).to_sample()
    assert 0.0 < sample.scale < np.inf
    assert np.isfinite(sample.local).all()
    assert sample.total == rows.size
    np.testing.assert_allclose(sample.values, np.unique(rows), rtol=1e-6, atol=5e-324)
