"""The zeros of a mixture density in the complex plane, and the ellipses free of them."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.model.zeros import complex_zeros, ellipse_radii

Array = NDArray[np.float64]

MIXTURES = {
    "equal sds": ([0.35, 0.65], [0.0, 2.0], [1.0, 1.0]),
    "nearly equal sds": ([0.5, 0.5], [0.0, 1.0], [1.0, 1.0 + 1e-9]),
    "unequal sds": ([0.35, 0.65], [0.0, 2.0], [1.0, 1.3]),
    "one inside the other": ([0.2, 0.8], [0.0, 0.0], [0.1, 1.0]),
    "very narrow": ([0.1, 0.9], [0.3, 0.0], [1e-6, 1.0]),
    "far apart": ([0.5, 0.5], [0.0, 30.0], [1.0, 2.0]),
    "rare": ([1e-9, 1.0 - 1e-9], [3.0, 0.0], [1.0, 2.0]),
}


def relative_density(z: complex, mixture: tuple[list[float], ...]) -> float:
    """The absolute density over the larger of its two terms, at 50 digits."""
    with mpmath.workdps(50):
        terms = [
            mpmath.mpf(w) / s * mpmath.exp(-(((mpmath.mpc(z) - m) / s) ** 2) / 2)
            for w, m, s in zip(*mixture, strict=True)
        ]
        return float(abs(sum(terms)) / max(map(abs, terms)))


@pytest.mark.parametrize("name", MIXTURES)
def test_the_density_vanishes_there(name: str) -> None:
    mixture = MIXTURES[name]
    zeros = complex_zeros(*map(np.array, mixture))
    assert zeros.size
    assert (zeros.imag > 0.0).all()
    for z in zeros[np.argsort(zeros.imag)][:6]:
        # Near a zero the ratio of the terms turns once in a distance of 2 pi / |slope|; rounding
        # of z moves it by eps times the size of the log-odds' terms.
        assert relative_density(complex(z), mixture) < 1e-6


@pytest.mark.parametrize("name", MIXTURES)
def test_the_nearest_one_is_as_high_as_the_closed_form_says(name: str) -> None:
    weights, means, sds = map(np.array, MIXTURES[name])
    v1, v2 = sds**2
    c = 0.5 * (1.0 / v2 - 1.0 / v1)
    d = (means[0] - means[1]) ** 2 / (v1 * v2)
    d += 2.0 * np.log(weights[0] * sds[1] / weights[1] / sds[0]) * (1.0 / v1 - 1.0 / v2)
    expected = np.pi * np.sqrt(2.0 / (d + np.hypot(d, 4.0 * np.pi * c)))
    assert complex_zeros(weights, means, sds).imag.min() == pytest.approx(expected, rel=1e-6)


def test_one_component_and_two_equal_ones_have_no_zeros() -> None:
    one = np.ones(1)
    assert complex_zeros(one, one, one).size == 0
    two = np.ones(2)
    assert complex_zeros(0.5 * two, two, two).size == 0


def test_the_ellipse_goes_through_the_nearest_zero() -> None:
    zeros = np.array([0.5 + 2.0j, 40.0 + 0.1j])
    (radius,) = ellipse_radii(np.array([-1.0]), np.array([1.0]), zeros)
    # Foci -1 and 1: the sum of the distances to them is twice the semi-axis a, and the radius is
    # a plus the other one.
    a = 0.5 * (abs(zeros[0] - 1.0) + abs(zeros[0] + 1.0))
    assert radius == pytest.approx(a + np.sqrt(a**2 - 1.0), rel=1e-14)
    none = np.empty(0, dtype=np.complex128)
    assert ellipse_radii(np.zeros(2), np.ones(2), none).tolist() == [np.inf, np.inf]
    assert ellipse_radii(np.zeros(1), np.zeros(1), zeros)[0] > 1e300
