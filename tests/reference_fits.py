"""Our fits of the reference sets, made once, beside the maxima that the reference lists.

How close two maxima must be
----------------------------
The log-likelihood: within 1e-9, or 1e-12 of its size where that is larger.

The parameters: near a maximum an error ds of the score moves the estimate by H^-1 ds. In units of
standard errors of complete data every row adds at most about one unit to the sum that is the score,
divided by sqrt(n), and rounding leaves eps times the sum of magnitudes: eps sqrt(n). The worst
direction has the eigenvalue lambda, where an error of the score weighs 1 / lambda and an observed
standard error is 1 / sqrt(lambda): together eps sqrt(n / lambda) = eps n / sqrt(n lambda) observed
standard errors, and n lambda is the certificate's `n_lambda_min`. Besides, the ascent ends
sqrt(decrement) standard errors away from the maximum, and the parameters themselves and the data
are rounded, the means to eps times the largest value. So

    |ours - exact| <= (sqrt(decrement) + ROUNDING eps n / sqrt(n lambda)) se + 4 eps size.

ROUNDING counts the operations per row, some sixteen. That this means ten significant digits is a
second demand: 1e-10 of the parameter, or of its standard error where the parameter is smaller than
that and its leading digits are noise anyway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bactrian as bt
from tests.reference_sets import load, models, raw_names

Array = NDArray[np.float64]

MODELS = ("1", "2V", "2E", "3V", "3E")
NAMES = ("weight", "mean", "sd")
EPS = 2.0**-52
ROUNDING = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A maximum that the reference lists.

    Attributes
    ----------
    kind : {"certified", "other", "alternate"}
        The first two to 25 digits, the last as a double.
    loglike : float
    weights, means, sds : (K,) float64
    observed, sandwich : (3, K) float64 or None
        Standard errors of weights, means and sds.
    hits : int
        How many of the reference's starts ended there.
    spurious : tuple of str
        Why the reference does not take it for a fit; empty when it might be one.
    """

    kind: str
    loglike: float
    weights: Array
    means: Array
    sds: Array
    observed: Array | None
    sandwich: Array | None
    hits: int
    spurious: tuple[str, ...]

    @property
    def parameters(self) -> Array:
        """Weights, means and sds (3, K)."""
        return np.stack([self.weights, self.means, self.sds])


def cases() -> list[tuple[str, str]]:
    """All pairs of a data set and a model with a certified fit."""
    return [
        (name, entry["model"])
        for name in raw_names(large=True)
        for entry in models(name)
        if entry["model"] in MODELS and entry["status"] == "certified"
    ]


def entry_of(name: str, model: str) -> dict[str, Any]:
    """What the reference says of a model on a data set."""
    return next(entry for entry in models(name) if entry["model"] == model)


def is_open(name: str, model: str) -> bool:
    """Whether a sound rule may choose another maximum than the certified one."""
    entry = entry_of(name, model)
    choice = entry.get("root_rule_choice")
    return bool(entry.get("ambiguous")) or choice not in (None, "certified")


@cache
def rows(name: str) -> tuple[Array, Array | None]:
    """The values of a set and how often each counts, read once."""
    return load(name)


@cache
def fitted(name: str, model: str, method: Any = "newton") -> bt.Fit:
    """Our fit of a model to a reference set."""
    values, counts = rows(name)
    return bt.fit(
        values,
        int(model[0]),
        sample_weight=counts,
        equal_variances=model.endswith("E"),
        method=method,
    )


@cache
def listed(name: str, model: str) -> tuple[Listed, ...]:
    """All the maxima that the reference lists for a model, the certified one first."""
    entry = entry_of(name, model)
    found = [_listed("certified", entry)]
    for kind, field in (("other", "other_certified"), ("alternate", "alternates")):
        for record in entry.get(field) or ():
            maximum = _listed(kind, record)
            if not any(is_same(maximum, known, spread(name)) for known in found):
                found.append(maximum)
    return tuple(found)


def _listed(kind: str, record: dict[str, Any]) -> Listed:
    """One maximum from its record."""
    weights, means, variances, sds = (
        np.array(record.get(key, ()), dtype=np.float64)
        for key in ("weights", "means", "variances", "sds")
    )
    sds = sds if sds.size else np.sqrt(variances)
    return Listed(
        kind,
        float(record["loglik"]),
        weights,
        means,
        sds,
        _errors(record.get("se_observed")),
        _errors(record.get("se_sandwich")),
        int(record.get("hits") or 0),
        tuple(record.get("spurious") or ()),
    )


def _errors(record: dict[str, list[str]] | None) -> Array | None:
    """Standard errors (3, K) of weights, means and sds."""
    if record is None:
        return None
    return np.array([record[key] for key in ("weights", "means", "sds")], dtype=np.float64)


@cache
def spread(name: str) -> float:
    """Standard deviation of a set, the unit in which means are told apart."""
    values, counts = rows(name)
    centred = (values - np.average(values, weights=counts)) / np.ptp(values)
    return float(np.ptp(values) * np.sqrt(np.average(centred**2, weights=counts)))


def criterion(name: str, maximum: Listed) -> float:
    """What maxima are ranked by, computed for a listed one."""
    if np.ptp(maximum.sds) == 0.0:
        return maximum.loglike
    return maximum.loglike - float(np.log1p((spread(name) / maximum.sds) ** 2).sum())


def is_same(one: Any, other: Any, unit: float) -> bool:
    """Whether two maxima are one: some of the listed ones have six correct digits only."""
    near = abs(one.loglike - other.loglike) <= max(1e-6, 1e-9 * abs(other.loglike))
    near &= bool((np.abs(one.weights - other.weights) < 1e-4).all())
    return near and bool((np.abs(one.means - other.means) < 1e-4 * unit).all())


def ended_at(name: str, model: str) -> Listed | None:
    """The listed maximum at which our fit ended."""
    fit = fitted(name, model)
    unit = spread(name)
    return next((known for known in listed(name, model) if is_same(_ours(fit), known, unit)), None)


def not_named(name: str, model: str) -> list[Listed]:
    """The listed regular maxima that our certificate does not name."""
    unit = spread(name)
    named = [_Point(o.loglike, o.mixture) for o in fitted(name, model).certificate.optima]
    return [
        known
        for known in listed(name, model)
        if not known.spurious and not any(is_same(known, point, unit) for point in named)
    ]


@dataclass(frozen=True, slots=True)
class _Point:
    """A mixture with its log-likelihood."""

    loglike: float
    mixture: bt.NormalMixture

    @property
    def weights(self) -> Array:
        """Weights (K,)."""
        return self.mixture.weights

    @property
    def means(self) -> Array:
        """Means (K,)."""
        return self.mixture.means


def _ours(fit: bt.Fit) -> _Point:
    """Where our fit ended."""
    return _Point(fit.loglike, fit.mixture)


def our_parameters(fit: bt.Fit) -> Array:
    """Weights, means and sds (3, K) of our fit."""
    return np.stack([fit.mixture.weights, fit.mixture.means, fit.mixture.sds])


def our_errors(fit: bt.Fit, kind: Any = "hessian") -> Array:
    """Standard errors (3, K) of weights, means and sds of our fit."""
    errors = np.array([estimate.standard_error for estimate in fit.confint(kind=kind)])
    return errors.reshape(-1, 3).T


def exact_errors(name: str, maximum: Listed) -> Array:
    """Standard errors (3, K), exact ones: for one component sd / sqrt(n) and sd / sqrt(2 n)."""
    if maximum.observed is not None:
        return maximum.observed
    n = fitted(name, "1").n_obs
    sd = maximum.sds / math.sqrt(n)
    return np.stack([np.zeros_like(sd), sd, sd / math.sqrt(2.0)])


def loglike_bound(maximum: Listed) -> float:
    """How far our log-likelihood may be from a listed one."""
    return max(1e-9, 1e-12 * abs(maximum.loglike))


def rounding_bound(name: str, fit: bt.Fit, maximum: Listed) -> Array:
    """How far (3, K) rounding may move our parameters from exact ones."""
    certificate = fit.certificate
    noise = ROUNDING * EPS * fit.n_obs / math.sqrt(certificate.n_lambda_min)
    size = np.abs(maximum.parameters)
    size[1] = float(np.abs(fit.sample.values).max())
    reach = math.sqrt(certificate.decrement) + noise
    return np.asarray(reach * exact_errors(name, maximum) + 4.0 * EPS * size)


def ten_digits_bound(name: str, maximum: Listed) -> Array:
    """Ten significant digits (3, K) of each parameter, or of its error where that is larger."""
    sizes = np.maximum(np.abs(maximum.parameters), exact_errors(name, maximum))
    return np.asarray(1e-10 * sizes)


def digits(ours: Array, exact: Array) -> float:
    """The least number of significant digits in which numbers agree; 16 where all are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.abs(ours - exact) / np.abs(exact)
    worst = float(np.nanmax(np.where(exact == ours, 0.0, errors)))
    return 16.0 if worst < 1e-16 else -math.log10(worst)
