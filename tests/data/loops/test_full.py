"""Sums over all rows at one mixture: compiled and not, against their definition row by row."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from bactrian.data.loops import full, mixture_loops, twins
from bactrian.data.loops.full import FullSums, full_sums
from bactrian.data.loops.moment_loops import ROWS
from bactrian.model.posterior import row_terms

Array = NDArray[np.float64]
Mixture = tuple[Array, Array, Array]

UNIT = 2.0**-53
MIXTURES: dict[str, Mixture] = {
    "one": (np.array([1.0]), np.array([0.3]), np.array([1.7])),
    "two": (np.array([0.35, 0.65]), np.array([0.0, 2.0]), np.array([1.0, 1.3])),
    "two, narrower last": (np.array([0.7, 0.3]), np.array([1.0, -1.0]), np.array([2.0, 0.4])),
    "equal sds": (np.array([0.5, 0.5]), np.array([-1.0, 2.5]), np.array([1.0, 1.0])),
    "sd ratio 1e6": (np.array([0.2, 0.8]), np.array([0.3, 0.0]), np.array([1e-6, 1.0])),
    "weight 1e-9": (np.array([1e-9, 1.0 - 1e-9]), np.array([-6.0, 0.0]), np.array([1.0, 2.0])),
    "three": (np.array([0.2, 0.3, 0.5]), np.array([-1.0, 0.5, 2.0]), np.array([0.5, 1.0, 2.0])),
}
both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "twin"])
each = pytest.mark.parametrize("name", MIXTURES)


def rows(name: str, n: int = 3 * ROWS + 17) -> tuple[Array, Array]:
    """Rows of a mixture and a little more, and weights, one of them zero."""
    weights, means, sds = MIXTURES[name]
    rng = np.random.default_rng(7)
    k = rng.choice(weights.size, n, p=weights)
    x = rng.normal(means[k], sds[k])
    x[:5] = means[0] + sds[0] * np.array([0.0, 1.0, -3.0, 8.0, 20.0])
    w = rng.gamma(2.0, 0.5, n)
    w[7] = 0.0
    return x, w


def at(name: str) -> tuple[Any, ...]:
    """Origin, scale and mixture."""
    return 0.0, 1.0, *MIXTURES[name]


def assert_same(a: FullSums, b: FullSums) -> None:
    """Two results are the same to the last bit."""
    assert a.loglike == b.loglike
    assert np.array_equal(a.products, b.products)


def exact_sums(terms: Array) -> Array:
    """Correctly rounded sums over the last axis."""
    return np.asarray(np.apply_along_axis(math.fsum, -1, terms))


def magnitudes(z: Array, mixture: Mixture, n: int) -> Array:
    """What features add up from as polynomials in u_n: |e| + k |u_n| for u_l = e + k u_n."""
    _, means, sds = mixture
    u = np.abs(z - means[n]) / sds[n]
    e, k = np.abs(means[n] - means)[:, None] / sds[:, None], (sds[n] / sds)[:, None]
    return np.concatenate([np.ones((1, z.size)), e + k * u, 0.5 * (e + k * u) ** 2 + 0.5])


def assert_sums(found: FullSums, z: Array, w: Array, mixture: Mixture) -> None:
    """Each sum is right to n + 200 roundings of the terms it is made of.

    200 covers those of a term: the odds' are at most 1e-14 here for rows that two components share.
    """
    logpdf, r, features = row_terms(z, *mixture)
    K, allowed = r.shape[0], (z.size + 200) * UNIT
    assert abs(found.loglike - math.fsum(w * logpdf)) <= allowed * math.fsum(np.abs(w * logpdf) + w)
    assert found.products.shape == (K + K * (K - 1) // 2 * (2 * K + 1), 2 * K + 1)
    for k in range(K):
        size = exact_sums(w * r[k] * magnitudes(z, mixture, k))
        error = np.abs(found.products[k] - exact_sums(w * r[k] * features))
        assert (error <= allowed * size).all()
    pairs = [(j, k) for j in range(K) for k in range(j + 1, K)]
    for (j, k), block in zip(pairs, np.split(found.products[K:], max(len(pairs), 1)), strict=False):
        shared = w * r[j] * r[k]
        size = magnitudes(z, mixture, j if mixture[2][j] <= mixture[2][k] else k)
        size = exact_sums(shared * size[:, None] * size)
        error = np.abs(block - exact_sums(shared * features[:, None] * features))
        assert (error <= allowed * size).all()


@both
@each
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_are_what_they_say(compiled: bool, name: str, weighted: bool, dtype: Any) -> None:
    x, w = rows(name)
    x = x.astype(dtype)
    found = full_sums(x, w if weighted else None, *at(name), compiled=compiled)
    z = x.astype(np.float64)
    assert_sums(found, z, w if weighted else np.ones(z.size), MIXTURES[name])


@both
@each
@pytest.mark.parametrize("power", [-1010, -500, 500, 1010])
def test_scales_by_powers_of_two_change_no_bit(compiled: bool, name: str, power: int) -> None:
    x, w = rows(name)
    x[np.abs(x) < 1e-6] = 0.0  # no row may become less than the smallest normal number
    here = full_sums(x, w, *at(name), compiled=compiled)
    scale = math.ldexp(1.0, power)
    assert_same(here, full_sums(x * scale, w, 0.0, scale, *MIXTURES[name], compiled=compiled))


@both
@each
def test_an_offset_costs_no_digit(compiled: bool, name: str) -> None:
    x, w = rows(name)
    x = np.round(x * 4096.0) / 4096.0
    here = full_sums(x, w, *at(name), compiled=compiled)
    there = full_sums(x + 2.0**40, w, 2.0**40, 1.0, *MIXTURES[name], compiled=compiled)
    assert_same(here, there)


@both
@pytest.mark.parametrize("name", ["one", "two", "three"])
@pytest.mark.parametrize("weighted", [True, False])
def test_threads_change_no_bit(
    compiled: bool, name: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full, "_CHUNK", 1100)
    x, w = rows(name, 9999)
    found = [
        full_sums(x, w if weighted else None, *at(name), compiled=compiled, threads=threads)
        for threads in (1, 2, 3, None)
    ]
    for other in found[1:]:
        assert_same(found[0], other)
    assert_sums(found[0], x, w if weighted else np.ones(x.size), MIXTURES[name])


@both
@each
@pytest.mark.parametrize("far", [1e8, 1e77, 1e120, 1e200, 1.7e308])
def test_no_row_is_too_far_out(compiled: bool, name: str, far: float) -> None:
    """One row far out, on either side: its own sums are added to those of the others."""
    x, w = rows(name)
    near = full_sums(x, w, *at(name), compiled=compiled)
    for row in (-far, far):
        alone = full_sums(np.array([row]), None, *at(name), compiled=False)
        x[-1], w[-1] = row, 1.0
        found = full_sums(x, w, *at(name), compiled=compiled)
        assert found.loglike <= alone.loglike / 2 < -1e14
        for k in range(MIXTURES[name][0].size):
            own = [0, 1 + k]
            assert np.isfinite(found.products[k, own]).all()
            moved = found.products[k, own] - alone.products[k, own]
            allowed = 10.0 + x.size * UNIT * np.abs(found.products[k, own])
            assert (np.abs(moved - near.products[k, own]) <= allowed).all()
        # Two components do not share it, however large u^4 is.
        twin = full_sums(x, w, *at(name), compiled=False)
        K = MIXTURES[name][0].size
        size = 1e-9 * np.abs(near.products[K:]).max(initial=0.0)
        assert np.allclose(found.products[K:], twin.products[K:], rtol=1e-9, atol=size)
        w[-1] = 0.0
        without = full_sums(x, w, *at(name), compiled=compiled)
        assert math.isfinite(without.loglike)
        assert without.loglike == pytest.approx(near.loglike, abs=20.0)


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_blocks_are_added_without_rounding(name: str) -> None:
    """However many blocks a chunk has, its sum is that of its blocks, rounded once."""
    x, _ = rows(name, 500 * ROWS)
    point = at(name)
    blocks = [
        full_sums(x[i : i + ROWS], None, *point, compiled=True).loglike
        for i in range(0, x.size, ROWS)
    ]
    whole = full_sums(x, None, *point, compiled=True).loglike
    assert abs(math.fsum([*blocks, -whole])) <= 1.01 * UNIT * abs(whole)


def test_only_the_rows_around_one_far_out_are_summed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    twin = twins.full_sums_of_chunk

    def watched(point: twins.Point, x: Any, w: Any) -> Array:
        sizes.append(x.size)
        return twin(point, x, w)

    monkeypatch.setattr(twins, "full_sums_of_chunk", watched)
    for name, far in (("two", 1e200), ("three", 100.0)):
        x, w = rows(name)
        x[ROWS + 3] = far
        full_sums(x, w, *at(name), compiled=True)
        assert sizes.pop() == ROWS
        x[ROWS + 3] = 13.0  # far from the narrowest component only
        full_sums(x, w, *at(name), compiled=True)
        assert sizes == []


@pytest.mark.parametrize(
    "mixture",
    [
        ([0.0, 1.0], [0.0, 1.0], [1.0, 2.0]),
        ([0.5, 0.5], [0.0, 1.0], [1e-13, 2.0]),
        ([0.5, 0.5], [0.0, 1.0], [1e-10, 500.0]),
        ([0.5, 0.5], [0.0, 1e14], [1.0, 2.0]),
    ],
)
def test_mixtures_out_of_the_ordinary_go_the_other_way(mixture: Any) -> None:
    x, w = rows("two")
    parameters = tuple(map(np.array, mixture))
    found = full_sums(x, w, 0.0, 1.0, *parameters, compiled=True)
    assert_same(found, full_sums(x, w, 0.0, 1.0, *parameters, compiled=False))
    assert math.isfinite(found.loglike)


@both
def test_columns_may_be_read_only_strided_or_empty(compiled: bool) -> None:
    x, w = rows("two")
    plain = full_sums(x, w, *at("two"), compiled=compiled)
    x.setflags(write=False)
    w.setflags(write=False)
    assert_same(plain, full_sums(x, w, *at("two"), compiled=compiled))
    wide = np.repeat(x, 2)[::2], np.repeat(w, 2)[::2]
    assert_same(plain, full_sums(*wide, *at("two"), compiled=compiled))
    empty = full_sums(x[:0], None, *at("two"), compiled=compiled)
    assert empty.loglike == 0.0
    assert not empty.products.any()


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_single_precision_is_the_same_rows_and_is_not_copied(name: str) -> None:
    x = rows(name, 2**18 + 5)[0].astype(np.float32)
    point = 0.1, 1.0, *MIXTURES[name]  # an origin that single precision cannot hold
    doubles = full_sums(x.astype(np.float64), None, *point, compiled=True)
    assert_same(doubles, full_sums(x, None, *point, compiled=True))
    tiny = full_sums(x[:9] * 0, None, 0.0, 2.0**-1000, *MIXTURES[name], compiled=True)
    assert_same(tiny, full_sums(np.zeros(9), None, *at(name), compiled=True))
    large = np.tile(x, 16)
    for compiled in (True, False):
        tracemalloc.start()
        full_sums(large, None, *at(name), compiled=compiled, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.3 * large.nbytes


@both
def test_lengths_that_differ_are_refused(compiled: bool) -> None:
    x, w = rows("two")
    with pytest.raises(ValueError, match="columns of one length"):
        full_sums(x, w[1:], *at("two"), compiled=compiled)


def test_exponentials_are_right_to_two_units_in_the_last_place() -> None:
    y = -np.concatenate([np.linspace(0.0, 1021.0, 999), np.linspace(0.0, 2.0, 999), [1e-300]])
    for value in y:
        above, below = mixture_loops.exponential(value)
        with mpmath.workdps(40):
            error = mpmath.mpf(float(above)) / mpmath.mpf(float(below)) / mpmath.mpf(2) ** value - 1
        assert abs(error) <= 4.0 * UNIT


def test_exponentials_end_where_doubles_do_and_keep_a_nan() -> None:
    for value in (-1e300, -math.inf, -1022.0):
        above, below = mixture_loops.exponential(value)
        assert above / below == 2.0**mixture_loops.LOWEST
    assert math.isnan(mixture_loops.exponential(math.nan)[0])


def test_logarithms_of_shares_are_right_to_three_units_in_the_last_place() -> None:
    for r in np.concatenate([np.linspace(0.5, 1.0, 999), [1.0 - UNIT, 1.0 - 1e-9]]):
        assert abs(mixture_loops.log_share(r) - math.log(r)) <= 6.0 * UNIT * -math.log(r)


def test_small_data_do_not_load_the_compiler() -> None:
    code = (
        "import sys, numpy as np\n"
        "from bactrian.data.loops.full import full_sums\n"
        "full_sums(np.arange(1e5), None, 0.0, 1.0, *np.ones((3, 1)))\n"
        "print('numba' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "False"
