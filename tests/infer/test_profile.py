"""Profile intervals: at each end the constrained maximum has fallen by the chi-square quantile."""

from __future__ import annotations

import math
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.fitting.uncertainty import estimates
from bactrian.infer.covariance import free_covariance
from bactrian.infer.profile import Profile
from bactrian.infer.quantity import LocalQuantity, parameters
from bactrian.solve.constrained import constrained_maximum
from tests.brute_force import maximum
from tests.problems import MIXTURES, Array, draw, drawn_fit
from tests.reference_fits import our_parameters

QUANTILE = NormalDist().inv_cdf(0.975) ** 2  # of chi-square with one degree of freedom
ENDS = ("low", "high")
FALL = 1e-5  # the ends are sought to 1e-6 in the root of the fall, which is about two


def held(estimate: bt.Estimate, end: str, k: int) -> dict[str, Any]:
    """The option that fixes a parameter at an end of its interval."""
    what, which = estimate.name.split()
    entries: list[float | None] = [None] * k
    entries[int(which) - 1] = getattr(estimate, end)
    return {what + "s": entries}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("rows", ["apart", "overlapping", "rare"])
def test_ends_are_where_the_constrained_maximum_has_fallen_enough(rows: str, end: str) -> None:
    fit = drawn_fit(rows)
    for estimate in fit.confint(method="plain_profile"):
        assert estimate.note == ""
        assert estimate.low < estimate.value < estimate.high
        start = our_parameters(fit).ravel()
        options = {"fixed": held(estimate, end, 2)}
        known = maximum(draw(rows), 2, options, n_starts=3, start=start)
        assert 2.0 * (fit.loglike - known.loglike) == pytest.approx(QUANTILE, abs=FALL)


@pytest.mark.parametrize("rows", ["apart", "rare"])
def test_ends_are_those_of_fits_with_the_parameter_fixed(rows: str) -> None:
    fit = drawn_fit(rows)
    for estimate in fit.confint(method="plain_profile")[:4]:
        for end in ENDS:
            fixed = bt.fit(draw(rows), fixed=held(estimate, end, 2))
            fall = 2.0 * (fit.loglike - fixed.loglike)
            # A fit may find a higher maximum than the one the profile follows.
            assert fall <= QUANTILE + FALL
            if rows == "apart":
                assert fall == pytest.approx(QUANTILE, abs=FALL)


@pytest.mark.parametrize("level", [0.5, 0.99])
def test_a_level_is_its_quantile(level: float) -> None:
    fit = drawn_fit("apart")
    for estimate in fit.confint(level, method="plain_profile"):
        if not estimate.name.startswith("mean"):
            continue  # a fit may give the fixed value to the other component
        assert estimate.level == level
        assert estimate.method == "plain_profile"
        fixed = bt.fit(draw("apart"), fixed=held(estimate, "high", 2))
        quantile = NormalDist().inv_cdf(0.5 + 0.5 * level) ** 2
        assert 2.0 * (fit.loglike - fixed.loglike) == pytest.approx(quantile, abs=FALL)


@pytest.mark.parametrize("name", ["weight 1", "weight 2", "mean 2", "sd 3"])
def test_three_components(name: str) -> None:
    fit = drawn_fit("three")
    estimate = next(e for e in fit.confint(method="plain_profile") if e.name == name)
    for end in ENDS:
        options = {"fixed": held(estimate, end, 3)}
        start = our_parameters(fit).ravel()
        known = maximum(draw("three"), 3, options, n_starts=3, start=start)
        assert 2.0 * (fit.loglike - known.loglike) == pytest.approx(QUANTILE, abs=FALL)


def test_equal_variances_and_a_fixed_mean() -> None:
    options: dict[str, Any] = {"equal_variances": True, "fixed": {"means": [0.0, None]}}
    x = draw("apart")
    fit = bt.fit(x, **options)
    found = fit.confint(method="plain_profile")
    assert found["mean 1"].note == "fixed"
    assert found["sd 1"].low == pytest.approx(found["sd 2"].low, rel=1e-7)
    for name in ("weight 1", "mean 2", "sd 1"):
        for end in ENDS:
            fixed = held(found[name], end, 2)
            both = {"means": fixed.get("means", [0.0, None])}
            both["means"][0] = 0.0
            known = bt.fit(x, equal_variances=True, fixed={**fixed, **both})
            assert 2.0 * (fit.loglike - known.loglike) == pytest.approx(QUANTILE, abs=FALL)


def beyond(value: float, p: Array) -> float:
    """How far the difference of the means is from a value."""
    return float(p[3] - p[2]) - value


@pytest.mark.parametrize("rows", ["apart", "overlapping"])
def test_a_difference_of_means(rows: str) -> None:
    fit = drawn_fit(rows)
    found = fit.derive(lambda m: float(m.means[1] - m.means[0]), method="plain_profile")
    for end in ENDS:
        value = getattr(found, end)
        known = maximum(
            draw(rows), 2, {}, n_starts=3, start=our_parameters(fit).ravel(),
            also=partial(beyond, value),
        )  # fmt: skip
        assert 2.0 * (fit.loglike - known.loglike) == pytest.approx(QUANTILE, abs=FALL)


def test_a_curved_quantity_has_the_same_ends_on_every_scale() -> None:
    fit = drawn_fit("overlapping")

    def function(m: bt.NormalMixture) -> float:
        """The share beyond a point."""
        return float(m.sf(3.0))

    plain = fit.derive(function, method="plain_profile")
    for scale in ("log", "logit"):
        other = fit.derive(function, method="plain_profile", scale=scale)
        np.testing.assert_allclose([other.low, other.high], [plain.low, plain.high], rtol=1e-6)


def test_one_normal_has_the_interval_of_the_textbook() -> None:
    # Twice the fall of a mean is n log(1 + t^2 / (n - 1)).
    x = draw("apart")
    mean = bt.fit(x, 1).confint(method="plain_profile")["mean 1"]
    reach = math.sqrt(x.var() * math.expm1(QUANTILE / x.size))
    np.testing.assert_allclose(
        [mean.low, mean.high], [x.mean() - reach, x.mean() + reach], rtol=1e-6
    )


@pytest.mark.parametrize(("shift", "scale"), [(1e9, 1.0), (0.0, 1e100), (0.0, 1e-100)])
@pytest.mark.parametrize("rows", ["overlapping", "rare"])
def test_ends_move_with_the_unit(rows: str, shift: float, scale: float) -> None:
    x = np.round(draw(rows) * 2.0**20) / 2.0**20
    plain = bt.fit(x).confint(method="plain_profile")
    moved = bt.fit(shift + scale * x).confint(method="plain_profile")
    for one, other in zip(plain, moved, strict=True):
        ends, found = np.array([one.low, one.high]), np.array([other.low, other.high])
        if one.name.startswith("mean"):
            found = (found - shift) / scale
        elif one.name.startswith("sd"):
            found = found / scale
        np.testing.assert_allclose(found, ends, rtol=1e-5, atol=3e-7)
        assert one.note == other.note


def hidden_component(seed: int) -> bt.Fit:
    """A fit whose likelihood has several maxima that are about as high."""
    truth = bt.NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
    return bt.fit(truth.sample(1000, np.random.default_rng(seed)))


def known_widths() -> bt.Fit:
    """A fit of hardly more than one normal of the sd that is known: the other may be anywhere."""
    x = np.random.default_rng(1).normal(0.0, 1.05, 200)
    return bt.fit(x, fixed={"sds": [1.0, 1.0]})


def test_ends_that_are_not_there_are_open_and_the_note_says_so() -> None:
    found = hidden_component(3).confint(method="plain_profile")
    assert any(e.note.startswith("open") for e in found)
    for estimate in found:
        what = estimate.name.split()[0]
        least, most = {"weight": (0.0, 1.0), "mean": (-math.inf, math.inf),
                       "sd": (0.0, math.inf)}[what]  # fmt: skip
        assert ("open below" in estimate.note) == (estimate.low == least)
        assert ("open above" in estimate.note) == (estimate.high == most)
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.note in str(found)


def test_where_an_end_is_open_the_likelihood_does_not_fall() -> None:
    fit = known_widths()
    (mean,) = estimates(fit, parameters(2)[1:2], 0.95, "plain_profile", None)
    assert mean.low == -math.inf
    assert "open below" in mean.note
    for far in (-3.0, -10.0, -40.0):
        options = {"fixed": {"means": [far, None], "sds": [1.0, 1.0]}}
        known = maximum(fit.sample.values, 2, options, n_starts=6)
        assert 2.0 * (fit.loglike - known.loglike) < QUANTILE


def test_where_the_fit_bounds_a_parameter_the_interval_ends() -> None:
    x = draw("overlapping")
    free = bt.fit(x).confint(method="plain_profile")["sd 2"]
    least = 0.5 * (free.low + free.value)
    fit = bt.fit(x, bounds={"sds": [None, (least, None)], "means": [(None, 9.0), None]})
    found = fit.confint(method="plain_profile")
    assert found["sd 2"].value == pytest.approx(free.value, rel=1e-9)
    assert found["sd 2"].low == pytest.approx(least, rel=1e-12)
    assert found["sd 2"].note == "open below: the fit bounds it there"
    assert found["sd 2"].high == pytest.approx(free.high, rel=1e-6)
    assert found["mean 1"].note == ""


def test_a_weight_that_the_data_do_not_know_is_open_on_both_sides() -> None:
    x = np.random.default_rng(1).normal(0.15, 1.0, 200)
    fit = bt.fit(x, fixed={"means": [0.0, 0.2], "sds": [1.0, 1.0]})
    weight = fit.confint(method="plain_profile")["weight 1"]
    assert (weight.low, weight.high) == (0.0, 1.0)
    assert weight.note.count("the likelihood never falls far enough on this side") == 2
    for mean in (0.0, 0.2):
        alone = bt.loglike(x, bt.NormalMixture([1.0], [mean], [1.0]))
        assert 2.0 * (fit.loglike - alone) < QUANTILE


def test_a_second_maximum_within_the_interval_is_passed() -> None:
    # On the way down the profile falls, rises to another maximum and falls again, for good.
    fit = hidden_component(12)
    x, start = fit.sample.values, our_parameters(fit).ravel()
    mean = fit.confint(method="plain_profile")["mean 1"]
    assert mean.note == ""
    falls = []
    for value in (-0.1, -0.27, mean.low):
        options = {"fixed": {"means": [value, None]}}
        near = np.concatenate([[0.16, 0.84], [value, 1.56], [0.64, 1.55]])
        both = [maximum(x, 2, options, n_starts=3, start=at).loglike for at in (near, start)]
        falls.append(2.0 * (fit.loglike - max(both)))
    assert falls[1] < falls[0] < QUANTILE
    assert falls[2] == pytest.approx(QUANTILE, abs=FALL)


def test_sampling_weights_rescale_the_quantile() -> None:
    x = draw("apart")
    w = np.random.default_rng(5).gamma(2.0, 1.0, x.size)
    fit = bt.fit(x, sample_weight=w, weight_kind="sampling")
    problem, state = fit.solution.problem, fit.solution.state
    sandwich, hessian = (free_covariance(problem, state, kind) for kind in ("sandwich", "hessian"))
    effective = w * (w.sum() / (w @ w))
    ratio = sandwich[1, 1] / hessian[1, 1]
    estimate = fit.confint(method="plain_profile")["mean 1"]
    assert abs(ratio - 1.0) > 1e-3
    for end in ENDS:
        fixed = bt.fit(
            x, sample_weight=effective, weight_kind="frequency", fixed=held(estimate, end, 2)
        )
        fall = 2.0 * (fit.loglike - fixed.loglike)
        assert fall == pytest.approx(ratio * QUANTILE, rel=1e-5)


def profile_of(rows: str, name: str) -> tuple[Profile, Array]:
    """The profile of a parameter, and the free coordinates of its maximum."""
    solution = drawn_fit(rows).solution
    problem, state = solution.problem, solution.state
    chosen = next(q for q in parameters(MIXTURES[rows].n_components) if q.name == name)
    covariance = free_covariance(problem, state, "hessian")
    return Profile(problem, state, LocalQuantity(chosen, problem), covariance), state.free[0]


@pytest.mark.parametrize("name", ["weight 1", "mean 2", "sd 1"])
def test_the_multiplier_is_the_slope_of_the_profile(name: str) -> None:
    profile, free = profile_of("overlapping", name)
    value, h = profile.quantity.value(free) + 0.2, 1e-4
    (up, _), (fall, at), (down, _) = (profile.fall(value + step) for step in (h, 0.0, -h))
    assert fall > 0.0
    assert at.converged
    assert at.multiplier == pytest.approx(-0.5 * (up - down) / (2.0 * h), rel=1e-5)


def test_a_way_too_far_for_one_ascent_is_gone_in_several() -> None:
    profile, free = profile_of("apart", "mean 1")
    near = profile.quantity.value(free)
    fall, at = profile.fall(near - 1.5)
    assert at.converged
    sample = profile.problem.sample
    fixed = sample.origin + sample.scale * (near - 1.5)
    known = maximum(
        draw("apart"), 2, {"fixed": {"means": [fixed, None]}},
        start=our_parameters(drawn_fit("apart")).ravel(), n_starts=3,
    )  # fmt: skip
    assert fall == pytest.approx(2.0 * (drawn_fit("apart").loglike - known.loglike), abs=1e-5)


def test_where_a_function_has_no_slope_there_is_no_maximum() -> None:
    class Flat:
        """A function that does not depend on anything."""

        def at(self, free: Array) -> tuple[float, Array]:
            """One, with no slope."""
            return 1.0, np.zeros_like(free)

        def hessian(self, free: Array) -> Array:
            """No curvature either."""
            return np.zeros((free.size, free.size))

    solution = drawn_fit("apart").solution
    found = constrained_maximum(solution.problem, solution.state.free[0], Flat(), 2.0)
    assert not found.converged


def test_overlapping_humps_have_nested_intervals_whose_ends_are_true() -> None:
    """On the way to the upper end of the first mean, a long step meets another branch."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0.0, 1.0, 300), rng.normal(1.2, 1.0, 300)])
    fit = bt.fit(x)
    ends = [fit.confint(level, method="plain_profile")["mean 1"].high for level in (0.8, 0.9, 0.95)]
    assert ends == sorted(ends)
    held = bt.fit(x, fixed={"means": [ends[-1], None]})
    assert 2.0 * (fit.loglike - held.loglike) == pytest.approx(3.841458820694124, abs=1e-4)
    refits = fit.confint(method="plain_profile")
    assert refits["mean 1"].note == ""


def test_a_bound_that_holds_counts_as_known_in_profiles() -> None:
    x = draw("apart")
    most = float(bt.fit(x).mixture.means[0]) - 0.3
    bounded = bt.fit(x, bounds={"means": [(None, most), None]})
    held = bt.fit(x, fixed={"means": [most, None]})
    one, other = (
        fit.derive(lambda m: float(m.means[1] - m.means[0]), method="plain_profile")
        for fit in (bounded, held)
    )
    assert one.low == pytest.approx(other.low, rel=1e-6)
    assert one.high == pytest.approx(other.high, rel=1e-6)


def near(seed: int, sd: float = 1.3) -> bt.Fit:
    """A hundred rows of two components two sds apart or less."""
    rng = np.random.default_rng(seed)
    of_first = rng.random(100) < 0.5
    first, second = rng.normal(0.0, 1.0, 100), rng.normal([1.5, 1.75, 2.0][seed % 3], sd, 100)
    return bt.fit(np.where(of_first, first, second))


@pytest.mark.parametrize("seed", [4, 6, 8, 20])
def test_where_a_wider_interval_ends_a_narrower_one_does(seed: int) -> None:
    """Long steps lead past what short ones meet, so no step depends on the level."""
    fit = near(seed)
    assert fit.converged
    levels = (0.5, 0.7, 0.8, 0.9, 0.95)
    found = [fit.confint(level, method="plain_profile") for level in levels]
    some_open = False
    for several in zip(*found, strict=True):
        for end, where in (("low", "open below"), ("high", "open above")):
            is_open = [where in estimate.note for estimate in several]
            assert is_open == sorted(is_open)
            some_open |= any(is_open)
            ends = [getattr(estimate, end) for estimate in several]
            assert ends == sorted(ends, reverse=end == "low")
    assert some_open


def test_a_rival_hardly_higher_is_passed() -> None:
    """Another maximum, higher by 0.04, lies on the way to four of the ends."""
    fit = hidden_component(14)
    chosen, rival = fit.certificate.optima
    assert -0.1 < rival.gap < 0.0
    x, found = fit.sample.values, fit.confint(method="plain_profile")
    for name, end in (("weight 1", "low"), ("mean 1", "low"), ("sd 2", "high"), ("sd 1", "low")):
        assert found[name].note == ""
        fixed = bt.fit(x, fixed=held(found[name], end, 2))
        assert 2.0 * (fit.loglike - fixed.loglike) == pytest.approx(QUANTILE, abs=FALL)
    assert found["weight 1"].low < rival.mixture.weights[0] < chosen.mixture.weights[0]


def test_an_end_that_no_way_leads_to_is_the_next_point_of_the_way() -> None:
    fit = near(33)
    high = [fit.confint(p, method="plain_profile")["mean 2"].high for p in (0.94, 0.945, 0.95)]
    assert high[0] < high[1] < high[2] < math.inf


def test_components_that_vanish_on_the_way_are_no_warning() -> None:
    fit = near(1, sd=1.0)
    assert fit.confint(0.9, method="plain_profile")["sd 1"].value == fit.mixture.sds[0]
