"""Fits with known, bounded or tied parameters, against SciPy's SLSQP; what contradicts itself."""

from __future__ import annotations

import json
import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.fitting import reading
from bactrian.fitting.constraints import constraints_of
from bactrian.model.constraints import Constraints
from tests.brute_force import loglike_and_slopes, maximum
from tests.constrained import CASES, Case, constrained_fit
from tests.problems import MIXTURES, Array, draw, drawn_fit
from tests.reference_fits import our_errors, our_parameters

EVERY = pytest.mark.parametrize("name", list(CASES))
# One of each kind; the slowest ascents are those of the gradient.
FEW = ["mean 1", "sd 2", "weight 2", "ratios", "least sd", "both weights bounded", "all kinds"]


@EVERY
def test_the_maximum_is_that_of_brute_force(name: str) -> None:
    case, fit = CASES[name], constrained_fit(name)
    known = maximum(
        draw(case.rows),
        case.n_components,
        case.options,
        n_starts=12 if case.n_components < 3 else 25,
    )
    assert fit.converged
    assert fit.n_params == case.n_free
    assert fit.loglike == pytest.approx(known.loglike, abs=1e-7)
    # A log-likelihood right to 1e-7 leaves a thousandth of a standard error.
    exact = np.stack([known.weights, known.means, known.sds])
    # Bounds that differ may hold in either order, of which brute force ends at any.
    every = map(list, permutations(range(case.n_components)))
    orders = [o for o in every if case.constraints.allows(*exact[:, o])]
    order = min([*map(list, case.constraints.orders()), *orders], key=lambda o: tuple(exact[1, o]))
    np.testing.assert_allclose(our_parameters(fit), exact[:, order], atol=2e-3)


@EVERY
def test_the_figures_are_those_of_the_rows(name: str) -> None:
    case, fit = CASES[name], constrained_fit(name)
    value, _ = loglike_and_slopes(our_parameters(fit).ravel(), draw(case.rows))
    assert fit.loglike == pytest.approx(value, rel=1e-13)
    assert fit.aic == 2.0 * case.n_free - 2.0 * fit.loglike
    assert fit.bic == case.n_free * math.log(fit.n_obs) - 2.0 * fit.loglike


@EVERY
def test_constraints_hold_to_the_last_digits(name: str) -> None:
    case, mixture = CASES[name], constrained_fit(name).mixture
    box = case.constraints
    for values, (low, high) in (
        (mixture.weights, box.weights.T),
        (mixture.means, box.means.T),
        (mixture.sds, box.sds.T),
    ):
        assert (values >= low - 1e-14 * np.abs(low)).all()
        assert (values <= high + 1e-14 * np.abs(high)).all()
    if box.sd_ratios is not None:
        np.testing.assert_allclose(mixture.sds / mixture.sds[0], box.sd_ratios, rtol=1e-14)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.is_active])
def test_the_active_ones_among_the_cases_are_active(name: str) -> None:
    case, fit = CASES[name], constrained_fit(name)
    free = bt.fit(draw(case.rows), case.n_components)
    assert fit.loglike < free.loglike - 1e-3
    assert fit.solution.problem.at_bound(fit.solution.state.free[0]).any()


@pytest.mark.parametrize("method", ["em", "gradient", "lbfgs"])
@pytest.mark.parametrize("name", FEW)
def test_every_method_ends_at_the_same_point(name: str, method: Any) -> None:
    case, known = CASES[name], constrained_fit(name)
    fit = bt.fit(draw(case.rows), case.n_components, method=method, **case.options)
    assert fit.converged
    assert fit.loglike == pytest.approx(known.loglike, abs=1e-9)
    np.testing.assert_allclose(our_parameters(fit), our_parameters(known), atol=1e-7)


def moved(options: dict[str, Any], shift: float, scale: float) -> dict[str, Any]:
    """The options for rows shift + scale x."""

    def mean(value: float | None) -> float | None:
        """One mean."""
        return None if value is None else shift + scale * value

    def sd(value: float | None) -> float | None:
        """One sd."""
        return None if value is None else abs(scale) * value

    found = dict(options)
    for option in ("fixed", "bounds"):
        parts = dict(options.get(option, {}))
        for key, each in (("means", mean), ("sds", sd)):
            if key in parts:
                entries = [
                    tuple(sorted(map(each, entry), key=lambda v: (v is None, v)))
                    if isinstance(entry, tuple) and None not in entry
                    else _swapped(entry, each, scale < 0.0 and key == "means")
                    if isinstance(entry, tuple)
                    else each(entry)
                    for entry in parts[key]
                ]
                parts[key] = entries
        if parts:
            found[option] = parts
    return found


def _swapped(entry: tuple[Any, Any], each: Any, mirrored: bool) -> tuple[Any, Any]:
    """A bound on one side, on the other side where the axis is turned."""
    low, high = each(entry[0]), each(entry[1])
    return (high, low) if mirrored else (low, high)


# 1e9 leaves 1.2e-7 of each value: rows and constraints rounded to 2^-20 lose nothing more.
AFFINE = [(0.0, 1e100), (5.0, -2.0), (1e9, 1.0), (-3.0, 1e-100)]


@pytest.mark.parametrize(("shift", "scale"), AFFINE)
@pytest.mark.parametrize(
    "name", ["mean 1", "sd 1", "ratios", "two bounds", "bounded mean", "both weights bounded"]
)
def test_shifted_and_scaled_rows_have_the_shifted_and_scaled_fit(
    name: str, shift: float, scale: float
) -> None:
    case = CASES[name]
    shift = shift * (scale if scale < 1e-50 else 1.0)
    x = np.round(draw(case.rows) * 2.0**20) / 2.0**20
    plain = bt.fit(x, 2, **case.options)
    fit = bt.fit(shift + scale * x, 2, **moved(case.options, shift, scale))
    assert fit.converged
    known = our_parameters(plain)
    if scale < 0.0 and not case.constraints.names_components:
        known = known[:, ::-1]
    if name == "both weights bounded" and scale < 0.0:
        # Both orders fulfil these bounds, and the ascending one is reported.
        known = known[:, ::-1]
    found = our_parameters(fit)
    # The constraint itself is rounded where the offset is 1e9.
    bound = 3e-7 if shift == 1e9 else 1e-9
    np.testing.assert_allclose(found[0], known[0], atol=bound)
    np.testing.assert_allclose((found[1] - shift) / scale, known[1], atol=bound)
    np.testing.assert_allclose(found[2] / abs(scale), known[2], atol=bound)


LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "a mean": ("overlapping", {"fixed": {"means": [0.02, None]}}),
    "a weight": ("apart", {"fixed": {"weights": [None, 0.58]}}),
    "ratios": ("overlapping", {"sd_ratios": [2.0, 3.0]}),
    "an active bound": ("overlapping", {"bounds": {"sds": [(None, 0.95), None]}}),
    "three, weight 2": ("three", {"fixed": {"weights": [None, 0.41, None]}}),
}


# A search for three components in every order takes twenty seconds.
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n.startswith("three") else []) for n in LARGE],
)
def test_sketched_rows_have_the_fit_of_the_rows(name: str, monkeypatch: Any) -> None:
    rows, options = LARGE[name]
    x, k = draw(rows, 40_000), MIXTURES[rows].n_components
    sketched = bt.fit(x, k, **options)
    assert sketched.certificate.rests_on == "rows"
    assert len(sketched.sample) < 40_000
    monkeypatch.setattr(reading, "LARGE_COLUMN", 1 << 20)
    known = bt.fit(x, k, **options)
    assert len(known.sample) == 40_000
    assert sketched.converged
    assert sketched.loglike == pytest.approx(known.loglike, rel=1e-13)
    errors = our_errors(known)
    apart = np.abs(our_parameters(sketched) - our_parameters(known))
    assert (apart <= 1e-7 * errors + 1e-12).all()
    np.testing.assert_allclose(our_errors(sketched), errors, rtol=1e-6, atol=1e-15)


def test_named_components_keep_their_order_and_others_are_sorted() -> None:
    x = draw("apart")
    named = bt.fit(x, fixed={"means": [6.0, None]})
    assert named.mixture.means[0] == 6.0
    assert named.mixture.means[1] < 1.0
    assert [e.name for e in named.confint()][1] == "mean 1"
    assert named.confint()["mean 1"].note == "fixed"
    plain = bt.fit(x, equal_weights=True)
    assert (np.diff(plain.mixture.means) > 0.0).all()
    alike = bt.fit(x, bounds={"sds": [(0.1, 9.0), (0.1, 9.0)]})
    assert (np.diff(alike.mixture.means) > 0.0).all()
    np.testing.assert_allclose(our_parameters(alike), our_parameters(bt.fit(x)), rtol=1e-9)


def test_where_names_allow_both_orders_the_ascending_one_is_kept() -> None:
    for entries in ([(0.1, None), None], [None, (0.1, None)]):
        fit = bt.fit(draw("apart"), bounds={"sds": entries})
        assert (np.diff(fit.mixture.means) > 0.0).all()


def test_a_fixed_mean_may_be_far_from_every_row() -> None:
    fit = bt.fit(draw("apart"), fixed={"means": [1e3, None]})
    assert math.isfinite(fit.loglike)
    assert not fit.converged or fit.mixture.means[0] == 1e3


def test_a_least_sd_admits_an_outlier_as_a_component() -> None:
    x = np.concatenate([MIXTURES["narrow in wide"].sample(100, np.random.default_rng(2)), [60.0]])
    fit = bt.fit(x, bounds={"sds": [(0.5, None), (0.5, None)]})
    assert fit.converged
    np.testing.assert_allclose(fit.mixture.means[1], 60.0, atol=1e-6)
    np.testing.assert_allclose(fit.mixture.sds[1], 0.5, rtol=1e-14)


def test_one_component_with_a_fixed_mean_is_the_root_mean_square() -> None:
    x = draw("apart")
    fit = bt.fit(x, 1, fixed={"means": [3.0]})
    assert fit.mixture.sds[0] == pytest.approx(math.sqrt(((x - 3.0) ** 2).mean()), rel=1e-14)
    assert fit.n_params == 1
    known = fit.mixture.sds[0] / math.sqrt(2.0 * x.size)
    assert fit.confint()["sd 1"].standard_error == pytest.approx(known, rel=1e-12)


def test_standard_errors_are_those_of_what_is_free() -> None:
    # With the sds known the information is that of the other coordinates.
    x = draw("apart")
    fit = bt.fit(x, fixed={"sds": [1.0, 1.0]})
    hessian = bt.hessian(x, fit.mixture, coordinates="working")[:3, :3]
    known = np.linalg.inv(-hessian)
    found = fit.covariance(coordinates="working")
    np.testing.assert_allclose(found[:3, :3], known, rtol=1e-9)
    assert (found[3:] == 0.0).all()
    assert (found[:, 3:] == 0.0).all()


def test_a_parameter_at_its_bound_has_no_interval() -> None:
    fit = constrained_fit("bounded mean")
    estimate = fit.confint()["mean 1"]
    assert estimate.standard_error == 0.0
    assert "bound" in estimate.note
    assert fit.confint()["mean 2"].standard_error > 0.0


# --- from options to sets -----------------------------------------------------------------------


def one_row(constraints: Constraints) -> Array:
    """All boxes, one after another."""
    return np.concatenate([constraints.weights, constraints.means, constraints.sds])


@pytest.mark.parametrize(
    ("k", "options", "same"),
    [
        (2, {"fixed": {"weights": [0.3, None]}}, {"fixed": {"weights": [0.3, 0.7]}}),
        (2, {"equal_weights": True}, {"fixed": {"weights": [0.5, None]}}),
        (1, {}, {"fixed": {"weights": [1]}}),
        (2, {"equal_variances": True}, {"sd_ratios": [3.0, 3.0]}),
        (2, {"fixed": {"means": np.array([1.0, 2.0])}}, {"fixed": {"means": [1, 2.0]}}),
        (2, {"bounds": {"sds": [None, (None, None)]}}, {}),
        (
            2,
            {"sd_ratios": [1, 2], "fixed": {"sds": [1.5, None]}},
            {"sd_ratios": [1, 2], "fixed": {"sds": [None, 3.0]}},
        ),
    ],
)
def test_the_same_set_said_differently(
    k: int, options: dict[str, Any], same: dict[str, Any]
) -> None:
    one, other = constraints_of(k, **options), constraints_of(k, **same)
    np.testing.assert_array_equal(one_row(one), one_row(other))
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.offset, other.offset)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fixed": [0.0, None]}, "not a mapping"),
    ({"fixed": {"mean": [0.0, None]}}, "'mean'.*'weights', 'means' and 'sds'"),
    ({"bounds": {"variances": [(0, 1), None]}}, "'variances'"),
    ({"fixed": {"means": 0.0}}, "not a list"),
    ({"fixed": {"means": "ab"}}, "not a list"),
    ({"fixed": {"means": [0.0]}}, "has 1 of 2 entries"),
    ({"bounds": {"means": [None, None, None]}}, "has 3 of 2 entries"),
    ({"fixed": {"means": [math.nan, None]}}, r"fixed\['means'\]\[0\]=nan is not a number"),
    ({"fixed": {"means": ["0", None]}}, "'0' is not a number"),
    ({"fixed": {"means": [True, None]}}, "True is not a number"),
    ({"fixed": {"means": [math.inf, None]}}, "out of range.*finite"),
    ({"fixed": {"sds": [0.0, None]}}, "out of range.*positive"),
    ({"fixed": {"sds": [-1.0, None]}}, "positive"),
    ({"fixed": {"weights": [0.0, None]}}, "between 0 and 1"),
    ({"fixed": {"weights": [1.0, None]}}, "between 0 and 1"),
    ({"fixed": {"weights": [0.7, 0.7]}}, r"sum to 1\.4"),
    ({"fixed": {"weights": [0.7, 0.7, None]}, "n_components": 3}, "leaves nothing"),
    ({"fixed": {"means": [0.0, None]}, "bounds": {"means": [(-1, 1), None]}}, "one of them"),
    ({"bounds": {"means": [(2.0, 1.0), None]}}, "leaves no value"),
    ({"bounds": {"means": [(1.0, 1.0), None]}}, "fixed= holds it"),
    ({"bounds": {"sds": [(None, -1.0), None]}}, "leaves no value"),
    ({"bounds": {"weights": [(1.0, None), None]}}, "leaves no value"),
    ({"bounds": {"means": [(math.nan, 1.0), None]}}, "nan is not a number"),
    ({"bounds": {"means": [("0", 1.0), None]}}, "'0' is not a number"),
    ({"bounds": {"means": [3.0, None]}}, "not a pair"),
    ({"bounds": {"means": ["ab", None]}}, "not a pair"),
    ({"bounds": {"means": [(1.0, 2.0, 3.0), None]}}, "not a pair"),
    ({"bounds": {"weights": [(0.6, None), (0.6, None)]}}, "No two weights"),
    ({"bounds": {"weights": [(None, 0.4), (None, 0.4)]}}, "No two weights"),
    (
        {"bounds": {"weights": [(0.1, None), None, None]}, "n_components": 3},
        "for two components",
    ),
    (
        {"fixed": {"weights": [0.3, None]}, "bounds": {"weights": [None, (0.8, None)]}},
        r"leaves 0\.7.*bounds exclude",
    ),
    ({"equal_weights": True, "fixed": {"weights": [0.3, None]}}, "already fixes"),
    ({"equal_weights": True, "bounds": {"weights": [(0.3, None), None]}}, "already fixes"),
    ({"equal_weights": 1}, "neither True nor False"),
    ({"equal_variances": True, "sd_ratios": [1.0, 2.0]}, "one of both"),
    ({"sd_ratios": 2.0}, "not a list of 2"),
    ({"sd_ratios": "12"}, "not a list of 2"),
    ({"sd_ratios": [1.0]}, "2 positive"),
    ({"sd_ratios": [1.0, 0.0]}, "2 positive"),
    ({"sd_ratios": [1.0, math.inf]}, "2 positive"),
    ({"sd_ratios": [1.0, math.nan]}, "nan is not a number"),
    ({"sd_ratios": [1.0, None]}, "None is not a number"),
    ({"sd_ratios": [1.0, 2.0], "fixed": {"sds": [1.0, 3.0]}}, "contradict"),
    ({"sd_ratios": [1.0, 2.0], "fixed": {"sds": [1.0, None]},
      "bounds": {"sds": [None, (3.0, None)]}}, "contradict"),
    ({"sd_ratios": [1.0, 2.0], "bounds": {"sds": [(1.0, None), (None, 1.5)]}}, "No sds"),
    (
        {"fixed": {"weights": [0.5, 0.5], "means": [0.0, 1.0], "sds": [1.0, 1.0]}},
        "nothing to estimate",
    ),
    ({"fixed": {"means": [0.0], "sds": [1.0]}, "n_components": 1}, "nothing to estimate"),
    ({"fixed": {"sds": [1e-9, None]}}, "resolve none below"),
    ({"bounds": {"sds": [(None, 1e-9), None]}}, "resolve none below"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=range(len(REFUSED)))
def test_contradictions_are_refused_in_a_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=f"(?s){words}") as caught:
        bt.fit(np.round(draw("apart", 50), 2), **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert 20 < len(message) < 300


def test_options_of_a_case_are_not_changed_by_a_fit() -> None:
    options: dict[str, Any] = {"means": [0.0, None]}
    bt.fit(draw("apart"), fixed=options)
    assert options == {"means": [0.0, None]}
    assert isinstance(CASES["mean 1"], Case)
    assert drawn_fit("apart").n_params == 5


@EVERY
def test_what_was_held_is_written_as_the_arguments_that_ask_for_it(name: str) -> None:
    case, record = CASES[name], constrained_fit(name).to_dict()
    again = constraints_of(case.n_components, **json.loads(json.dumps(record["constraints"])))
    for one, other in zip(again._boxes, case.constraints._boxes, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (again.sd_ratios is None) == (case.constraints.sd_ratios is None)
    if again.sd_ratios is not None:
        np.testing.assert_array_equal(again.sd_ratios, case.constraints.sd_ratios)


def test_a_record_says_what_was_held_and_nothing_where_that_is_nothing() -> None:
    x = draw("apart")
    nothing = {
        "equal_variances": False, "equal_weights": False, "sd_ratios": None, "fixed": None,
        "bounds": None,
    }  # fmt: skip
    assert bt.fit(x).to_dict()["constraints"] is None
    assert bt.fit(x, 1).to_dict()["constraints"] is None
    found = bt.fit(x, fixed={"means": [0.0, None]}).to_dict()["constraints"]
    assert found == nothing | {"fixed": {"means": [0.0, None]}}
    for pair in ((0.5, None), (None, 9.0)):
        found = bt.fit(x, bounds={"sds": [pair, None]}).to_dict()["constraints"]
        assert found == nothing | {"bounds": {"sds": [list(pair), None]}}
    found = bt.fit(x, equal_weights=True, equal_variances=True).to_dict()["constraints"]
    assert found == nothing | {"equal_weights": True, "equal_variances": True}


def test_a_mean_held_far_from_all_rows_is_no_warning() -> None:
    x = bt.datasets.load("faithful")["waiting"]
    assert bt.fit(x, fixed={"means": [0.0, None]}).outcome is bt.Outcome.COMPONENT_VANISHED
