"""Pearson's equation of the ninth degree gives a mixture back from its moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.data.sample import Sample
from bactrian.solve.pearson import pearson
from tests.problems import Array, draw

# Eight nodes integrate polynomials up to degree 15, hence all the moments used here.
NODES, SHARES = np.polynomial.hermite_e.hermegauss(8)
SHARES = SHARES / SHARES.sum()


def with_moments_of(weights: Array, means: Array, sds: Array) -> Sample:
    """A few weighted points with the first moments of a mixture, exactly."""
    x = (means[:, None] + sds[:, None] * NODES).ravel()
    return Sample.of(x, (weights[:, None] * SHARES).ravel())


@settings(deadline=None, max_examples=100)
@given(
    weight=st.floats(0.15, 0.85),
    distance=st.floats(1.5, 6.0),
    ratio=st.floats(0.4, 2.5),
    offset=st.floats(-10.0, 10.0),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_exact_moments_give_the_mixture(
    weight: float, distance: float, ratio: float, offset: float, scale: float
) -> None:
    weights = np.array([weight, 1.0 - weight])
    means = scale * np.array([offset, offset + distance])
    sds = scale * np.array([1.0, ratio])
    sample = with_moments_of(weights, means, sds)
    found = pearson(sample)
    ours = np.stack(
        [
            found.weights,
            (found.means * sample.scale + sample.origin - scale * offset) / scale,
            found.sds * sample.scale / scale,
        ],
        axis=1,
    )
    known = np.stack([weights, (means - scale * offset) / scale, sds / scale])
    errors = np.abs(ours - known).max(axis=(1, 2))
    # The nonic has nearly double roots where skewness is small; a root is then known to the root
    # of the rounding of moments of order six.
    assert errors.min() < 1e-4


@pytest.mark.parametrize(
    ("weight", "distance", "sd"), [(0.11, 3.3, 2.8), (0.59, 3.1, 1.8), (0.49, 3.6, 2.8)]
)
def test_the_sixth_moment_decides_between_two_mixtures_with_five_moments_in_common(
    weight: float, distance: float, sd: float
) -> None:
    weights = np.array([weight, 1.0 - weight])
    sample = with_moments_of(weights, np.array([0.0, distance]), np.array([1.0, sd]))
    found = pearson(sample)
    assert len(found.weights) == 2
    np.testing.assert_allclose(found.weights[0], weights, atol=1e-9)
    assert np.abs(found.weights[1] - weights).max() > 0.05


def test_a_candidate_has_the_first_five_moments_of_the_data() -> None:
    sample = Sample.of(draw("overlapping", 200))
    share = sample.weights / sample.total
    found = pearson(sample, keep=1)
    weights, means, sds = (a[0] for a in found)
    for power in range(1, 6):
        mixture = weights @ (((means[:, None] + sds[:, None] * NODES) ** power) @ SHARES)
        np.testing.assert_allclose(mixture, share @ sample.local**power, rtol=1e-6)


def test_data_without_such_a_mixture_give_no_start() -> None:
    # A uniform column has negative excess kurtosis but no skewness to speak of; three equal
    # values two sds apart have moments that no two normals share.
    spread_out = Sample.of(np.array([0.0] * 49 + [1.0] * 2 + [2.0] * 49))
    found = pearson(spread_out)
    assert found.weights.shape[1:] == (2,)
    assert np.isfinite(found.sds).all()
    assert (found.sds > 0.0).all()
