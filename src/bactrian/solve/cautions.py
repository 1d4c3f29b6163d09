"""What a careful reader should know about a maximum, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.model.constraints import Constraints
from bactrian.solve import outlying
from bactrian.solve.atoms import atoms, collapsed_onto
from bactrian.solve.certificate import Certificate, Optimum
from bactrian.solve.heaping import caution_of
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.resolution import rounding_unit
from bactrian.solve.rivals import in_place_of_better, rivals
from bactrian.solve.state import State

Array = NDArray[np.float64]

WEAK = 64.0  # rows of known membership below which standard errors mislead
_UNIDENTIFIED = 4.0
_ROWS_PER_PARAMETER = 10.0
_FEW, _FEW_IF_NARROW, _NARROW = 8.0, 15.0, 0.05
_LISTED = 4.0


def cautions(
    problem: Problem,
    state: State,
    outcome: Outcome,
    optima: tuple[Optimum, ...],
    collapses: Array,
) -> tuple[str, ...]:
    """Return the warnings for one maximum, the gravest first.

    `collapses` are the places, in local units, that components collapsed onto.
    """
    found = _atoms(problem, collapses)
    if outcome is Outcome.CONVERGED:
        found += in_place_of_better(optima)
        found += _below_one(problem, state)
        found += _small_components(problem, state)
        found += rivals(optima)
        found += _identifiability(problem, state)
        found += outlying.caution_of(problem.sample, state.weights[0], state.means[0], state.sds[0])
    found += _rounding(problem, state) or caution_of(problem.sample, state.weights[0], state.sds[0])
    found += _few_rows(problem)
    return tuple(found)


def _atoms(problem: Problem, collapses: Array) -> list[str]:
    """Values that so many rows share that the likelihood is unbounded there."""
    sample, found = problem.sample, []
    if problem.is_bounded or problem.n_components == 1:
        return []
    for i in atoms(sample):
        value, rows = f"{sample.values[i]:.6g}", f"{sample.weights[i]:g} of the {sample.total:g}"
        starts = collapsed_onto(sample, i, collapses)
        reached = f" ({starts} starts collapsed onto it)" if starts else ""
        if not _is_alone(sample, i):
            found.append(
                f"At {value} {rows} rows lie within a bin of the sketch, which is "
                f"{sample.width * sample.scale:.2g} wide{reached}: they may be one component "
                "narrower than the bins, or one value. Fit the data themselves, or a sketch with "
                "a smaller exponent."
            )
            continue
        found.append(
            f"The value {value} is shared by {rows} rows: there a component may shrink and the "
            f"likelihood grow without bound{reached}. No normal component describes such rows; "
            "fit the others without them, and count them apart."
        )
    return found


def _is_alone(sample: Sample, position: int) -> bool:
    """Whether a value stands for equal rows, and is not one of several nodes of a bin."""
    around = sample.local[max(position - 1, 0) : position + 2]
    return sample.width == 0.0 or bool((np.diff(around) > sample.width).all())


def _below_one(problem: Problem, state: State) -> list[str]:
    """A maximum that one component alone exceeds, as it may where constraints hold others off."""
    sample, k = problem.sample, problem.n_components
    mean, variance = float(sample.weights @ sample.local / sample.total), sample.local_variance
    one = -0.5 * sample.total * (np.log(2.0 * np.pi * variance) + 1.0)
    gain = float(one - state.loglike[0])
    rounding = 1e-6 + 1e-12 * abs(one)
    if k == 1 or gain < rounding or not _has_room(problem.constraints, mean, variance**0.5):
        return []
    return [
        f"One normal component alone has a log-likelihood higher by {gain:.2f}: this maximum is a "
        "local one, and better mixtures leave a component next to no weight. Fit fewer "
        "components, or look at what is held."
    ]


def _has_room(held: Constraints, mean: float, sd: float) -> bool:
    """Whether a mean and an sd may be those of a component of weight one, or of all of them."""
    ratios = np.ones(held.n_components) if held.sd_ratios is None else held.sd_ratios
    means = (held.means[:, 0] <= mean) & (mean <= held.means[:, 1])
    low, high = held.sds.T
    sds = (low <= sd) & (sd <= high)
    if held.sd_ratios is not None:
        all_sds = sd * ratios / ratios[:, None]
        sds = ((low <= all_sds) & (all_sds <= high)).all(axis=1)
    least, most = held.weights.T
    others = least.sum() - least
    alone = (most >= 1.0) & (others <= 0.0)
    return bool((means & sds & alone).any() or ((means & sds).all() and np.ptp(ratios) == 0.0))


def _small_components(problem: Problem, state: State) -> list[str]:
    """Components that rest on so few rows that they may be an accident."""
    found = []
    counts, sds = state.counts[0], state.sds[0]
    narrow = few_and_narrow(counts, sds)
    for k, count in enumerate(counts):
        if len(sds) == 1 or not (count < _FEW or narrow[k]):
            continue
        rows = f"Component {k + 1} rests on {count:.1f} rows"
        if count < _LISTED:
            rows += f" ({_rows_of(problem, state, k)})"
        found.append(f"{rows}: near-degenerate, it may be an accident of those rows.")
    return found


def few_and_narrow(counts: Array, sds: Array) -> NDArray[np.bool_]:
    """Return which components (K,) are a twentieth as wide as another, on fewer than 15 rows."""
    return np.asarray((sds < _NARROW * sds.max()) & (counts < _FEW_IF_NARROW))


def _rows_of(problem: Problem, state: State, component: int) -> str:
    """The values that belong to a component more likely than not."""
    sample = problem.sample
    distance = np.abs(sample.local - state.means[0, component])
    nearest = np.argsort(distance, kind="stable")
    reach = sample.weights[nearest].cumsum()
    keep = nearest[: int(np.searchsorted(reach, state.counts[0, component] - 0.5)) + 1]
    return "values near " + ", ".join(f"{value:.6g}" for value in np.sort(sample.values[keep]))


def _identifiability(problem: Problem, state: State) -> list[str]:
    """Directions in which the likelihood is so flat that standard errors mislead."""
    rows = problem.sample.total * float(state.eigenvalues[0, 0])
    if problem.n_components == 1 or rows >= WEAK:
        return []
    if rows < _UNIDENTIFIED:
        return [
            "The components are not identified: in the worst direction the data are worth "
            f"{rows:.1f} rows of known membership; standard errors mean little, and profile "
            "intervals say what the data exclude."
        ]
    return [
        "The components overlap: in the worst direction the data are worth only "
        f"{rows:.0f} rows of known membership; standard errors and Wald intervals tend to be too "
        "small, profile intervals less so."
    ]


def _rounding(problem: Problem, state: State) -> list[str]:
    """Components about as narrow as the rounding of the values."""
    unit = rounding_unit(problem.sample)
    narrow = [k + 1 for k, sd in enumerate(state.sds[0]) if sd < 2.0 * unit]
    if not narrow:
        return []
    size = f"{unit * problem.sample.scale:.3g}"
    *most, last = [str(k) for k in narrow]
    which = (
        f"s of components {', '.join(most)} and {last} are" if most else f" of component {last} is"
    )
    return [
        f"Heavy rounding: the values are multiples of {size}, and the sd{which} less than two such "
        "steps; treating rounded values as exact distorts it."
    ]


def _few_rows(problem: Problem) -> list[str]:
    """Too few rows for as many parameters."""
    total, size = problem.sample.total, problem.constraints.n_free
    if total >= _ROWS_PER_PARAMETER * size:
        return []
    return [
        f"Few rows: {total:g} for {size} parameters; standard errors and intervals rest on large "
        "samples and are too small here."
    ]


def certainty(outcome: Outcome, n_steps: int, certificate: Certificate) -> str:
    """Return one line on how the ascent ended and how sure we are."""
    if outcome is Outcome.MAX_STEPS:
        gain = 0.5 * certificate.decrement
        promise = f"; about {gain:.2g} of log-likelihood is left to gain" if gain >= 0.0 else ""
        return f"Stopped after {n_steps} steps{promise}."
    if outcome is Outcome.START_LED_NOWHERE:
        known = certificate.optima[0]
        return (
            f"No maximum was reached from this start; shown is where the ascent stood after "
            f"{n_steps} step{'s' * (n_steps != 1)}. {known.hits} of {certificate.n_starts} starts "
            f"led to one with a log-likelihood of {known.loglike:.4f}."
        )
    if outcome is not Outcome.CONVERGED:
        starts = f"None of the {certificate.n_starts} starts led to an admissible maximum"
        return f"{starts}; shown is where one of them stood last."
    distance = max(float(np.sqrt(certificate.decrement)), 1e-12)
    power = int(np.ceil(np.log10(distance)))
    line = f"Converged: within 1e{power} standard errors of a maximum of the likelihood"
    if certificate.rests_on == "sketch":
        error = max(certificate.sketch_error, 1e-12)
        line += f" of the sketch, which moves estimates by less than {error:.0e} standard errors"
    if certificate.n_starts == 1:
        return line + ", the only one."
    chosen = certificate.optima[0] if certificate.optima else None
    if chosen is None or chosen.status != "chosen":
        return line + ", but not the best one known."
    line += f"; {chosen.hits} of {certificate.n_starts} starts ended here"
    others = [o for o in certificate.optima[1:] if o.status == "admissible"]
    if not others:
        return line + ", no other admissible maximum was found."
    gap = min(o.gap for o in others)
    side = "lower" if gap >= 0.0 else "higher"
    which = "the only other maximum" if len(others) == 1 else f"the best of {len(others)} others"
    return f"{line}; {which} has a log-likelihood {side} by {abs(gap):.2f}."
