"""Derivatives in wide numbers are those in doubles wherever these are right."""

from __future__ import annotations

import numpy as np
import pytest

import bactrian as bt
from bactrian.likelihood import far_rows
from bactrian.likelihood.far_rows import far_derivatives, far_score_rows
from tests import oracle
from tests.likelihood.hard_cases import catalogue, zero_weights

CASES = catalogue() | zero_weights()
NAMES = [
    "random: K = 1, counts",
    "random: K = 5, counts",
    "heavy overlap: K = 2",
    "weight 1e-300: K = 3",
    "sd ratio 1e6: K = 3",
    "far scale: 1e-200, K = 3",
    "all underflow: rivals far out",
    "zero weight: two",
    "zero weight: a better fit",
]


@pytest.mark.parametrize("natural", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_all_are_right_to_the_conditioning(name: str, natural: bool) -> None:
    """The rule of `tests.oracle`, which knows nothing of wide numbers."""
    x, w, mixture = CASES[name]
    if not natural and not mixture.weights.all():
        return
    truth = oracle.exact(x, mixture, "natural" if natural else "working", w)
    found = far_derivatives(x[w > 0.0], w[w > 0.0], mixture, natural=natural)
    rows = far_score_rows(x, mixture, natural=natural).T
    assert oracle.worst(rows, truth.score_obs) <= oracle.LIMIT
    assert oracle.worst(found.score.doubles(), truth.score) <= oracle.LIMIT
    assert oracle.worst(found.hessian.doubles(), truth.hessian) <= oracle.LIMIT
    assert oracle.worst(found.loglike, truth.loglike) <= oracle.LIMIT


def test_blocks_of_rows_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, mixture = CASES["random: K = 5, counts"]
    x, w = x[w > 0.0], w[w > 0.0]
    whole = far_derivatives(x, w, mixture, natural=False)
    monkeypatch.setattr(far_rows, "_BLOCK", 4)
    parts = far_derivatives(x, w, mixture, natural=False)
    assert parts.loglike == pytest.approx(whole.loglike, rel=1e-14)
    np.testing.assert_allclose(parts.hessian.doubles(), whole.hessian.doubles(), 1e-12, 1e-12)


def test_sums_beyond_any_double_cancel_before_they_are_rounded() -> None:
    """Two rows, one on each side: u is 1e320 for both, and the sum nothing."""
    mixture = bt.NormalMixture([1.0], [0.0], [1e-20])
    found = far_derivatives(np.array([1e300, -1e300]), np.ones(2), mixture, natural=True)
    assert found.score.doubles().tolist() == [2.0, 0.0, np.inf]
    assert found.hessian.doubles()[1] == pytest.approx([0.0, -2e40, 0.0], rel=1e-15)
    assert found.hessian.doubles()[2, 2] == -np.inf
