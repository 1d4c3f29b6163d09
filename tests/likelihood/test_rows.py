"""Row by row: slopes sum over rows to the score, and density ratios average to one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.likelihood.rows import (
    density_ratios,
    natural_score_rows,
    terms,
    weight_shares,
    weight_units,
    working_score_rows,
)
from bactrian.model.mixture import NormalMixture

MIXTURE = NormalMixture([0.2, 0.0, 0.5, 0.3], [-1.0, 0.0, 0.5, 3.0], [0.5, 1.0, 2.0, 1.25])
PRESENT = NormalMixture([0.2, 0.5, 0.3], [-1.0, 0.5, 3.0], [0.5, 2.0, 1.25])
X = np.linspace(-8.0, 9.0, 41)


def test_density_ratios_are_one_on_average() -> None:
    """The mixing weights average phi_k / f to one: their definition. Four roundings each."""
    ratios = density_ratios(X, terms(X, MIXTURE), MIXTURE)
    assert ratios.shape == (4, X.size)
    assert MIXTURE.weights @ ratios == pytest.approx(np.ones(X.size), rel=2.0**-50)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(mean=st.floats(-30, 30), sd=st.floats(0.05, 20), x=st.floats(-40, 40))
def test_an_absent_component_has_the_ratio_of_its_density(mean: float, sd: float, x: float) -> None:
    """Against the logs of densities, whose difference is good to the size of the logs."""
    mixture = NormalMixture([0.0, 0.4, 0.6], [mean, 0.0, 1.0], [sd, 1.0, 2.0])
    row = np.array([x])
    alone = float(np.asarray(NormalMixture([1.0], [mean], [sd]).logpdf(row))[0])
    whole = float(np.asarray(mixture.logpdf(row))[0])
    ratio = float(density_ratios(row, terms(row, mixture), mixture)[0, 0])
    if alone - whole < -700.0:
        assert ratio < 1e-300
    elif alone - whole > 709.0:
        assert ratio > 1e307
    else:
        error = 2.0**-50 * (1.0 + abs(alone) + abs(whole))
        assert ratio == pytest.approx(math.exp(alone - whole), rel=error)


def test_two_rivals_far_out_keep_the_digits_of_their_ratio() -> None:
    """At x = 1e5 both log-densities are -5e9, whose difference would be off by 1e-6."""
    mixture = NormalMixture([0.0, 1.0], [1e-5, 0.0], [1.0, 1.0])
    x = np.array([1e5])
    ratio = density_ratios(x, terms(x, mixture), mixture)[0, 0]
    assert ratio == pytest.approx(math.exp(1e5 * 1e-5 - 0.5e-10), rel=1e-14)


def test_shares_are_ratios_times_units_and_never_above_one() -> None:
    units = weight_units(X, MIXTURE)
    rows = terms(X, MIXTURE)
    shares = weight_shares(X, rows, MIXTURE, units)
    assert units[[0, 2, 3]].tolist() == MIXTURE.weights[[0, 2, 3]].tolist()
    assert np.array_equal(shares[[0, 2, 3]], rows.responsibilities[[0, 2, 3]])
    ratios = density_ratios(X, rows, MIXTURE)
    assert shares / units[:, None] == pytest.approx(ratios, rel=2.0**-51)
    assert math.frexp(units[1])[0] == 0.5  # a power of two
    assert 0.5 <= shares[1].max() <= 1.0
    far = np.array([0.0, 1e4])  # where the ratio is infinite
    spiked = NormalMixture([0.0, 1.0], [0.0, 0.0], [2.0, 1.0])
    unit = weight_units(far, spiked)
    assert unit.tolist() == [2.0**-1074, 1.0]
    assert weight_shares(far, terms(far, spiked), spiked, unit)[0].max() == 1.0


def test_scores_of_rows_are_responsibilities_times_slopes() -> None:
    """Each entry is a product of a few factors, each right to a rounding or two."""
    r = PRESENT.responsibilities(X)
    u = (X[:, None] - PRESENT.means) / PRESENT.sds
    natural = natural_score_rows(X, terms(X, PRESENT), PRESENT).T
    working = working_score_rows(terms(X, PRESENT), PRESENT).T
    q = (u * u - 1.0) / 2.0
    size = r * (u * u + 1.0)
    assert natural[:, :3] == pytest.approx(r / PRESENT.weights, rel=2.0**-49)
    assert natural[:, 3:6] == pytest.approx(r * u / PRESENT.sds, rel=2.0**-49)
    assert (np.abs(natural[:, 6:] * PRESENT.variances - r * q) <= 2.0**-49 * size).all()
    assert (np.abs(working[:, :2] - (r - PRESENT.weights)[:, :2]) <= 2.0**-50).all()
    assert np.array_equal(working[:, 2:5], natural[:, 3:6])
    assert (np.abs(working[:, 5:] - r * q) <= 2.0**-49 * size).all()


def test_one_component_has_no_logit_and_full_responsibility() -> None:
    single = NormalMixture([1.0], [1.0], [2.0])
    x = np.array([1.0, 3.0, 1e9])
    working = working_score_rows(terms(x, single), single)
    assert working.tolist() == [
        ((x - 1.0) / 2.0 / 2.0).tolist(),
        ((((x - 1.0) / 2.0) ** 2 - 1.0) / 2.0).tolist(),
    ]
