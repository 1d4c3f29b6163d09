"""Tests between nested fits: known forms, first-order agreement, and what has no chi-square law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, chi2

import bactrian as bt
from bactrian.fitting import reading
from bactrian.infer.nested import NestedTest
from tests.problems import MIXTURES, Array, draw, drawn_fit

NAMES = ("likelihood_ratio", "wald", "score")


def statistics(test: NestedTest) -> Array:
    """The three statistics."""
    return np.array([getattr(test, name).statistic for name in NAMES])


def compared(x: Any, restricted: dict[str, Any], k: int = 2, **general: Any) -> NestedTest:
    """The tests of a restricted fit against a general one."""
    return bt.fit(x, k, **restricted).test_against(bt.fit(x, k, **general))


def test_one_mean_has_the_forms_of_the_textbook() -> None:
    # With T = (m - m0)^2 / s^2: n log(1 + T), n T and n T / (1 + T); the last by the expected
    # information at the restricted estimate, which here is not the observed one.
    x = draw("apart")
    n, variance = x.size, float(x.var())
    far = (x.mean() - 3.0) ** 2 / variance
    test = compared(x, {"fixed": {"means": [3.0]}}, 1)
    assert test.df == 1
    assert test.likelihood_ratio.statistic == pytest.approx(n * math.log1p(far), rel=1e-9)
    assert test.wald.statistic == pytest.approx(n * far, rel=1e-9)
    # Observed information of mean and log variance at (m0, s0): s0^2 = s^2 (1 + T).
    total = variance * (1.0 + far)
    shift = n * (x.mean() - 3.0) / total
    observed = np.array([[n / total, shift], [shift, 0.5 * n]])
    known = np.array([shift, 0.0]) @ np.linalg.solve(observed, [shift, 0.0])
    assert test.score.statistic == pytest.approx(known, rel=1e-9)


def test_one_sd_has_the_forms_of_the_textbook() -> None:
    x = draw("apart")
    n, ratio = x.size, float(x.var()) / 9.0
    test = compared(x, {"fixed": {"sds": [3.0]}}, 1)
    assert test.likelihood_ratio.statistic == pytest.approx(
        n * (ratio - 1.0 - math.log(ratio)), rel=1e-9
    )
    # The log variance has the variance 2 / n.
    assert test.wald.statistic == pytest.approx(0.5 * n * math.log(ratio) ** 2, rel=1e-9)
    # Its score is n (ratio - 1) / 2, its observed information n ratio / 2.
    assert test.score.statistic == pytest.approx(0.5 * n * (ratio - 1.0) ** 2 / ratio, rel=1e-9)


def test_p_values_are_upper_tails() -> None:
    test = compared(draw("overlapping"), {"equal_variances": True, "equal_weights": True})
    assert test.df == 2
    for name in NAMES:
        found = getattr(test, name)
        assert found.p_value == pytest.approx(chi2.sf(found.statistic, 2), rel=1e-12)
    assert test.statistic == test.likelihood_ratio.statistic
    assert test.p_value == test.likelihood_ratio.p_value


def test_the_likelihood_ratio_is_twice_the_loss() -> None:
    x = draw("apart")
    few, many = bt.fit(x, fixed={"means": [0.2, None]}), bt.fit(x)
    found = few.test_against(many).likelihood_ratio.statistic
    assert found == pytest.approx(2.0 * (many.loglike - few.loglike), abs=1e-9)


def wald_by_hand(x: Array, means: tuple[float, float]) -> float:
    """Wald's statistic for two known means, from the public covariance."""
    fit = bt.fit(x)
    away = fit.mixture.means - np.array(means)
    return float(away @ np.linalg.solve(fit.covariance()[2:4, 2:4], away))


def score_by_hand(x: Array, mixture: bt.NormalMixture) -> float:
    """The score statistic from the public derivatives at the restricted estimate."""
    score = bt.score(x, mixture, coordinates="working")
    hessian = bt.hessian(x, mixture, coordinates="working")
    return float(score @ np.linalg.solve(-hessian, score))


def test_wald_and_score_are_the_formulas() -> None:
    x = draw("apart")
    restricted = bt.fit(x, fixed={"means": [0.1, 5.9]})
    test = restricted.test_against(drawn_fit("apart"))
    assert test.df == 2
    assert test.wald.statistic == pytest.approx(wald_by_hand(x, (0.1, 5.9)), rel=1e-8)
    assert test.score.statistic == pytest.approx(score_by_hand(x, restricted.mixture), rel=1e-8)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "a mean": ({"fixed": {"means": [0.0, None]}}, {}, 1),
    "a weight": ({"fixed": {"weights": [0.4, None]}}, {}, 1),
    "both means": ({"fixed": {"means": [0.0, 6.0]}}, {}, 2),
    "equal variances": ({"equal_variances": True}, {}, 1),
    "a mean more": (
        {"equal_variances": True, "fixed": {"means": [0.0, None]}},
        {"equal_variances": True},
        1,
    ),
    "the sd too": (
        {"equal_variances": True, "fixed": {"sds": [1.0, None]}},
        {"equal_variances": True},
        1,
    ),
    "known sds": ({"fixed": {"sds": [1.0, 1.0]}}, {"equal_variances": True}, 1),
    "known sds in all": ({"fixed": {"sds": [1.0, 1.0]}}, {}, 2),
    "wide bounds": ({"fixed": {"means": [0.0, None]}}, {"bounds": {"sds": [(0.1, 9), None]}}, 1),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_three_agree_in_large_samples_where_the_restriction_is_true(name: str) -> None:
    few, many, df = CASES[name]
    x = draw("apart", 2000)
    test = compared(x, few, **many)
    assert test.df == df
    # They differ by terms of the order of the root of 1 / n, a few hundredths each.
    ratio, *others = statistics(test)
    np.testing.assert_allclose(others, ratio, rtol=0.15, atol=0.05)
    # The restriction is true: one in ten thousand such tests has a smaller p-value.
    assert test.p_value > 1e-4


def test_three_components_with_one_known_weight() -> None:
    x = draw("three", 400)
    test = compared(x, {"fixed": {"weights": [None, 0.4, None]}}, 3)
    assert test.df == 1
    ratio, *others = statistics(test)
    np.testing.assert_allclose(others, ratio, rtol=0.2, atol=0.05)


def test_a_false_restriction_is_found() -> None:
    test = compared(draw("rare", 2000), {"equal_variances": True})
    assert test.p_value < 1e-4


def test_components_named_in_reverse_are_matched() -> None:
    x = draw("apart")
    general = drawn_fit("apart")
    forward = bt.fit(x, fixed={"means": [0.1, 5.9]}).test_against(general)
    backward = bt.fit(x, fixed={"means": [5.9, 0.1]}).test_against(general)
    np.testing.assert_allclose(statistics(backward), statistics(forward), rtol=1e-8)
    weight = bt.fit(x, fixed={"weights": [0.6, None], "means": [6.0, None]}).test_against(general)
    same = bt.fit(x, fixed={"weights": [None, 0.6], "means": [None, 6.0]}).test_against(general)
    np.testing.assert_allclose(statistics(weight), statistics(same), rtol=1e-8)


def test_three_components_named_out_of_order_are_matched() -> None:
    x, general = draw("three"), drawn_fit("three")
    one = bt.fit(x, 3, fixed={"means": [0.1, 5.0, -4.0]}).test_against(general)
    other = bt.fit(x, 3, fixed={"means": [-4.0, 0.1, 5.0]}).test_against(general)
    assert one.df == 3
    np.testing.assert_allclose(statistics(one), statistics(other), rtol=1e-8)


@pytest.mark.parametrize(("shift", "scale"), [(1e6, 1.0), (0.0, 1e80)])
def test_statistics_have_no_unit(shift: float, scale: float) -> None:
    x = np.round(draw("apart") * 2.0**20) / 2.0**20
    known = compared(x, {"fixed": {"means": [0.25, None]}})
    fixed = {"means": [shift + 0.25 * scale, None]}
    found = compared(shift + scale * x, {"fixed": fixed})
    np.testing.assert_allclose(statistics(found), statistics(known), rtol=1e-6)


def test_sketched_rows_have_the_tests_of_the_rows(monkeypatch: Any) -> None:
    x = draw("overlapping", 1200)
    known = compared(x, {"fixed": {"means": [0.05, None]}})
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    found = compared(x, {"fixed": {"means": [0.05, None]}})
    np.testing.assert_allclose(statistics(found), statistics(known), rtol=1e-6)


def test_sampling_weights_leave_the_test_of_wald() -> None:
    x = draw("apart")
    w = np.random.default_rng(5).gamma(2.0, 1.0, x.size)
    options: dict[str, Any] = {"sample_weight": w, "weight_kind": "sampling"}
    general = bt.fit(x, **options)
    test = bt.fit(x, fixed={"means": [0.1, None]}, **options).test_against(general)
    assert math.isnan(test.likelihood_ratio.statistic)
    assert math.isnan(test.score.p_value)
    away = general.mixture.means[0] - 0.1
    assert test.wald.statistic == pytest.approx(away**2 / general.covariance()[2, 2], rel=1e-9)
    assert test.statistic == test.wald.statistic
    assert test.p_value == test.wald.p_value
    assert "Wald" in str(test)


def test_printing_shows_all_three() -> None:
    test = compared(draw("apart"), {"fixed": {"means": [0.1, None]}})
    first, *lines = str(test).splitlines()
    assert "1 degree of freedom" in first
    assert [line.split("  ")[0] for line in lines] == ["likelihood ratio", "Wald", "score"]
    two = str(compared(draw("apart"), {"fixed": {"means": [0.1, 6.0]}}))
    assert "2 degrees of freedom" in two


APART = draw("apart")
COLLAPSED = np.concatenate([np.random.default_rng(1).normal(0.0, 1.0, 60), [1e4]])
REFUSED: dict[str, tuple[Any, dict[str, Any], Any, dict[str, Any], str]] = {
    "other K": (APART, {"n_components": 1}, APART, {}, "1 and 2 components.*no chi-square law"),
    "the wrong way round": (
        APART, {}, APART, {"equal_variances": True}, "5 and 4 free parameters.*fewer",
    ),
    "the same": (APART, {}, APART, {}, "5 and 5 free parameters"),
    "not nested": (
        APART, {"fixed": {"means": [0.0, 6.0]}}, APART, {"equal_variances": True}, "not nested",
    ),
    "another value": (
        APART, {"fixed": {"means": [0.1, 6.0]}}, APART, {"fixed": {"means": [0.0, None]}},
        "not nested",
    ),
    "other rows": (
        APART, {"equal_variances": True}, APART[1:], {}, "different rows",
    ),
    "rows with the same ends": (
        np.concatenate([APART[:-1] * 0.999, [-20.0, 30.0]]), {"equal_variances": True},
        np.concatenate([APART[:-1], [-20.0, 30.0]]), {}, "different rows",
    ),
    "other weights": (
        APART, {"equal_variances": True, "sample_weight": np.tile([1, 2], 120)}, APART, {},
        "different rows or weights",
    ),
    "an active bound": (
        APART, {"bounds": {"sds": [(1.5, None)] * 2}, "fixed": {"means": [0.0, None]}}, APART, {},
        "restricted fit has a parameter at its bound",
    ),
    "an active bound of the general fit": (
        APART, {"fixed": {"means": [0.0, None]}}, APART, {"bounds": {"sds": [(1.5, None)] * 2}},
        "general fit has a parameter at its bound",
    ),
    "no maximum": (COLLAPSED, {"equal_variances": True}, COLLAPSED, {}, "did not converge"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_has_no_chi_square_law_is_refused(name: str) -> None:
    x, few, y, many, words = REFUSED[name]
    restricted, general = bt.fit(x, **few), bt.fit(y, **many)
    with pytest.raises(bt.ParameterError, match=f"(?s){words}") as caught:
        restricted.test_against(general)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_value_that_only_happens_to_agree_is_not_nested() -> None:
    x = draw("apart")
    restricted = bt.fit(x, equal_variances=True, equal_weights=True)
    general = bt.fit(x, fixed={"means": [float(restricted.mixture.means[0]), None]})
    with pytest.raises(bt.ParameterError, match="not nested"):
        restricted.test_against(general)


@pytest.mark.slow
def test_a_true_restriction_is_refused_as_often_as_it_should() -> None:
    rng, size, tries = np.random.default_rng(17), 0, 250
    truth = MIXTURES["apart"]
    for _ in range(tries):
        x = truth.sample(300, rng)
        size += compared(x, {"fixed": {"means": [0.0, 6.0]}}).p_value < 0.1
    low, high = binom.ppf([5e-4, 1.0 - 5e-4], tries, 0.1)
    assert low <= size <= high
