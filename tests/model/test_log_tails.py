"""Areas and their logarithms against mpmath, also where no float holds the area."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.model.log_tails import areas
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

MIXTURES = {
    "one": NormalMixture([1.0], [2.0], [3.0]),
    "two": NormalMixture([0.35, 0.65], [-0.8, 1.75], [0.75, 1.25]),
    "rare and wide": NormalMixture([0.999, 0.001], [0.0, 1.0], [0.1, 20.0]),
    "empty": NormalMixture([0.5, 0.0, 0.5], [0.0, -50.0, 4.0], [1.0, 30.0, 1.0]),
}
EACH = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())


def exact_logs(x: float, mixture: NormalMixture) -> tuple[float, float]:
    """The logarithms of both areas at fifty digits."""
    both = []
    with mpmath.workdps(50):
        for side in (1, -1):
            terms = [
                mpmath.mpf(weight)
                * mpmath.erfc(-side * (mpmath.mpf(x) - mpmath.mpf(mean)) / sd / mpmath.sqrt(2))
                / 2
                for weight, mean, sd in zip(
                    mixture.weights.tolist(),
                    mixture.means.tolist(),
                    mixture.sds.tolist(),
                    strict=True,
                )
            ]
            both.append(mpmath.fsum(terms))
        lower, upper = (
            mpmath.log1p(-rest) if area > 0.5 else mpmath.log(area)
            for area, rest in (both, both[::-1])
        )
    return float(lower), float(upper)


@EACH
def test_logarithms_are_those_of_mpmath_at_any_distance(mixture: NormalMixture) -> None:
    away = np.array([0.0, 0.5, 1.0, 3.0, 8.0, 20.0, 36.0, 38.0, 39.0, 60.0, 500.0, 1e5])
    x = np.unique(np.concatenate([m + s * away for m in mixture.means for s in (-2.0, 1.0)]))
    found = areas(x, mixture)
    for i, point in enumerate(x.tolist()):
        lower, upper = exact_logs(point, mixture)
        assert found.log_lower[i] == pytest.approx(lower, rel=2e-14, abs=0.0)
        assert found.log_upper[i] == pytest.approx(upper, rel=2e-14, abs=0.0)


@EACH
def test_areas_are_the_mixtures_own(mixture: NormalMixture) -> None:
    x = np.linspace(-30.0, 30.0, 101)
    found = areas(x, mixture)
    np.testing.assert_array_equal(found.lower, mixture.cdf(x))
    np.testing.assert_array_equal(found.upper, mixture.sf(x))
    np.testing.assert_allclose(np.exp(found.log_lower), found.lower, rtol=1e-12)


@EACH
def test_ends_of_the_line_and_what_is_no_number(mixture: NormalMixture) -> None:
    found = areas([-np.inf, -1e200, np.nan, 1e200, np.inf], mixture)
    np.testing.assert_array_equal(found.log_lower, [-np.inf, -np.inf, np.nan, 0.0, 0.0])
    np.testing.assert_array_equal(found.log_upper, [0.0, 0.0, np.nan, -np.inf, -np.inf])
