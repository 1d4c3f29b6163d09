"""The tokens of a LaTeX formula, its chain of relations, and the names that a text defines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mpmath import mp, mpf

from tests.docs.mixture_point import INDEX_RANGES, Point

Scope: TypeAlias = Mapping[str, Any]
Node: TypeAlias = Callable[[Point, Scope], Any]

RELATIONS = ("=", ":=", r"\must", r"\leftarrow", r"\le", r"\ge")
_TOKEN = re.compile(r"\\[A-Za-z]+|\d+|[A-Za-z]|:=|\\.|[^\s\\]")
_SILENT = (r"\left", r"\right")


class LatexError(Exception):
    """The formula is outside of the part of LaTeX that is read here."""


@dataclass(frozen=True)
class Definition:
    """What a name stands for: its indices, its arguments and its body."""

    indices: tuple[str, ...]
    arguments: tuple[str, ...]
    body: Node


@dataclass
class Definitions:
    """The names that the text has introduced so far by ``:=``."""

    known: dict[str, Definition] = field(default_factory=dict)

    def has(self, name: str, n_indices: int) -> bool:
        """Say whether a name with so many indices is defined; with others it is another name."""
        return name in self.known and len(self.known[name].indices) == n_indices

    def takes_arguments(self, name: str) -> bool:
        """Say whether a bracket after this name holds arguments, not a factor."""
        return name in self.known and bool(self.known[name].arguments)

    def value(self, name: str, indices: list[int], args: list[mpf], point: Point) -> mpf:
        """Return the value of a defined name, from the memory of the point if it is there."""

        def compute() -> mpf:
            definition = self.known[name]
            if (len(indices), len(args)) != (len(definition.indices), len(definition.arguments)):
                raise LatexError(f"{name} takes other indices or arguments")
            scope = dict(zip(definition.indices, map(mpf, indices), strict=True))
            for argument, value in zip(definition.arguments, args, strict=True):
                squared = argument == r"\sigma^2"
                scope[r"\sigma" if squared else argument] = mp.sqrt(value) if squared else value
            return definition.body(point, scope)

        return point.remember((name, *indices, *args), compute)


def tokens_of(source: str) -> list[str]:
    """Return the tokens of a formula, without spacing, side conditions and the final stop."""
    tokens = _TOKEN.findall(source.replace(r"\overset{!}{=}", r"\must"))
    tokens = [token for token in tokens if token not in _SILENT]
    for stop in (r"\quad", r"\qquad"):
        if stop in tokens:
            tokens = tokens[: tokens.index(stop)]
    while tokens and tokens[-1] in (",", ".", ";"):
        tokens.pop()
    return tokens


def split_relations(tokens: list[str]) -> tuple[list[list[str]], list[str]]:
    """Return the members of a chain ``a = b = c`` and the relations between them."""
    members: list[list[str]] = [[]]
    relations, depth = [], 0
    for token in tokens:
        depth += (token in "({[") - (token in ")}]")
        if depth == 0 and token in RELATIONS:
            relations.append(token)
            members.append([])
        else:
            members[-1].append(token)
    return members, relations


def free_indices(members: list[list[str]]) -> list[str]:
    """Return the index letters for each of whose values a chain must hold."""
    free: set[str] = set()
    for text in map(" ".join, members):
        subscripts = re.findall(r"_ (?:\{ ([^{}]*) \}|(\S+))", text)
        bound = set(re.findall(r"\\(?:sum|prod) _ \{ (\w) ", text))
        letters = {token for pair in subscripts for token in " ".join(pair).split()}
        free |= letters & set(INDEX_RANGES) - bound
    return sorted(free)
