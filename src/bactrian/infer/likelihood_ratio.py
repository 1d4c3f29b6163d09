"""The likelihood ratio of so many components against one more, and its law from a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.errors import DataError, ParameterError
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.null_law import Tail, null_law
from bactrian.model.constraints import unconstrained
from bactrian.solve.outcome import Outcome
from bactrian.solve.search import search
from bactrian.solve.solver import Solution

Array = NDArray[np.float64]

FEW_DISTINCT = 0.9  # of the rows, below which values are taken for rounded
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The best admissible maximum: log-likelihood and parameters (K,), in local coordinates."""

    loglike: float
    weights: Array
    means: Array
    sds: Array


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodRatio:
    """Twice the log-likelihood that one more component gains, and the maximum without it.

    `is_failed` says that with one component more there is no admissible maximum; the statistic
    counts as zero then. It is below zero where the best admissible maximum is.
    """

    statistic: float
    is_failed: bool
    null: Maximum


def likelihood_ratio(
    sample: Sample,
    null_components: int,
    *,
    equal_variances: bool = False,
    general: Solution | None = None,
) -> LikelihoodRatio:
    """Return the likelihood ratio of so many components against one more.

    Parameters
    ----------
    sample : Sample
        The weighted values; weights are counts.
    null_components : int
        Components without the one more.
    equal_variances : bool
        Whether all components share one variance, with and without it.
    general : Solution, optional
        What `solve` found for the same rows with one component more, to save that search; one that
        did not converge is not used.

    Raises
    ------
    DataError
        If the values are too few, or have no admissible maximum without the one more.

    Notes
    -----
    Source: derivation, "Likelihood ratio for the number of components".
    """
    more = null_components + 1
    if len(sample) <= more:
        raise DataError(
            f"There are {len(sample)} distinct values, too few for {more} components; test fewer."
        )
    null = maximum(sample, null_components, equal_variances)
    if null is None:
        raise DataError(
            f"There is no admissible maximum with {null_components} components, so that nothing "
            "can be compared with it; test fewer components."
        )
    if general is not None and general.outcome is Outcome.CONVERGED:
        loglike = general.loglike + sample.total * math.log(sample.scale)
        return LikelihoodRatio(2.0 * (loglike - null.loglike), False, null)
    found = maximum(sample, more, equal_variances)
    if found is None:
        return LikelihoodRatio(0.0, True, null)
    return LikelihoodRatio(2.0 * (found.loglike - null.loglike), False, null)


def maximum(sample: Sample, n_components: int, equal_variances: bool) -> Maximum | None:
    """Return the best admissible maximum, that of one normal in closed form; None without one."""
    if n_components == 1:
        one, variance = np.ones(1), sample.local_variance
        mean = sample.weights @ sample.local / sample.total
        loglike = -0.5 * sample.total * (math.log(2.0 * math.pi * variance) + 1.0)
        return Maximum(loglike, one, mean * one, math.sqrt(variance) * one)
    found = search(sample, unconstrained(n_components, equal_variances=equal_variances)).admissible
    return Maximum(found[0].loglike, *found[0].parameters) if found else None


def table_test(
    sample: Sample,
    null_components: int = 1,
    *,
    equal_variances: bool = False,
    general: Solution | None = None,
) -> HomogeneityTest:
    """Return the likelihood-ratio test of one normal against two, its law taken from a table.

    The parameters are those of `likelihood_ratio`.

    Raises
    ------
    ParameterError
        Where the table is not that of the statistic: for more components, equal variances, weights
        that are no counts, or fewer rows than were simulated.
    DataError
        If there are too few distinct values.

    Notes
    -----
    Of one normal, the law depends on the number of rows only.
    Source: derivation, "Likelihood ratio for the number of components".
    """
    _require_tabulated(sample, null_components, equal_variances)
    ratio = likelihood_ratio(sample, 1, general=general)
    tail = null_law().tail(ratio.statistic, sample.total)
    notes = [without_maximum(2)] if ratio.is_failed else []
    if sample.width == 0.0 and len(sample) < FEW_DISTINCT * sample.total:
        notes.append(
            f"The values are rounded, {len(sample):,} distinct ones in {sample.total:,.0f} rows, "
            'and the law is that of values that are not; method="bootstrap" rounds alike.'
        )
    return HomogeneityTest(
        1,
        "likelihood_ratio",
        False,
        ratio.statistic,
        tail.p_value,
        _law(tail, sample.total),
        tail.p_error,
        tail.is_bound,
        sum(column.n_replicates for column in tail.columns),
        sum(column.exceeding(ratio.statistic) for column in tail.columns),
        sum(column.n_failed for column in tail.columns),
        sum(column.n_negative for column in tail.columns),
        tuple(notes),
    )


def without_maximum(n_components: int) -> str:
    """Return the note on data without an admissible maximum with one component more."""
    return (
        f"With {n_components} components there is no admissible maximum; the statistic counts as "
        "zero."
    )


def require_counts(sample: Sample) -> None:
    """Refuse sampling weights."""
    if sample.squared is not None:
        raise ParameterError(
            "With sampling weights the likelihood is that of no sample, and its ratio has no law; "
            "leave the weights out, or compare the fits by their parameters and their errors."
        )


def _require_tabulated(sample: Sample, null_components: int, equal_variances: bool) -> None:
    """Refuse what the table is not for."""
    require_counts(sample)
    cause = ""
    if null_components != 1:
        cause = f"one normal against two, and not {null_components} against {null_components + 1}"
    elif equal_variances:
        cause = "two components of unequal variances"
    elif not _has_counts(sample):
        cause = "rows without weights, or with whole numbers of them"
    if cause:
        raise ParameterError(
            f"The law of the likelihood ratio is tabulated for {cause}; use "
            'method="bootstrap", which simulates it.'
        )


def _has_counts(sample: Sample) -> bool:
    """Whether all weights are whole; of the nodes of a sketch, their sum."""
    w = np.array([sample.total]) if sample.width else sample.weights
    return bool((np.abs(w - np.rint(w)) <= _WHOLE * np.maximum(w, 1.0)).all())


def _law(tail: Tail, n_rows: float) -> str:
    """What the statistic was compared with, in words."""
    first, last = tail.columns[0], tail.columns[-1]
    said = f"{first.n_replicates:,} samples of one normal with {first.n_rows:,} rows"
    if last is not first:
        many = "as many" if last.n_replicates == first.n_replicates else f"{last.n_replicates:,}"
        return f"{said}, and {many} with {last.n_rows:,}"
    return said if n_rows == first.n_rows else f"{said}, the most that were simulated"
