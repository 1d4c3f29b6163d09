"""The bound on what any mixture could gain: measured values, mixtures that try, symmetries."""

from __future__ import annotations

import math
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.solve import npmle
from bactrian.solve.gain import MAX_BINS, QUICK_BINS, gain_bound
from tests.problems import MIXTURES, draw, drawn_fit

SLACK = 2e-3  # what the solver may leave, and twice that between two bounds
# For each design rows, seed, mixture; then at each floor, in smallest fitted sds, what a location
# mixture of that sd was found to gain and a bound for all of them, by another program.
MEASURED = {
    "equal, 200 rows": (
        (200, 1, [0.35, 0.65], [-1.5, 1.5], [1.0, 1.0]),
        {1.0: (0.184, 0.198), 0.9: (0.662, 0.676), 0.7: (2.545, 2.574), 0.5: (4.417, 4.452),
         0.25: (13.043, 13.188)},
    ),
    "equal, 1000 rows": (
        (1000, 1, [0.35, 0.65], [-1.5, 1.5], [1.0, 1.0]),
        {1.0: (0.163, 0.193), 0.9: (1.001, 1.033), 0.7: (2.392, 2.688), 0.5: (4.938, 5.003),
         0.25: (12.125, 13.099)},
    ),
    "equal, 100000 rows": (
        (100_000, 1, [0.35, 0.65], [-1.5, 1.5], [1.0, 1.0]),
        {1.0: (1.625, 2.432), 0.9: (3.257, 3.310), 0.7: (7.093, 9.165), 0.5: (10.114, 16.122)},
    ),
    "one place, 1000 rows": (
        (1000, 2, [0.3, 0.7], [0.0, 0.0], [1.0, 3.0]),
        {1.0: (2.958, 3.331), 0.9: (4.410, 4.734), 0.7: (6.173, 6.326), 0.5: (9.001, 9.667)},
    ),
    "unequal, 100000 rows": (
        (100_000, 2, [0.6, 0.4], [-1.0, 2.0], [0.5, 1.5]),
        {1.0: (13.114, 26.165), 0.9: (14.214, 61.099), 0.7: (18.123, 75.584)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_the_bound_is_between_what_was_reached_and_what_was_proved(name: str) -> None:
    (size, seed, weights, means, sds), measured = MEASURED[name]
    rng = np.random.default_rng(seed)
    first = rng.random(size) < weights[0]
    x = np.where(first, rng.normal(means[0], sds[0], size), rng.normal(means[1], sds[1], size))
    fit = bt.fit(x)
    for floor, (reached, proved) in measured.items():
        bound = fit.certificate.gain_bound(floor * fit.mixture.sds.min())
        assert reached - 5e-4 <= bound <= proved + 5e-4


@cache
def rows(name: str) -> np.ndarray:
    return draw(name)


@cache
def bound_of(name: str, floor: float) -> float:
    return drawn_fit(name).certificate.gain_bound(floor)


@pytest.mark.parametrize("name", list(MIXTURES))
def test_fits_with_more_components_do_not_gain_more(name: str) -> None:
    fit = drawn_fit(name)
    for k in (3, 4):
        other = bt.fit(rows(name), k)
        bound = fit.certificate.gain_bound(other.mixture.sds.min())
        assert other.loglike <= fit.loglike + bound + 1e-8


@settings(max_examples=40)
@given(
    name=st.sampled_from(sorted(MIXTURES)),
    floor=st.sampled_from([0.3, 0.6, 1.0, 1.5]),
    seed=st.integers(0, 10_000),
)
def test_no_mixture_gains_more(name: str, floor: float, seed: int) -> None:
    fit, rng = drawn_fit(name), np.random.default_rng(seed)
    floor *= fit.mixture.sds.min()
    bound = bound_of(name, floor)
    k = int(rng.integers(1, 9))
    weights, means = rng.dirichlet(np.ones(k)), rng.choice(rows(name), k)
    mixture = bt.NormalMixture(weights, means, floor * np.exp(rng.exponential(0.5, k)))
    for _ in range(8):  # EM from there, with sds held above the floor
        assert bt.loglike(rows(name), mixture) <= fit.loglike + bound + 1e-8
        r = bt.responsibilities(rows(name), mixture)
        counts = r.sum(axis=0) + 1e-9
        means = (r.T @ rows(name)) / counts
        spread = (r * (rows(name)[:, None] - means) ** 2).sum(axis=0) / counts
        mixture = bt.NormalMixture(counts / counts.sum(), means, np.maximum(np.sqrt(spread), floor))


@pytest.mark.parametrize("name", list(MIXTURES))
def test_the_bound_is_attained_to_the_slack(name: str) -> None:
    """The mixture behind the bound is one of those that it is about."""
    fit = drawn_fit(name)
    sample, state = fit.certificate.sample, fit.certificate.state
    floor = 0.7 * float(state.sds[0].min())
    x = sample.local / floor
    places, shares = npmle.npmle(x, sample.weights, math.inf)
    sds = np.full(places.size, floor * sample.scale)
    best = bt.NormalMixture(shares, places * sds[0] + sample.origin, sds)
    gain = bt.loglike(rows(name), best) - fit.loglike
    bound = fit.certificate.gain_bound(sds[0])
    assert gain - 1e-8 <= bound <= gain + SLACK + 1e-3 * gain


def test_a_smaller_floor_admits_more() -> None:
    certificate = drawn_fit("overlapping").certificate
    bounds = [certificate.gain_bound(floor) for floor in np.geomspace(0.2, 4.0, 16)]
    assert all(np.diff(bounds) < SLACK)
    assert bounds[0] > 1.0 > 0.0 > bounds[-1]


@pytest.mark.parametrize("name", list(MIXTURES))
def test_up_to_the_smallest_sd_it_is_not_negative(name: str) -> None:
    fit = drawn_fit(name)
    least = fit.mixture.sds.min()
    assert fit.certificate.gain_bound() == pytest.approx(fit.certificate.gain_bound(least))
    assert fit.certificate.gain_bound() >= 0.0
    assert fit.certificate.gain_bound(0.999 * least) >= 0.0


def test_one_component_that_is_the_best_there_is_gains_nothing() -> None:
    """Few rows close together: no mixture of that sd is better than its one component."""
    fit = bt.fit([-1.0, 0.0, 1.0], 1)
    assert 0.0 <= fit.certificate.gain_bound() < SLACK
    # One component of a larger sd is the best mixture of that sd: the difference is known.
    wider = bt.NormalMixture([1.0], [0.0], [2.0])
    lost = bt.loglike([-1.0, 0.0, 1.0], wider) - fit.loglike
    assert fit.certificate.gain_bound(2.0) == pytest.approx(lost, abs=SLACK)


@settings(max_examples=10)
@given(
    shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3), floor=st.sampled_from([0.4, 1.0, 1.3])
)
def test_the_unit_and_the_datum_do_not_matter(shift: float, scale: float, floor: float) -> None:
    x = draw("overlapping", 60)
    plain, moved = bt.fit(x), bt.fit(shift + scale * x)
    one = plain.certificate.gain_bound(floor * plain.mixture.sds.min())
    other = moved.certificate.gain_bound(floor * moved.mixture.sds.min())
    assert other == pytest.approx(one, abs=2.0 * SLACK)


def test_a_power_of_two_changes_nothing() -> None:
    x = draw("overlapping")
    bound = bt.fit(x).certificate.gain_bound()
    assert bt.fit(2.0**300 * x).certificate.gain_bound() == bound


def test_a_weight_is_that_many_rows() -> None:
    x = np.round(draw("overlapping"), 1)
    values, counts = np.unique(x, return_counts=True)
    bound = bt.fit(x).certificate.gain_bound(0.7)
    assert bt.fit(values, sample_weight=counts).certificate.gain_bound(0.7) == bound


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_what_the_solver_leaves_makes_it_looser_and_not_wrong(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = drawn_fit("three").certificate
    converged = certificate.gain_bound(0.5)
    monkeypatch.setattr(npmle, "_MAX_STEPS", steps)
    loose = certificate.gain_bound(0.5)
    assert loose >= converged - SLACK
    assert steps > 1 or loose > converged + 1.0


def test_many_rows_are_bounded_as_they_are_not_as_they_are_condensed() -> None:
    x = draw("overlapping", 20_000)
    sample = Sample.of(x)
    mixture = MIXTURES["overlapping"].affine(-sample.origin / sample.scale, 1.0 / sample.scale)
    loglike = bt.loglike(sample.local, mixture)
    before = time.perf_counter()
    bound = gain_bound(sample, loglike, mixture.sds, None)
    assert time.perf_counter() - before < 5.0  # 0.02 seconds on an idle machine
    fit = bt.fit(x)
    gain = fit.loglike - bt.loglike(x, MIXTURES["overlapping"])
    assert fit.certificate.gain_bound(1.0) == pytest.approx(bound - gain, abs=SLACK)


def test_a_fit_of_a_sketch_is_bounded_on_its_nodes() -> None:
    x = draw("overlapping", 40_000)
    direct, sketched = bt.fit(x[:30_000]), bt.fit(bt.Sketch.of(x[:30_000]))
    bound = direct.certificate.gain_bound(0.8)
    assert sketched.certificate.gain_bound(0.8) == pytest.approx(bound, rel=1e-3, abs=SLACK)
    certified = bt.fit(x).certificate
    assert certified.rests_on == "rows"
    assert 0.0 <= certified.gain_bound() < 50.0


def test_outliers_cost_no_time_and_no_digits() -> None:
    x = np.append(draw("overlapping"), [1e6, -1e7, 1e7])
    fit = bt.fit(x, 3)
    inner = drawn_fit("overlapping")
    bound = fit.certificate.gain_bound(0.9) + fit.loglike - inner.loglike
    # Three lone rows with shares of their own: the best mixture of the others shares the rest.
    n = len(x) - 3
    lone = 3 * bt.NormalMixture([1.0], [0.0], [0.9]).logpdf(0.0)[()] - 3 * math.log(n + 3)
    expected = inner.certificate.gain_bound(0.9) + lone + n * math.log(n / (n + 3))
    assert bound == pytest.approx(expected, abs=2.0 * SLACK)


@pytest.mark.parametrize("floor", [0, -1.0, math.nan, math.inf, "1", True, 1j])
def test_a_floor_that_is_no_positive_number_is_refused(floor: object) -> None:
    with pytest.raises(bt.ParameterError, match="is not a positive number"):
        drawn_fit("apart").certificate.gain_bound(floor)  # type: ignore[arg-type]


def test_a_floor_that_is_too_small_is_refused_with_the_least_usable_one() -> None:
    x = draw("overlapping", 3000)
    certificate = bt.fit(x).certificate
    with pytest.raises(bt.ParameterError, match="is too small") as refusal:
        certificate.gain_bound(1e-5)
    least = float(str(refusal.value).rpartition(" ")[2].rstrip("."))
    bins = {
        factor: np.unique(np.floor(2.0 * (x - x.min()) / (factor * least))).size
        for factor in (0.85, 1.0)
    }
    assert bins[1.0] <= MAX_BINS < bins[0.85]
    sketch = bt.fit(bt.Sketch.of(x, exponent=-2)).certificate
    with pytest.raises(bt.ParameterError, match="is too small"):
        sketch.gain_bound(0.12)
    assert sketch.gain_bound(0.13) > 0.0
    with pytest.raises(bt.ParameterError, match="is too small"):
        drawn_fit("apart").certificate.gain_bound(5e-324)


def test_a_fit_that_converged_says_it() -> None:
    fit = drawn_fit("apart")
    record = fit.to_dict()
    assert record["certificate"]["gain_bound"] == fit.certificate.gain_bound()
    assert record["certificate"]["sd_floor"] == fit.mixture.sds.min()
    assert "gain_bound" not in record
    assert "No mixture of any number of components" in str(fit)
    stopped = bt.fit(draw("overlapping"), max_steps=1)
    assert not stopped.converged
    assert stopped.to_dict()["certificate"]["gain_bound"] is None
    assert "No mixture of any number of components" not in str(stopped)


def test_where_it_would_take_long_a_fit_says_nothing() -> None:
    rng = np.random.default_rng(6)
    x = np.append(rng.normal(0.0, 0.12, 300), rng.normal(0.0, 3.0, 700))
    fit = bt.fit(x)
    assert fit.converged
    bins = np.unique(np.floor(2.0 * (x - x.min()) / fit.mixture.sds.min())).size
    assert QUICK_BINS < bins <= MAX_BINS
    assert fit.certificate.gain_bound_if_quick() is None
    assert "No mixture of any number of components" not in str(fit)


def test_a_certificate_prints_no_data() -> None:
    assert len(repr(drawn_fit("apart").certificate)) < 1500
