"""The mixture as a distribution and as a value."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.errors import DataTypeError, ParameterError
from bactrian.model.mixture import NormalMixture

TWO = NormalMixture([0.35, 0.65], [0.0, 2.0], [1.0, 1.3])
MIXTURES = {
    "single": NormalMixture([1.0], [3.0], [2.0]),
    "two": TWO,
    "heavy overlap": NormalMixture([0.5, 0.5], [0.0, 1e-3], [1.0, 1.0]),
    "tiny weight": NormalMixture([1e-9, 1 - 1e-9], [-20.0, 0.0], [1.0, 1.0]),
    "zero weight": NormalMixture([0.0, 1.0], [0.0, 1.0], [3.0, 0.7]),
    "sd ratio 1e6": NormalMixture([0.5, 0.5], [0.0, 1.0], [1e-6, 1.0]),
    "offset 1e9": NormalMixture([0.4, 0.6], [1e9, 1e9 + 3.0], [1.0, 2.0]),
    "scale 1e150": NormalMixture([0.4, 0.6], [1e150, 3e150], [1e150, 0.5e150]),
    "scale 1e-150": NormalMixture([0.4, 0.6], [1e-150, 3e-150], [1e-150, 0.5e-150]),
    "scale 1e300": NormalMixture([0.4, 0.6], [1e300, 3e300], [1e300, 0.5e300]),
    "scale 1e-300": NormalMixture([0.4, 0.6], [1e-300, 3e-300], [1e-300, 0.5e-300]),
    "scales 1e±200": NormalMixture([0.4, 0.6], [0.0, 1e200], [1e-200, 1e200]),
    "largest floats": NormalMixture([0.5, 0.5], [-1.7e308, 1.7e308], [1e308, 1e307]),
    "three": NormalMixture([0.2, 0.3, 0.5], [-3.0, 0.0, 4.0], [1.0, 0.1, 2.0]),
    "five": NormalMixture(
        [0.1, 0.2, 0.3, 0.25, 0.15], [-3.0, 0.0, 0.0, 4.0, 1000.0], [1.0, 0.1, 2.0, 7.0, 0.001]
    ),
}
each_mixture = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())
FAR = [0.0, 0.3, -1.7, 4.0, -9.0, 37.0, -38.5, 60.0, 1e3, -1e5, 1e5]


def exact_terms(mixture: NormalMixture, x: float) -> tuple[mpmath.mpf, list[mpmath.mpf]]:
    """Log-density and responsibilities at a float."""
    densities = [
        mpmath.mpf(w) * mpmath.npdf((mpmath.mpf(x) - mpmath.mpf(m)) / mpmath.mpf(s)) / mpmath.mpf(s)
        for w, m, s in zip(
            mixture.weights.tolist(), mixture.means.tolist(), mixture.sds.tolist(), strict=True
        )
    ]
    total = mpmath.fsum(densities)
    return mpmath.log(total), [density / total for density in densities]


def points(mixture: NormalMixture) -> np.ndarray:
    """Points near and up to 1e5 sds away from every component, within the floats."""
    with np.errstate(over="ignore"):
        x = (mixture.means + mixture.sds * np.array(FAR)[:, None]).ravel()
    return np.asarray(x[np.isfinite(x)])


@each_mixture
def test_log_density_is_exact_however_far(mixture: NormalMixture) -> None:
    x = points(mixture)
    values = mixture.logpdf(x)
    with mpmath.workdps(50):
        for at, value in zip(x.tolist(), np.asarray(values).tolist(), strict=True):
            truth, _ = exact_terms(mixture, at)
            # Rounding of x - mean, of u, of its square and of the logs of weight and sd.
            nearest = max(abs(truth), mpmath.mpf(700 if not -1e3 < truth < 1e3 else 40))
            if truth < -1.7e308:
                assert value == -np.inf
            else:
                assert abs(mpmath.mpf(value) - truth) <= 8 * 2.3e-16 * nearest


@each_mixture
def test_responsibilities_are_exact_however_far(mixture: NormalMixture) -> None:
    x = points(mixture)
    values = mixture.responsibilities(x)
    assert values.shape == (x.size, mixture.n_components)
    np.testing.assert_allclose(values.sum(axis=1), 1.0, rtol=0.0, atol=1e-15)
    with mpmath.workdps(50):
        for at, row in zip(x.tolist(), values.tolist(), strict=True):
            _, truth = exact_terms(mixture, at)
            for value, share in zip(row, truth, strict=True):
                if share > 1e-290:
                    # The error of a share is that of its log-odds: of the log-odds themselves, of
                    # the distance they are computed from, and of the logs of the sds.
                    logs = float(np.abs(np.log(mixture.sds)).max())
                    condition = 20 + abs(mpmath.log(share)) + _terms(mixture, at) + logs
                    assert abs(mpmath.mpf(value) / share - 1) <= 8 * 2.3e-16 * condition
                else:
                    assert value <= 1e-280


def _terms(mixture: NormalMixture, x: float) -> float:
    """The distance in sds of the widest component."""
    widest = np.where(mixture.weights > 0.0, mixture.sds, 0.0).argmax()
    u = (x / 4 - mixture.means[widest] / 4) / mixture.sds[widest] * 4
    return float(min(abs(u), 1e150))


def test_mean_and_standard_deviation_against_exact_sums() -> None:
    for mixture in MIXTURES.values():
        with mpmath.workdps(700):
            w, m, s = (
                [mpmath.mpf(value) for value in array.tolist()]
                for array in (mixture.weights, mixture.means, mixture.sds)
            )
            mean = mpmath.fdot(w, m) / mpmath.fsum(w)
            variance = mpmath.fsum(
                a * (c**2 + (b - mean) ** 2) for a, b, c in zip(w, m, s, strict=True)
            )
            spread = mpmath.sqrt(variance)
            assert abs(mixture.mean() - mean) <= 4e-16 * (abs(mean) + spread)
            if spread < 1.797e308:
                assert abs(mixture.std() / spread - 1) <= 8e-16
            if 1e-307 < variance < 1.797e308:
                assert abs(mixture.var() / variance - 1) <= 2e-15


def test_moments_keep_the_digits_of_an_offset() -> None:
    mixture = NormalMixture([0.4, 0.6], [1e15, 1e15 + 4.0], [0.5, 0.25])
    assert mixture.mean() == 1e15 + 2.375  # 2.4, rounded to the eighths that floats hold there
    assert mixture.var() == pytest.approx(0.4 * 0.25 + 0.6 * 0.0625 + 0.24 * 16.0, rel=1e-15)
    assert NormalMixture([1.0], [0.0], [1e300]).std() == 1e300
    assert NormalMixture([1.0], [0.0], [1e300]).var() == np.inf
    assert NormalMixture([1.0], [1.7e308], [5e-324]).std() == 5e-324


def test_the_sd_keeps_the_digits_of_a_weight_near_nothing() -> None:
    """The least of all doubles, which has one digit, times the square of 2e150."""
    mixture = NormalMixture([5e-324, 1.0], [1e150, -1e150], [1e150, 1e-150])
    with mpmath.workdps(50):
        weight, scale = mpmath.mpf(5e-324), mpmath.mpf(1e150)
        exact = mpmath.sqrt(5 * weight) * scale
    assert mixture.std() == pytest.approx(float(exact), rel=1e-15, abs=0.0)


def test_sample_follows_the_distribution() -> None:
    n = 20_000
    x = np.sort(TWO.sample(n, rng=12345))
    steps = np.arange(n + 1) / n
    distance = max(np.max(steps[1:] - TWO.cdf(x)), np.max(TWO.cdf(x) - steps[:-1]))
    assert distance < 1.63 / np.sqrt(n)  # Kolmogorov-Smirnov, 1 %


def test_sample_shape_and_source_of_randomness() -> None:
    assert TWO.sample().shape == (1,)
    assert TWO.sample(7).shape == (7,)
    assert TWO.sample((2, 3), rng=1).shape == (2, 3)
    np.testing.assert_array_equal(TWO.sample(5, rng=3), TWO.sample(5, rng=np.random.default_rng(3)))
    generator = np.random.default_rng(3)
    assert (TWO.sample(5, generator) != TWO.sample(5, generator)).all()
    assert (TWO.sample(5) != TWO.sample(5)).all()
    rare = NormalMixture([0.0, 1.0, 0.0], [-1e9, 0.0, 1e9], [1.0, 1.0, 1.0])
    assert np.abs(rare.sample(10_000, rng=0)).max() < 10.0


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_change_of_unit_moves_everything_with_it(a: float, size: float, flip: bool) -> None:
    b = -size if flip else size
    moved = TWO.affine(a, b)
    x = np.linspace(-6.0, 9.0, 31)
    # Rounding of a + b·x, in sds, times the slope of the log-density there.
    slack = 40.0 * 2.3e-16 * (1.0 + (abs(a) + 9.0 * size) / size)
    np.testing.assert_allclose(
        moved.logpdf(a + b * x), TWO.logpdf(x) - np.log(size), rtol=1e-14, atol=slack
    )
    np.testing.assert_allclose(
        moved.responsibilities(a + b * x), TWO.responsibilities(x), atol=slack
    )
    lower = moved.sf if flip else moved.cdf
    np.testing.assert_allclose(lower(a + b * x), TWO.cdf(x), rtol=slack, atol=0.0)
    assert moved.mean() == pytest.approx(a + b * TWO.mean(), abs=slack * size)
    assert moved.std() == pytest.approx(size * TWO.std(), rel=1e-15 + slack)
    assert moved.n_components == 2


@pytest.mark.parametrize(
    ("a", "b"), [(0.0, 0.0), (np.nan, 1.0), (0.0, np.inf), (0.0, 1e-320), (1.7e308, 1.7e308)]
)
def test_change_of_unit_that_is_none(a: float, b: float) -> None:
    with pytest.raises(ParameterError, match="unit"):
        NormalMixture([1.0], [1.0], [1e-5]).affine(a, b)


def test_order_by_mean_then_sd_then_weight() -> None:
    mixture = NormalMixture([0.4, 0.1, 0.2, 0.3], [2.0, 1.0, 1.0, 1.0], [1.0, 3.0, 2.0, 2.0])
    expected = NormalMixture([0.2, 0.3, 0.1, 0.4], [1.0, 1.0, 1.0, 2.0], [2.0, 2.0, 3.0, 1.0])
    assert mixture.ordered() == expected
    assert mixture != expected
    np.testing.assert_array_equal(mixture.weights, [0.4, 0.1, 0.2, 0.3])


def test_single_values_and_shapes() -> None:
    for method in (TWO.logpdf, TWO.pdf, TWO.cdf, TWO.sf, TWO.ppf, TWO.isf):
        assert isinstance(method(0.3), float)
        assert isinstance(method(np.float32(0.25)), float)
        assert method(np.full((2, 3), 0.3)).shape == (2, 3)
        assert method([]).shape == (0,)
        np.testing.assert_array_equal(method(np.full((2, 3), 0.3)), method(0.3))
    assert TWO.responsibilities(0.3).shape == (2,)
    assert TWO.responsibilities([0.3]).shape == (1, 2)
    assert TWO.responsibilities([]).shape == (0, 2)
    assert TWO.cdf(1) == TWO.cdf(1.0) == TWO.cdf(np.int8(1)) == TWO.cdf(True)
    assert TWO.cdf(np.float32(0.1)) == TWO.cdf(float(np.float32(0.1)))


def test_points_that_are_not_numbers() -> None:
    for wrong in ("text", [1.0, "a"], 1j, [1 + 2j], np.datetime64("2024-01-01"), [[1.0], [2, 3]]):
        with pytest.raises(DataTypeError, match="x must be real numbers"):
            TWO.logpdf(wrong)  # type: ignore[arg-type]
    with pytest.raises(DataTypeError, match="2 dimensions"):
        TWO.responsibilities([[1.0]])


def test_cannot_be_changed() -> None:
    weights = np.array([0.35, 0.65])
    mixture = NormalMixture(weights, [0.0, 2.0], [1.0, 1.3])
    weights[0] = 0.9
    assert mixture.weights[0] == 0.35
    for array in (mixture.weights, mixture.means, mixture.sds, mixture.variances):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        mixture.means.setflags(write=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mixture.weights = weights  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        mixture.other = 1  # type: ignore[attr-defined]


@each_mixture
def test_is_a_value(mixture: NormalMixture) -> None:
    for twin in (
        eval(repr(mixture)),
        pickle.loads(pickle.dumps(mixture)),
        copy.copy(mixture),
        copy.deepcopy(mixture),
        dataclasses.replace(mixture),
    ):
        assert twin == mixture
        assert hash(twin) == hash(mixture)
        assert not twin.means.flags.writeable
    assert mixture != "mixture"
    assert mixture != mixture.affine(0.0, 0.5)


def test_numbers_of_any_kind_are_taken() -> None:
    mixture = NormalMixture(
        (0, 1), np.array([0.5, -0.0], dtype=np.float32), np.array([1, 2], dtype=np.int8)
    )
    assert repr(mixture) == "NormalMixture(weights=[0.0, 1.0], means=[0.5, 0.0], sds=[1.0, 2.0])"
    assert mixture.n_components == 2
    np.testing.assert_array_equal(mixture.variances, [1.0, 4.0])


def test_weights_are_divided_by_their_sum_only_where_it_is_off() -> None:
    kept = [0.5, 0.5 - 2.0**-53]
    assert NormalMixture(kept, [0, 1], [1, 1]).weights.tolist() == kept
    divided = NormalMixture([0.5, 0.5 + 4e-9], [0, 1], [1, 1])
    assert divided.weights.sum() == pytest.approx(1.0, abs=2.3e-16)
    assert divided == NormalMixture(divided.weights, divided.means, divided.sds)


GOOD: dict[str, Any] = {"weights": [0.5, 0.5], "means": [0.0, 1.0], "sds": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weights": [0.5, 0.5, 0.0]}, "3, 2 and 2 entries: give"),
        ({"weights": [0.5, 0.6]}, "sum to 1.1, not to one: divide"),
        ({"weights": [0.5, 0.5 + 2e-8]}, "not to one"),
        ({"weights": [1.5, -0.5]}, "smallest is -0.5: give"),
        ({"weights": [np.nan, 0.5]}, "weights contain nan: give finite"),
        ({"weights": []}, r"shape \(0,\): give a list"),
        ({"weights": 1.0, "means": 0.0, "sds": 1.0}, r"weights has the shape \(\): give a list"),
        ({"means": [[0.0, 1.0]]}, r"shape \(1, 2\): give a list"),
        ({"means": [0.0, np.inf]}, "means contain inf: give finite"),
        ({"means": ["a", "b"]}, "means must be real numbers: convert"),
        ({"means": [0, 1j]}, "means must be real numbers: convert"),
        ({"means": None}, "means"),
        ({"means": [0, 10**400]}, "means must be real numbers"),
        ({"sds": [1.0, 0.0]}, "smallest is 0.0: give"),
        ({"sds": [1.0, -1.0]}, "smallest is -1.0: give"),
        ({"sds": [1.0, np.inf]}, "sds contain inf: give finite"),
    ],
)
def test_parameters_out_of_range(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        NormalMixture(**(GOOD | wrong))
