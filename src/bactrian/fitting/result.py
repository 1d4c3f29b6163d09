"""What fit() returns: a thin value, every method one call into a lower room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bactrian.data.sample import Sample
from bactrian.data.tables.made import Backend
from bactrian.fitting import (
    diagnostics,
    document,
    frames,
    goodness,
    homogeneity,
    page,
    plots,
    scoring,
    thresholds,
    uncertainty,
    verdict,
)
from bactrian.fitting.options import Options
from bactrian.fitting.report import summary_of
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.intervals import Method
from bactrian.model.mixture import NormalMixture
from bactrian.present.record import as_record
from bactrian.present.summary import Summary
from bactrian.present.tables import as_html, as_text
from bactrian.solve.certificate import Certificate
from bactrian.solve.outcome import Outcome
from bactrian.solve.solver import Solution, Step


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
    library : {"pandas", "polars", "pyarrow"}, optional
        The library of frames that the data were of.
    """

    solution: Solution
    sample: Sample
    column: str | None
    n_missing: int
    options: Options
    library: Backend | None = None

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
        """The path of the ascent: its start, and a point after each of its steps."""
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
    def aicc(self) -> float:
        """AIC corrected for few rows; infinite for p + 1 rows or fewer, NaN as `aic`."""
        left = self.n_obs - self.n_params - 1.0
        if left <= 0.0:
            return math.inf if self.sample.squared is None else math.nan
        return self.aic + 2.0 * self.n_params * (self.n_params + 1.0) / left

    @property
    def entropy(self) -> float:
        """Entropy of the memberships, a sum over rows, natural log; zero for clear ones."""
        r = self.mixture.responsibilities(self.sample.values)
        log_r = np.log(r, out=np.zeros_like(r), where=r > 0.0)
        return max(0.0, -float(self.sample.weights @ (r * log_r).sum(axis=1)))

    @property
    def icl(self) -> float:
        """BIC plus twice the entropy of the memberships; smaller for separated components."""
        return self.bic + 2.0 * self.entropy

    # Functions of a fit that ask for its uncertainty, in a module of their own.
    covariance = uncertainty.covariance
    confint = uncertainty.confint
    derive = uncertainty.derive
    bootstrap = uncertainty.bootstrap
    test_against = uncertainty.test_against

    # How many components there are.
    homogeneity_test = homogeneity.homogeneity_test
    verdict = verdict.verdict

    # How the fit compares with its rows.
    goodness_of_fit = goodness.goodness_of_fit
    quantile_residuals = goodness.quantile_residuals

    # How two components are told apart.
    threshold = thresholds.threshold
    crossings = thresholds.crossings
    shape = thresholds.shape

    # All of it in one file.
    page = page.page

    # How the fit travels to other programs.
    to_json = document.to_json
    from_json = classmethod(document.from_json)
    json_schema = staticmethod(document.json_schema)
    to_frame = frames.to_frame
    to_sql = scoring.to_sql

    # Pictures.
    plot = plots.plot
    plot_responsibilities = plots.plot_responsibilities
    plot_qq = diagnostics.plot_qq
    plot_pit = diagnostics.plot_pit
    plot_profile = diagnostics.plot_profile
    plot_path = plots.plot_path

    def summary(self, level: float = 0.95, method: Method | Bootstrap = "wald") -> Summary:
        """Return the facts that printing shows, with intervals as ``confint`` makes them."""
        return summary_of(self, level, method)

    def to_dict(self, level: float = 0.95, method: Method | Bootstrap = "wald") -> dict[str, Any]:
        """Return all results as plain values for strict JSON: unrounded, None for non-finite."""
        return as_record(
            self.summary(level, method), self.mixture, self.certificate, self.n_missing
        )

    def __str__(self) -> str:
        """Return the table of estimates and what there is to say about them."""
        return as_text(self.summary())

    def __repr__(self) -> str:
        """Return the printed form: a fit is looked at where it is made."""
        return as_text(self.summary())

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return as_html(self.summary())
