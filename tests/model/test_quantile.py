"""Quantiles undo areas, to the last digits that the density lets through."""

from __future__ import annotations

import time

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.model.mixture import Array, NormalMixture

RNG = np.random.default_rng(7)
MIXTURES = {
    "single": NormalMixture([1.0], [0.0], [1.0]),
    "single, offset": NormalMixture([1.0], [10.0], [1.0]),
    "overlapping": NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    "gap of 50": NormalMixture([0.35, 0.65], [0.0, 50.0], [1.0, 1.3]),
    "gap of 1e6": NormalMixture([0.35, 0.65], [0.0, 1e6], [1.0, 1.3]),
    "tiny weight below": NormalMixture([1e-9, 1 - 1e-9], [-20.0, 0.0], [1.0, 1.0]),
    "tiny weight around": NormalMixture([1e-9, 1 - 1e-9], [0.0, 0.0], [1e6, 1.0]),
    "zero weight": NormalMixture([0.0, 1.0], [-1e5, 1.0], [3.0, 0.7]),
    "sd ratio 1e6": NormalMixture([0.5, 0.5], [0.0, 1.0], [1e-6, 1.0]),
    "offset 1e9": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 2.0]),
    "scale 1e150": NormalMixture([0.4, 0.6], [1e150, 3e150], [1e150, 0.5e150]),
    "scale 1e-150": NormalMixture([0.4, 0.6], [1e-150, 3e-150], [1e-150, 0.5e-150]),
    "scale 1e300": NormalMixture([0.4, 0.6], [1e300, 3e300], [1e300, 0.5e300]),
    "scale 1e-300": NormalMixture([0.4, 0.6], [1e-300, 3e-300], [1e-300, 0.5e-300]),
    "three": NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.1, 2.0]),
    "five": NormalMixture(
        [0.1, 0.2, 0.3, 0.25, 0.15], [-3.0, 0.0, 0.0, 4.0, 1000.0], [1.0, 0.1, 2.0, 7.0, 0.001]
    ),
}
each_mixture = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())
PROBABILITIES = np.concatenate(
    [
        [5e-324, 1e-320, 1e-300, 1e-200, 1e-100, 1e-16, 0.2, 0.35, 0.5, 0.65, 1 - 2.0**-53],
        10.0 ** RNG.uniform(-307.0, 0.0, 300),
        1.0 - 10.0 ** RNG.uniform(-15.9, -0.5, 100),
        RNG.uniform(0.0, 1.0, 600),
    ]
)


def spacing(values: Array) -> Array:
    """The distance between neighbouring floats."""
    return np.asarray(np.spacing(np.abs(values)))


def density(mixture: NormalMixture, x: Array, unit: float) -> Array:
    """The density per `unit`, which survives where that per unit of the data underflows."""
    return mixture.affine(0.0, 1.0 / unit).pdf(x / unit)


def undoing_error(mixture: NormalMixture, p: Array, upper: bool) -> float:
    """|cdf(ppf(p)) - p| in ulp of p, less what the spacing of floats in x explains."""
    inverse, area = (mixture.isf, mixture.sf) if upper else (mixture.ppf, mixture.cdf)
    x = inverse(p)
    unit = 2.0 ** np.round(np.log2(mixture.sds.max()))
    allowed = spacing(x) / unit * density(mixture, x, unit)
    held = np.abs(x) < np.inf
    return float(np.max(((np.abs(area(x) - p) - allowed) / spacing(p))[held]))


@each_mixture
@pytest.mark.parametrize("upper", [False, True], ids=["ppf", "isf"])
def test_area_of_the_quantile_is_the_probability(mixture: NormalMixture, upper: bool) -> None:
    assert undoing_error(mixture, PROBABILITIES, upper) <= 4.0


@each_mixture
@pytest.mark.parametrize("upper", [False, True], ids=["ppf", "isf"])
def test_quantile_of_the_area_is_the_point(mixture: NormalMixture, upper: bool) -> None:
    inverse, area = (mixture.isf, mixture.sf) if upper else (mixture.ppf, mixture.cdf)
    rng = np.random.default_rng(1)
    k = rng.integers(mixture.n_components, size=1000)
    x = mixture.means[k] + mixture.sds[k] * rng.uniform(-37.0, 37.0, size=1000)
    p = area(x)
    unit = mixture.sds.max()
    slope = density(mixture, x, unit)
    # Where less than a few ulp of area lie between x and a plateau of the distribution function,
    # the area no longer tells x from any point of the plateau.
    width = mixture.sds[mixture.responsibilities(x).argmax(axis=1)]
    told = (p > 0.0) & (p < 1.0) & (slope * width / unit > 64.0 * spacing(p))
    assert told.sum() > 100
    with np.errstate(over="ignore", divide="ignore"):
        allowed = 4.0 * spacing(p) / slope * unit + 4.0 * spacing(x)
    assert (np.abs(inverse(p) - x) <= allowed)[told].all()


@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.floats(-1e3, 1e3), st.floats(1e-4, 1e4)),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.floats(5e-324, 1.0, exclude_max=True), min_size=1, max_size=20),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_mixture_is_undone(
    parts: list[tuple[float, float, float]], p: list[float], upper: bool
) -> None:
    weights = np.array([part[0] for part in parts]) + 1e-12
    mixture = NormalMixture(
        weights / weights.sum(), [part[1] for part in parts], [part[2] for part in parts]
    )
    assert undoing_error(mixture, np.array(p), upper) <= 4.0


@each_mixture
def test_quantiles_rise(mixture: NormalMixture) -> None:
    p = np.sort(PROBABILITIES)
    x = mixture.ppf(p)
    # Neighbouring probabilities may trade places by the error of the area.
    apart = np.diff(p) > 8.0 * spacing(p[1:])
    assert (np.diff(x)[apart] >= 0.0).all()


@pytest.mark.parametrize("p", [5e-324, 1e-300, 1e-20, 0.01, 0.4, 0.75, 0.999])
def test_quantile_is_the_nearest_float_to_the_root(p: float) -> None:
    mixture = MIXTURES["overlapping"]
    x = mixture.ppf(p)

    def miss(at: mpmath.mpf) -> mpmath.mpf:
        area = sum(
            mpmath.mpf(w) * mpmath.ncdf((at - mpmath.mpf(m)) / mpmath.mpf(s))
            for w, m, s in zip(
                mixture.weights.tolist(), mixture.means.tolist(), mixture.sds.tolist(), strict=True
            )
        )
        return mpmath.log(area / mpmath.mpf(p))

    with mpmath.workdps(50):
        root = mpmath.findroot(miss, mpmath.mpf(x))
        error = float(abs(root - mpmath.mpf(x)))
    # The weights sum to one within an ulp of one; that moves the upper quantiles by as much.
    assert error <= 4.0 * np.spacing(min(p, 1.0)) / max(mixture.pdf(x), 1e-320) * (p > 1e-300) + (
        np.spacing(abs(x))
    )


def test_gap_is_split_by_the_exact_weights() -> None:
    mixture = NormalMixture([0.25, 0.75], [0.0, 1e6], [1.0, 1.0])
    below, inside, above = mixture.ppf([0.25 - 2.0**-54, 0.25, 0.25 + 2.0**-54])
    assert below == pytest.approx(8.13, abs=0.1)
    assert 38.0 < inside < 1e6 - 38.0
    assert above == pytest.approx(1e6 - 8.29, abs=0.1)


@pytest.mark.parametrize("p", [0.05, 0.1, 0.3, 0.44, 0.5, 0.9])
def test_component_narrower_than_the_spacing_of_floats_is_a_step(p: float) -> None:
    mixture = NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1e-9, 2.0])
    x = mixture.ppf(p)
    assert mixture.cdf(np.nextafter(x, -np.inf)) <= p <= mixture.cdf(np.nextafter(x, np.inf))
    neighbours = mixture.cdf([np.nextafter(x, -np.inf), x, np.nextafter(x, np.inf)])
    assert np.abs(neighbours - p).argmin() == 1
    x = mixture.isf(p)
    assert mixture.sf(np.nextafter(x, np.inf)) <= p <= mixture.sf(np.nextafter(x, -np.inf))


def test_gap_is_split_by_what_the_rounding_of_a_sum_of_weights_left_out() -> None:
    # 0.1 + 0.2 lies 3e-17 below the float that their sum rounds to.
    mixture = NormalMixture([0.1, 0.2, 0.7], [0.0, 1.0, 1e6], [1.0, 1.0, 1.0])
    assert mixture.ppf(0.1 + 0.2) == pytest.approx(1e6 - 8.4, abs=0.1)


def test_steep_component_among_wide_ones_does_not_stop_the_search() -> None:
    steep = NormalMixture([1 / 3, 1 / 3, 1 / 3], [-1.0, 0.0, 0.0], [1e-300, 1.0, 2.0])
    p = np.array([0.05, 0.3, 0.45, 0.5, 0.55, 0.7, 0.9])
    np.testing.assert_array_equal(np.argsort(steep.ppf(p), kind="stable"), np.arange(7))
    assert undoing_error(steep, p[[0, 3, 4, 5, 6]], upper=False) <= 4.0
    assert undoing_error(steep, 1.0 - p[[0, 3, 4, 5, 6]], upper=True) <= 4.0
    steeper = NormalMixture([1 / 3, 2 / 3], [0.0, 0.0], [1.7e308, 2.4e-268])
    # Half the wide component lies below: 0.3 is the narrow one's quantile of 0.2.
    np.testing.assert_allclose(
        steeper.ppf([0.3, 0.5, 0.7]) / 2.4e-268,
        [-0.8416212335729143, 0.0, 0.8416212335729143],
        atol=1e-15,
    )


def test_quantiles_at_the_ends_of_the_floats() -> None:
    mixture = NormalMixture([0.5, 0.5], [-1.7e308, 1.7e308], [5e-324, 5e-324])
    np.testing.assert_array_equal(mixture.ppf([0.2, 0.8]), [-1.7e308, 1.7e308])


def test_median_of_a_normal_is_its_mean() -> None:
    assert NormalMixture([1.0], [0.0], [1.0]).ppf(0.5) == 0.0
    assert NormalMixture([1.0], [3.7], [0.2]).isf(0.5) == 3.7


@each_mixture
def test_ends_of_the_probabilities(mixture: NormalMixture) -> None:
    p = [0.0, 1.0, -0.0, -1e-300, 1.0 + 2.0**-52, np.nan, np.inf, -np.inf]
    lower = [-np.inf, np.inf, -np.inf, np.nan, np.nan, np.nan, np.nan, np.nan]
    np.testing.assert_array_equal(mixture.ppf(p), lower)
    np.testing.assert_array_equal(mixture.isf(p), -np.array(lower))


def test_quantile_beyond_the_floats_is_infinite() -> None:
    mixture = NormalMixture([1.0], [0.0], [1.7e308])
    assert mixture.ppf(0.1) == -np.inf
    assert mixture.isf(0.1) == np.inf
    assert mixture.ppf(0.4) == pytest.approx(-0.2533471031357997 * 1.7e308, rel=1e-14)


def test_hundred_thousand_quantiles_take_well_below_a_second() -> None:
    mixture = MIXTURES["overlapping"]
    p = np.random.default_rng(0).uniform(size=100_000)
    mixture.ppf(p[:10])
    start = time.process_time()
    mixture.ppf(p)
    assert time.process_time() - start < 2.0  # about 0.3; the rest is for a busy machine
