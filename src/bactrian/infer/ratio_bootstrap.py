"""The likelihood-ratio test of the number of components by samples drawn from the fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.data.sample import Sample
from bactrian.infer.bootstrap import replicated
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.likelihood_ratio import (
    Maximum,
    likelihood_ratio,
    maximum,
    require_counts,
    without_maximum,
)
from bactrian.model.mixture import NormalMixture
from bactrian.solve.resolution import rounding_unit
from bactrian.solve.solver import Solution

Array = NDArray[np.float64]

MOST_ROWS = 10_000
ENOUGH = 20


class Replicate(NamedTuple):
    """The likelihood ratio of a simulated sample; zero where it failed to have a maximum."""

    statistic: float
    is_failed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """How samples are drawn from a fit and tested as the data were.

    Attributes
    ----------
    mixture : Maximum
        The fit, in local coordinates.
    place : Sample
        One value that gives the coordinates.
    n_rows : int
        Rows of each sample.
    step : float
        What values are rounded to, counted from that value; zero where they are not.
    equal_variances : bool
        As in the test.
    """

    mixture: Maximum
    place: Sample
    n_rows: int
    step: float
    equal_variances: bool

    def __call__(self, rng: np.random.Generator) -> Replicate:
        """Return the likelihood ratio of one sample, searched for as that of the data."""
        sample, k = self.drawn(rng), self.mixture.weights.size
        if len(sample) <= k + 1:
            return Replicate(0.0, True)
        null = maximum(sample, k, self.equal_variances)
        general = maximum(sample, k + 1, self.equal_variances)
        if null is None or general is None:
            return Replicate(0.0, True)
        return Replicate(2.0 * (general.loglike - null.loglike), False)

    def drawn(self, rng: np.random.Generator) -> Sample:
        """Return one sample."""
        held = self.mixture
        values = NormalMixture(held.weights, held.means, held.sds).sample(self.n_rows, rng)
        if self.step:
            first = self.place.local[0]
            values = first + self.step * np.rint((values - first) / self.step)
        local, counts = np.unique(values, return_counts=True)
        return self.place.with_local(local, counts.astype(np.float64))


def bootstrap_test(
    sample: Sample,
    null_components: int,
    *,
    equal_variances: bool = False,
    n_replicates: int = 999,
    enough: int = ENOUGH,
    most_rows: int = MOST_ROWS,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    general: Solution | None = None,
) -> HomogeneityTest:
    """Return the likelihood-ratio test of so many components against one more, simulated.

    Parameters
    ----------
    sample : Sample
        The weighted values; weights are counts.
    null_components : int
        Components under the hypothesis that is tested.
    equal_variances : bool
        Whether all components share one variance, under both hypotheses.
    n_replicates : int
        Samples drawn from the fit at most.
    enough : int
        Samples with a statistic as large as that of the data after which no more are drawn.
    most_rows : int
        Rows of a drawn sample at most.
    rng, workers, progress
        As for `bootstrap`; the same seed gives the same numbers with any number of workers.
    general : Solution, optional
        What `solve` found for the same rows with one component more, to save that search.

    Raises
    ------
    ParameterError
        If weights are sampling weights.
    DataError
        If there are too few distinct values, or no admissible maximum to draw from.

    Notes
    -----
    Rounded values are drawn rounded alike. Both maxima of every sample are searched for as
    carefully as those of the data; samples without one and statistics below zero count.
    Source: derivation, "Likelihood ratio for the number of components"; Besag and Clifford (1991),
    Biometrika 78, 301-304 (no more samples than are needed).
    """
    require_counts(sample)
    ratio = likelihood_ratio(
        sample, null_components, equal_variances=equal_variances, general=general
    )
    n_rows = min(max(round(sample.total), 1), most_rows)
    step = 0.0 if sample.width else rounding_unit(sample)
    place = Sample(sample.origin, sample.scale, sample.local[:1].copy(), np.ones(1))
    simulation = Simulation(ratio.null, place, n_rows, step, equal_variances)

    def seen(found: Sequence[Replicate]) -> bool:
        """Whether so many were as large that no more need be drawn."""
        return sum(each.statistic >= ratio.statistic for each in found) >= enough

    found = replicated(
        simulation, n_replicates, rng=rng, workers=workers, progress=progress, enough=seen
    )
    kept = found[: _until(found, ratio.statistic, enough)]
    exceeding = sum(each.statistic >= ratio.statistic for each in kept)
    p_value = (1 + exceeding) / (1 + len(kept))
    notes = [without_maximum(null_components + 1)] if ratio.is_failed else []
    return HomogeneityTest(
        null_components,
        "bootstrap",
        equal_variances,
        ratio.statistic,
        p_value,
        _law(len(kept), null_components),
        math.sqrt(p_value * (1.0 - p_value) / len(kept)),
        exceeding == 0,
        len(kept),
        exceeding,
        sum(each.is_failed for each in kept),
        sum(each.statistic < 0.0 for each in kept),
        (*notes, *_notes(sample, simulation, len(kept) < n_replicates, enough)),
    )


def _until(found: Sequence[Replicate], statistic: float, enough: int) -> int:
    """How many of the replicates there are until enough of them are as large."""
    counts = accumulate(int(each.statistic >= statistic) for each in found)
    return next((i for i, count in enumerate(counts, 1) if count == enough), len(found))


def _law(n_replicates: int, null_components: int) -> str:
    """What the statistic was compared with, in words."""
    fitted = "normal" if null_components == 1 else f"mixture of {null_components} components"
    return f"{n_replicates:,} samples drawn from the fitted {fitted}"


def _notes(sample: Sample, simulation: Simulation, is_early: bool, enough: int) -> list[str]:
    """What to know about the samples, in sentences."""
    notes = []
    if simulation.n_rows < round(sample.total):
        notes.append(
            f"The samples have {simulation.n_rows:,} rows each, and their law stands for that of "
            f"{sample.total:,.0f} rows."
        )
    if simulation.step:
        unit = simulation.step * sample.scale
        notes.append(f"The samples are rounded in steps of {unit:.3g}, as the values are.")
    if is_early:
        notes.append(
            f"No more samples were drawn when {enough} of them had a statistic as large: the "
            "p-value is not small."
        )
    return notes
