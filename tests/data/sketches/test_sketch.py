"""Sketches add, subtract and coarsen as the rows they stand for do."""

from __future__ import annotations

import functools
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.sketches.sketch import CAP, Sketch, capped
from bactrian.errors import DataError, ParameterError
from tests.data.binned import SHAPES, columns, rows_of, sketch_of_rows, weighted_columns

Array = NDArray[np.float64]
Rows = tuple[Array, Array | None]
EPS = 2.0**-52


def assert_same(found: Sketch, expected: Sketch, *, ever: Array | float | None = None) -> None:
    """The same occupied bins exactly, and the same sums to n eps of the weights in them.

    `ever` is the largest weight that the bins had in between.
    """
    assert (found.exponent, found.count) == (expected.exponent, expected.count)
    assert found.bins.tolist() == expected.bins.tolist()
    weight = expected.moments[:, :1] if ever is None else ever
    bound = 4.0 * (expected.count + 40) * EPS * weight
    assert (np.abs(found.moments - expected.moments) <= bound).all()
    assert (found.squares is None) == (expected.squares is None)
    if found.squares is not None and expected.squares is not None:
        largest = np.abs(expected.squares).max() if ever is None else np.max(ever) ** 2
        assert (np.abs(found.squares - expected.squares) <= 4e3 * EPS * largest).all()


def summed(parts: Iterable[Sketch]) -> Sketch:
    """The sum of at least one sketch."""
    found = sum(parts)
    assert isinstance(found, Sketch)
    return found


def pieces(rows: Rows, labels: NDArray[np.int64]) -> list[Rows]:
    """The rows parted by a label for each."""
    x, w = rows
    return [
        (x[labels == k], None if w is None else w[labels == k]) for k in np.unique(labels).tolist()
    ]


@given(weighted_columns(), st.integers(-14, 4), st.integers(1, 7), st.integers(0, 2**31))
def test_any_split_adds_up_to_the_whole_in_any_order(
    rows: Rows, exponent: int, n_parts: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_parts, rows[0].size)
    whole = sketch_of_rows(rows[0], exponent, rows[1])
    parts = [sketch_of_rows(x, exponent, w) for x, w in pieces(rows, labels)]
    for _ in range(3):
        rng.shuffle(parts)
        merged = summed(parts)
        assert_same(merged, whole)
        assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)


@given(weighted_columns(), st.integers(-10, 4), st.integers(0, 9), st.integers(0, 2**31))
def test_coarsening_commutes_with_adding(
    rows: Rows, exponent: int, halvings: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, rows[0].size)
    coarse = sketch_of_rows(rows[0], exponent + halvings, rows[1])
    fine = [sketch_of_rows(x, exponent, w) for x, w in pieces(rows, labels)]
    first_added = summed(fine).coarsen(exponent + halvings)
    first_coarsened = summed(part.coarsen(exponent + halvings) for part in fine)
    assert_same(first_added, coarse)
    assert_same(first_coarsened, coarse)


@given(columns(), columns(), st.integers(-8, 2), st.integers(-8, 2))
def test_different_grids_meet_on_the_coarser_one(
    a: Array, b: Array, first: int, other: int
) -> None:
    expected = sketch_of_rows(np.concatenate([a, b]), max(first, other))
    assert_same(sketch_of_rows(a, first) + sketch_of_rows(b, other), expected)
    assert_same(sketch_of_rows(b, other) + sketch_of_rows(a, first), expected)


@given(st.lists(columns(), min_size=1, max_size=6), st.integers(3, 60), st.integers(0, 2**31))
def test_with_a_cap_the_order_does_not_matter_either(
    parts: list[Array], cap: int, seed: int
) -> None:
    whole = capped(sketch_of_rows(np.concatenate(parts), -12), cap)
    assert whole.bins.size <= cap
    finer = sketch_of_rows(np.concatenate(parts), max(whole.exponent - 1, -12))
    assert whole.exponent == -12 or finer.bins.size > cap
    rng = np.random.default_rng(seed)
    for _ in range(3):
        order = rng.permutation(len(parts)).tolist()
        sketches = [capped(sketch_of_rows(parts[k], -12), cap) for k in order]
        merged = functools.reduce(lambda a, b: capped(a + b, cap), sketches)
        assert_same(merged, whole)


def test_a_sketch_never_has_more_bins_than_the_cap() -> None:
    x = np.linspace(0.0, 1.0, 4 * CAP)
    found = sketch_of_rows(x[::2], -30) + sketch_of_rows(x[1::2], -30)
    assert CAP // 4 < found.bins.size <= CAP
    assert_same(found, sketch_of_rows(x, found.exponent))


@given(weighted_columns(), weighted_columns(), st.integers(-10, 3))
def test_subtraction_gives_back_the_other_part(kept: Rows, gone: Rows, exponent: int) -> None:
    left, right = (sketch_of_rows(x, exponent, w) for x, w in (kept, gone))
    both = left + right
    again = both - right
    if both.squares is not None and left.squares is None:
        left = replace(left, squares=left.moments)
    assert_same(again, left, ever=float(both.moments[:, 0].max()))
    assert again.minimum <= left.minimum
    assert left.maximum <= again.maximum
    low, high = again.bins[0] * again.width, (again.bins[-1] + 1.0) * again.width
    assert low <= again.minimum <= again.maximum <= high


def window(kind: str, n_days: int) -> list[Rows]:
    """Daily rows whose place, number and weights vary."""
    rng = np.random.default_rng(8)
    days: list[Rows] = []
    for day in range(n_days):
        n = int(rng.integers(1, 2000))
        x = rng.normal(0.1 * day, 1.0 + 0.02 * day, n)
        if kind == "heavy tails":
            x = rng.standard_cauchy(n)
        w = rng.gamma(1.0, 10.0 ** (day % 5), n) + 1e-3 if kind == "weights" else None
        days.append((x, w))
    return days


@pytest.mark.parametrize("kind", ["counts", "weights", "heavy tails"])
def test_a_rolling_window_is_the_fresh_sum_of_its_days(kind: str) -> None:
    held: deque[Sketch] = deque()
    running: Sketch | None = None
    ever = 0.0
    for day, (x, w) in enumerate(window(kind, 60)):
        held.append(sketch_of_rows(x, -6, w))
        running = held[-1] if running is None else running + held[-1]
        ever = max(ever, float(running.moments[:, 0].max()))
        if len(held) > 7:
            running = running - held.popleft()
        if day % 10 == 9:
            fresh = summed(held)
            assert_same(running, fresh, ever=ever)
            assert running.minimum <= fresh.minimum <= fresh.maximum <= running.maximum
            assert running.to_sample().local_variance > 0.0
            if kind == "counts":
                assert running.sd == pytest.approx(fresh.sd, rel=1e-12)


def test_what_rounding_leaves_of_weights_is_no_bin() -> None:
    def day(weight: float, x: float = 0.5) -> Sketch:
        return sketch_of_rows(np.array([x]), 0, np.array([weight]))

    elsewhere = day(1e-3, 7.5)
    days = [day(weight) for weight in np.random.default_rng(4).uniform(5e2, 2e3, 300)]
    left = summed([elsewhere, *days])
    for each in reversed(days):
        left = left - each
    assert left.bins.tolist() == [7.0]
    heavy, light, rest = day(1e6 / 3.0), day(1e-3 / 3.0), day(1e6, 7.5)
    assert (heavy + light + rest - heavy).bins.tolist() == [0.0, 7.0]
    assert (heavy + light + rest - heavy - light).bins.tolist() == [7.0]


@pytest.mark.parametrize("weight", [None, 1e-20, 1.0, 1e20])
def test_only_a_part_can_be_subtracted(weight: float | None) -> None:
    def sketch(x: list[float]) -> Sketch:
        return sketch_of_rows(np.array(x), 0, None if weight is None else np.full(len(x), weight))

    whole = sketch([1.5, 2.5, 2.7, 9.0])
    for other in ([5.5], [1.5, 1.6], [1.5, 2.5, 2.7, 9.0, 9.1], [1e9]):
        with pytest.raises(DataError, match="only a part that was added can be subtracted"):
            whole - sketch(other)
    with pytest.raises(DataError, match="nothing is left"):
        whole - sketch([1.5, 2.5, 2.7, 9.0])
    rest = whole - sketch([2.7])
    assert rest.bins.tolist() == [1.0, 2.0, 9.0]
    assert (rest.minimum, rest.maximum, rest.count) == (1.5, 9.0, 3)


def test_other_things_are_not_added() -> None:
    sketch = sketch_of_rows(np.array([1.0]), 0)
    for other in (1, 1.5, "x", None):
        with pytest.raises(TypeError):
            sketch + other
        with pytest.raises(TypeError):
            sketch - other
    assert sum([sketch]) is sketch


def test_weights_meet_rows_that_count_once() -> None:
    x = rows_of("normal", 400)
    w = np.where(np.arange(400) < 150, 1.0, 2.5)
    plain, weighted = sketch_of_rows(x[:150], -3), sketch_of_rows(x[150:], -3, w[150:])
    for merged in (plain + weighted, weighted + plain):
        assert_same(merged, sketch_of_rows(x, -3, w))


def test_names_and_missing_rows() -> None:
    a, b, c = (
        sketch_of_rows(np.array([k]), 0, column=n) for k, n in ((1.0, "x"), (2.0, "x"), (3.0, "y"))
    )
    a, b = replace(a, n_missing=2), replace(b, n_missing=5)
    assert ((a + b).column, (a + b).n_missing) == ("x", 7)
    assert ((a + b) - b).n_missing == 2
    other = replace(b, column="y")
    calls: list[Callable[[], object]] = [
        lambda: a + c,
        lambda: sum([a, b, c]),
        lambda: (a + b) - other,
    ]
    for mixed in calls:
        with pytest.raises(DataError, match=r"'x', the other of column 'y'.*column='x'\)"):
            mixed()
    assert (a + replace(c, column="x")).count == 2


def test_a_sketch_without_a_name_adds_to_any_in_any_order() -> None:
    x, y, nameless = (sketch_of_rows(np.array([1.0]), 0, column=n) for n in ("x", "y", None))
    assert [(x + nameless).column, (nameless + x).column] == ["x", "x"]
    assert (nameless + nameless).column is None
    assert ((x + nameless) - nameless).column == "x"
    for parts in itertools.permutations([x, y, nameless]):
        with pytest.raises(DataError, match="sketches of one quantity"):
            sum(parts)


def test_moments_can_be_joined_not_parted() -> None:
    sketch = sketch_of_rows(rows_of("normal", 50), -3)
    assert sketch.coarsen(-3) is sketch
    with pytest.raises(ParameterError, match=r"exponent=-4 asks for bins finer .* 2\*\*-3"):
        sketch.coarsen(-4)
    for wrong, reason in ((1024, "it goes from -1074 to 1023"), (1.5, "not a whole number")):
        with pytest.raises(ParameterError, match=reason):
            sketch.coarsen(wrong)  # type: ignore[arg-type]
        with pytest.raises(ParameterError, match=reason):
            Sketch.of([1.0, 2.0], exponent=wrong)  # type: ignore[arg-type]
    assert_same(sketch.coarsen(int(np.int64(-1))), sketch.coarsen(np.int64(-1)))  # type: ignore[arg-type]
    widest = sketch.coarsen(1023)
    assert widest.bins.tolist() == [-1.0, 0.0]
    assert widest.count == 50


@pytest.mark.parametrize("n", [2, 10_000])
def test_bins_too_narrow_to_be_numbered_are_refused(n: int) -> None:
    x = np.append(rows_of("normal", n), -1e300)
    with pytest.raises(ParameterError, match=r"out to 1e\+300: take -3 or more"):
        Sketch.of(x, exponent=-1000)
    assert Sketch.of(x, exponent=-3).count == n + 1


def test_nothing_can_be_changed() -> None:
    sketch = sketch_of_rows(np.arange(5.0), 0, np.arange(1.0, 6.0))
    for array in (sketch.bins, sketch.moments, sketch.squares):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("offset", [0.0, 1e12])
@pytest.mark.parametrize("weighted", [False, True])
def test_mean_and_sd_are_those_of_the_rows(shape: str, offset: float, weighted: bool) -> None:
    x = rows_of(shape, 2000, 2) + offset
    w = np.random.default_rng(3).gamma(1.0, 1.0, x.size) if weighted else np.ones(x.size)
    sketch = sketch_of_rows(x, -5, w if weighted else None)
    near = x - offset
    mean = math.fsum(w * near) / math.fsum(w)
    sd = math.sqrt(math.fsum(w * (near - mean) ** 2) / math.fsum(w))
    assert sketch.mean - offset == pytest.approx(mean, rel=1e-9, abs=2e-15 * (offset + sd))
    assert sketch.sd == pytest.approx(sd, rel=1e-11)
    assert sketch.total == pytest.approx(w.sum(), rel=1e-13)
    assert (sketch.minimum, sketch.maximum, len(sketch)) == (x.min(), x.max(), x.size)


@pytest.mark.parametrize("power", [-1000, 0, 900])
def test_far_rows_in_any_unit_leave_mean_and_sd_finite(power: int) -> None:
    x = np.append(rows_of("normal", 100), 2.0**990 if power <= 0 else 2.0**100)
    scaled = np.ldexp(x, power)
    sketch = sketch_of_rows(scaled, -8 + power)
    far = scaled[-1]
    assert sketch.mean == pytest.approx(far / 101.0, rel=1e-9)
    assert sketch.sd == pytest.approx(far / 101.0 * 10.0, rel=1e-9)


@given(columns(), st.integers(-8, 2), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9))
def test_quantiles_are_right_to_a_bin(x: Array, exponent: int, p: list[float]) -> None:
    sketch = sketch_of_rows(x, exponent)
    found = sketch.quantile(p)
    # Next to a step of the distribution function rounding decides on which side p is.
    below, above = (
        np.quantile(x, np.clip(np.array(p) + by, 0.0, 1.0), method="inverted_cdf")
        for by in (-1e-12, 1e-12)
    )
    slack = sketch.width + 4.0 * EPS * np.abs(x).max()
    assert (found >= below - slack).all()
    assert (found <= above + slack).all()
    assert (np.diff(sketch.quantile(np.sort(p))) >= 0.0).all()
    assert sketch.quantile(0.0) == x.min()
    assert sketch.quantile(1.0) <= x.max()
    assert sketch.quantile(1.0) == pytest.approx(x.max(), abs=slack)
    assert isinstance(sketch.quantile(p[0]), float)


@pytest.mark.parametrize("p", [-1e-9, 1.1, np.nan, [0.5, 2.0]])
def test_a_probability_is_between_zero_and_one(p: object) -> None:
    with pytest.raises(ParameterError, match="not between 0 and 1"):
        sketch_of_rows(np.arange(9.0), 0).quantile(p)


def test_a_selection_of_bins() -> None:
    x = np.array([0.5, 1.5, 1.6, 7.25, 9.0])
    sketch = sketch_of_rows(x, 0)
    some = sketch.select((sketch.bins > 0.0) & (sketch.bins < 9.0))
    assert some.bins.tolist() == [1.0, 7.0]
    assert (some.count, some.minimum, some.maximum) == (3, 1.0, 8.0)
    with_rest = some + sketch.select(~np.isin(sketch.bins, some.bins))
    assert_same(with_rest, sketch)


@pytest.mark.parametrize(
    ("weight", "shown"), [(0.125, "0.25"), (12345.25, "24,690.5"), (25_001_968.5, "50,003,937")]
)
def test_a_weighted_sketch_says_so(weight: float, shown: str) -> None:
    found = sketch_of_rows(np.array([1.0, 2.0]), 0, np.array([weight, weight]))
    assert repr(found).startswith(f"<Sketch: 2 rows of total weight {shown} in 2 bins of width 1,")


def test_a_sketch_is_shown_in_one_line() -> None:
    sketch = sketch_of_rows(np.arange(1500.0), 2, column="flow rate")
    assert repr(sketch) == (
        "<Sketch of flow rate: 1,500 rows in 375 bins of width 4, 0 to 1499, "
        "mean 749.5, sd 433.013>"
    )
    assert repr(sketch_of_rows(np.array([1e-310]), -1074)).startswith("<Sketch: 1 row in 1 bin")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_column_and_its_definition_give_the_same_sketch(shape: str, weighted: bool) -> None:
    x = rows_of(shape, 20_000, 4)
    w = np.random.default_rng(5).gamma(1.0, 1.0, x.size) if weighted else None
    found = Sketch.of(x, sample_weight=w)
    assert_same(found, sketch_of_rows(x, found.exponent, w))
    assert (found.minimum, found.maximum, found.column) == (x.min(), x.max(), None)
    coarse = Sketch.of(x, sample_weight=w, exponent=found.exponent + 3)
    assert_same(coarse, found.coarsen(found.exponent + 3))
    halves = [Sketch.of(part, exponent=found.exponent) for part in (x[:7000], x[7000:])]
    assert_same(summed(halves), sketch_of_rows(x, found.exponent))
