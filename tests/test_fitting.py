"""The front door: odd data are fitted or refused, and either way in words."""

from __future__ import annotations

import json
import math
import time
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from tests.problems import MIXTURES, Array, draw, drawn_fit
from tests.reference_fits import fitted, our_errors, our_parameters

NAN = math.nan


def quantiles(n: int) -> Array:
    """The most normal column of n values there is."""
    return np.array([NormalDist().inv_cdf(p) for p in (np.arange(n) + 0.5) / n])


def said(fit: bt.Fit) -> str:
    """The printed fit as one line."""
    return " ".join(str(fit).split())


# --- the main job -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(MIXTURES))
def test_the_mixture_that_rows_come_from_is_found(name: str) -> None:
    k, truth = MIXTURES[name].n_components, MIXTURES[name].ordered()
    x = draw(name, 1000)
    fit = bt.fit(x, k)
    assert fit.converged
    known = np.stack([truth.weights, truth.means, truth.sds])
    # Five standard errors: one false alarm in a million numbers, and the rows are always the same.
    assert (np.abs(our_parameters(fit) - known) < 5.0 * our_errors(fit)).all()
    assert fit.loglike >= bt.loglike(x, truth)


def test_the_figures_of_a_fit_belong_together() -> None:
    x = draw("overlapping")
    fit = drawn_fit("overlapping")
    assert fit.n_obs == x.size
    assert fit.n_params == 5
    assert fit.loglike == pytest.approx(bt.loglike(x, fit.mixture), rel=1e-14)
    assert fit.aic == 10.0 - 2.0 * fit.loglike
    assert fit.bic == 5.0 * math.log(x.size) - 2.0 * fit.loglike
    r = bt.responsibilities(x, fit.mixture)
    assert fit.icl == pytest.approx(fit.bic - 2.0 * (r * np.log(r)).sum(), rel=1e-12)
    assert fit.n_missing == 0
    assert fit.column is None


@pytest.mark.parametrize(
    ("k", "equal", "count"), [(1, False, 2), (2, True, 4), (3, False, 8), (3, True, 6)]
)
def test_parameters_are_counted(k: int, equal: bool, count: int) -> None:
    assert bt.fit(draw("three", 60), k, equal_variances=equal).n_params == count


def test_one_component_is_mean_and_standard_deviation() -> None:
    x = draw("rare")
    fit = bt.fit(x, 1)
    assert fit.mixture.means[0] == pytest.approx(x.mean(), rel=1e-14)
    assert fit.mixture.sds[0] == pytest.approx(x.std(), rel=1e-14)


def test_missing_values_are_counted_and_told() -> None:
    x = np.concatenate([draw("apart"), [NAN, NAN]])
    with pytest.raises(bt.DataError, match="missing='drop'"):
        bt.fit(x)
    fit = bt.fit(x, missing="drop")
    assert fit.n_missing == 2
    assert "2 rows were left out" in said(fit)
    np.testing.assert_array_equal(our_parameters(fit), our_parameters(drawn_fit("apart")))


def test_a_column_has_its_name_and_weights_may_be_a_column() -> None:
    x = draw("apart", 80)
    frame = {"length": x, "times": np.tile([1, 3], 40), "other": x + 1.0}
    fit = bt.fit(frame, column="length", sample_weight="times")
    assert fit.column == "length"
    assert fit.n_obs == 160
    assert "fitted to length (160 rows)" in said(fit)


def test_the_record_is_strict_json() -> None:
    def refuse(constant: str) -> float:
        """Fail on NaN and Infinity, which JSON does not have."""
        raise AssertionError(constant)

    for fit in (drawn_fit("apart"), fitted("s11_outlier", "2V"), bt.fit(draw("apart"), 1)):
        text = json.dumps(fit.to_dict(), allow_nan=False)
        record = json.loads(text, parse_constant=refuse)
        assert record["loglike"] == fit.loglike
        assert record["means"] == fit.mixture.means.tolist()
        assert record["outcome"] == fit.outcome.value
        assert len(record["certificate"]["optima"]) == len(fit.certificate.optima)


def test_a_fit_shows_itself() -> None:
    fit = drawn_fit("apart")
    assert str(fit) == repr(fit)
    assert "<table" in fit._repr_html_()


def test_a_fit_of_a_few_hundred_rows_takes_no_time() -> None:
    x = bt.datasets.load("faithful")["waiting"]
    bt.fit(x)
    start = time.perf_counter()
    for _ in range(3):
        bt.fit(x)
    # 20 ms each on a quiet machine; the bound only catches a search gone wild.
    assert time.perf_counter() - start < 3.0


# --- the degenerate and the odd -----------------------------------------------------------------


@pytest.mark.parametrize("far", [60.0, 1e4, 1e9])
def test_one_gross_outlier_is_never_a_component_of_its_own(far: float) -> None:
    fit = bt.fit(np.concatenate([draw("apart"), [far]]))
    assert math.isfinite(fit.loglike)
    assert np.isfinite(our_parameters(fit)).all()
    if fit.converged:
        counts = fit.certificate.optima[0].counts
        assert counts.min() >= 1.5
    else:
        assert fit.outcome is bt.Outcome.COMPONENT_COLLAPSED
        assert "equal_variances=True" in said(fit)
        assert "std. error" not in said(fit) or "–" in said(fit)
    bounded = bt.fit(np.concatenate([draw("apart"), [far]]), equal_variances=True)
    assert bounded.converged


def test_three_components_have_room_for_an_outlier_only_as_a_collapse() -> None:
    fit = bt.fit(np.concatenate([draw("apart"), [60.0]]), 3)
    assert not fit.converged or fit.certificate.optima[0].counts.min() >= 1.5


def test_two_far_outliers_are_a_component_that_is_reported_and_not_traded() -> None:
    truth = bt.NormalMixture([0.5, 0.5], [0.0, 4.0], [1.0, 1.0])
    rows = truth.sample(200, np.random.default_rng(3))
    x = np.concatenate([rows, [60.0, 85.0]])
    fit = bt.fit(x)
    assert fit.converged
    # What a rule that refuses components of two rows would end at: both clusters, the outliers
    # within the second; hundreds of units lower.
    both = bt.NormalMixture([0.98, 0.02], [x[:200].mean(), 40.0], [x[:200].std(), 40.0])
    assert fit.loglike > bt.loglike(x, both)
    np.testing.assert_allclose(fit.mixture.means, [rows.mean(), 72.5], atol=1e-3)
    assert fit.mixture.sds[1] == pytest.approx(12.5, rel=1e-4)
    first, *_ = fit.certificate.warnings
    assert first.startswith("Component 2 rests on 2.0 rows (values near 60, 85)")
    assert "Warning: Component 2 rests on 2.0 rows" in said(fit)
    for optimum in fit.certificate.optima[1:]:
        assert optimum.gap > 100.0


def test_two_far_outliers_and_three_components_are_the_truth() -> None:
    truth = bt.NormalMixture([0.5, 0.5], [0.0, 4.0], [1.0, 1.0])
    x = np.concatenate([truth.sample(200, np.random.default_rng(3)), [60.0, 85.0]])
    fit = bt.fit(x, 3)
    np.testing.assert_allclose(fit.mixture.means, [0.0, 4.0, 72.5], atol=0.4)
    assert any("Component 3 rests on 2.0 rows" in w for w in fit.certificate.warnings)


def test_a_heap_is_no_component() -> None:
    # A fifth of the rows on one value: a component there has no width.
    x = np.concatenate([np.round(draw("overlapping"), 2), np.full(60, 1.0)])
    fit = bt.fit(x)
    assert math.isfinite(fit.loglike)
    assert fit.mixture.sds.min() >= 0.01 / 4.0
    assert fit.converged


def test_ties_everywhere_are_weights() -> None:
    x = np.round(draw("apart", 5000))
    fit = bt.fit(x)
    assert fit.converged
    assert len(fit.sample) < 20
    assert fit.n_obs == 5000
    assert fit.mixture.means == pytest.approx([0.0, 6.0], abs=0.2)


def test_a_component_narrower_than_the_rounding_is_not_taken_at_its_word() -> None:
    rng = np.random.default_rng(9)
    x = np.round(np.concatenate([rng.normal(0.0, 3.0, 300), rng.normal(20.0, 0.05, 100)]))
    fit = bt.fit(x)
    # All hundred rows are the value 20: that component has no sd that the data know of.
    assert (x == 20.0).sum() == 100
    assert fit.mixture.sds.min() >= 1.0 / 4.0
    assert math.isfinite(fit.loglike)


def test_a_component_about_as_narrow_as_the_rounding_is_warned_of() -> None:
    rng = np.random.default_rng(9)
    x = np.round(np.concatenate([rng.normal(0.0, 3.0, 300), rng.normal(20.0, 0.7, 100)]))
    fit = bt.fit(x)
    assert fit.converged
    assert any(
        "Heavy rounding: the values are multiples of 1" in w for w in fit.certificate.warnings
    )


@pytest.mark.parametrize("equal", [False, True])
def test_a_single_normal_is_doubted(equal: bool) -> None:
    fit = bt.fit(quantiles(300), equal_variances=equal)
    assert math.isfinite(fit.loglike)
    alone = bt.fit(quantiles(300), 1)
    assert fit.loglike >= alone.loglike - 1e-9
    if fit.converged:
        # Two more or three more parameters gain next to nothing, and the reader is warned.
        assert fit.bic > alone.bic
        assert any(
            "not identified" in w or "overlap" in w or "near-degenerate" in w
            for w in fit.certificate.warnings
        )
    else:
        assert "Fit fewer components" in said(fit)


def test_an_offset_of_1e9_costs_no_digit_but_that_of_the_data() -> None:
    x = np.round(draw("overlapping") * 2.0**20) / 2.0**20  # the offset rounds none of these
    plain, moved = bt.fit(x), bt.fit(x + 1e9)
    assert (x + 1e9 - 1e9 == x).all()
    np.testing.assert_allclose(moved.mixture.means - 1e9, plain.mixture.means, atol=2.5e-7)
    np.testing.assert_allclose(moved.mixture.sds, plain.mixture.sds, rtol=1e-13)
    assert moved.loglike == pytest.approx(plain.loglike, rel=1e-13)


@pytest.mark.parametrize("scale", [1e-150, 1e150, 1e-300, 1e300])
def test_the_unit_may_be_tiny_or_huge(scale: float) -> None:
    fit, known = bt.fit(scale * draw("overlapping")), drawn_fit("overlapping")
    assert fit.converged
    assert fit.certificate.warnings == known.certificate.warnings
    np.testing.assert_allclose(fit.mixture.means / scale, known.mixture.means, rtol=1e-10)
    np.testing.assert_allclose(fit.mixture.sds / scale, known.mixture.sds, rtol=1e-10)
    assert fit.loglike == pytest.approx(known.loglike - 240 * math.log(scale), rel=1e-13)
    assert math.isfinite(fit.bic)


def test_ten_rows_are_fitted_and_doubted() -> None:
    fit = fitted("s06_n10", "2V")
    assert fit.converged
    assert any(w.startswith("Few rows: 10 for 5 parameters") for w in fit.certificate.warnings)


def test_a_million_rows_are_fitted_in_seconds() -> None:
    truth = MIXTURES["overlapping"]
    x = truth.sample(10**6, np.random.default_rng(11))
    start = time.perf_counter()
    fit = bt.fit(x)
    # About two seconds on a quiet machine.
    assert time.perf_counter() - start < 60.0
    assert fit.converged
    assert fit.certificate.decrement < 1e-18
    assert (np.abs(fit.mixture.means - truth.means) < 5.0 * our_errors(fit)[1]).all()


def test_as_many_rows_as_parameters_are_just_enough() -> None:
    fit = bt.fit([0.0, 0.3, 1.1, 4.0, 4.7])
    assert math.isfinite(fit.loglike)


def test_k_plus_one_distinct_values_are_just_enough() -> None:
    fit = bt.fit(np.repeat([0.0, 1.0, 5.0], 20))
    assert math.isfinite(fit.loglike)
    assert np.isfinite(our_parameters(fit)).all()


# --- what is refused ----------------------------------------------------------------------------

GOOD = draw("apart", 50)

REFUSED_DATA: list[tuple[Any, type[Exception], str]] = [
    ([], bt.DataError, "no rows"),
    ([1.0, 2.0, 3.0, 4.0], bt.DataError, "4 rows for 5 parameters.*fewer components"),
    ([3.7] * 50, bt.DataError, "constant"),
    ([3.7] * 3, bt.DataError, "All values are 3.7: a constant"),
    ([3.7], bt.DataError, "1 row for 5 parameters"),
    ([0.0, 1.0] * 50, bt.DataError, "2 distinct values.*fewer components"),
    ([*GOOD, NAN], bt.DataError, "1 missing value among 51 rows"),
    ([*GOOD, math.inf], bt.DataError, "1 infinite value"),
    ([*GOOD, -math.inf], bt.DataError, "infinite"),
    ([-1e308, 0.0, 1.0, 2.0, 3.0, 1.7e308], bt.DataError, "range beyond the largest double"),
    (["a", "b", "c"], bt.DataTypeError, "text"),
    (GOOD + 1j, bt.DataTypeError, "complex"),
    (GOOD.reshape(25, 2), bt.DataError, "dimension"),
    (np.ones(50, dtype=bool), bt.DataTypeError, "true"),
    ({"a": GOOD, "b": GOOD}, bt.DataError, "a and b"),
    ({"a": ["x"] * 50}, bt.DataTypeError, "text"),
    (None, bt.DataTypeError, ""),
    (3.5, bt.DataTypeError, "single value"),
]


@pytest.mark.parametrize(("data", "error", "words"), REFUSED_DATA, ids=range(len(REFUSED_DATA)))
def test_data_that_cannot_be_fitted_are_refused_in_words(
    data: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"(?is){words}") as caught:
        bt.fit(data)
    check_one_sentence(caught.value)


def check_one_sentence(error: Exception) -> None:
    """A message is one line that says something."""
    message = str(error)
    assert len(message) > 20
    assert "\n" not in message
    assert "Traceback" not in message


REFUSED_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"n_components": 0}, bt.ParameterError, "n_components=0"),
    ({"n_components": -1}, bt.ParameterError, "n_components=-1"),
    ({"n_components": 2.0}, bt.ParameterError, r"n_components=2\.0.*whole"),
    ({"n_components": 2.5}, bt.ParameterError, "whole"),
    ({"n_components": True}, bt.ParameterError, "n_components=True"),
    ({"n_components": "2"}, bt.ParameterError, "n_components='2'"),
    ({"n_components": NAN}, bt.ParameterError, "n_components=nan"),
    ({"n_components": 51}, bt.DataError, "50 rows for 152 parameters"),
    ({"method": "nelder-mead"}, bt.ParameterError, "newton.*em.*gradient.*lbfgs"),
    ({"max_steps": 0}, bt.ParameterError, "max_steps=0"),
    ({"missing": "ignore"}, bt.ParameterError, "'drop'"),
    ({"sample_weight": -np.ones(50)}, bt.DataError, "negative"),
    ({"sample_weight": np.zeros(50)}, bt.DataError, "zero in every row"),
    ({"sample_weight": np.ones(49)}, bt.DataError, "49 entries for 50 rows"),
    ({"sample_weight": np.full(50, NAN)}, bt.DataError, "sample_weight"),
    ({"sample_weight": np.full(50, math.inf)}, bt.DataError, "not finite"),
    ({"sample_weight": np.full(50, 0.5)}, bt.ParameterError, "weight_kind"),
    ({"sample_weight": np.ones(50), "weight_kind": "survey"}, bt.ParameterError, "frequency"),
    ({"column": "waiting"}, bt.ParameterError, "column='waiting'"),
]


@pytest.mark.parametrize(
    ("options", "error", "words"), REFUSED_OPTIONS, ids=range(len(REFUSED_OPTIONS))
)
def test_options_out_of_range_are_refused_in_words(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"(?is){words}") as caught:
        bt.fit(GOOD, **options)
    check_one_sentence(caught.value)


def test_an_unknown_column_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(bt.DataError, match=r"waitng.*did you mean 'waiting'.*eruptions"):
        bt.fit({"waiting": GOOD, "eruptions": GOOD}, column="waitng")


def test_whole_counts_of_any_type_are_components() -> None:
    assert bt.fit(GOOD, np.int32(1)).mixture.n_components == 1  # type: ignore[arg-type]


def test_fractional_frequencies_are_fitted_where_they_are_named() -> None:
    half = bt.fit(GOOD, sample_weight=np.full(50, 0.5), weight_kind="frequency")
    whole = bt.fit(GOOD)
    np.testing.assert_allclose(our_parameters(half), our_parameters(whole), rtol=1e-9)
    assert half.n_obs == 25.0
    # Half the rows: standard errors larger by the root of two.
    np.testing.assert_allclose(our_errors(half), math.sqrt(2.0) * our_errors(whole), rtol=1e-7)


def test_rows_of_weight_zero_are_not_there() -> None:
    x = np.concatenate([GOOD, [1e6]])
    w = np.concatenate([np.ones(50), [0.0]])
    assert bt.fit(x, sample_weight=w).to_dict() == bt.fit(GOOD).to_dict()


def test_positive_values_below_whose_mixture_is_zero_are_advised_of_logarithms() -> None:
    y = bt.NormalMixture([0.6, 0.4], [0.0, 2.0], [0.6, 0.6]).sample(800, 3)
    raw, logs = bt.fit(np.exp(y)), bt.fit(y)
    below = 100.0 * float(raw.mixture.cdf(0.0))
    assert f"all values are positive, and {below:.2g} % of the mixture is below zero" in " ".join(
        str(raw).split()
    )
    # Neither where values are negative themselves nor where hardly any area is below zero.
    for fit in (logs, bt.fit(np.exp(y) - 0.5), bt.fit(bt.datasets.load("faithful")["waiting"])):
        assert "logarithms" not in str(fit)
