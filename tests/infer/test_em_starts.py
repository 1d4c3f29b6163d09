"""Where the ascents of the EM-test begin: with the shares asked for, between edges, mirrored."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer.em_starts import starts
from bactrian.infer.splits import Parameters
from bactrian.model.mixture import NormalMixture
from tests.problems import draw

Array = NDArray[np.float64]

SHARES = (0.1, 0.3, 0.5)
NULLS = {
    1: NormalMixture([1.0], [0.25], [1.1]),
    2: NormalMixture([0.4, 0.6], [-0.5, 0.75], [0.4, 0.7]),
    3: NormalMixture([0.3, 0.4, 0.3], [-1.0, 0.0, 1.2], [0.3, 0.2, 0.4]),
}


def begun(x: Array, null: NormalMixture) -> tuple[Parameters, Array, NDArray[np.intp]]:
    """The starts, the choices of shares, and which each start has."""
    sample = Sample(0.0, 1.0, np.sort(x), np.ones(x.size))
    edges = np.array([x.min(), *(0.5 * (null.means[1:] + null.means[:-1])), x.max()])
    choices = np.array(list(product(SHARES, repeat=null.n_components)))
    at, choice = starts(sample, null, edges, choices)
    return at, choices, choice


@pytest.mark.parametrize("m", NULLS)
def test_every_choice_of_shares_has_as_many_starts(m: int) -> None:
    (weights, means, sds), choices, choice = begun(draw("overlapping", 200), NULLS[m])
    assert set(np.bincount(choice)) == {len(choice) // 3**m}
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    first, both = weights[:, ::2], weights[:, ::2] + weights[:, 1::2]
    np.testing.assert_allclose(first / both, choices[choice], rtol=1e-12)
    assert (sds > 0.0).all()
    assert np.isfinite(means).all()


@pytest.mark.parametrize("m", NULLS)
def test_the_first_starts_keep_the_means_of_the_components(m: int) -> None:
    null = NULLS[m]
    (weights, means, _), _, choice = begun(draw("overlapping", 200), null)
    for each in range(3**m):
        own = np.flatnonzero(choice == each)[:8]
        pairs = (weights * means)[own].reshape(8, m, 2).sum(axis=2)
        np.testing.assert_allclose(pairs, np.tile(null.weights * null.means, (8, 1)), atol=1e-12)


@pytest.mark.parametrize("m", NULLS)
def test_mirrored_rows_have_mirrored_starts(m: int) -> None:
    x, null = draw("overlapping", 200), NULLS[m]
    mirror = NormalMixture(null.weights[::-1], -null.means[::-1], null.sds[::-1])
    found = []
    for rows, mixture, sign in ((x, null, 1.0), (-x, mirror, -1.0)):
        (weights, means, sds), _, _ = begun(rows, mixture)
        # Pairs in the reverse order, each with its halves in theirs.
        shape = (len(weights), m, 2)
        turned = [
            a.reshape(shape)[:, :: int(sign)].reshape(len(a), -1)
            for a in (weights, sign * means, sds)
        ]
        found.append(np.concatenate(turned, axis=1))
    here, there = (each[np.lexsort(np.round(each, 9).T)] for each in found)
    np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9)


def test_a_side_without_rows_has_starts_too() -> None:
    null = NormalMixture([0.5, 0.5], [0.0, 50.0], [1.0, 1.0])
    (weights, means, sds), _, _ = begun(draw("overlapping", 100), null)
    assert np.isfinite(weights).all()
    assert np.isfinite(means).all()
    assert (sds > 0.0).all()


def test_the_outermost_rows_are_a_half_of_their_own_of_one_component() -> None:
    x = np.append(draw("overlapping", 200), 40.0)
    (weights, means, _), _, _ = begun(x, NULLS[1])
    alone = means[:, 0] == 40.0
    assert set(np.round(weights[alone, 0], 9)) == set(SHARES)
    assert (means[:, 1] == 40.0).any()
