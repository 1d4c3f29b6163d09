"""Reads the LaTeX of the derivation and evaluates it, at a point, in many digits.

A formula becomes a function of a :class:`~tests.docs.mixture_point.Point`. A derivative written in
the text becomes a central difference of what it is applied to, so that the text is compared with
the function it speaks of and not with another formula for the same derivative.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from mpmath import mp, mpf

from tests.docs.latex_names import Definition, Definitions, LatexError, Node, Scope
from tests.docs.mixture_point import Point

Index: TypeAlias = Callable[[Point, Scope], int]
Variables: TypeAlias = list[tuple[str, list[Index]]]

_FUNCTIONS = {
    r"\log": mp.log, r"\exp": mp.exp, r"\max": max, r"\cos": mp.cos, r"\arccos": mp.acos,
}  # fmt: skip
_ACCENTS = (r"\mathcal", r"\bar")
_TERM_ENDS = {"+", "-", ")", "]", "}", ",", r"\mid", r"\rvert"}


class Parser:
    """Recursive descent over the tokens of one member of a formula."""

    def __init__(self, tokens: list[str], definitions: Definitions) -> None:
        self.tokens, self.at, self.definitions = tokens, 0, definitions

    def parse(self) -> Node:
        """Return the whole member as a function of the point and of the bound names."""
        node = self.expression()
        if self.peek() is not None:
            raise LatexError(f"not understood: {' '.join(self.tokens[self.at :])}")
        return node

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if token is None or expected not in (None, token):
            raise LatexError(f"expected {expected}, found {token} in {' '.join(self.tokens)}")
        self.at += 1
        return token

    def group(self) -> list[str]:
        """Return the tokens of a braced group, or the single token that stands for one."""
        if self.peek() != "{":
            return [self.take()]
        self.take()
        start, depth = self.at, 1
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
        return self.tokens[start : self.at - 1]

    def inner(self, tokens: list[str]) -> Parser:
        return Parser(tokens, self.definitions)

    def expression(self) -> Node:
        """A sum of terms, each with its sign."""
        terms = [self.term()] if self.peek() not in ("+", "-") else []
        while (sign := self.peek()) in ("+", "-"):
            self.take()
            term = self.term()
            terms.append(term if sign == "+" else _negated(term))
        return terms[0] if len(terms) == 1 else lambda p, s: mp.fsum(t(p, s) for t in terms)

    def term(self) -> Node:
        """A product of factors that stand side by side; the body of a sum is such a product."""
        factors = [self.factor()]
        while (token := self.peek()) is not None and token not in _TERM_ENDS:
            if token == "/":
                raise LatexError("write a fraction with \\frac")
            factors.append(self.factor())
        return factors[0] if len(factors) == 1 else lambda p, s: prod(f(p, s) for f in factors)

    def factor(self) -> Node:
        """A base and its exponent."""
        base = self.base()
        if self.peek() != "^":
            return base
        self.take()
        exponent = self.inner(self.group()).parse()
        return lambda p, s: base(p, s) ** exponent(p, s)

    def base(self) -> Node:
        token = self.take()
        if token in ("(", "[", "{", r"\lvert"):
            node = self.expression()
            self.take({"(": ")", "[": "]", "{": "}", r"\lvert": r"\rvert"}[token])
            return node if token != r"\lvert" else lambda p, s: abs(node(p, s))
        if token.isdigit():
            return self.number(mpf(token))
        if token == r"\frac":
            return self.fraction()
        if token in (r"\sum", r"\prod"):
            return self.repeated(mp.fsum if token == r"\sum" else prod)
        if token == r"\sqrt":
            radicand = self.inner(self.group()).parse()
            return lambda p, s: mp.sqrt(radicand(p, s))
        if token in _FUNCTIONS:
            function = _FUNCTIONS[token]
            args = self.arguments() if token == r"\max" else [self.factor()]
            return lambda p, s: function(*(a(p, s) for a in args))
        self.at -= 1
        return self.named()

    def number(self, value: mpf) -> Node:
        """A number; with a condition as its subscript it counts only where that holds."""
        if self.peek() != "_":
            return lambda p, s: value
        self.take()
        left, right = self.condition(self.group(), "=")
        return lambda p, s: value if left(p, s) == right(p, s) else mpf(0)

    def condition(self, tokens: list[str], sign: str) -> tuple[Index, Index]:
        if len(tokens) != 3 or tokens[1] != sign:
            raise LatexError(f"not a condition: {' '.join(tokens)}")
        return _index(tokens[0]), _index(tokens[2])

    def repeated(self, combine: Callable[..., mpf]) -> Node:
        r"""A sum or product, over ``_{i=1}^{m}`` or over ``_{j \ne k}``."""
        self.take("_")
        limits = self.group()
        letter, last = limits[0], None
        if r"\ne" in limits:
            _, excluded = self.condition(limits, r"\ne")
        else:
            _, first = self.condition(limits, "=")
            self.take("^")
            last = self.inner(self.group()).parse()
        body = self.term()

        def node(point: Point, scope: Scope) -> mpf:
            if last is None:
                skip = excluded(point, scope)
                values = [n for n in point.indices(letter) if n != skip]
            else:
                values = list(range(first(point, scope), int(last(point, scope)) + 1))
            return combine([body(point, {**scope, letter: mpf(n)}) for n in values])

        return node

    def fraction(self) -> Node:
        top, bottom = self.group(), self.group()
        if bottom[0] not in (r"\partial", "d"):
            over, under = self.inner(top).parse(), self.inner(bottom).parse()
            return lambda p, s: over(p, s) / under(p, s)
        operand, variables = self.derivative(top, bottom)
        function = self.inner(operand).parse() if operand else self.term()

        def node(point: Point, scope: Scope) -> Any:
            moves = [(name, [index(point, scope) for index in at]) for name, at in variables]
            if not operand:
                return _slope(function, moves, point, scope)
            bound = tuple((name, scope[name]) for name in operand if name in scope)
            key = (" ".join(operand), bound, tuple((name, *at) for name, at in moves))
            return point.remember(key, lambda: _slope(function, moves, point, scope))

        return node

    def derivative(self, top: list[str], bottom: list[str]) -> tuple[list[str], Variables]:
        r"""Return what ``\frac{\partial ...}{\partial ...}`` is applied to, and its variables."""
        operand = top[3:] if top[1:2] == ["^"] else top[1:]
        reader, variables = self.inner(bottom), []
        while reader.peek() is not None:
            sign = reader.take(bottom[0])
            if bracket := reader.peek() == "(":
                reader.take()
            name, indices = reader.name(), reader.subscript()
            if name == r"\sigma" and reader.peek() == "^":
                name += reader.take() + reader.take("2")
            if bracket:
                reader.take(")")
            twice = reader.peek() == "^"
            if twice:
                reader.take(), reader.take("2")
            variables += [("d" * (sign == "d") + name, indices)] * (1 + twice)
        if len(variables) != (int(top[2]) if top[1:2] == ["^"] else 1):
            raise LatexError(f"order and variables differ: {' '.join(bottom)}")
        return operand, variables

    def name(self) -> str:
        token = self.take()
        return f"{token} {''.join(self.group())}" if token in _ACCENTS else token

    def subscript(self) -> list[Index]:
        if self.peek() != "_":
            return []
        self.take()
        tokens = self.group()
        if tokens[1:2] in (["+"], ["-"]):
            first, sign, second = (
                _index(tokens[0]),
                1 if tokens[1] == "+" else -1,
                _index(tokens[2]),
            )
            return [lambda p, s: first(p, s) + sign * second(p, s)]
        return [_index(token) for token in tokens]

    def arguments(self) -> list[Node]:
        """The arguments in a bracket, between commas or a conditioning bar."""
        self.take("(")
        args = [self.expression()]
        while self.peek() in (",", r"\mid"):
            self.take()
            args.append(self.expression())
        self.take(")")
        return args

    def named(self) -> Node:
        """A parameter, a datum, or a name that the text has defined."""
        name, indices = self.name(), self.subscript()
        definitions = self.definitions
        if definitions.has(name, len(indices)):
            args = self.arguments() if definitions.takes_arguments(name) else []
            return lambda p, s: definitions.value(
                name, [i(p, s) for i in indices], [a(p, s) for a in args], p
            )

        def node(point: Point, scope: Scope) -> mpf:
            if not indices and name in scope:
                return scope[name]
            return point.value(name, [i(point, scope) for i in indices])

        return node


def define(left: list[str], right: list[str], definitions: Definitions) -> None:
    """Let the name on the left of ``:=`` stand for what is on its right."""
    reader = Parser(left, definitions)
    name = reader.name()
    rest = left[reader.at :]
    indices: tuple[str, ...] = ()
    if rest[:1] == ["_"]:
        reader.take()
        indices = tuple(reader.group())
        rest = left[reader.at :]
    arguments = re.split(r",|\\mid", "".join(rest[1:-1])) if rest else []
    body = Parser(right, definitions).parse()
    definitions.known[name] = Definition(indices, tuple(arguments), body)


def _index(token: str) -> Index:
    """Return a reader of an index: a digit, the last component K, or a bound letter."""
    if token.isdigit():
        return lambda point, scope: int(token)
    if token == "K":
        return lambda point, scope: len(point.mu)

    def read(point: Point, scope: Scope) -> int:
        if token not in scope:
            raise LatexError(f"the index {token} is not bound")
        return int(scope[token])

    return read


def _negated(node: Node) -> Node:
    """Return minus a term."""
    return lambda p, s: -node(p, s)


def _slope(function: Node, variables: list[tuple[str, list[int]]], p: Point, s: Scope) -> mpf:
    """Return a derivative as a central difference, one variable after the other."""
    if not variables:
        return function(p, s)
    (name, at), *rest = variables
    ahead, behind = p.moved(name, at, +1), p.moved(name, at, -1)
    return (_slope(function, rest, ahead, s) - _slope(function, rest, behind, s)) / (2 * p.step)
