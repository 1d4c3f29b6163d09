"""A fit through a sketch is the fit of the rows: the same maxima, certified on the rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from bactrian.data import sources
from bactrian.fitting import reading
from bactrian.model.constraints import unconstrained
from tests.problems import draw
from tests.reference_fits import is_open, listed
from tests.reference_sets import load
from tests.test_truth import CASES, check_loglike, check_parameters, check_standard_errors

Array = NDArray[np.float64]

SIZE = 20_000
SHARED = {"1": (1, False), "2V": (2, False), "2E": (2, True)}
DECIDED = [case for case in CASES if not is_open(*case) and case[1] in SHARED]


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column is fitted through its sketch."""
    monkeypatch.setattr(reading, "LARGE_COLUMN", 0)


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No column is."""
    monkeypatch.setattr(reading, "LARGE_COLUMN", math.inf)


def humps(*components: tuple[float, float, float], seed: int = 3, size: int = SIZE) -> Array:
    """Rows of a mixture of (weight, mean, sd), in random order."""
    rng = np.random.default_rng(seed)
    weights, means, sds = (np.array(column) for column in zip(*components, strict=True))
    which = rng.choice(len(weights), size, p=weights)
    return np.asarray(rng.normal(means[which], sds[which]))


@pytest.mark.parametrize(("name", "model"), DECIDED, ids="-".join)
def test_the_certified_maximum_is_found_from_a_sketch_alone(name: str, model: str) -> None:
    values, counts = load(name)
    k, equal = SHARED[model]
    fit = bt.fit(bt.Sketch.of(values, sample_weight=counts), k, equal_variances=equal)
    exact = listed(name, model)[0]
    assert fit.sample.width > 0.0
    check_loglike(fit, exact)
    check_parameters(name, fit, exact)
    check_standard_errors(name, fit, exact)


SHAPES: dict[str, Callable[[], Array]] = {
    "overlapping": lambda: humps((0.35, 0.0, 1.0), (0.65, 2.0, 1.3)),
    "far apart": lambda: humps((0.5, 0.0, 1.0), (0.5, 30.0, 2.0)),
    "far from zero": lambda: 1e9 + humps((0.4, 0.0, 1.0), (0.6, 3.0, 1.0)),
    "sd ratio 100": lambda: humps((0.5, 0.0, 0.01), (0.5, 0.0, 1.0)),
    "a spike of sd 1e-3": lambda: humps((0.1, 0.3, 1e-3), (0.9, 0.0, 1.0)),
    "a spike of sd 1e-6": lambda: humps((0.1, 0.3, 1e-6), (0.9, 0.0, 1.0)),
    "heavy tails": lambda: np.random.default_rng(1).standard_cauchy(SIZE),
    "skewed": lambda: np.random.default_rng(1).lognormal(size=SIZE),
    "whole numbers": lambda: np.rint(humps((0.5, 0.0, 3.0), (0.5, 8.0, 2.0))),
    "rounded finely": lambda: humps((0.5, 0.0, 3.0), (0.5, 8.0, 2.0)).round(2),
    "two far rows": lambda: np.append(humps((1.0, 0.0, 1.0)), [1e6, 1e6 + 1e-3]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fit_through_a_sketch_is_that_of_the_rows(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = SHAPES[shape]()
    monkeypatch.setattr(reading, "LARGE_COLUMN", math.inf)
    exact = bt.fit(x)
    monkeypatch.setattr(reading, "LARGE_COLUMN", 0)
    fit = bt.fit(x)
    assert fit.sample.width > 0.0
    assert exact.sample.width == 0.0
    assert fit.outcome is exact.outcome is bt.Outcome.CONVERGED
    for ours, theirs in zip(fit.confint(), exact.confint(), strict=True):
        assert abs(ours.value - theirs.value) <= 1e-9 * theirs.standard_error + 1e-12 * abs(
            theirs.value
        )
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-7)
    assert fit.loglike == pytest.approx(exact.loglike, rel=1e-13, abs=1e-9)
    assert fit.n_obs == exact.n_obs == x.size


def test_the_certificate_is_that_of_the_rows(sketched: None) -> None:
    x = SHAPES["overlapping"]()
    fit = bt.fit(x)
    assert fit.certificate.rests_on == "rows"
    score = bt.score(x, fit.mixture, coordinates="working")
    information = -bt.hessian(x, fit.mixture, coordinates="working")
    decrement = score @ np.linalg.solve(information, score)
    assert decrement <= 1e-18
    assert fit.certificate.decrement <= 1e-18
    assert fit.loglike == pytest.approx(math.fsum(fit.mixture.logpdf(x)), rel=1e-14)


def test_what_a_coarse_sketch_moves_is_removed_by_the_pass_over_the_rows(sketched: None) -> None:
    """Sixteen bins a spread would leave an error that the certificate shows."""
    x = SHAPES["overlapping"]()
    coarse = bt.fit(bt.Sketch.of(x, exponent=0))
    assert coarse.certificate.rests_on == "sketch"
    exact = bt.fit(x)
    moved = [
        abs(a.value - b.value) / b.standard_error
        for a, b in zip(coarse.confint(), exact.confint(), strict=True)
    ]
    assert 1e-8 < max(moved) < coarse.certificate.sketch_error < 1.0
    assert "of the sketch" in str(coarse)


class Counted:
    """A source that counts how often its rows are read, and may change while they are."""

    def __init__(self, x: Array, grows: bool = False) -> None:
        from bactrian.data.sources import as_source

        self._source: Any = as_source(x)
        self._other: Any = as_source(np.append(x, 0.0)) if grows else self._source
        self.column, self.is_rereadable = "x", True
        self.sketches: list[Any] = []
        self.passes = 0

    def sketch(self, exponent: int | None = None, within: Array | None = None) -> bt.Sketch:
        self.sketches.append(within)
        found: bt.Sketch = self._source.sketch(exponent, within)
        return found

    def first_order(self, *arguments: Any) -> Any:
        self.passes += 1
        return self._other.first_order(*arguments)


def solved(source: Counted) -> Any:
    """The fit of a source."""
    from bactrian.fitting.compressed import solve_source
    from bactrian.solve.solver import solve

    return solve_source(source, source.sketch(), lambda sample: solve(sample, unconstrained(2)))


def test_well_behaved_rows_are_read_twice() -> None:
    source = Counted(SHAPES["overlapping"]())
    solved(source)
    assert source.sketches == [None]
    assert source.passes == 1


def test_rows_near_a_spike_are_read_once_more_and_only_those() -> None:
    x = SHAPES["a spike of sd 1e-3"]()
    source = Counted(x)
    solution = solved(source)
    assert len(source.sketches) == 2
    (low, high), *others = source.sketches[1]
    assert not others
    assert low < 0.297
    assert 0.303 < high < low + 0.1
    assert solution.mixture.sds.min() == pytest.approx(1e-3, rel=0.05)


def test_rows_that_change_between_the_passes_are_noticed() -> None:
    with pytest.raises(bt.DataError, match="changed while they were read"):
        solved(Counted(SHAPES["overlapping"](), grows=True))


def test_a_spike_in_a_sketch_that_cannot_be_refined_is_told(sketched: None) -> None:
    """Its rows are gone, and half a bin is as narrow as a component may be said to be."""
    x = SHAPES["a spike of sd 1e-6"]()
    words = " ".join(bt.fit(bt.Sketch.of(x)).certificate.warnings)
    assert "rows lie within a bin of the sketch" in words
    assert "Fit the data themselves" in words
    words = " ".join(bt.fit(x).certificate.warnings)
    assert "rows lie within a bin" not in words
    assert "were read once more, in bins" in words


def test_a_value_that_many_rows_share_is_told_through_a_sketch_too(sketched: None) -> None:
    rng = np.random.default_rng(2)
    x = np.where(rng.random(SIZE) < 0.2, 0.0, rng.normal(1.0, 1.0, SIZE))
    fit = bt.fit(x)
    assert f"The value 0 is shared by {(x == 0.0).sum()} of the {SIZE} rows" in " ".join(
        fit.certificate.warnings
    )


@pytest.mark.parametrize("kind", ["hessian", "outer_product", "sandwich"])
def test_the_fit_of_a_sketch_has_everything_that_a_fit_has(kind: Any) -> None:
    x = SHAPES["overlapping"]()
    sketch = bt.Sketch.of(x[: SIZE // 2]) + bt.Sketch.of(x[SIZE // 2 :])
    fit, whole = bt.fit(sketch), bt.fit(x)
    np.testing.assert_allclose(fit.covariance(kind=kind), whole.covariance(kind=kind), rtol=1e-8)
    assert fit.icl == pytest.approx(whole.icl, rel=1e-10)
    assert fit.bic == pytest.approx(whole.bic, rel=1e-13)
    assert fit.to_dict()["n_obs"] == SIZE


def test_frequency_weights_go_through_a_sketch(sketched: None, by_rows: None) -> None:
    x = SHAPES["overlapping"]()[:5000]
    w = np.random.default_rng(4).integers(0, 4, x.size)
    exact = bt.fit(np.repeat(x, w))
    fit = bt.fit(bt.Sketch.of(x, sample_weight=w))
    assert fit.n_obs == w.sum()
    np.testing.assert_allclose(fit.mixture.means, exact.mixture.means, rtol=1e-10)
    assert fit.loglike == pytest.approx(exact.loglike, rel=1e-13)


def test_weights_that_are_not_whole_are_asked_about() -> None:
    x = SHAPES["overlapping"]()[:5000]
    w = np.random.default_rng(4).random(x.size)
    sketch = bt.Sketch.of(x, sample_weight=w)
    with pytest.raises(bt.ParameterError, match="not whole numbers"):
        bt.fit(sketch)
    assert bt.fit(sketch, weight_kind="frequency").n_obs == pytest.approx(w.sum())


def test_a_sketch_takes_no_column_and_no_weights() -> None:
    sketch = bt.Sketch.of(SHAPES["overlapping"]())
    with pytest.raises(bt.ParameterError, match="sample_weight goes with rows"):
        bt.fit(sketch, sample_weight=[1.0])
    with pytest.raises(bt.ParameterError, match="the data are a sketch"):
        bt.fit(sketch, column="x")


def test_a_sketch_of_a_constant_or_of_too_few_rows_is_refused() -> None:
    with pytest.raises(bt.DataError, match="All values are 3"):
        bt.fit(bt.Sketch.of([3.0] * 100))
    with pytest.raises(bt.DataError, match="4 rows for 5 parameters"):
        bt.fit(bt.Sketch.of([1.0, 2.0, 3.0, 4.0]))


@pytest.mark.parametrize("exponent", [5, 6, 7, 40])
@pytest.mark.parametrize("k", [1, 2])
def test_bins_as_wide_as_the_rows_are_refused_as_such(exponent: int, k: int) -> None:
    x = bt.datasets.load("faithful")["waiting"]
    with pytest.raises(bt.DataError, match=r"bins? of width .*: too wide to tell components apart"):
        bt.fit(bt.Sketch.of(x, exponent=exponent), k)


def test_a_collapse_to_the_width_of_wide_bins_is_called_that() -> None:
    x = bt.datasets.load("faithful")["waiting"]
    fit = bt.fit(bt.Sketch.of(x, exponent=4))
    assert fit.outcome is bt.Outcome.BINS_TOO_WIDE
    assert "narrower bins" in str(fit)
    assert bt.fit(bt.Sketch.of(x, exponent=4), 1).converged


def test_what_wide_bins_move_is_warned_of() -> None:
    x = bt.datasets.load("faithful")["waiting"]
    fit = bt.fit(bt.Sketch.of(x, exponent=3))
    assert 0.01 < fit.certificate.sketch_error < 0.1
    assert not fit.certificate.warnings
    x = humps((0.5, 0.0, 1.0), (0.5, 2.5, 0.5), size=4000)
    fit, known = bt.fit(bt.Sketch.of(x, exponent=0)), bt.fit(x)
    (warning,) = fit.certificate.warnings
    assert warning.startswith("The bins of the sketch, 1 wide, are too wide")
    for found, exact in zip(fit.confint(), known.confint(), strict=True):
        moved = abs(found.value - exact.value) / exact.standard_error
        assert moved < fit.certificate.sketch_error


def test_a_real_collapse_in_narrow_bins_is_not_blamed_on_them() -> None:
    x = np.append(draw("apart"), 1e9)
    for data in (x, bt.Sketch.of(x)):
        assert bt.fit(data).outcome is bt.Outcome.COMPONENT_COLLAPSED


def test_single_precision_is_read_as_it_is(sketched: None) -> None:
    x = SHAPES["overlapping"]().astype(np.float32)
    source: Any = sources.as_source(x)
    assert source.rows.values.dtype == np.float32
    assert np.shares_memory(source.rows.values, x)
    fit, exact = bt.fit(x), bt.fit(x.astype(np.float64))
    np.testing.assert_allclose(fit.mixture.means, exact.mixture.means, rtol=1e-12)
    assert fit.loglike == pytest.approx(exact.loglike, rel=1e-14)
    double = bt.Sketch.of(x.astype(np.float64))
    np.testing.assert_array_equal(bt.Sketch.of(x).moments, double.moments)
