"""The search of the EM-test: the highest point for every choice of shares."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.infer import em_search
from bactrian.infer.em_search import _exchanged, maxima
from bactrian.infer.splits import SplitProblem
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.steps import newton_step
from tests.problems import draw

Array = NDArray[np.float64]

SHARES = (0.1, 0.3, 0.5)


def problem(x: Array, m: int) -> tuple[SplitProblem, NormalMixture, Array]:
    """What is searched, the null hypothesis, and the choices of shares."""
    sample, fitted = Sample.of(x), bt.fit(x, m).mixture
    means = (fitted.means - sample.origin) / sample.scale
    null = NormalMixture(fitted.weights, means, fitted.sds / sample.scale)
    choices = np.array(list(product(SHARES, repeat=m)))
    return SplitProblem.around(sample, null, 0.25), null, choices


@pytest.mark.parametrize(("name", "m"), [("rare", 1), ("overlapping", 1), ("overlapping", 2)])
def test_each_choice_has_a_maximum_with_its_shares(name: str, m: int) -> None:
    split, null, choices = problem(draw(name, 150), m)
    best = maxima(split, null, choices)
    np.testing.assert_allclose(split.shares(best[0]), choices, rtol=1e-9)
    state = split.evaluate(split.free(*best))
    assert (state.decrement < 1e-9).all()
    np.testing.assert_allclose(split.after_em(state), state.free, atol=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_ascent_from_elsewhere_is_higher(seed: int) -> None:
    rng = np.random.default_rng(seed)
    split, null, choices = problem(draw("narrow in wide", 100 + seed), 1)
    height = split.worth(maxima(split, null, choices))
    for shares, top in zip(choices, height, strict=True):
        weights = np.tile([shares[0], 1.0 - shares[0]], (80, 1))
        means = rng.choice(split.sample.local, (80, 2))
        sds = null.sds * np.exp(rng.uniform(-2.5, 0.5, (80, 2)))
        ends = climb(split, split.free(weights, means, sds), newton_step, max_steps=300).state
        assert np.nanmax(ends.loglike) <= top + 1e-9


def test_two_halves_that_are_the_null_hypothesis_are_never_beaten_by_it() -> None:
    split, null, choices = problem(draw("overlapping", 150), 2)
    both = null.weights[:, None] * np.stack([choices, 1.0 - choices], axis=2)
    same = (
        both.reshape(9, 4),
        np.tile(null.means.repeat(2), (9, 1)),
        np.tile(null.sds.repeat(2), (9, 1)),
    )
    assert (split.worth(maxima(split, null, choices)) >= split.worth(same) - 1e-9).all()


def test_the_thinned_sample_tells_where_to_climb_only(monkeypatch: pytest.MonkeyPatch) -> None:
    split, null, choices = problem(draw("rare", 3000), 1)
    best = maxima(split, null, choices)
    monkeypatch.setattr(em_search, "_FEW_VALUES", 3000)
    known = split.worth(maxima(split, null, choices))
    np.testing.assert_allclose(split.worth(best), known, rtol=1e-12)
    assert (split.evaluate(split.free(*best)).decrement < 1e-18).all()


def test_choices_exchange_what_they_found_with_those_beside_them() -> None:
    split, _, choices = problem(draw("overlapping", 60), 2)
    whole = np.linspace(0.2, 0.8, 9)
    pairs = np.stack([whole, 1.0 - whole], axis=1)[:, :, None]
    weights = (pairs * np.stack([choices, 1.0 - choices], axis=2)).reshape(9, 4)
    means, sds = np.arange(36.0).reshape(9, 4), 1.0 + np.arange(36.0).reshape(9, 4)
    (w, u, s), choice = _exchanged((weights, means, sds), choices)
    np.testing.assert_allclose(split.shares(w), choices[choice], rtol=1e-12)
    source = (u.min(axis=1) // 4).astype(int)
    np.testing.assert_allclose(w[:, :2].sum(axis=1), whole[source])
    np.testing.assert_allclose(s, u + 1.0)
    # Each choice has four beside it, two other shares of either pair, in both orders of its halves.
    found = {
        (i, j, *row) for i, j, row in zip(choice, source, u - 4.0 * source[:, None], strict=True)
    }
    expected = set()
    for i, j in np.argwhere((choices[:, None] != choices).sum(axis=2) == 1):
        swapped = [1, 0, 2, 3] if choices[i, 0] != choices[j, 0] else [0, 1, 3, 2]
        expected |= {(i, j, 0, 1, 2, 3), (i, j, *swapped)}
    assert found == expected
    assert len(choice) == len(expected)
