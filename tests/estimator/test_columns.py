"""X as one column, in any container that scikit-learn takes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import bactrian as bt
from bactrian.estimator import GaussianMixture1D
from tests.problems import draw

X = draw("apart")[:, None]
FITTED = GaussianMixture1D().fit(X)


def in_polars(X: Any) -> Any:
    return pytest.importorskip("polars").DataFrame({"a": X[:, 0]})


def in_pandas(X: Any) -> Any:
    return pytest.importorskip("pandas").DataFrame({"a": X[:, 0]})


CONTAINERS = [np.asfortranarray, lambda X: X.tolist(), in_polars, in_pandas]


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same(container: Any) -> None:
    fitted = GaussianMixture1D().fit(container(X))
    np.testing.assert_array_equal(fitted.means_[:, 0], bt.fit(X[:, 0]).mixture.means)
    np.testing.assert_array_equal(fitted.predict_proba(container(X)), FITTED.predict_proba(X))
    assert fitted.n_features_in_ == 1


@pytest.mark.parametrize("method", ["fit", "predict", "score", "transform", "score_samples"])
def test_a_flat_array_is_refused_with_its_remedy(method: str) -> None:
    for flat in (X[:, 0], X[:, 0].tolist(), in_pandas(X)["a"]):
        with pytest.raises(ValueError, match=r"one-dimensional.*Reshape your data.*\['name'\]"):
            getattr(FITTED, method)(flat)


@pytest.mark.parametrize("container", [in_polars, in_pandas])
def test_a_frame_names_the_feature(container: Any) -> None:
    frame = container(X)
    fitted = GaussianMixture1D().fit(frame)
    assert fitted.feature_names_in_.tolist() == ["a"]
    assert fitted.get_feature_names_out().tolist() == ["a_component0", "a_component1"]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(
            frame.rename({"a": "b"}) if container is in_polars else frame.add_prefix("b")
        )


def test_names_without_a_frame() -> None:
    assert FITTED.get_feature_names_out().tolist() == ["x0_component0", "x0_component1"]
    assert FITTED.get_feature_names_out(["h"]).tolist() == ["h_component0", "h_component1"]
    with pytest.raises(bt.DataError, match="the one name of X"):
        FITTED.get_feature_names_out(["h", "k"])
    with pytest.raises(bt.DataError, match="'h', and X was called 'a'"):
        GaussianMixture1D().fit(in_pandas(X)).get_feature_names_out(["h"])


def test_single_precision_is_computed_in_double() -> None:
    single = X.astype(np.float32)
    fitted = GaussianMixture1D().fit(single)
    np.testing.assert_array_equal(
        fitted.means_, GaussianMixture1D().fit(single.astype(float)).means_
    )
    assert fitted.predict_proba(single).dtype == np.float64


@pytest.mark.parametrize("method", ["fit", "predict", "score", "transform", "score_samples"])
@pytest.mark.parametrize("n_features", [2, 3])
def test_several_features_are_refused_with_the_way_to_choose_one(
    method: str, n_features: int
) -> None:
    with pytest.raises(bt.DataError, match=rf"X has {n_features} features.* ColumnTransformer"):
        getattr(GaussianMixture1D().fit(X), method)(np.repeat(X, n_features, axis=1))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["fit", "predict", "score"])
def test_what_is_not_finite_is_refused_with_its_row(method: str, wrong: float) -> None:
    bad = X.copy()
    bad[[3, 7]] = wrong
    with pytest.raises(bt.DataError, match=r"in 2 of 240 rows, the first is row 3 .*leave such"):
        getattr(GaussianMixture1D().fit(X), method)(bad)


def test_one_row_can_be_predicted_and_not_fitted() -> None:
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        FITTED.predict([[], []])
    assert FITTED.predict(X[:1]).shape == (1,)
    with pytest.raises(ValueError, match=r"1 sample.* minimum of 2"):
        GaussianMixture1D().fit(X[:1])


@pytest.mark.parametrize("method", ["fit", "predict", "score"])
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_text_in_another_column_hides_no_number_of_columns(method: str, library: str) -> None:
    frames = pytest.importorskip(library)
    table = {"a": X[:, 0], "b": ["low"] * 240, "c": X[:, 0]}
    frame = frames.table(table) if library == "pyarrow" else frames.DataFrame(table)
    with pytest.raises(bt.DataError, match=r"X has 3 features, .* fits one.*frame\[\['name'\]\]"):
        getattr(FITTED, method)(frame)
    with pytest.raises(bt.DataError, match="X has 3 features"):
        getattr(FITTED, method)([[1.0, "low", 2.0], [2.0, "low", 2.0]])


def test_rows_that_lie_down_are_told_how_to_stand() -> None:
    with pytest.raises(bt.DataError, match=r"if these are 2 rows, pass X\.reshape\(-1, 1\)"):
        FITTED.predict([[50.0, 90.0]])


def test_text_and_other_objects_are_named() -> None:
    with pytest.raises(bt.DataTypeError, match=r"X holds the text 'low' at index 1.*numbers only$"):
        FITTED.predict([[1.0], ["low"]])
    frame = pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0, {}]})
    with pytest.raises(bt.DataTypeError, match="X holds a value of type dict at index 2"):
        FITTED.predict(frame)
    with pytest.raises(ValueError, match="Complex data not supported"):
        FITTED.predict(X + 1.0j)
    sparse = pytest.importorskip("scipy.sparse").csr_array(np.hstack([X, X]))
    with pytest.raises(TypeError, match="Sparse data"):
        FITTED.predict(sparse)


def dates(library: str) -> Any:
    days = np.arange(240).astype("M8[D]").astype("M8[us]")
    if library in ("numpy", "list"):
        return days[:, None] if library == "numpy" else [[day] for day in days]
    if library == "pyarrow":
        return pytest.importorskip("pyarrow").table({"a": days})
    frames = pytest.importorskip(library)
    return frames.DataFrame({"a": days})


@pytest.mark.parametrize("library", ["numpy", "list", "pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("method", ["fit", "predict"])
def test_dates_are_not_fitted_in_some_unit(library: str, method: str) -> None:
    with pytest.raises(
        bt.DataTypeError, match=r"(?i)X holds (datetime|timestamp).*subtract the first date"
    ):
        getattr(FITTED, method)(dates(library))


def test_what_only_bactrian_fit_takes_is_said() -> None:
    lazy = in_polars(X).lazy()
    for other in ("rows.csv", {"a": X[:, 0]}, None, lazy):
        with pytest.raises(bt.DataTypeError, match=r"an array \(n, 1\) or a frame\. bactrian\.fit"):
            GaussianMixture1D().fit(other)
    assert bt.fit(lazy).n_obs == 240


def test_nullable_columns_are_numbers_and_their_gaps_missing() -> None:
    pandas = pytest.importorskip("pandas")
    for kind in ("Float64", "double[pyarrow]"):
        column = pandas.array(X[:, 0], dtype=kind)
        fitted = GaussianMixture1D().fit(pandas.DataFrame({"a": column}))
        np.testing.assert_array_equal(fitted.means_, FITTED.means_)
        column[3] = pandas.NA
        with pytest.raises(bt.DataError, match="in 1 of 240 rows, the first is row 3"):
            GaussianMixture1D().fit(pandas.DataFrame({"a": column}))
    np.testing.assert_array_equal(GaussianMixture1D().fit(X.astype(object)).means_, FITTED.means_)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_the_code_that_leaves_rows_out_can_be_fitted(wrong: float) -> None:
    array = X.copy()
    array[[5, 9], 0] = wrong, np.nan
    for rows in (array, in_pandas(array)):
        with pytest.raises(bt.DataError, match=r"leave such rows out, e\.g\. X") as found:
            GaussianMixture1D().fit(rows)
        code = str(found.value).split("e.g. ")[1].split(". Do not")[0]
        assert GaussianMixture1D().fit(eval(code, {"np": np, "X": rows})).fit_.n_obs == 238
    for rows in (array.tolist(), np.ma.masked_invalid(array)):
        with pytest.raises(bt.DataError, match=r"leave such rows out\. Do not impute"):
            GaussianMixture1D().fit(rows)


def test_what_a_mask_hides_does_not_count() -> None:
    masked = np.ma.masked_greater(X, 6.0)
    rows = int(masked.mask.sum())
    assert 0 < rows < 240
    for wrong in (masked, masked.astype(int)):
        with pytest.raises(bt.DataError, match=f"X holds NaN or infinity in {rows} of 240 rows"):
            GaussianMixture1D().fit(wrong)
    unmasked = GaussianMixture1D().fit(np.ma.masked_greater(X, 1e9))
    np.testing.assert_array_equal(unmasked.means_, FITTED.means_)


@pytest.mark.parametrize("method", ["fit", "score", "fit_predict"])
def test_weights_of_another_index_than_the_frame_are_refused(method: str) -> None:
    frame = in_pandas(X)
    weights = pytest.importorskip("pandas").Series(np.arange(240) % 3)
    fitted = GaussianMixture1D().fit(frame)
    turned = weights.iloc[::-1]
    with pytest.raises(bt.DataError, match=r"another index .*weights\.loc\[data\.index\]"):
        getattr(fitted, method)(frame, sample_weight=turned)
    # Both in another order are one another's rows, and an array has no index.
    getattr(fitted, method)(frame.iloc[::-1], sample_weight=turned)
    getattr(fitted, method)(frame, sample_weight=turned.to_numpy())


@pytest.mark.parametrize("method", ["fit", "score"])
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("w", r"'w' is a name.* frame\['w'\]"),
        (np.ones(3), "3 entries for 240 rows: give one weight per row"),
        (np.ones((240, 1)), "two-dimensional"),
        (np.zeros(240), "is zero in every row"),
        (-np.ones(240), "is negative at index 0"),
        (np.full(240, np.nan), "is not finite at index 0"),
    ],
)
def test_weights_of_fits_and_scores_are_checked_alike(
    method: str, weights: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=f"sample_weight.*{words}"):
        getattr(FITTED, method)(X, sample_weight=weights)


def test_extreme_weights_and_rows_have_their_mean() -> None:
    scored = FITTED.score(X)
    for unit in (5e-324, 1e305):
        assert FITTED.score(X, sample_weight=np.full(240, unit)) == pytest.approx(scored, rel=1e-14)
    far = np.array([[1e200], [1.0]])
    assert FITTED.score(far) == -np.inf
    assert FITTED.score(far, sample_weight=[0, 2]) == FITTED.score(far[1:])
    assert FITTED.predict(far).tolist() == FITTED.predict([[1e9], [1.0]]).tolist()
