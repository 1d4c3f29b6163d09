"""Row terms: what they are made of, in a batch or alone, and at any distance."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.model.mixture import NormalMixture
from bactrian.model.posterior import RowTerms, row_terms
from tests import oracle

Array = NDArray[np.float64]

RNG = np.random.default_rng(20240619)
U = 2.0**-53


def terms(x: list[float] | Array, weights: object, means: object, sds: object) -> RowTerms:
    """The row terms at lists of parameters."""
    return row_terms(*(np.asarray(value, dtype=np.float64) for value in (x, weights, means, sds)))


places = st.floats(-1e3, 1e3)
spreads = st.floats(1e-3, 1e3)
shares = st.floats(1e-6, 1.0)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    x=places,
    components=st.lists(st.tuples(shares, places, spreads), min_size=1, max_size=4),
)
def test_log_density_and_responsibilities_are_right(
    x: float, components: list[tuple[float, float, float]]
) -> None:
    """The rule of `tests.oracle`, at whatever mixture comes along."""
    weights, means, sds = (np.array(column) for column in zip(*components, strict=True))
    mixture = NormalMixture(weights / weights.sum(), means, sds)
    found = row_terms(np.array([x]), mixture.weights, mixture.means, mixture.sds)
    truth = oracle.exact([x], mixture, "natural")
    assert oracle.worst(found.logpdf, truth.logpdf) <= oracle.LIMIT
    assert oracle.worst(found.responsibilities.T, truth.responsibilities) <= oracle.LIMIT


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_a_batch_is_its_mixtures_one_by_one(k: int) -> None:
    x = RNG.normal(0.0, 3.0, 30)
    weights = RNG.dirichlet(np.ones(k), 4)
    means, sds = RNG.normal(0.0, 2.0, (4, k)), np.exp(RNG.normal(0.0, 0.5, (4, k)))
    batch = row_terms(x, weights, means, sds)
    assert batch.logpdf.shape == (4, 30)
    assert batch.responsibilities.shape == (4, k, 30)
    assert batch.features.shape == (4, 2 * k + 1, 30)
    for s in range(4):
        alone = row_terms(x, weights[s], means[s], sds[s])
        for ours, other in zip(batch, alone, strict=True):
            assert ours[s] == pytest.approx(other, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_responsibilities_sum_to_one(k: int) -> None:
    x = np.concatenate([RNG.normal(0.0, 3.0, 50), [1e5, -1e5, 1e8, 1e100]])
    weights = RNG.dirichlet(np.ones(k))
    found = row_terms(x, weights, RNG.normal(0.0, 2.0, k), np.exp(RNG.normal(0.0, 0.5, k)))
    assert found.responsibilities.sum(axis=0) == pytest.approx(np.ones(x.size), rel=2 * k * U)
    if k == 1:
        assert (found.responsibilities == 1.0).all()


def test_a_weight_of_zero_gives_a_responsibility_of_zero_and_changes_nothing() -> None:
    x = np.linspace(-9.0, 40.0, 50)
    two = terms(x, [0.4, 0.6], [0.0, 2.0], [1.0, 2.0])
    three = terms(x, [0.4, 0.0, 0.6], [0.0, 30.0, 2.0], [1.0, 9.0, 2.0])
    assert (three.responsibilities[1] == 0.0).all()
    assert three.responsibilities[[0, 2]] == pytest.approx(two.responsibilities, rel=1e-12)
    assert three.logpdf == pytest.approx(two.logpdf, rel=4 * U, abs=4 * U)
    single = terms(x, [0.0, 1.0], [30.0, 2.0], [9.0, 2.0])
    assert (single.responsibilities == [[0.0], [1.0]]).all()
    assert single.logpdf == pytest.approx(terms(x, [1.0], [2.0], [2.0]).logpdf, rel=4 * U)


def test_an_offset_changes_nothing_that_doubles_can_show() -> None:
    """Shifting rows and means by a whole number leaves their differences bit by bit the same."""
    x, means = RNG.integers(-20, 20, 40) / 8.0, np.array([-1.0, 0.5, 2.0])
    for k in (1, 2, 3):
        parameters = np.full(k, 1.0 / k), means[:k], np.array([0.5, 1.0, 2.0])[:k]
        near = row_terms(x, *parameters)
        far = row_terms(x + 2.0**30, parameters[0], parameters[1] + 2.0**30, parameters[2])
        for ours, other in zip(far, near, strict=True):
            assert np.array_equal(ours, other)


def test_a_row_a_hundred_thousand_sds_out_keeps_all_digits() -> None:
    x = np.array([1e5, -1e5])
    found = terms(x, [0.25, 0.75], [0.0, 1e-5], [1.0, 1.0])
    odds = np.array([math.log(3.0) + 1.0, math.log(3.0) - 1.0])  # of the second, up to 5e-11
    with mpmath.workdps(30):
        small = mpmath.mpf(1e-5) ** 2 / 2
        exact = [
            1 / (1 + mpmath.exp(-(mpmath.log(3) + s * 10**5 * mpmath.mpf(1e-5) - small)))
            for s in (1, -1)
        ]
    assert found.responsibilities[1] == pytest.approx([float(r) for r in exact], rel=8 * U)
    assert found.responsibilities[1] == pytest.approx(1.0 / (1.0 + np.exp(-odds)), rel=1e-9)
    assert np.isfinite(found.logpdf).all()


def test_close_rivals_far_out_in_the_tail_of_a_third_keep_their_digits() -> None:
    """Against the third component both log-odds are 1e12 and their difference would be noise."""
    x = np.array([1e7])
    found = terms(x, [0.5, 0.25, 0.25], [0.0, 1e-7, 0.0], [1.0, 1.0, 0.1])
    r = found.responsibilities[:, 0]
    assert r[2] == 0.0
    assert r[1] / r[0] == pytest.approx(0.5 * math.e, rel=1e-13)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("distance", [1e150, 1e155, 1e200, 1e300])
def test_rows_whose_log_density_overflows_go_to_the_widest(k: int, distance: float) -> None:
    x = np.array([distance, 0.0, -distance])
    found = terms(x, [1.0 / k] * k, [0.0, 1.0, 1.0][:k], [1.0, 2.0, 3.0][:k])
    assert not np.isnan(found.logpdf).any()
    assert (found.logpdf[[0, 2]] < -1e298).all()
    assert found.logpdf[1] > -3.0
    assert found.responsibilities[:, [0, 2]].tolist() == [[0.0, 0.0]] * (k - 1) + [[1.0, 1.0]]
    assert found.responsibilities[:, 1].sum() == pytest.approx(1.0, rel=4 * U)
    assert np.isfinite(found.features).all()


def test_components_of_one_shape_share_their_rows_by_weight_at_any_distance() -> None:
    x = np.array([0.0, 1e9, -1e60, 1e160])
    for weights in ([0.25, 0.75], [0.125, 0.5, 0.375]):
        k = len(weights)
        found = terms(x, weights, [1.0] * k, [2.0] * k)
        expected = np.tile(np.array(weights)[:, None], x.size)
        assert found.responsibilities == pytest.approx(expected, rel=8 * U)
