"""The displayed formulas of the derivation, and the points at which each is to hold."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mpmath import mp, mpf

from tests.docs.derivation_text import sections
from tests.docs.latex_formulas import Parser, Variables, define
from tests.docs.latex_names import Definitions, free_indices, split_relations, tokens_of
from tests.docs.mixture_point import Point

# Generic points err by 1e-24 at most (see mixture_point).
EXACT = mpf(10) ** -20
EVERYWHERE = frozenset({"=", ":=", r"\le", r"\ge"})
AT_MAXIMA = EVERYWHERE | {r"\must", r"\leftarrow"}
ROWS = (-1.5, -0.375, 1.75, 3.25)


@cache
def generic(n_components: int) -> Point:
    """A point where nothing is stationary, with parameters that doubles hold exactly."""
    if n_components == 2:
        return Point.of(ROWS, (0.375, 0.625), (-0.875, 1.5), (0.5625, 1.890625))
    weights, means = (0.25, 0.4375, 0.3125), (-1.25, 0.5, 2.25)
    return Point.of(ROWS, weights, means, (0.5625, 2.25, 0.765625))


@cache
def stationary() -> Point:
    """A stationary point: EM, in many digits, for two groups that hardly overlap."""
    rows = [mpf(v) for v in ("-3.1", "-2.4", "-1.9", "-1.2", "1.6", "2.0", "2.9", "3.3", "4.1")]
    pi, mu, var = [mpf("0.4"), mpf("0.6")], [mpf(-2), mpf(3)], [mpf(1), mpf(1)]
    for _ in range(60):
        shares = [[pi[k] * mp.npdf(x, mu[k], mp.sqrt(var[k])) for k in range(2)] for x in rows]
        r = [[s / mp.fsum(row) for s in row] for row in shares]
        n = [mp.fsum(row[k] for row in r) for k in range(2)]
        mu = [mp.fsum(row[k] * x for row, x in zip(r, rows, strict=True)) / n[k] for k in range(2)]
        squares = [
            [row[k] * (x - mu[k]) ** 2 for row, x in zip(r, rows, strict=True)] for k in range(2)
        ]
        var = [mp.fsum(squares[k]) / n[k] for k in range(2)]
        pi = [share / len(rows) for share in n]
    return Point.of(rows, pi, mu, var)


@cache
def spike() -> Point:
    """A mixture whose first component is narrow and sits exactly on the first row."""
    return Point.of(ROWS, (0.125, 0.875), (ROWS[0], 1.25), (2.0**-20, 2.25))


@dataclass(frozen=True)
class Formula:
    """One displayed chain of relations and where it stands."""

    heading: str
    line: int
    source: str

    def points(self) -> list[tuple[Point, frozenset[str]]]:
        """Where it is to hold, and which of its relations there."""
        if self.heading == "Unboundedness":
            return [(spike(), EVERYWHERE)]
        only_two = self.heading in ("Log-odds for two components", "Binned moments", "Thresholds")
        general = [(generic(n), EVERYWHERE) for n in ((2,) if only_two else (2, 3))]
        required = re.search(r"\\overset\{!\}|\\leftarrow", self.source)
        return [*general, (stationary(), AT_MAXIMA)] if required else general


@cache
def formulas() -> tuple[Formula, ...]:
    """All displayed formulas of the page except those with an integral."""
    found = (
        Formula(section.heading, line, source)
        for section in sections().values()
        for line, source in section.displays
    )
    return tuple(f for f in found if r"\int" not in f.source)


@cache
def definitions() -> Definitions:
    """The names that the page introduces."""
    book = Definitions()
    for formula in formulas():
        members, relations = split_relations(tokens_of(formula.source))
        if relations[:1] == [":="]:
            define(members[0], members[1], book)
    return book


def holds(relation: str, left: Any, right: Any) -> bool:
    """Whether a relation holds to the digits that central differences leave."""
    margin = EXACT * (1 + max(abs(left), abs(right)))
    if relation in (r"\le", r"\ge"):
        return bool((right - left if relation == r"\le" else left - right) > -margin)
    return bool(abs(left - right) <= margin)


def assignments(members: list[list[str]], point: Point) -> Iterator[dict[str, Any]]:
    """Every choice of values for the free indices of a chain."""
    letters = free_indices(members)
    for values in itertools.product(*(point.indices(letter) for letter in letters)):
        yield dict(zip(letters, map(mpf, values), strict=True))


def failures(formula: Formula, members: list[list[str]], relations: list[str]) -> Iterator[str]:
    """Say where a chain, read from the formula or a changed one, does not hold."""
    nodes = [Parser(member, definitions()).parse() for member in members]
    for point, demanded in formula.points():
        for scope in assignments(members, point):
            values = [node(point, scope) for node in nodes]
            for n, relation in enumerate(relations):
                if relation in demanded and not holds(relation, values[n], values[n + 1]):
                    one, other = (mp.nstr(value, 15) for value in values[n : n + 2])
                    at = ", ".join(f"{k} = {int(v)}" for k, v in scope.items())
                    yield f"members {n + 1} and {n + 2} are {one} and {other} ({at})"


def derivative_of_loglike(formula: Formula) -> tuple[str, Variables] | None:
    """Return what the left side differentiates, if that is the log-likelihood or a row's."""
    members, relations = split_relations(tokens_of(formula.source))
    left = members[0]
    if left[0] != r"\frac" or set(relations) - {"=", ":="}:
        return None
    reader = Parser(left[1:], definitions())
    top, bottom = reader.group(), reader.group()
    if reader.peek() is not None or bottom[0] not in (r"\partial", "d"):
        return None
    operand, variables = reader.derivative(top, bottom)
    text = "".join(operand)
    return (text, variables) if text in (r"\ell", r"\logf(x_i)") else None
