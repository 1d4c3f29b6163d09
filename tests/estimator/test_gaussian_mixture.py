"""The estimator against ``bt.fit``, against scikit-learn's own, and inside its machinery."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import bactrian as bt
from bactrian.estimator import GaussianMixture1D
from tests.problems import draw

X = draw("apart")[:, None]
FITTED = GaussianMixture1D().fit(X)
# Every value often, and far fewer of them than rows.
TIED = np.repeat([0.0, 1.0, 2.0, 3.0, 9.0], 20)[:, None]
TIGHT = {"tol": 1e-12, "max_iter": 100_000, "reg_covar": 0.0, "random_state": 0}


def in_order(theirs: Any) -> Any:
    """Which of scikit-learn's components is ours, in turn."""
    return np.argsort(theirs.means_[:, 0])


def test_it_is_the_fit() -> None:
    fit = bt.fit(X[:, 0])
    assert FITTED.fit_.mixture == fit.mixture
    assert FITTED.converged_ is True
    assert FITTED.n_iter_ == fit.solution.n_steps > 0
    assert FITTED.lower_bound_ == fit.loglike / 240
    assert FITTED.score(X) == pytest.approx(fit.loglike / 240, rel=1e-14)
    assert FITTED.bic(X) == pytest.approx(fit.bic, rel=1e-13)
    assert FITTED.aic(X) == pytest.approx(fit.aic, rel=1e-13)
    np.testing.assert_array_equal(FITTED.score_samples(X), fit.mixture.logpdf(X[:, 0]))
    np.testing.assert_array_equal(
        FITTED.predict_proba(X), bt.responsibilities(X[:, 0], fit.mixture)
    )
    assert FITTED.fit_.threshold().cut.value == pytest.approx(fit.threshold().cut.value)


@pytest.mark.parametrize(("ours", "kind"), [({}, "full"), ({"equal_variances": True}, "tied")])
def test_scikit_learn_run_to_its_end_agrees(ours: dict[str, Any], kind: str) -> None:
    fitted = GaussianMixture1D(**ours).fit(X)
    theirs = GaussianMixture(2, covariance_type=kind, **TIGHT).fit(X)
    order = in_order(theirs)
    assert fitted.score(X) == pytest.approx(theirs.score(X), rel=1e-11)
    assert fitted.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    assert fitted.bic(X) == pytest.approx(theirs.bic(X), rel=1e-11)
    assert fitted.aic(X) == pytest.approx(theirs.aic(X), rel=1e-11)
    # An ascent that ends as the likelihood stands still to 1e-12 has half as many digits itself.
    np.testing.assert_allclose(fitted.weights_, theirs.weights_[order], rtol=1e-5)
    np.testing.assert_allclose(fitted.means_, theirs.means_[order], rtol=1e-4)
    np.testing.assert_allclose(fitted.score_samples(X), theirs.score_samples(X), rtol=1e-4)
    np.testing.assert_allclose(
        fitted.predict_proba(X), theirs.predict_proba(X)[:, order], atol=1e-5
    )
    np.testing.assert_array_equal(fitted.predict(X), np.argsort(order)[theirs.predict(X)])
    assert fitted.fit_.loglike >= theirs.score(X) * 240 - 1e-9


def test_attributes_have_scikit_learns_names_shapes_and_types() -> None:
    theirs = GaussianMixture(2, **TIGHT).fit(X)
    order = in_order(theirs)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        ours, other = getattr(FITTED, name), getattr(theirs, name)[order]
        assert (ours.shape, ours.dtype) == (other.shape, other.dtype), name
        np.testing.assert_allclose(ours, other, rtol=1e-4, err_msg=name)
    for name in ("converged_", "n_iter_", "n_features_in_"):
        assert type(getattr(FITTED, name)) is type(getattr(theirs, name)), name
    assert isinstance(FITTED.lower_bound_, float)


def test_labels_follow_the_means() -> None:
    assert FITTED.predict([[-1.0], [7.0]]).tolist() == [0, 1]
    assert (np.diff(FITTED.means_[:, 0]) > 0.0).all()
    np.testing.assert_array_equal(FITTED.predict(X), GaussianMixture1D().fit_predict(X))
    np.testing.assert_array_equal(FITTED.predict(X), FITTED.predict_proba(X).argmax(axis=1))


def test_weights_are_repeated_rows() -> None:
    # All of the lower group count once, one in four of the upper: that moves the cut.
    weights = np.where(X[:, 0] < 3.0, 1, np.arange(240) % 4 == 0)
    weighted = GaussianMixture1D().fit(X, sample_weight=weights)
    repeated = GaussianMixture1D().fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-10)
    assert weighted.lower_bound_ == pytest.approx(repeated.lower_bound_, rel=1e-12)
    score = weighted.score(X, sample_weight=weights)
    assert score == pytest.approx(repeated.score(np.repeat(X, weights, axis=0)), rel=1e-12)
    labels = GaussianMixture1D().fit_predict(X, sample_weight=weights)
    np.testing.assert_array_equal(labels, weighted.predict(X))
    assert (labels != FITTED.predict(X)).any()


def test_what_weights_mean_is_a_parameter() -> None:
    weights = np.linspace(0.5, 1.5, 240)
    with pytest.raises(bt.ParameterError, match='weight_kind="sampling"'):
        GaussianMixture1D().fit(X, sample_weight=weights)
    fitted = GaussianMixture1D(weight_kind="sampling").fit(X, sample_weight=weights)
    fit = bt.fit(X[:, 0], sample_weight=weights, weight_kind="sampling")
    assert fitted.fit_.mixture == fit.mixture
    assert fitted.score(X, sample_weight=weights) == pytest.approx(fitted.lower_bound_, rel=1e-12)


def test_a_change_of_unit_in_a_pipeline_changes_the_density_by_it() -> None:
    piped = make_pipeline(StandardScaler(), GaussianMixture1D()).fit(X)
    np.testing.assert_array_equal(piped.predict(X), FITTED.predict(X))
    assert piped.score(X) - math.log(X.std()) == pytest.approx(FITTED.score(X), rel=1e-10)


def test_a_search_finds_the_number_of_groups() -> None:
    rows = draw("three", 600)[:, None]
    grid = {"n_components": [1, 2, 3], "equal_variances": [False, True]}
    search = GridSearchCV(GaussianMixture1D(), grid, cv=KFold(3)).fit(rows)
    assert search.best_params_ == {"n_components": 3, "equal_variances": False}
    first = KFold(3).split(rows)
    train, test = next(iter(first))
    expected = GaussianMixture1D(1).fit(rows[train]).score(rows[test])
    assert search.cv_results_["split0_test_score"][0] == expected


def test_known_values_go_through_a_search() -> None:
    known: dict[str, list[float | None]] = {"means": [0.0, None]}
    search = GridSearchCV(GaussianMixture1D(), {"fixed": [None, known]}, cv=KFold(2)).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    fitted = clone(GaussianMixture1D(fixed=known, bounds={"sds": [(1.2, 1.4), None]})).fit(X)
    assert fitted.means_[0, 0] == 0.0
    assert math.sqrt(fitted.covariances_[0, 0, 0]) == pytest.approx(1.2, rel=1e-12)
    assert GaussianMixture1D(equal_weights=True).fit(X).weights_.tolist() == [0.5, 0.5]
    assert GaussianMixture1D(method="em", max_steps=1000).fit(X).n_iter_ > FITTED.n_iter_


def test_weights_are_routed_to_fits_and_scores() -> None:
    weights = np.arange(240) % 3 + 1
    with config_context(enable_metadata_routing=True):
        estimator = GaussianMixture1D().set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        search = GridSearchCV(estimator, {"n_components": [2]}, cv=KFold(2))
        search.fit(X, sample_weight=weights)
    train, test = next(iter(KFold(2).split(X)))
    fitted = GaussianMixture1D().fit(X[train], sample_weight=weights[train])
    expected = fitted.score(X[test], sample_weight=weights[test])
    assert search.cv_results_["split0_test_score"][0] == expected
    assert search.best_estimator_.fit_.n_obs == weights.sum()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_a_frame_become_named_probabilities(library: str) -> None:
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"a": X[:, 0], "b": X[::-1, 0] * 2.0})
    parts = [("one", GaussianMixture1D(), ["a"]), ("other", GaussianMixture1D(), ["b"])]
    table = ColumnTransformer(parts).set_output(transform=library).fit_transform(frame)
    assert isinstance(table, frames.DataFrame)
    assert list(table.columns) == [
        f"{part}_{name}_component{k}".replace("_", "__", 1)
        for part, name in (("one", "a"), ("other", "b"))
        for k in (0, 1)
    ]
    np.testing.assert_array_equal(table.to_numpy()[:, :2], FITTED.predict_proba(X))
    alone = GaussianMixture1D().set_output(transform=library).fit_transform(frame[["a"]])
    assert list(alone.columns) == ["a_component0", "a_component1"]
    np.testing.assert_array_equal(alone.to_numpy(), FITTED.transform(X))


def test_clones_forget_and_pickles_remember() -> None:
    with pytest.raises(NotFittedError):
        clone(FITTED).predict(X)
    assert clone(GaussianMixture1D(3, random_state=1)).get_params()["n_components"] == 3
    thawed = pickle.loads(pickle.dumps(FITTED))
    np.testing.assert_array_equal(thawed.predict_proba(X), FITTED.predict_proba(X))
    assert str(thawed.fit_) == str(FITTED.fit_)


def test_the_fit_knows_the_name_of_its_column() -> None:
    frame = pytest.importorskip("pandas").DataFrame({"height": X[:, 0]})
    fitted = GaussianMixture1D().fit(frame)
    assert str(fitted.fit_).startswith("Mixture of 2 normal components, fitted to height (240 rows")


@pytest.mark.parametrize("method", ["predict", "score", "score_samples", "bic", "aic", "transform"])
def test_nothing_is_known_before_the_fit(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(GaussianMixture1D(), method)(X)


def test_a_stopped_ascent_is_scored_where_it_stopped() -> None:
    with pytest.warns(ConvergenceWarning, match="largest number of steps"):
        stopped = GaussianMixture1D(method="em", max_steps=1).fit(X)
    assert (stopped.converged_, stopped.n_iter_) == (False, 1)
    assert stopped.score(X) == pytest.approx(stopped.lower_bound_, rel=1e-12)
    assert stopped.score(X) == pytest.approx(stopped.fit_.mixture.logpdf(X[:, 0]).mean(), rel=1e-12)
    assert stopped.score(X) < FITTED.score(X)


def test_two_processes_find_what_one_finds() -> None:
    alone, shared = (
        GridSearchCV(GaussianMixture1D(), {"n_components": [1, 2]}, cv=KFold(2), n_jobs=n).fit(X)
        for n in (None, 2)
    )
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], shared.cv_results_["mean_test_score"]
    )
    labels = cross_val_predict(GaussianMixture1D(), X, cv=KFold(2))
    train, test = next(iter(KFold(2).split(X)))
    np.testing.assert_array_equal(labels[test], GaussianMixture1D().fit(X[train]).predict(X[test]))


def test_draws_have_the_labels_of_their_components() -> None:
    drawn, labels = GaussianMixture1D(random_state=4).fit(X).sample(4000)
    assert (drawn.shape, labels.shape) == ((4000, 1), (4000,))
    again, _ = GaussianMixture1D(random_state=4).fit(X).sample(4000)
    np.testing.assert_array_equal(drawn, again)
    for k in (0, 1):
        of_k = drawn[labels == k, 0]
        share, sd = FITTED.weights_[k], math.sqrt(FITTED.covariances_[k, 0, 0])
        # Five standard errors each.
        assert abs(of_k.size / 4000 - share) < 5.0 * math.sqrt(share * (1.0 - share) / 4000)
        assert abs(of_k.mean() - FITTED.means_[k, 0]) < 5.0 * sd / math.sqrt(of_k.size)
        assert abs(of_k.std() / sd - 1.0) < 5.0 / math.sqrt(2.0 * of_k.size)
    with pytest.raises(bt.ParameterError, match="how many rows to draw"):
        FITTED.sample(0)


def test_data_without_a_maximum_give_a_warning_with_a_remedy() -> None:
    rows = np.append(draw("apart") * 1e-3, 1e6)[:, None]
    with pytest.warns(ConvergenceWarning, match=r"No admissible maximum.*equal_variances=True"):
        fitted = GaussianMixture1D(2).fit(rows)
    assert fitted.converged_ is False
    assert fitted.predict(rows)[-1] == 1
    assert math.isnan(fitted.score(rows))
    assert math.isnan(fitted.lower_bound_)
    assert math.isnan(fitted.bic(rows))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_collapse_wins_no_search() -> None:
    search = GridSearchCV(
        GaussianMixture1D(), {"n_components": [1, 4]}, cv=KFold(2, shuffle=True, random_state=0)
    )
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        search.fit(TIED)
    assert search.best_params_ == {"n_components": 1}
    spiked = GaussianMixture1D(4).fit(TIED)
    assert spiked.score_samples(TIED).mean() > search.best_estimator_.score(TIED)


def test_a_constant_column_is_an_error_that_a_search_survives() -> None:
    with pytest.raises(bt.DataError, match="a constant column has no spread"):
        GaussianMixture1D(1).fit(np.full((9, 1), 3.7))
    rows = np.append(np.full(40, 3.7), draw("apart")[:40])[:, None]
    search = GridSearchCV(GaussianMixture1D(), {"n_components": [1]}, cv=KFold(2))
    with pytest.warns((FitFailedWarning, UserWarning)) as seen:
        search.fit(rows)
    assert any("constant column" in str(warning.message) for warning in seen)


def test_many_rows_are_fitted_by_way_of_their_sums() -> None:
    rows = draw("apart", 40_000)
    fitted = GaussianMixture1D().fit(rows[:, None])
    assert fitted.fit_.certificate.sketch_error > FITTED.fit_.certificate.sketch_error == 0.0
    assert fitted.lower_bound_ == pytest.approx(fitted.score(rows[:, None]), rel=1e-12)


# Where variances overflow, where their inverses do, where they are zero.
@pytest.mark.parametrize("unit", [1e200, 1e-156, 1e-200])
def test_no_unit_is_too_large_or_too_small(unit: float) -> None:
    fitted = GaussianMixture1D().fit(X * unit)
    assert np.isinf([fitted.covariances_, fitted.precisions_]).any(axis=0).all()
    np.testing.assert_allclose(fitted.precisions_cholesky_ * unit, FITTED.precisions_cholesky_)
    np.testing.assert_array_equal(fitted.predict(X * unit), FITTED.predict(X))


def test_without_scikit_learn_the_extra_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import bactrian; import bactrian.estimator"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, encoding="utf-8"
    )
    assert done.stderr.splitlines()[-1] == (
        "ImportError: bactrian.estimator needs scikit-learn, which is not installed: run "
        "pip install 'bactrian[sklearn]', or fit with bactrian.fit, which does without it"
    )
