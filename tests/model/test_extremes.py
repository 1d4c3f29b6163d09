"""Row terms at any float: against 50-digit arithmetic and against those of ordinary rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from bactrian.model.extremes import are_far, common_unit, far_terms, is_ordinary, row_terms_anywhere
from bactrian.model.posterior import row_terms
from tests import oracle

THREE = bt.NormalMixture([0.2, 0.5, 0.3], [-1.0, 0.5, 3.0], [0.5, 2.0, 1.25])


def test_near_rows_have_the_same_terms_either_way() -> None:
    x = np.linspace(-20.0, 20.0, 81)
    plain = row_terms(x, THREE.weights, THREE.means, THREE.sds)
    wide = far_terms(x, THREE.weights, THREE.means, THREE.sds)
    assert wide.logpdf == pytest.approx(plain.logpdf, rel=1e-14)
    assert wide.responsibilities.doubles() == pytest.approx(plain.responsibilities, rel=1e-12)
    assert np.array_equal(wide.distances.doubles(), plain.features[1:4])
    ratios = plain.responsibilities / THREE.weights[:, None]
    assert wide.ratios.doubles() == pytest.approx(ratios, rel=1e-12)


@pytest.mark.parametrize("x", [1e160, -1e200, 1e300, 1.7e308])
@pytest.mark.parametrize("log_odds", [0.25, -3.0, 200.0])
def test_two_rivals_share_a_row_at_any_distance(x: float, log_odds: float) -> None:
    """With sds of one, the log-odds of a mean m against zero are x m - m^2 / 2: m is tiny."""
    mixture = bt.NormalMixture([0.5, 0.5], [0.0, log_odds / x], [1.0, 1.0])
    share = 1.0 / (1.0 + math.exp(-log_odds))
    found = mixture.responsibilities([x])[0]
    assert found == pytest.approx([1.0 - share, share], rel=1e-13, abs=1e-16)
    assert bt.responsibilities([x], mixture).tolist() == [found.tolist()]
    truth = oracle.exact([x], mixture, "natural", guard=1000)
    assert oracle.worst([found], truth.responsibilities) <= oracle.LIMIT


def test_a_ratio_is_defined_for_a_component_of_weight_zero_however_large() -> None:
    found = far_terms(np.array([1e100]), np.array([0.0, 1.0]), np.array([0.0, 0.0]), np.ones(2))
    assert found.ratios.doubles().tolist() == [[1.0], [1.0]]
    assert found.responsibilities.doubles().tolist() == [[0.0], [1.0]]
    wider = far_terms(np.array([60.0]), np.array([0.0, 1.0]), np.zeros(2), np.array([2.0, 1.0]))
    log_ratio = 0.5 * 60.0**2 * (1.0 - 0.25) - math.log(2.0)
    assert wider.ratios[0].doubles() == np.inf
    exponent = round(log_ratio / math.log(2.0))
    rest = math.exp(log_ratio - exponent * math.log(2.0))
    assert wider.ratios[0].shifted(-exponent).doubles() == pytest.approx([rest], rel=1e-12)


def test_far_is_beyond_two_to_the_hundred_sds_of_any_component() -> None:
    means, sds = np.array([0.0, 5.0]), np.array([1.0, 2.0])
    x = np.array([0.0, -(2.0**99), 2.0**100, 1e308, -1e308])
    assert are_far(x, means, sds).tolist() == [False, False, True, True, True]
    assert is_ordinary(-(2.0**99), 2.0**99, means, sds)
    assert not is_ordinary(-(2.0**100), 0.0, means, sds)
    assert not is_ordinary(-1.7e308, 1.7e308, np.array([1e308, -1e308]), sds)
    assert not is_ordinary(0.0, math.nan, means, sds)


def test_a_common_unit_makes_all_sds_ordinary() -> None:
    assert common_unit(np.array([1e-20, 1e30])) == 0
    assert common_unit(np.array([1e-150, 1e150])) is None
    for scale in (1e-300, 1e-150, 1e150, 1e300):
        unit = common_unit(np.array([3.0, 0.01]) * scale)
        assert unit is not None
        assert 1e-3 < scale / 2.0**unit < 1e3


def test_terms_are_nan_at_nan_only_and_those_of_the_largest_float_at_infinity() -> None:
    ends = np.array([-np.inf, np.inf, np.nan, 0.0])
    for k in (1, 2, 3):
        weights = np.full(k, 1.0 / k)
        logpdf, shares = row_terms_anywhere(ends, weights, THREE.means[:k], THREE.sds[:k])
        assert np.isneginf(logpdf[:2]).all()
        assert np.isnan(logpdf).tolist() == [False, False, True, False]
        assert np.isnan(shares).all(axis=0).tolist() == [False, False, True, False]
        widest = THREE.sds[:k].argmax()
        assert (shares[widest, :2] == 1.0).all()
