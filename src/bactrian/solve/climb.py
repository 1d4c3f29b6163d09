"""The one loop: a batch of ascents, each driven by the same step until it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.landscape import Landscape
from bactrian.solve.merge import following
from bactrian.solve.outcome import Outcome
from bactrian.solve.state import State
from bactrian.solve.steps import Memory, em_step, full_newton_step, gradient_step, newton_step

Array = NDArray[np.float64]
Step = Callable[[Landscape, State, Memory], Array]

TOLERANCE = 1e-12
_QUADRATIC = 1e-6  # below this decrement, differences of log-likelihoods are rounding
_ARMIJO = 1e-4
_SHORTEN = 0.25
MAX_TRIES = 5
_NEARLY_STATIONARY = 1e-5
LEAST_ROWS = 0.1
_KINDS: dict[object, str] = {newton_step: "newton", em_step: "em", gradient_step: "gradient"}


@dataclass(frozen=True, slots=True, eq=False)
class TracePoint:
    """One point of an ascent, in the unit of log-likelihoods.

    Attributes
    ----------
    loglike : float
        Log-likelihood in local coordinates.
    decrement : float
        Newton decrement: half of it is the log-likelihood still to be gained.
    free : tuple of float
        Free coordinates, local.
    kind : str
        What led here: "start", or the kind of step.
    """

    loglike: float
    decrement: float
    free: tuple[float, ...]
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Climbs:
    """How a batch of S ascents ended.

    Attributes
    ----------
    state : State
        The last non-degenerate point of each.
    outcomes : tuple of Outcome
        How each ended.
    n_steps : (S,) int
        Accepted steps of each, the last undamped one among them.
    trace : tuple of TracePoint
        The path of the first ascent, where it was asked for.
    """

    state: State
    outcomes: tuple[Outcome, ...]
    n_steps: NDArray[np.intp]
    trace: tuple[TracePoint, ...]


def climb(
    problem: Landscape,
    start: Array,
    step: Step,
    *,
    max_steps: int,
    tolerance: float = TOLERANCE,
    keep_trace: bool = False,
    merge: bool = False,
    max_tries: int = MAX_TRIES,
) -> Climbs:
    """Return the ends of ascents from free coordinates (S, p).

    Every round evaluates one proposal per ascent. A proposal that does not raise the likelihood
    enough is shortened; after five refusals an EM step, which never lowers it, is taken instead.
    An ascent ends when its Newton decrement is below the tolerance at a concave point, and then
    takes one undamped Newton step, which squares the distance to the maximum. With `merge`,
    ascents that have come together near a maximum go on as one.
    """
    state = problem.evaluate(start)
    final, size, outcomes = state, len(state), np.full(len(state), Outcome.MAX_STEPS, dtype=object)
    alive, n_steps = np.arange(size), np.zeros(size, dtype=np.intp)
    tries, leader = np.zeros(size, dtype=np.intp), np.arange(size)
    fallen = _collapsed(problem, state)
    memory = Memory(np.zeros_like(start), np.zeros_like(start))
    trace = [trace_point(state, "start")] if keep_trace else []
    for round_ in range(max_steps + 1):
        ended = fallen | _ended(problem, state, tolerance)
        followed = following(problem, state) if merge else np.full(len(state), -1)
        follows = followed >= 0
        leader[alive[follows]] = alive[followed[follows]]
        ended &= ~follows
        going = ~(ended | follows)
        if not going.all():
            outcomes[alive[ended]] = _outcomes(state[ended], fallen[ended])
            final = _put(final, alive[ended], state[ended])
            alive, tries, state, fallen = alive[going], tries[going], state[going], fallen[going]
            memory = Memory(memory.displacement[going], memory.score_change[going])
        if not alive.size or round_ == max_steps:
            break
        proposal = _proposal(problem, state, memory, step, tries, max_tries)
        candidate = problem.evaluate(proposal)
        by_em = (tries >= max_tries) | (step is em_step)
        accept = _accepted(state, candidate, by_em)
        fallen = accept & _collapsed(problem, candidate)
        accept &= ~fallen
        memory = _remember(memory, state, candidate, accept, step)
        tries = np.where(accept, 0, tries + 1)
        n_steps[alive[accept]] += 1
        state = state.where(accept, candidate)
        if keep_trace and accept[0]:
            trace.append(trace_point(state, "em" if by_em[0] else _KINDS.get(step, "step")))
    ends, member = _followed_to_the_end(leader)
    arrived = _put(final, alive, state)[ends]
    final = polished(problem, arrived, tolerance)
    moved = (final.free != arrived.free).any(axis=1)[member]
    if keep_trace and moved[0]:
        trace.append(trace_point(final[member], "newton"))
    return Climbs(final[member], tuple(outcomes[ends[member]]), n_steps + moved, tuple(trace))


def _followed_to_the_end(leader: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The ascents that were climbed to their end, and for each ascent which of these it met."""
    while (leader[leader] != leader).any():
        leader = leader[leader]
    ends, member = np.unique(leader, return_inverse=True)
    return ends, member


def _proposal(
    problem: Landscape,
    state: State,
    memory: Memory,
    step: Step,
    tries: NDArray[np.intp],
    max_tries: int,
) -> Array:
    """The step's end point, shortened by the refusals so far, or an EM step after the last."""
    end = step(problem, state, memory)
    if not tries.any():
        return end
    shortening = _SHORTEN ** np.minimum(tries, max_tries)
    shortened = state.free + (end - state.free) * shortening[:, None]
    refused = tries >= max_tries
    if step is em_step or not refused.any():
        return shortened
    return np.where(refused[:, None], em_step(problem, state, memory), shortened)


def _accepted(state: State, candidate: State, by_em: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which candidates are taken: those that rise enough, or come nearer where no rise shows."""
    promised = np.vecdot(state.score, candidate.free - state.free)
    rises = candidate.loglike > state.loglike + _ARMIJO * promised
    near = state.is_concave & (state.decrement < _QUADRATIC)
    near &= candidate.decrement < state.decrement
    return np.asarray(np.isfinite(candidate.loglike) & (rises | near | by_em))


def _ended(problem: Landscape, state: State, tolerance: float) -> NDArray[np.bool_]:
    """Which ascents have arrived, or cannot go on."""
    arrived = state.is_concave & (state.decrement <= tolerance)
    return arrived | _vanished(state) | flat(problem, state)


def _collapsed(problem: Landscape, state: State) -> NDArray[np.bool_]:
    """Which ascents have a component narrower than the data resolve."""
    return np.asarray(state.sds.min(axis=1) < problem.floor)


def _vanished(state: State) -> NDArray[np.bool_]:
    """Which ascents have a component with less than a tenth of a row."""
    return np.asarray(state.counts.min(axis=1) < LEAST_ROWS)


def flat(problem: Landscape, state: State) -> NDArray[np.bool_]:
    """Which ascents stand where two components coincide.

    A direction that is not concave, but so slightly that a displacement by one sd of all the
    rows' information changes the log-likelihood by less than a thousandth, leads nowhere; Newton
    steps along it would go on for ever.
    """
    rows = problem.sample.total * np.abs(state.eigenvalues[:, 0])
    still = ~state.is_concave & (rows < 1e-3) & (state.decrement < _NEARLY_STATIONARY)
    return np.asarray(still)


def _outcomes(state: State, fallen: NDArray[np.bool_]) -> list[Outcome]:
    """How each of the ended ascents ended."""
    vanished = _vanished(state)
    found = []
    for i in range(len(state)):
        smallest = state.counts[i].argmin()
        if fallen[i] or (vanished[i] and state.sds[i, smallest] < 0.1 * state.sds[i].max()):
            found.append(Outcome.COMPONENT_COLLAPSED)
        elif vanished[i]:
            found.append(Outcome.COMPONENT_VANISHED)
        elif not state.is_concave[i]:
            found.append(Outcome.COMPONENTS_NOT_DISTINCT)
        else:
            found.append(Outcome.CONVERGED)
    return found


def polished(problem: Landscape, state: State, tolerance: float) -> State:
    """One undamped Newton step where it does not leave the maximum."""
    arrived = state.is_concave & (state.decrement <= tolerance)
    if not arrived.any():
        return state
    better = problem.evaluate(np.where(arrived[:, None], full_newton_step(state), state.free))
    keep = arrived & better.is_concave & (better.decrement <= state.decrement)
    return state.where(keep, better)


def _remember(
    memory: Memory, state: State, candidate: State, accept: NDArray[np.bool_], step: Step
) -> Memory:
    """What the next step may need of this one."""
    if step is not gradient_step:  # the only one that looks back
        return memory
    taken = accept[:, None]
    return Memory(
        np.where(taken, candidate.free - state.free, memory.displacement),
        np.where(taken, candidate.score - state.score, memory.score_change),
    )


def _put(final: State, index: NDArray[np.intp], ended: State) -> State:
    """The final states with those of some ascents replaced."""
    if not index.size:
        return final
    position = np.full(len(final), -1)
    position[index] = np.arange(index.size)
    spread = ended[np.maximum(position, 0)]
    return final.where(position >= 0, spread)


def trace_point(state: State, kind: str) -> TracePoint:
    """The first ascent's point for the trace."""
    return TracePoint(
        float(state.loglike[0]), float(state.decrement[0]), tuple(state.free[0].tolist()), kind
    )
