"""A start that is given, beside those that are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import LEAST_ROWS, Climbs
from bactrian.solve.problem import Problem
from bactrian.solve.search import Origins, Root, Search, roots_of
from bactrian.solve.state import State

Array = NDArray[np.float64]

_RESOLVED = 1.01  # times the floor, beneath which an ascent has collapsed
_SAME = 1e-4  # of the sd of all rows, and in logs and shares; maxima are never so close


def free_of(problem: Problem, start: NormalMixture) -> Array:
    """Return the free coordinates (1, p) of a mixture, which is in the unit of the data.

    Sds that the sample does not resolve, as a sketch may not before it is refined, are widened.
    """
    sample = problem.sample
    means = (start.means - sample.origin) / sample.scale
    sds = np.maximum(start.sds / sample.scale, _RESOLVED * problem.floor)
    return problem.free(start.weights[None], means[None], sds[None])


def check_start(problem: Problem, start: NormalMixture, *, may_refine: bool = False) -> None:
    """Refuse a start from which no ascent can set out.

    Parameters
    ----------
    problem : Problem
        The likelihood of the sample.
    start : NormalMixture
        In the unit of the data.
    may_refine : bool
        Whether the sample is a sketch that may be replaced by a finer one.

    Raises
    ------
    ParameterError
        If the rows have no likelihood there, or a component is narrower than they resolve or
        holds next to none of them.
    """
    sds = start.sds / problem.sample.scale
    floor = problem.floor * problem.sample.scale
    k = int(sds.argmin())
    if sds[k] < problem.floor and not may_refine:
        raise ParameterError(
            f"Component {k + 1} of start has an sd of {start.sds[k]:g}, and these values resolve "
            f"none below {floor:.3g}: start with a larger one."
        )
    state = problem.evaluate(free_of(problem, start))
    known = np.isfinite(state.loglike[0]) and np.isfinite(state.score).all()
    if not known or not np.isfinite(state.hessian).all():
        raise ParameterError(
            f"Under start the likelihood of the rows is zero to every digit, so that no slope "
            f"leads from there: its means {_listed(start.means)} and sds {_listed(start.sds)} are "
            "too far from the rows; move them nearer, or take larger sds."
        )
    k = int(state.counts[0].argmin())
    if state.counts[0, k] < LEAST_ROWS:
        raise ParameterError(
            f"Component {k + 1} of start (mean {start.means[k]:g}, sd {start.sds[k]:g}) holds "
            f"{state.counts[0, k]:.2g} rows, as the others explain them all better, and so is lost "
            "before the first step: move it nearer to rows, or take a larger sd or weight."
        )


def _listed(values: Array) -> str:
    """Numbers in a row."""
    return ", ".join(f"{value:g}" for value in values)


def joined(problem: Problem, found: Search, start: Array, climbs: Climbs) -> Search:
    """Return what the search found with one ascent more, from free coordinates (1, p).

    A maximum that it had found already counts one start more, and this one as the nearest to it.
    """
    outcome = climbs.outcomes[0]
    counted = {**found.outcomes, outcome: found.outcomes.get(outcome, 0) + 1}
    reached = roots_of(
        problem, climbs.state, climbs.outcomes, Origins(start, climbs.state.loglike, np.ones(1))
    )
    roots = list(found.roots)
    for new in reached:
        same = [i for i, root in enumerate(roots) if are_same(problem, root, new)]
        if same:
            known = roots[same[0]]
            roots[same[0]] = replace(known, hits=known.hits + 1, start=start[0])
        else:
            roots.append(new)
    roots.sort(key=lambda root: -root.criterion)
    return replace(found, roots=tuple(roots), n_starts=found.n_starts + 1, outcomes=counted)


def are_same(problem: Problem, one: Root, other: Root | State) -> bool:
    """Return whether two maxima are one; those of a thinned sample and of all rows may differ."""
    spread = np.sqrt(problem.sample.local_variance)
    return bool(
        np.allclose(one.weights, other.weights, rtol=0.0, atol=_SAME)
        and np.allclose(one.means, other.means, rtol=0.0, atol=_SAME * spread)
        and np.allclose(np.log(one.sds), np.log(other.sds), rtol=0.0, atol=_SAME)
    )
