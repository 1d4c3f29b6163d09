"""The simulated law of the likelihood ratio: its tail by counting, and still that of the search."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.data.sketches.sketch import Sketch
from bactrian.fitting.reading import LARGE_COLUMN
from bactrian.infer.likelihood_ratio import likelihood_ratio
from bactrian.infer.null_law import NullLaw, SimulatedColumn, null_law
from bactrian.solve.search import SEARCH_VERSION
from tests.problems import Array


def column_of(statistics: Array, n_rows: int, ranks: Array | None = None) -> SimulatedColumn:
    """What is kept of simulated statistics: those at some ranks, or all."""
    falling = np.sort(statistics)[::-1]
    kept = np.arange(1, falling.size + 1) if ranks is None else ranks
    places, shown = tuple(kept.tolist()), tuple(falling[kept - 1].tolist())
    return SimulatedColumn(n_rows, falling.size, 3, 1, places, shown)


def statistics(seed: int, size: int = 500) -> Array:
    """Numbers with an exponential tail, some of them equal."""
    return np.maximum(np.random.default_rng(seed).gamma(1.3, 3.0, size) - 0.2, 0.0)


ANYWHERE = (-1.0, 0.0, 0.3, 2.0, 7.5, 12.0, 1e3)


@pytest.mark.parametrize("statistic", ANYWHERE)
def test_with_all_of_them_kept_the_tail_is_a_count(statistic: float) -> None:
    drawn = statistics(1)
    column = column_of(drawn, 100)
    law = NullLaw(1, 0, (column,))
    exceeding = int((drawn >= statistic).sum())
    assert column.exceeding(statistic) == exceeding
    assert law.tail(statistic, 100).p_value == pytest.approx((1 + exceeding) / 501, rel=1e-15)
    assert law.tail(statistic, 100).is_bound == (exceeding == 0)


def test_at_every_statistic_it_counts_itself() -> None:
    drawn = statistics(2)
    column = column_of(drawn, 100, np.array([1, 2, 3, 5, 9, 20, 60, 200, 500]))
    for rank, statistic in zip(column.ranks, column.statistics, strict=True):
        last = int((drawn >= statistic).sum())
        assert rank <= column.exceeding(statistic) <= last


def test_between_kept_places_the_count_is_close() -> None:
    drawn = statistics(3, 20_000)
    spaced = [np.geomspace(1, drawn.size, 130), np.linspace(1, drawn.size, 40)]
    places = np.unique(np.rint(np.concatenate(spaced)).astype(int))
    column = column_of(drawn, 100, places)
    for statistic in np.linspace(0.0, drawn.max(), 300):
        known = (drawn >= statistic).sum()
        # Half a standard error of the count, which is that of its own simulation.
        assert abs(column.exceeding(float(statistic)) - known) <= 1 + 0.5 * math.sqrt(known)


def test_the_tail_falls_and_never_vanishes() -> None:
    law = NullLaw(1, 0, (column_of(statistics(4), 100), column_of(statistics(5), 300)))
    for n_rows in (100, 150, 300, 10**7):
        tails = [law.tail(float(t), n_rows).p_value for t in np.linspace(-1.0, 60.0, 200)]
        assert (np.diff(tails) <= 0.0).all()
        assert tails[-1] == pytest.approx(1 / 501)
        assert tails[0] == pytest.approx(1.0)


def test_between_two_numbers_of_rows_the_tails_are_averaged_in_log_n() -> None:
    law = NullLaw(1, 0, (column_of(statistics(4), 100), column_of(statistics(5, 900), 10_000)))
    near, far = law.tail(6.0, 100), law.tail(6.0, 10_000)
    for n_rows, share in ((100, 0.0), (1000, 0.5), (10_000, 1.0), (10**6, 1.0)):
        tail = law.tail(6.0, n_rows)
        assert tail.p_value == pytest.approx((1 - share) * near.p_value + share * far.p_value)
        variance = ((1 - share) * near.p_error) ** 2 + (share * far.p_error) ** 2
        assert tail.p_error == pytest.approx(math.sqrt(variance))
    assert [column.n_rows for column in law.tail(6.0, 1000).columns] == [100, 10_000]
    assert [column.n_rows for column in law.tail(6.0, 10**6).columns] == [10_000]


def test_the_error_is_that_of_repeated_simulations() -> None:
    laws = [
        NullLaw(1, 0, (column_of(statistics(2 * i), 100), column_of(statistics(2 * i + 1), 400)))
        for i in range(10, 410)
    ]
    tails = [law.tail(9.0, 200) for law in laws]
    spread = np.std([tail.p_value for tail in tails])
    told = np.mean([tail.p_error for tail in tails])
    assert abs(math.log(spread / told)) < 4.0 / math.sqrt(2 * len(laws))


def test_fewer_rows_than_simulated_are_refused() -> None:
    with pytest.raises(bt.ParameterError, match=r"from 20 rows on.*there are 19.*bootstrap"):
        null_law().tail(5.0, 19)


def test_the_law_that_ships_is_whole() -> None:
    law = null_law()
    assert law.least_rows == 20
    sizes = [column.n_rows for column in law.columns]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 100_000
    for column in law.columns:
        assert column.ranks[0] == 1
        assert column.ranks[-1] == column.n_replicates
        assert (np.diff(column.ranks) > 0).all()
        assert (np.diff(column.statistics) <= 0.0).all()
        assert len(column.first) == 15


def test_the_law_that_ships_is_that_of_this_search() -> None:
    # Where this fails the search finds something else than the simulated one: raise
    # SEARCH_VERSION and run benchmarks/null_law.py again, with --write at its end.
    assert null_law().search_version == SEARCH_VERSION


@pytest.mark.parametrize(("n_rows", "count"), [(20, 15), (75, 10), (500, 8), (10_000, 2),
                                               (100_000, 1)])  # fmt: skip
def test_the_search_finds_the_simulated_statistics_again(n_rows: int, count: int) -> None:
    law = null_law()
    column = next(column for column in law.columns if column.n_rows == n_rows)
    for i, known in enumerate(column.first[:count]):
        x = np.random.default_rng([law.seed, n_rows, i]).standard_normal(n_rows)
        is_large = n_rows >= LARGE_COLUMN
        ratio = likelihood_ratio(Sketch.of(x).to_sample() if is_large else Sample.of(x), 1)
        assert ratio.is_failed == math.isnan(known)
        assert ratio.is_failed or ratio.statistic == pytest.approx(known, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [40, 150, 20_000])
def test_p_values_of_one_normal_are_uniform(n_rows: int) -> None:
    from scipy.stats import kstest

    p_values = []
    for i in range(150):
        x = np.random.default_rng([7, n_rows, i]).standard_normal(n_rows)
        p_values.append(null_law().tail(likelihood_ratio(Sample.of(x), 1).statistic, n_rows))
    assert kstest([tail.p_value for tail in p_values], "uniform").pvalue > 1e-3
