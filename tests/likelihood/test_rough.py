"""The quick E-step has the sums of the careful one, to the digits it promises."""

from __future__ import annotations

import numpy as np
import pytest

from bactrian.likelihood.derivatives import expectations
from bactrian.likelihood.rough import rough_expectations
from tests.problems import Array


def rows(size: int) -> tuple[Array, Array]:
    """Ascending values of sd one, and weights."""
    rng = np.random.default_rng(size)
    return np.sort(rng.standard_normal(size)), rng.integers(1, 4, size).astype(np.float64)


def mixtures(k: int, size: int, narrowest: float) -> tuple[Array, Array, Array]:
    """Mixtures all over the place, with sds from `narrowest` to one."""
    rng = np.random.default_rng([k, size])
    sds = np.exp(rng.uniform(np.log(narrowest), 0.0, (size, k)))
    return rng.dirichlet(np.full(k, 2.0), size), rng.normal(size=(size, k)), sds


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [30, 3000])
@pytest.mark.parametrize("narrowest", [1.0, 0.1, 1e-3])
def test_sums_are_those_of_the_careful_one(k: int, size: int, narrowest: float) -> None:
    x, w = rows(size)
    point = mixtures(k, 150, narrowest)
    careful, rough = expectations(x, w, *point), rough_expectations(x, w, *point)
    # An odds of (u / 2)^2 with u = 8 sds / narrowest has an absolute error of 1e-16 times that.
    error = 1e-16 * (8.0 / narrowest) ** 2 + 1e-13
    total, u = w.sum(), 8.0 / point[2]
    assert (np.abs(rough.counts - careful.counts) < 4.0 * error * total).all()
    assert (np.abs(rough.spreads[:, 0] - careful.spreads[:, 0]) < 4.0 * error * total * u).all()
    assert (np.abs(rough.spreads[:, 1] - careful.spreads[:, 1]) < 4.0 * error * total * u**2).all()
    assert np.isnan(rough.loglike).all()


def test_what_is_too_narrow_is_taken_with_care() -> None:
    x, w = rows(200)
    weights, means, sds = mixtures(2, 40, 0.1)
    sds[::2, 0] = 1e-7
    weights[1] = 0.0, 1.0
    with np.errstate(divide="ignore"):
        careful = expectations(x, w, weights, means, sds)
        rough = rough_expectations(x, w, weights, means, sds)
    far = np.r_[0, 1, 2:40:2]
    np.testing.assert_array_equal(rough.counts[far], careful.counts[far])
    np.testing.assert_array_equal(rough.spreads[far], careful.spreads[far])
    np.testing.assert_allclose(rough.counts, careful.counts, atol=1e-8)


def test_rows_far_out_are_taken_with_care() -> None:
    x, w = np.array([-1e200, -1.0, 0.0, 1.0, 1e200]), np.ones(5)
    point = mixtures(2, 20, 0.1)
    careful, rough = expectations(x, w, *point), rough_expectations(x, w, *point)
    np.testing.assert_array_equal(rough.counts, careful.counts)
