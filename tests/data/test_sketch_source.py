"""Sketches on disk as data: one, or the sum of those that a glob names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import bactrian as bt
from bactrian.data.sketch_source import saved_sketch, sum_of_saved
from tests.problems import draw

X = draw("apart")


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Three sketches of a column in three parts, on different grids."""
    for i in range(3):
        bt.Sketch.of({"x": X[i::3]}, exponent=-7 + i).save(tmp_path / f"day{i}.sketch")
    return tmp_path


@pytest.mark.parametrize("pattern", ["*.sketch", "day?.sketch", "day*"])
def test_a_glob_of_sketches_is_their_sum(days: Path, pattern: str) -> None:
    found, known = saved_sketch(days / pattern), bt.Sketch.of({"x": X}, exponent=-5)
    assert found is not None
    assert (found.exponent, found.count, found.column) == (-5, X.size, "x")
    np.testing.assert_array_equal(found.bins, known.bins)
    np.testing.assert_allclose(found.moments, known.moments, atol=1e-12)
    fit = bt.fit(str(days / pattern))
    assert fit.loglike == pytest.approx(bt.fit(X).loglike, rel=1e-12)
    assert bt.compare(days / pattern, (1, 2))[2].loglike == fit.loglike


def test_one_sketch_is_itself_and_other_files_are_none(days: Path) -> None:
    found = saved_sketch(days / "day1.sketch")
    assert found is not None
    assert found.count == X[1::3].size
    (days / "a.csv").write_text("x\n1\n2\n")
    (days / "[b].csv").write_text("x\n1\n2\n")
    for name in ("a.csv", "*.csv", "[b].csv"):
        assert saved_sketch(days / name) is None


def test_one_sketch_may_have_any_name(days: Path) -> None:
    known = bt.Sketch.of({"x": X}, sample_weight=np.arange(X.size) + 0.5)
    for name in ("a.parquet", "b"):
        known.save(days / name)
        found = saved_sketch(days / name)
        assert found is not None
        assert found.total == known.total
    pytest.importorskip("pandas").DataFrame({"x": X}).to_parquet(days / "rows.parquet")
    assert saved_sketch(days / "rows.parquet") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_nothing_is_read_of_a_pipe(days: Path) -> None:
    os.mkfifo(days / "pipe")
    assert saved_sketch(days / "pipe") is None


def test_sketches_beside_other_files_are_not_guessed_at(days: Path) -> None:
    (days / "day3.csv").write_text("x\n1\n2\n")
    with pytest.raises(bt.DataError, match=r"sketches, such as .*day0\.sketch'.*day3\.csv'"):
        bt.fit(days / "day*")


def test_no_sketch_is_said_to_be_none(days: Path) -> None:
    with pytest.raises(bt.DataError, match="no file matches"):
        bt.fit(days / "night*.sketch")
    with pytest.raises(bt.DataError, match=r"there is no file .* did you mean 'day0.sketch'"):
        bt.fit(days / "dy0.sketch")


def test_sketches_of_different_columns_are_not_added(days: Path) -> None:
    bt.Sketch.of({"y": X}).save(days / "day9.sketch")
    with pytest.raises(
        bt.DataError, match=r"day9\.sketch' cannot be .*day0\.sketch': .*'x', .* 'y'"
    ):
        bt.fit(days / "*.sketch")
    with pytest.raises(bt.DataError, match="sketches of one quantity"):
        sum_of_saved([str(days / "day9.sketch"), str(days / "day0.sketch")])


@pytest.mark.parametrize("seed", [23, 33])  # what the weights of nodes sum to is a little off
def test_rows_that_a_sketch_stands_for_are_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(0.0, 1.0, 100_000), rng.lognormal(1.0, 1.0, 6_000)])
    sample = bt.Sketch.of(x).to_sample()
    assert sample.total == x.size
