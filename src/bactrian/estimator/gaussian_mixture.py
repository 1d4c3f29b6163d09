"""GaussianMixture1D: fits of one column where scikit-learn's estimators go."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from bactrian.estimator.columns import (
    checked_weights,
    column_of,
    output_names,
    weighted_mean,
)
from bactrian.estimator.conformity import failed_checks
from bactrian.fitting import Fit, fit
from bactrian.fitting.requirements import whole_number
from bactrian.solve.outcome import Outcome

Array = NDArray[np.float64]

# Where the likelihood has no upper bound, its value says nothing.
_UNBOUNDED = (Outcome.COMPONENT_COLLAPSED, Outcome.BINS_TOO_WIDE)


class GaussianMixture1D(DensityMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A mixture of normal distributions of one feature, fitted by certified maximum likelihood.

    scikit-learn's form of :func:`bactrian.fit`, with the names and shapes of its
    ``GaussianMixture``. There is no ``tol``, no regularisation and no random start: the same data
    give the same answer, and log-likelihoods are those of the maximum.

    Parameters
    ----------
    n_components : int
        K >= 1.
    equal_variances : bool
        Whether all components share one variance; scikit-learn's ``covariance_type="tied"``.
    equal_weights : bool
        Whether all components have the same weight.
    fixed, bounds : mapping, optional
        What is known of "weights", "means" or "sds", as in ``bactrian.fit``.
    method : {"newton", "em", "gradient", "lbfgs"}
        How the reported ascent is made. All of them end at the same maximum.
    max_steps : int, optional
        Largest number of steps of that ascent.
    weight_kind : {"frequency", "sampling"}, optional
        What `sample_weight` means; needed where weights are not whole numbers.
    random_state : int, RandomState instance or None
        For ``sample`` only: a fit uses no randomness.

    Attributes
    ----------
    weights_ : (K,) float64
        Mixing weights; components in order of mean, so that label 0 is the lowest. Where
        constraints tell components apart they keep the order in which they are named.
    means_ : (K, 1) float64
    covariances_, precisions_ : (K, 1, 1) float64
        Variances and their inverses, in the shape of ``covariance_type="full"``, which they keep
        where variances are equal.
    precisions_cholesky_ : (K, 1, 1) float64
        Inverses of the standard deviations.
    converged_ : bool
        Whether the fit is a maximum of the likelihood.
    n_iter_ : int
        Steps of the reported ascent; 0 where its start was the maximum.
    lower_bound_ : float
        Log-likelihood of the fitted rows divided by their number (by the sum of their weights):
        a mean, natural logarithm, where ``fit_.loglike`` is the sum; nan as ``score``.
    fit_ : bactrian.Fit
        The fit itself: certificate, standard errors, intervals, thresholds, tests. It holds the
        fitted rows, or sums over bins where they are many.
    n_features_in_ : int
        1.
    feature_names_in_ : (1,) of str
        The name of the feature, where X was a frame with names.
    expected_failed_checks : dict
        The checks of ``sklearn.utils.estimator_checks.check_estimator`` that no estimator of one
        feature can pass, each with its reason.

    Notes
    -----
    X has one feature: (n, 1), or a frame of one column. float32 is taken, and all is
    computed and returned in float64. Data whose likelihood has no maximum do not raise:
    `converged_` is False, and a ``sklearn.exceptions.ConvergenceWarning`` says why and what to
    do. Data that nothing can be fitted to, as a constant column, raise ``bactrian.DataError``, a
    ValueError.

    Source: derivation, "EM, gradient ascent and Newton" and "Unboundedness".

    Examples
    --------
    >>> import numpy as np
    >>> from bactrian.estimator import GaussianMixture1D
    >>> X = np.array([[1.0], [1.5], [2.0], [2.2], [7.0], [8.0], [8.5], [9.5]])
    >>> GaussianMixture1D(2).fit(X).means_.round(2).tolist()
    [[1.67], [8.25]]
    """

    expected_failed_checks: ClassVar[dict[str, str]] = failed_checks()

    def __init__(
        self,
        n_components: int = 2,
        *,
        equal_variances: bool = False,
        equal_weights: bool = False,
        fixed: Mapping[str, Sequence[float | None]] | None = None,
        bounds: Mapping[str, Sequence[tuple[float | None, float | None] | None]] | None = None,
        method: Literal["newton", "em", "gradient", "lbfgs"] = "newton",
        max_steps: int | None = None,
        weight_kind: Literal["frequency", "sampling"] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.equal_variances = equal_variances
        self.equal_weights = equal_weights
        self.fixed = fixed
        self.bounds = bounds
        self.method = method
        self.max_steps = max_steps
        self.weight_kind = weight_kind
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the mixture to X and return the estimator.

        Parameters
        ----------
        X : array-like (n, 1), frame of one column
        y : ignored
        sample_weight : array-like (n,), optional
            Weights of the rows; what they mean is `weight_kind`. They go by position; a Series
            with another index than a frame X is refused.

        Raises
        ------
        DataError, ParameterError
            As ``bactrian.fit``; both are ValueErrors.
        DataTypeError
            Likewise; a TypeError.
        """
        column = self._column(X, reset=True)
        self.fit_ = fit(
            self._named(column), self.n_components,
            sample_weight=checked_weights(X, sample_weight), weight_kind=self.weight_kind,
            method=self.method, equal_variances=self.equal_variances,
            equal_weights=self.equal_weights, fixed=self.fixed, bounds=self.bounds,
            max_steps=self.max_steps,
        )  # fmt: skip
        self._set_attributes(self.fit_)
        if not self.converged_:
            outcome = self.fit_.outcome
            warnings.warn(f"{outcome.cause} {outcome.remedy}", ConvergenceWarning, stacklevel=2)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> NDArray[np.intp]:
        """Fit the mixture to X and return the labels (n,) of its rows, as ``predict``."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return the label (n,) of the most probable component of each row: 0 is the lowest mean.

        For a cut with its error rates see ``fit_.threshold()``.
        """
        return np.asarray(self.predict_proba(X).argmax(axis=1))

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities (n, K) of the components given the rows: responsibilities."""
        check_is_fitted(self)
        return self.fit_.mixture.responsibilities(self._column(X))

    def transform(self, X: Any) -> Array:
        """Return ``predict_proba(X)``, in the container that ``set_output`` asks for."""
        return self.predict_proba(X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names (K,) of what ``transform`` returns: ``x0_component0`` and so on."""
        check_is_fitted(self)
        known = getattr(self, "feature_names_in_", None)
        return output_names(input_features, known, self.fit_.mixture.n_components)

    def score_samples(self, X: Any) -> Array:
        """Return the log-density (n,) of each row, natural logarithm."""
        check_is_fitted(self)
        return np.asarray(self.fit_.mixture.logpdf(self._column(X)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the mean log-density of the rows, or their weighted mean; larger is better.

        It is nan where a component collapsed: the likelihood had no maximum, and a spike on a
        value that rows repeat would win any selection. Of an ascent that was stopped by
        `max_steps` it is that of the parameters where it stopped. Weights as in ``fit``.
        """
        mean = weighted_mean(self.score_samples(X), X, sample_weight)
        return math.nan if self.fit_.outcome in _UNBOUNDED else mean

    def bic(self, X: Any) -> float:
        """Return Schwarz's criterion on the rows of X, each counted once; smaller is better.

        That of the fitted rows, with their weights, is ``fit_.bic``.
        """
        total, n = self._sum(X)
        return self.fit_.n_params * math.log(n) - 2.0 * total

    def aic(self, X: Any) -> float:
        """Return Akaike's criterion on the rows of X, each counted once; smaller is better.

        That of the fitted rows, with their weights, is ``fit_.aic``.
        """
        total, _ = self._sum(X)
        return 2.0 * self.fit_.n_params - 2.0 * total

    def sample(self, n_samples: int = 1) -> tuple[Array, NDArray[np.intp]]:
        """Return independent draws X (n, 1) and the labels y (n,) of their components."""
        check_is_fitted(self)
        n = whole_number(n_samples, "n_samples", "say how many rows to draw")
        random, mixture = check_random_state(self.random_state), self.fit_.mixture
        labels = random.choice(mixture.n_components, size=n, p=mixture.weights)
        drawn = mixture.means[labels] + mixture.sds[labels] * random.standard_normal(n)
        return drawn[:, None], labels

    def _column(self, X: Any, *, reset: bool = False) -> Array:
        """Values (n,) of the one feature."""
        return column_of(self, X, reset=reset)

    def _sum(self, X: Any) -> tuple[float, int]:
        """Log-likelihood of the rows of X, nan where ``score`` is, and their number."""
        mean = self.score(X)
        n = self._column(X).size
        return mean * n, n

    def _named(self, column: Array) -> Array | dict[str, Array]:
        """The column under the name that its frame gave it, which the fit then shows."""
        names = getattr(self, "feature_names_in_", None)
        return column if names is None else {str(names[0]): column}

    def _set_attributes(self, fit: Fit) -> None:
        """Set what scikit-learn's mixtures have, from the fit."""
        mixture = fit.mixture
        self.weights_ = mixture.weights.copy()
        self.means_ = mixture.means[:, None].copy()
        # Beyond scales of 1e±154 squares leave the range of doubles; the sds of fit_ do not.
        with np.errstate(over="ignore", divide="ignore"):
            self.covariances_ = mixture.variances[:, None, None].copy()
            self.precisions_ = 1.0 / self.covariances_
            self.precisions_cholesky_ = 1.0 / mixture.sds[:, None, None]
        self.converged_ = fit.converged
        self.n_iter_ = fit.solution.n_steps
        unbounded = fit.outcome in _UNBOUNDED
        self.lower_bound_ = math.nan if unbounded else fit.loglike / fit.n_obs
