"""The constrained maximum the plain way: SciPy's SLSQP over natural parameters, many starts.

It shares nothing with the package: its own log-likelihood, its own gradient, its own constraints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]

LEAST_SD = 0.25  # keeps the starts away from collapses; the maxima of our cases are inside
RANGES = {"weights": (1e-9, 1.0), "means": (-50.0, 50.0), "sds": (LEAST_SD, 50.0)}


class Maximum(NamedTuple):
    """A maximum: its log-likelihood and parameters, each (K,)."""

    loglike: float
    weights: Array
    means: Array
    sds: Array


def loglike_and_slopes(parameters: Array, x: Array) -> tuple[float, Array]:
    """Log-likelihood and its gradient (3K,) at weights, means and sds, one after another."""
    pi, mu, sd = np.split(parameters, 3)
    u = (x[:, None] - mu) / sd
    shares = np.exp(-0.5 * u * u) / (sd * np.sqrt(2.0 * np.pi))
    density = shares @ pi
    q = shares / density[:, None]
    by_mean, by_sd = pi * (q * u / sd).sum(axis=0), pi * (q * (u * u - 1.0) / sd).sum(axis=0)
    return float(np.log(density).sum()), np.concatenate([q.sum(axis=0), by_mean, by_sd])


def boxes(k: int, options: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Bounds of the parameters, from the options of ``fit``."""
    found = []
    for name, (least, most) in RANGES.items():
        for i in range(k):
            low, high = least, most
            fixed = options.get("fixed", {}).get(name)
            pair = options.get("bounds", {}).get(name)
            if fixed is not None and fixed[i] is not None:
                low = high = float(fixed[i])
            if pair is not None and pair[i] is not None:
                low = low if pair[i][0] is None else float(pair[i][0])
                high = high if pair[i][1] is None else float(pair[i][1])
            found.append((low, high))
    return found


def equalities(k: int, options: Mapping[str, Any]) -> Array:
    """Rows (m, 3K + 1): coefficients of the parameters, and the value they are to give."""
    ratios = options.get("sd_ratios")
    if options.get("equal_variances"):
        ratios = [1.0] * k
    rows = [np.concatenate([np.ones(k), np.zeros(2 * k), [1.0]])]
    for i in range(1, k):
        if options.get("equal_weights"):
            row = np.zeros(3 * k + 1)
            row[0], row[i] = 1.0, -1.0
            rows.append(row)
        if ratios is not None:
            row = np.zeros(3 * k + 1)
            row[2 * k], row[2 * k + i] = ratios[i], -ratios[0]
            rows.append(row)
    return np.array(rows)


def maximum(
    x: Array,
    k: int,
    options: Mapping[str, Any],
    *,
    n_starts: int = 25,
    also: Callable[[Array], float] | None = None,
    start: Array | None = None,
) -> Maximum:
    """Return the best of many SLSQP ascents; `also` is one more function to be zero."""
    rng = np.random.default_rng(7)
    box, table = boxes(k, options), equalities(k, options)
    zero: list[Any] = [
        {
            "type": "eq",
            "fun": lambda p: table[:, :-1] @ p - table[:, -1],
            "jac": lambda p: table[:, :-1],
        }
    ]
    if also is not None:
        zero.append({"type": "eq", "fun": also})
    best = None
    for i in range(n_starts):
        means = np.sort(rng.choice(x, k)) if i % 3 else rng.choice(x, k)
        begin = np.concatenate([rng.dirichlet(np.full(k, 3.0)), means, rng.uniform(0.4, 2.0, k)])
        if start is not None:
            begin = start * (1.0 + 0.01 * i * rng.normal(size=start.size))
        begin = np.clip(begin, *np.transpose(box))

        def minus(p: Array) -> tuple[float, Array]:
            """What SciPy minimises; it tries points out of range."""
            with np.errstate(all="ignore"):
                value, slopes = loglike_and_slopes(p, x)
            if not (np.isfinite(value) and np.isfinite(slopes).all()):
                return 1e6, np.zeros(p.size)
            return -value / x.size, -slopes / x.size

        found = minimize(
            minus, begin, jac=True, method="SLSQP", bounds=box, constraints=zero,
            options={"ftol": 1e-15, "maxiter": 500},
        )  # fmt: skip
        missed = max(float(np.abs(np.atleast_1d(c["fun"](found.x))).max()) for c in zero)
        if missed < 1e-9 and (best is None or found.fun < best.fun):
            best = found
    assert best is not None
    value, _ = loglike_and_slopes(best.x, x)
    return Maximum(value, *np.split(best.x, 3))
