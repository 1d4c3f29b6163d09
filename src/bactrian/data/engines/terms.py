"""The few names of Narwhals that our expressions use, for engines to which they go as text.

A term here is only a tree; what an engine reads is made of it where its frame is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Choice", "Sum", "Term", "col", "len", "lit", "when"]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """An expression over the columns of a row.

    Attributes
    ----------
    how : str
        "col" or "lit", the sign of an operation in Python, or the name of a function.
    parts : tuple
        What that is done with: terms; of a column its name, of a constant its value.
    """

    how: str
    parts: tuple[Any, ...]

    @property
    def is_constant(self) -> bool:
        """Whether it is a number."""
        return self.how == "lit"

    def _with(self, sign: str, other: Any) -> Term:
        """A binary operation."""
        return Term(sign, (self, _term(other)))

    def _after(self, sign: str, other: Any) -> Term:
        """A binary operation with a number on its left."""
        return Term(sign, (_term(other), self))

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
        return Term("~", (self,))

    def abs(self) -> Term:
        """The absolute value."""
        return Term("abs", (self,))

    def floor(self) -> Term:
        """The largest whole number not above, as a double."""
        return Term("floor", (self,))

    def exp(self) -> Term:
        """The exponential."""
        return Term("exp", (self,))

    def log(self, base: float = math.e) -> Term:
        """The logarithm."""
        natural = Term("log", (self,))
        return natural if base == math.e else natural / math.log(base)

    def is_nan(self) -> Term:
        """Whether a number is NaN; what a null gives counts as false."""
        return Term("is_nan", (self,))

    def clip(self, low: float, high: float) -> Term:
        """The nearest value within bounds."""
        return Term("clip", (self, lit(low), lit(high)))

    def sum(self) -> Sum:
        """The sum over a group."""
        return Sum(self, "sum")

    def min(self) -> Sum:
        """The smallest of a group."""
        return Sum(self, "min")

    def max(self) -> Sum:
        """The largest of a group."""
        return Sum(self, "max")


class Sum(NamedTuple):
    """What is taken of the rows of a group: "sum", "min" or "max" of a column, or their "size"."""

    column: Term
    how: str
    name: str = ""

    def alias(self, name: str) -> Sum:
        """The same under a name."""
        return self._replace(name=name)


class Choice(NamedTuple):
    """A condition, and perhaps what there is where it holds."""

    condition: Term
    value: Term | None = None

    def then(self, value: Term) -> Choice:
        """What there is where the condition holds."""
        return self._replace(value=value)

    def otherwise(self, other: Term) -> Term:
        """What there is elsewhere."""
        return Term("choose", (self.condition, self.value, other))


def _term(value: Any) -> Term:
    """A term, also of a number."""
    return value if isinstance(value, Term) else lit(value)


def col(name: str) -> Term:
    """A column."""
    return Term("col", (name,))


def lit(value: float) -> Term:
    """A constant."""
    return Term("lit", (float(value),))


def len() -> Sum:
    """The number of rows of a group."""
    return Sum(col("x"), "size")


def when(condition: Term) -> Choice:
    """Begin a choice between two terms."""
    return Choice(condition)
