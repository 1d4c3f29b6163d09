"""Which column is meant: the one that is named, else the only one that holds numbers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from bactrian.data.tables.columns import Table
from bactrian.errors import DataError, ParameterError

__all__ = ["choose", "refuse_names", "require_column"]


def refuse_names(**options: str | None) -> None:
    """Refuse names of columns where there is but one."""
    for option, name in options.items():
        if name is not None:
            raise ParameterError(
                f"{option}={name!r} names a column, but the data are a single column: "
                "pass a frame or a file, or leave the name out"
            )


def choose(table: Table, column: str | None, weight_name: str | None) -> str:
    """The column to read: the one asked for, else the only one that holds numbers."""
    if column is not None:
        return str(column)
    candidates = [name for name in table.numeric if name != weight_name]
    others = [name for name in table.kinds if name != weight_name]
    if len(candidates) == 1:
        return candidates[0]
    if len(others) == 1:
        return others[0]  # reading it will say what is wrong with it
    listing = ", ".join(f"{name} ({kind})" for name, kind in table.kinds.items())
    if all(kind == "empty" for kind in table.kinds.values()):
        raise DataError(f"{table.label} has no values in its columns: there is nothing to fit")
    if not candidates:
        raise DataError(f"{table.label} has no column of numbers: its columns are {listing or '-'}")
    raise DataError(
        f"{table.label} has {len(candidates)} columns of numbers, {_and(candidates)}: "
        f"choose one, e.g. column={candidates[0]!r} (all columns: {listing})"
    )


def require_column(table: Table, name: str) -> None:
    """Refuse a column that is not there, and suggest the one that was meant."""
    if name in table.kinds:
        return
    folded = {known.casefold(): known for known in table.kinds}
    close = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1)
    listing = ", ".join(f"{known} ({kind})" for known, kind in table.kinds.items())
    raise DataError(
        f"{table.label} has no column {name!r}"
        + (f"; did you mean {folded[close[0]]!r}?" if close else "")
        + f" (its columns are {listing or 'none'})"
    )


def _and(names: Sequence[str]) -> str:
    """The names as one would say them."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
