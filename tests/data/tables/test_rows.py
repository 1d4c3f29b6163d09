"""What is in memory: which rows come out, and what is said when none can."""

from __future__ import annotations

import array
import datetime
import io
from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bactrian.data.tables.rows import read_rows
from bactrian.errors import DataError, DataTypeError, ParameterError

X = np.array([3.5, -1.25, 0.1, 1e-150, -0.0, 5e-324])


class Shown:
    """An object that offers nothing but ``__array__``."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray[Any, Any]:
        return X


def same_bits(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    return found.dtype == np.float64 and found.tobytes() == expected.astype(np.float64).tobytes()


@pytest.mark.parametrize(
    "data",
    [
        X.tolist(),
        tuple(X.tolist()),
        deque(X.tolist()),
        array.array("d", X.tolist()),
        memoryview(array.array("d", X.tolist())),
        X.astype(">f8"),
        np.repeat(X, 3)[::3],
        X[::-1].copy()[::-1],
        X.astype(object),
        np.ma.array(X),
        Shown(),
        {"x": X},
        np.array([(value,) for value in X], dtype=[("x", "f8")]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_every_holder_gives_the_same_bits(data: object) -> None:
    rows = read_rows(data)
    assert same_bits(rows.values, X)
    assert (rows.weights, rows.n_missing) == (None, 0)


def test_an_iterator_is_read_once_to_its_end() -> None:
    assert read_rows(i * i for i in range(4)).values.tolist() == [0.0, 1.0, 4.0, 9.0]


def test_a_range_is_a_column() -> None:
    assert read_rows(range(2, 8, 3)).values.tolist() == [2.0, 5.0]


@pytest.mark.parametrize("kind", ["f2", "f4", "g", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_every_real_dtype_is_converted_as_numpy_converts_it(kind: str) -> None:
    values = np.array([0, 1, 100, 3], dtype=kind)
    assert same_bits(read_rows(values).values, np.array([0.0, 1.0, 100.0, 3.0]))


def test_single_precision_keeps_its_own_value() -> None:
    assert read_rows(np.array([0.1], dtype="f4")).values[0] == 0.10000000149011612


def test_whole_numbers_beyond_2_53_go_to_the_nearest_double() -> None:
    assert read_rows([2**53 + 1, 2**70 + 1]).values.tolist() == [2.0**53, 2.0**70]


def test_decimals_and_fractions_are_rounded_correctly() -> None:
    values = read_rows([Decimal("0.1"), Fraction(1, 3), 2]).values
    assert values.tolist() == [0.1, 1 / 3, 2.0]


def test_contiguous_doubles_are_neither_copied_nor_locked_for_their_owner() -> None:
    mine = X.copy()
    rows = read_rows(mine)
    assert np.shares_memory(rows.values, mine)
    assert not rows.values.flags.writeable
    mine[0] = 7.0
    assert rows.values[0] == 7.0


def test_weights_are_doubles_that_cannot_be_written() -> None:
    rows = read_rows([1.0, 2.0, 3.0], sample_weight=(0, 2, 1))
    assert rows.weights is not None
    assert rows.weights.tolist() == [0.0, 2.0, 1.0]
    assert rows.weights.dtype == np.float64
    assert not rows.weights.flags.writeable


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e300, 1e300)),
    st.data(),
)
def test_dropping_leaves_the_other_rows_and_their_weights_as_they_were(
    values: np.ndarray[Any, Any], data: st.DataObject
) -> None:
    present = data.draw(hnp.arrays(bool, values.size))
    present[0] = True
    weights = np.arange(1.0, values.size + 1)
    holed = np.where(present, values, np.nan)
    rows = read_rows(holed, sample_weight=weights, missing="drop")
    assert same_bits(rows.values, values[present])
    assert rows.weights is not None
    assert same_bits(rows.weights, weights[present])
    assert rows.n_missing == np.count_nonzero(~present)


HOLED: list[Any] = [
    [1.0, None, 3.0],
    [1.0, float("nan"), 3.0],
    np.array([1.0, np.nan, 3.0]),
    np.array([1.0, np.nan, 3.0], dtype="f2"),
    np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),
    np.ma.array([1, 2, 3], mask=[False, True, False]),
    np.array([1, None, 3], dtype=object),
    [Decimal(1), Decimal("NaN"), Decimal(3)],
]


@pytest.mark.parametrize("data", HOLED, ids=range(len(HOLED)))
def test_a_missing_value_is_an_error_that_names_it(data: object) -> None:
    pattern = r"1 missing value among 3 rows, at index 1: .*missing='drop'"
    with pytest.raises(DataError, match=pattern):
        read_rows(data)


@pytest.mark.parametrize("data", HOLED, ids=range(len(HOLED)))
def test_a_missing_value_is_dropped_on_request_and_counted(data: object) -> None:
    rows = read_rows(data, missing="drop")
    assert rows.values.tolist() == [1.0, 3.0]
    assert rows.n_missing == 1


def test_masked_values_may_be_anything() -> None:
    data = np.ma.array([1.0, np.inf, 3.0], mask=[False, True, False])
    assert read_rows(data, missing="drop").values.tolist() == [1.0, 3.0]


def test_a_missing_row_may_have_any_weight() -> None:
    rows = read_rows([1.0, None, 3.0], sample_weight=[1.0, -1.0, 2.0], missing="drop")
    assert rows.weights is not None
    assert rows.weights.tolist() == [1.0, 2.0]


TYPE_FAULTS: list[tuple[str, Any, str]] = [
    ("bool array", np.array([True, False]), "true/false.*astype"),
    ("bool list", [True, False], "true/false"),
    ("bool object", np.array([1.0, True], dtype=object), "the bool True at index 1"),
    ("complex", np.array([1j, 2.0]), "complex.*x.real"),
    ("text array", np.array(["1", "2"]), "text.*dtype=float"),
    ("text list", ["a", "b"], "the text 'a' at index 0"),
    ("mixed list", [1, "a"], "the text 'a' at index 1"),
    ("long text", [1, "a" * 40], r"the text 'a{27}\.\.\.' at"),
    ("bytes array", np.array([b"1"]), "text"),
    ("new text", np.array(["1"], dtype=np.dtypes.StringDType()), "text"),
    ("dates", np.array(["2020-01-01"], dtype="M8[D]"), "dates.*seconds since"),
    ("durations", np.array([1], dtype="m8[s]"), "time differences.*timedelta64"),
    ("datetimes", [datetime.date(2020, 1, 1)], "a value of type date at index 0"),
    ("objects", [object()], "a value of type object at index 0"),
    ("scalar", 3.5, "single value"),
    ("NumPy scalar", np.float64(3.5), "single value"),
    ("0-d", np.array(3.5), "single value"),
    ("None", None, "single value"),
    ("bytes", b"1,2", "piece of text"),
    ("set", {1.0, 2.0}, "set, which has lost the repeated values"),
    ("unknown", object(), "of type object: pass a list"),
]


@pytest.mark.parametrize(
    ("data", "words"), [f[1:] for f in TYPE_FAULTS], ids=[f[0] for f in TYPE_FAULTS]
)
def test_what_is_no_real_number_is_called_by_its_name(data: object, words: str) -> None:
    with pytest.raises(DataTypeError, match=words) as caught:
        read_rows(data)
    assert_one_sentence(caught.value)


VALUE_FAULTS: list[tuple[str, Any, str]] = [
    ("empty list", [], "no rows"),
    ("empty array", np.empty(0), "no rows"),
    ("empty iterator", iter(()), "no rows"),
    ("column vector", np.zeros((3, 1)), r"two-dimensional, of shape \(3, 1\).*x\[:, 0\]"),
    ("nested list", [[1.0], [2.0]], "two-dimensional"),
    ("three axes", np.zeros((3, 1, 2)), r"3-dimensional.*x\[:, 0, 0\]"),
    ("ragged", [[1.0], [1.0, 2.0]], "different lengths"),
    ("infinite", [1.0, np.inf, -np.inf], "2 infinite values among 3 rows, the first at index 1"),
    ("huge whole number", [1, 10**400], "infinite value among 2 rows, at index 1"),
    ("overflow", [-1e308, 1e308], "from -1e.308 to 1e.308.*rescale"),
    ("only NaN", [np.nan, np.nan], "2 missing values among 2 rows, the first at index 0"),
]


@pytest.mark.parametrize(
    ("data", "words"), [f[1:] for f in VALUE_FAULTS], ids=[f[0] for f in VALUE_FAULTS]
)
def test_values_that_cannot_be_fitted_are_named_with_a_remedy(data: object, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_rows(data)
    assert_one_sentence(caught.value)


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(np.float64).max,
    reason="long doubles are doubles here",
)
def test_a_long_double_beyond_the_doubles_is_infinite() -> None:
    with pytest.raises(DataError, match="infinite value among 2 rows, at index 0"):
        read_rows(np.array(["1e400", "1"], dtype=np.longdouble))


def test_an_infinity_is_found_among_missing_values_too() -> None:
    with pytest.raises(DataError, match="1 infinite value among 3 rows, at index 2"):
        read_rows([1.0, None, -np.inf], missing="drop")


def test_nothing_is_left_when_all_is_missing() -> None:
    with pytest.raises(DataError, match="missing values only"):
        read_rows([None, float("nan")], missing="drop")


def test_the_widest_finite_range_is_accepted() -> None:
    widest = np.array([-8e307, 8e307])
    assert same_bits(read_rows(widest).values, widest)


WEIGHT_FAULTS: list[tuple[str, Any, str]] = [
    ("negative", [1.0, -1.0, 1.0], r"negative at index 1 \(-1\)"),
    ("NaN", [1.0, 1.0, np.nan], r"not finite at index 2 \(nan\)"),
    ("infinite", [np.inf, 1.0, 1.0], r"not finite at index 0 \(inf\)"),
    ("all zero", [0.0, 0.0, 0.0], "zero in every row"),
    ("overflowing", [1e308, 1e308, 1e308], "sum that overflows"),
    ("short", [1.0, 1.0], "2 entries for 3 rows"),
    ("two-dimensional", [[1.0], [1.0], [1.0]], "sample_weight is two-dimensional"),
]


@pytest.mark.parametrize(
    ("weights", "words"), [f[1:] for f in WEIGHT_FAULTS], ids=[f[0] for f in WEIGHT_FAULTS]
)
def test_weights_that_cannot_be_are_refused(weights: object, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_rows([1.0, 2.0, 3.0], sample_weight=weights)
    assert_one_sentence(caught.value)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (["a", "b", "c"], "text 'a'"),
        (2.0, "sample_weight is a single value"),
        ({"w": [1.0] * 3}, "table"),
    ],
)
def test_weights_of_the_wrong_type_are_refused(weights: object, words: str) -> None:
    with pytest.raises(DataTypeError, match=words):
        read_rows([1.0, 2.0, 3.0], sample_weight=weights)


def test_weights_that_are_zero_in_all_kept_rows_are_refused() -> None:
    with pytest.raises(DataError, match="zero in every row"):
        read_rows([1.0, None, 3.0], sample_weight=[0.0, 5.0, 0.0], missing="drop")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"column": "a"}, "column='a' names a column, but the data are a single column"),
        ({"sample_weight": "w"}, "sample_weight='w' names a column"),
        ({"missing": "ignore"}, "'error' or 'drop', not 'ignore'"),
    ],
)
def test_options_that_do_not_go_with_the_data_are_refused(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ParameterError, match=words):
        read_rows([1.0, 2.0], **options)


class TestMapping:
    table: ClassVar = {"x": [1.0, 2.0], "w": [1, 3], "s": ["a", "b"]}

    def test_a_column_and_its_weights_are_read_by_name(self) -> None:
        rows = read_rows(self.table, column="x", sample_weight="w")
        assert (rows.values.tolist(), rows.name) == ([1.0, 2.0], "x")
        assert rows.weights is not None
        assert rows.weights.tolist() == [1.0, 3.0]

    def test_the_column_of_weights_is_no_candidate(self) -> None:
        assert read_rows(self.table, sample_weight="w").name == "x"

    def test_two_candidates_are_listed(self) -> None:
        with pytest.raises(DataError, match=r"2 columns of numbers, x and w: choose.*column='x'"):
            read_rows(self.table)

    def test_an_unknown_column_brings_a_suggestion(self) -> None:
        with pytest.raises(
            DataError, match=r"no column 'X'; did you mean 'x'\?.*s \(not numbers\)"
        ):
            read_rows(self.table, column="X")

    def test_an_unknown_column_of_weights_is_named(self) -> None:
        with pytest.raises(DataError, match="no column 'weight'"):
            read_rows(self.table, sample_weight="weight")

    def test_a_text_column_says_what_it_holds(self) -> None:
        with pytest.raises(DataTypeError, match="column 's' holds the text 'a' at index 0"):
            read_rows(self.table, column="s")

    def test_no_numbers_at_all_lists_the_columns(self) -> None:
        with pytest.raises(DataError, match=r"no column of numbers: its columns are s .*t "):
            read_rows({"s": ["a"], "t": ["b"]})

    def test_columns_of_unequal_length_are_refused(self) -> None:
        with pytest.raises(DataError, match="3 entries for 2 rows"):
            read_rows({"x": [1.0, 2.0], "w": [1, 2, 3]}, column="x", sample_weight="w")

    def test_an_empty_mapping_has_nothing_to_fit(self) -> None:
        with pytest.raises(DataError, match="nothing to fit"):
            read_rows({})


def test_a_text_stream_is_read_like_a_file() -> None:
    pytest.importorskip("duckdb")
    rows = read_rows(io.StringIO("x;w\n1.5;2\n2.5;3\n"), sample_weight="w")
    assert rows.values.tolist() == [1.5, 2.5]


def assert_one_sentence(error: Exception) -> None:
    """The message is one sentence without line breaks, and hides what caused it."""
    text = str(error)
    assert "\n" not in text
    assert ". " not in text.replace("e.g. ", "")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
