"""What makes us sure of a maximum."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.model.mixture import NormalMixture
from bactrian.solve.gain import QUICK_BINS, gain_bound, is_usable
from bactrian.solve.state import State

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """One maximum of the likelihood.

    Attributes
    ----------
    mixture : NormalMixture
        Its parameters, in the unit of the data, components in order of mean.
    loglike : float
        Its log-likelihood.
    criterion : float
        What maxima are ranked by: `loglike` less the sum over components of
        log(1 + sample variance / component variance); `loglike` itself for equal variances.
    gap : float
        The chosen maximum's log-likelihood minus this one's.
    counts : (K,) float64
        Rows of each component.
    hits : int
        How many of the starts led there.
    status : {"chosen", "admissible", "rejected: near-degenerate"}
        A component with less than one and a half rows is near-degenerate.
    """

    mixture: NormalMixture
    loglike: float
    criterion: float
    gap: float
    counts: Array
    hits: int
    status: str


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """The reasons to trust a fit, in log-likelihood or standard-error units.

    Attributes
    ----------
    decrement : float
        Newton decrement s' (-H)^-1 s on all the rows: half of it is the log-likelihood still to
        be gained, its square root the distance to the maximum in standard errors.
    max_score : float
        Largest component of the score times its parameter's standard error.
    eigenvalues : (p,) float64
        Eigenvalues, ascending, of minus the Hessian relative to the information of complete data;
        positive at a maximum. One minus the smallest is the convergence rate of EM.
    n_lambda_min : float
        Rows times the smallest eigenvalue, the effective number of complete observations in the
        worst direction: standard errors are doubtful below 64, meaningless below 4.
    optima : tuple of Optimum
        The distinct maxima found, the chosen one first, then by falling criterion.
    n_starts : int
        From how many starts the likelihood was climbed.
    warnings : tuple of str
        What a careful reader should know, in words.
    sample : Sample
        The weighted values, or the nodes that stand for them.
    state : State
        The fit in their local coordinates.
    rests_on : {"rows", "sketch"}
        Whether decrement, score and log-likelihood are sums over the rows, or over the nodes of a
        sketch of rows that could not be read again.
    sketch_error : float
        Bound for what the sketch moves the estimates by, in joint standard errors; zero where
        there is no sketch.
    """

    decrement: float
    max_score: float
    eigenvalues: Array
    n_lambda_min: float
    optima: tuple[Optimum, ...]
    n_starts: int
    warnings: tuple[str, ...]
    sample: Sample = field(repr=False)
    state: State = field(repr=False)
    rests_on: str = "rows"
    sketch_error: float = 0.0

    def gain_bound(self, sd_floor: float | None = None) -> float:
        """Return how much higher than this fit's the log-likelihood of any mixture can be.

        Whatever the number of its components, and wherever they are, a mixture whose sds are all
        at least `sd_floor` gains no more than that. The bound holds to rounding and is attained to
        a part in a thousand, unless it is tiny: a mixture of components of that sd does gain as
        much.

        Parameters
        ----------
        sd_floor : float, optional
            In the unit of the data; by default the smallest fitted sd.

        Returns
        -------
        float
            Units of log-likelihood. Not negative for floors up to the smallest fitted sd, as the
            fit is then one of the mixtures; for larger ones it may be: then every such mixture is
            worse than the fit by at least so much.

        Raises
        ------
        ParameterError
            If the floor is not a positive number, or so small that the data do not resolve it or
            the time would be long.

        Notes
        -----
        Of a large column it is the likelihood of the nodes of its sketch that is bounded.

        Source: derivation, "Bound on what any mixture could gain".
        """
        state = self.state
        return gain_bound(self.sample, float(state.loglike[0]), state.sds[0], sd_floor)

    def gain_bound_if_quick(self) -> float | None:
        """Return the bound for the smallest fitted sd, None where it would take long.

        Most fits take a hundredth of a second, and none more than about a tenth.
        """
        floor = float(self.state.sds[0].min())
        return self.gain_bound() if is_usable(self.sample, floor, QUICK_BINS) else None


def decrement_of(state: State) -> tuple[float, float]:
    """Return the Newton decrement and the largest score component in standard errors."""
    eigenvalues, vectors = state.eigenvalues[0], state.eigenvectors[0]
    if eigenvalues[0] <= 0.0:
        return float("nan"), float("nan")
    covariance = state.whitener[0] @ vectors / np.sqrt(eigenvalues)
    errors = np.sqrt((covariance**2).sum(axis=1))
    return float(state.decrement[0]), float(np.abs(state.score[0] * errors).max())
