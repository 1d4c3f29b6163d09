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
        with pytest.raises(ValueError, match=r"Reshape your data|2-dimensional container"):
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
    assert FITTED.predict(X[:1]).shape == (1,)
    with pytest.raises(ValueError, match=r"1 sample.* minimum of 2"):
        GaussianMixture1D().fit(X[:1])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), r"the shape \(3,\) for 240 rows"),
        (np.ones((240, 1)), r"the shape \(240, 1\) for 240 rows"),
        (np.zeros(240), "zero in every row"),
        (-np.ones(240), "negative"),
        (np.full(240, np.nan), "sample_weight contains NaN"),
    ],
)
def test_weights_of_a_score_are_checked(weights: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FITTED.score(X, sample_weight=weights)
