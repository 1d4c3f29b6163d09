"""A fit as plain values for strict JSON: unrounded numbers, None for the non-finite."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Protocol

from bactrian.model.mixture import NormalMixture
from bactrian.present.summary import Summary

VERSION = 1  # of the record: a number that its readers must know
MINOR = 0  # what was added since, which they may ignore


class _Optimum(Protocol):
    mixture: NormalMixture
    loglike: float
    gap: float
    hits: int
    status: str


def as_record(
    summary: Summary, mixture: NormalMixture, certificate: Any, n_missing: int
) -> dict[str, Any]:
    """Return the facts of a fit as nested dicts and lists.

    Parameters
    ----------
    summary : Summary
        What printing shows.
    mixture : NormalMixture
        The fitted mixture.
    certificate : Certificate
        The reasons to trust it.
    n_missing : int
        Rows left out because their value was missing.
    """
    facts = asdict(summary)
    del facts["warnings"], facts["certainty"], facts["outcome_sentence"]
    del facts["gain_bound"], facts["sd_floor"]
    sure = {
        "certainty": summary.certainty,
        "decrement": certificate.decrement,
        "max_score": certificate.max_score,
        "eigenvalues": certificate.eigenvalues.tolist(),
        "n_lambda_min": certificate.n_lambda_min,
        "n_starts": certificate.n_starts,
        "gain_bound": summary.gain_bound,
        "sd_floor": summary.sd_floor,
        "optima": [_optimum(optimum) for optimum in certificate.optima],
        "warnings": list(summary.warnings),
    }
    record = {
        "format": VERSION,
        **facts,
        "n_missing": n_missing,
        "outcome_sentence": summary.outcome_sentence,
        **_mixture(mixture),
        "certificate": sure,
    }
    return {key: _strict(value) for key, value in record.items()}


def _optimum(optimum: _Optimum) -> dict[str, Any]:
    """One maximum of the list."""
    facts = {"status": optimum.status, "loglike": optimum.loglike, "gap": optimum.gap}
    return {**facts, "hits": optimum.hits, **_mixture(optimum.mixture)}


def _mixture(mixture: NormalMixture) -> dict[str, Any]:
    """The parameters of a mixture."""
    names = ("weights", "means", "sds", "variances")
    return {name: getattr(mixture, name).tolist() for name in names}


def _strict(value: Any) -> Any:
    """The value with None for every number that JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return value
