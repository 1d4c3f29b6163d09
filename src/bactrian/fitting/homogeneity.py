"""How many components? The tests, as a method of ``Fit``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.calls import call_of
from bactrian.fitting.requirements import whole_number
from bactrian.infer.em_law import MOST_COMPONENTS
from bactrian.infer.em_test import em_test, is_coarse
from bactrian.infer.homogeneity import HomogeneityMethod, HomogeneityTest
from bactrian.infer.likelihood_ratio import table_test
from bactrian.infer.ratio_bootstrap import bootstrap_test
from bactrian.solve.solver import Solution

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

METHODS = ("em", "likelihood_ratio", "bootstrap")
LEAST_REPLICATES = 39  # none of which can be above a p-value of 0.025


def homogeneity_test(
    fit: Fit,
    null_components: int | None = None,
    *,
    method: HomogeneityMethod | None = None,
    n_replicates: int = 999,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> HomogeneityTest:
    """Return a test of whether fewer components than fitted would do.

    Ordinary likelihood-ratio theory does not hold for the number of components; these tests do.
    Components share one variance under both hypotheses if they do in the fit.

    Parameters
    ----------
    null_components : int, optional
        Components under the hypothesis that is tested, against one more; by default one less than
        fitted, and one where one was fitted.
    method : {"em", "likelihood_ratio", "bootstrap"}, optional
        "em": the EM-test, at once, for any number of rows; its law is that of large samples, and
        of values that are not rounded to more than half an sd. The default, except for such.
        "likelihood_ratio": against a table of simulations that comes with the package; for one
        component against two. "bootstrap": against samples drawn from the fit with fewer
        components and fitted like the data, for every other case.
    n_replicates, rng, workers, progress
        Of a bootstrap: how many samples at most, and as for ``bootstrap``.

    Returns
    -------
    HomogeneityTest
        Its p-value is small where the fit with fewer components does not describe the data; its
        `conclusion` says in words what that means.

    Raises
    ------
    ParameterError
        If the method is unknown or has no law for this case, the weights are sampling weights, or
        the fit has other constraints than equal variances.

    Notes
    -----
    Source: derivation, "EM-test" and "Likelihood ratio for the number of components".
    """
    given = {
        "null_components": null_components,
        "method": method,
        "n_replicates": n_replicates,
        "rng": rng,
    }
    if method is not None and method not in METHODS:
        raise ParameterError(
            f"method={method!r} is unknown; choose one of {', '.join(map(repr, METHODS))}."
        )
    k = max(fit.options.n_components - 1, 1) if null_components is None else null_components
    k = whole_number(k, "null_components", "1 tests one component against two")
    require_testable(fit)
    equal, general = fit.options.equal_variances, _general(fit, k)
    if method is None:
        method = "bootstrap" if is_coarsely_rounded(fit) else "em"
    if method == "em":
        found = em_test(fit.sample, k, equal_variances=equal)
    elif method == "likelihood_ratio":
        found = table_test(fit.sample, k, equal_variances=equal, general=general)
    else:
        found = bootstrap_test(
            fit.sample,
            k,
            equal_variances=equal,
            n_replicates=_enough(n_replicates),
            rng=rng,
            workers=whole_number(workers, "workers", "1 is this process alone"),
            progress=progress,
            general=general,
        )
    return replace(found, call=call_of(homogeneity_test, given))


def neighbour_test(fit: Fit, others: Iterable[Fit]) -> HomogeneityTest | None:
    """Return the EM-test of one component less against a fit, if that is among the others.

    None also where no law is known, or either has no maximum.
    """
    k, equal = fit.options.n_components - 1, fit.options.equal_variances
    known = any(
        other.options.n_components == k
        and other.converged
        and (k == 1 or other.options.equal_variances == equal)
        for other in others
    )
    if not known or fit.sample.squared is not None or k > MOST_COMPONENTS or (equal and k > 1):
        return None
    try:
        return homogeneity_test(fit, k, method="em")
    except ParameterError:  # of values too coarse for it
        return None


def is_coarsely_rounded(fit: Fit) -> bool:
    """Return whether the values are too coarse for the EM-test of one component."""
    return is_coarse(fit.sample, math.sqrt(fit.sample.local_variance))


def _enough(n_replicates: int) -> int:
    """So many that a p-value can be small."""
    number = whole_number(n_replicates, "n_replicates", "999 is usual")
    if number < LEAST_REPLICATES:
        raise ParameterError(
            f"n_replicates={number} is too few: no p-value of theirs is below "
            f"{1.0 / (number + 1.0):.2g}; 999 is usual, {LEAST_REPLICATES} the least."
        )
    return number


def require_testable(fit: Fit) -> None:
    """Refuse what no test of the number of components is made for."""
    if fit.sample.squared is not None:
        raise ParameterError(
            "With sampling weights there is no likelihood to compare numbers of components by; "
            'if the weights count rows that were seen, say weight_kind="frequency".'
        )
    held, equal = fit.options.constraints, fit.options.equal_variances
    if held.has_bounds or held.n_free != (2 if equal else 3) * held.n_components - (not equal):
        raise ParameterError(
            "Tests of the number of components are for fits without constraints, or with equal "
            "variances as the only one; leave the others out."
        )


def _general(fit: Fit, null_components: int) -> Solution | None:
    """What was found with one component more than is tested, where that is the fit."""
    return fit.solution if fit.options.n_components == null_components + 1 else None
