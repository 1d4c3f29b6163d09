"""The command line: `bactrian fit data.csv --column waiting`."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence

from bactrian.errors import DataError, DataTypeError, ParameterError

_OPTIONS = {
    "column": "--column",
    "n_components": "--components",
    "method": "--method",
    "missing": "--missing",
}
_EXAMPLE = """\
examples:
  bactrian fit data.csv --column waiting
  bactrian fit 'runs/*.parquet' --column latency --components 3
  zcat data.csv.gz | bactrian fit - --column waiting --json

Exit status: 0 a fit was made (its outcome is printed), 1 the data cannot be fitted,
2 the command was not understood.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        options = _parser().parse_args(arguments)
        return _fit(options)
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
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from bactrian import __version__

    parser = argparse.ArgumentParser(
        prog="bactrian",
        description="Maximum likelihood for one-dimensional mixtures of normal distributions.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bactrian {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "fit",
        help="fit a mixture to one column of numbers",
        description="Fit a mixture of normal distributions to one column of numbers.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "file", help="CSV, TSV, JSON lines or Parquet, gzipped or not; a quoted glob; - for stdin"
    )
    command.add_argument("--column", help="the column; not needed when only one holds numbers")
    command.add_argument("--components", type=int, default=2, metavar="K", help="default: 2")
    command.add_argument(
        "--method", default="newton", choices=["newton", "em", "gradient", "lbfgs"],
        help="how the reported ascent is made (default: newton)",
    )  # fmt: skip
    command.add_argument("--equal-variances", action="store_true", help="one common variance")
    command.add_argument(
        "--weights", metavar="COLUMN", help="column that says how many rows each row stands for"
    )
    command.add_argument(
        "--missing", default="error", choices=["error", "drop"],
        help="what to do about missing values (default: error)",
    )  # fmt: skip
    command.add_argument(
        "--level", type=float, default=0.95, help="level of the intervals (default: 0.95)"
    )
    command.add_argument("--json", action="store_true", help="print unrounded numbers as JSON")
    return parser


def _fit(options: argparse.Namespace) -> int:
    """Fit and print."""
    from bactrian.fitting import fit
    from bactrian.present.tables import as_text

    if options.weights is not None and options.weights == options.column:
        raise ParameterError("--weights and --column name the same column; they must differ.")
    if not 0.0 < options.level < 1.0:
        raise ParameterError(f"--level {options.level:g} is not between 0 and 1; 0.95 is usual.")
    found = fit(
        sys.stdin.buffer if options.file == "-" else options.file,
        options.components,
        column=options.column,
        sample_weight=options.weights,
        weight_kind="frequency",
        method=options.method,
        equal_variances=options.equal_variances,
        missing=options.missing,
    )
    if options.json:
        print(json.dumps(found.to_dict(options.level), indent=2, allow_nan=False))
    else:
        print(_as_options(as_text(found.summary(options.level))))
    sys.stdout.flush()
    return 0


def _as_options(words: str) -> str:
    """Advice that names arguments of fit(), in the words of the command line."""
    words = words.replace("equal_variances=True", "--equal-variances")
    for argument, option in _OPTIONS.items():
        words = re.sub(rf"\b{argument}=(['\"]?)([^\s'\",)]*)\1", rf"{option} \2", words)
    return words.replace("sample_weight", "--weights")


def _fail(error: Exception, status: int) -> int:
    """Print one sentence on standard error."""
    print(f"bactrian: error: {_as_options(str(error))}", file=sys.stderr)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
