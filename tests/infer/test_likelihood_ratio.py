"""The likelihood ratio of one component more: known forms, its units, what has no table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.data.sampling import sampled
from bactrian.data.sketches.sketch import Sketch
from bactrian.infer.likelihood_ratio import likelihood_ratio, table_test
from bactrian.infer.null_law import null_law
from bactrian.solve.outcome import Outcome
from tests.problems import Array, draw

ONE = np.random.default_rng(8).normal(3.0, 2.0, 120)


def far_row() -> Array:
    """Rows for which two components have no admissible maximum."""
    return np.concatenate([np.random.default_rng(1).normal(0.0, 1.0, 60), [1e4]])


@pytest.mark.parametrize("x", [ONE, draw("overlapping")], ids=["one", "two"])
def test_it_is_twice_the_gain_over_the_normal_with_the_moments_of_the_rows(x: Array) -> None:
    one = norm.logpdf(x, x.mean(), x.std()).sum()
    ratio = likelihood_ratio(Sample.of(x), 1)
    assert ratio.statistic == pytest.approx(2.0 * (bt.fit(x).loglike - one), abs=1e-8)
    assert not ratio.is_failed


@pytest.mark.parametrize("options", [{}, {"equal_variances": True}])
def test_it_is_twice_the_gain_of_the_third_component(options: dict[str, Any]) -> None:
    x = draw("three", 120)
    ratio = likelihood_ratio(Sample.of(x), 2, **options)
    gain = bt.fit(x, 3, **options).loglike - bt.fit(x, 2, **options).loglike
    assert ratio.statistic == pytest.approx(2.0 * gain, abs=1e-7)


@pytest.mark.parametrize(("shift", "scale"), [(5.0, -3.0), (1e6, 1.0), (0.0, 1e150)])
def test_the_unit_of_the_data_makes_no_difference(shift: float, scale: float) -> None:
    known = likelihood_ratio(Sample.of(ONE), 1).statistic
    moved = likelihood_ratio(Sample.of(shift + scale * ONE), 1).statistic
    # The rows keep 1e-10 of their spread at 1e6.
    assert moved == pytest.approx(known, abs=1e-6)


def test_a_known_solution_saves_the_search(monkeypatch: Any) -> None:
    x = draw("overlapping")
    sample, known = Sample.of(x), bt.fit(x)
    searched = likelihood_ratio(sample, 1)
    monkeypatch.setattr("bactrian.infer.likelihood_ratio.search", None)
    given = likelihood_ratio(sample, 1, general=known.solution)
    assert given.statistic == pytest.approx(searched.statistic, abs=1e-8)


def test_a_solution_that_did_not_arrive_is_not_used() -> None:
    x = draw("overlapping")
    sample, stopped = Sample.of(x), bt.fit(x, method="em", max_steps=3)
    assert stopped.outcome is Outcome.MAX_STEPS
    given = likelihood_ratio(sample, 1, general=stopped.solution)
    assert given.statistic == likelihood_ratio(sample, 1).statistic


def test_weights_that_count_rows_are_so_many_rows() -> None:
    x = np.round(ONE, 1)
    counts = np.random.default_rng(2).integers(1, 4, x.size)
    weighted = table_test(Sample.of(x, counts.astype(float)))
    repeated = table_test(Sample.of(np.repeat(x, counts)))
    assert weighted.statistic == pytest.approx(repeated.statistic, abs=1e-8)
    assert weighted.law == repeated.law


def test_the_table_is_that_of_as_many_rows() -> None:
    test = table_test(Sample.of(ONE))
    tail = null_law().tail(test.statistic, 120)
    assert (test.p_value, test.p_error) == (tail.p_value, tail.p_error)
    assert test.method == "likelihood_ratio"
    assert test.n_replicates == sum(column.n_replicates for column in tail.columns)
    assert 0 < test.n_exceeding < test.n_replicates
    assert "with 100 rows" in test.law
    assert "with 200" in test.law
    assert not test.is_bound
    assert test.notes == ()


def test_what_no_simulation_reached_is_a_bound() -> None:
    test = table_test(Sample.of(draw("apart")))
    assert test.is_bound
    assert test.n_exceeding == 0
    least = min(1 / (1 + column.n_replicates) for column in null_law().columns)
    assert least <= test.p_value < 10.0 * least


def test_without_a_maximum_the_statistic_counts_as_zero() -> None:
    test = table_test(Sample.of(far_row()))
    assert test.statistic == 0.0
    assert test.p_value > 0.99
    assert "no admissible maximum" in test.notes[0]


def test_rounded_values_are_noted() -> None:
    assert any("rounded" in note for note in table_test(Sample.of(np.round(ONE, 1))).notes)
    assert table_test(Sample.of(np.round(ONE, 6))).notes == ()


def test_a_sketch_has_the_test_of_its_rows() -> None:
    x = draw("overlapping", 40_000)
    nodes, rows = table_test(Sketch.of(x).to_sample()), table_test(Sample.of(x))
    assert nodes.statistic == pytest.approx(rows.statistic, abs=1e-4)
    assert nodes.notes == ()
    assert "30,000" in nodes.law
    assert "100,000" in nodes.law


def test_more_rows_than_simulated_have_the_law_of_the_most() -> None:
    sample = Sample.of(ONE, np.full(ONE.size, 10_000.0))
    assert table_test(sample).law.endswith("100,000 rows, the most that were simulated")


SAMPLE = Sample.of(ONE)
REFUSED: list[tuple[Sample, dict[str, Any], str]] = [
    (SAMPLE, {"null_components": 2}, r"not 2 against 3; use method=.bootstrap."),
    (SAMPLE, {"equal_variances": True}, r"unequal variances; use method=.bootstrap."),
    (Sample.of(ONE, np.full(120, 1.5)), {}, r"whole numbers of them; use method=.bootstrap."),
    (Sample.of(ONE[:19]), {}, r"from 20 rows on.*there are 19; use method=.bootstrap."),
    (sampled(ONE, np.random.default_rng(1).gamma(2.0, 1.0, 120)), {}, "sampling weights"),
]


@pytest.mark.parametrize(("sample", "options", "words"), REFUSED)
def test_what_has_no_table_is_refused(sample: Sample, options: dict[str, Any], words: str) -> None:
    with pytest.raises(bt.ParameterError, match=words):
        table_test(sample, **options)


def test_sums_of_counts_in_bins_are_counts() -> None:
    nodes = Sketch.of(np.random.default_rng(8).normal(size=40_000)).to_sample()
    assert (nodes.weights != np.rint(nodes.weights)).any()
    assert table_test(nodes).p_value > 0.0
    heavier = replace(nodes, weights=nodes.weights * 1.00001)
    with pytest.raises(bt.ParameterError, match="whole numbers"):
        table_test(heavier)


@pytest.mark.parametrize("k", [1, 2])
def test_too_few_distinct_values_are_refused(k: int) -> None:
    with pytest.raises(bt.DataError, match=f"{k + 1} distinct values, too few for {k + 1}"):
        likelihood_ratio(Sample.of(np.tile(np.arange(k + 1.0), 20)), k)
