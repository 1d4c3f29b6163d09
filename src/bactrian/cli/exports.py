"""What a fit leaves for other programs: an SQL expression, a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bactrian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from bactrian.fitting import Fit

_WHATS = ("posterior", "class", "component", "logpdf")
_DIALECTS = ("duckdb", "postgresql", "sqlite", "spark")


def add_exports(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument(
        "--sql", nargs="?", const="posterior", choices=_WHATS, metavar="WHAT",
        help="print nothing but an SQL expression of the column: the posterior of the component "
        "with the largest mean; or with WHAT the class by --threshold, the most probable "
        "component, the logpdf",
    )  # fmt: skip
    command.add_argument("--dialect", choices=_DIALECTS, help="of which database (default: duckdb)")
    command.add_argument(
        "-o", "--output", metavar="FILE",
        help="also write the whole fit as JSON, for bactrian.Fit.from_json; whole or not at all",
    )  # fmt: skip


def check_exports(options: argparse.Namespace) -> None:
    """Refuse what does not go together before anything is read."""
    if options.dialect is not None and options.sql is None:
        raise ParameterError("--dialect goes with --sql: it says for which database.")
    if options.sql is not None and options.json:
        raise ParameterError("--sql and --json each say what is printed; leave one of them.")
    if options.threshold is not None and options.sql not in (None, "class"):
        raise ParameterError(f"--threshold goes with --sql class, not with --sql {options.sql}.")


def expression(found: Fit, options: argparse.Namespace, rule: dict[str, Any] | None) -> str:
    """Return the SQL expression that is asked for.

    Raises
    ------
    DataError
        If the fit is no maximum.
    """
    if not found.converged:
        raise DataError(f"{found.outcome.cause} {found.outcome.remedy}")
    dialect: Any = options.dialect or "duckdb"
    return found.to_sql(what=options.sql, dialect=dialect, **(rule or {}))
