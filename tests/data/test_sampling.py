"""Sampling weights count shares, frequency weights count rows: what each does to every figure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.data.sampling import sampled, unit_of
from bactrian.data.sketches.accumulate import sketch_of
from bactrian.fitting import reading
from tests.problems import Array, draw, drawn_fit
from tests.reference_fits import our_errors as errors_of_kind
from tests.reference_fits import our_parameters

WEIGHTS = np.random.default_rng(12).gamma(2.0, 1.0, 240)
COUNTS = np.random.default_rng(13).integers(1, 4, 240)


def plain_sandwich(x: Array, w: Array, mixture: bt.NormalMixture) -> Array:
    """Inverse Hessian, sum of squared weights times outer products, inverse Hessian; no factor."""
    pi, mu, sd = mixture.weights, mixture.means, mixture.sds
    k = pi.size
    u = (x[:, None] - mu) / sd
    shares = pi * np.exp(-0.5 * u * u) / sd
    r = shares / shares.sum(axis=1, keepdims=True)
    # The score of a row along logits, means and log variances.
    rows = np.concatenate([(r - pi)[:, : k - 1], r * u / sd, 0.5 * r * (u * u - 1.0)], axis=1)
    score = w @ rows
    assert np.abs(score / (w @ np.abs(rows))).max() < 1e-10
    hessian = bt.hessian(x, mixture, coordinates="working", sample_weight=w)
    bread = np.linalg.inv(-hessian)
    return np.asarray(bread @ ((rows * (w * w)[:, None]).T @ rows) @ bread)


def our_errors(fit: bt.Fit) -> Array:
    """Standard errors (3, K) of the kind that goes with the weights."""
    return np.reshape([e.standard_error for e in fit.confint()], (-1, 3)).T


def sampling_fit(x: Array, w: Array, k: int = 2, **options: Any) -> bt.Fit:
    """The fit of rows with sampling weights."""
    return bt.fit(x, k, sample_weight=w, weight_kind="sampling", **options)


@pytest.mark.parametrize("rows", ["overlapping", "rare", "three"])
def test_standard_errors_are_those_of_the_plain_formula(rows: str) -> None:
    x, k = draw(rows), 3 if rows == "three" else 2
    fit = sampling_fit(x, WEIGHTS, k)
    known = plain_sandwich(x, WEIGHTS, fit.mixture)
    unit = np.sqrt(np.diag(known))
    found = fit.covariance(coordinates="working")
    np.testing.assert_allclose(
        found / np.outer(unit, unit), known / np.outer(unit, unit), atol=1e-9
    )
    np.testing.assert_array_equal(fit.covariance(kind="sandwich"), fit.covariance())
    first = fit.confint()["mean 1"].standard_error
    assert first == pytest.approx(math.sqrt(known[k - 1, k - 1]), rel=1e-9)


def test_the_estimates_are_those_of_frequencies_of_as_many_rows() -> None:
    x = draw("overlapping")
    fit = sampling_fit(x, WEIGHTS)
    effective = WEIGHTS * (WEIGHTS.sum() / (WEIGHTS @ WEIGHTS))
    frequency = bt.fit(x, sample_weight=effective, weight_kind="frequency")
    np.testing.assert_allclose(our_parameters(fit), our_parameters(frequency), rtol=1e-9)


@pytest.mark.parametrize("factor", [1e-12, 1.0 / 3.0, 7.0, 1e250])
def test_only_the_ratios_of_weights_matter(factor: float) -> None:
    x = draw("overlapping")
    plain, scaled = sampling_fit(x, WEIGHTS), sampling_fit(x, factor * WEIGHTS)
    np.testing.assert_allclose(our_parameters(scaled), our_parameters(plain), rtol=1e-9)
    np.testing.assert_allclose(our_errors(scaled), our_errors(plain), rtol=1e-9)
    assert scaled.loglike == pytest.approx(plain.loglike, rel=1e-12)
    assert scaled.n_obs == pytest.approx(WEIGHTS.sum() ** 2 / (WEIGHTS @ WEIGHTS), rel=1e-13)
    for one, other in zip(
        scaled.confint(method="profile"), plain.confint(method="profile"), strict=True
    ):
        np.testing.assert_allclose([one.low, one.high], [other.low, other.high], rtol=1e-7)


def test_equal_weights_are_the_sandwich_of_the_rows() -> None:
    fit, rows = sampling_fit(draw("overlapping"), np.full(240, 0.37)), drawn_fit("overlapping")
    assert fit.n_obs == pytest.approx(240.0, rel=1e-14)
    assert fit.loglike == pytest.approx(rows.loglike, rel=1e-13)
    np.testing.assert_allclose(our_parameters(fit), our_parameters(rows), rtol=1e-10)
    np.testing.assert_allclose(our_errors(fit), errors_of_kind(rows, "sandwich"), rtol=1e-9)


def test_criteria_that_count_rows_are_not_given() -> None:
    fit = sampling_fit(draw("overlapping"), WEIGHTS)
    assert math.isnan(fit.aic)
    assert math.isnan(fit.bic)
    assert math.isnan(fit.icl)


def test_rows_of_weight_zero_are_not_there() -> None:
    x, w = draw("overlapping"), WEIGHTS.copy()
    w[::5] = 0.0
    known = sampling_fit(x[w > 0.0], w[w > 0.0])
    fit = sampling_fit(x, w)
    np.testing.assert_array_equal(our_parameters(fit), our_parameters(known))
    np.testing.assert_array_equal(our_errors(fit), our_errors(known))
    assert fit.n_obs == known.n_obs


def test_tied_rows_keep_the_squares_of_each_weight() -> None:
    x = np.round(draw("overlapping"), 1)
    fit = sampling_fit(x, WEIGHTS)
    assert len(fit.sample) < 100
    known = plain_sandwich(x, WEIGHTS, fit.mixture)
    np.testing.assert_allclose(
        np.diag(fit.covariance(coordinates="working")), np.diag(known), rtol=1e-8
    )


@pytest.mark.parametrize("rows", ["overlapping", "rare"])
def test_a_sketch_of_the_rows_gives_the_same(rows: str, monkeypatch: Any) -> None:
    x = draw(rows, 4000)
    w = np.random.default_rng(3).gamma(2.0, 1.0, 4000)
    known = sampling_fit(x, w)
    assert len(known.sample) == 4000
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    sketched = sampling_fit(x, w)
    assert len(sketched.sample) < 4000
    assert sketched.certificate.rests_on == "rows"
    # A sketch may move an estimate by 1e-9 standard errors; the squares add their own rounding.
    apart = np.abs(our_parameters(sketched) - our_parameters(known))
    assert (apart < 1e-9 * our_errors(known) + 1e-13).all()
    np.testing.assert_allclose(our_errors(sketched), our_errors(known), rtol=1e-7)
    assert sketched.loglike == pytest.approx(known.loglike, rel=1e-12)
    assert sketched.n_obs == pytest.approx(known.n_obs, rel=1e-12)


def test_weights_of_a_sample_are_effective_rows() -> None:
    x = draw("overlapping")
    sample = sampled(x, 5.0 * WEIGHTS)
    effective = WEIGHTS.sum() ** 2 / (WEIGHTS @ WEIGHTS)
    assert sample.total == pytest.approx(effective, rel=1e-14)
    assert sample.squared is not None
    assert sample.squared.total == pytest.approx(effective, rel=1e-14)
    np.testing.assert_array_equal(sample.squared.local, sample.local)


def test_squares_are_in_the_coordinates_of_the_sample() -> None:
    # With a heavy row at one end the squares have another median, and so another origin.
    x = np.concatenate([draw("overlapping"), [40.0]])
    w = np.concatenate([WEIGHTS, [30.0]])
    sample = sampled(x, w)
    assert sample.squared is not None
    assert sample.squared.origin == sample.origin
    assert sample.squared.scale == sample.scale
    np.testing.assert_allclose(sample.squared.values, sample.values, rtol=1e-13, atol=1e-13)


def test_a_sketch_without_weights_counts_rows() -> None:
    sketch = bt.Sketch.of(draw("overlapping"))
    assert unit_of(sketch) == 1.0
    weighted = bt.Sketch.of(draw("overlapping"), sample_weight=WEIGHTS)
    known = WEIGHTS.sum() / (WEIGHTS @ WEIGHTS)
    assert unit_of(weighted) == pytest.approx(known, rel=1e-13)


@pytest.mark.parametrize("kind", ["hessian", "outer_product"])
def test_covariances_that_count_rows_are_refused(kind: Any) -> None:
    fit = sampling_fit(draw("overlapping"), WEIGHTS)
    with pytest.raises(bt.ParameterError, match=r'only kind="sandwich"'):
        fit.covariance(kind=kind)
    with pytest.raises(bt.ParameterError, match=r'only kind="sandwich"'):
        fit.confint(kind=kind)


def test_what_fractional_weights_mean_has_to_be_said(monkeypatch: Any) -> None:
    x = draw("overlapping")
    with pytest.raises(bt.ParameterError, match=r'"frequency" .*"sampling"'):
        bt.fit(x, sample_weight=WEIGHTS)
    monkeypatch.setattr(reading, "LARGE_COLUMN", 100)
    with pytest.raises(bt.ParameterError, match=r'"frequency" .*"sampling"'):
        bt.fit(x, sample_weight=WEIGHTS)


# --- frequencies --------------------------------------------------------------------------------


def pair() -> tuple[bt.Fit, bt.Fit]:
    """A fit with whole weights, and that of the rows so many times over."""
    x = draw("overlapping")
    return bt.fit(x, sample_weight=COUNTS), bt.fit(np.repeat(x, COUNTS))


def test_a_weight_is_so_many_rows_in_every_figure() -> None:
    weighted, repeated = pair()
    assert weighted.n_obs == COUNTS.sum() == repeated.n_obs
    for name in ("loglike", "aic", "bic", "icl", "n_params"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-14)
    np.testing.assert_array_equal(our_parameters(weighted), our_parameters(repeated))


@pytest.mark.parametrize("kind", ["hessian", "outer_product", "sandwich"])
def test_a_weight_is_so_many_rows_in_every_covariance(kind: Any) -> None:
    weighted, repeated = pair()
    np.testing.assert_allclose(
        weighted.covariance(kind=kind), repeated.covariance(kind=kind), rtol=1e-12, atol=1e-18
    )


def test_a_weight_is_so_many_rows_in_profiles_and_tests() -> None:
    weighted, repeated = pair()
    for one, other in zip(
        weighted.confint(method="profile"), repeated.confint(method="profile"), strict=True
    ):
        np.testing.assert_allclose([one.low, one.high], [other.low, other.high], rtol=1e-12)
    x, options = draw("overlapping"), {"equal_variances": True}
    few = bt.fit(x, sample_weight=COUNTS, **options)  # type: ignore[arg-type]
    many = bt.fit(np.repeat(x, COUNTS), **options)  # type: ignore[arg-type]
    assert str(few.test_against(weighted)) == str(many.test_against(repeated))


def test_a_weight_is_so_many_rows_in_refits() -> None:
    # The same seed draws the same rows: multinomial counts of the distinct values.
    weighted, repeated = (fit.bootstrap(25, rng=4) for fit in pair())
    np.testing.assert_array_equal(weighted.free, repeated.free)


def test_frequencies_are_drawn_as_often_as_they_count() -> None:
    weighted, _ = pair()
    single = drawn_fit("overlapping")
    refits = weighted.bootstrap(150, rng=4)
    errors = np.array([e.standard_error for e in weighted.confint(method=refits)])
    known = np.array([e.standard_error for e in weighted.confint()])
    # The sd of 150 numbers is known to six percent, and the law is not quite normal.
    assert (np.abs(np.log(errors / known)) < 0.35).all()
    wider = np.array([e.standard_error for e in single.confint()])
    assert (known < wider).all()


@pytest.mark.parametrize(("factor", "fault"), [(1e200, "overflow"), (1e-200, "vanish")])
@pytest.mark.parametrize("rows", [1, 200])
def test_squares_beyond_all_doubles_are_refused_where_they_are_needed(
    factor: float, fault: str, rows: int
) -> None:
    x, w = np.tile(draw("overlapping"), rows), np.tile(WEIGHTS, rows)
    sketch = bt.Sketch.of(x, sample_weight=factor * w)
    assert sketch.mean == pytest.approx(bt.Sketch.of(x, sample_weight=w).mean, rel=1e-12)
    assert (sketch + sketch).coarsen(0).total == pytest.approx(2.0 * factor * w.sum(), rel=1e-12)
    with pytest.raises(bt.DataError, match=f"squares of these .* {fault}: only the ratios"):
        bt.fit(sketch, weight_kind="sampling")


@pytest.mark.parametrize("compiled", [False, True])
def test_squares_that_overflow_are_no_warning_in_any_loop(compiled: bool) -> None:
    if compiled:
        pytest.importorskip("numba")
        # What was carried is positive, what is added later negative.
        sketch_of(np.repeat([0.9, 0.1], [4095, 500]), np.full(4595, 1e200), 0, compiled=True)
    rng = np.random.default_rng(1)  # moments of both signs: their infinities make NaN
    x, w = rng.normal(size=100_000), rng.random(100_000)
    found = sketch_of(x, 1e200 * w, -5, compiled=compiled)
    known = sketch_of(x, w, -5, compiled=compiled)
    np.testing.assert_allclose(found.moments, 1e200 * known.moments, rtol=1e-9, atol=1e188)
    assert found.squares is not None
    assert not np.isfinite(found.squares).any()


@pytest.mark.parametrize("size", [1, 5000])
def test_infinite_squares_of_both_signs_are_added_without_a_warning(size: int) -> None:
    parts = [np.full(size, 0.9), np.full(size, 0.1)]
    weights = np.full(size, 1e200)
    one, other = (sketch_of(x, weights, 0) for x in parts)
    both = sketch_of(np.concatenate(parts), np.tile(weights, 2), 0)
    np.testing.assert_allclose((one + other).moments, both.moments, rtol=1e-12, atol=1e190)


@pytest.mark.parametrize("sketched", [False, True])
def test_frequencies_that_cannot_be_counted_are_refused(sketched: bool) -> None:
    x = draw("overlapping")
    whole = np.full(x.size, 2.0)
    for factor in (2.0**53, 1e200):
        data = bt.Sketch.of(x, sample_weight=factor * whole) if sketched else x
        weight = None if sketched else factor * whole
        with pytest.raises(bt.DataError, match="divide the weights by a common factor"):
            bt.fit(data, sample_weight=weight, weight_kind="frequency")
    fit = bt.fit(x, sample_weight=2.0**40 * whole)
    assert fit.converged
    assert fit.n_obs == 2.0**41 * x.size
