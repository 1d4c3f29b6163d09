"""The bootstrap: the fit of resampled rows, many times over, from the fit of the rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step

Array = NDArray[np.float64]
Result = TypeVar("Result")

_MAX_STEPS = 200
_CHUNK = 25
_LEAST_SHARE = 1e-300  # a weight may vanish on the way to an end
_MOST_DRAWN = 5_000_000
_MOST_ORDERED = 6  # components whose orders are all tried


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bootstrap:
    """Refits of resampled rows, their components matched to those of the fit.

    Attributes
    ----------
    free : (B, p) float64
        Free coordinates, local, of the refits that converged.
    n_failed : int
        Refits that ended at no maximum; they are left out.
    n_switched : int
        Refits whose components had to be put in another order to match those of the fit.
    parametric : bool
        Whether rows were drawn from the fitted mixture, and not from the rows.
    fitted : (p,) float64
        Free coordinates of the fit itself.
    call : str
        How they were asked for, as Python.
    """

    free: Array
    n_failed: int
    n_switched: int
    parametric: bool
    fitted: Array
    call: str = ""

    def __repr__(self) -> str:
        """Return what was done, in a line."""
        kind = "parametric" if self.parametric else "nonparametric"
        return (
            f"<{kind} bootstrap: {len(self.free)} refits, {self.n_failed} more failed, "
            f"{self.n_switched} with components in another order>"
        )


class _Refit(NamedTuple):
    """Where a refit ended: free coordinates or None, and whether its components were reordered."""

    free: Array | None
    is_switched: bool


def bootstrap(
    problem: Problem,
    state: State,
    n_replicates: int,
    *,
    parametric: bool = False,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Bootstrap:
    """Return refits of resampled rows.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    n_replicates : int
        How many refits.
    parametric : bool
        Draw rows from the fitted mixture; by default they are drawn from the rows, or from the
        nodes that stand for them.
    rng : numpy.random.Generator, int or None
        Source of randomness. Each refit has a generator of its own, so that the same seed gives
        the same numbers whatever the number of workers.
    workers : int
        Processes to share the work; a script that asks for more than one has its commands under
        ``if __name__ == "__main__":``.
    progress : callable, optional
        Called with the refits done and their number.

    Raises
    ------
    ParameterError
        If rows with sampling weights are known by their sketch only, or there are too many rows to
        be drawn from a mixture.

    Notes
    -----
    Each refit climbs from the fit, and so finds the maximum that belongs to it.
    Source: derivation, "Bootstrap".
    """
    sample = problem.sample
    if sample.squared is not None and not _knows_rows(sample):
        raise ParameterError(
            "A bootstrap with sampling weights needs the rows, and this column is large enough to "
            'be sketched; method="wald" or "profile" takes the weights into account.'
        )
    if parametric and sample.total > _MOST_DRAWN:
        raise ParameterError(
            f"A parametric bootstrap would draw {sample.total:,.0f} rows for each refit; leave out "
            'parametric=True, or use method="profile", which such numbers of rows do not need '
            "to be corrected."
        )
    run = partial(_refit_of, problem, state, parametric)
    refits = replicated(run, n_replicates, rng=rng, workers=workers, progress=progress)
    kept = [refit.free for refit in refits if refit.free is not None]
    free = np.array(kept).reshape(len(kept), state.free.shape[1])
    switched = sum(refit.is_switched for refit in refits)
    return Bootstrap(free, len(refits) - len(kept), switched, parametric, state.free[0])


def replicated(
    run: Callable[[np.random.Generator], Result],
    n_replicates: int,
    *,
    rng: np.random.Generator | int | None,
    workers: int,
    progress: Progress | None,
    enough: Callable[[Sequence[Result]], bool] | None = None,
) -> list[Result]:
    """Return what a function gives for so many generators of random numbers, one after another.

    Each call has a generator of its own, made from `rng` and its place in the row, so that the
    numbers are the same whatever the number of workers. `enough` is asked now and then whether the
    first so many will do.
    """
    entropy = _entropy(rng)
    tasks = [range(i, min(i + _CHUNK, n_replicates)) for i in range(0, n_replicates, _CHUNK)]
    found: list[Result] = []
    try:
        with _mapped(workers) as spread:
            for some in spread(partial(_several, run, entropy), tasks):
                found += some
                if progress is not None:
                    progress(len(found), n_replicates)
                if enough is not None and enough(found):
                    break
    except BrokenProcessPool:
        raise ParameterError(
            f"The {workers} processes could not be started: put the commands of the script under "
            'if __name__ == "__main__":, or leave workers out.'
        ) from None
    return found


def _several(
    run: Callable[[np.random.Generator], Result], entropy: int, which: range
) -> list[Result]:
    """Some of the calls."""
    return [run(np.random.default_rng([entropy, i])) for i in which]


def _entropy(rng: np.random.Generator | int | None) -> int:
    """The number from which the generators of all refits are made."""
    known = rng is None or isinstance(rng, np.random.Generator)
    if not known and not (isinstance(rng, int | np.integer) and rng >= 0):
        raise ParameterError(
            f"rng={rng!r} is no source of randomness; pass a whole number, not negative, or a "
            "numpy Generator."
        )
    return int(np.random.default_rng(rng).integers(2**63))


@contextmanager
def _mapped(workers: int) -> Iterator[Callable[..., Any]]:
    """A map over tasks, in this process or in several."""
    if workers == 1:
        yield map
        return
    # Not forked: a fork of a process that has threads may hang.
    with ProcessPoolExecutor(_processes(workers), mp_context=get_context("spawn")) as pool:
        try:
            yield pool.map
        finally:  # where the first ones will do, the others are not waited for
            pool.shutdown(cancel_futures=True)


def _processes(workers: int, platform: str = sys.platform) -> int:
    """How many processes to start: Windows waits for no more than 61 at once."""
    return min(workers, 61) if platform == "win32" else workers


def _knows_rows(sample: Sample) -> bool:
    """Whether a sample with squared weights has them at the same points."""
    squared = sample.squared
    return squared is not None and np.array_equal(squared.local, sample.local)


def _refit_of(problem: Problem, state: State, parametric: bool, rng: np.random.Generator) -> _Refit:
    """One of the refits."""
    sample = (drawn if parametric else _resampled)(problem.sample, state, rng)
    return _refit(replace(problem, sample=sample), state)


def _resampled(sample: Sample, state: State, rng: np.random.Generator) -> Sample:
    """As many rows as there are, drawn from them."""
    counts, each = sample.weights, np.ones(len(sample))
    if sample.squared is not None:
        each = sample.squared.weights / sample.weights
        known = each > 0.0  # squares of the smallest weights vanish
        counts = np.divide(counts, each, out=np.zeros_like(each), where=known)
    n = max(round(float(counts.sum())), 1)
    taken = rng.multinomial(n, counts / counts.sum()) * each
    kept = taken > 0.0
    weights = taken[kept] * (float(counts.sum()) / n)
    return sample.with_local(sample.local[kept], weights)


def drawn(sample: Sample, state: State, rng: np.random.Generator) -> Sample:
    """Return as many rows as there are, drawn from the fitted mixture."""
    mixture = NormalMixture(state.weights[0], state.means[0], state.sds[0])
    local, counts = np.unique(mixture.sample(round(sample.total), rng), return_counts=True)
    return replace(sample.with_local(local, counts.astype(np.float64)), width=0.0)


def _refit(problem: Problem, state: State) -> _Refit:
    """The maximum of resampled rows that an ascent from the fit leads to."""
    climbs = climb(problem, state.free, newton_step, max_steps=_MAX_STEPS)
    if climbs.outcomes[0] is not Outcome.CONVERGED:
        return _Refit(None, False)
    ended = climbs.state
    order = matching(problem, ended, state)
    if (np.diff(order) > 0).all():
        return _Refit(ended.free[0], False)
    named = (ended.weights, ended.means, ended.sds)
    return _Refit(problem.free(*(array[:, order] for array in named))[0], True)


def matching(problem: Problem, ended: State, state: State) -> NDArray[np.intp]:
    """Return the order that makes the components of a state most like those of the fit."""
    k = problem.n_components
    if k > _MOST_ORDERED:
        return np.arange(k)
    means, sds = state.means[0], state.sds[0]
    orders, shares = problem.constraints.orders(), np.maximum(ended.weights[0], _LEAST_SHARE)
    if len(orders) == 1:
        return orders[0]
    costs = [
        (
            ((ended.means[0][order] - means) / sds) ** 2
            + 2.0 * np.log(ended.sds[0][order] / sds) ** 2
            + np.log(shares[order] / state.weights[0]) ** 2
        )
        @ state.weights[0]
        for order in orders
    ]
    return orders[int(np.argmin(costs))]
