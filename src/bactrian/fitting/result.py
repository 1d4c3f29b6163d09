"""What fit() returns: a thin value, every method one call into a lower room."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer.covariance import Kind, covariance
from bactrian.infer.estimates import Estimate, Estimates
from bactrian.infer.intervals import Inference
from bactrian.infer.quantity import Quantity, checked_function, parameters
from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture
from bactrian.present.record import as_record
from bactrian.present.summary import Summary
from bactrian.present.tables import as_html, as_text
from bactrian.solve.cautions import certainty
from bactrian.solve.certificate import Certificate
from bactrian.solve.outcome import Outcome
from bactrian.solve.solver import Solution, Step

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How a fit was asked for."""

    constraints: Constraints
    method: str = "newton"
    max_steps: int | None = None

    @property
    def n_components(self) -> int:
        """K."""
        return self.constraints.n_components

    @property
    def equal_variances(self) -> bool:
        """Whether all components share one variance."""
        ratios = self.constraints.sd_ratios
        return ratios is not None and bool((ratios == 1.0).all())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fit:
    """A maximum-likelihood fit; printing it shows the estimates and the reasons to trust them.

    Attributes
    ----------
    solution : Solution
        Where the ascent ended, its path and certificate.
    sample : Sample
        The weighted values that were fitted.
    column : str or None
        Name of the column, where it has one.
    n_missing : int
        Rows left out because their value was missing.
    options : Options
        How the fit was asked for.
    """

    solution: Solution
    sample: Sample
    column: str | None
    n_missing: int
    options: Options

    @property
    def mixture(self) -> NormalMixture:
        """The fitted mixture, components in order of mean, then sd, then weight."""
        return self.solution.mixture

    @property
    def outcome(self) -> Outcome:
        """How the ascent ended, with its cause and its remedy."""
        return self.solution.outcome

    @property
    def converged(self) -> bool:
        """Whether the fit is an admissible maximum of the likelihood."""
        return self.outcome is Outcome.CONVERGED

    @property
    def certificate(self) -> Certificate:
        """The reasons to trust the fit."""
        return self.solution.certificate

    @property
    def trace(self) -> tuple[Step, ...]:
        """The path of the ascent."""
        return self.solution.trace

    @property
    def loglike(self) -> float:
        """Log-likelihood: a sum over rows, natural log, constants kept."""
        return self.solution.loglike

    @property
    def n_obs(self) -> float:
        """Number of rows; the sum of frequency weights; (sum w)^2 / sum w^2 of sampling weights."""
        return self.sample.total

    @property
    def n_params(self) -> int:
        """Number of free parameters."""
        return self.options.constraints.n_free

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 p - 2 loglike; smaller is better; NaN with sampling weights."""
        if self.sample.squared is not None:
            return math.nan
        return 2.0 * self.n_params - 2.0 * self.loglike

    @property
    def bic(self) -> float:
        """Schwarz's criterion, p log n - 2 loglike; smaller is better; NaN as `aic`."""
        if self.sample.squared is not None:
            return math.nan
        return self.n_params * math.log(self.n_obs) - 2.0 * self.loglike

    @property
    def icl(self) -> float:
        """BIC plus twice the entropy of the memberships; smaller for separated components."""
        r = self.mixture.responsibilities(self.sample.values)
        log_r = np.log(r, out=np.zeros_like(r), where=r > 0.0)
        return self.bic - 2.0 * float(self.sample.weights @ (r * log_r).sum(axis=1))

    def covariance(
        self, *, kind: Kind | None = None, coordinates: Literal["natural", "working"] = "natural"
    ) -> Array:
        """Return the covariance matrix of the estimates; NaN where the fit is not a maximum.

        Parameters
        ----------
        kind : {"hessian", "outer_product", "sandwich"}, optional
            From the observed information, the outer products of the per-row scores, or both. The
            first by default; with sampling weights the last, and only that.
        coordinates : {"natural", "working"}
            "natural": (3K, 3K) of all weights, means and variances; "working": (3K - 1, 3K - 1)
            of logits log(pi_k / pi_K), means, log variances.

        Raises
        ------
        ParameterError
            If the kind or the coordinates are unknown.

        Notes
        -----
        Source: derivation, "Per-row score and information".
        """
        solution = self.solution
        found = covariance(
            solution.problem,
            solution.state,
            self.mixture,
            kind=self._kind(kind),
            coordinates=coordinates,
        )
        return found if self.converged else np.full_like(found, np.nan)

    def confint(
        self,
        level: float = 0.95,
        *,
        method: Literal["wald", "profile"] = "wald",
        kind: Kind | None = None,
    ) -> Estimates:
        """Return the estimates with standard errors and intervals.

        Parameters
        ----------
        level : float
            Coverage aimed at, in (0, 1).
        method : {"wald", "profile"}
            "wald": symmetric in logits, means and log sds, and mapped back. "profile": all values
            to which the log-likelihood falls by less than half a chi-square quantile; an end that
            is never reached is open, and its estimate's note says so.
        kind : {"hessian", "outer_product", "sandwich"}, optional
            Covariance behind the standard errors, as for ``covariance``.

        Returns
        -------
        Estimates
            "weight 1", "mean 1", "sd 1", "weight 2" and so on, by position or by name; standard
            errors and ends are NaN where the fit is not a maximum.

        Raises
        ------
        ParameterError
            If the level is not between 0 and 1, or the method or the kind unknown.

        Notes
        -----
        Source: derivation, "Delta method" and "Profile likelihood".
        """
        return self._estimates(parameters(self.mixture.n_components), level, method, kind)

    def derive(
        self,
        function: Callable[[NormalMixture], float],
        name: str = "quantity",
        *,
        level: float = 0.95,
        method: Literal["wald", "profile"] = "wald",
        scale: Literal["identity", "log", "logit"] = "identity",
        kind: Kind | None = None,
    ) -> Estimate:
        """Return any smooth function of the mixture as an estimate with its interval.

        Parameters
        ----------
        function : callable
            From a mixture, in the unit of the data and with components in the order of this fit,
            to a number. It is differentiated by differences.
        name : str
            What to call it.
        level, method, kind
            As for ``confint``.
        scale : {"identity", "log", "logit"}
            Where Wald intervals are symmetric: "log" for what is positive, "logit" for shares.

        Raises
        ------
        ParameterError
            As ``confint``; if the function gives no number.

        Notes
        -----
        Source: derivation, "Delta method" and "Profile likelihood".
        """
        quantity = Quantity(name, checked_function(function, self.mixture), scale)
        return self._estimates((quantity,), level, method, kind)[0]

    def _kind(self, kind: Kind | None) -> Kind:
        """The kind of covariance asked for, or the one that goes with the weights."""
        if self.sample.squared is None:
            return "hessian" if kind is None else kind
        if kind not in (None, "sandwich"):
            raise ParameterError(
                f"kind={kind!r} counts every weight as so many rows, and these are sampling "
                'weights; only kind="sandwich" is right for them.'
            )
        return "sandwich"

    def _estimates(
        self, quantities: Iterable[Quantity], level: float, method: str, kind: Kind | None
    ) -> Estimates:
        """The estimates of quantities; values only, where the fit is not a maximum."""
        inference = Inference(self.solution.problem, self.solution.state, self._kind(kind), level)
        way = method if self.converged else "wald"
        found = [inference.estimate(quantity, way) for quantity in quantities]
        return Estimates(found if self.converged else map(_without_error, found))

    def summary(self, level: float = 0.95) -> Summary:
        """Return the facts that printing shows, with intervals of a given level."""
        outcome = self.outcome
        missing: tuple[str, ...] = ()
        if self.n_missing:
            rows = "row was" if self.n_missing == 1 else "rows were"
            missing = (f"Note: {self.n_missing} {rows} left out, the value is missing.",)
        if self.sample.squared is not None:
            missing += (
                f"Note: the weights are sampling weights, worth {self.n_obs:,.6g} rows of equal "
                "weight; standard errors are those of the sandwich, and AIC and BIC undefined.",
            )
        return Summary(
            column=self.column,
            n_obs=self.n_obs,
            n_components=self.options.n_components,
            equal_variances=self.options.equal_variances,
            method=self.options.method,
            estimates=self.confint(level),
            loglike=self.loglike,
            aic=self.aic,
            bic=self.bic,
            n_params=self.n_params,
            outcome=outcome.value,
            outcome_sentence=f"{outcome.cause} {outcome.remedy}".strip(),
            certainty=certainty(outcome, self.solution.n_steps, self.certificate),
            warnings=(*self.certificate.warnings, *missing),
        )

    def to_dict(self, level: float = 0.95) -> dict[str, Any]:
        """Return all results as plain values for strict JSON: unrounded, None for non-finite."""
        return as_record(self.summary(level), self.mixture, self.certificate, self.n_missing)

    def __str__(self) -> str:
        """Return the table of estimates and what there is to say about them."""
        return as_text(self.summary())

    def __repr__(self) -> str:
        """Return the printed form: a fit is looked at where it is made."""
        return as_text(self.summary())

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return as_html(self.summary())


def _without_error(estimate: Estimate) -> Estimate:
    """The estimate with neither standard error nor interval."""
    nan = math.nan
    return replace(estimate, standard_error=nan, low=nan, high=nan)
