"""All that a fit holds as plain values for strict JSON, and back, every number to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.fitting.options import Asked, Options
from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture
from bactrian.solve.certificate import Certificate, Optimum
from bactrian.solve.outcome import Outcome
from bactrian.solve.problem import Problem
from bactrian.solve.solver import METHODS, Solution, Step
from bactrian.solve.state import State

Array = NDArray[np.float64]
Plain = Mapping[str, Any]
T = TypeVar("T")

_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
# What is known of the point where the ascent ended, in the order in which a State packs it.
_STATE = (
    "free", "weights", "means", "sds", "loglike", "counts", "spreads", "score", "hessian",
    "whitener", "eigenvalues", "eigenvectors", "slopes", "decrement",
)  # fmt: skip


def exact_values(solution: Solution, options: Options) -> dict[str, Any]:
    """Return the options, the sample and the solution as nested dicts and lists.

    Numbers are shortest decimals that give the doubles back; those unknown to JSON are texts.
    """
    return {
        "options": {
            "method": options.method,
            "max_steps": options.max_steps,
            "start": _optional(options.start, _of_mixture),
            "is_local": options.is_local,
            "constraints": _of_constraints(options.constraints),
            "asked": asdict(options.asked),
        },
        "sample": _of_sample(solution.problem.sample),
        "floor": _number(solution.problem.floor),
        "solution": _of_solution(solution),
    }


def from_exact_values(values: Plain) -> tuple[Solution, Options]:
    """Return the solution and the options that these values are of; fields unknown are ignored.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, IndexError
        If something is missing, or is not what it must be.
    """
    asked = values["options"]
    _require(asked["method"] in METHODS, "there is no such method")
    options = Options(
        _to_constraints(asked["constraints"]),
        asked["method"],
        _optional(asked["max_steps"], whole),
        _optional(asked.get("start"), _to_mixture),
        asked.get("is_local") is True,
        Asked.of(asked.get("asked", {})),
    )
    sample = _to_sample(values["sample"])
    local = options.constraints.localised(sample.origin, sample.scale)
    problem = Problem(sample, local, _to_number(values["floor"]))
    return _to_solution(values["solution"], problem), options


def _of_constraints(held: Constraints) -> dict[str, Any]:
    """The bounds of every parameter, and the ratios of the sds."""
    return {
        **{name: _list(getattr(held, name)) for name in ("weights", "means", "sds")},
        "sd_ratios": _optional(held.sd_ratios, _list),
    }


def _to_constraints(values: Plain) -> Constraints:
    """The set of mixtures with these bounds."""
    boxes = [_array(values[name], 2) for name in ("weights", "means", "sds")]
    ratios = _optional(values["sd_ratios"], _array)
    k = len(boxes[0])
    _require(k > 0 and all(box.shape == (k, 2) for box in boxes), "bounds are not pairs")
    _require(ratios is None or ratios.size == k, "ratios are not one for each component")
    return Constraints(boxes[0], boxes[1], boxes[2], ratios)


def _of_sample(sample: Sample) -> dict[str, Any]:
    """The weighted values, in local coordinates."""
    return {
        **{name: _number(getattr(sample, name)) for name in ("origin", "scale", "width")},
        "local": _list(sample.local),
        "weights": _list(sample.weights),
        "edges": _optional(sample.edges, _list),
        "squared": _optional(sample.squared, _of_sample),
    }


def _to_sample(values: Plain) -> Sample:
    """The sample of these values."""
    origin, scale, width = (_to_number(values[name]) for name in ("origin", "scale", "width"))
    local, weights = _array(values["local"]), _array(values["weights"])
    _require(local.size == weights.size > 0, "values and weights do not go together")
    # Distinct values may be one in local coordinates, when they are measured from the origin.
    _require(bool((np.diff(local) >= 0.0).all()), "values do not ascend")
    _require(bool((weights > 0.0).all()) and 0.0 < scale < math.inf, "a weight is not positive")
    squared = _optional(values["squared"], _to_sample)
    edges = _optional(values["edges"], _array)
    return Sample(origin, scale, local, weights, width, squared, edges)


def _of_solution(solution: Solution) -> dict[str, Any]:
    """Where the ascent ended, its path and its certificate."""
    found = solution.certificate
    return {
        "mixture": _of_mixture(solution.mixture),
        "loglike": _number(solution.loglike),
        "outcome": solution.outcome.value,
        "n_steps": solution.n_steps,
        "trace": [
            {
                "mixture": _of_mixture(step.mixture),
                "loglike": _number(step.loglike),
                "decrement": _number(step.decrement),
                "kind": step.kind,
            }
            for step in solution.trace
        ],
        "collapses": _list(solution.collapses),
        "state": {name: _list(getattr(solution.state, name)[0]) for name in _STATE},
        "certificate": {
            **{name: _number(getattr(found, name)) for name in _SURE},
            "eigenvalues": _list(found.eigenvalues),
            "n_starts": found.n_starts,
            "rests_on": found.rests_on,
            "warnings": list(found.warnings),
            "optima": [_of_optimum(optimum) for optimum in found.optima],
        },
    }


_SURE = ("decrement", "max_score", "n_lambda_min", "sketch_error")


def _to_solution(values: Plain, problem: Problem) -> Solution:
    """The solution of a problem."""
    state, sure = _to_state(values["state"], problem), values["certificate"]
    numbers = {name: _to_number(sure[name]) for name in _SURE}
    certificate = Certificate(
        **numbers,
        eigenvalues=_array(sure["eigenvalues"]),
        optima=tuple(_to_optimum(optimum) for optimum in sure["optima"]),
        n_starts=whole(sure["n_starts"]),
        warnings=tuple(_text(warning) for warning in sure["warnings"]),
        sample=problem.sample,
        state=state,
        rests_on=_text(sure["rests_on"]),
    )
    mixture = _to_mixture(values["mixture"])
    _require(mixture.n_components == problem.n_components, "components are missing")
    return Solution(
        mixture,
        _to_number(values["loglike"]),
        Outcome(values["outcome"]),
        whole(values["n_steps"]),
        tuple(_to_step(step) for step in values["trace"]),
        certificate,
        problem,
        state,
        _array(values["collapses"]),
    )


def _to_state(values: Plain, problem: Problem) -> State:
    """The point where the ascent ended."""
    k, p = problem.n_components, problem.constraints.n_free
    shapes = {
        **dict.fromkeys(("weights", "means", "sds", "counts"), (k,)),
        **dict.fromkeys(("free", "score", "eigenvalues", "slopes"), (p,)),
        **dict.fromkeys(("hessian", "whitener", "eigenvectors"), (p, p)),
        **dict.fromkeys(("loglike", "decrement"), ()),
        "spreads": (2, k),
    }  # fmt: skip
    arrays = {name: _array(values[name], len(shapes[name])) for name in _STATE}
    _require({n: a.shape for n, a in arrays.items()} == shapes, "the state has another shape")
    return State.of(**{name: array[None] for name, array in arrays.items()})


def _to_step(values: Plain) -> Step:
    """One point of the path."""
    mixture, kind = _to_mixture(values["mixture"]), _text(values.get("kind", "unknown"))
    return Step(mixture, _to_number(values["loglike"]), _to_number(values["decrement"]), kind)


def _of_optimum(optimum: Optimum) -> dict[str, Any]:
    """One maximum."""
    return {
        "mixture": _of_mixture(optimum.mixture),
        **{name: _number(getattr(optimum, name)) for name in ("loglike", "criterion", "gap")},
        "counts": _list(optimum.counts),
        "hits": int(optimum.hits),
        "status": optimum.status,
    }


def _to_optimum(values: Plain) -> Optimum:
    """One maximum."""
    loglike, criterion, gap = (_to_number(values[name]) for name in ("loglike", "criterion", "gap"))
    return Optimum(
        _to_mixture(values["mixture"]), loglike, criterion, gap,
        _array(values["counts"]), whole(values["hits"]), _text(values["status"]),
    )  # fmt: skip


def _of_mixture(mixture: NormalMixture) -> dict[str, Any]:
    """The parameters."""
    return {name: _list(getattr(mixture, name)) for name in ("weights", "means", "sds")}


def _to_mixture(values: Plain) -> NormalMixture:
    """The mixture of these parameters."""
    return NormalMixture(*(_array(values[name]) for name in ("weights", "means", "sds")))


def _number(value: float) -> float | str:
    """A double, or the word for one that JSON cannot say."""
    number = float(value)
    return number if math.isfinite(number) else repr(number)


def _list(array: Array) -> Any:
    """An array as nested lists of such numbers."""
    plain = array.tolist()
    return plain if np.isfinite(array).all() else _worded(plain)


def _worded(values: Any) -> Any:
    """Nested lists with words for what JSON cannot say."""
    return [_worded(v) for v in values] if isinstance(values, list) else _number(values)


def _to_number(value: Any) -> float:
    """The double of a number or a word."""
    if isinstance(value, str):
        return _WORDS[value]
    _require(isinstance(value, float | int) and not isinstance(value, bool), "a number is none")
    return float(value)


def _array(values: Any, n_axes: int = 1) -> Array:
    """An array of doubles with so many axes."""
    array = np.array(_numbers(values), dtype=np.float64)
    _require(array.ndim == n_axes, "a list has another depth")
    return array


def _numbers(values: Any) -> Any:
    """Nested lists of doubles."""
    return [_numbers(v) for v in values] if isinstance(values, list) else _to_number(values)


def _optional(value: T | None, function: Callable[[T], Any]) -> Any:
    """What a function makes of a value that may be absent."""
    return None if value is None else function(value)


def whole(value: Any) -> int:
    """Return a whole number that is not negative.

    Raises
    ------
    ValueError
        If it is none.
    """
    number = _to_number(value)
    _require(number >= 0.0 and number == math.floor(number), "a count is not a whole number")
    return int(value)


def _text(value: Any) -> str:
    """A piece of text."""
    _require(isinstance(value, str), "a text is none")
    return str(value)


def _require(condition: bool, fault: str) -> None:
    """Refuse what no fit has written."""
    if not condition:
        raise ValueError(fault)
