"""Mixtures, rows and observation weights on which a careless formula loses its digits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]
Parameters = tuple[Any, Any, Any]


class Case(NamedTuple):
    """Rows x, their weights w and the mixture at which to evaluate."""

    x: Array
    w: Array
    mixture: NormalMixture


def catalogue() -> dict[str, Case]:
    """All cases, by name; the part before the colon is the family."""
    rng = np.random.default_rng(20240611)
    cases: dict[str, Case] = {}
    for k in (1, 2, 3, 5):
        for _ in range(2):
            weights = rng.dirichlet(np.full(k, 1.5))
            mixture = NormalMixture(weights, rng.normal(0, 3, k), np.exp(rng.normal(0, 0.7, k)))
            name = f"random: K = {k}, {'counts' if len(cases) % 2 else 'float weights'}"
            cases[name] = _case(rng, mixture, counts=bool(len(cases) % 2))
    for name, (parameters, far) in _hard().items():
        cases[name] = _case(rng, NormalMixture(*parameters), far=far)
    return cases


def _case(
    rng: np.random.Generator,
    mixture: NormalMixture,
    *,
    counts: bool = False,
    far: Array | None = None,
) -> Case:
    """Rows in the body of every component, on its mean, at its sd, between, and far ones."""
    n = 4 if mixture.n_components < 5 else 2
    draws = [
        m + s * rng.standard_normal(n) for m, s in zip(mixture.means, mixture.sds, strict=True)
    ]
    low, high = mixture.means.min() - mixture.sds.max(), mixture.means.max() + mixture.sds.max()
    x = np.concatenate(
        [*draws, mixture.means, mixture.means + mixture.sds, rng.uniform(low, high, 4)]
    )
    if far is not None:
        x = np.concatenate([x, far])
    w = rng.integers(0, 5, x.size).astype(np.float64) if counts else rng.gamma(1.0, 1.0, x.size)
    return Case(x, w, mixture)


def _hard() -> dict[str, tuple[Parameters, Array | None]]:
    """Parameters and far rows by name."""
    two, three = [0.4, 0.6], [0.2, 0.3, 0.5]
    five = [0.1, 0.2, 0.3, 0.25, 0.15]
    far, spike = np.array([-1e5, 1e5 + 0.3]), np.linspace(-4e-6, 4e-6, 9)
    farther = np.array([-1e8, 1e8 + 3.0])
    places, sds = np.array([-2.0, 0.0, 0.5, 3.0, 7.0]), np.array([1.0, 0.5, 2.0, 0.3, 1.5])
    return {
        "heavy overlap: K = 2": ((two, [0.0, 1e-3], [1.0, 1.0 + 1e-4]), None),
        "heavy overlap: equal sds": ((two, [0.0, 1e-6], [1.0, 1.0]), None),
        "heavy overlap: K = 5": ((five, places * 1e-4, 1.0 + sds * 1e-5), None),
        "equal means: K = 2": ((two, [1.0, 1.0], [1.0, 3.0]), None),
        "equal means: identical components": ((three, [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]), None),
        "weight 1e-9: K = 2": (([1e-9, 1 - 1e-9], [-6.0, 0.0], [1.0, 2.0]), None),
        "weight 1e-9: the last": (([1 - 1e-9, 1e-9], [0.0, -6.0], [2.0, 1.0]), None),
        "weight 1e-9: the widest": (
            ([1e-9, 1 - 1e-9], [0.0, 0.0], [5.0, 1.0]),
            np.array([8.0, 30.0]),
        ),
        "weight 1e-9: K = 3": (([1e-9, 1e-9, 1 - 2e-9], [0.0, 4.0, 1.0], [1.0, 1.0, 1.0]), None),
        "weight 1e-300: K = 3": (([1e-300, 1e-9, 1.0], [0.0, 4.0, 1.0], [1.0, 2.0, 1.0]), None),
        "heavy overlap: 20 sds out": ((three, [0.0, 0.1, 0.2], [1, 1, 1]), np.array([20.0, -23])),
        "heavy overlap: 200 sds out": ((three, [0.0, 0.1, 0.2], [1, 1, 1]), np.array([200.0])),
        "sd ratio 1e6: K = 2": ((two, [0.3, 0.0], [1e-6, 1.0]), 0.3 + spike),
        "sd ratio 1e6: K = 3": ((three, [0.3, 0.0, 1.0], [1e-6, 1.0, 1e-3]), None),
        "sd ratio 1e6: K = 5": ((five, places, [1e-6, 1.0, 1e-3, 1e-6, 1e-2]), None),
        "offset 1e9: K = 1": (([1.0], [1e9], [1.0]), None),
        "offset 1e9: K = 2": ((two, [1e9, 1e9 + 3.0], [1.0, 2.0]), None),
        "offset 1e9: narrow": ((two, [1e9, 1e9 + 3.0], [1e-4, 2.0]), None),
        "offset 1e9: K = 5": ((five, 1e9 + places, sds), None),
        **{
            f"far scale: 1e{sign}{power}, K = {len(weights)}": (
                (weights, places[: len(weights)] * scale, sds[: len(weights)] * scale),
                None,
            )
            for sign, power, scale, mixing in (
                ("+", 150, 1e150, ([1.0], two, three, five)),
                ("-", 150, 1e-150, ([1.0], two, three)),
                ("+", 200, 1e200, (two,)),
                ("-", 200, 1e-200, (two, three)),
            )
            for weights in mixing
        },
        "all underflow: K = 1": (([1.0], [0.0], [1.0]), far),
        "all underflow: K = 2": ((two, [0.0, 1.0], [1.0, 2.0]), far),
        "all underflow: equal sds": ((two, [0.0, 1e-5], [1.0, 1.0]), far),
        "all underflow: K = 5": ((five, places, sds), far),
        "all underflow: rivals far out": ((three, [0.0, 1e-6, 3.0], [1.0, 1.0, 1.0 - 1e-9]), far),
        "1e8 sds out: K = 1": (([1.0], [0.0], [1.0]), farther),
        "1e8 sds out: K = 2": ((two, [0.0, 1.0], [1.0, 2.0]), farther),
        "1e8 sds out: equal sds": ((two, [0.0, 1e-8], [1.0, 1.0]), farther),
        "1e8 sds out: K = 3": ((three, [0.0, 1e-8, 2e-8], [1.0, 1.0, 1.0]), farther),
    }


def zero_weights() -> dict[str, Case]:
    """Cases with a mixing weight of zero, for natural coordinates only."""
    rng = np.random.default_rng(20240612)
    parameters: dict[str, tuple[Parameters, Array | None]] = {
        "zero weight: first": (([0.0, 1.0], [0.0, 1.0], [1.0, 2.0]), None),
        "zero weight: the widest": (([0.5, 0.0, 0.5], [0.0, 1.0, 5.0], [1.0, 9.0, 2.0]), None),
        "zero weight: two": (([0.0, 1.0, 0.0], [0.0, 1.0, 5.0], [1.0, 0.7, 2.0]), None),
        "zero weight: far rows": (([0.0, 1.0], [1e-5, 0.0], [1.0, 1.0]), np.array([1e5, -1e5])),
        "zero weight: a better fit": (([0.0, 1.0], [30.0, 0.0], [1.0, 1.0]), None),
    }
    return {
        name: _case(rng, NormalMixture(*found), far=far)
        for name, (found, far) in parameters.items()
    }
