"""The constants of the EM-test, and the laws that its statistic is compared with."""

from __future__ import annotations

import math

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.model.pairs import pair_of, shared

SHARES = (0.1, 0.3, 0.5)  # of the first half of a component that is split
N_STEPS = 3  # EM steps in which the shares move
MOST_COMPONENTS = 4  # under the null hypothesis; three splits of each are tried: 3 to this power

_ONE, _EQUAL, _MANY = 0.25, 1.0, 0.2
_MOST = 0.35
_SHIFT = 2.0 * math.log(0.6)  # of the penalty at shares .3 and less against one half


def penalty_level(null: NormalMixture, n_rows: float, equal_variances: bool) -> float:
    """Return how strongly variances are drawn to those of the null hypothesis.

    Of 2 and 3 components it depends on how often one is taken for its neighbour.

    Parameters
    ----------
    null : NormalMixture
        The fitted mixture of the null hypothesis, components in order of mean.
    n_rows : float
        Rows.
    equal_variances : bool
        Whether all components share one variance.

    Notes
    -----
    Source: Chen and Li (2009), and Chen, Li and Fu (2012), as in the authors' program; of equal
    variances see the decision record on the EM-test.
    """
    k = null.n_components
    if equal_variances:
        return _EQUAL
    if k == 1:
        return _ONE
    if k > 3:
        return _MANY
    odds = sum(math.log(w / (1.0 - w)) for w in _confusions(null))
    constant, slope, few = (-1.859, -0.577, -60.453) if k == 2 else (-1.602, -0.240, -130.394)
    exponent = constant + slope * odds + few / n_rows
    return _MOST / (1.0 + math.exp(-exponent)) if exponent > -700.0 else 0.0


def _confusions(null: NormalMixture) -> list[float]:
    """For neighbours: the mean of the shares of each that are more probably of the other."""
    found = []
    for k in range(null.n_components - 1):
        pair = pair_of(null, k, k + 1)
        p, q = pair.lower_share, pair.upper_share
        error = shared(pair)
        difference = error.by_log_odds / (p * q)  # of the two shares
        mean = error.value + 0.5 * (p - q) * difference
        found.append(min(max(mean, 1e-300), 0.5))
    return found


def p_value(statistic: float, null_components: int, equal_variances: bool) -> float:
    """Return how often the statistic is larger in large samples of so many components.

    Twice as many degrees of freedom as there are components; with equal variances, a law of its
    own for one component.

    Raises
    ------
    ParameterError
        With equal variances and more than one component, of which no law is known.

    Notes
    -----
    Source: derivation, "EM-test".
    """
    if not equal_variances:
        half = 0.5 * max(statistic, 0.0)
        # The survival function of chi-square with an even number of degrees of freedom.
        terms = [half**j / math.factorial(j) for j in range(null_components)]
        return min(math.exp(-half) * math.fsum(terms), 1.0)
    if null_components > 1:
        raise ParameterError(
            "No law of the EM-test is known for more than one component with equal variances; "
            'method="bootstrap" simulates it.'
        )
    above, shifted = _above(statistic), _above(statistic - _SHIFT)
    return shifted + (1.0 - shifted) * 0.5 * above


def _above(statistic: float) -> float:
    """How often chi-square with one degree of freedom is larger; always, for what is negative."""
    return math.erfc(math.sqrt(0.5 * statistic)) if statistic > 0.0 else 1.0


def law_in_words(null_components: int, equal_variances: bool) -> str:
    """Return what the statistic is compared with."""
    if equal_variances:
        return "the law for equal variances, a function of chi-squares with 1 degree of freedom"
    return f"chi-square with {2 * null_components} degrees of freedom"
