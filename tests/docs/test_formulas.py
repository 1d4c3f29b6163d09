"""Every displayed formula of the derivation is read from its LaTeX and evaluated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import bactrian as bt
from tests.docs.derivation_formulas import (
    EXACT,
    Formula,
    assignments,
    definitions,
    derivative_of_loglike,
    failures,
    formulas,
    generic,
    stationary,
)
from tests.docs.latex_formulas import Parser
from tests.docs.latex_names import LatexError, split_relations, tokens_of
from tests.docs.mixture_point import DIGITS, Point

DOUBLE = 1e-12  # sums of a few rows in doubles
GRADIENTS = tuple(f for f in formulas() if derivative_of_loglike(f))


def name_of(formula: Formula) -> str:
    return f"{formula.heading}, line {formula.line}"


@pytest.mark.parametrize("formula", formulas(), ids=name_of)
def test_displayed_formula_holds(formula: Formula) -> None:
    members, relations = split_relations(tokens_of(formula.source))
    assert relations, "a displayed formula states a relation"
    with mp.workdps(DIGITS):
        wrong = next(failures(formula, members, relations), None)
    assert wrong is None, f"docs/derivation.md:{formula.line}: {formula.source}\n{wrong}"


def directions(point: Point, name: str, index: int) -> dict[str, Any]:
    """What to multiply a score with, in each coordinates, for the derivative by one variable."""
    n, (name, index) = len(point.mu), point.locate(name, index)
    k, natural, working = index - 1, np.eye(3 * n), np.eye(3 * n - 1)
    last_logit = -working[: n - 1].sum(axis=0)  # the K logit derivatives sum to zero
    return {
        r"\pi": {"natural": natural[k]},
        r"d\pi": {"natural": natural[k] - natural[n - 1]},
        r"\mu": {"natural": natural[n + k], "working": working[n - 1 + k]},
        r"\sigma^2": {"natural": natural[2 * n + k]},
        r"\sigma": {"natural": 2 * float(mp.sqrt(point.var[k])) * natural[2 * n + k]},
        r"\tau": {"working": working[2 * n - 1 + k]},
        r"\alpha": {"working": working[k] if k < n - 1 else last_logit},
    }[name]


def library_values(point: Point, operand: str, at: list[tuple[str, int]], row: int) -> list[float]:
    """The derivative by the library, in every coordinates that have these variables."""
    x = np.array(point.x, dtype=float)
    sds = [float(mp.sqrt(v)) for v in point.var]
    mixture = bt.NormalMixture(
        weights=[float(p) for p in point.pi], means=[float(u) for u in point.mu], sds=sds
    )
    along = [directions(point, name, index) for name, index in at]
    shared: set[Any] = set.intersection(*(set(d) for d in along))
    values = []
    for coordinates in sorted(shared):
        sides = [d[coordinates] for d in along]
        if operand != r"\ell" and len(at) == 1:
            scores = bt.score_obs(x, mixture, coordinates=coordinates)
            values.append(float(scores[row - 1] @ sides[0]))
            continue
        rows = x if operand == r"\ell" else x[row - 1 : row]
        if len(at) == 1:
            values.append(float(bt.score(rows, mixture, coordinates=coordinates) @ sides[0]))
        else:
            hessian = bt.hessian(rows, mixture, coordinates=coordinates)
            values.append(float(sides[0] @ hessian @ sides[1]))
    return values


@pytest.mark.parametrize("formula", GRADIENTS, ids=name_of)
def test_gradient_in_the_text_is_the_library_s(formula: Formula) -> None:
    derivative = derivative_of_loglike(formula)
    assert derivative is not None
    operand, variables = derivative
    members, _ = split_relations(tokens_of(formula.source))
    nodes = [Parser(member, definitions()).parse() for member in members[1:]]
    with mp.workdps(DIGITS):
        for point, _ in formula.points():
            for scope in assignments(members, point):
                at = [(name, index[0](point, scope)) for name, index in variables]
                found = library_values(point, operand, at, int(scope.get("i", 1)))
                assert found, "no coordinates of the library have these variables"
                for value, node in itertools.product(found, nodes):
                    stated = float(node(point, scope))
                    assert abs(stated - value) <= DOUBLE * (1 + abs(value)), (at, stated, value)


def test_every_derivative_of_the_course_is_among_the_gradients() -> None:
    variables = {
        tuple(name for name, _ in found[1])
        for found in map(derivative_of_loglike, GRADIENTS)
        if found is not None and found[0] == r"\ell"
    }
    pi, mu, var, alpha, tau = r"\pi", r"\mu", r"\sigma^2", r"\alpha", r"\tau"
    assert {(v,) for v in (pi, mu, var, alpha, tau)} <= variables
    natural = itertools.combinations_with_replacement((pi, mu, var), 2)
    working = itertools.combinations_with_replacement((alpha, mu, tau), 2)
    assert {*natural, *working} <= variables


def test_loglike_in_the_text_is_the_library_s() -> None:
    with mp.workdps(DIGITS):
        for point in (generic(2), generic(3), stationary()):
            stated = Parser(tokens_of(r"\ell"), definitions()).parse()(point, {})
            by_hand = mpf(0)
            for x in point.x:
                terms = zip(point.pi, point.mu, point.var, strict=True)
                shares = [p * mp.npdf(x, u, mp.sqrt(v)) for p, u, v in terms]
                by_hand += mp.log(mp.fsum(shares))
            assert abs(stated - by_hand) < EXACT
            mixture = bt.NormalMixture(
                weights=[float(p) for p in point.pi],
                means=[float(u) for u in point.mu],
                sds=[float(mp.sqrt(v)) for v in point.var],
            )
            value = bt.loglike(np.array(point.x, dtype=float), mixture)
            assert abs(float(stated) - value) < DOUBLE * (1 + abs(value))


CONFUSED = {"+": "-", "-": "+", r"\mu": r"\sigma", r"\sigma": r"\mu", "u": "q", "q": "u"}


# Changes that leave a formula true, and why.
EQUALLY_TRUE = {
    # The responsibilities of the first row sum to one, as do those of every row.
    ("Responsibilities", "1 for i: r _ { 1 k }"),
    ("Stationarity equations", "1 for i: r _ { 1 k }"),
    # The bound is exact for each component by itself, so that any weights will do.
    ("EM, gradient ascent and Newton", "1 for i: r _ { 1 k }"),
    # These derivatives of log weights and of quadratics are the same for every row.
    ("Responsibilities", "1 for i: ( x _ 1 ) }"),
    ("Hessian in natural coordinates", "1 for i: ( x _ 1 ) }"),
    # The bracket is zero when weights sum to one; the formula after this one needs its sign.
    ("The constraint by a Lagrange multiplier", r"+ for -: \ell + \lambda ("),
    # A step along a gradient that is zero.
    ("EM, gradient ascent and Newton", r"- for +: \eta _ a - t \frac"),
    ("EM, gradient ascent and Newton", r"1 for a: \partial \eta _ 1 }"),
    ("EM, gradient ascent and Newton", r"- for +: \mu _ k - t h"),
    ("EM, gradient ascent and Newton", r"3 for 2: t h ^ 3 \frac {"),
    ("EM, gradient ascent and Newton", r"\sigma for \mu: } { \partial \sigma _ k"),
    ("EM, gradient ascent and Newton", r"1 for k: \partial \mu _ 1 }"),
}


def typing_errors(members: list[list[str]]) -> Iterator[tuple[int, list[str], str]]:
    """Every member with one token wrong: a sign, a number, an index, a letter, a factor."""
    for n, member in enumerate(members[1:], start=1):
        inside = 0  # braces of a subscript that are open
        for at, token in enumerate(member):
            before, after = member[at - 1 : at], member[at + 1 : at + 2]
            inside += (token == "{" and (before == ["_"] or inside > 0)) - (
                token == "}" and inside > 0
            )
            subscript = inside > 0 or before == ["_"]
            wrong = CONFUSED.get(token)
            if token.isdigit():
                wrong = str(int(token) + 1)
            elif subscript and token.isalpha() and after not in (["="], [r"\ne"]):
                wrong = "1"
            if wrong is not None:
                changed = [*member[:at], wrong, *member[at + 1 :]]
                around = " ".join(changed[max(at - 3, 0) : at + 3])
                yield n, changed, f"{wrong} for {token}: {around}"
        if (half := " ".join(member).find(r"\frac { 1 } { 2 }")) >= 0:
            start = " ".join(member)[:half].split()
            yield n, [*start, *member[len(start) + 7 :]], f"member {n + 1}: no factor one half"
        if members[-1] != ["0"]:
            yield n, ["-", "(", *member, ")"], f"member {n + 1}: the sign of the whole"


def is_caught(formula: Formula, members: list[list[str]], relations: list[str]) -> bool:
    """Whether a wrong chain is refused: unreadable, not computable, or not true."""
    try:
        return any(True for _ in failures(formula, members, relations))
    except (LatexError, LookupError, ValueError, TypeError, ZeroDivisionError):
        return True


EQUALITIES = tuple(
    f for f in formulas() if not {r"\ge", r"\le"} & set(split_relations(tokens_of(f.source))[1])
)


@pytest.mark.parametrize("formula", EQUALITIES, ids=name_of)
def test_a_typing_error_in_a_formula_is_caught(formula: Formula) -> None:
    members, relations = split_relations(tokens_of(formula.source))
    missed, tried = [], 0
    with mp.workdps(DIGITS):
        for n, wrong, note in typing_errors(members):
            tried += 1
            changed = [*members[:n], wrong, *members[n + 1 :]]
            if (formula.heading, note) in EQUALLY_TRUE:
                continue
            if not is_caught(formula, changed, relations):
                missed.append(note)
    assert tried >= 1
    assert not missed, f"{formula.source}: {missed}"
