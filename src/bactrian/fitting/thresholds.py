"""What a fit says about telling two components apart. Each of these functions is a method of
``Fit``.
"""  # noqa: D205

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bactrian.fitting.calls import call_of
from bactrian.fitting.uncertainty import estimates
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.choice import chosen_cut, named_pair
from bactrian.infer.covariance import Kind
from bactrian.infer.estimates import Estimates
from bactrian.infer.intervals import Method
from bactrian.infer.shape import shape_quantities
from bactrian.infer.thresholds import Threshold, crossing_estimates, threshold_of

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

_ONE_HUMP = "no weights would give the density of these two components two humps"


def threshold(
    fit: Fit,
    *,
    posterior: float | None = None,
    costs: Sequence[float] | None = None,
    prevalence: float | None = None,
    false_positive_rate: float | None = None,
    false_negative_rate: float | None = None,
    density_minimum: bool = False,
    components: Sequence[int] | None = None,
    level: float = 0.95,
    method: Method | Bootstrap = "profile",
    kind: Kind | None = None,
) -> Threshold:
    """Return a cut between two components, with its error rates, each with its interval.

    Rows above the cut are called members of the upper component ("positive"), the others members
    of the lower one. At most one of posterior, costs, the two rates and density_minimum says which
    cut is meant; without any it is where both components are equally probable.

    Parameters
    ----------
    posterior : float
        Cut where the posterior probability of the upper component rises through this value.
    costs : (float, float)
        Cost of calling a member of the lower component positive, and of calling one of the upper
        component negative; only their ratio matters. Cut where the expected cost is least.
    prevalence : float
        Share of the upper component in the population where the cut is to be used, if that is
        another one than was fitted. It replaces the fitted weights, which then change neither the
        cut nor the error rate. It goes with every kind of cut.
    false_positive_rate : float
        Cut where this share of the lower component lies above.
    false_negative_rate : float
        Cut where this share of the upper component lies below.
    density_minimum : bool
        Cut where the density is lowest between the two means.
    components : (int, int)
        Which two, counted from 1 in the order of the fit; the one with the smaller mean is the
        lower. Needed with more than two: the posterior and all rates are then among their members.
    level, method, kind
        As for ``confint``; profile intervals by default.

    Returns
    -------
    Threshold
        The cut and the rates as estimates, and a sentence that says what cut it is. Where there is
        no such cut its value is NaN, and its note says why and what to do.

    Raises
    ------
    ParameterError
        If more than one cut is asked for, a number is out of its range, or the fit has one
        component, or more than two and it is not said which two are meant.

    Notes
    -----
    With different sds the posterior passes a value twice, or never. The cut is the point nearest to
    the middle of the two means, where the upper component overtakes the lower one; its note names
    the other one, where the wider component wins again.

    Source: derivation, "Thresholds".
    """
    rule: dict[str, Any] = {
        "posterior": posterior,
        "costs": costs,
        "prevalence": prevalence,
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": false_negative_rate,
        "density_minimum": density_minimum,
    }
    choice = chosen_cut(fit.mixture.means.tolist(), components, **rule)
    found = threshold_of(
        choice, fit.mixture, fit.n_obs, lambda q: estimates(fit, q, level, method, kind)
    )
    given = rule | {"components": components, "level": level, "method": method, "kind": kind}
    return replace(found, call=call_of(threshold, given))


def crossings(
    fit: Fit,
    components: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    method: Method | Bootstrap = "profile",
    kind: Kind | None = None,
) -> Estimates:
    """Return the points where two components are equally probable: none, one or two.

    Parameters
    ----------
    components : (int, int)
        Which two, counted from 1 in the order of the fit. Needed with more than two.
    level, method, kind
        As for ``confint``; profile intervals by default.

    Raises
    ------
    ParameterError
        As ``threshold``.

    Notes
    -----
    Source: derivation, "Log-odds for two components" and "Thresholds".
    """
    pair = named_pair(fit.mixture.means.tolist(), components)
    found = crossing_estimates(fit.mixture, *pair, lambda q: estimates(fit, q, level, method, kind))
    return Estimates(found)


def shape(
    fit: Fit,
    components: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    method: Method | Bootstrap = "wald",
    kind: Kind | None = None,
) -> Estimates:
    """Return how far apart two components are, in five measures.

    Parameters
    ----------
    components : (int, int)
        Which two, counted from 1 in the order of the fit. Needed with more than two; all measures
        are then of the mixture of these two.
    level, method, kind
        As for ``confint``.

    Returns
    -------
    Estimates
        ``"separation"``, the distance of the means over the sd within the components, pooled by
        their weights. ``"Ashman's D"``, the same with the two variances averaged: above 2 for a
        clean separation. ``"overlap"``, the area that the two densities share, between 0 and 1.
        ``"Bayes error"``, the least share of wrong calls that any rule can have. ``"bimodality"``,
        the change of the log-odds of the weights that makes the two humps of the density one:
        positive where there are two humps, negative where there is one and other weights would
        give two, NaN where none would.

    Raises
    ------
    ParameterError
        As ``threshold``.

    Notes
    -----
    Source: derivation, "Thresholds".
    """
    lower, upper = named_pair(fit.mixture.means.tolist(), components)
    *others, bimodality = estimates(fit, shape_quantities(lower, upper), level, method, kind)
    if math.isnan(bimodality.value):
        bimodality = replace(bimodality, note=_ONE_HUMP)
    return Estimates([*others, bimodality])
