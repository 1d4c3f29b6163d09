"""One hump or two? The pieces of the verdict, as a method of ``Fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.calls import call_of
from bactrian.fitting.dip import dip_test
from bactrian.fitting.homogeneity import LEAST_REPLICATES, require_testable
from bactrian.fitting.requirements import whole_number
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.verdict import Verdict, standardized_moments, valley_depth

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def verdict(
    fit: Fit,
    *,
    test: HomogeneityTest | None = None,
    n_replicates: int = 199,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Verdict:
    """Return how many humps there are, in plain words, with what that rests on.

    A test of one component less; the number of modes; how far apart the components are and how
    many rows the smallest has; a test of goodness of fit; the dip test, where ``diptest`` is
    installed.

    Parameters
    ----------
    test : HomogeneityTest, optional
        Which one to rest on; by default that of ``homogeneity_test``.
    n_replicates : int
        Samples drawn for the goodness of fit, which takes nearly all of the time; 0 leaves it out.
    rng, workers, progress
        As for ``goodness_of_fit``.

    Raises
    ------
    ParameterError
        If the fit is no maximum or has one component, or as the tests raise.
    """
    if not fit.converged:
        raise ParameterError(
            "A fit that is no maximum is no verdict; see its outcome, or fit fewer components."
        )
    k = fit.options.n_components
    if k == 1:
        raise ParameterError(
            "One component leaves nothing to decide; fit two, and the verdict says which it is."
        )
    require_testable(fit)
    given = {"test": test, "n_replicates": n_replicates, "rng": rng}
    test, goodness = _test_of(fit, test, rng), None
    if n_replicates != 0:
        number = whole_number(n_replicates, "n_replicates", "0 leaves it out, 199 is usual")
        if number < LEAST_REPLICATES:
            raise ParameterError(
                f"n_replicates={number} is too few to tell; 199 is usual, {LEAST_REPLICATES} the "
                "least, and 0 leaves the goodness of fit out."
            )
        goodness = fit.goodness_of_fit(number, rng=rng, workers=workers, progress=progress)
    mixture = fit.mixture
    skewness, kurtosis = standardized_moments(mixture)
    return Verdict(
        n_components=k,
        n_modes=int(mixture.modes().size),
        n_obs=fit.n_obs,
        smallest=float(fit.n_obs * mixture.weights.min()),
        skewness=skewness,
        kurtosis=kurtosis,
        test=test,
        separation=fit.shape()["separation"] if k == 2 else None,
        valley=valley_depth(mixture),
        goodness=goodness,
        dip=dip_test(fit.sample),
        call=call_of(verdict, given),
    )


def _test_of(
    fit: Fit, test: HomogeneityTest | None, rng: np.random.Generator | int | None
) -> HomogeneityTest:
    """The test that was given, or the usual one."""
    k = fit.options.n_components - 1
    if test is None:
        return fit.homogeneity_test(rng=rng)
    if not isinstance(test, HomogeneityTest):
        raise ParameterError(f"test={test!r} is none; pass what fit.homogeneity_test() returned.")
    if test.null_components != k:
        raise ParameterError(
            f"The verdict on a fit of {k + 1} components rests on a test of {k} against {k + 1}; "
            f"this test is of {test.null_components} against {test.null_components + 1}."
        )
    return test
