"""Goodness of fit: whether such rows could have been drawn from the fitted mixture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.data.sample import Sample
from bactrian.errors import ParameterError
from bactrian.infer.bootstrap import replicated
from bactrian.infer.edf import EdfStatistics
from bactrian.infer.recording import Recording
from bactrian.infer.rounding import round_by_error
from bactrian.model.mixture import NormalMixture
from bactrian.solve.climb import climb
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.state import State
from bactrian.solve.steps import newton_step

Array = NDArray[np.float64]

_MAX_STEPS = 200
_WIDTH = 88  # columns, as for a fit
_MANY = 100_000
_TIES = 0.05
_LABELS = {
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    "cramer_von_mises": "Cramér-von Mises",
    "anderson_darling": "Anderson-Darling",
}


@dataclass(frozen=True, slots=True)
class SimulatedStatistic:
    """One statistic, and how often one of drawn rows is as large.

    Attributes
    ----------
    statistic : float
        Its value.
    p_value : float
        One more than the drawn samples in which it is as large, over one more than all of them:
        never zero.
    p_error : float
        Monte-Carlo standard error of `p_value`.
    """

    statistic: float
    p_value: float
    p_error: float

    @property
    def shown_p(self) -> str:
        """The p-value with its Monte-Carlo error, as printed."""
        if self.p_error == 0.0:
            return f"{self.p_value:g}"
        shown = round_by_error(self.p_value, self.p_error)
        return f"{shown.value} ± {shown.standard_error}"


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """Whether rows could have been drawn from the fitted mixture; printing shows three tests.

    Attributes
    ----------
    kolmogorov_smirnov : SimulatedStatistic
        D, the largest distance between the two distribution functions.
    cramer_von_mises : SimulatedStatistic
        Their mean squared distance over the mixture's law, times the number of rows.
    anderson_darling : SimulatedStatistic
        The same with the tails counted as much as the middle: the one to report.
    n_replicates : int
        Samples drawn from the fitted mixture, and fitted like the rows.
    n_failed : int
        How many of these fits ended at no maximum; their statistics count as larger.
    max_distance_at : float
        Where the distance is largest, in the unit of the data.
    edf_error : float
        By how much the distance may be larger where the rows are not known: zero for exact values.
    notes : tuple of str
        What to know, in sentences; the first says how far apart the two are.

    Notes
    -----
    For exact values the statistics are those of SciPy's ``kstest`` and ``cramervonmises`` and the
    textbook's Anderson-Darling. Rounded values are compared with the mixture half-way between
    their multiples, a sketch at the edges of its bins: there, and only there, the distribution
    function of the rows is known.
    """

    kolmogorov_smirnov: SimulatedStatistic
    cramer_von_mises: SimulatedStatistic
    anderson_darling: SimulatedStatistic
    n_replicates: int
    n_failed: int
    max_distance_at: float
    edf_error: float
    notes: tuple[str, ...]

    @property
    def statistic(self) -> float:
        """That of Anderson and Darling."""
        return self.anderson_darling.statistic

    @property
    def p_value(self) -> float:
        """That of Anderson and Darling's test."""
        return self.anderson_darling.p_value

    @property
    def max_distance(self) -> float:
        """How far apart the two distribution functions are: the size of the misfit, D."""
        return self.kolmogorov_smirnov.statistic

    def to_dict(self) -> dict[str, Any]:
        """Return all results as plain values for strict JSON: unrounded, None for non-finite."""
        found = {**asdict(self), "max_distance": self.max_distance, "notes": list(self.notes)}
        for name in _LABELS:
            found[name] = {key: _finite(value) for key, value in found[name].items()}
        return found

    def __str__(self) -> str:
        """Return one line for each test, and the notes."""
        lines = [f"{'':<20}statistic    p-value   ({self.n_replicates} samples drawn and fitted)"]
        for name, label in _LABELS.items():
            test = getattr(self, name)
            lines.append(f"{label:<20}{test.statistic:>9.4g}    {test.shown_p}")
        notes = [textwrap.fill(note, _WIDTH) for note in self.notes]
        return "\n\n".join(["\n".join(lines), *notes])

    def __repr__(self) -> str:
        """Return the printed form: a test is looked at where it is made."""
        return str(self)


def goodness_of_fit(
    problem: Problem,
    state: State,
    n_replicates: int,
    *,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> GoodnessOfFit:
    """Return the tests of a maximum by samples that are drawn from it and fitted.

    Parameters
    ----------
    problem, state
        The likelihood and its maximum.
    n_replicates : int
        How many samples.
    rng, workers, progress
        As for ``bootstrap``.

    Raises
    ------
    ParameterError
        If the weights are sampling weights.

    Notes
    -----
    Each drawn sample is rounded or binned like the rows, and fitted from the fit, under the same
    constraints; its statistics are those against its own fit. Source: derivation, "Goodness of
    fit".
    """
    sample = problem.sample
    if sample.squared is not None:
        raise ParameterError(
            "With sampling weights the rows are no plain draws from the mixture, and these tests "
            "have no law; Fit.quantile_residuals, which need none, show where the mixture fails."
        )
    recording, mixture = Recording.of(sample), _mixture(state)
    run = partial(_replicate, problem, state, recording)
    drawn = replicated(run, n_replicates, rng=rng, workers=workers, progress=progress)
    own = recording.statistics(sample.local, sample.weights, mixture)
    root = math.sqrt(recording.n_drawn / sample.total)  # of the numbers of rows, for D alone
    scaled = own._replace(kolmogorov_smirnov=own.kolmogorov_smirnov / root)
    tests = [
        _test(value, limit, [found[i] for found in drawn if found is not None], len(drawn))
        for i, (value, limit) in enumerate(zip(own, scaled, strict=True))
    ]
    distance = recording.distance(sample.local, sample.weights, mixture)
    at = sample.origin + sample.scale * distance.at
    n_failed = sum(found is None for found in drawn)
    shown = round_by_error(at, 0.1 * sample.scale * mixture.std()).value
    notes = [
        f"The distribution functions of rows and mixture are farthest apart at {shown}: "
        f"by {distance.largest:.2g}.",
        *_about_rows(sample, recording, distance.beyond),
        *_about_replicates(sample, recording, n_failed, n_replicates),
    ]
    return GoodnessOfFit(
        tests[0], tests[1], tests[2], n_replicates, n_failed, at, distance.beyond, tuple(notes)
    )


def drawn_and_fitted(
    problem: Problem, state: State, recording: Recording, rng: np.random.Generator
) -> tuple[Array, Array, NormalMixture] | None:
    """Return a sample drawn from a fit, recorded as the rows were, and its own fit.

    Distinct values, their counts, and the mixture, all local; None where the fit is no maximum.
    """
    rows, counts = recording.drawn(_mixture(state), rng)
    sample = replace(problem.sample.with_local(rows, counts), width=0.0)
    climbs = climb(
        replace(problem, sample=sample), state.free, newton_step, max_steps=_MAX_STEPS
    )  # fmt: skip
    if climbs.outcomes[0] is not Outcome.CONVERGED:
        return None
    return rows, counts, _mixture(climbs.state)


def _replicate(
    problem: Problem, state: State, recording: Recording, rng: np.random.Generator
) -> EdfStatistics | None:
    """The statistics of a drawn sample against its own fit; None where that is no maximum."""
    found = drawn_and_fitted(problem, state, recording, rng)
    return None if found is None else recording.statistics(*found)


def _test(value: float, limit: float, drawn: Sequence[float], n: int) -> SimulatedStatistic:
    """One statistic beside those of the drawn samples, `n` with the failed ones."""
    exceeding = n - len(drawn) + sum(other >= limit for other in drawn)
    p = (1.0 + exceeding) / (n + 1.0)
    return SimulatedStatistic(value, p, math.sqrt(p * (1.0 - p) / n))


def _about_rows(sample: Sample, recording: Recording, beyond: float) -> list[str]:
    """What to know about how the rows were recorded, in sentences."""
    if recording.step > 0.0:
        return [
            f"The values are multiples of {recording.step * sample.scale:.3g}: they were compared "
            "with the mixture half-way between these, and drawn rows were rounded likewise."
        ]
    if recording.edges is not None:
        return [
            f"The rows are known by the bins of their sketch, and were compared at the "
            f"{recording.edges.size:,} edges of these; in between the distance may be larger by "
            f"{beyond:.1g}."
        ]
    if 1.0 - len(sample) / sample.total >= _TIES:
        return [
            "Many rows share their values, and these are no multiples of a step: rows drawn from "
            "a mixture share none, so that the p-values may be small for that reason alone."
        ]
    return []


def _about_replicates(
    sample: Sample, recording: Recording, n_failed: int, n_replicates: int
) -> list[str]:
    """What to know about the drawn samples, in sentences."""
    notes = []
    if n_failed:
        notes.append(
            f"{n_failed} of {n_replicates} fits of drawn samples ended at no maximum. They count "
            f"as larger: p-values may be too large by {n_failed / (n_replicates + 1):.2g}."
        )
    if recording.n_drawn < recording.n_rows:
        notes.append(
            f"Drawn samples have {recording.n_drawn:,} rows, and their statistics were compared in "
            "the scale of their number: the law hardly depends on it."
        )
    if sample.total >= _MANY:
        notes.append(
            f"Among {sample.total:,.0f} rows the least departure from a mixture shows: look at how "
            "far apart the two are before the p-values."
        )
    return notes


def _mixture(state: State) -> NormalMixture:
    """The mixture at a state, in local coordinates."""
    return NormalMixture(state.weights[0], state.means[0], state.sds[0])


def _finite(value: float) -> float | None:
    """A number, or None where strict JSON has no word for it."""
    return value if math.isfinite(value) else None
