"""The command line: `bactrian fit data.csv --column waiting`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bactrian.cli.interruption import heard
from bactrian.cli.parser import parser
from bactrian.cli.wording import as_options
from bactrian.errors import DataError, DataTypeError, ParameterError

_INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        with heard() as pressed:
            try:
                status = _run(sys.argv[1:] if arguments is None else list(arguments))
            except Exception:
                if pressed.is_set():  # whatever became of it on its way
                    return _INTERRUPTED
                raise
            return _INTERRUPTED if pressed.is_set() else status
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(words: list[str]) -> int:
    """Run a command; a fault of the data or of the command is one sentence."""
    try:
        options = parser().parse_args(words)
        options.words = words
        status: int = options.run(options)
        return status
    except ParameterError as error:
        return _fail(error, 2)
    except (DataError, DataTypeError) as error:
        return _fail(error, 1)
    except BrokenPipeError:
        # Whoever read our output has enough of it; writing at exit would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(error, 1)


def _fail(error: Exception, status: int) -> int:
    """Print one sentence on standard error."""
    print(f"bactrian: error: {as_options(str(error))}", file=sys.stderr)
    return status
