"""Sums over rows: their definition row by row, the blocks they are taken in, and their order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.likelihood.sums import BLOCK, Sums, own_features, pair_indices, sum_rows
from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]

RNG = np.random.default_rng(20240615)
K = 3
WEIGHTS = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
MEANS = np.array([[-1.0, 0.5, 2.0], [0.0, 0.0, 1.0]])
SDS = np.array([[0.5, 1.0, 2.0], [0.3, 1.0, 1.5]])


def data(n: int) -> tuple[Array, Array]:
    """Rows and weights."""
    return RNG.normal(0.5, 2.0, n), RNG.gamma(2.0, 0.5, n)


def sums(x: Array, w: Array) -> Sums:
    """The sums of the two mixtures."""
    return sum_rows(x, w, WEIGHTS, MEANS, SDS)


def pair(found: Sums, p: int) -> Array:
    """The sums of products of features for one pair of components, (S, 2K + 1, 2K + 1)."""
    width = 2 * K + 1
    return found.products[:, K + p * width : K + (p + 1) * width]


def exact_sum(terms: Array) -> Array:
    """The correctly rounded sum over the last axis."""
    return np.asarray(np.apply_along_axis(math.fsum, -1, terms))


def assert_sums(ours: Array, terms: Array) -> None:
    """Sums of n terms, in whatever order: n roundings of the sum of magnitudes at most."""
    bound = terms.shape[-1] * 2.0**-53 * np.abs(terms).sum(axis=-1)
    assert (np.abs(ours - exact_sum(terms)) <= bound).all()


def test_sums_are_what_they_say() -> None:
    x, w = data(50)
    found = sums(x, w)
    logpdf, r, features = row_terms(x, WEIGHTS, MEANS, SDS)
    assert_sums(found.loglike, w * logpdf)
    own = np.stack([np.ones_like(r), features[:, 1 : K + 1], features[:, K + 1 :]], axis=1)
    assert found.single.shape == (2, 3, K)
    assert_sums(found.single, w * r[:, None] * own)
    width = 2 * K + 1
    assert found.products.shape == (2, K + 3 * width, width)
    for p, (j, k) in enumerate([(0, 1), (0, 2), (1, 2)]):
        product = (w * r[:, j] * r[:, k])[:, None, None, :]
        # Three more roundings in each term.
        terms = product * features[:, :, None] * features[:, None]
        bound = 60 * 2.0**-53 * np.abs(terms).sum(axis=-1)
        assert (np.abs(pair(found, p) - exact_sum(terms)) <= bound).all()


def test_features_are_one_u_and_half_of_u_squared_minus_one() -> None:
    x, _ = data(20)
    features = row_terms(x, WEIGHTS, MEANS, SDS).features
    u = (x - MEANS[..., None]) / SDS[..., None]
    assert np.array_equal(features[:, 0], np.ones((2, 20)))
    assert np.array_equal(features[:, 1 : K + 1], u)
    assert np.array_equal(features[:, K + 1 :], 0.5 * (u * u) - 0.5)


@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_blocks_add_up_to_the_exact_sum_of_their_sums(n: int) -> None:
    """Each block is summed in the same way alone; adding B of them rounds B - 1 times at most."""
    x, w = data(n)
    blocks = [sums(x[i : i + BLOCK], w[i : i + BLOCK]) for i in range(0, n, BLOCK)]
    found = sums(x, w)
    for name in ("loglike", "single", "products"):
        parts = np.stack([getattr(block, name) for block in blocks], axis=-1)
        bound = (len(blocks) - 1) * 2.0**-53 * np.abs(parts).sum(axis=-1)
        assert (np.abs(getattr(found, name) - exact_sum(parts)) <= bound).all()


def test_the_sum_over_many_blocks_stays_near_the_exact_one() -> None:
    """A hundred blocks, combined pairwise: seven roundings, not a hundred."""
    x, w = np.full(100 * BLOCK, 0.1), np.ones(100 * BLOCK)
    found = sums(x, w)
    one = sums(x[:BLOCK], w[:BLOCK])
    assert (np.abs(found.single - 100 * one.single) <= 7 * 2.0**-53 * np.abs(found.single)).all()


def test_the_first_order_alone_is_the_same() -> None:
    x, w = data(BLOCK + 3)
    full = sums(x, w)
    first = sum_rows(x, w, WEIGHTS, MEANS, SDS, second_order=False)
    assert np.array_equal(first.loglike, full.loglike)
    assert first.single == pytest.approx(full.single, rel=1e-13, abs=1e-11)
    assert first.products.shape == (2, K, 2 * K + 1)


def test_two_batches_of_rows_add_wherever_they_are_cut() -> None:
    """Here across a block's boundary: n roundings at most, of terms of order one."""
    n = BLOCK + 300
    x, w = data(n)
    found = sums(x, w)
    for cut in (130, 2500, BLOCK - 1):
        parts = [sums(x[:cut], w[:cut]), sums(x[cut:], w[cut:])]
        for name in ("loglike", "single", "products"):
            both = getattr(parts[0], name) + getattr(parts[1], name)
            assert getattr(found, name) == pytest.approx(both, rel=1e-12, abs=1e-12 * n)


def test_indices_name_each_pair_and_each_feature_once() -> None:
    for k in (1, 2, 3, 5):
        index = np.arange(k)
        pairs = [
            (int(j), int(i))
            for j, i in zip(*(index[part] for part in pair_indices(k)), strict=True)
        ]
        assert pairs == [(j, i) for j in range(k) for i in range(j + 1, k)]
        flat = np.arange(k * (2 * k + 1)).reshape(k, 2 * k + 1)
        expected = [[flat[j, 0], flat[j, 1 + j], flat[j, 1 + k + j]] for j in range(k)]
        assert own_features(k).T.tolist() == expected
