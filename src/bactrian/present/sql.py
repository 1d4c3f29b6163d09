"""A mixture as SQL expressions: its posterior, its most probable component, its log-density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from bactrian.errors import ParameterError
from bactrian.model.mixture import NormalMixture
from bactrian.model.odds import Odds, odds_between, range_of
from bactrian.model.posterior import HALF_LOG_2PI

Dialect = Literal["duckdb", "postgresql", "sqlite", "spark"]
DIALECTS = get_args(Dialect)

_MOST = "700e0"  # beyond, some databases refuse an exponential
_BETWEEN = 0.3819660112501051  # not the middle, where components may touch


@dataclass(frozen=True, slots=True)
class _Words:
    """What databases call the same thing."""

    quote: str
    double: str
    infinity: str
    least: str = "LEAST"
    greatest: str = "GREATEST"
    least_mean: float = 0.0  # in sds


_WORDS = {
    "duckdb": _Words('"', "{}", "CAST('Infinity' AS DOUBLE)"),
    # Elsewhere a literal with an exponent is a double, and so is what it is subtracted from.
    "postgresql": _Words(
        '"',
        "CAST({} AS DOUBLE PRECISION)",
        "CAST('Infinity' AS DOUBLE PRECISION)",
        least_mean=1e-140,
    ),
    # In double quotes the name of a column that is not there would be a text.
    "sqlite": _Words("`", "{}", "9e999", "MIN", "MAX"),
    "spark": _Words("`", "{}", "CAST('Infinity' AS DOUBLE)"),
}


@dataclass(frozen=True, slots=True)
class Expressions:
    """The expressions for one column in one dialect.

    Attributes
    ----------
    x : str
        The column as a double.
    words : _Words
        The words of the dialect.
    """

    x: str
    words: _Words

    @classmethod
    def of(cls, column: str | Sequence[str], dialect: str) -> Expressions:
        """Return the expressions for a column, or for one of a table: ``("t", "x")``.

        Raises
        ------
        ParameterError
            If the dialect is unknown, or no database has such a name.
        """
        if dialect not in DIALECTS:
            raise ParameterError(
                f"dialect={dialect!r} is unknown; choose one of {', '.join(map(repr, DIALECTS))}."
            )
        words = _WORDS[dialect]
        name = _identifier(column, words.quote)
        return cls(words.double.replace("{}", name), words)

    def posterior(self, mixture: NormalMixture, component: int) -> str:
        """Return the probability of a component, counted from 0, given the column.

        NULL stays NULL, NaN stays NaN.
        """
        ends = mixture.responsibilities([-math.inf, math.inf])[:, component].tolist()
        others = self._exponentials(mixture, component)
        if mixture.weights[component] == 0.0 or not others:
            return self._case([(self.words.infinity, literal(ends[0]))], self.x)
        low, high = range_of(mixture)
        share = f"1e0 / (1e0 + {' + '.join(others)})"
        return self._case(
            [(literal(high), share), (self.words.infinity, literal(ends[1]))],
            self.x,
            (literal(low), literal(ends[0])),
        )

    def component(self, mixture: NormalMixture) -> str:
        """Return the most probable component given the column, counted from 1; NaN gives NULL."""
        points, winners = _partition(mixture)
        ends = [*map(literal, points), self.words.infinity]
        pairs = zip(ends, (str(winner + 1) for winner in winners), strict=True)
        return self._case(list(pairs), "NULL")

    def side(self, cut: float, lower: int, upper: int) -> str:
        """Return which component, counted from 0, a cut calls; printed from 1; NaN gives NULL."""
        pairs = [(literal(cut), str(lower + 1)), (self.words.infinity, str(upper + 1))]
        return self._case(pairs, "NULL")

    def logpdf(self, mixture: NormalMixture) -> str:
        """Return the natural logarithm of the density at the column; NULL and NaN stay."""
        low, high = range_of(mixture)
        points, winners = _partition(mixture)
        inside = [x for x in points if low < x < high]
        winners = winners[: len(inside) + 1] if len(inside) == len(points) else [winners[-1]]
        ends = [*map(literal, inside), literal(high)]
        pairs = [(end, self._log_density(mixture, k)) for end, k in zip(ends, winners, strict=True)]
        nothing = f"-{self.words.infinity}"
        return self._case([*pairs, (self.words.infinity, nothing)], self.x, (literal(low), nothing))

    def _log_density(self, mixture: NormalMixture, k: int) -> str:
        """The log-density where component k is the most probable one."""
        weight, mean, sd = (float(a[k]) for a in (mixture.weights, mixture.means, mixture.sds))
        u = self._standardized(mean, sd)
        height = literal(math.log(weight) - math.log(sd) - HALF_LOG_2PI)
        others = self._exponentials(mixture, k)
        rest = f" + LN(1e0 + {' + '.join(others)})" if others else ""
        return f"{height} - 0.5e0 * {u} * {u}{rest}"

    def _exponentials(self, mixture: NormalMixture, k: int) -> list[str]:
        """The odds of every other component against k, those of weight zero left out."""
        return [
            f"EXP({self._clamped(self._log_odds(odds_between(mixture, j, k)))})"
            for j in range(mixture.n_components)
            if j != k and mixture.weights[j] > 0.0
        ]

    def _clamped(self, expression: str) -> str:
        """The expression where its exponential neither over- nor underflows."""
        words = self.words
        return f"{words.greatest}({words.least}({expression}, {_MOST}), -{_MOST})"

    def _log_odds(self, odds: Odds) -> str:
        """Log-odds as a line in x where the sds are equal, else as a product of two lines."""
        slope = odds.b * odds.c / odds.sd
        if odds.a == 0.0 and math.isfinite(slope):
            constant = literal(odds.level + odds.b * odds.d)
            return f"{constant}{_plus(slope)} * {self._distance(odds.mean, odds.sd)}"
        u = self._standardized(odds.mean, odds.sd)
        lines = (f"({literal(p)} * {u}{_plus(q)})" for p, q in (odds[3:5], odds[5:7]))
        return f"{literal(odds.level)} + {' * '.join(lines)}"

    def _standardized(self, mean: float, sd: float) -> str:
        """The distance of the column from a mean in sds."""
        return f"({self._distance(mean, sd)} / {literal(sd)})"

    def _distance(self, mean: float, sd: float) -> str:
        """The distance of the column from a mean.

        A mean of zero is moved where a database refuses products that underflow, as those of
        values next to it would.
        """
        least = self.words.least_mean * sd
        return f"({self.x}{_plus(-(least if abs(mean) < least else mean))})"

    def _case(
        self, upto: list[tuple[str, str]], otherwise: str, below: tuple[str, str] | None = None
    ) -> str:
        """What holds below a point, up to each of the next, and otherwise: for NULL and NaN."""
        lines = [] if below is None else [f"  WHEN {self.x} < {below[0]} THEN {below[1]}"]
        lines += [f"  WHEN {self.x} <= {end} THEN {value}" for end, value in upto]
        return "\n".join(["CASE", *lines, f"  ELSE {otherwise}", "END"])


def literal(number: float) -> str:
    """Return a double as SQL writes one: with an exponent, or it would be a decimal."""
    shown = repr(float(number) + 0.0)
    return shown if "e" in shown else f"{shown}e0"


def _plus(number: float) -> str:
    """A number that is added."""
    return f" - {literal(-number)}" if number < 0.0 else f" + {literal(number)}"


def _identifier(column: str | Sequence[str], quote: str) -> str:
    """The quoted name of a column, with its table before it if that is named."""
    parts: tuple[Any, ...] = tuple(column) if isinstance(column, list | tuple) else (column,)
    for part in parts or ("",):
        if not isinstance(part, str) or not part or "\0" in part:
            raise ParameterError(
                f"{part!r} is not the name of a column: give a text of at least one character, or "
                'with a table ("table", "column").'
            )
    return ".".join(f"{quote}{part.replace(quote, 2 * quote)}{quote}" for part in parts)


def _partition(mixture: NormalMixture) -> tuple[list[float], list[int]]:
    """The points where the most probable component changes, and the one before and after each."""
    points = mixture.crossings().tolist()
    inside = [_BETWEEN * low + (1.0 - _BETWEEN) * high for low, high in pairwise(points)]
    between = [-math.inf, *inside, math.inf][: len(points) + 1]
    winners = mixture.responsibilities(between).argmax(axis=1).tolist()
    return points, winners
