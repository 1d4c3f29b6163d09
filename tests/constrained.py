"""A catalogue of constrained fits: rows, number of components, options, free parameters."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import bactrian as bt
from bactrian.data.sample import Sample
from bactrian.fitting.constraints import constraints_of
from bactrian.model.constraints import Constraints
from bactrian.solve.problem import Problem
from bactrian.solve.search import problem_of
from tests.problems import draw


class Case(NamedTuple):
    """Rows of ``tests.problems``, K, the options of ``fit``, and what is left to estimate."""

    rows: str
    n_components: int
    options: dict[str, Any]
    n_free: int
    is_active: bool = False  # whether the maximum is at a bound

    @property
    def constraints(self) -> Constraints:
        """The set of mixtures."""
        return constraints_of(self.n_components, **self.options)


# The free maxima: overlapping 0.77, 0.23 / 0.77, 3.75 / 1.40, 0.86; apart 0.43, 0.57.
CASES = {
    "mean 1": Case("overlapping", 2, {"fixed": {"means": [0.0, None]}}, 4),
    "mean 2": Case("overlapping", 2, {"fixed": {"means": [None, 0.2]}}, 4),
    "both means": Case("rare", 2, {"fixed": {"means": [0.0, 4.8]}}, 3),
    "sd 1": Case("apart", 2, {"fixed": {"sds": [1.2, None]}}, 4),
    "sd 2": Case("apart", 2, {"fixed": {"sds": [None, 1.2]}}, 4),
    "both sds": Case("apart", 2, {"fixed": {"sds": [1.0, 1.1]}}, 3),
    "weight 1": Case("overlapping", 2, {"fixed": {"weights": [0.3, None]}}, 4),
    "weight 2": Case("overlapping", 2, {"fixed": {"weights": [None, 0.3]}}, 4),
    "equal weights": Case("overlapping", 2, {"equal_weights": True}, 4),
    "ratios": Case("overlapping", 2, {"sd_ratios": [1.0, 2.0]}, 4),
    "ratios the other way": Case("overlapping", 2, {"sd_ratios": [3.0, 1.5]}, 4),
    "ratios and an sd": Case(
        "overlapping", 2, {"sd_ratios": [1.0, 2.0], "fixed": {"sds": [None, 1.8]}}, 3
    ),
    "equal variances and a mean": Case(
        "overlapping", 2, {"equal_variances": True, "fixed": {"means": [None, 3.5]}}, 3
    ),
    "equal variances and weights": Case(
        "overlapping", 2, {"equal_variances": True, "equal_weights": True}, 3
    ),
    "wide bounds": Case(
        "overlapping",
        2,
        {"bounds": {"sds": [(0.3, 5.0), None], "means": [(-5.0, None), None]}},
        5,
    ),
    "least sd": Case("overlapping", 2, {"bounds": {"sds": [(1.3, None)] * 2}}, 5, True),
    "bounded mean": Case("overlapping", 2, {"bounds": {"means": [(1.0, 2.0), None]}}, 5, True),
    "bounded weight": Case(
        "overlapping", 2, {"bounds": {"weights": [(0.35, 0.65), None]}}, 5, True
    ),
    "both weights bounded": Case(
        "apart", 2, {"bounds": {"weights": [(0.1, 0.55), (0.05, 0.55)]}}, 5, True
    ),
    "two bounds": Case(
        "overlapping",
        2,
        {"bounds": {"means": [(None, 0.5), None], "sds": [None, (1.0, None)]}},
        5,
        True,
    ),
    "ratios within bounds": Case(
        "overlapping",
        2,
        {"sd_ratios": [2.0, 1.0], "bounds": {"sds": [(None, 1.3), (None, 5.0)]}},
        4,
        True,
    ),
    "all kinds": Case(
        "apart",
        2,
        {
            "fixed": {"weights": [0.4, None], "means": [None, 6.0]},
            "bounds": {"sds": [None, (None, 0.9)]},
        },
        3,
        True,
    ),
    "one mean": Case("apart", 1, {"fixed": {"means": [3.0]}}, 1),
    "one sd": Case("apart", 1, {"fixed": {"sds": [2.5]}}, 1),
    "one bounded mean": Case("apart", 1, {"bounds": {"means": [(4.0, None)]}}, 2, True),
    "three, weight 1": Case("three", 3, {"fixed": {"weights": [0.25, None, None]}}, 7),
    "three, weight 2": Case("three", 3, {"fixed": {"weights": [None, 0.25, None]}}, 7),
    "three, weight 3": Case("three", 3, {"fixed": {"weights": [None, None, 0.25]}}, 7),
    "three, two weights": Case("three", 3, {"fixed": {"weights": [0.25, None, 0.3]}}, 6),
    "three, equal weights": Case("three", 3, {"equal_weights": True}, 6),
    "three, ratios": Case("three", 3, {"sd_ratios": [2.0, 1.0, 3.0]}, 6),
    "three, all kinds": Case(
        "three",
        3,
        {
            "fixed": {"weights": [None, 0.35, None], "means": [None, 0.0, None]},
            "bounds": {"sds": [(None, 0.8), None, None]},
        },
        6,
        True,
    ),
}


@cache
def constrained_fit(name: str) -> bt.Fit:
    """The fit of a case, made once."""
    case = CASES[name]
    return bt.fit(draw(case.rows), case.n_components, **case.options)


def constrained_problem(name: str) -> Problem:
    """The likelihood of a case."""
    case = CASES[name]
    return problem_of(Sample.of(draw(case.rows)), case.constraints)
