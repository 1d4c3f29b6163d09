"""The ascents of `solve.climb` for two free components, compiled: for `null_law.py` alone.

What the library's loop does to a batch of ascents with NumPy is done here to one after the other.
Its steps and rules are those of `climb`, `merge`, `steps` and `problem`, and `null_law.py` compares
what comes out before it begins. A climb that meets numbers out of the ordinary is left to the
library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from null_law_sums import assemble, pair_loop, point, sum_rows
from numpy.typing import NDArray

from bactrian.data.loops.moment_loops import ROWS
from bactrian.likelihood import derivatives
from bactrian.likelihood.sums import sum_rows as library_sums
from bactrian.solve import search
from bactrian.solve.climb import Climbs
from bactrian.solve.climb import climb as library_climb
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step

Array = NDArray[np.float64]

_FIELDS = {
    "free": (0, (5,)), "weights": (5, (2,)), "means": (7, (2,)), "sds": (9, (2,)),
    "loglike": (11, ()), "score": (12, (5,)), "hessian": (17, (5, 5)), "counts": (42, (2,)),
    "spreads": (44, (2, 2)), "whitener": (48, (5, 5)), "eigenvalues": (73, (5,)),
    "eigenvectors": (78, (5, 5)), "slopes": (103, (5,)), "decrement": (108, ()),
}  # fmt: skip
_SIZE = 109
_OUTCOMES = (
    Outcome.CONVERGED, Outcome.COMPONENT_COLLAPSED, Outcome.COMPONENT_VANISHED,
    Outcome.COMPONENTS_NOT_DISTINCT, Outcome.MAX_STEPS,
)  # fmt: skip
_made: dict[bool, Callable[..., bool]] = {}


def install() -> None:
    """Let the searches of this process take the compiled sums and ascents."""
    derivatives.sum_rows = sum_rows  # type: ignore[attr-defined]
    search.climb = climb  # type: ignore[attr-defined, assignment]


def remove() -> None:
    """Let them take the library's again."""
    derivatives.sum_rows = library_sums  # type: ignore[attr-defined]
    search.climb = library_climb  # type: ignore[attr-defined]


def climb(problem: Problem, start: Array, step: Any, *, max_steps: int, merge: bool) -> Climbs:
    """Return what the library's function of this name does, to rounding."""
    plain = partial(library_climb, problem, start, step, max_steps=max_steps, merge=merge)
    held = problem.constraints
    if not (step is newton_step and merge and held.is_none and held.n_components == 2):
        return plain()
    x, w = problem.sample.local, problem.sample.weights
    is_plain = bool((w == 1.0).all())
    size = len(start)
    final, ends = np.zeros((size, _SIZE)), np.empty(size, np.intp)
    codes, n_steps = np.full(size, 4), np.zeros(size, np.intp)
    scratch = np.empty((5, ROWS + 8)), np.empty((-(-x.size // ROWS), 12))
    good = _loop(is_plain)(
        x, None if is_plain else w, problem.sample.total, problem.floor, max_steps,
        np.ascontiguousarray(start), *scratch, final, codes, n_steps, ends,
    )  # fmt: skip
    if not good:
        return plain()
    final, outcomes = final[ends], tuple(_OUTCOMES[code] for code in codes[ends])
    named = {}
    for name, (first, shape) in _FIELDS.items():
        found = final[:, first : first + math.prod(shape)]
        named[name] = found.reshape(size, *shape)
    return Climbs(State.of(**named), outcomes, n_steps, ())


def _loop(is_plain: bool) -> Callable[..., bool]:
    """The compiled loop, for rows without weights or with them."""
    if is_plain not in _made:
        import numba

        make = partial(numba.njit, nogil=True, error_model="numpy")
        evaluate = make(_evaluate_loop(pair_loop(is_plain), make(point), make(assemble)))
        parts = (evaluate, make(_step), make(_after_em), make(_follow), make(_code))
        _made[is_plain] = make(_climb_loop(*parts))
    return _made[is_plain]


def _evaluate_loop(pair: Any, point: Any, assemble: Any) -> Callable[..., bool]:
    """`Problem.evaluate` at one point, of its compiled parts."""

    def evaluate(x: Any, w: Any, total: float, free: Any, terms: Any, parts: Any, row: Any) -> bool:
        """Fill a row with the state at free coordinates; false if they are out of the ordinary."""
        top = max(free[0], 0.0)
        share_0, share_1 = math.exp(free[0] - top), math.exp(-top)
        pi_0, pi_1 = share_0 / (share_0 + share_1), share_1 / (share_0 + share_1)
        weights, means, sds = row[5:7], row[7:9], row[9:11]
        row[0:5] = free
        weights[0], weights[1] = pi_0, pi_1
        means[0], means[1] = free[1], free[2]
        sds[0], sds[1] = math.exp(0.5 * free[3]), math.exp(0.5 * free[4])
        logs, at, sums = np.empty(2), np.empty(10), np.zeros(12)
        logs[0], logs[1] = math.log(pi_0) - math.log(sds[0]), math.log(pi_1) - math.log(sds[1])
        if not point(logs, means, sds, at):
            return False
        pair(x, w, at, terms, parts)
        for j in range(12):
            for b in range(len(parts)):
                sums[j] += parts[b, j]
            if not abs(sums[j]) < 1e60:
                return False
        products = np.empty((7, 5))
        assemble(sums, 0 if sds[0] <= sds[1] else 1, means, sds, products)
        row[11] = sums[0]
        n_0, n_1 = products[0, 0], products[1, 0]
        row[42], row[43] = n_0, n_1
        row[44], row[45], row[46], row[47] = (
            products[0, 1], products[1, 2], products[0, 3], products[1, 4],
        )  # fmt: skip
        row[12] = pi_1 * n_0 - pi_0 * n_1
        row[13], row[14] = row[44] / sds[0], row[45] / sds[1]
        row[15], row[16] = row[46], row[47]
        # The features of the five coordinates: 1, u_0, u_1, q_0, q_1; and whose they are.
        hessian = row[17:42].reshape(5, 5)
        for a in range(5):
            for b in range(5):
                own = (a == 0 or a % 2 == 1) == (b == 0 or b % 2 == 1)
                hessian[a, b] = products[2 + a, b] if own else -products[2 + a, b]
        hessian[0, 0] -= (n_0 + n_1) * pi_0 * pi_1
        for k in range(2):
            hessian[1 + k, 1 + k] -= row[42 + k]
            hessian[1 + k, 3 + k] -= row[44 + k]
            hessian[3 + k, 1 + k] -= row[44 + k]
            hessian[3 + k, 3 + k] -= 0.5 * row[42 + k] + row[46 + k]
        for k in range(2):
            for a in range(5):
                hessian[1 + k, a] /= sds[k]
            for a in range(5):
                hessian[a, 1 + k] /= sds[k]
        inverse_0 = 1.0 / (total * max(pi_0, 1e-12))
        inverse_1 = 1.0 / (total * max(pi_1, 1e-12))
        unit = np.empty(5)
        unit[0] = math.sqrt(inverse_0 + inverse_1)
        unit[1], unit[2] = sds[0] * math.sqrt(inverse_0), sds[1] * math.sqrt(inverse_1)
        unit[3], unit[4] = math.sqrt(2.0 * inverse_0), math.sqrt(2.0 * inverse_1)
        curvature, finite = np.empty((5, 5)), True
        for a in range(5):
            row[48 + 6 * a] = unit[a]
            for b in range(5):
                curvature[a, b] = -unit[a] * hessian[a, b] * unit[b]
                finite = finite and math.isfinite(curvature[a, b])
        if not finite:
            return False
        values, vectors = np.linalg.eigh(curvature)
        decrement = 0.0
        for a in range(5):
            slope = 0.0
            for b in range(5):
                slope += row[12 + b] * unit[b] * vectors[b, a]
                row[78 + 5 * a + b] = vectors[a, b]
            row[73 + a], row[103 + a] = values[a], slope
            decrement += slope * slope / max(abs(values[a]), 1e-10)
        row[108] = decrement
        return True

    return evaluate


def _step(row: Any, total: float, undamped: bool, end: Any) -> None:
    """Fill the end of the Newton step from a state, shortened to trust or undamped."""
    along = np.empty(5)
    least = 0.0 if row[73] > 1e-10 else 1e-3
    for a in range(5):
        value, slope = row[73 + a], row[103 + a]
        if undamped:
            along[a] = slope / (1.0 if value == 0.0 else value)
        else:
            along[a] = slope / max(abs(value), least)
    if not undamped and row[73] < -1e-8 and row[108] < 1e-8:
        along[0] = (-0.1 if row[103] < 0.0 else 0.1) * math.sqrt(total)
    shrink = 1.0
    for a in range(5):
        moved = 0.0
        for b in range(5):
            moved += row[78 + 5 * a + b] * along[b]
        end[a] = row[48 + 6 * a] * moved
        reach = 1.5 if a > 2 else (2.0 if a == 0 else 2.0 * row[8 + a])
        if not undamped:
            shrink = max(shrink, abs(end[a]) / reach)
    for a in range(5):
        end[a] = row[a] + end[a] / shrink


def _after_em(row: Any, floor: float, end: Any) -> None:
    """Fill the end of the EM step from a state."""
    count_0, count_1 = max(row[42], 1e-300), max(row[43], 1e-300)
    end[0] = math.log(count_0) - math.log(count_1)
    for k in range(2):
        count = count_0 if k == 0 else count_1
        shift = row[44 + k] / count
        inflation = max(2.0 * row[46 + k] / count + 1.0 - shift * shift, 1e-300)
        end[1 + k] = row[7 + k] + row[9 + k] * shift
        end[3 + k] = 2.0 * math.log(max(row[9 + k] * math.sqrt(inflation), 0.5 * floor))


def _follow(state: Any, alive: Any, total: float, followed: Any) -> None:
    """Fill, for each ascent that is alive, the one that it can leave the rest to, or -1."""
    size, near = len(alive), np.empty(len(alive), np.intp)
    m = 0
    for i in range(size):
        followed[i] = -1
        row = state[alive[i]]
        if row[73] > 1e-10 and row[108] < 0.01:
            near[m] = i
            m += 1
    if m < 2:
        return
    decrements, place = np.empty(m), np.empty((m, 6))
    for i in range(m):
        decrements[i] = state[alive[near[i]], 108]
    near = near[:m][np.argsort(decrements, kind="mergesort")]
    for i in range(m):
        row = state[alive[near[i]]]
        first = 0 if row[7] <= row[8] else 1
        for k in range(2):
            c = first if k == 0 else 1 - first
            place[i, k] = math.log(row[5 + c])
            place[i, 2 + k], place[i, 4 + k] = row[7 + c], math.log(row[9 + c])
    open_ = np.ones(m, np.bool_)
    for i in range(m):
        if not open_[i]:
            continue
        for j in range(i + 1, m):
            if not open_[j]:
                continue
            apart = 0.0
            for k in range(2):
                d = (place[j, k] - place[i, k]) ** 2
                d += ((place[j, 2 + k] - place[i, 2 + k]) / math.exp(place[i, 4 + k])) ** 2
                d += 2.0 * (place[j, 4 + k] - place[i, 4 + k]) ** 2
                apart += d * math.exp(place[i, k])
            if apart < 0.04 / total:
                open_[j] = False
                followed[near[j]] = near[i]


def _code(row: Any, fallen: bool) -> int:
    """How an ascent ended."""
    smallest = 42 if row[42] <= row[43] else 43
    vanished = row[smallest] < 0.1
    if fallen or (vanished and row[smallest - 33] < 0.1 * max(row[9], row[10])):
        return 1
    if vanished:
        return 2
    return 0 if row[73] > 1e-10 else 3


def _climb_loop(
    evaluate: Any, step: Any, after_em: Any, follow: Any, code: Any
) -> Callable[..., bool]:
    """The loop of the ascents, of its compiled parts."""

    def loop(x: Any, w: Any, total: float, floor: float, max_steps: int, start: Any, terms: Any,
             parts: Any, state: Any, codes: Any, n_steps: Any, ends: Any) -> bool:  # fmt: skip
        """Fill the last state of each ascent (S, 109), how it ended, and whose end is its own."""
        size, tolerance = len(start), 1e-12
        alive, leader = np.arange(size), np.arange(size)
        tries, fallen = np.zeros(size, np.intp), np.zeros(size, np.bool_)
        end, row = np.empty(5), np.zeros(109)
        for s in range(size):
            if not evaluate(x, w, total, start[s], terms, parts, state[s]):
                return False
            fallen[s] = min(state[s, 9], state[s, 10]) < floor
        for round_ in range(max_steps + 1):
            followed = np.empty(len(alive), np.intp)
            follow(state, alive, total, followed)
            m, kept = 0, np.empty(len(alive), np.intp)
            for i in range(len(alive)):
                s = alive[i]
                if followed[i] >= 0:
                    leader[s] = alive[followed[i]]
                    continue
                here = state[s]
                concave = here[73] > 1e-10
                ended = fallen[s] or (concave and here[108] <= tolerance)
                ended = ended or min(here[42], here[43]) < 0.1
                ended = ended or (not concave and total * abs(here[73]) < 1e-3 and here[108] < 1e-5)
                if ended:
                    codes[s] = code(here, fallen[s])
                else:
                    kept[m] = s
                    m += 1
            alive = kept[:m]
            if m == 0 or round_ == max_steps:
                break
            for i in range(m):
                s = alive[i]
                here = state[s]
                by_em = tries[s] >= 5
                if by_em:
                    after_em(here, floor, end)
                else:
                    step(here, total, False, end)
                    if tries[s] > 0:
                        for a in range(5):
                            end[a] = here[a] + (end[a] - here[a]) * 0.25 ** tries[s]
                if not evaluate(x, w, total, end, terms, parts, row):
                    return False
                promised = 0.0
                for a in range(5):
                    promised += here[12 + a] * (row[a] - here[a])
                accept = row[11] > here[11] + 1e-4 * promised or by_em
                accept = accept or (here[73] > 1e-10 and here[108] < 1e-6 and row[108] < here[108])
                fallen[s] = accept and min(row[9], row[10]) < floor
                if accept and not fallen[s]:
                    state[s] = row
                    tries[s] = 0
                    n_steps[s] += 1
                else:
                    tries[s] += 1
        for s in range(size):
            ends[s] = s
            while leader[ends[s]] != ends[s]:
                ends[s] = leader[ends[s]]
        for s in range(size):
            here = state[s]
            if ends[s] == s and here[73] > 1e-10 and here[108] <= tolerance:
                step(here, total, True, end)
                if not evaluate(x, w, total, end, terms, parts, row):
                    return False
                if row[73] > 1e-10 and row[108] <= here[108]:
                    state[s] = row
        return True

    return loop
