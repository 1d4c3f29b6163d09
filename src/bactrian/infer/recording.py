"""How rows were recorded, exactly, rounded or in bins, and drawn rows recorded likewise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.infer.edf import (
    Distance,
    EdfStatistics,
    bin_distance,
    bin_statistics,
    binned,
    row_distance,
    row_statistics,
)
from bactrian.model.mixture import NormalMixture
from bactrian.solve.resolution import rounding_unit

Array = NDArray[np.float64]

MOST_DRAWN = 20_000
_REACH = 9.0  # sds on either side; fewer than one row in 1e18 is beyond


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What was kept of the rows when they were recorded, in local units.

    Attributes
    ----------
    n_rows : int
        How many there are: the sum of the weights.
    step : float
        They are rounded to multiples of this; zero where they are not.
    anchor : float
        One of the values.
    edges : (e,) float64 or None
        The ends of their bins, where these are all that is known of them.
    """

    n_rows: int
    step: float
    anchor: float
    edges: Array | None

    @classmethod
    def of(cls, sample: Sample) -> Recording:
        """Return how the rows of a sample were recorded."""
        step = rounding_unit(sample)
        anchor = float(sample.local[np.abs(sample.local).argmin()])
        # A bin of few values has these for its nodes.
        edges = None if step > 0.0 else sample.edges
        return cls(max(round(sample.total), 1), step, anchor, edges)

    @property
    def n_drawn(self) -> int:
        """How many rows to draw: as many as there are, where their number matters.

        The law of the statistics, scaled by the number of rows, settles long before the cap; what
        rounding adds to them grows with every row.
        """
        return self.n_rows if self.step > 0.0 else min(self.n_rows, MOST_DRAWN)

    def drawn(self, mixture: NormalMixture, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return distinct values, ascending, and counts of rows drawn from a mixture, rounded."""
        if not self.step > 0.0:
            rows, counts = np.unique(mixture.sample(self.n_drawn, rng), return_counts=True)
            return rows, counts.astype(np.float64)
        found = [
            self._multiples(count, float(mean), float(sd), rng)
            for count, mean, sd in zip(
                rng.multinomial(self.n_drawn, mixture.weights).tolist(),
                mixture.means,
                mixture.sds,
                strict=True,
            )
        ]
        numbers, which = np.unique(np.concatenate([at for at, _ in found]), return_inverse=True)
        counts = np.bincount(which, np.concatenate([count for _, count in found]))
        return self.anchor + self.step * numbers, counts.astype(np.float64)

    def ends(self, x: Array) -> Array | None:
        """Return the points at which such rows (n,) can be compared; None if everywhere.

        Rounding leaves the distribution function as it was half a step beside the multiples, and
        nowhere else: its jumps at them are the rounding's.
        """
        if not self.step > 0.0:
            return self.edges
        return np.unique(np.concatenate([x - 0.5 * self.step, x + 0.5 * self.step]))

    def statistics(self, x: Array, weights: Array, mixture: NormalMixture) -> EdfStatistics:
        """Return the statistics of such rows (n,), from their bins where they are binned."""
        ends = self.ends(x)
        if ends is None:
            return row_statistics(x, weights, mixture)
        return bin_statistics(binned(x, weights, ends), ends, mixture)

    def distance(self, x: Array, weights: Array, mixture: NormalMixture) -> Distance:
        """Return where such rows (n,) are farthest from a mixture."""
        ends = self.ends(x)
        if ends is None:
            return row_distance(x, weights, mixture)
        return bin_distance(binned(x, weights, ends), ends, mixture)

    def _multiples(
        self, count: int, mean: float, sd: float, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Which multiples of the step rows of one component are rounded to, and how many."""
        from scipy.special import ndtr

        middle, reach = (mean - self.anchor) / self.step, sd / self.step
        if count <= max(MOST_DRAWN, 2.0 * _REACH * reach):
            rows = np.rint(middle + reach * rng.standard_normal(count))
            return rows, np.ones(count)
        numbers = np.arange(np.rint(middle - _REACH * reach), np.rint(middle + _REACH * reach) + 1)
        below = np.concatenate([[0.0], ndtr((numbers[:-1] + 0.5 - middle) / reach), [1.0]])
        return numbers, rng.multinomial(count, np.diff(below)).astype(np.float64)
