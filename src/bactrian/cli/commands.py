"""What each command does: read, call the library, print."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from bactrian.cli.constraints import constraints_from
from bactrian.cli.exports import check_exports, expression, save
from bactrian.cli.progress import shown
from bactrian.cli.thresholds import threshold_rule
from bactrian.cli.wording import summary_in_options, threshold_in_options
from bactrian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from bactrian.fitting import Fit

_REFITS = 1000


def fit_command(options: argparse.Namespace) -> int:
    """Fit and print."""
    from bactrian.fitting import fit
    from bactrian.present.record import as_record
    from bactrian.present.tables import as_text

    check_intervals(options)
    rule = threshold_rule(options)
    check_exports(options)
    if options.output is not None:
        check_folder(options.output)
        check_not_the_input(options)
    data = data_from(options)
    with shown(options.quiet) as progress:
        found = fit(
            data,
            options.components,
            **reading_from(options),
            progress=progress,
            method=options.method,
            **constraints_from(options),
        )
        way = interval_method(found, options, progress)
    if options.output is not None:
        save(found.to_json(options.level, way), options.output)
    if options.sql is not None:
        put(expression(found, options, rule), exact=True)
        return 0
    cut = None
    if rule is not None:
        cut = threshold_in_options(
            found.threshold(**rule, level=options.level, method=_lopsided(way))
        )
    summary = summary_in_options(found.summary(options.level, way))
    if options.json:
        record = as_record(summary, found.mixture, found.certificate, found.n_missing)
        record |= {} if cut is None else {"threshold": cut.to_dict()}
        put(json.dumps(record, indent=2, allow_nan=False))
    else:
        put(as_text(summary) + ("" if cut is None else f"\n\nThreshold\n{cut}"))
    return 0


def check_intervals(options: argparse.Namespace, *, draws_anyway: bool = False) -> None:
    """Refuse what no interval can be made of before anything is read.

    A seed needs something that is drawn: refits, or what the command draws anyway.
    """
    if not 0.0 < options.level < 1.0:
        raise ParameterError(f"--level {options.level:g} is not between 0 and 1; 0.95 is usual.")
    if options.refits is not None and options.refits < 1:
        raise ParameterError(
            f"--refits {options.refits} is not a positive whole number; 1000 is usual."
        )
    for name, value in (("--refits", options.refits), ("--seed", options.seed)):
        if draws_anyway and name == "--seed":
            continue
        if value is not None and options.intervals != "bootstrap":
            raise ParameterError(
                f"{name} goes with --intervals bootstrap: nothing else is drawn at random."
            )


def _lopsided(way: Any) -> Any:
    """The intervals of a threshold: refits if there are any, or the profile."""
    return "profile" if way == "wald" else way


def interval_method(found: Fit, options: argparse.Namespace, progress: Any) -> Any:
    """How intervals are to be made: a name, or refits."""
    if options.intervals != "bootstrap" or not found.converged:
        return options.intervals
    refits = _REFITS if options.refits is None else options.refits
    return found.bootstrap(refits, rng=options.seed, progress=progress)


def sketch_command(options: argparse.Namespace) -> int:
    """Sketch a column, write it, and say what it is."""
    from bactrian.data.sketches.sketch import Sketch

    check_folder(options.output)
    check_not_the_input(options)
    data, reading = data_from(options), reading_from(options)
    del reading["weight_kind"]
    with shown(options.quiet) as progress:
        sketch = Sketch.of(data, exponent=options.exponent, progress=progress, **reading)
    sketch.save(options.output)
    put(f"{options.output}: {_described(sketch)}")
    return 0


def merge_command(options: argparse.Namespace) -> int:
    """Add sketches, write the sum, and say what it is."""
    from bactrian.data.sketch_source import sum_of_saved
    from bactrian.data.tables.paths import matching

    check_folder(options.output)
    # All of them are read before anything is written: the output may be one of them.
    paths = [name for path in options.sketches for name in matching(os.path.expanduser(path))]
    merged = sum_of_saved(paths)
    merged.save(options.output)
    put(f"{options.output}: {_described(merged)}")
    return 0


def check_folder(output: str) -> None:
    """Refuse a folder that is not there before hours of reading, not after them."""
    folder = os.path.dirname(os.path.expanduser(output)) or "."
    if not os.path.isdir(folder):
        raise DataError(f"there is no folder {folder!r} to write to: make it first")


def check_not_the_input(options: argparse.Namespace) -> None:
    """Refuse to write over the rows."""
    both = (options.file, options.output)
    if options.file is not None and all(map(os.path.exists, both)) and os.path.samefile(*both):
        raise DataError(
            f"the output would take the place of the rows in {options.file!r}: name another file "
            "with -o."
        )


def _described(sketch: Any) -> str:
    """A sketch in one line, without the brackets of its repr."""
    return str(repr(sketch)).strip("<>")


def data_from(options: argparse.Namespace) -> Any:
    """What to read: a file, standard input, or a query."""
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


def reading_from(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments that say how to read."""
    return {
        "column": options.column,
        "sample_weight": options.weights,
        "weight_kind": getattr(options, "weight_kind", None),
        "missing": options.missing,
    }


def put(text: str, *, exact: bool = False) -> None:
    """Print at once, so that a reader who has gone is noticed here.

    Consoles and pipes of Windows, and those of plain locales, do not know every character: words
    are then printed with others for those, and what a program is to read is refused.

    Raises
    ------
    DataError
        If the text must be exact and cannot be.
    BrokenPipeError
        If nobody reads it.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        if exact:
            raise DataError(
                f"the output holds the character {text[error.start]!r}, which its encoding "
                f"{encoding} has not: set the environment variable PYTHONUTF8 to 1"
            ) from None
        text = _plain(text, encoding)
    try:
        print(text)
        sys.stdout.flush()
    except OSError as error:
        # What Windows says of a pipe that nobody reads any more.
        if error.errno == errno.EINVAL:
            raise BrokenPipeError from None
        raise


def _plain(text: str, encoding: str) -> str:
    """The text with "-" for dashes and "?" for other characters that an encoding has not."""
    for dash in "–−":
        if dash.encode(encoding, "ignore") == b"":
            text = text.replace(dash, "-")
    return text.encode(encoding, "replace").decode(encoding)
