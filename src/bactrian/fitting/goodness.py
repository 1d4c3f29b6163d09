"""How a fit is compared with its rows. Each of these functions is a method of ``Fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.requirements import whole_number
from bactrian.infer import goodness, residuals
from bactrian.infer.goodness import GoodnessOfFit

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

Array = NDArray[np.float64]


def goodness_of_fit(
    fit: Fit,
    n_replicates: int = 199,
    *,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> GoodnessOfFit:
    """Return whether the rows could have been drawn from the fitted mixture.

    The statistics of Kolmogorov and Smirnov, of Cramér and von Mises, and of Anderson and Darling,
    each with a p-value from samples that are drawn from the fit, rounded or binned like the rows,
    and fitted under the same constraints.

    Parameters
    ----------
    n_replicates : int
        How many samples are drawn and fitted: no p-value is smaller than one over one more.
    rng : numpy.random.Generator, int or None
        Source of randomness; the same seed gives the same numbers with any number of workers.
    workers : int
        Processes to share the work; a script that asks for more than one has its commands under
        ``if __name__ == "__main__":``.
    progress : callable, optional
        Called with the samples done and their number.

    Raises
    ------
    ParameterError
        If the fit is no maximum, its weights are sampling weights, or a number is out of range.

    Notes
    -----
    Source: derivation, "Goodness of fit".
    """
    if not fit.converged:
        raise ParameterError(
            "A fit that is no maximum is not the one to compare the rows with; see its outcome."
        )
    return goodness.goodness_of_fit(
        fit.solution.problem,
        fit.solution.state,
        whole_number(n_replicates, "n_replicates", "199 is usual"),
        rng=rng,
        workers=whole_number(workers, "workers", "1 is this process alone"),
        progress=progress,
    )


def quantile_residuals(fit: Fit, x: ArrayLike) -> Array:
    """Return the standard normal quantiles of F(x), F the fitted distribution function.

    Of rows drawn from the mixture they are standard normal: beyond -3 and 3 lies about one in 370.

    Parameters
    ----------
    x : array_like
        Values of any shape, in the unit of the data; nan gives nan.

    Raises
    ------
    DataTypeError
        If the values are no real numbers.

    Notes
    -----
    Source: derivation, "Goodness of fit".
    """
    return residuals.quantile_residuals(x, fit.mixture)
