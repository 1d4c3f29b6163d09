"""Goodness of fit: known laws where there are any, the same numbers for the same seed, honesty."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import bactrian as bt
from bactrian.fitting import reading
from bactrian.infer import goodness, recording
from bactrian.infer.edf import EdfStatistics
from bactrian.infer.goodness import GoodnessOfFit, SimulatedStatistic
from tests.problems import MIXTURES, draw, drawn_fit

Array = NDArray[np.float64]

NAMES = ("kolmogorov_smirnov", "cramer_von_mises", "anderson_darling")


def three(found: GoodnessOfFit) -> list[SimulatedStatistic]:
    """The three of them."""
    return [getattr(found, name) for name in NAMES]


def wrong_rows(size: int = 400) -> Array:
    """Rows of two humps of which neither is normal: Student's t and exponential."""
    rng = np.random.default_rng(7)
    low, high = 0.8 * rng.standard_t(3, size), 4.0 + rng.exponential(1.0, size)
    return np.where(rng.random(size) < 0.4, low, high)


@cache
def right() -> GoodnessOfFit:
    """The tests of a fit of rows that are drawn from such a mixture."""
    return drawn_fit("apart").goodness_of_fit(99, rng=1)


def test_rows_of_the_mixture_are_not_rejected() -> None:
    assert all(test.p_value > 0.2 for test in three(right()))


def test_other_rows_are_rejected() -> None:
    found = bt.fit(wrong_rows()).goodness_of_fit(99, rng=1)
    assert [test.p_value for test in three(found)] == [0.01] * 3


def test_statistics_are_those_of_scipy() -> None:
    x, mixture = draw("apart"), drawn_fit("apart").mixture
    assert right().max_distance == pytest.approx(stats.kstest(x, mixture.cdf).statistic, rel=1e-12)
    known = stats.cramervonmises(x, mixture.cdf).statistic
    assert right().cramer_von_mises.statistic == pytest.approx(known, rel=1e-11)
    assert right().max_distance_at == pytest.approx(
        stats.kstest(x, mixture.cdf).statistic_location, rel=1e-12
    )
    assert right().edf_error == 0.0


def test_a_known_mixture_has_the_tabulated_law() -> None:
    """With nothing left to fit, p-values are SciPy's within four Monte-Carlo errors."""
    rng = np.random.default_rng(4)
    for shift in (0.0, 0.08):
        x = rng.normal(shift, 1.0, 150)
        fit = bt.fit(x, 1, fixed={"means": [0.0]}, bounds={"sds": [(0.999999, 1.000001)]})
        found = fit.goodness_of_fit(199, rng=2)
        known = [stats.kstest(x, "norm").pvalue, stats.cramervonmises(x, "norm").pvalue]
        for test, p in zip(three(found), known, strict=False):
            assert abs(test.p_value - p) < 4.0 * math.sqrt(p * (1.0 - p) / 199) + 1.0 / 200


def stephens(a2: float, n: int) -> float:
    """The p-value of A2 for a fitted normal (D'Agostino and Stephens 1986, table 4.9)."""
    a = a2 * (1.0 + 0.75 / n + 2.25 / n**2)
    if a >= 0.6:
        return math.exp(1.2937 - 5.709 * a + 0.0186 * a * a)
    if a > 0.34:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    if a > 0.2:
        return 1.0 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    return 1.0 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)


@pytest.mark.parametrize("seed", [0, 1, 5, 8])
def test_one_fitted_normal_has_the_law_of_stephens(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=300)
    found = bt.fit(x, 1).goodness_of_fit(199, rng=seed)
    p = stephens(found.statistic, 300)
    assert abs(found.p_value - p) < 4.0 * math.sqrt(p * (1.0 - p) / 199) + 0.02
    # The law of a known normal is another one altogether.
    known = stats.kstest(x, stats.norm(x.mean(), x.std()).cdf)
    assert known.pvalue > found.kolmogorov_smirnov.p_value


def test_the_same_seed_gives_the_same_numbers_with_any_number_of_workers() -> None:
    fit = drawn_fit("apart")
    one = fit.goodness_of_fit(30, rng=3)
    assert fit.goodness_of_fit(30, rng=3, workers=2) == one
    assert fit.goodness_of_fit(30, rng=4) != one


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 2.0**40), (1e4, -0.3)])
def test_the_unit_does_not_matter(shift: float, scale: float) -> None:
    found = bt.fit(shift + scale * draw("apart")).goodness_of_fit(99, rng=1)
    for test, known in zip(three(found), three(right()), strict=True):
        assert test.statistic == pytest.approx(known.statistic, rel=1e-6)
        if shift == 0.0:
            assert test.p_value == known.p_value
        else:  # turned about, the same draws are other rows
            assert abs(test.p_value - known.p_value) < 5.0 * math.sqrt(0.5 / 99)
    place = shift + scale * right().max_distance_at
    assert found.max_distance_at == pytest.approx(place, rel=1e-12)


def test_a_row_of_weight_three_is_the_row_three_times_over() -> None:
    x = draw("overlapping", 120)
    weights = np.random.default_rng(1).integers(1, 4, x.size)
    one = bt.fit(x, sample_weight=weights).goodness_of_fit(19, rng=1)
    other = bt.fit(np.repeat(x, weights)).goodness_of_fit(19, rng=1)
    for test, known in zip(three(one), three(other), strict=True):
        assert test.statistic == pytest.approx(known.statistic, rel=1e-9)
        assert test.p_value == known.p_value
    assert "Many rows share their values" in one.notes[1]


def test_p_values_and_their_errors_count_the_drawn_samples(monkeypatch: Any) -> None:
    """Of ten drawn samples two fail and three are as large or larger: p is six elevenths."""
    drawn = iter([0.01, None, 0.02, 9.0, 0.01, None, 9.0, 0.01, 9.0, 0.01])

    def replicate(*_: Any) -> EdfStatistics | None:
        """The next of the made-up results."""
        value = next(drawn)
        return None if value is None else EdfStatistics(value, value, value)

    monkeypatch.setattr(goodness, "_replicate", replicate)
    found = bt.fit(wrong_rows()).goodness_of_fit(10, rng=1)
    assert (found.n_replicates, found.n_failed) == (10, 2)
    for test in three(found):
        assert test.p_value == pytest.approx(6.0 / 11.0)
        assert test.p_error == pytest.approx(math.sqrt(6.0 / 11.0 * 5.0 / 11.0 / 10.0))
    assert "2 of 10 fits of drawn samples ended at no maximum" in found.notes[-1]
    assert "too large by 0.18" in found.notes[-1]


def test_drawn_samples_are_fitted_under_the_constraints_of_the_fit(monkeypatch: Any) -> None:
    fit = bt.fit(draw("overlapping"), equal_variances=True)
    seen = []
    mixture_at = goodness._mixture

    def mixture(state: Any) -> bt.NormalMixture:
        """The mixture, kept."""
        seen.append(mixture_at(state))
        return seen[-1]

    monkeypatch.setattr(goodness, "_mixture", mixture)
    assert fit.goodness_of_fit(20, rng=1).n_failed == 0
    assert len({(m.means[0], m.sds[0]) for m in seen}) == 21  # every sample has a fit of its own
    assert all(m.sds[0] == m.sds[1] for m in seen)


def test_fits_that_fail_count_as_larger() -> None:
    truth = bt.NormalMixture([0.5, 0.5], [0.0, 1.0], [1.0, 2.0])
    fit = bt.fit(truth.sample(50, np.random.default_rng(3)))
    found = fit.goodness_of_fit(99, rng=1)
    assert found.n_failed > 0
    assert all(test.p_value >= (1 + found.n_failed) / 100 for test in three(found))


def test_rounding_alone_does_not_reject() -> None:
    x = np.round(draw("apart", 1000) / 0.5) * 0.5
    fit = bt.fit(x)
    found = fit.goodness_of_fit(99, rng=1)
    assert all(test.p_value > 0.1 for test in three(found))
    assert "multiples of 0.5" in found.notes[1]
    assert found.max_distance_at % 0.5 == pytest.approx(0.25)
    assert 0.0 < found.edf_error < 0.25
    # SciPy's statistic counts half of every tie as misfit.
    assert stats.kstest(x, fit.mixture.cdf).statistic > 2.0 * found.max_distance


def test_a_sketch_has_the_tests_of_its_rows(monkeypatch: Any) -> None:
    x = draw("apart", 3000)
    rows = bt.fit(x).goodness_of_fit(99, rng=1)
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    found = bt.fit(x).goodness_of_fit(99, rng=1)
    assert found.max_distance <= rows.max_distance <= found.max_distance + found.edf_error
    for test, known in zip(three(found), three(rows), strict=True):
        assert test.statistic == pytest.approx(known.statistic, rel=0.1)
        assert abs(test.p_value - known.p_value) < 0.1
    assert "edges" in found.notes[1]


@pytest.mark.parametrize("x", [draw("apart", 800), wrong_rows(800)], ids=["right", "wrong"])
def test_fewer_drawn_rows_have_the_same_law(x: Array, monkeypatch: Any) -> None:
    fit = bt.fit(x)
    whole = fit.goodness_of_fit(99, rng=1)
    monkeypatch.setattr(recording, "MOST_DRAWN", 200)
    found = fit.goodness_of_fit(99, rng=1)
    for test, known in zip(three(found), three(whole), strict=True):
        assert test.statistic == known.statistic
        errors = math.hypot(test.p_error, known.p_error)
        assert abs(test.p_value - known.p_value) < 4.0 * errors
    assert "Drawn samples have 200 rows" in found.notes[-1]


def test_very_many_rows_come_with_a_warning(monkeypatch: Any) -> None:
    monkeypatch.setattr(goodness, "_MANY", 200)
    found = drawn_fit("apart").goodness_of_fit(2, rng=1)
    assert found.notes[-1].startswith("Among 240 rows the least departure")


def test_sampling_weights_are_refused() -> None:
    x = draw("apart")
    fit = bt.fit(x, sample_weight=1.0 + (x > 3.0), weight_kind="sampling")
    with pytest.raises(bt.ParameterError, match="sampling weights"):
        fit.goodness_of_fit(5)


def test_printing_shows_a_line_for_each_test_and_the_notes() -> None:
    one = SimulatedStatistic(0.0123456, 0.425, 0.035)
    found = GoodnessOfFit(one, SimulatedStatistic(math.inf, 1.0, 0.0), one, 199, 0, 1.5, 0.0,
                          ("It is so.",))  # fmt: skip
    assert str(found) == repr(found)
    assert str(found).splitlines() == [
        "                    statistic    p-value   (199 samples drawn and fitted)",
        "Kolmogorov-Smirnov    0.01235    0.425 ± 0.035",
        "Cramér-von Mises          inf    1",
        "Anderson-Darling      0.01235    0.425 ± 0.035",
        "",
        "It is so.",
    ]


def test_the_record_is_strict_json() -> None:
    one, far = SimulatedStatistic(0.5, 0.02, 0.01), SimulatedStatistic(math.inf, 0.005, 0.005)
    found = GoodnessOfFit(one, one, far, 199, 3, 1.5, 0.25, ("It is so.",))
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["anderson_darling"] == {"statistic": None, "p_value": 0.005, "p_error": 0.005}
    assert record["max_distance"] == 0.5
    assert (record["n_failed"], record["edf_error"], record["notes"]) == (3, 0.25, ["It is so."])
    assert right().to_dict()["max_distance"] == right().max_distance


def test_the_test_to_report_is_that_of_anderson_and_darling() -> None:
    assert right().p_value == right().anderson_darling.p_value
    assert right().statistic == right().anderson_darling.statistic


def test_a_row_far_in_a_tail_leaves_all_numbers_finite() -> None:
    x = np.append(np.random.default_rng(1).normal(size=50), 200.0)
    fit = bt.fit(x, 1, fixed={"means": [0.0]}, bounds={"sds": [(0.9, 1.1)]})
    found = fit.goodness_of_fit(9, rng=1)
    assert 200.0 < found.statistic < 2000.0  # -log of its tail area, over the rows
    assert found.p_value == 0.1


def test_a_narrow_component_is_compared_in_its_own_unit() -> None:
    found = bt.fit(draw("narrow in wide", 600)).goodness_of_fit(49, rng=1)
    assert found.n_failed == 0
    assert all(test.p_value > 0.02 for test in three(found))
    assert MIXTURES["narrow in wide"].n_components == 2
