"""The certificate, recomputed from the rows by the public functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from tests.problems import MIXTURES, draw, drawn_fit
from tests.reference_fits import fitted

SETS = [
    ("acidity", "2V"),
    ("enzyme", "2E"),
    ("faithful_waiting", "2V"),
    ("img_camera", "2V"),
    ("nhanes_adult_height", "2E"),
    ("s08_offset_1e9", "2V"),
    ("stamps", "3V"),
]


def recomputed(fit: bt.Fit) -> tuple[bt.Evaluation, np.ndarray, np.ndarray]:
    """Score and Hessian along the free coordinates, on all the rows, in the unit of the data."""
    found = bt.evaluate(
        fit.sample.values,
        fit.mixture,
        coordinates="working",
        sample_weight=fit.sample.weights,
    )
    matrix = fit.solution.problem.constraints.matrix
    return found, found.score @ matrix, matrix.T @ found.hessian @ matrix


def solved(hessian: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The Newton direction, scaled first: at an offset the entries differ by many powers of ten."""
    unit = 1.0 / np.sqrt(-np.diag(hessian))
    return np.asarray(unit * np.linalg.solve(-hessian * np.outer(unit, unit), unit * score))


@pytest.mark.parametrize(("name", "model"), SETS)
def test_converged_means_a_small_decrement_on_all_the_rows(name: str, model: str) -> None:
    fit = fitted(name, model)
    assert fit.converged
    found, score, hessian = recomputed(fit)
    assert score @ solved(hessian, score) <= 1e-12
    assert found.loglike == pytest.approx(fit.loglike, rel=1e-13)
    unit = 1.0 / np.sqrt(-np.diag(hessian))
    assert np.linalg.eigvalsh(hessian * np.outer(unit, unit))[-1] < 0.0


@pytest.mark.parametrize("name", list(MIXTURES))
def test_away_from_a_maximum_the_decrement_is_the_recomputed_one(name: str) -> None:
    fit = bt.fit(draw(name), MIXTURES[name].n_components, method="em", max_steps=2)
    _, score, hessian = recomputed(fit)
    if np.isnan(fit.certificate.decrement):
        assert np.linalg.eigvalsh(-hessian)[0] <= 0.0
        return
    direction = solved(hessian, score)
    assert fit.certificate.decrement == pytest.approx(score @ direction, rel=1e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    known = np.abs(score * errors).max()
    assert fit.certificate.max_score == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(("name", "model"), SETS)
def test_half_the_decrement_is_what_a_newton_step_gains(name: str, model: str) -> None:
    fit = fitted(name, model)
    _, _, hessian = recomputed(fit)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    matrix = fit.solution.problem.constraints.matrix
    away = bt.from_working(bt.to_working(fit.mixture) + matrix @ (0.01 * errors))
    x, w = fit.sample.values, fit.sample.weights
    there = bt.evaluate(x, away, coordinates="working", sample_weight=w)
    score, bent = there.score @ matrix, matrix.T @ there.hessian @ matrix
    gain = fit.loglike - there.loglike
    assert 0.5 * score @ solved(bent, score) == pytest.approx(gain, rel=0.1)


@pytest.mark.parametrize("name", list(MIXTURES))
def test_the_effective_rows_are_no_more_than_the_rows(name: str) -> None:
    fit = drawn_fit(name)
    certificate = fit.certificate
    assert certificate.n_lambda_min == pytest.approx(fit.n_obs * certificate.eigenvalues[0])
    # Known memberships never carry less information.
    assert certificate.eigenvalues[-1] <= 1.0 + 1e-9
    assert (np.diff(certificate.eigenvalues) >= 0.0).all()


def test_every_optimum_is_a_stationary_point_of_the_rows() -> None:
    fit = fitted("s01b_overlap_D10_n200", "2V")
    assert len(fit.certificate.optima) >= 3
    for optimum in fit.certificate.optima:
        found = bt.evaluate(fit.sample.values, optimum.mixture, coordinates="working")
        assert found.score @ solved(found.hessian, found.score) < 1e-12
        assert found.loglike == pytest.approx(optimum.loglike, abs=1e-9)
        counts = bt.responsibilities(fit.sample.values, optimum.mixture).sum(axis=0)
        np.testing.assert_allclose(optimum.counts, counts, rtol=1e-9)
        spread = fit.sample.local_variance * fit.sample.scale**2
        price = np.log1p(spread / optimum.mixture.variances).sum()
        assert optimum.criterion == pytest.approx(optimum.loglike - price, abs=1e-8)


def test_without_a_maximum_there_is_no_decrement_to_trust() -> None:
    fit = fitted("s11_outlier", "2V")
    assert not fit.converged
    assert math.isnan(fit.certificate.decrement) or fit.certificate.decrement > 0.0
    assert all(o.status != "chosen" for o in fit.certificate.optima)
