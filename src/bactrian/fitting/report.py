"""What printing a fit shows, gathered from the lower rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bactrian.fitting.constraints import as_values, in_words
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.estimates import Estimates
from bactrian.infer.intervals import Method
from bactrian.present.summary import Summary
from bactrian.solve.cautions import certainty

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

_NOTABLE = 0.01  # of the area


def summary_of(fit: Fit, level: float, method: Method | Bootstrap) -> Summary:
    """Return the facts that printing a fit shows, with intervals of a given level and kind."""
    outcome = fit.outcome
    estimates = fit.confint(level, method=method)
    return Summary(
        column=fit.column,
        n_obs=fit.n_obs,
        n_components=fit.options.n_components,
        equal_variances=fit.options.equal_variances,
        method=fit.options.method,
        estimates=tuple(estimates),
        loglike=fit.loglike,
        aic=fit.aic,
        bic=fit.bic,
        n_params=fit.n_params,
        outcome=outcome.value,
        outcome_sentence=f"{outcome.cause} {outcome.remedy}".strip(),
        certainty=certainty(outcome, fit.solution.n_steps, fit.certificate),
        warnings=(*fit.certificate.warnings, *_notes(fit), *_of_intervals(estimates)),
        gain_bound=quick_bound(fit),
        sd_floor=float(fit.mixture.sds.min()),
        weight_kind="frequency" if fit.sample.squared is None else "sampling",
        constraints=as_values(fit.options.constraints),
    )


def quick_bound(fit: Fit) -> float | None:
    """What no mixture could gain over a fit, None where there is no maximum or it takes long."""
    return fit.certificate.gain_bound_if_quick() if fit.converged else None


def _notes(fit: Fit) -> list[str]:
    """What was done to the rows, and what was known before."""
    found = []
    held = in_words(fit.options.constraints)
    if held:
        found.append(f"Note: held in the fit: {held}.")
    if fit.n_missing:
        rows = "row was" if fit.n_missing == 1 else "rows were"
        found.append(f"Note: {fit.n_missing} {rows} left out, the value is missing.")
    if fit.sample.squared is not None:
        found.append(
            f"Note: the weights are sampling weights, worth {fit.n_obs:,.6g} rows of equal "
            "weight; standard errors are those of the sandwich, and AIC and BIC undefined."
        )
    return [*found, *_of_positive(fit)]


def _of_positive(fit: Fit) -> list[str]:
    """What to try where normal components do not suit values that cannot be negative."""
    below = float(fit.mixture.cdf(0.0))
    if not (fit.converged and below > _NOTABLE and fit.sample.values.min() > 0.0):
        return []
    return [
        f"Note: all values are positive, and {100.0 * below:.2g} % of the mixture is below zero: "
        "their logarithms may be nearer to normal, so fit those too."
    ]


def _of_intervals(estimates: Estimates) -> list[str]:
    """What is to be known about single intervals."""
    same: dict[str, list[str]] = {}
    for estimate in estimates:
        # Of Wald intervals the certificate warns already.
        if estimate.note and estimate.standard_error != 0.0 and estimate.method != "wald":
            same.setdefault(estimate.note, []).append(estimate.name)
    known = sum(estimate.standard_error != 0.0 for estimate in estimates)
    return [f"Note: {_intervals_of(names, known)}: {note}." for note, names in same.items()]


def _intervals_of(names: list[str], known: int) -> str:
    """Which intervals something is said of."""
    if len(names) == known > 1:
        return "all intervals"
    return f"the interval{'s' * (len(names) > 1)} of {', '.join(names)}"
