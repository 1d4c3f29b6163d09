"""Crossings against independent roots of the difference of log-posteriors."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bactrian.model.mixture import NormalMixture

PAIRS = {
    "unequal sds": ([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    "equal sds": ([0.35, 0.65], [0.0, 2.0], [1.1, 1.1]),
    "equal means": ([0.4, 0.6], [1.0, 1.0], [1.0, 3.0]),
    "nearly equal sds": ([0.35, 0.65], [0.0, 2.0], [1.0, 1.0 + 1e-9]),
    "sd ratio 1e6": ([0.5, 0.5], [0.3, 1.0], [1e-6, 1.0]),
    "tiny weight": ([1e-9, 1 - 1e-9], [-20.0, 0.0], [1.0, 2.0]),
    "offset 1e9": ([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 2.0]),
    "scale 1e150": ([0.4, 0.6], [1e150, 3e150], [1e150, 0.5e150]),
    "scale 1e-150": ([0.4, 0.6], [1e-150, 3e-150], [1e-150, 0.5e-150]),
    "scale 1e300": ([0.4, 0.6], [1e300, 3e300], [1e300, 0.5e300]),
    "far apart": ([0.4, 0.6], [0.0, 1e120], [1.0, 2.0]),
    "farther apart than squares reach": ([0.4, 0.6], [0.0, 1e200], [1.0, 2.0]),
    "opposite huge": ([0.4, 0.6], [-1.5e308, 1.5e308], [1e307, 2e307]),
}


def exact_crossings(mixture: NormalMixture) -> list[mpmath.mpf]:
    """Roots of the quadratic log-odds of two components, from its textbook coefficients."""
    (p, q), (m, n), (s, t) = (
        [mpmath.mpf(value) for value in array.tolist()]
        for array in (mixture.weights, mixture.means, mixture.sds)
    )
    a = (1 / t**2 - 1 / s**2) / 2
    b = m / s**2 - n / t**2
    c = mpmath.log(p * t / (q * s)) + n**2 / (2 * t**2) - m**2 / (2 * s**2)
    if a == 0:
        return [-c / b] if b else []
    root = b * b - 4 * a * c
    return sorted((-b + sign * mpmath.sqrt(root)) / (2 * a) for sign in (1, -1)) if root > 0 else []


def assert_exact(mixture: NormalMixture) -> None:
    """Every crossing is right to the rounding of the parameters."""
    found = mixture.crossings()
    with mpmath.workdps(400):
        truth = [root for root in exact_crossings(mixture) if abs(root) < mpmath.mpf(1.797e308)]
        assert len(found) == len(truth)
        for x, root in zip(found.tolist(), truth, strict=True):
            scale = abs(root - mpmath.mpf(float(mixture.means[mixture.sds.argmin()]))) + abs(root)
            assert abs(mpmath.mpf(x) - root) <= 8e-16 * scale * 2


@pytest.mark.parametrize(("weights", "means", "sds"), PAIRS.values(), ids=PAIRS.keys())
def test_two_components_cross_where_the_exact_quadratic_is_zero(
    weights: list[float], means: list[float], sds: list[float]
) -> None:
    mixture = NormalMixture(weights, means, sds)
    assert len(mixture.crossings()) >= 1
    assert_exact(mixture)
    assert_exact(NormalMixture(weights[::-1], means[::-1], sds[::-1]))


def test_near_equal_sds_keep_both_crossings_or_lose_the_one_beyond_the_floats() -> None:
    near = NormalMixture([0.5, 0.5], [0.0, 2.0], [1.0, 1.0 + 2.0**-52])
    np.testing.assert_allclose(near.crossings(), [-(2.0**53), 1.0], rtol=1e-15)
    beyond = NormalMixture([0.5, 0.5], [0.0, 2e300], [1e300, np.nextafter(1e300, 2e300)])
    np.testing.assert_allclose(beyond.crossings(), [1e300], rtol=1e-15)


@pytest.mark.parametrize(
    ("weights", "means", "sds"),
    [
        ([1 / 3, 2 / 3], [0.0, 0.0], [1.0, 2.0]),  # they touch at the common mean
        ([0.5, 0.5], [1.0, 1.0], [2.0, 2.0]),
        ([0.3, 0.7], [1.0, 1.0], [2.0, 2.0]),
        ([0.01, 0.99], [0.0, 0.1], [1.0, 2.0]),  # the narrow one never wins
        ([0.0, 1.0], [0.0, 5.0], [1.0, 1.0]),
        ([1.0], [0.0], [1.0]),
        ([0.5, 0.5, 0.0], [1.0, 1.0, 3.0], [2.0, 2.0, 1.0]),
    ],
)
def test_no_change_no_crossing(weights: list[float], means: list[float], sds: list[float]) -> None:
    assert NormalMixture(weights, means, sds).crossings().shape == (0,)


def hundredths(low: float, high: float) -> st.SearchStrategy[float]:
    """Multiples of 0.01.

    Weights, means and sds of two components are then equal or visibly different. Components with
    the means 0 and 1e-140 do cross, but so flatly that no responsibility beside the crossing tells.
    """
    return st.integers(round(100 * low), round(100 * high)).map(lambda n: n / 100)


@given(
    st.lists(
        st.tuples(hundredths(0.05, 1.0), hundredths(-10.0, 10.0), hundredths(0.05, 5.0)),
        min_size=3,
        max_size=5,
    )
)
@settings(max_examples=100)
def test_most_probable_component_changes_at_the_crossings_and_nowhere_else(
    parts: list[tuple[float, float, float]],
) -> None:
    weights = np.array([part[0] for part in parts])
    mixture = NormalMixture(
        weights / weights.sum(), [part[1] for part in parts], [part[2] for part in parts]
    )
    found = mixture.crossings()
    # Two components almost tangent to each other: at 1e-3 from the other crossing the log-odds have
    # a slope of (1/4.99² - 1/5²)/2 · 1e-3 = 8e-8 or more, which the step still shows: 8e-15.
    assume((np.diff(found) > 1e-3).all())
    step = 1e-7
    for x in found:
        before, after = mixture.responsibilities([x - step, x + step])
        assert before.argmax() != after.argmax()
        # At the crossing the two are equally probable, to the slope of the log-odds.
        both = np.log(mixture.responsibilities(x)[[before.argmax(), after.argmax()]])
        assert both[0] == pytest.approx(both[1], abs=1e-9)
    edges = np.concatenate([[-300.0], found, [300.0]])
    for low, high in itertools.pairwise(edges):
        inside = np.linspace(low, high, 400)[1:-1]
        inside = inside[(inside > low + step) & (inside < high - step)]
        shares = np.sort(mixture.responsibilities(inside), axis=1)
        winners = mixture.responsibilities(inside).argmax(axis=1)
        clear = shares[:, -1] - shares[:, -2] > 1e-9
        assert len(set(winners[clear].tolist())) <= 1


def test_narrow_component_far_from_the_others_keeps_its_crossings() -> None:
    mixture = NormalMixture([0.2, 0.3, 0.5], [0.0, 1e9, 2e9], [1e-6, 1e8, 1e8])
    found = mixture.crossings()
    assert len(found) == 3
    assert found[0] == pytest.approx(-found[1], rel=1e-6)
    assert 1e-6 < found[1] < 1e-4


@pytest.mark.parametrize("ratio", np.random.default_rng(1).uniform(1.01, 30.0, 50).tolist())
def test_components_that_only_touch_do_not_cross(ratio: float) -> None:
    # Equal heights at the common mean; rounding makes the narrow one a little higher or lower.
    mixture = NormalMixture([1 / (1 + ratio), ratio / (1 + ratio)], [0.7, 0.7], [1.0, ratio])
    assert mixture.crossings().size == 0


@pytest.mark.parametrize("seed", range(20))
def test_any_three_components_meeting_in_one_point_make_one_crossing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    means = np.cumsum(rng.uniform(0.5, 2.0, size=3)) - 3.0
    point = rng.normal()
    weights = np.exp(0.5 * (point - means) ** 2)
    mixture = NormalMixture(weights / weights.sum(), means, [1.0, 1.0, 1.0])
    np.testing.assert_allclose(mixture.crossings(), [point], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(("a", "b"), [(0.0, 2.0), (5.0, -3.0), (1e9, 1.0), (0.0, 1e150)])
def test_crossings_follow_a_change_of_unit(a: float, b: float) -> None:
    mixture = NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.5, 2.0])
    expected = np.sort(a + b * mixture.crossings())
    assert len(expected) == 3
    np.testing.assert_allclose(
        mixture.affine(a, b).crossings(), expected, rtol=1e-14, atol=1e-14 * abs(b)
    )


def test_components_that_touch_where_a_third_wins_do_not_cross() -> None:
    """The first two have equal heights at 0, and the third lies above them everywhere."""
    mixture = NormalMixture([0.25, 0.25, 0.5], [0.0, 0.0, 0.0], [0.05, 0.06, 0.1])
    assert mixture.crossings().size == 0
