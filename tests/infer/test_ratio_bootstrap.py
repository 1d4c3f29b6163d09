"""The simulated likelihood-ratio test: the same numbers for a seed, no more samples than needed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.data.sampling import sampled
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.likelihood_ratio import likelihood_ratio, maximum, table_test
from bactrian.infer.ratio_bootstrap import Simulation, bootstrap_test
from tests.problems import Array, draw

ONE = np.random.default_rng(4).normal(3.0, 2.0, 40)
NEVER = 10**9


def bootstrapped(x: Array, k: int = 1, **options: Any) -> HomogeneityTest:
    """The test of some rows, by default with few samples."""
    return bootstrap_test(Sample.of(x), k, **({"rng": 3, "n_replicates": 60} | options))


def test_the_same_seed_gives_the_same_numbers_with_any_number_of_workers() -> None:
    one, two = bootstrapped(ONE, enough=6), bootstrapped(ONE, enough=6, workers=2)
    assert one == two
    assert one != bootstrapped(ONE, enough=6, rng=4)


def test_the_p_value_counts_the_sample_itself() -> None:
    test = bootstrapped(ONE, enough=NEVER)
    assert test.n_replicates == 60
    assert 0 < test.n_exceeding < 60
    assert test.p_value == (1 + test.n_exceeding) / 61
    assert test.p_error == pytest.approx(math.sqrt(test.p_value * (1 - test.p_value) / 60))
    assert (test.method, test.null_components) == ("bootstrap", 1)
    assert not test.is_bound


def test_no_more_samples_are_drawn_than_are_needed() -> None:
    calls: list[int] = []

    def progress(done: int, total: int | None) -> None:
        """Keep what is told."""
        calls.append(done)

    test = bootstrapped(ONE, enough=5, n_replicates=500, progress=progress)
    assert test.n_exceeding == 5
    assert test.n_replicates <= calls[-1] < 500
    assert test.p_value == 6 / (1 + test.n_replicates)
    # The last one drawn is the fifth as large, and the first ones are those of a longer run.
    longer = bootstrapped(ONE, enough=NEVER, n_replicates=test.n_replicates)
    assert longer.n_exceeding == 5
    shorter = bootstrapped(ONE, enough=NEVER, n_replicates=test.n_replicates - 1)
    assert shorter.n_exceeding == 4
    assert any("No more samples" in note for note in test.notes)
    assert longer.notes == ()


def test_what_no_sample_reached_is_a_bound() -> None:
    test = bootstrapped(draw("apart", 60), n_replicates=30)
    assert test.is_bound
    assert test.p_value == 1 / 31


def test_it_agrees_with_the_table() -> None:
    x = np.random.default_rng(3).normal(size=40)
    by_table, by_samples = table_test(Sample.of(x)), bootstrapped(x, n_replicates=100, enough=NEVER)
    assert by_samples.statistic == by_table.statistic
    error = math.hypot(by_table.p_error, by_samples.p_error)
    assert abs(by_samples.p_value - by_table.p_value) < 4.0 * error


def test_samples_are_drawn_from_the_fit() -> None:
    x = 1e3 + draw("apart", 200)
    sample = Sample.of(x)
    held = maximum(sample, 2, False)
    assert held is not None
    simulation = Simulation(held, sample, 20_000, 0.0, False)
    drawn = simulation.drawn(np.random.default_rng(1))
    truth = bt.fit(x).mixture
    assert drawn.total == 20_000
    assert (drawn.origin, drawn.scale) == (sample.origin, sample.scale)
    assert kstest(np.repeat(drawn.values, drawn.weights.astype(int)), truth.cdf).pvalue > 1e-3


def test_rounded_values_are_drawn_rounded_alike() -> None:
    x = np.round(ONE, 0)
    sample = Sample.of(x)
    test = bootstrapped(x, n_replicates=5)
    assert any("in steps of 1, as" in note for note in test.notes)
    held = maximum(sample, 1, False)
    assert held is not None
    step = 1.0 / sample.scale
    drawn = Simulation(held, sample, 40, step, False).drawn(np.random.default_rng(1))
    np.testing.assert_allclose(drawn.values, np.rint(drawn.values), atol=1e-12)
    assert len(drawn) < 20


def test_samples_without_a_maximum_count_as_zero() -> None:
    # Of values rounded to four steps, a sample may hold two.
    x = np.repeat([0.0, 1.0, 2.0, 3.0], [1, 20, 1, 1])
    test = bootstrapped(x, n_replicates=20, enough=NEVER)
    assert test.n_failed > 0
    assert test.n_replicates == 20


def test_two_values_are_not_searched_for_two_components(monkeypatch: Any) -> None:
    sample = Sample.of(np.array([0.0, 1.0, 2.0]))
    held = maximum(sample, 1, False)
    assert held is not None
    simulation = Simulation(held, sample, 2, 0.0, False)
    monkeypatch.setattr("bactrian.infer.ratio_bootstrap.maximum", None)
    assert simulation(np.random.default_rng(1)) == (0.0, True)


def test_other_hypotheses_are_tested_alike() -> None:
    x = draw("apart", 60)
    two = bootstrapped(x, 2, n_replicates=4)
    assert two.statistic == likelihood_ratio(Sample.of(x), 2).statistic
    assert two.n_replicates == 4
    assert two.law == "4 samples drawn from the fitted mixture of 2 components"
    equal = bootstrapped(x, 1, n_replicates=15, equal_variances=True)
    assert equal.equal_variances
    assert equal.is_bound


def test_weights_that_count_rows_are_so_many_rows() -> None:
    counts = np.random.default_rng(2).integers(1, 3, ONE.size)
    sample = Sample.of(ONE, counts.astype(float))
    weighted = bootstrap_test(sample, 1, n_replicates=5, rng=1)
    assert weighted == bootstrap_test(Sample.of(np.repeat(ONE, counts)), 1, n_replicates=5, rng=1)
    assert not any("rows each" in note for note in weighted.notes)
    fewer = bootstrap_test(sample, 1, n_replicates=2, rng=1, most_rows=ONE.size + 1)
    assert any("41 rows each" in note for note in fewer.notes)


def test_many_rows_are_stood_for_by_fewer() -> None:
    test = bootstrapped(draw("apart", 200), n_replicates=4, most_rows=50)
    assert any("50 rows each" in note and "that of 200 rows" in note for note in test.notes)
    assert bootstrapped(ONE, n_replicates=2, most_rows=40).notes == ()


def test_sampling_weights_are_refused() -> None:
    w = np.random.default_rng(1).gamma(2.0, 1.0, ONE.size)
    with pytest.raises(bt.ParameterError, match="sampling weights"):
        bootstrap_test(sampled(ONE, w), 1)


def test_nothing_is_drawn_where_there_is_no_maximum() -> None:
    x = np.concatenate([np.random.default_rng(1).normal(0.0, 1.0, 60), [1e4]])
    with pytest.raises(bt.DataError, match="no admissible maximum with 2 components"):
        bootstrap_test(Sample.of(x), 2, n_replicates=2)
