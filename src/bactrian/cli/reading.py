"""What the options say is to be read, and the one call that reads it."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bactrian.cli.constraints import constraints_from, start_from
from bactrian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from bactrian.fitting import Fit

Result = TypeVar("Result")

# What says how rows are read and fitted.
_OF_ROWS = (
    "--column", "--query", "--database", "--weights", "--weights-column", "--weight-kind",
    "--missing", "--components", "--method", "--equal-variances", "--equal-weights", "--sd-ratios",
    "--fix", "--bound", "--start",
)  # fmt: skip


def of_rows(
    function: Callable[..., Result],
    options: argparse.Namespace,
    progress: Any,
    *arguments: Any,
    **others: Any,
) -> Result:
    """Return what a function of the library makes of the rows that the options name."""
    reading = {
        "column": options.column,
        "sample_weight": options.weights,
        "missing": options.missing,
        "progress": progress,
    }
    if hasattr(options, "weight_kind"):
        reading["weight_kind"] = options.weight_kind
    return function(_data(options), *arguments, **reading, **others)


def fitted(options: argparse.Namespace, progress: Any) -> Fit:
    """Return the fit that the options ask for."""
    from bactrian.fitting import fit

    asked = constraints_from(options) | {
        "method": options.method,
        "start": start_from(options),
    }
    return of_rows(fit, options, progress, options.components, **asked)


def saved_fit(options: argparse.Namespace) -> Fit | None:
    """Return the fit that the file holds, if it is one that was saved; its K becomes an option.

    Raises
    ------
    DataError
        If it is not whole.
    ParameterError
        If an option would ask for another fit.
    """
    from bactrian.data.tables.paths import is_saved_fit
    from bactrian.fitting import Fit

    if not isinstance(options.file, str) or not is_saved_fit(options.file):
        return None
    for word in options.words:
        # Options may be shortened.
        name = word.partition("=")[0]
        if name.startswith("--") and any(known.startswith(name) for known in _OF_ROWS):
            raise ParameterError(
                f"{name} says how rows are fitted, and {os.path.basename(options.file)!r} is a fit "
                "that was saved: leave it out, or name the file of the rows."
            )
    try:
        found = Fit.from_json(Path(options.file).expanduser().read_bytes())
    except DataError as error:
        raise DataError(_of_a_file(str(error), options.file)) from None
    options.components = found.options.n_components
    return found


def _of_a_file(words: str, path: str) -> str:
    """What is wrong with a text, said of the file that holds it to one who writes no Python."""
    fault, _, remedy = words.partition(": ")
    if not remedy.startswith("update"):
        remedy = "save the fit again with bactrian fit -o."
    return f"in {os.path.basename(path)!r} {fault[0].lower()}{fault[1:]}: {remedy}"


def check_not_the_input(options: argparse.Namespace) -> None:
    """Refuse to write over what is read."""
    target = os.path.expanduser(options.output)
    if not os.path.exists(target):
        return
    output = os.stat(target)
    places = [f"in {file!r}" for file in _named(options) if _is(file, output)]
    if options.file == "-" and _is(0, output):
        places.append("on standard input")
    if places:
        raise DataError(
            f"the output would take the place of the rows {places[0]}: name another file with -o."
        )


def _is(file: str | int, output: os.stat_result) -> bool:
    """Whether a file, or an open one by its number, is that of the output."""
    try:
        return os.path.samestat(os.stat(file), output)
    except OSError:
        return False  # whoever reads it says what is wrong with it


def _named(options: argparse.Namespace) -> list[str]:
    """The files that will be read; those of a query as far as they stand in it in quotes."""
    from bactrian.data.tables.paths import matching

    named = [options.file] if isinstance(options.file, str) else options.file or []
    found = []
    for path in [*named, *re.findall("""['"]([^'"]+)['"]""", options.query or "")]:
        with suppress(DataError):  # whoever reads it says what is wrong with it
            found += matching(path)
    return found


def _data(options: argparse.Namespace) -> Any:
    """A file or several, standard input, or a query."""
    if options.weights is not None and options.weights == options.column:
        raise ParameterError("--weights and --column name the same column; they must differ.")
    if options.database is not None:
        from bactrian.data.streams.databases import Query

        if options.file is not None or options.query is None:
            raise ParameterError(
                "--database goes with --query, which says what to read there, and without a file."
            )
        return Query(options.database, options.query)
    if options.query is not None:
        from bactrian.data.tables.queries import file_query

        if options.file is not None:
            raise ParameterError(
                "--query names its files itself: --query \"select x from 'data/*.parquet'\"."
            )
        return file_query(options.query)
    if options.file is None:
        raise ParameterError("no file is named; name one, or - for standard input.")
    return sys.stdin.buffer if options.file == "-" else options.file
