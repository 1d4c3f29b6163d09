"""Dask frames behind the few names of Narwhals that our expressions use.

Through Narwhals itself a chain of steps becomes a query whose planning takes time exponential in
the number of steps. Here the steps are lines of text that ``DataFrame.eval`` runs on the workers
in one go.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

__all__ = ["DaskFrame", "Term", "col", "is_dask", "len", "lit", "when"]


def is_dask(data: object) -> bool:
    """Whether ``data`` is a Dask frame; imports nothing."""
    package = type(data).__module__.partition(".")[0]
    # A series has partitions too, but no columns.
    parts = hasattr(data, "npartitions") and hasattr(data, "columns")
    return package in ("dask", "dask_expr") and parts


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A column as pandas' ``eval`` writes it.

    Attributes
    ----------
    text : str
        The expression.
    lines : tuple of str
        Assignments that it needs above it.
    is_constant : bool
        Whether it is a number.
    """

    text: str
    lines: tuple[str, ...] = ()
    is_constant: bool = False

    def _with(self, sign: str, other: Any) -> Term:
        """A binary operation."""
        other = _term(other)
        return Term(f"({self.text} {sign} {other.text})", self.lines + other.lines)

    def _after(self, sign: str, other: Any) -> Term:
        """A binary operation with a number on its left."""
        return _term(other)._with(sign, self)

    def _through(self, before: str, after: str) -> Term:
        """A function of the term."""
        return Term(f"{before}{self.text}{after}", self.lines)

    def named(self) -> Term:
        """The same under a name: before version 3 of pandas methods take nothing else."""
        name = f"v{hashlib.md5(self.text.encode(), usedforsecurity=False).hexdigest()}"
        return Term(name, (*self.lines, f"{name} = {self.text}"))

    def __add__(self, other: Any) -> Term:
        return self._with("+", other)

    def __sub__(self, other: Any) -> Term:
        return self._with("-", other)

    def __mul__(self, other: Any) -> Term:
        return self._with("*", other)

    def __truediv__(self, other: Any) -> Term:
        return self._with("/", other)

    def __radd__(self, other: Any) -> Term:
        return self._after("+", other)

    def __rsub__(self, other: Any) -> Term:
        return self._after("-", other)

    def __rmul__(self, other: Any) -> Term:
        return self._after("*", other)

    def __rtruediv__(self, other: Any) -> Term:
        return self._after("/", other)

    def __lt__(self, other: Any) -> Term:
        return self._with("<", other)

    def __le__(self, other: Any) -> Term:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Term:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Term:
        return self._with(">=", other)

    def __eq__(self, other: object) -> Term:  # type: ignore[override]  # as in every frame package
        return self._with("==", other)

    def __and__(self, other: Any) -> Term:
        return self._with("&", other)

    def __or__(self, other: Any) -> Term:
        return self._with("|", other)

    def __invert__(self) -> Term:
        return self._through("(~", ")")

    def abs(self) -> Term:
        """The absolute value."""
        return self._through("abs(", ")")

    def floor(self) -> Term:
        """The largest whole number not above."""
        return self._through("floor(", ")")

    def exp(self) -> Term:
        """The exponential."""
        return self._through("exp(", ")")

    def log(self, base: float = math.e) -> Term:
        """The logarithm."""
        return self._through("log(", ")") / math.log(base)

    def is_nan(self) -> Term:
        """Whether there is no number; a null is a NaN here."""
        return self._with("!=", self)

    def clip(self, low: float, high: float) -> Term:
        """The nearest value within bounds."""
        return _call(self, "clip", _column(lit(low)), _column(lit(high)))

    def sum(self) -> Sum:
        """The sum over a group."""
        return Sum(self.text, "sum", self.text)

    def min(self) -> Sum:
        """The smallest of a group."""
        return Sum(self.text, "min", self.text)

    def max(self) -> Sum:
        """The largest of a group."""
        return Sum(self.text, "max", self.text)


class Sum(NamedTuple):
    """What is taken of the rows of a group: the column, how, and its name afterwards."""

    column: str
    how: str
    name: str

    def alias(self, name: str) -> Sum:
        """The same under another name."""
        return self._replace(name=name)


def _term(value: Any) -> Term:
    """A term, also of a number."""
    return value if isinstance(value, Term) else lit(value)


def _column(constant: Term) -> Term:
    """A constant as a column."""
    return 0.0 * (col("x") == col("x")) + constant


def _call(term: Term, method: str, *arguments: Term) -> Term:
    """What a method of a column returns; a constant among its arguments is not negative."""
    first = term.named()
    others = [other if other.is_constant else other.named() for other in arguments]
    lines = itertools.chain.from_iterable(each.lines for each in (first, *others))
    names = ", ".join(other.text for other in others)
    return Term(f"{first.text}.{method}({names})", tuple(lines))


def col(name: str) -> Term:
    """A column."""
    return Term(name)


def lit(value: float) -> Term:
    """A constant."""
    return Term(repr(float(value)), is_constant=True)


def len() -> Sum:
    """The number of rows of a group."""
    return Sum("x", "size", "len")


class When(NamedTuple):
    """A condition, and perhaps what there is where it holds."""

    condition: Term
    value: Term | None = None

    def then(self, value: Term) -> When:
        """What there is where the condition holds."""
        return self._replace(value=value)

    def otherwise(self, other: Term) -> Term:
        """What there is elsewhere."""
        assert self.value is not None
        if self.value.is_constant:
            other = _column(other) if other.is_constant else other
            return _call(other, "mask", self.condition, self.value)
        return _call(self.value, "where", self.condition, other)


def when(condition: Term) -> When:
    """Begin a choice between two terms."""
    return When(condition)


@dataclass(frozen=True, slots=True, eq=False)
class DaskFrame:
    """A Dask frame, and lines that its workers are to run before anything else.

    Attributes
    ----------
    native : dask.dataframe.DataFrame
        The frame.
    lines : tuple of str
        Assignments, each of which may use those above it.
    """

    native: Any
    lines: tuple[str, ...] = ()

    def with_columns(self, **terms: Term) -> DaskFrame:
        """The frame with more columns."""
        lines = [line for term in terms.values() for line in term.lines]
        lines += [f"{name} = {term.text}" for name, term in terms.items()]
        return replace(self, lines=tuple(dict.fromkeys([*self.lines, *lines])))

    def done(self) -> Any:
        """The Dask frame with all its columns."""
        # In Python, not in numexpr: the answer does not depend on what else is installed.
        return (
            self.native.eval("\n".join(self.lines), engine="python") if self.lines else self.native
        )

    def filter(self, condition: Term) -> DaskFrame:
        """The rows for which a condition holds."""
        assert not condition.lines, "filters compare columns only"
        return DaskFrame(self.done().query(condition.text, engine="python"))

    def select(self, *wanted: Any) -> Any:
        """Some columns, or sums over all rows."""
        if all(isinstance(name, str) for name in wanted):
            return DaskFrame(self.done()[list(wanted)])
        everything = self.with_columns(everything=0.0 * (col("x") == col("x")))
        return Answer(everything._grouped("everything", wanted).drop(columns="everything"))

    def group_by(self, key: str) -> Groups:
        """The groups of rows that share a key."""
        return Groups(self, key)

    def some(self, n: int) -> list[Answer]:
        """Queries for a few rows: the first, the middle and the last partition, else n rows.

        A head of all partitions would read them all, that of the first knows the first only.
        """
        frame = self.done()
        last = frame.npartitions - 1
        few = frame.partitions[sorted({0, last // 2, last})]
        return [Answer(few), Answer(frame.head(n, npartitions=-1, compute=False))]

    def _grouped(self, key: str, sums: tuple[Sum, ...]) -> Any:
        """Sums over the groups, with their keys."""
        wanted = {name: (column, how) for column, how, name in sums}
        # Left to itself Dask would shuffle the few sums of each partition between the workers.
        grouped = self.done().groupby(key, sort=False)
        return grouped.agg(split_out=1, **wanted).reset_index()


class Groups(NamedTuple):
    """Groups of rows."""

    frame: DaskFrame
    key: str

    def agg(self, *sums: Sum) -> Answer:
        """Sums over the groups."""
        return Answer(self.frame._grouped(self.key, sums))


class Answer(NamedTuple):
    """A query that can be run."""

    native: Any

    def collect(self) -> Any:
        """Run the query; an eager Narwhals frame."""
        import narwhals as nw

        return nw.from_native(self.native.compute(), eager_only=True)
