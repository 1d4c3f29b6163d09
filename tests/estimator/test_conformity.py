"""scikit-learn's own checks: which the estimator passes, and which nobody of one feature can."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

from bactrian.estimator import GaussianMixture1D

# Some checks fit two components to three values, where the likelihood has no maximum.
pytestmark = pytest.mark.filterwarnings("ignore:No admissible maximum exists")


class FirstFeature(GaussianMixture1D):
    """A twin that takes any number of features and fits the first."""

    expected_failed_checks: ClassVar[dict[str, str]] = {}

    def _column(self, X: Any, *, reset: bool = False) -> NDArray[np.float64]:
        """The first feature."""
        least = 2 if reset else 1
        table = validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=least)
        column: NDArray[np.float64] = table[:, 0]
        return column


def statuses(estimator: Any) -> dict[str, set[str]]:
    """For every status the names of the checks that ended so."""
    found: dict[str, set[str]] = {}
    results = check_estimator(
        estimator,
        expected_failed_checks=estimator.expected_failed_checks,
        on_fail=None,
        on_skip=None,
    )
    for result in results:
        found.setdefault(result["status"], set()).add(result["check_name"])
    return found


def test_no_check_fails_that_is_not_listed_and_every_listed_one_does() -> None:
    found = statuses(GaussianMixture1D())
    assert found.get("failed", set()) == set()
    assert found["xfail"] == set(GaussianMixture1D.expected_failed_checks)
    assert found["passed"] & found["xfail"] == set()
    assert len(found["passed"]) >= 20


def test_with_more_features_than_one_all_checks_pass() -> None:
    found = statuses(FirstFeature())
    assert found.get("failed", set()) | found.get("xfail", set()) == set()
    assert found["passed"] >= set(GaussianMixture1D.expected_failed_checks)


@pytest.mark.parametrize("name", sorted(GaussianMixture1D.expected_failed_checks))
def test_a_listed_check_fails_for_its_features(name: str) -> None:
    errors = [
        result["exception"]
        for result in check_estimator(GaussianMixture1D(), on_fail=None, on_skip=None)
        if result["check_name"] == name and result["status"] == "failed"
    ]
    assert errors
    for error in errors:
        causes = f"{error} {error.__cause__} {error.__context__}"
        assert "features, and GaussianMixture1D fits one" in causes


def test_every_reason_is_the_one_feature() -> None:
    reasons = GaussianMixture1D.expected_failed_checks
    assert reasons
    assert [name for name, reason in reasons.items() if "one feature" not in reason] == []
