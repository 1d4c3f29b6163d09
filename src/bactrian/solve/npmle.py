"""The best mixture of any number of components that share one given sd: a convex problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.solve.worth import Worth

Array = NDArray[np.float64]

_MAX_STEPS = 40
_EM_STEPS = 10
_ENOUGH = 1e-3  # log-likelihood units that may be left to gain
_SHARE = 1e-4  # or this part of the gain so far, where that is more
_SUFFICIENT = 0.1
_LEAST_STEP = 1e-6
_RIDGE = 1e-13
_MAX_PIVOTS = 200
_FLAT = 1e-9
_BLOCK = 1 << 20  # numbers in a working array


def npmle(x: Array, w: Array, reference: float) -> tuple[Array, Array]:
    """Return the places and the shares of the components of the best mixture.

    All values are in units of the components' sd. The summits of the gradient function join the
    components, a quadratic model of the log-likelihood is maximised over the shares (non-negative
    least squares, which leaves most of them zero), and a step is made in that direction.

    Parameters
    ----------
    x, w : (n,) float64
        Ascending values, positive weights.
    reference : float
        The log-likelihood whose excess is asked for: of a large one fewer digits matter.

    Returns
    -------
    places, shares : (k,) float64
        Shares are positive and sum to one. They need not be the very best: what they are used for
        remains an upper bound.

    Notes
    -----
    Wang (2007), "On fast computation of the non-parametric maximum likelihood estimate of a mixing
    distribution". Source: derivation, "Bound on what any mixture could gain".
    """
    worth, total = Worth.of(x), w.sum()
    places, shares = _first(x, w)
    for _ in range(_MAX_STEPS):
        kernel = _kernel(x, places)
        density = kernel @ shares
        ratio = w / (total * density)
        summits, heights = worth.summits(worth.series(ratio))
        gained = float(w @ np.log(density)) - reference
        if total * np.log(heights.max()) <= max(_ENOUGH, _SHARE * gained):
            break
        new = summits[heights > 1.0]
        kernel = np.concatenate([kernel, _kernel(x, new)], axis=1)
        after = _step(kernel, w / total, density, np.append(shares, np.zeros(new.size)))
        if after is None:
            break
        places, shares = np.append(places, new)[after > 0.0], after[after > 0.0]
    return places, shares / shares.sum()


def loglike_and_ratios(x: Array, w: Array, places: Array, shares: Array) -> tuple[float, Array]:
    """Return the log-likelihood of such a mixture f, and w / (W f) at each value."""
    rows = max(1, _BLOCK // places.size)
    density = np.concatenate(
        [_kernel(x[i : i + rows], places) @ shares for i in range(0, x.size, rows)]
    )
    # Jensen's inequality asks for a positive function only, so that a floor keeps the bound.
    density = np.maximum(density, 1e-300)
    return float(w @ np.log(density)), w / (w.sum() * density)


def _first(x: Array, w: Array) -> tuple[Array, Array]:
    """A component at the mean of every occupied bin, after a few EM steps."""
    starts = _runs(np.floor(x))
    counts = np.add.reduceat(w, starts)
    places, shares = np.add.reduceat(w * x, starts) / counts, counts / w.sum()
    kernel = _kernel(x, places)
    for _ in range(_EM_STEPS):
        shares = shares * (kernel.T @ (w / (kernel @ shares))) / w.sum()
    return places, shares / shares.sum()


def _kernel(x: Array, places: Array) -> Array:
    """The unit component at each place, without its constant (n, k)."""
    return np.asarray(np.exp(-0.5 * (x[:, None] - places) ** 2))


def _step(kernel: Array, w: Array, density: Array, before: Array) -> Array | None:
    """Better shares for the components of a kernel (n, k), or None where there are none.

    Around the present density the log-likelihood is that of least squares, sum of
    w (s - 2)^2 / 2 with s the ratio of densities. On the simplex s - 2 is linear in the shares, and
    the point nearest to zero in a polytope is a non-negative least-squares problem (Dax 1990).
    """
    ratios = kernel / density[:, None]
    rows = np.sqrt(w)[:, None] * (ratios - 2.0)
    best = _non_negative(rows.T @ rows + 1.0, before)
    direction = best / best.sum() - before
    slope = float((w @ ratios) @ direction)
    change, step = ratios @ direction, 1.0
    while step > _LEAST_STEP:
        ratio = 1.0 + step * change
        if ratio.min() > 0.0 and w @ np.log(ratio) >= _SUFFICIENT * step * slope:
            return np.asarray(np.maximum(before + step * direction, 0.0))
        step *= 0.5
    return None


def _non_negative(gram: Array, start: Array) -> Array:
    """A p >= 0 with p' gram p / 2 - sum of p as small as can be: Lawson and Hanson's, from a start.

    No point on the way is worse than the one before, so that it may end early. Where two components
    nearly coincide, their sum is all that is known: the ridge divides it.
    """
    gram = gram + _RIDGE * np.trace(gram) / start.size * np.eye(start.size)
    found, free = start, np.ones(start.size, dtype=bool)
    for _ in range(_MAX_PIVOTS):
        best = np.zeros(start.size)
        best[free] = np.linalg.solve(gram[np.ix_(free, free)], np.ones(int(free.sum())))
        blocked = best < 0.0
        if blocked.any():
            reach = found[blocked] / (found[blocked] - best[blocked])
            found = np.maximum(found + reach.min() * (best - found), 0.0)
            free[blocked] = reach > reach.min()
            found[~free] = 0.0
            continue
        found = best
        slopes = np.where(free, -np.inf, 1.0 - gram @ found)
        if slopes.max() <= _FLAT:
            break
        free[slopes.argmax()] = True
    return found


def _runs(labels: Array) -> NDArray[np.intp]:
    """The first of every run of equal labels."""
    return np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
