"""What each command does: read, call the library, print."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from bactrian.cli.exports import check_exports, expression
from bactrian.cli.progress import shown
from bactrian.cli.reading import check_not_the_input, fitted, of_rows
from bactrian.cli.thresholds import threshold_rule
from bactrian.cli.wording import summary_in_options, threshold_in_options
from bactrian.errors import DataError, ParameterError
from bactrian.writing import writable, write_whole

if TYPE_CHECKING:
    from bactrian.fitting import Fit

_REFITS = 1000


def fit_command(options: argparse.Namespace) -> int:
    """Fit and print."""
    from bactrian.present.record import as_record
    from bactrian.present.tables import as_text

    check_intervals(options)
    rule = threshold_rule(options)
    check_exports(options)
    target = None
    if options.output is not None:
        target = writable(options.output, "fit.json")
        check_not_the_input(options)
    with shown(options.quiet) as progress:
        found = fitted(options, progress)
        way = interval_method(found, options, progress)
    if target is not None:
        write_whole(target, found.to_json(options.level, way) + "\n")
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

    writable(options.output, "day.sketch")
    check_not_the_input(options)
    with shown(options.quiet) as progress:
        sketch = of_rows(Sketch.of, options, progress, exponent=options.exponent)
    sketch.save(options.output)
    put(f"{options.output}: {_described(sketch)}")
    return 0


def merge_command(options: argparse.Namespace) -> int:
    """Add sketches, write the sum, and say what it is."""
    from bactrian.data.sketch_source import sum_of_saved
    from bactrian.data.tables.paths import matching

    target = writable(options.output, "week.sketch")
    # All of them are read before anything is written: the output may be one that is named.
    paths = matching(options.sketches)
    for path in set(paths).difference(options.sketches):
        if os.path.exists(target) and os.path.samefile(path, target):
            raise DataError(
                f"{path!r} is among the sketches of a pattern and would be added to itself: name "
                "another file with -o."
            )
    merged = sum_of_saved(paths)
    merged.save(options.output)
    put(f"{options.output}: {_described(merged)}")
    return 0


def _described(sketch: Any) -> str:
    """A sketch in one line, without the brackets of its repr."""
    return str(repr(sketch)).strip("<>")


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
