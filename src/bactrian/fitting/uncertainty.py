"""What a fit is asked about its uncertainty. Each of these functions is a method of ``Fit``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.calls import call_of
from bactrian.fitting.requirements import whole_number
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.bootstrap import bootstrap as resample
from bactrian.infer.covariance import Kind
from bactrian.infer.covariance import covariance as covariance_of
from bactrian.infer.estimates import Estimate, Estimates
from bactrian.infer.intervals import METHODS, Inference, Method
from bactrian.infer.nested import NestedTest, nested_test
from bactrian.infer.quantity import Quantity, checked_function, parameters
from bactrian.infer.scales import SCALES
from bactrian.model.mixture import NormalMixture
from bactrian.solve.cautions import WEAK

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

Array = NDArray[np.float64]


def covariance(
    fit: Fit, *, kind: Kind | None = None, coordinates: Literal["natural", "working"] = "natural"
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
    solution = fit.solution
    found = covariance_of(
        solution.problem,
        solution.state,
        fit.mixture,
        kind=kind_of(fit, kind),
        coordinates=coordinates,
    )
    return found if fit.converged else np.full_like(found, np.nan)


def confint(
    fit: Fit,
    level: float = 0.95,
    *,
    method: Method | Bootstrap = "wald",
    kind: Kind | None = None,
) -> Estimates:
    """Return the estimates with standard errors and intervals.

    Parameters
    ----------
    level : float
        Coverage aimed at, in (0, 1).
    method : {"wald", "profile", "plain_profile", "bootstrap"} or Bootstrap
        "wald": symmetric in logits, means and log sds, and mapped back. "profile": all values
        to which the log-likelihood falls by less than half a chi-square quantile times a factor
        for few rows, without which such intervals are too short; "plain_profile": without it. An
        end that is never reached is open, and its estimate's note says so. "bootstrap": quantiles
        of 1,000 refits of resampled rows; for another number, kind or seed, or to use the same
        refits again, pass what ``Fit.bootstrap`` returns.
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
    return estimates(fit, parameters(fit.mixture.n_components), level, method, kind)


def derive(
    fit: Fit,
    function: Callable[[NormalMixture], float],
    name: str = "quantity",
    *,
    level: float = 0.95,
    method: Method | Bootstrap = "wald",
    scale: Literal["identity", "log", "logit"] = "identity",
    kind: Kind | None = None,
) -> Estimate:
    """Return any smooth function of the mixture as an estimate with its interval.

    Parameters
    ----------
    function : callable
        From a mixture, in the unit of the data and with components in the order of this fit,
        to a number. It is differentiated by differences. One that is constant near the fit has
        no error; one with a kink, a jump or a slope of zero there has neither a standard error
        nor such an interval, which its note says, but may have one by refits.
    name : str
        What to call it.
    level, method, kind
        As for ``confint``.
    scale : {"identity", "log", "logit"}
        Where Wald intervals are symmetric: "log" for what is positive, "logit" for shares.

    Raises
    ------
    ParameterError
        As ``confint``; if the function gives no number, or the scale is unknown.

    Notes
    -----
    Source: derivation, "Delta method" and "Profile likelihood".
    """
    if scale not in SCALES:
        raise ParameterError(
            f"scale={scale!r} is unknown; choose one of {', '.join(map(repr, SCALES))}."
        )
    quantity = Quantity(name, checked_function(function, fit.mixture), scale)
    return estimates(fit, (quantity,), level, method, kind)[0]


def bootstrap(
    fit: Fit,
    n_replicates: int = 1000,
    *,
    parametric: bool = False,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Bootstrap:
    """Return refits of resampled rows, for intervals of anything: ``fit.confint(method=refits)``.

    Parameters
    ----------
    n_replicates : int
        How many refits; each takes about as long as a few Newton steps.
    parametric : bool
        Draw rows from the fitted mixture; by default they are drawn from the rows.
    rng : numpy.random.Generator, int or None
        Source of randomness; the same seed gives the same numbers with any number of workers.
    workers : int
        Processes to share the work; a script that asks for more than one has its commands under
        ``if __name__ == "__main__":``.
    progress : callable, optional
        Called with the refits done and their number.

    Raises
    ------
    ParameterError
        If the fit is no maximum, a number is out of range, or there are no rows to draw from.

    Notes
    -----
    Source: derivation, "Bootstrap".
    """
    if not fit.converged:
        raise ParameterError("A fit that is no maximum has no refits; see its outcome.")
    found = resample(
        fit.solution.problem,
        fit.solution.state,
        whole_number(n_replicates, "n_replicates", "1000 is usual"),
        parametric=parametric,
        rng=rng,
        workers=whole_number(workers, "workers", "1 is this process alone"),
        progress=progress,
    )
    given = {"n_replicates": n_replicates, "parametric": parametric, "rng": rng}
    return replace(found, call=call_of(bootstrap, given))


def test_against(fit: Fit, general: Fit) -> NestedTest:
    """Return the tests of this restricted fit against a more general one of the same data.

    Parameters
    ----------
    general : Fit
        With the same number of components and fewer constraints.

    Returns
    -------
    NestedTest
        Likelihood-ratio, Wald and score statistics with their p-values, and the degrees of
        freedom: the difference of the numbers of free parameters.

    Raises
    ------
    ParameterError
        Where no chi-square law holds: different numbers of components, a parameter at its
        bound, fits that are not nested, of different data, or not converged.

    Notes
    -----
    Source: derivation, "Tests between nested fits".
    """
    if not isinstance(general, type(fit)):
        raise ParameterError(f"{general!r} is no fit; pass what bt.fit() returned.")
    if not (fit.converged and general.converged):
        raise ParameterError("Tests compare two maxima, and one of the fits did not converge.")
    return nested_test(fit.solution, general.solution)


def kind_of(fit: Fit, kind: Kind | None) -> Kind:
    """The kind of covariance asked for, or the one that goes with the weights."""
    if fit.sample.squared is None:
        return "hessian" if kind is None else kind
    if kind not in (None, "sandwich"):
        raise ParameterError(
            f"kind={kind!r} counts every weight as so many rows, and these are sampling "
            'weights; only kind="sandwich" is right for them.'
        )
    return "sandwich"


def estimates(
    fit: Fit,
    quantities: Iterable[Quantity],
    level: float,
    method: str | Bootstrap,
    kind: Kind | None,
) -> Estimates:
    """The estimates of quantities; values only, where the fit is not a maximum."""
    inference = Inference(fit.solution.problem, fit.solution.state, kind_of(fit, kind), level)
    known = isinstance(method, Bootstrap) or method in (*METHODS, "bootstrap")
    way = "wald" if known and not fit.converged else method
    if way == "bootstrap":
        way = bootstrap(fit)
    found = [inference.estimate(quantity, way) for quantity in quantities]
    if not fit.converged:
        return Estimates(map(_without_error, found))
    weak = fit.certificate.n_lambda_min < WEAK and fit.mixture.n_components > 1
    return Estimates(map(_unreliable, found) if weak else found)


def _unreliable(estimate: Estimate) -> Estimate:
    """The estimate, with a note if its interval is Wald's and the components overlap."""
    if estimate.method != "wald" or estimate.note:
        return estimate
    note = 'unreliable, the components overlap: method="profile" holds better'
    return replace(estimate, note=note)


def _without_error(estimate: Estimate) -> Estimate:
    """The estimate with neither standard error nor interval."""
    nan, note = math.nan, estimate.note or "the fit is no maximum, see its outcome"
    return replace(estimate, standard_error=nan, low=nan, high=nan, note=note)
