"""Warnings are given where they are due, in words, and not elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.fitting.constraints import constraints_of
from bactrian.solve.cautions import _has_room, cautions, certainty
from bactrian.solve.certificate import Certificate, Optimum
from tests.problems import draw
from tests.reference_fits import fitted


def words(fit: bt.Fit) -> str:
    """All warnings of a fit."""
    return " ".join(fit.certificate.warnings)


def test_a_plain_fit_has_no_warnings() -> None:
    assert bt.fit(draw("apart")).certificate.warnings == ()


def test_a_component_of_few_rows_is_named_with_its_values() -> None:
    fit = bt.fit(np.concatenate([draw("apart"), [60.0, 85.0]]))
    assert "Component 2 rests on 2.0 rows (values near 60, 85)" in words(fit)
    assert "near-degenerate" in words(fit)


def test_a_narrow_component_needs_more_rows() -> None:
    spike = 1.0 + 0.001 * np.linspace(-1.0, 1.0, 11)
    fit = bt.fit(np.concatenate([draw("apart"), spike]), 3)
    narrow = int(fit.mixture.sds.argmin())
    assert fit.mixture.sds[narrow] < 0.05 * fit.mixture.sds.max()
    assert f"Component {narrow + 1} rests on 1" in words(fit)


def told(fit: bt.Fit) -> list[float]:
    """The first means of the maxima that the warnings tell of."""
    return [float(mean) for mean in re.findall(r"means ([-+.\de]+)/", words(fit))]


def test_two_nearly_equal_maxima_are_both_shown() -> None:
    fit = fitted("penny_thickness", "2V")
    assert "Another maximum is nearly as good (log-likelihood higher by" in words(fit)
    assert "The data do not decide between them." in words(fit)
    for optimum in fit.certificate.optima[1:]:
        if optimum.status == "admissible" and optimum.gap < 0.0:
            assert any(
                mean == pytest.approx(optimum.mixture.means[0], rel=1e-4) for mean in told(fit)
            )


def test_a_rival_below_the_chosen_maximum_is_shown_where_its_rank_is_close() -> None:
    fit = fitted("s01b_overlap_D10_n200", "2V")
    chosen, *others = fit.certificate.optima
    close = [o for o in others if 0.0 < o.gap and abs(o.criterion - chosen.criterion) < 2.0]
    assert close
    for optimum in close:
        assert f"(log-likelihood lower by {optimum.gap:.2f})" in words(fit)


def optimum_of(fit: bt.Fit, gap: float, status: str, counts: list[float]) -> Optimum:
    """Another maximum, made up."""
    chosen = fit.certificate.optima[0]
    return replace(
        chosen,
        loglike=chosen.loglike - gap,
        criterion=chosen.criterion - 5.0,
        gap=gap,
        status=status,
        counts=np.array(counts),
    )


def test_a_rejected_higher_maximum_is_reported() -> None:
    fit = bt.fit(draw("apart"))
    solution = fit.solution
    rejected = optimum_of(fit, -3.0, "rejected: near-degenerate", [1.2, 238.8])
    found = cautions(
        solution.problem,
        solution.state,
        solution.outcome,
        (fit.certificate.optima[0], rejected),
        np.empty(0),
    )
    assert any(
        "higher by 3.00 was rejected" in warning and "1.2 rows" in warning for warning in found
    )


def test_a_much_worse_maximum_is_no_rival() -> None:
    fit = bt.fit(draw("apart"))
    solution = fit.solution
    worse = optimum_of(fit, 40.0, "admissible", [100.0, 140.0])
    optima = (fit.certificate.optima[0], worse)
    assert cautions(solution.problem, solution.state, solution.outcome, optima, np.empty(0)) == ()


@pytest.mark.parametrize(
    ("name", "model", "phrase"),
    [
        ("s06_n10", "2V", "not identified"),
        ("s06_n10", "2V", "Few rows: 10 for 5 parameters"),
        ("acidity", "2V", "The components overlap"),
        ("s10_integer", "2V", "Heavy rounding: the values are multiples of 1,"),
    ],
)
def test_what_is_doubtful_is_said(name: str, model: str, phrase: str) -> None:
    assert phrase in words(fitted(name, model))


@pytest.mark.parametrize(("limit", "phrase"), [(64.0, "overlap"), (4.0, "not identified")])
def test_the_limits_of_identifiability(limit: float, phrase: str) -> None:
    known = [fitted(name, "2V") for name in ("acidity", "globclus_feh", "s06_n10", "enzyme")]
    for fit in known:
        below = fit.certificate.n_lambda_min < limit
        said = phrase in words(fit)
        overtaken = phrase == "overlap" and fit.certificate.n_lambda_min < 4.0
        assert said == (below and not overtaken)


def test_one_normal_has_no_overlap() -> None:
    assert bt.fit(draw("apart"), 1).certificate.warnings == ()


def test_a_narrow_component_of_rounded_values_is_named() -> None:
    rng = np.random.default_rng(6)
    x = np.round(np.concatenate([rng.normal(0.0, 0.8, 200), rng.normal(9.0, 3.0, 200)]))
    fit = bt.fit(x)
    (warning,) = [w for w in fit.certificate.warnings if "Heavy rounding" in w]
    assert "the sd of component 1 is" in warning


def certificate(**changes: object) -> Certificate:
    """A certificate with some of its facts made up."""
    return replace(bt.fit(draw("apart")).certificate, **changes)  # type: ignore[arg-type]


def test_the_line_of_certainty_counts_starts_and_other_maxima() -> None:
    fit = fitted("penny_thickness", "2V")
    line = fit.summary().certainty
    optima = fit.certificate.optima
    others = [o for o in optima[1:] if o.status == "admissible"]
    assert line.startswith("Converged: within 1e-")
    assert f"{optima[0].hits} of {fit.certificate.n_starts} starts ended here" in line
    assert f"the best of {len(others)} others has a log-likelihood higher by" in line


def test_the_line_of_certainty_without_rivals_and_without_starts() -> None:
    assert "no other admissible maximum was found" in bt.fit(draw("apart")).summary().certainty
    assert bt.fit(draw("apart"), 1).summary().certainty.endswith(", the only one.")


def test_the_distance_is_rounded_up_to_a_power_of_ten() -> None:
    found = certificate(decrement=2e-9)
    assert "within 1e-4 standard errors" in certainty(bt.Outcome.CONVERGED, 3, found)
    found = certificate(decrement=0.0)
    assert "within 1e-12 standard errors" in certainty(bt.Outcome.CONVERGED, 3, found)


def test_a_method_that_ends_elsewhere_is_told() -> None:
    found = certificate(optima=())
    assert "not the best one known" in certainty(bt.Outcome.CONVERGED, 3, found)


def test_an_unfinished_ascent_claims_nothing() -> None:
    line = bt.fit(draw("overlapping"), method="em", max_steps=2).summary().certainty
    assert line.startswith("Stopped after 2 steps; about ")
    assert "Converged" not in line


def test_a_fit_without_an_admissible_maximum_says_so() -> None:
    x = np.append(np.random.default_rng(3).normal(size=60), 1000.0)
    line = bt.fit(x).summary().certainty
    assert line.startswith("None of the ")
    assert "admissible maximum" in line


def test_a_maximum_of_higher_likelihood_that_ranks_lower_is_told_as_such() -> None:
    fit = fitted("penny_thickness", "2V")
    assert (
        "A maximum with a narrower component was ranked lower (log-likelihood higher by"
        in words(fit)
    )


def test_many_rivals_are_counted_and_not_all_told() -> None:
    fit = bt.fit(draw("apart"))
    solution = fit.solution
    chosen = fit.certificate.optima[0]
    rivals = tuple(
        replace(optimum_of(fit, -0.1 * k, "admissible", [100.0, 140.0]), criterion=chosen.criterion)
        for k in range(1, 7)
    )
    optima = (chosen, *rivals)
    found = cautions(solution.problem, solution.state, solution.outcome, optima, np.empty(0))
    assert sum("Another maximum is nearly as good" in warning for warning in found) == 3
    assert "3 more such maxima are listed in the certificate." in found


def test_means_far_from_zero_are_told_with_the_digits_that_tell_them_apart() -> None:
    fit = bt.fit(1e9 + draw("apart"))
    solution = fit.solution
    rival = optimum_of(fit, -0.1, "admissible", [100.0, 140.0])
    optima = (fit.certificate.optima[0], rival)
    found = cautions(solution.problem, solution.state, solution.outcome, optima, np.empty(0))
    means = re.search(r"means (\d+)\.?\d*/(\d+)", " ".join(found))
    assert means is not None
    assert means[1] != means[2]


def test_a_value_that_many_rows_share_is_named_with_the_starts_that_collapsed_onto_it() -> None:
    x = np.concatenate([np.zeros(50), np.random.default_rng(0).normal(5.0, 1.0, 50)])
    warning = bt.fit(x).certificate.warnings[0]
    found = re.match(
        r"The value 0 is shared by 50 of the 100 rows: .* \((\d+) starts collapsed", warning
    )
    assert found is not None
    assert int(found[1]) > 30
    assert not any(
        "is shared by" in w for w in bt.fit(x, equal_variances=True).certificate.warnings
    )


def test_a_maximum_below_one_component_is_called_local() -> None:
    x = np.random.default_rng(0).normal(0.0, 1.0, 200)
    one, least = bt.fit(x, 1).loglike, 1.3 * float(x.std())
    fit = bt.fit(x, bounds={"sds": [(least, None), None]})
    assert fit.converged
    assert fit.loglike < one
    begins = f"One normal component alone has a log-likelihood higher by {one - fit.loglike:.2f}: "
    assert fit.certificate.warnings[0].startswith(begins)
    away = bt.fit(x, fixed={"means": [-1.0, 1.0]})
    assert away.converged
    assert away.loglike < one
    assert "One normal component alone" not in words(away)
    assert "One normal component alone" not in words(bt.fit(x))


ROOM: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"fixed": {"means": [None, 9.0]}}, True),
    ({"fixed": {"means": [8.0, 9.0]}}, False),
    ({"bounds": {"means": [(1.0, None), None]}}, True),
    ({"bounds": {"means": [(1.0, None), (None, -1.0)]}}, False),
    ({"bounds": {"means": [(0.0, None), (None, 0.0)]}}, True),
    ({"bounds": {"sds": [(3.0, None), None]}}, True),
    ({"bounds": {"sds": [(3.0, None), (None, 1.0)]}}, False),
    ({"bounds": {"sds": [(3.0, None), None]}, "fixed": {"means": [None, 1.0]}}, False),
    ({"sd_ratios": [1.0, 3.0]}, True),
    ({"sd_ratios": [1.0, 3.0], "bounds": {"sds": [(3.0, None), None]}}, False),
    ({"sd_ratios": [1.0, 3.0], "bounds": {"sds": [(1.0, None), (None, 4.0)]}}, False),
    ({"sd_ratios": [1.0, 3.0], "bounds": {"sds": [(0.5, None), (None, 4.0)]}}, True),
    ({"fixed": {"weights": [0.3, None]}}, True),
    ({"fixed": {"weights": [0.3, None], "means": [1.0, None]}}, False),
    ({"equal_weights": True, "sd_ratios": [1.0, 3.0]}, False),
    ({"bounds": {"weights": [(0.1, None), None], "means": [(1.0, None), None]}}, False),
    ({"bounds": {"weights": [(None, 0.9), None], "means": [(1.0, None), None]}}, True),
    ({"bounds": {"weights": [(None, 0.9), None], "means": [None, (1.0, None)]}}, False),
]


@pytest.mark.parametrize(("options", "room"), ROOM)
def test_whether_one_component_is_allowed(options: dict[str, Any], room: bool) -> None:
    """One normal of mean 0 and sd 2."""
    assert _has_room(constraints_of(2, **options), 0.0, 2.0) == room
