"""Rows that are far from every component are counted and named, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt

Array = NDArray[np.float64]


def two_humps(n: int = 2000) -> Array:
    """Two components of n rows each."""
    random = np.random.default_rng(7)
    return np.concatenate([random.normal(0.0, 1.0, n), random.normal(5.0, 1.0, n)])


def outliers_in(fit: bt.Fit) -> list[str]:
    """The sentences on outliers."""
    return [words for words in fit.certificate.warnings if words.startswith("Outliers")]


@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e200])
def test_far_rows_are_counted(unit: float) -> None:
    x = np.append(two_humps(), [40.0, -50.0, -50.0]) * unit
    (words,) = outliers_in(bt.fit(x))
    assert words.startswith("Outliers: 3 rows lie more than 8 sds from every component")
    assert f"near {-50.0 * unit:.5g}." in words


def test_one_is_one_row_and_a_weight_counts() -> None:
    x, w = np.append(two_humps(), 40.0), np.ones(4001)
    assert outliers_in(bt.fit(x))[0].startswith("Outliers: 1 row lies")
    w[-1] = 3.0
    assert outliers_in(bt.fit(x, sample_weight=w))[0].startswith("Outliers: 3 rows lie")


def test_a_sketch_tells_as_its_rows_do() -> None:
    x = np.append(two_humps(), [40.0, 41.0])
    assert outliers_in(bt.fit(bt.Sketch.of(x)))[0].startswith("Outliers: 2 rows lie")


def test_a_row_within_reach_of_a_component_is_none() -> None:
    x = two_humps()
    sds = bt.fit(x).mixture.sds
    assert outliers_in(bt.fit(np.append(x, 5.0 + 7.0 * sds[1]))) == []
    # Far from the one component, near the other, wide one.
    random = np.random.default_rng(8)
    wide = np.append(random.normal(0.0, 0.1, 3000), random.normal(0.0, 10.0, 3000))
    assert outliers_in(bt.fit(wide)) == []


@pytest.mark.parametrize("name", ["faithful", "galaxies", "penguins"])
def test_the_data_sets_have_none(name: str) -> None:
    for column in bt.datasets.load(name).values():
        assert outliers_in(bt.fit(column)) == []
