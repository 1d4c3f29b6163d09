"""The law of the likelihood ratio of one normal against two, as it was simulated."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import neg

from bactrian.errors import ParameterError

FILE = "null_law.json"


@dataclass(frozen=True, slots=True)
class SimulatedColumn:
    """The statistics of samples of one normal with so many rows.

    Attributes
    ----------
    n_rows : int
        Rows of each sample.
    n_replicates, n_failed, n_negative : int
        Samples; those without an admissible maximum, whose statistic counts as zero; those with a
        statistic below zero.
    ranks : tuple of int
        Places in the order from the largest statistic, which is 1, to the smallest.
    statistics : tuple of float
        The statistics at these places, falling.
    first : tuple of float
        The statistics of the first samples, NaN where there is no admissible maximum: what the
        search must find again if the law is to be its own.
    """

    n_rows: int
    n_replicates: int
    n_failed: int
    n_negative: int
    ranks: tuple[int, ...]
    statistics: tuple[float, ...]
    first: tuple[float, ...] = ()

    def exceeding(self, statistic: float) -> int:
        """Return how many statistics are as large; between kept places by a straight line.

        The line is one of the logarithm of the count, which falls nearly so.
        """
        i = bisect_right(self.statistics, -statistic, key=neg) - 1
        if i < 0:
            return 0
        if i + 1 == len(self.ranks):
            return self.n_replicates
        above, below = self.statistics[i : i + 2]
        first, last = map(math.log, self.ranks[i : i + 2])
        share = (above - statistic) / (above - below)
        return int(math.exp(first + share * (last - first)) + 1e-9)


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of the law at a statistic.

    Attributes
    ----------
    p_value, p_error : float
        The tail, never zero, and its Monte-Carlo standard error.
    is_bound : bool
        Whether no simulated statistic was as large.
    columns : tuple of SimulatedColumn
        What it was taken from: one number of rows, or the two around.
    """

    p_value: float
    p_error: float
    is_bound: bool
    columns: tuple[SimulatedColumn, ...]


@dataclass(frozen=True, slots=True)
class NullLaw:
    """The simulated law for several numbers of rows, ascending.

    `search_version` says by which search: statistics of another one have another law. `seed` and
    the columns' numbers of rows are the seeds of the samples.
    """

    search_version: int
    seed: int
    columns: tuple[SimulatedColumn, ...]

    @property
    def least_rows(self) -> int:
        """The fewest rows for which it was simulated."""
        return self.columns[0].n_rows

    def tail(self, statistic: float, n_rows: float) -> Tail:
        """Return how often chance alone gives so large a statistic.

        Between two numbers of rows it is the average of the two tails, by weights that are linear
        in log n: an average of two shares keeps a binomial error, as that of a quantile would not.
        Beyond the largest number of rows it is the tail there.

        Raises
        ------
        ParameterError
            If there are fewer rows than were simulated.

        Notes
        -----
        Source: derivation, "Likelihood ratio for the number of components".
        """
        if n_rows < self.least_rows:
            raise ParameterError(
                f"The law of the likelihood ratio is tabulated from {self.least_rows} rows on, and "
                f'there are {n_rows:g}; use method="bootstrap", which simulates it for any number.'
            )
        p_value, variance, counts = 0.0, 0.0, []
        around = self._around(n_rows)
        for column, share in around:
            counts.append(column.exceeding(statistic))
            p = (1 + counts[-1]) / (1 + column.n_replicates)
            p_value += share * p
            variance += share**2 * p * (1.0 - p) / column.n_replicates
        columns = tuple(column for column, _ in around)
        return Tail(p_value, math.sqrt(variance), not any(counts), columns)

    def _around(self, n_rows: float) -> list[tuple[SimulatedColumn, float]]:
        """The columns next to a number of rows, and their weights."""
        i = bisect_right(self.columns, n_rows, key=lambda column: column.n_rows)
        below = self.columns[i - 1]
        if i == len(self.columns) or below.n_rows == n_rows:
            return [(below, 1.0)]
        above = self.columns[i]
        share = math.log(n_rows / below.n_rows) / math.log(above.n_rows / below.n_rows)
        return [(below, 1.0 - share), (above, share)]

    @classmethod
    def from_json(cls, text: str) -> NullLaw:
        """Return the law that a text holds."""
        known = json.loads(text)
        columns = []
        for column in known["columns"]:
            first = [math.nan if value is None else value for value in column.pop("first")]
            ranks, statistics = tuple(column.pop("ranks")), tuple(column.pop("statistics"))
            columns.append(
                SimulatedColumn(**column, ranks=ranks, statistics=statistics, first=tuple(first))
            )
        return cls(known["search_version"], known["seed"], tuple(columns))


@cache
def null_law() -> NullLaw:
    """Return the law that ships with the package, read once."""
    text = files("bactrian.infer").joinpath(FILE).read_text(encoding="utf-8")
    return NullLaw.from_json(text)
