"""Which cut is asked for: from the arguments of a user to a cut and a sentence about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bactrian.errors import ParameterError
from bactrian.infer.cuts import Cut, LevelCut, QuantileCut, ValleyCut

_ONE_KIND = (
    "posterior, costs, false_positive_rate, false_negative_rate and density_minimum each choose a "
    "cut of their own: {} are given, leave one of them."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A cut that is asked for.

    Attributes
    ----------
    cut : Cut
        Which one.
    prior : float or None
        Log-odds of the upper component in the population where the cut is used; those of the
        mixing weights if None.
    rule : str
        What cut this is, in a sentence.
    """

    cut: Cut
    prior: float | None
    rule: str


def chosen_cut(
    means: Sequence[float],
    components: Sequence[int] | None = None,
    *,
    posterior: float | None = None,
    costs: Sequence[float] | None = None,
    prevalence: float | None = None,
    false_positive_rate: float | None = None,
    false_negative_rate: float | None = None,
    density_minimum: bool = False,
) -> Choice:
    """Return the cut that the arguments of ``Fit.threshold`` ask for, of components with means.

    Raises
    ------
    ParameterError
        If two cuts are asked for at once, a number is out of its range, or it is not said between
        which two components.

    Notes
    -----
    Source: derivation, "Thresholds".
    """
    lower, upper = named_pair(means, components)
    kinds = {
        "posterior": posterior,
        "costs": costs,
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": false_negative_rate,
        "density_minimum": density_minimum or None,
    }
    given = [name for name, value in kinds.items() if value is not None]
    if len(given) > 1:
        raise ParameterError(_ONE_KIND.format(" and ".join(given)))
    prior = None if prevalence is None else log_odds(_share("prevalence", prevalence))
    cut: Cut
    if false_positive_rate is not None:
        share = _share("false_positive_rate", false_positive_rate)
        cut = QuantileCut(lower, upper, False, -NormalDist().inv_cdf(share))
        rule = f"Above the cut is {share:.6g} of component {lower + 1}"
    elif false_negative_rate is not None:
        share = _share("false_negative_rate", false_negative_rate)
        cut = QuantileCut(lower, upper, True, NormalDist().inv_cdf(share))
        rule = f"Below the cut is {share:.6g} of component {upper + 1}"
    elif density_minimum:
        cut = ValleyCut(lower, upper)
        rule = f"The density is lowest between the means of components {lower + 1} and {upper + 1}"
    elif costs is not None:
        above, below = _costs(costs)
        cut = LevelCut(lower, upper, math.log(above) - math.log(below), prior)
        rule = (
            f"The expected cost is least if a member of component {lower + 1} above the cut costs "
            f"{above:.6g}, one of component {upper + 1} below it {below:.6g}"
        )
    else:
        share = 0.5 if posterior is None else _share("posterior", posterior)
        cut = LevelCut(lower, upper, log_odds(share), prior)
        rule = f"The posterior probability of component {upper + 1} rises through {_shown(share)}"
    if prevalence is not None:
        use = "" if isinstance(cut, LevelCut) else "; error rate"
        used_for = f"{use or ','} in a population where {prevalence:.6g} are of component"
        rule = f"{rule}{used_for} {upper + 1}"
    return Choice(cut, prior, f"{rule}.")


def named_pair(means: Sequence[float], components: Sequence[int] | None) -> tuple[int, int]:
    """Return the two components, counted from 0, that are named counting from 1, by their means.

    Raises
    ------
    ParameterError
        If there are no two, if it is not clear which two are meant, or they are not in order.
    """
    n_components = len(means)
    if n_components == 1:
        raise ParameterError(
            "One component cannot be cut from another; fit two with n_components=2, or take a "
            "quantile of this one: fit.mixture.ppf(0.95)."
        )
    if components is None:
        if n_components == 2:
            return (0, 1) if means[0] <= means[1] else (1, 0)
        raise ParameterError(
            f"There are {n_components} components; say between which two to cut, "
            "counted from 1 in the order of the fit: components=(1, 2)."
        )
    try:
        lower, upper = (int(k) for k in components)
        whole = all(k == int(k) for k in components)
    except (TypeError, ValueError):
        lower, upper, whole = 0, 0, False
    if not (whole and 1 <= min(lower, upper) < max(lower, upper) <= n_components):
        raise ParameterError(
            f"components={components!r} does not name two of the {n_components} components; "
            "count from 1 in the order of the fit: components=(1, 2)."
        )
    one, other = lower - 1, upper - 1
    return (one, other) if means[one] <= means[other] else (other, one)


def log_odds(share: float) -> float:
    """Return the logarithm of the odds."""
    return math.log(share) - math.log1p(-share)


def _shown(share: float) -> str:
    """A share in few digits, but those that tell it from one."""
    short = f"{share:.6g}"
    return short if float(short) < 1.0 else repr(share)


def _share(name: str, value: object) -> float:
    """A number strictly between 0 and 1."""
    if isinstance(value, float | int | np.number) and 0.0 < value < 1.0:
        return float(value)
    reached = "; no cut has a rate of 0 or 1" if "rate" in name and value in (0, 1) else ""
    usual = "probability such as 0.9" if name == "posterior" else "share such as 0.05"
    raise ParameterError(
        f"{name}={value!r} is not strictly between 0 and 1{reached}: give a {usual}."
    )


def _costs(costs: Sequence[float]) -> tuple[float, float]:
    """Two positive numbers."""
    try:
        above, below = (float(cost) for cost in costs)
    except (TypeError, ValueError):
        above = below = math.nan
    if not (0.0 < above < math.inf and 0.0 < below < math.inf):
        raise ParameterError(
            f"costs={costs!r} are not two positive numbers: give the cost of a member of the lower "
            "component above the cut, then that of one of the upper component below it, such as "
            "costs=(1, 5)."
        )
    return above, below
