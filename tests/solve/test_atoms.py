"""Values that far more rows share than their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.data.sample import Sample
from bactrian.solve.atoms import atoms, collapsed_onto
from tests import reference_sets


def test_a_repeated_value_among_others_is_an_atom() -> None:
    rng = np.random.default_rng(11)
    sample = Sample.of(np.concatenate([np.full(10, 0.25), rng.normal(size=200)]))
    (position,) = atoms(sample)
    assert sample.values[position] == 0.25


def test_a_pair_of_equal_values_is_none() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=60)
    assert atoms(Sample.of(np.concatenate([x, x[:2]]))) == []


@pytest.mark.parametrize("name", ["faithful_waiting", "faithful_eruptions", "iris_petal_width"])
def test_heaps_of_rounded_values_are_none(name: str) -> None:
    assert atoms(Sample.of(*reference_sets.load(name))) == []


def test_a_heap_that_towers_over_the_heaps_of_rounded_values_is_one() -> None:
    rng = np.random.default_rng(13)
    x = np.concatenate([np.round(rng.normal(50.0, 20.0, 300)), np.full(200, 40.0)])
    sample = Sample.of(x)
    assert [float(sample.values[i]) for i in atoms(sample)] == [40.0]


def test_collapses_are_counted_at_the_nearest_value() -> None:
    sample = Sample.of(np.array([0.0, 1.0, 2.0, 3.0]))
    ends = (np.array([0.9, 1.1, 1.9, 7.0]) - sample.origin) / sample.scale
    assert [collapsed_onto(sample, i, ends) for i in range(4)] == [0, 2, 1, 1]
    assert collapsed_onto(sample, 0, np.empty(0)) == 0
