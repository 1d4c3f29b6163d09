"""The EM-test of the number of components: instant, with a known limiting law."""

from __future__ import annotations

from itertools import product

import numpy as np

from bactrian.data.sample import Sample
from bactrian.errors import DataError, ParameterError
from bactrian.infer.em_law import (
    MOST_COMPONENTS,
    N_STEPS,
    SHARES,
    law_in_words,
    p_value,
    penalty_level,
)
from bactrian.infer.em_search import maxima
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.splits import SplitProblem
from bactrian.model.constraints import unconstrained
from bactrian.model.mixture import NormalMixture
from bactrian.solve.atoms import atoms
from bactrian.solve.outcome import Outcome
from bactrian.solve.solver import solve

_COARSE, _MOST_TIED = 0.55, 0.5


def em_test(
    sample: Sample, null_components: int, *, equal_variances: bool = False
) -> HomogeneityTest:
    """Return the EM-test of so many components against more.

    Every component of the null hypothesis is split in two with a few fixed shares; the penalised
    likelihood is maximised with these held, and a few EM steps then let the shares move.

    Parameters
    ----------
    sample : Sample
        The weighted values; weights count rows.
    null_components : int
        Components under the null hypothesis.
    equal_variances : bool
        Whether all components share one variance; for one component only.

    Raises
    ------
    ParameterError
        If no law is known, the null hypothesis has no maximum of the likelihood, or values are
        rounded to more than half an sd.
    DataError
        If there are too few rows or distinct values for one component more.

    Notes
    -----
    Source: derivation, "EM-test"; Chen and Li (2009), Chen, Li and Fu (2012).
    """
    if null_components > MOST_COMPONENTS:
        raise ParameterError(
            f"The EM-test is for up to {MOST_COMPONENTS} components against more, not for "
            f'{null_components}; method="bootstrap" takes any number.'
        )
    p_value(0.0, null_components, equal_variances)  # whether its law is known
    _check_enough(sample, null_components + 1, equal_variances)
    null, loglike = _null(sample, null_components)
    if is_coarse(sample, float(null.sds.min())):
        raise ParameterError(
            "The values are rounded so coarsely, in steps of more than half an sd, that the "
            "halves of the EM-test would shrink onto single values: its law does not hold; "
            'method="bootstrap" draws samples that are rounded alike.'
        )
    level = penalty_level(null, sample.total, equal_variances)
    problem = SplitProblem.around(sample, null, level, equal=equal_variances)
    statistic = 2.0 * (_reached(problem, null) - loglike)
    return HomogeneityTest(
        null_components,
        "em",
        equal_variances,
        statistic,
        p_value(statistic, null_components, equal_variances),
        law_in_words(null_components, equal_variances),
        notes=_notes(sample, equal_variances),
    )


def is_coarse(sample: Sample, sd: float) -> bool:
    """Return whether values are so coarsely rounded for an sd, local, that the law is another.

    In simulations of rounded normals it holds for steps of half an sd, and no longer for 0.6.
    """
    if len(sample) < 2 or len(sample) > _MOST_TIED * sample.total:
        return False
    gaps, mass = np.diff(sample.local), 0.5 * (sample.weights[1:] + sample.weights[:-1])
    order = gaps.argsort()
    median = gaps[order][np.searchsorted(mass[order].cumsum(), 0.5 * mass.sum())]
    return bool(median > _COARSE * sd)


def _check_enough(sample: Sample, more: int, equal_variances: bool) -> None:
    """Refuse data that so many components could not be fitted to."""
    size = 2 * more if equal_variances else 3 * more - 1
    if sample.total < size:
        raise DataError(
            f"There are {sample.total:g} rows, and {more} components have {size} parameters; "
            "collect more rows or test fewer components."
        )
    if len(sample) <= more:
        raise DataError(
            f"There are {len(sample)} distinct values, too few for {more} components; test fewer."
        )


def _null(sample: Sample, n_components: int) -> tuple[NormalMixture, float]:
    """The maximum under the null hypothesis in local coordinates, and its log-likelihood."""
    found = solve(sample, unconstrained(n_components))
    if found.outcome is not Outcome.CONVERGED:
        raise ParameterError(
            f"There is no admissible maximum with {n_components} components, so there is no "
            "hypothesis to test; test fewer components."
        )
    state = found.state
    null = NormalMixture(state.weights[0], state.means[0], state.sds[0])
    return null, float(state.loglike[0])


def _reached(problem: SplitProblem, null: NormalMixture) -> float:
    """The largest modified log-likelihood over all the shares, after the steps that move them."""
    at = maxima(problem, null, np.array(list(product(SHARES, repeat=problem.n_pairs))))
    for _ in range(N_STEPS):
        at = problem.maximised(problem.expect(*at), at, shares_move=True)
    balance = np.log1p(-np.abs(1.0 - 2.0 * problem.shares(at[0]))).sum(axis=1)
    return float((problem.worth(at) + balance).max())


def _notes(sample: Sample, equal_variances: bool) -> tuple[str, ...]:
    """What to know about the data, in sentences."""
    return tuple(
        f"The value {sample.values[i]:.6g} is shared by {sample.weights[i]:g} of the "
        f"{sample.total:g} rows. No normal component describes such rows, and they alone can make "
        "a p-value small."
        for i in (() if equal_variances or sample.width else atoms(sample))
    )
