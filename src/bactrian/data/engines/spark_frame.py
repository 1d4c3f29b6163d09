"""Spark frames behind the few names of Narwhals that our expressions use.

Through Narwhals every operation is a call, or several, of the Java process, and Spark notes for
each where it stands in the program: a second for the three queries of a fit, which over a million
rows is longer than they run. Here the steps are one text, which goes over in one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bactrian.data.engines.spark_queries import SparkQueries
from bactrian.data.engines.terms import Sum, Term
from bactrian.errors import DataError

__all__ = ["SparkFrame", "is_spark"]

_SIGNS: Final = {"&": "and", "|": "or"}
_FUNCTIONS: Final = {"~": "not", "abs": "abs", "exp": "exp", "log": "ln"}
_WHOLE: Final = "9007199254740992D"  # 2**53: from here on every double is a whole number


def is_spark(data: object) -> bool:
    """Whether ``data`` is a Spark frame; imports nothing."""
    module = type(data).__module__
    return module.startswith("pyspark.sql.") and type(data).__name__ == "DataFrame"


def written(term: Term) -> str:
    """A term as Spark's SQL."""
    if term.how == "col":
        return quoted(term.parts[0])
    if term.how == "lit":
        # Without its D a number with a point is a decimal one.
        return f"({term.parts[0]!r}D)"
    first, *others = map(written, term.parts)
    if term.how == "choose":
        return f"case when {first} then {others[0]} else {others[1]} end"
    if term.how == "clip":  # least() and greatest() would pass over a null
        low, high = others
        bounds = f"when {first} < {low} then {low} when {first} > {high} then {high}"
        return f"case {bounds} else {first} end"
    if term.how == "floor":  # Spark's own gives an integer, which holds neither huge ones nor NaN
        return f"case when abs({first}) < {_WHOLE} then double(floor({first})) else {first} end"
    if term.how == "is_nan":  # of a null it would be false, and its opposite true
        return f"({first} is null or isnan({first}))"
    if term.how in _FUNCTIONS:
        return f"{_FUNCTIONS[term.how]}({first})"
    return f"({first} {_SIGNS.get(term.how, term.how)} {others[0]})"


def quoted(name: str) -> str:
    """The name of a column in Spark's SQL, in a text whose braces Python fills."""
    return "`" + name.replace("`", "``").replace("{", "{{").replace("}", "}}") + "`"


@dataclass(frozen=True, slots=True, eq=False)
class SparkFrame:
    """A query over a Spark frame.

    Attributes
    ----------
    queries : SparkQueries
        Those of the frame.
    text : str
        The query, in which ``{frame}`` is the frame.
    columns : tuple of str
        What it selects.
    """

    queries: SparkQueries
    text: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, native: Any, columns: Mapping[str, str]) -> SparkFrame:
        """The columns of a frame as doubles, under the names that are the keys.

        Raises
        ------
        DataError
            If two columns have the name of one that is wanted.
        """
        for name in columns.values():
            _require_one(native, name)
        wanted = ", ".join(f"double({quoted(name)}) as {ours}" for ours, name in columns.items())
        return cls(SparkQueries.of(native), f"select {wanted} from {{frame}}", tuple(columns))

    def with_columns(self, **terms: Term) -> SparkFrame:
        """The frame with more columns, or other ones of the same names."""
        kept = [name for name in self.columns if name not in terms]
        made = [f"{written(term)} as {quoted(name)}" for name, term in terms.items()]
        return self._selecting([*map(quoted, kept), *made], (*kept, *terms))

    def filter(self, condition: Term) -> SparkFrame:
        """The rows for which a condition holds."""
        text = f"select * from ({self.text}) where {written(condition)}"
        return SparkFrame(self.queries, text, self.columns)

    def select(self, *wanted: str | Sum) -> SparkFrame:
        """Some columns, or sums over all rows."""
        texts = [quoted(each) if isinstance(each, str) else _sum(each) for each in wanted]
        names = [each if isinstance(each, str) else each.name for each in wanted]
        return self._selecting(texts, names)

    def group_by(self, key: str) -> Groups:
        """The groups of rows that share a key, a double of any size."""
        return Groups(self, key, quoted(key), quoted(key))

    def group_by_halves(self, key: str) -> Groups:
        """The same, where keys are halves of whole numbers below 2**53 in size.

        As whole numbers, which Spark finds in its table of groups in a third of the time less.
        """
        twice = f"bigint(2D * {quoted(key)})"
        return Groups(self, key, twice, f"double({twice}) / 2D as {quoted(key)}")

    def some(self, n: int) -> list[Few]:
        """A query for the first rows, an eighth of n: row by row they cost more."""
        return [Few(self, n // 8)]

    def collect(self) -> Any:
        """Run the query; an eager Narwhals frame."""
        import narwhals as nw

        answer = self.queries.answer(self.text).toArrow()
        return nw.from_native(answer, eager_only=True)

    def _selecting(self, texts: Iterable[str], names: Iterable[str], end: str = "") -> SparkFrame:
        """The query of some expressions over the rows of this one."""
        text = f"select {', '.join(texts)} from ({self.text}){end}"
        return SparkFrame(self.queries, text, tuple(names))


def _require_one(native: Any, name: str) -> None:
    """Refuse a name that Spark would find at two columns, in which it may not tell x from X."""
    alike = [each for each in native.columns if each.casefold() == name.casefold()]
    if len(alike) > 1 and native.sparkSession.conf.get("spark.sql.caseSensitive") == "true":
        alike = [each for each in alike if each == name]
    if len(alike) > 1:
        raise DataError(
            f"the frame has {len(alike)} columns that Spark knows as {name!r}: give them different "
            "names, for example with toDF(...)"
        )


class Few(NamedTuple):
    """The first rows of a query.

    Not taken as Arrow: for that Spark would take as many from every partition before it keeps the
    first of them, which of 400 partitions took thirty times as long.
    """

    frame: SparkFrame
    n: int

    def collect(self) -> Any:
        """Run the query; an eager Narwhals frame."""
        import narwhals as nw

        rows = self.frame.queries.answer(f"{self.frame.text} limit {self.n}").collect()
        given = {name: [row[i] for row in rows] for i, name in enumerate(self.frame.columns)}
        return nw.from_dict(given, backend="pyarrow")


class Groups(NamedTuple):
    """Groups of rows: the name of their key, what they share, and the key that is made of it."""

    frame: SparkFrame
    name: str
    shared: str
    key: str

    def agg(self, *sums: Sum) -> SparkFrame:
        """Sums over the groups, with their keys."""
        names = [self.name, *(each.name for each in sums)]
        texts = [self.key, *map(_sum, sums)]
        return self.frame._selecting(texts, names, f" group by {self.shared}")


def _sum(each: Sum) -> str:
    """A sum over a group in Spark's SQL."""
    what = "count(*)" if each.how == "size" else f"{each.how}({written(each.column)})"
    return f"{what} as {quoted(each.name)}"
