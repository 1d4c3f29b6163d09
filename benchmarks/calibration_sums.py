"""The sums of ``likelihood.sums.sum_rows`` for more than two components, compiled.

For ``calibration.py`` alone, whose tests of two components against more climb mixtures of four. Of
the products only those are filled that the derivatives take: features of a pair's own components.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import null_law_ascents
import null_law_sums
import numpy as np
from numpy.typing import NDArray

from bactrian.infer.splits import SplitProblem
from bactrian.likelihood import derivatives
from bactrian.likelihood.derivatives import Expectations
from bactrian.likelihood.sums import Sums
from bactrian.model.posterior import HALF_LOG_2PI
from bactrian.solve.problem import Problem

Array = NDArray[np.float64]

_ROWS = 256
_ROUGH: dict[type[Problem] | type[SplitProblem], Any] = {
    problem: problem.expect_roughly for problem in (Problem, SplitProblem)
}


def install() -> None:
    """Let the searches and the tests of this process take the compiled loops."""
    null_law_ascents.install()
    derivatives.sum_rows = sum_rows  # type: ignore[attr-defined]
    for problem, rough in _ROUGH.items():
        problem.expect_roughly = _expect(problem.expect, rough)  # type: ignore[method-assign]


def remove() -> None:
    """Let them take the library's again."""
    null_law_ascents.remove()
    for problem, rough in _ROUGH.items():
        problem.expect_roughly = rough  # type: ignore[method-assign]


def _expect(careful: Any, rough: Any) -> Any:
    """The rough E-step, of two components by the compiled loops, which are quicker still."""

    def expect(self: Any, weights: Array, means: Array, sds: Array) -> Expectations:
        some = careful if weights.shape[1] == 2 else rough
        return some(self, weights, means, sds)

    return expect


def sum_rows(
    x: Array, w: Array, weights: Array, means: Array, sds: Array, *, second_order: bool = True
) -> Sums:
    """Return what the library's function of this name does, to rounding."""
    size, k = weights.shape
    if k < 3 or not second_order:
        return null_law_sums.sum_rows(x, w, weights, means, sds, second_order=second_order)
    width = 2 * k + 1
    loglike = np.zeros(size)
    products = np.zeros((size, k + k * (k - 1) // 2 * width, width))
    with np.errstate(all="ignore"):
        logs = np.log(weights) - np.log(sds) - HALF_LOG_2PI
    given = (np.ascontiguousarray(array) for array in (x, w, logs, means, sds))
    _loop()(*given, loglike, products)
    return Sums(loglike, products)


@cache
def _loop() -> Callable[..., None]:
    """The compiled loop."""
    import numba

    make = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
    return make(_sums)  # type: ignore[no-any-return]


def _sums(x: Any, w: Any, logs: Any, means: Any, sds: Any, loglike: Any, products: Any) -> None:
    """Fill the log-likelihood (S,) and the products (S, ..., 2K + 1) of each mixture."""
    k = logs.shape[1]
    width = 2 * k + 1
    u, q, r = np.empty((k, _ROWS)), np.empty((k, _ROWS)), np.empty((k, _ROWS))
    part, features = np.empty((5, _ROWS)), np.ones((5, _ROWS))
    place = np.zeros(5, np.intp)
    for s in range(len(logs)):
        for begin in range(0, len(x), _ROWS):
            rows = min(_ROWS, len(x) - begin)
            for i in range(rows):
                top = -math.inf
                for c in range(k):
                    z = (x[begin + i] - means[s, c]) / sds[s, c]
                    u[c, i], q[c, i] = z, 0.5 * (z * z - 1.0)
                    r[c, i] = logs[s, c] - 0.5 * z * z
                    top = max(top, r[c, i])
                total = 0.0
                for c in range(k):
                    r[c, i] = math.exp(r[c, i] - top)
                    total += r[c, i]
                for c in range(k):
                    r[c, i] /= total
                loglike[s] += w[begin + i] * (top + math.log(total))
            for c in range(k):
                count, first, second = 0.0, 0.0, 0.0
                for i in range(rows):
                    share = w[begin + i] * r[c, i]
                    count += share
                    first += share * u[c, i]
                    second += share * q[c, i]
                products[s, c, 0] += count
                products[s, c, 1 + c] += first
                products[s, c, 1 + k + c] += second
            row = k
            for a in range(k):
                for b in range(a + 1, k):
                    place[1], place[2], place[3], place[4] = 1 + a, 1 + b, 1 + k + a, 1 + k + b
                    features[1, :rows], features[2, :rows] = u[a, :rows], u[b, :rows]
                    features[3, :rows], features[4, :rows] = q[a, :rows], q[b, :rows]
                    for i in range(rows):
                        part[0, i] = w[begin + i] * r[a, i] * r[b, i]
                    for f in range(1, 5):
                        for i in range(rows):
                            part[f, i] = part[0, i] * features[f, i]
                    for f in range(5):
                        for g in range(f + 1):
                            found = 0.0
                            for i in range(rows):
                                found += part[f, i] * features[g, i]
                            products[s, row + place[f], place[g]] += found
                            if f != g:
                                products[s, row + place[g], place[f]] += found
                    row += width
