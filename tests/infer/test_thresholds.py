"""Thresholds of fits: the likelihood at their ends, their spread, their notes, their units."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import bactrian as bt
from bactrian.infer.intervals import Method
from tests.problems import MIXTURES, draw, drawn_fit

KINDS: list[dict[str, Any]] = [
    {},
    {"posterior": 0.8},
    {"costs": (1, 5), "prevalence": 0.2},
    {"false_positive_rate": 0.03},
    {"false_negative_rate": 0.1, "prevalence": 0.2},
    {"density_minimum": True},
]
FIELDS = ("value", "standard_error", "low", "high")


@cache
def repeated() -> list[bt.Fit]:
    """Fits of samples from one mixture."""
    rng = np.random.default_rng(11)
    return [bt.fit(MIXTURES["apart"].sample(300, rng)) for _ in range(40)]


def loglike(rows: Any, weight: float, means: Any, sds: Any) -> float:
    """The log-likelihood of two components, independent of the library."""
    u = (rows[:, None] - means) / sds
    parts = np.log([1.0 - weight, weight]) - np.log(sds) - 0.5 * u**2
    total: float = np.logaddexp(*parts.T).sum() - 0.5 * rows.size * math.log(2.0 * math.pi)
    return total


def test_profile_ends_are_where_the_likelihood_has_fallen_by_the_quantile() -> None:
    """A general constrained optimiser finds the same maxima among mixtures with that cut."""
    from scipy.optimize import minimize

    rows, fit = draw("overlapping"), drawn_fit("overlapping")
    cut = fit.threshold(level=0.9, method="plain_profile")
    critical = 2.705543454095404
    start = [fit.mixture.means[0], fit.mixture.means[1], *np.log(fit.mixture.sds)]

    def weight_at(v: Any, x: float) -> float:
        """The upper weight with which both components are equally probable at x."""
        u = (x - v[:2]) / np.exp(v[2:])
        odds = math.exp(0.5 * (u[1] ** 2 - u[0] ** 2) + v[3] - v[2])
        return odds / (1.0 + odds)

    for x in (cut.low, cut.high):
        found = minimize(
            lambda v, x=x: -loglike(rows, weight_at(v, x), v[:2], np.exp(v[2:])),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 20000, "maxfev": 20000},
        )
        assert 2.0 * (fit.loglike + found.fun) == pytest.approx(critical, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_cut_and_its_rates_are_those_of_the_fitted_mixture(kind: dict[str, Any]) -> None:
    fit = drawn_fit("apart")
    found, m = fit.threshold(**kind, method="wald"), fit.mixture
    x = found.value
    with mp.workdps(25):
        above = float(1 - mp.ncdf(mpf(x), m.means[0], m.sds[0]))
        below = float(mp.ncdf(mpf(x), m.means[1], m.sds[1]))
    share = kind.get("prevalence", m.weights[1])
    assert found.false_positive_rate.value == pytest.approx(above, rel=1e-9)
    assert found.false_negative_rate.value == pytest.approx(below, rel=1e-9)
    assert found.error_rate.value == pytest.approx((1 - share) * above + share * below, rel=1e-9)
    posterior = m.responsibilities([x])[0, 1]
    if not kind:
        assert posterior == pytest.approx(0.5, rel=1e-9)
        assert found.value == pytest.approx(
            min(m.crossings(), key=lambda t: abs(t - 3.0)), rel=1e-12
        )
    if "posterior" in kind:
        assert posterior == pytest.approx(0.8, rel=1e-9)
    if "costs" in kind:
        odds = posterior / (1 - posterior) * m.weights[0] / m.weights[1] * 0.2 / 0.8
        assert odds == pytest.approx(1 / 5, rel=1e-9)  # its expected costs balance
    if "false_positive_rate" in kind:
        chosen = found.false_positive_rate
        assert (chosen.value, chosen.low, chosen.high) == pytest.approx((0.03,) * 3, rel=1e-13)
        assert chosen.standard_error == 0.0
    if "density_minimum" in kind:
        near = m.pdf([x - 1e-3, x, x + 1e-3])
        assert near[1] < min(near[0], near[2])


def test_costs_choose_the_cut_of_least_expected_cost() -> None:
    fit = drawn_fit("overlapping")
    m, cut = fit.mixture, fit.threshold(costs=(2, 7), prevalence=0.3, method="wald")

    def cost(x: float) -> float:
        above = 0.5 * math.erfc((x - m.means[0]) / m.sds[0] / math.sqrt(2.0))
        below = 0.5 * math.erfc((m.means[1] - x) / m.sds[1] / math.sqrt(2.0))
        return 2 * 0.7 * above + 7 * 0.3 * below

    assert cost(cut.value) < min(cost(cut.value + step) for step in (-1e-3, 1e-3, -0.1, 0.1))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_standard_errors_are_the_spread_in_repeated_samples(kind: dict[str, Any]) -> None:
    """40 samples: the sd of their cuts has itself a relative error of a ninth."""
    cuts = [fit.threshold(**kind, method="wald") for fit in repeated()]
    values, errors = [c.value for c in cuts], [c.standard_error for c in cuts]
    assert np.std(values) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.35)
    free = "false_positive_rate" if "false_negative_rate" in kind else "false_negative_rate"
    rates = [getattr(cut, free) for cut in cuts]
    logits = [math.log(e.value / (1.0 - e.value)) for e in rates]
    errors = [e.standard_error / e.value / (1.0 - e.value) for e in rates]
    assert np.std(logits) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.35)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_unit_and_origin_move_the_cut_and_nothing_else(kind: dict[str, Any]) -> None:
    x = np.round(draw("apart") * 2.0**10) / 2.0**10
    plain = bt.fit(x).threshold(**kind)
    # At 2**40 the rows keep their digits: they are multiples of 2**-10.
    for shift, scale in ((2.0**40, 1.0), (0.0, 2.0**-50), (-(2.0**20), 4.0)):
        moved = bt.fit(shift + scale * x).threshold(**kind)
        for name in FIELDS:
            distance = getattr(moved, name) - (shift if name != "standard_error" else 0.0)
            # The rounding of a number so far out, and the profile's own tolerance of 1e-6.
            slack = 2.0**-52 * abs(shift) + 2e-6 * scale
            assert distance == pytest.approx(scale * getattr(plain, name), rel=1e-6, abs=slack)
        for one, other in zip(plain.estimates[1:], moved.estimates[1:], strict=True):
            for name in FIELDS:
                assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-5)


def test_a_fit_from_the_other_side_has_the_mirrored_cut() -> None:
    x = draw("overlapping")
    one, other = bt.fit(x).threshold(), bt.fit(-x).threshold()
    assert other.value == pytest.approx(-one.value, rel=1e-7)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), rel=1e-5)
    swapped = other.false_negative_rate.value
    assert swapped == pytest.approx(one.false_positive_rate.value, rel=1e-6)


def test_equal_variances_have_one_crossing_and_no_note() -> None:
    fit = bt.fit(draw("apart"), equal_variances=True)
    found, m = fit.threshold(), fit.mixture
    odds = math.log(m.weights[0] / m.weights[1])
    gap, variance = m.means[1] - m.means[0], m.sds[0] ** 2
    assert found.value == pytest.approx(m.means.mean() + odds * variance / gap, rel=1e-12)
    assert found.note == ""
    assert [e.name for e in fit.crossings()] == ["crossing 1"]


def test_the_other_crossing_is_told_in_words() -> None:
    fit = drawn_fit("overlapping")
    found, crossings = fit.threshold(), fit.crossings(method="wald")
    assert [e.value for e in crossings] == pytest.approx(list(fit.mixture.crossings()), rel=1e-12)
    assert fit.mixture.sds[0] > fit.mixture.sds[1]
    assert crossings[0].value == found.value < fit.mixture.means[1] < crossings[1].value
    assert (
        f"Component 1, the wider one, is the better call again above {crossings[1].value:.3f}"
        in (found.note)
    )
    assert "calls component 2 (none of 240 rows is expected there)." in found.note
    mirrored = bt.fit(-draw("overlapping")).threshold()
    assert "Component 2, the wider one, is the better call again below -8." in mirrored.note


@pytest.mark.parametrize("excess", [1e-3, 1e-8, 1e-12, 4e-16])
def test_the_other_crossing_is_told_however_far_it_is(excess: float) -> None:
    fit = bt.fit(draw("apart"), sd_ratios=[1.0, 1.0 + excess])
    for found in (fit.threshold(), fit.threshold(method="wald")):
        words = r"again (above|below) (\S+), where .* \(none of 240 rows is expected there\)"
        told = re.search(words, found.note)
        assert told is not None
        far = max(fit.mixture.crossings(), key=abs)
        assert float(told[2]) == pytest.approx(far, rel=6e-3)
    assert max(abs(e.value) for e in fit.crossings(method="wald")) == pytest.approx(abs(far))


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_a_second_crossing_that_the_data_place_nowhere_has_no_error(method: Any) -> None:
    x = bt.datasets.load("faithful")["waiting"]
    fit = bt.fit(x)
    near, far = fit.crossings(method=method)
    assert far.value == pytest.approx(fit.mixture.crossings()[1], rel=1e-9)
    assert math.isnan(far.standard_error)
    assert (far.low, far.high) == (-math.inf, math.inf)
    assert "they allow equal sds" in far.note
    assert str(fit.crossings(method=method)).splitlines()[2].split()[2].startswith("4297")
    assert near.note == ""
    assert near.standard_error < 2.0


def test_a_second_crossing_with_its_place_keeps_its_error() -> None:
    for method in ("wald", "profile"):
        near, far = drawn_fit("overlapping").crossings(method=method)
        assert 0.0 < far.standard_error < far.value - near.value
        assert "do not place" not in far.note
        assert math.isfinite(far.low)


def test_a_crossing_beyond_all_doubles_is_not_told() -> None:
    fit = bt.fit(1e300 * draw("apart"), sd_ratios=[1.0, 1.0 + 1e-12])
    assert fit.threshold(method="wald").note == ""


def test_rows_expected_beyond_the_other_crossing_are_counted() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0.0, 1.0, 300), rng.normal(3.0, 10.0, 300)])
    fit = bt.fit(x)
    other = float(fit.mixture.crossings().min())
    expected = fit.n_obs * float(fit.mixture.cdf(other))
    assert f"({expected:.0f} of 600 rows are expected there)" in fit.threshold().note
    shares = bt.fit(x, sample_weight=1.0 + rng.random(600), weight_kind="sampling")
    assert f" of {shares.n_obs:.6g} rows are expected" in shares.threshold(method="wald").note


def test_a_posterior_next_to_one_is_not_shown_as_one() -> None:
    found = drawn_fit("apart").threshold(posterior=0.9999999999, method="wald")
    assert "rises through 0.9999999999." in found.rule


def test_no_crossing_is_told_in_words_with_what_is_reached_and_a_remedy() -> None:
    fit = drawn_fit("narrow in wide")
    narrow = int(fit.mixture.sds.argmin())
    assert narrow == 1
    found = fit.threshold(posterior=0.99999)
    assert all(math.isnan(getattr(e, name)) for e in found.estimates for name in FIELDS)
    grid = np.linspace(-1.0, 3.0, 40001)
    most = fit.mixture.responsibilities(grid)[:, 1].max()
    assert f"component 2 is at most {most:.4g}, at " in found.note
    assert "false_positive_rate" in found.note
    assert "Note: There is no such cut" in str(found)
    assert not math.isnan(fit.threshold(posterior=0.9 * most).value)
    heights = bt.datasets.load("heights")
    flat = bt.fit(heights["height"], sample_weight=heights["count"])
    assert "has no minimum" in flat.threshold(density_minimum=True).note


def test_a_cut_outside_the_means_is_told() -> None:
    found = drawn_fit("overlapping").threshold(prevalence=0.02, method="wald")
    assert "The cut is above both means. " in found.note


def test_three_components_are_cut_two_at_a_time() -> None:
    fit = drawn_fit("three")
    m = fit.mixture
    for lower, upper in ((1, 2), (2, 3)):
        x = fit.threshold(components=(lower, upper), method="wald").value
        r = m.responsibilities([x])[0]
        assert r[lower - 1] == pytest.approx(r[upper - 1], rel=1e-9)
        assert m.means[lower - 1] < x < m.means[upper - 1]


def test_a_fit_that_is_no_maximum_has_a_cut_without_errors() -> None:
    fit = bt.fit(draw("overlapping"), method="em", max_steps=2)
    assert not fit.converged
    found = fit.threshold()
    assert not math.isnan(found.value)
    assert all(math.isnan(e.standard_error) and math.isnan(e.low) for e in found.estimates)


def test_it_passes_for_the_estimate_of_its_cut_and_prints_as_a_table() -> None:
    found = drawn_fit("apart").threshold(level=0.9)
    for name in (*FIELDS, "name", "level", "method", "note"):
        assert getattr(found, name) == getattr(found.cut, name)
    assert float(found) == found.value
    lines = str(found).splitlines()
    assert lines[0] == found.rule
    assert [line.split("  ")[0] for line in lines[3:7]] == [e.name for e in found.estimates]
    assert max(map(len, lines)) <= 88
    assert repr(found) == str(found)


def test_it_is_written_as_strict_json() -> None:
    for posterior in (0.5, 0.99999):
        found = drawn_fit("narrow in wide").threshold(posterior=posterior, method="wald")
        record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        value = record["cut"]["value"]
        assert value == (None if math.isnan(found.value) else found.value)
        assert list(record) == [
            "rule", "cut", "false_positive_rate", "false_negative_rate", "error_rate"
        ]  # fmt: skip


def test_a_rate_that_no_float_tells_from_one_has_no_error() -> None:
    fit = bt.fit(bt.datasets.load("galaxies")["velocity"])
    methods: tuple[Method, ...] = ("wald", "profile")
    for method in methods:
        found = fit.threshold(false_positive_rate=0.01, method=method)
        assert found.false_negative_rate.value == 1.0
        assert math.isnan(found.false_negative_rate.standard_error)
        assert 0.0 < found.error_rate.low < found.error_rate.value < found.error_rate.high < 1.0


def test_rates_that_no_float_tells_from_zero_are_not_called_known() -> None:
    x = np.random.default_rng(2).normal(size=100)
    found = bt.fit(np.concatenate([x, x[:60] + 500.0])).threshold()
    assert found.low < found.value < found.high
    for rate in found.estimates[1:]:
        assert (rate.value, rate.note) == (0.0, "")
        assert math.isnan(rate.standard_error)


def test_constrained_fits_and_sampling_weights_have_thresholds() -> None:
    x = draw("overlapping")
    free, known = bt.fit(x), bt.fit(x, fixed={"means": [0, None]})
    assert known.threshold().standard_error < free.threshold().standard_error
    equal = bt.fit(x, equal_variances=True, equal_weights=True)
    found = equal.threshold(false_positive_rate=0.1, prevalence=0.5)
    assert found.low < found.value < found.high
    assert equal.threshold().value == pytest.approx(equal.mixture.means.mean(), rel=1e-9)
    plain = bt.fit(x)
    survey = bt.fit(x, sample_weight=np.full(x.size, 3.7), weight_kind="sampling")
    assert survey.threshold().value == pytest.approx(plain.threshold().value, rel=1e-6)
    sandwich = plain.threshold(kind="sandwich", method="wald")
    error = survey.threshold(method="wald").standard_error
    assert error == pytest.approx(sandwich.standard_error, rel=1e-6)


def test_refits_serve_all_estimates_of_a_threshold() -> None:
    fit = drawn_fit("apart")
    refits = fit.bootstrap(50, rng=3)
    found, by_profile = fit.threshold(method=refits), fit.threshold()
    for one, other in zip(found.estimates, by_profile.estimates, strict=True):
        assert one.method == "bootstrap"
        assert one.standard_error == pytest.approx(other.standard_error, rel=0.5)


def test_a_sketch_has_the_threshold_of_its_rows() -> None:
    x = draw("overlapping")
    one, other = bt.fit(x).threshold(), bt.fit(bt.Sketch.of(x)).threshold()
    for name in FIELDS:
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-4)


def test_the_lower_component_is_the_one_with_the_smaller_mean() -> None:
    x = draw("apart")
    up, down = (bt.fit(x, fixed={"means": means}) for means in ([0.0, None], [None, 0.0]))
    assert down.mixture.means[0] > down.mixture.means[1]
    assert down.threshold().value == pytest.approx(up.threshold().value, rel=1e-9)
    assert down.threshold().error_rate.value == pytest.approx(up.threshold().error_rate.value)
