"""Dask frames behind the few names of Narwhals that our expressions use.

Through Narwhals itself a chain of steps becomes a query whose planning takes time exponential in
the number of steps. Here the steps are lines of text that ``DataFrame.eval`` runs on the workers
in one go.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from bactrian.data.engines.terms import Sum, Term, col

__all__ = ["DaskFrame", "is_dask"]


def is_dask(data: object) -> bool:
    """Whether ``data`` is a Dask frame; imports nothing."""
    package = type(data).__module__.partition(".")[0]
    # A series has partitions too, but no columns.
    parts = hasattr(data, "npartitions") and hasattr(data, "columns")
    return package in ("dask", "dask_expr") and parts


class Text(NamedTuple):
    """A term as pandas' ``eval`` writes it, and the assignments that it needs above it."""

    text: str
    lines: tuple[str, ...] = ()

    def named(self) -> Text:
        """The same under a name: before version 3 of pandas methods take nothing else."""
        name = f"v{hashlib.md5(self.text.encode(), usedforsecurity=False).hexdigest()}"
        return Text(name, (*self.lines, f"{name} = {self.text}"))


def written(term: Term) -> Text:
    """A term as text."""
    if term.how == "col":
        return Text(term.parts[0])
    if term.how == "lit":
        return Text(repr(term.parts[0]))
    if term.how == "choose":
        return _choice(*term.parts)
    if term.how == "clip":
        first, *bounds = term.parts
        return _call(first, "clip", *map(_column, bounds))
    parts = [written(part) for part in term.parts]
    lines = tuple(line for part in parts for line in part.lines)
    texts = [part.text for part in parts]
    if term.how == "is_nan":  # a null is a NaN here
        return Text(f"({texts[0]} != {texts[0]})", lines)
    if term.how == "~":
        return Text(f"(~{texts[0]})", lines)
    if term.how in ("abs", "floor", "exp", "log"):
        return Text(f"{term.how}({texts[0]})", lines)
    return Text(f"({texts[0]} {term.how} {texts[1]})", lines)


def _choice(condition: Term, value: Term, other: Term) -> Text:
    """One term where a condition holds, else another."""
    if value.is_constant:
        other = _column(other) if other.is_constant else other
        return _call(other, "mask", condition, value)
    return _call(value, "where", condition, other)


def _column(constant: Term) -> Term:
    """A constant as a column."""
    return 0.0 * (col("x") == col("x")) + constant


def _call(term: Term, method: str, *arguments: Term) -> Text:
    """What a method of a column returns; a constant among its arguments is not negative."""
    first = written(term).named()
    others = [written(a) if a.is_constant else written(a).named() for a in arguments]
    lines = tuple(line for each in (first, *others) for line in each.lines)
    names = ", ".join(other.text for other in others)
    return Text(f"{first.text}.{method}({names})", lines)


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
        texts = {name: written(term) for name, term in terms.items()}
        lines = [line for text in texts.values() for line in text.lines]
        lines += [f"{name} = {text.text}" for name, text in texts.items()]
        return replace(self, lines=tuple(dict.fromkeys([*self.lines, *lines])))

    def done(self) -> Any:
        """The Dask frame with all its columns."""
        # In Python, not in numexpr: the answer does not depend on what else is installed.
        return (
            self.native.eval("\n".join(self.lines), engine="python") if self.lines else self.native
        )

    def filter(self, condition: Term) -> DaskFrame:
        """The rows for which a condition holds."""
        text = written(condition)
        assert not text.lines, "filters compare columns only"
        return DaskFrame(self.done().query(text.text, engine="python"))

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
        wanted = {each.name: (written(each.column).text, each.how) for each in sums}
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
