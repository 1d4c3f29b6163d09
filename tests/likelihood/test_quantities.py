"""Every public quantity against 50-digit arithmetic, and the laws that they obey.

How close is close is stated, and justified, at the head of `tests.oracle`. With ``-s`` the worst
ratios of error to ``2**-53 * scale`` are printed for each family of cases; the limit is
`oracle.LIMIT`. The largest ever seen was 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import bactrian as bt
from tests import oracle
from tests.likelihood.hard_cases import Case, catalogue, zero_weights

Array = NDArray[np.float64]
Coordinates = Literal["natural", "working"]

CASES = catalogue() | zero_weights()
POSITIVE = catalogue()
BOTH: tuple[Coordinates, ...] = ("natural", "working")
QUANTITIES = ("logpdf", "responsibilities", "score_obs", "loglike", "score", "hessian")
THREE = "random: K = 3, float weights"
RECORD: dict[tuple[str, str], dict[str, float]] = {}


@pytest.fixture(scope="module", autouse=True)
def _worst_ratios() -> Iterator[None]:
    """Print the worst ratios, family by family, when all tests of the module have run."""
    yield
    if RECORD:
        width = max(len(family) for family, _ in RECORD) + 10
        print("\n" + " " * width + " ".join(f"{name:>16}" for name in QUANTITIES))
        for (family, coordinates), found in RECORD.items():
            numbers = " ".join(f"{found[name]:16.2f}" for name in QUANTITIES)
            print(f"{family + ', ' + coordinates:<{width}}{numbers}")


@lru_cache
def exact(name: str, coordinates: str) -> oracle.Exact:
    """The exact quantities of a case."""
    case = CASES[name]
    return oracle.exact(case.x, case.mixture, coordinates, case.w)


def ours(case: Case, coordinates: Coordinates) -> dict[str, Any]:
    """The library's quantities of a case."""
    x, w, mixture = case
    return {
        "logpdf": mixture.logpdf(x),
        "responsibilities": bt.responsibilities(x, mixture),
        "score_obs": bt.score_obs(x, mixture, coordinates=coordinates),
        "loglike": bt.loglike(x, mixture, sample_weight=w),
        "score": bt.score(x, mixture, coordinates=coordinates, sample_weight=w),
        "hessian": bt.hessian(x, mixture, coordinates=coordinates, sample_weight=w),
    }


def assert_close(one: Any, other: Any, entry: oracle.Entry, times: float = 2.0) -> None:
    """Two computations of a quantity differ by no more than what each is allowed."""
    assert np.all(np.abs(np.asarray(one) - np.asarray(other)) <= times * oracle.allowance(entry))


@pytest.mark.parametrize(
    ("name", "coordinates"),
    [(name, coordinates) for name in POSITIVE for coordinates in BOTH]
    + [(name, "natural") for name in zero_weights()],
)
def test_all_quantities_are_right_to_the_conditioning(name: str, coordinates: Coordinates) -> None:
    """|ours - exact| <= 16 * 2**-53 * scale for every number: the rule of `tests.oracle`."""
    found = ours(CASES[name], coordinates)
    truth = exact(name, coordinates)
    ratios = {what: oracle.worst(found[what], getattr(truth, what)) for what in QUANTITIES}
    record = RECORD.setdefault((name.split(":")[0], coordinates), dict.fromkeys(QUANTITIES, 0.0))
    for what in QUANTITIES:
        record[what] = max(record[what], ratios[what])
    assert max(ratios.values()) <= oracle.LIMIT, ratios


@pytest.mark.parametrize("name", [name for name in POSITIVE if "sds out" not in name])
def test_the_rule_is_far_below_1e_12_where_the_problem_is_well_conditioned(name: str) -> None:
    """Responsibilities of half or more may be off by 1e-12 at most, wherever a row lies.

    Only for rivals in a row whose log-odds are the difference of numbers beyond 1e3 is it more.
    """
    family = name.split(":")[0]
    entry = exact(name, "working").responsibilities
    allowed = oracle.allowance(entry) / entry.value.astype(float).clip(0.5, 1.0)
    rows = np.abs(CASES[name].x) < 1e4 if family == "all underflow" else slice(None)
    if family not in ("sd ratio 1e6", "offset 1e9"):
        assert allowed[rows].max() <= 1e-12


@pytest.mark.parametrize("coordinates", BOTH)
@pytest.mark.parametrize("name", [THREE, "far scale: 1e+150, K = 2", "zero weight: two"])
def test_evaluate_is_the_three_functions(name: str, coordinates: Coordinates) -> None:
    x, w, mixture = CASES[name]
    if coordinates == "working" and name not in POSITIVE:
        coordinates = "natural"
    found = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    assert found.coordinates == coordinates
    assert np.array_equal(
        found.score, bt.score(x, mixture, coordinates=coordinates, sample_weight=w)
    )
    assert np.array_equal(
        found.hessian, bt.hessian(x, mixture, coordinates=coordinates, sample_weight=w)
    )
    loglike = exact(name, coordinates).loglike
    assert_close(found.loglike, bt.loglike(x, mixture, sample_weight=w), loglike)


@pytest.mark.parametrize("coordinates", BOTH)
@pytest.mark.parametrize("name", [THREE, "sd ratio 1e6: K = 3", "offset 1e9: K = 2"])
def test_rows_sum_to_the_score(name: str, coordinates: Coordinates) -> None:
    x, w, mixture = CASES[name]
    rows = bt.score_obs(x, mixture, coordinates=coordinates)
    whole = bt.score(x, mixture, coordinates=coordinates, sample_weight=w)
    assert_close(w @ rows, whole, exact(name, coordinates).score)


@pytest.mark.parametrize("coordinates", BOTH)
def test_a_weight_is_as_many_copies(coordinates: Coordinates) -> None:
    name = "random: K = 3, counts"
    x, w, mixture = CASES[name]
    assert (w == 0.0).any()
    assert (w > 1.0).any()
    one = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    other = bt.evaluate(np.repeat(x, w.astype(int)), mixture, coordinates=coordinates)
    for what in ("loglike", "score", "hessian"):
        entry = getattr(exact(name, coordinates), what)
        assert_close(getattr(one, what), getattr(other, what), entry)


@pytest.mark.parametrize("coordinates", BOTH)
def test_the_order_of_rows_does_not_matter(coordinates: Coordinates) -> None:
    x, w, mixture = CASES[THREE]
    order = np.random.default_rng(3).permutation(x.size)
    one = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    other = bt.evaluate(x[order], mixture, coordinates=coordinates, sample_weight=w[order])
    for what in ("loglike", "score", "hessian"):
        entry = getattr(exact(THREE, coordinates), what)
        assert_close(getattr(one, what), getattr(other, what), entry)
    rows = bt.score_obs(x, mixture, coordinates=coordinates)
    again = bt.score_obs(x[order], mixture, coordinates=coordinates)
    assert_close(again, rows[order], entry_of(exact(THREE, coordinates).score_obs, order))


def entry_of(entry: oracle.Entry, index: Any) -> oracle.Entry:
    """Part of an entry."""
    return oracle.Entry(entry.value[index], entry.scale[index])


@pytest.mark.parametrize(
    ("coordinates", "order"),
    [("natural", (1, 0, 2)), ("natural", (2, 0, 1)), ("working", (1, 0, 2))],
)
def test_components_may_be_named_in_any_order(
    coordinates: Coordinates, order: tuple[int, ...]
) -> None:
    """In working coordinates the last component, whose logit is the gauge, stays the last."""
    x, w, mixture = CASES[THREE]
    turn = list(order)
    turned = bt.NormalMixture(mixture.weights[turn], mixture.means[turn], mixture.sds[turn])
    first = turn if coordinates == "natural" else turn[:-1]
    where = np.concatenate([first, np.add(turn, len(first)), np.add(turn, len(first) + 3)])
    truth = exact(THREE, coordinates)
    one = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
    other = bt.evaluate(x, turned, coordinates=coordinates, sample_weight=w)
    assert_close(other.loglike, one.loglike, truth.loglike)
    assert_close(other.score, one.score[where], entry_of(truth.score, where))
    block = np.ix_(where, where)
    assert_close(other.hessian, one.hessian[block], entry_of(truth.hessian, block))
    r = bt.responsibilities(x, mixture)
    entry = entry_of(truth.responsibilities, (slice(None), turn))
    assert_close(bt.responsibilities(x, turned), r[:, turn], entry)


def test_a_row_of_weight_zero_does_not_count_even_where_its_density_is_zero() -> None:
    mixture = bt.NormalMixture([0.4, 0.6], [0.0, 1.0], [1.0, 2.0])
    x, w = np.array([0.5, 1e200]), np.array([2.0, 0.0])
    assert bt.loglike(x[1:], mixture) == -np.inf
    assert bt.loglike(x, mixture, sample_weight=w) == bt.loglike(x[:1], mixture, sample_weight=[2])
    for coordinates in BOTH:
        one = bt.evaluate(x, mixture, coordinates=coordinates, sample_weight=w)
        other = bt.evaluate(x[:1], mixture, coordinates=coordinates, sample_weight=w[:1])
        assert np.isfinite(one.loglike)
        assert np.array_equal(one.score, other.score)
        assert np.array_equal(one.hessian, other.hessian)


@pytest.mark.parametrize("coordinates", BOTH)
def test_hessians_are_symmetric(coordinates: Coordinates) -> None:
    for name in (THREE, "random: K = 5, counts", "sd ratio 1e6: K = 2"):
        found = bt.hessian(CASES[name].x, CASES[name].mixture, coordinates=coordinates)
        assert_close(found, found.T, exact(name, coordinates).hessian)


def test_results_are_arrays_of_the_promised_shapes() -> None:
    mixture = bt.NormalMixture([0.4, 0.6], [0.0, 1.0], [1.0, 2.0])
    x = [0.0, 1.0, 2.5]
    assert type(bt.loglike(x, mixture)) is float
    assert bt.responsibilities(x, mixture).shape == (3, 2)
    assert bt.score(x, mixture).shape == (6,)
    assert bt.score(x, mixture, coordinates="working").shape == (5,)
    assert bt.score_obs(x, mixture).shape == (3, 6)
    assert bt.score_obs(x, mixture, coordinates="working").shape == (3, 5)
    assert bt.hessian(x, mixture).shape == (6, 6)
    assert bt.hessian(x, mixture, coordinates="working").shape == (5, 5)


def functions() -> dict[str, Any]:
    """The functions that take coordinates, by name."""
    return {
        "evaluate": bt.evaluate,
        "score": bt.score,
        "score_obs": bt.score_obs,
        "hessian": bt.hessian,
    }


@pytest.mark.parametrize("name", functions())
def test_unknown_coordinates_and_zero_weights_are_refused(name: str) -> None:
    function = functions()[name]
    mixture = bt.NormalMixture([0.0, 1.0], [0.0, 1.0], [1.0, 2.0])
    with pytest.raises(bt.ParameterError, match=r"coordinates='polar'.*\"natural\" or \"working\""):
        function([1.0, 2.0], mixture, coordinates="polar")
    with pytest.raises(bt.ParameterError, match=r"weight zero.*natural coordinates"):
        function([1.0, 2.0], mixture, coordinates="working")
    function([1.0, 2.0], mixture, coordinates="natural")


@pytest.mark.parametrize("name", [*functions(), "loglike", "responsibilities"])
def test_bad_data_are_refused(name: str) -> None:
    function = getattr(bt, name)
    mixture = bt.NormalMixture([0.4, 0.6], [0.0, 1.0], [1.0, 2.0])
    with pytest.raises(bt.DataError, match="missing"):
        function([1.0, np.nan], mixture)
    with pytest.raises(bt.DataError, match="infinite"):
        function([1.0, np.inf], mixture)
    with pytest.raises(bt.DataError, match="no rows"):
        function([], mixture)
    if name not in ("score_obs", "responsibilities"):
        with pytest.raises(bt.DataError, match="3 entries for 2 rows"):
            function([1.0, 2.0], mixture, sample_weight=[1.0, 1.0, 1.0])
        with pytest.raises(bt.DataError, match="negative"):
            function([1.0, 2.0], mixture, sample_weight=[1.0, -1.0])


def test_a_large_column_has_the_derivatives_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    x, w = rng.normal(1e6, 2.0, 3000), rng.integers(0, 3, 3000)
    mixture = bt.NormalMixture([0.3, 0.7], [1e6 - 1.0, 1e6 + 1.0], [1.0, 2.0])
    exact = bt.evaluate(x, mixture, coordinates="working", sample_weight=w)
    monkeypatch.setattr("bactrian.data.loops.kernels.COMPILE_FROM", 1000)
    found = bt.evaluate(x, mixture, coordinates="working", sample_weight=w)
    assert found.loglike == pytest.approx(exact.loglike, rel=1e-14)
    np.testing.assert_allclose(found.score, exact.score, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.hessian, exact.hessian, rtol=1e-11, atol=1e-9)
    assert (found.score != exact.score).any()  # by another way
