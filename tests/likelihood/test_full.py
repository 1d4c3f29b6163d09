"""Derivatives on all rows against 50-digit arithmetic, compiled and not, and against the batch."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.likelihood.derivatives import Derivatives, derivatives
from bactrian.likelihood.full import full_derivatives
from bactrian.model.mixture import NormalMixture
from tests import oracle
from tests.likelihood.hard_cases import Case, catalogue

Array = NDArray[np.float64]

CASES = catalogue()
both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "twin"])


def place(name: str) -> tuple[float, float]:
    """An origin from which rows are measured without rounding, and a scale near the widest sd."""
    origin = 1e9 if name.startswith("offset 1e9") else 0.0
    return origin, math.ldexp(1.0, math.frexp(CASES[name].mixture.sds.max())[1])


@lru_cache
def local(name: str) -> Case:
    """A case in local coordinates."""
    (x, w, mixture), (origin, scale) = CASES[name], place(name)
    means, sds = (mixture.means - origin) / scale, mixture.sds / scale
    return Case((x - origin) / scale, w, NormalMixture(mixture.weights, means, sds))


@lru_cache
def exact(name: str) -> oracle.Exact:
    """The exact quantities of a case in local coordinates."""
    x, w, mixture = local(name)
    return oracle.exact(x, mixture, "working", w)


def parameters(mixture: NormalMixture) -> tuple[Array, Array, Array]:
    """Weights, means and sds (K,)."""
    return mixture.weights, mixture.means, mixture.sds


def ours(name: str, compiled: bool) -> Derivatives:
    """The derivatives of a case, from rows in their own unit."""
    case = CASES[name]
    at = parameters(local(name).mixture)
    return full_derivatives(case.x, case.w, *place(name), *at, compiled=compiled)


@both
@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_right_to_the_conditioning(name: str, compiled: bool) -> None:
    """The rule of `tests.oracle`."""
    found, truth = ours(name, compiled), exact(name)
    ratios = {
        what: oracle.worst(getattr(found, what)[0], getattr(truth, what))
        for what in ("loglike", "score", "hessian")
    }
    assert max(ratios.values()) <= oracle.LIMIT, ratios


@both
@pytest.mark.parametrize("name", ["random: K = 2, counts", "random: K = 3, counts"])
def test_all_parts_are_those_of_a_batch_of_one(name: str, compiled: bool) -> None:
    x, w, mixture = local(name)
    found = ours(name, compiled)
    batch = derivatives(x, w, *(array[None] for array in parameters(mixture)))
    for one, other in zip(found, batch, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["random: K = 2, counts", "random: K = 3, counts"])
def test_rows_that_count_once_need_no_weights(name: str) -> None:
    case = CASES[name]
    at = parameters(local(name).mixture)
    for compiled in (True, False):
        found = [
            full_derivatives(case.x, w, *place(name), *at, compiled=compiled, threads=1)
            for w in (None, np.ones(case.x.size))
        ]
        for one, other in zip(*found, strict=True):
            assert np.allclose(one, other, rtol=1e-12, atol=1e-12)
