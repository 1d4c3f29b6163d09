"""The tests of the number of components, as a method of a fit."""

from __future__ import annotations

import numpy as np
import pytest

import bactrian as bt


@pytest.mark.parametrize("seed", [9, 52])
def test_a_test_needs_no_fit_with_one_component_more(seed: int) -> None:
    x = np.random.default_rng([5, 200, seed]).standard_t(5, 200)  # with a single row far out
    by_one, by_two = (
        bt.fit(x, k, equal_variances=True).homogeneity_test(1).statistic for k in (1, 2)
    )
    assert by_one == pytest.approx(by_two, abs=1e-6)
