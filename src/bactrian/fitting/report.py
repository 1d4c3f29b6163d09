"""What printing a fit shows, gathered from the lower rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bactrian.present.summary import Summary
from bactrian.solve.cautions import certainty

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def summary_of(fit: Fit, level: float) -> Summary:
    """Return the facts that printing a fit shows, with intervals of a given level."""
    outcome = fit.outcome
    return Summary(
        column=fit.column,
        n_obs=fit.n_obs,
        n_components=fit.options.n_components,
        equal_variances=fit.options.equal_variances,
        method=fit.options.method,
        estimates=fit.confint(level),
        loglike=fit.loglike,
        aic=fit.aic,
        bic=fit.bic,
        n_params=fit.n_params,
        outcome=outcome.value,
        outcome_sentence=f"{outcome.cause} {outcome.remedy}".strip(),
        certainty=certainty(outcome, fit.solution.n_steps, fit.certificate),
        warnings=(*fit.certificate.warnings, *_notes(fit)),
    )


def _notes(fit: Fit) -> list[str]:
    """What was done to the rows."""
    found = []
    if fit.n_missing:
        rows = "row was" if fit.n_missing == 1 else "rows were"
        found.append(f"Note: {fit.n_missing} {rows} left out, the value is missing.")
    if fit.sample.squared is not None:
        found.append(
            f"Note: the weights are sampling weights, worth {fit.n_obs:,.6g} rows of equal "
            "weight; standard errors are those of the sandwich, and AIC and BIC undefined."
        )
    return found
