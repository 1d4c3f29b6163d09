"""Tests of a restricted fit against a more general one: likelihood ratio, Wald, score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.infer.covariance import Kind, free_covariance, outer_product
from bactrian.infer.rounding import round_plain
from bactrian.model.constraints import Constraints
from bactrian.model.equations import equations
from bactrian.model.mixture import NormalMixture
from bactrian.solve.problem import Problem
from bactrian.solve.solver import Solution
from bactrian.solve.state import State

Array = NDArray[np.float64]

_SAME = 1e-9
_RISEN = 1e-6


@dataclass(frozen=True, slots=True)
class TestStatistic:
    """One statistic and how often chance alone would exceed it.

    Attributes
    ----------
    statistic : float
        Chi-square distributed, in large samples, if the restriction is true; NaN where the weights
        or the information leave it undefined.
    p_value : float
        The upper tail of that law.
    """

    __test__ = False  # no test of ours, whatever its name

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class NestedTest:
    """Whether a restriction contradicts the data; printing shows the three tests.

    Attributes
    ----------
    df : int
        Free parameters that the restriction takes away.
    likelihood_ratio : TestStatistic
        Twice the log-likelihood lost.
    wald : TestStatistic
        From the general fit alone.
    score : TestStatistic
        From the restricted fit alone.
    """

    __test__ = False

    df: int
    likelihood_ratio: TestStatistic
    wald: TestStatistic
    score: TestStatistic

    @property
    def statistic(self) -> float:
        """That of the likelihood ratio; of Wald's test where the weights are sampling weights."""
        return self._main.statistic

    @property
    def p_value(self) -> float:
        """As `statistic`."""
        return self._main.p_value

    @property
    def _main(self) -> TestStatistic:
        """The test to report."""
        undefined = np.isnan(self.likelihood_ratio.statistic)
        return self.wald if undefined else self.likelihood_ratio

    def __str__(self) -> str:
        """Return one line for each test."""
        degrees = f"{self.df} degree{'s' if self.df > 1 else ''} of freedom"
        lines = [f"{'':<18}statistic    p-value   ({degrees})"]
        for name in ("likelihood_ratio", "wald", "score"):
            test = getattr(self, name)
            label = {"likelihood_ratio": "likelihood ratio", "wald": "Wald", "score": "score"}
            shown = round_plain(test.statistic)
            lines.append(f"{label[name]:<18}{shown:>9}    {test.p_value:<9.4g}")
        return "\n".join(line.rstrip() for line in lines)


def nested_test(restricted: Solution, general: Solution) -> NestedTest:
    """Return the tests of one fit against another with fewer constraints, of the same data.

    Raises
    ------
    ParameterError
        Where no chi-square law holds, or the fits are not nested.

    Notes
    -----
    Source: derivation, "Tests between nested fits".
    """
    _require_same_data(restricted.problem, general.problem)
    df = _degrees_of_freedom(restricted, general)
    sampling = restricted.problem.sample.squared is not None
    ratio = 2.0 * (general.loglike - restricted.loglike)
    if ratio < -_RISEN:
        raise ParameterError(
            f"The restricted fit has the higher log-likelihood, by {-0.5 * ratio:.4g}: the general "
            "one ended at another maximum; compare fits of the same maximum, see its certificate."
        )
    kind: Kind = "sandwich" if sampling else "hessian"
    nan = float("nan")
    return NestedTest(
        df,
        _against_chi_square(nan if sampling else max(ratio, 0.0), df),
        _against_chi_square(_wald(restricted.problem, restricted.state, general, kind), df),
        _against_chi_square(nan if sampling else _score(restricted, general.problem), df),
    )


def _require_same_data(one: Problem, other: Problem) -> None:
    """Refuse fits of different rows."""
    a, b = one.sample, other.sample
    weighted = (a.squared is None) == (b.squared is None)
    spread = a.scale + b.scale
    if not weighted or not np.allclose(_facts(a), _facts(b), rtol=_SAME, atol=_SAME * spread):
        raise ParameterError(
            "The two fits are of different rows or weights; tests compare fits of the same data."
        )


def _facts(sample: Sample) -> list[float]:
    """What tells columns apart, from rows and from the nodes of any sketch alike."""
    mean = sample.origin + sample.scale * float(sample.weights @ sample.local / sample.total)
    sd = sample.scale * float(np.sqrt(sample.local_variance))
    return [float(sample.values[0]), float(sample.values[-1]), sample.total, mean, sd]


def _degrees_of_freedom(restricted: Solution, general: Solution) -> int:
    """How many equations separate the fits; refuses what has no chi-square law."""
    few, many = restricted.problem.constraints, general.problem.constraints
    if few.n_components != many.n_components:
        raise ParameterError(
            f"The fits have {few.n_components} and {many.n_components} components: the number of "
            "components cannot be tested so, because a component of weight zero has no mean and "
            "no sd, and the likelihood ratio then no chi-square law; use a test of homogeneity or "
            "compare()."
        )
    for solution, which in ((restricted, "restricted"), (general, "general")):
        if solution.problem.at_bound(solution.state.free[0]).any():
            raise ParameterError(
                f"The {which} fit has a parameter at its bound, where these statistics have no "
                "chi-square law; fix the parameter or widen the bound."
            )
    df = many.n_free - few.n_free
    if df <= 0:
        raise ParameterError(
            f"The fits have {few.n_free} and {many.n_free} free parameters; call test_against on "
            "the fit with fewer and pass the one with more."
        )
    point = _mixture(restricted.state)
    lost, kept = equations(many, point), equations(few, point)
    rank = np.linalg.matrix_rank(np.concatenate([kept.slopes, lost.slopes]), tol=_SAME)
    if rank > len(kept.slopes) or np.abs(lost.residuals).max(initial=0.0) > _SAME:
        raise ParameterError(
            "The fits are not nested: what the general one holds, the restricted one does not."
        )
    return df


def _wald(problem: Problem, state: State, general: Solution, kind: Kind) -> float:
    """How far the general estimate is from the restriction, in its own covariance."""
    order = _matching(problem, state, general)
    mixture = _mixture(general.state)
    slopes = general.problem.constraints.jacobian(general.state.free)[0]
    covariance = slopes @ free_covariance(general.problem, general.state, kind) @ slopes.T
    moved = NormalMixture(mixture.weights[order], mixture.means[order], mixture.sds[order])
    scale = general.problem.sample.scale / problem.sample.scale
    shift = (general.problem.sample.origin - problem.sample.origin) / problem.sample.scale
    moved = moved.affine(shift, scale)
    turned = _relabelled(order)
    k = mixture.n_components
    units = np.concatenate([np.ones(k - 1), np.full(k, scale), np.ones(k)])
    turned = units[:, None] * turned
    found = equations(problem.constraints, moved)
    spread = found.slopes @ turned @ covariance @ turned.T @ found.slopes.T
    if not np.isfinite(spread).all():
        return float("nan")
    # What the general fit holds too has neither residual nor variance.
    return float(found.residuals @ np.linalg.pinv(spread, rcond=1e-10) @ found.residuals)


def _relabelled(order: Array) -> Array:
    """The linear map (3K - 1, 3K - 1) of working coordinates that a new order of components is."""
    k = len(order)
    swap = np.eye(k)[np.asarray(order, dtype=np.intp)]
    logits = (swap - swap[-1:])[:-1, :-1]
    full = np.zeros((3 * k - 1, 3 * k - 1))
    full[: k - 1, : k - 1] = logits
    full[k - 1 : 2 * k - 1, k - 1 : 2 * k - 1] = swap
    full[2 * k - 1 :, 2 * k - 1 :] = swap
    return full


def _matching(problem: Problem, state: State, general: Solution) -> Any:
    """The order in which the general fit's components are most like the restricted one's.

    Only such orders as leave its mixture what the general fit may choose.
    """
    one, other = problem.sample, general.problem.sample
    there = _mixture(state).affine(
        (one.origin - other.origin) / other.scale, one.scale / other.scale
    )  # fmt: skip
    own, held = _mixture(general.state), general.problem.constraints
    best, least = np.arange(own.n_components), np.inf
    for order in map(np.array, permutations(range(own.n_components))):
        moved = NormalMixture(own.weights[order], own.means[order], own.sds[order])
        apart = (moved.means - there.means) / there.sds
        cost = (apart**2 + np.log(moved.sds / there.sds) ** 2).sum()
        if cost < least and _is_member(held, moved):
            best, least = order, cost
    return best


def _is_member(constraints: Constraints, mixture: NormalMixture) -> bool:
    """Whether a mixture is in a set."""
    values = np.concatenate([mixture.weights, mixture.means, mixture.sds])
    low, high = np.concatenate([constraints.weights, constraints.means, constraints.sds]).T
    missed = np.abs(equations(constraints, mixture).residuals).max(initial=0.0)
    return bool(((values >= low - _SAME) & (values <= high + _SAME)).all() and missed < _SAME)


def _score(restricted: Solution, problem: Problem) -> float:
    """The general score at the restricted estimate, in the information there."""
    mixture = _mixture(restricted.state)
    own = restricted.problem.sample
    scale = own.scale / problem.sample.scale
    shift = (own.origin - problem.sample.origin) / problem.sample.scale
    moved = mixture.affine(shift, scale)
    free = problem.constraints.free(moved.weights[None], moved.means[None], moved.sds[None])
    state = problem.evaluate(free)
    information = -state.hessian[0]
    if not state.is_concave[0]:
        slopes = problem.constraints.jacobian(free)[0]
        information = slopes.T @ outer_product(problem, state) @ slopes
    return float(state.score[0] @ np.linalg.solve(information, state.score[0]))


def _mixture(state: State) -> NormalMixture:
    """The mixture at a state, in local coordinates."""
    return NormalMixture(state.weights[0], state.means[0], state.sds[0])


def _against_chi_square(statistic: float, df: int) -> TestStatistic:
    """The statistic with its upper tail."""
    from scipy.special import gammaincc

    return TestStatistic(statistic, float(gammaincc(0.5 * df, 0.5 * statistic)))
