"""Covariances are what the public derivatives of all the rows give, in any coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bactrian as bt
from bactrian.model.parameters import natural_jacobian
from tests.problems import MIXTURES, draw, drawn_fit
from tests.reference_fits import fitted

KINDS = ["hessian", "outer_product", "sandwich"]


def from_rows(fit: bt.Fit, kind: str) -> np.ndarray:
    """The covariance of the working coordinates, from score and Hessian of all the rows."""
    x, w = fit.sample.values, fit.sample.weights
    matrix = fit.solution.problem.constraints.matrix
    hessian = matrix.T @ bt.hessian(
        x, fit.mixture, coordinates="working", sample_weight=w
    ) @ matrix  # fmt: skip
    scores = bt.score_obs(x, fit.mixture, coordinates="working") @ matrix
    products = (scores * w[:, None]).T @ scores
    bread = np.linalg.inv(-hessian)
    free = {
        "hessian": bread,
        "outer_product": np.linalg.inv(products),
        "sandwich": bread @ products @ bread,
    }[kind]
    return np.asarray(matrix @ free @ matrix.T)


def check_equal(found: np.ndarray, known: np.ndarray) -> None:
    """Two covariances are equal, entry by entry in units of standard errors."""
    unit = np.outer(np.sqrt(np.diag(known)), np.sqrt(np.diag(known)))
    np.testing.assert_allclose(found / unit, known / unit, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("name", list(MIXTURES))
def test_working_covariances_are_those_of_the_rows(name: str, equal: bool, kind: Any) -> None:
    fit = drawn_fit(name, equal)
    known = from_rows(fit, kind)
    found = fit.covariance(kind=kind, coordinates="working")
    unit = np.sqrt(np.diag(known))
    np.testing.assert_allclose(
        found / np.outer(unit, unit), known / np.outer(unit, unit), atol=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(MIXTURES))
def test_natural_covariances_follow_by_the_jacobian(name: str, kind: Any) -> None:
    fit = drawn_fit(name)
    jacobian, k = natural_jacobian(fit.mixture), fit.mixture.n_components
    known = jacobian @ from_rows(fit, kind) @ jacobian.T
    found = fit.covariance(kind=kind)
    assert found.shape == (3 * k, 3 * k)
    unit = np.sqrt(np.diag(known))
    np.testing.assert_allclose(
        found / np.outer(unit, unit), known / np.outer(unit, unit), atol=1e-7
    )
    # Weights sum to one: their errors sum to none.
    np.testing.assert_allclose(found[:k].sum(axis=0), 0.0, atol=1e-12 * np.abs(found).max())
    np.testing.assert_allclose(found, found.T, rtol=1e-12)


def test_one_normal_has_the_covariance_of_the_textbook() -> None:
    x = draw("apart")
    fit = bt.fit(x, 1)
    variance, n = float(x.var()), x.size
    np.testing.assert_allclose(
        fit.covariance(),
        np.diag([0.0, variance / n, 2.0 * variance**2 / n]),
        rtol=1e-10,
        atol=1e-16,
    )


def test_equal_variances_have_equal_and_fully_dependent_errors() -> None:
    fit = bt.fit(draw("overlapping"), equal_variances=True)
    covariance = fit.covariance()[4:, 4:]
    np.testing.assert_allclose(covariance, covariance[0, 0], rtol=1e-12)


def test_where_there_is_no_maximum_there_is_no_covariance() -> None:
    fit = fitted("s11_outlier", "2V")
    for coordinates, size in (("natural", 6), ("working", 5)):
        found = fit.covariance(coordinates=coordinates)  # type: ignore[arg-type]
        assert found.shape == (size, size)
        assert np.isnan(found).all()


def test_covariances_of_scaled_data_are_scaled() -> None:
    x = draw("overlapping")
    plain, scaled = (bt.fit(v).covariance() for v in (x, 1024.0 * x))
    unit = np.array([1.0] * 2 + [1024.0] * 2 + [1024.0**2] * 2)
    np.testing.assert_allclose(scaled, plain * np.outer(unit, unit), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"kind": "bootstrap"}, "bootstrap"), ({"coordinates": "polar"}, "polar")],
)
def test_unknown_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        bt.fit(draw("apart")).covariance(**options)
