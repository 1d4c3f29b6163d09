"""What there is to say about a fit, as plain values: the one thing text and HTML are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bactrian.infer.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Summary:
    """The facts that `print(fit)` shows, already computed.

    Attributes
    ----------
    column : str or None
        Name of the column that was fitted, if it had one.
    n_obs : float
        Rows, or the sum of the frequency weights, or the effective rows of sampling weights.
    n_components : int
        Number of components.
    equal_variances : bool
        Whether the components share one variance; each then lists the common sd.
    method : str
        Name of the solver, for example ``"newton"``.
    estimates : tuple of Estimate
        Named ``"weight 1"``, ``"mean 1"``, ``"sd 1"``, ``"weight 2"`` and so on. Names without a
        component number are listed last.
    loglike, aic, bic : float
        Sum over the rows of the natural log density, and the criteria made from it.
    n_params : int
        Number of free parameters.
    outcome : str
        ``"converged"``, or the lower-case name of what happened instead.
    outcome_sentence : str
        What happened and what to try; shown when the outcome is not ``"converged"``.
    certainty : str
        One line on how it ended and how sure we are.
    warnings : tuple of str
        In words. One that starts with ``"Note:"`` is printed as a note, any other as a warning.
    gain_bound, sd_floor : float or None
        No mixture of any number of components with sds of at least the floor has a log-likelihood
        higher by more than the bound. None where no bound is known.
    weight_kind : {"frequency", "sampling"}
        What observation weights mean; "frequency" where there are none.
    constraints : mapping or None
        What was held in the fit, as arguments of ``fit``; None where nothing was.
    """

    column: str | None
    n_obs: float
    n_components: int
    equal_variances: bool
    method: str
    estimates: tuple[Estimate, ...]
    loglike: float
    aic: float
    bic: float
    n_params: int
    outcome: str
    outcome_sentence: str
    certainty: str
    warnings: tuple[str, ...]
    gain_bound: float | None = None
    sd_floor: float | None = None
    weight_kind: str = "frequency"
    constraints: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        """Return the summary as text."""
        from bactrian.present.tables import as_text

        return as_text(self)
