"""Sums over columns: the compiled loops and their NumPy twins against exact arithmetic."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bactrian.data.loops import kernels
from bactrian.data.loops.kernels import bin_moments, is_worth_compiling
from bactrian.data.loops.twins import BinMoments

Array = NDArray[np.float64]

UNIT = 2.0**-53
# T_p(t) for p <= 7: its slope is at most p^2 = 49, by which it carries the rounding of t on, and
# each of six steps of the recurrence adds two roundings that later ones enlarge up to p times.
POLYNOMIAL = 150
both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "twin"])


def rows(n: int, seed: int = 0) -> tuple[Array, Array]:
    """Rows and weights."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.3, 1.5, n), rng.gamma(2.0, 0.5, n)


def exact_moments(x: Any, w: Any, exponent: int, first: int, n_bins: int) -> tuple[Array, Array]:
    """The sums of w T_p(t) in rational arithmetic, rounded once, and the rows of each bin."""
    sums = [[Fraction(0)] * 8 for _ in range(n_bins)]
    counts = np.zeros(n_bins)
    for xi, wi in zip(x, w, strict=True):
        position = Fraction(float(xi)) / Fraction(2) ** exponent
        b = math.floor(position)
        if not 0 <= b - first < n_bins:
            continue
        t = 2 * (position - b) - 1
        polynomials = [Fraction(1), t]
        while len(polynomials) < 8:
            polynomials.append(2 * t * polynomials[-1] - polynomials[-2])
        counts[b - first] += 1
        for p in range(8):
            sums[b - first][p] += Fraction(float(wi)) * polynomials[p]
    return np.array([[float(value) for value in row] for row in sums]), counts


def assert_moments(
    ours: Array, x: Any, w: Any, exponent: int, first: int, n_bins: int, more: int = 0
) -> None:
    """Each sum is right to one rounding per row and those of the polynomial."""
    exact, counts = exact_moments(x, w, exponent, first, n_bins)
    magnitude = exact_moments(x, np.abs(w), exponent, first, n_bins)[0][:, :1]
    assert ours.shape == (n_bins, 8)
    assert (np.abs(ours - exact) <= (counts[:, None] + POLYNOMIAL + more) * UNIT * magnitude).all()


def assert_same(a: BinMoments, b: BinMoments) -> None:
    """Two results are the same to the last bit."""
    for left, right in zip(a, b, strict=True):
        assert (left is None) == (right is None)
        assert left is None or right is None or np.array_equal(left, right)


@both
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_moments_are_what_they_say(compiled: bool, dtype: Any) -> None:
    x, w = rows(700)
    x = x.astype(dtype)
    window = (-3, -16, 40)
    found = bin_moments(x, w, *window, compiled=compiled)
    assert found.squares is not None
    assert_moments(found.sums, x, w, *window)
    assert_moments(found.squares, x, w.astype(np.float64) ** 2, *window, more=1)
    unweighted = bin_moments(x, None, *window, compiled=compiled)
    assert unweighted.squares is None
    assert_moments(unweighted.sums, x, np.ones(x.size), *window)
    bins = np.floor(x.astype(np.float64) * 8.0)
    inside = (bins >= -16) & (bins < 24)
    assert 0 < inside.sum() < x.size
    for result in (found, unweighted):
        assert np.array_equal(result.outside, np.flatnonzero(~inside))
        assert result.outside.dtype == np.intp
        assert (result.minimum, result.maximum) == (x[inside].min(), x[inside].max())


@both
@settings(max_examples=60)
@given(data=st.data())
def test_moments_of_any_rows(compiled: bool, data: st.DataObject) -> None:
    exponent = data.draw(st.integers(-1074, 1017))
    bins = st.floats(-40.0, 40.0)
    x = np.ldexp(data.draw(st.lists(bins, max_size=12)), exponent).astype(np.float64)
    first, n_bins = data.draw(st.integers(-45, 45)), data.draw(st.integers(1, 60))
    w = np.array(data.draw(st.lists(st.floats(0.0, 9.0), min_size=x.size, max_size=x.size)))
    w[w < 1e-100] = 0.0  # smaller ones have squares that are no normal numbers
    found = bin_moments(x, w, exponent, first, n_bins, compiled=compiled)
    assert_moments(found.sums, x, w, exponent, first, n_bins)
    here = [first <= math.floor(Fraction(v) / Fraction(2) ** exponent) < first + n_bins for v in x]
    assert found.outside.tolist() == [i for i, inside in enumerate(here) if not inside]


@both
def test_bins_are_closed_on_the_left_and_open_on_the_right(compiled: bool) -> None:
    x = np.array([2.0, np.nextafter(2.0, 0.0), 4.0, np.nextafter(4.0, 0.0), 3.0])
    found = bin_moments(x, None, 0, 2, 2, compiled=compiled)
    assert found.sums[:, 0].tolist() == [1.0, 2.0]
    assert found.outside.tolist() == [1, 2]
    assert (found.minimum, found.maximum) == (2.0, np.nextafter(4.0, 0.0))
    assert found.sums[0].tolist() == [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0]  # t = -1


@both
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [True, False])
def test_what_is_no_number_is_outside(compiled: bool, dtype: Any, weighted: bool) -> None:
    x = np.array([np.nan, 0.5, np.inf, -np.inf, 1.5, np.finfo(dtype).max, -np.nan], dtype)
    w = np.arange(7.0) if weighted else None
    found = bin_moments(x, w, 0, 0, 2, compiled=compiled)
    assert found.outside.tolist() == [0, 2, 3, 5, 6]
    assert found.sums[:, 0].tolist() == ([1.0, 4.0] if weighted else [1.0, 1.0])
    assert (found.minimum, found.maximum) == (0.5, 1.5)
    none = bin_moments(x[:1], w if w is None else w[:1], 0, 0, 2, compiled=compiled)
    assert (none.minimum, none.maximum) == (math.inf, -math.inf)
    assert not none.sums.any()


@both
@pytest.mark.parametrize("power", [-1000, -500, 500, 1010])
def test_scales_by_powers_of_two_change_no_bit(compiled: bool, power: int) -> None:
    x, w = rows(300)
    here = bin_moments(x, w, -4, -30, 60, compiled=compiled)
    there = bin_moments(np.ldexp(x, power), w, power - 4, -30, 60, compiled=compiled)
    assert_same(here, there._replace(minimum=here.minimum, maximum=here.maximum))
    assert np.ldexp(here.minimum, power) == there.minimum


@both
def test_an_offset_costs_no_digit(compiled: bool) -> None:
    x, w = np.round(rows(300)[0] * 512) / 512, rows(300)[1]
    here = bin_moments(x, w, -4, -30, 60, compiled=compiled)
    there = bin_moments(x + 2.0**40, w, -4, 2**44 - 30, 60, compiled=compiled)
    assert_same(here, there._replace(minimum=here.minimum, maximum=here.maximum))


@both
@pytest.mark.parametrize("weighted", [True, False])
def test_many_rows_of_one_bin_keep_their_digits(compiled: bool, weighted: bool) -> None:
    """A running sum of these is wrong by 1e-11: every addition errs to the same side."""
    n = 2**18
    x, w = np.full(n, 0.55), np.full(n, 0.1) if weighted else None
    found = bin_moments(x, w, 0, 0, 1, compiled=compiled)
    one = Fraction(0.1) if weighted else Fraction(1)
    for sums, each in ((found.sums, one), (found.squares, one**2)):
        if sums is not None:
            exact = n * each, n * each * Fraction(2.0 * 0.55 - 1.0)
            errors = [float(Fraction(s) / e - 1) for s, e in zip(sums[0], exact, strict=False)]
            assert np.abs(errors).max() <= (1.5e-13 if compiled else 2e-11)


@both
@pytest.mark.parametrize("weighted", [True, False])
def test_threads_change_no_bit(
    compiled: bool, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_MOMENT_ROWS", 1000)
    monkeypatch.setattr(kernels, "_TWIN_ROWS", 1000)
    x, w = rows(10_007)
    x[::100] = np.nan
    found = [
        bin_moments(x, w if weighted else None, -2, -8, 12, compiled=compiled, threads=threads)
        for threads in (1, 2, 3, None)
    ]
    assert found[0].outside.size > 101
    assert (np.diff(found[0].outside) > 0).all()
    for other in found[1:]:
        assert_same(found[0], other)
    whole = bin_moments(x, w if weighted else None, -2, -8, 12, compiled=not compiled)
    assert np.array_equal(whole.outside, found[0].outside)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_chunks_are_shared_and_come_in_order(threads: int) -> None:
    """Also where the first is the slowest; a part is let go when it has been taken."""
    busy = set()

    def work(x: Any, w: Any) -> int:
        busy.add(threading.get_ident())
        time.sleep(0.05 if x[0] == 0 else 0.001)
        return int(x[0])

    chunks = kernels.chunks(np.arange(100), None, 2)
    assert list(kernels.in_order(work, chunks, threads)) == list(range(0, 100, 2))
    assert len(busy) == threads


@pytest.mark.parametrize("here", [True, False])
def test_a_fault_in_any_thread_is_raised(here: bool) -> None:
    caller = threading.get_ident()
    done = []

    def work(x: Any, w: Any) -> int:
        time.sleep(0.001)
        if (threading.get_ident() == caller) == here:
            raise MemoryError(str(x[0]))
        done.append(x[0])
        return 0

    chunks = kernels.chunks(np.arange(1000), None, 1)
    with pytest.raises(MemoryError):
        list(kernels.in_order(work, chunks, 2))
    assert len(done) < 1000
    if here:  # as when it is interrupted
        assert len(done) < 100


@both
def test_columns_may_be_read_only_strided_or_empty(compiled: bool) -> None:
    x, w = rows(100)
    plain = bin_moments(x, w, -1, -5, 20, compiled=compiled)
    x.setflags(write=False)
    w.setflags(write=False)
    assert_same(plain, bin_moments(x, w, -1, -5, 20, compiled=compiled))
    wide = np.repeat(x, 2)[::2], np.repeat(w, 2)[::2]
    assert_same(plain, bin_moments(*wide, -1, -5, 20, compiled=compiled))
    empty = bin_moments(x[:0], w[:0], -1, -5, 20, compiled=compiled)
    assert empty.outside.size == 0
    assert not empty.sums.any()
    assert empty.sums.shape == (20, 8)


def test_single_precision_is_the_same_rows_and_is_not_copied() -> None:
    x = rows(2**20)[0].astype(np.float32)
    doubles = bin_moments(x.astype(np.float64), None, -3, -64, 128, compiled=True, threads=1)
    assert_same(doubles, bin_moments(x, None, -3, -64, 128, compiled=True, threads=1))
    large = np.tile(x, 12)
    for compiled in (True, False):
        tracemalloc.start()
        bin_moments(large, None, -3, -64, 128, compiled=compiled, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.5 * large.nbytes


@both
def test_lengths_that_differ_are_refused(compiled: bool) -> None:
    x, w = rows(10)
    with pytest.raises(ValueError, match="columns of one length"):
        bin_moments(x, w[:9], 0, 0, 1, compiled=compiled)
    with pytest.raises(ValueError, match="columns of one length"):
        bin_moments(x[:, None], None, 0, 0, 1, compiled=compiled)


def test_only_long_columns_are_worth_compiling() -> None:
    assert is_worth_compiling(kernels.COMPILE_FROM)
    assert not is_worth_compiling(kernels.COMPILE_FROM - 1)


def run(code: str) -> str:
    """What a fresh process prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    return done.stdout.strip()


def test_small_data_do_not_load_the_compiler() -> None:
    code = (
        "import sys, numpy as np\n"
        "from bactrian.data.loops.kernels import bin_moments\n"
        "bin_moments(np.arange(1e5), None, 10, 0, 100)\n"
        "print('numba' in sys.modules)"
    )
    assert run(code) == "False"


def test_without_numba_the_twin_serves() -> None:
    code = (
        "import sys, numpy as np\n"
        "sys.modules['numba'] = None\n"
        "from bactrian.data.loops import kernels\n"
        "kernels.COMPILE_FROM = 10\n"
        "found = kernels.bin_moments(np.arange(1e4), None, 10, 0, 10)\n"
        "assert found.sums[:, 0].sum() == 1e4\n"
        "try:\n    kernels.bin_moments(np.arange(1e4), None, 10, 0, 10, compiled=True)\n"
        "except ImportError:\n    print('twin')"
    )
    assert run(code) == "twin"


def test_processors_are_counted_where_a_process_cannot_be_bound_to_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert kernels._processors() == (os.cpu_count() or 1)
