"""The EM-test equals the published procedure, and changes with nothing that it should not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.infer.em_law import penalty_level
from bactrian.infer.em_test import em_test, is_coarse
from bactrian.model.mixture import NormalMixture
from tests.em_oracle import Published

Array = NDArray[np.float64]

WAITING = bt.datasets.load("faithful")["waiting"]


def rows(name: str, n: int, seed: int = 7) -> Array:
    """Rows from one of several laws."""
    rng = np.random.default_rng([seed, n])
    if name == "normal":
        return rng.normal(size=n)
    if name == "two":
        return np.where(rng.random(n) < 0.3, rng.normal(0, 1, n), rng.normal(3, 1.5, n))
    if name == "skewed":
        return rng.gamma(3.0, size=n)
    if name == "heavy":
        return rng.standard_t(4, size=n)
    if name == "ties":
        return np.round(rng.normal(size=n) * 4.0)
    assert name == "outlier"
    return np.append(rng.normal(size=n - 1), 12.0)


def published(x: Array, null: NormalMixture, *, equal: bool = False, starts: int = 60) -> float:
    """The statistic of the published procedure, whatever its time."""
    values, counts = np.unique(x, return_counts=True)
    level = penalty_level(null, x.size, equal)
    known = (null.weights, null.means, null.variances)
    return Published(values, counts.astype(np.float64), known, level, equal).statistic(starts)


def groups(seed: int) -> Array:
    """Three groups, a narrow one between two wide ones."""
    rng = np.random.default_rng(seed)
    k = rng.choice(3, 120, p=[0.25, 0.5, 0.25])
    return rng.normal(np.array([-3.0, 0.0, 2.0])[k], np.array([1.0, 0.4, 1.5])[k])


def inside(seed: int) -> Array:
    """A narrow group within a wide one."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(70) < 0.3, rng.normal(0, 0.3, 70), rng.normal(0.5, 1.5, 70))


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize(
    ("name", "n"),
    [("normal", 60), ("two", 120), ("skewed", 80), ("heavy", 80), ("ties", 120), ("outlier", 60)],
)
def test_one_against_two_is_the_published_procedure(name: str, n: int, equal: bool) -> None:
    x = rows(name, n)
    one = NormalMixture([1.0], [x.mean()], [x.std()])
    found = em_test(Sample.of(x), 1, equal_variances=equal).statistic
    assert found == pytest.approx(published(x, one, equal=equal), abs=1e-6)


@pytest.mark.parametrize("seed", [11, 50, 77])
def test_a_narrow_group_between_wide_ones_is_found(seed: int) -> None:
    x = groups(seed)
    one = NormalMixture([1.0], [x.mean()], [x.std()])
    found = em_test(Sample.of(x), 1).statistic
    assert found == pytest.approx(published(x, one, starts=40), abs=1e-6)


@pytest.mark.parametrize("seed", [2, 10])
def test_halves_that_take_other_roles_than_their_component_are_found(seed: int) -> None:
    # The best pairs are not near the narrow and the wide component of the null hypothesis.
    x = inside(seed)
    fit = bt.fit(x)
    found = em_test(Sample.of(x), 2).statistic
    assert found == pytest.approx(published(x, fit.mixture, starts=40), abs=1e-5)


def test_the_galaxies_are_more_than_two_components() -> None:
    x = bt.datasets.load("galaxies")["velocity"]
    fit = bt.fit(x)
    found = fit.homogeneity_test(2).statistic
    assert found == pytest.approx(published(x, fit.mixture, starts=24), abs=1e-5)


def test_two_against_more_is_the_published_procedure() -> None:
    x = rows("two", 80)
    fit = bt.fit(x)
    assert fit.homogeneity_test(2).statistic == pytest.approx(published(x, fit.mixture), abs=1e-5)


@pytest.mark.parametrize(
    ("shift", "factor"), [(5.0, -2.0), (1e9, 1.0), (0.0, 1e150), (0.0, 1e-150)]
)
def test_shifted_scaled_and_mirrored_rows_have_the_same_statistic(
    shift: float, factor: float
) -> None:
    x = rows("two", 120)
    moved = em_test(Sample.of(shift + factor * x), 1).statistic
    assert moved == pytest.approx(em_test(Sample.of(x), 1).statistic, abs=1e-4 if shift else 1e-8)


def test_a_weight_counts_rows_and_the_order_counts_nothing() -> None:
    x = rows("ties", 200)
    values, counts = np.unique(x, return_counts=True)
    alone = em_test(Sample.of(x), 1).statistic
    assert em_test(Sample.of(x[::-1].copy()), 1).statistic == alone
    weighted = Sample.of(values, counts.astype(np.float64))
    assert em_test(weighted, 1).statistic == pytest.approx(alone, abs=1e-9)


def test_a_sketch_has_the_statistic_of_its_rows() -> None:
    x = rows("two", 20_000)
    exact = em_test(Sample.of(x), 1).statistic
    assert em_test(bt.Sketch.of(x).to_sample(), 1).statistic == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("name", ["normal", "two", "outlier"])
def test_a_fit_at_hand_changes_nothing_for_one_component(name: str) -> None:
    x = rows(name, 150)
    one, two = bt.fit(x, 1), bt.fit(x)
    assert two.homogeneity_test().statistic == pytest.approx(
        one.homogeneity_test().statistic, abs=1e-7
    )


def test_two_components_where_there_are_two_and_one_where_there_is_one() -> None:
    waiting = bt.fit(WAITING)
    assert waiting.homogeneity_test().p_value < 1e-20
    assert waiting.homogeneity_test(2).p_value > 0.1
    assert em_test(Sample.of(rows("normal", 500)), 1).p_value > 0.05


def test_coarse_rounding_is_noticed_and_refused() -> None:
    x = rows("normal", 400)
    for step, coarse in ((0.0, False), (0.4, False), (0.7, True), (1.0, True)):
        sample = Sample.of(np.round(x / step) * step if step else x)
        assert is_coarse(sample, float(np.sqrt(sample.local_variance))) == coarse
    with pytest.raises(bt.ParameterError, match="rounded so coarsely"):
        em_test(Sample.of(np.round(x)), 1)
    assert bt.fit(np.round(x)).homogeneity_test(rng=1).method == "bootstrap"
    assert not is_coarse(Sample.of(rows("normal", 6)), 1.0)


def test_what_has_no_law_is_refused() -> None:
    sample = Sample.of(WAITING)
    with pytest.raises(bt.ParameterError, match="more than one component with equal variances"):
        em_test(sample, 2, equal_variances=True)
    with pytest.raises(bt.ParameterError, match="up to 4 components"):
        em_test(sample, 5)
    outlier = Sample.of(np.append(WAITING[:50], 1e9))
    with pytest.raises(bt.ParameterError, match="no admissible maximum with 2 components"):
        em_test(outlier, 2)
    assert em_test(outlier, 1).p_value < 1e-3


def test_too_few_rows_or_values_are_refused() -> None:
    with pytest.raises(bt.DataError, match="4 rows, and 2 components have 5 parameters"):
        em_test(Sample.of(np.array([1.0, 2.0, 4.0, 8.0])), 1)
    assert 0.0 < em_test(Sample.of(np.array([1.0, 2.0, 4.0, 8.0])), 1, equal_variances=True).p_value
    assert 0.0 < em_test(Sample.of(np.array([1.0, 2.0, 4.0, 8.0, 9.0])), 1).p_value < 1.0
    two = Sample.of(np.repeat([0.0, 1.0], 20))
    with pytest.raises(bt.DataError, match="2 distinct values, too few for 2 components"):
        em_test(two, 1)
    with pytest.raises(bt.ParameterError, match="rounded so coarsely"):
        em_test(Sample.of(np.repeat([0.0, 1.0, 2.0], 20)), 1)


def test_a_value_that_many_rows_share_is_named() -> None:
    x = np.concatenate([np.full(30, 1.5), rows("normal", 90)])
    test = em_test(Sample.of(x), 1)
    assert test.p_value < 1e-6
    assert len(test.notes) == 1
    assert "The value 1.5 is shared by 30 of the 120 rows." in test.notes[0]
    assert em_test(Sample.of(x), 1, equal_variances=True).notes == ()
    assert em_test(Sample.of(rows("normal", 90)), 1).notes == ()


def test_rows_beyond_all_measure_make_no_warning() -> None:
    # Warnings are errors here.
    x = rows("normal", 60)
    for far in (1e5, 1e9, 1e300):
        assert em_test(Sample.of(np.append(x, far)), 1).p_value < 1e-20
    assert em_test(Sample.of(np.concatenate([x, [1e5, -1e5]])), 2).p_value < 0.05
    assert em_test(Sample.of(np.concatenate([x, x + 1e8])), 2).p_value > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("name", ["normal", "two", "skewed", "heavy", "outlier", "groups"])
def test_no_sample_has_a_lower_statistic_than_published(name: str, equal: bool) -> None:
    for seed in range(25):
        n = 40 + 10 * seed
        x = groups(seed) if name == "groups" else rows(name, n, seed)
        one = NormalMixture([1.0], [x.mean()], [x.std()])
        found = em_test(Sample.of(x), 1, equal_variances=equal).statistic
        assert found > published(x, one, equal=equal, starts=40) - 1e-6


@pytest.mark.slow
def test_the_size_is_nominal_at_a_hundred_rows() -> None:
    rng = np.random.default_rng(100)
    p = np.array([em_test(Sample.of(rng.normal(size=100)), 1).p_value for _ in range(500)])
    assert abs((p < 0.05).mean() - 0.05) < 3.0 * np.sqrt(0.05 * 0.95 / 500)
