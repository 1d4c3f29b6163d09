"""The fit of a column of any length: a sketch, its maximum, finer bins where it needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bactrian.data.passes import Source
from bactrian.data.sample import Sample
from bactrian.data.sketches.nodes import sample_of
from bactrian.data.sketches.sketch import Sketch
from bactrian.solve.certify import certified
from bactrian.solve.fidelity import Fidelity, fidelity
from bactrian.solve.outcome import Outcome
from bactrian.solve.refinement import refinement
from bactrian.solve.solver import Solution

_MAX_READINGS = 4
_WIDE = 1.0 / 32.0  # of the sd of all rows: bins are a 128th of it where they are chosen for it
_NOTABLE = 0.1  # standard errors


def solve_source(
    source: Source,
    sketch: Sketch,
    solve: Callable[[Sample], Solution],
    as_sample: Callable[[Sequence[Sketch]], Sample] = sample_of,
) -> Solution:
    """Return the maximum of the likelihood of all the rows of a source.

    The sketch is replaced by its nodes, and these are solved. Where a fitted component turns out
    too narrow for the bins, the rows there are read once more into finer ones. A last pass over
    all the rows takes the score at the maximum, and a Newton step what is left of it.

    Source: derivation, "Binned moments".
    """
    parts: tuple[Sketch, ...] = (sketch,)
    for reading in range(_MAX_READINGS):
        solution = solve(as_sample(parts))
        found = _fidelity(parts, solution)
        finer = refinement(parts, solution, found)
        if finer is None or not source.is_rereadable or reading == _MAX_READINGS - 1:
            break
        parts = (*finer.kept, source.sketch(finer.exponent, finer.ranges))
    error = found.error if found is not None else float("nan")
    notes = _note(sketch, parts) if source.is_rereadable else _caution(sketch, error)
    certificate = replace(
        solution.certificate, rests_on="sketch", sketch_error=error,
        warnings=solution.certificate.warnings + notes,
    )  # fmt: skip
    outcome = solution.outcome
    if outcome is Outcome.COMPONENT_COLLAPSED and not source.is_rereadable and _is_wide(sketch):
        outcome = Outcome.BINS_TOO_WIDE
    return certified(replace(solution, certificate=certificate, outcome=outcome), source)


def _is_wide(sketch: Sketch) -> bool:
    """Whether the bins are so wide that a component may collapse for that reason alone."""
    return sketch.width > _WIDE * sketch.sd


def _caution(sketch: Sketch, error: float) -> tuple[str, ...]:
    """What wide bins of rows that are gone do to the estimates."""
    if not error > _NOTABLE:
        return ()
    return (
        f"The bins of the sketch, {sketch.width:g} wide, are too wide for these components: they "
        f"may move estimates by as much as {error:.1g} standard errors. Sketch the data again in "
        "narrower bins, with a smaller exponent or that which is chosen from the data.",
    )


def _note(sketch: Sketch, parts: tuple[Sketch, ...]) -> tuple[str, ...]:
    """What was read again, for whoever wonders where the time went."""
    finest = min(parts, key=lambda part: part.exponent)
    if finest.exponent == sketch.exponent:
        return ()
    return (
        f"Note: {finest.total:,.12g} of the rows, between {finest.minimum:.6g} and "
        f"{finest.maximum:.6g}, were read once more, in bins {finest.width:.2g} and not "
        f"{sketch.width:.2g} wide, for the sake of a narrow component.",
    )


def _fidelity(parts: tuple[Sketch, ...], solution: Solution) -> Fidelity | None:
    """What the bins do to a maximum; nothing is known where there is none."""
    if solution.outcome is not Outcome.CONVERGED:
        return None
    return fidelity(parts, solution.problem, solution.state)
