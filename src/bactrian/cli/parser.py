"""The commands and their options."""

from __future__ import annotations

import argparse

from bactrian.cli import commands, humps, pages, plots
from bactrian.cli.constraints import add_constraints, add_start
from bactrian.cli.exports import add_exports
from bactrian.cli.thresholds import add_threshold
from bactrian.errors import ParameterError

_EXAMPLES = """\
bactrian fit data.csv --column waiting
bactrian fit data.csv --column waiting --intervals profile --threshold
bactrian fit 'runs/*.parquet' --column latency --components 3
zcat data.csv.gz | bactrian fit - --column waiting --json
bactrian fit --database sqlite:///lab.db --query 'select weight from mice' --column weight
bactrian fit week.sketch
bactrian fit 'days/*.sketch'
bactrian fit data.csv --column waiting --sql
bactrian fit data.csv --column waiting -o fit.json
bactrian test data.csv --column waiting
bactrian compare data.csv --column waiting --components 1 2 3 4
bactrian plot data.csv --column waiting --threshold -o waiting.svg
bactrian plot fit.json -o waiting.svg
bactrian page data.csv --column waiting -o fit.html
bactrian sketch 'monday/*.parquet' --column latency -o monday.sketch
bactrian merge monday.sketch tuesday.sketch -o week.sketch
""".splitlines()
_STATUS = """\
Exit status: 0 done (how a fit ended is printed), 1 the data cannot be read or fitted,
2 the command was not understood.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it finds has the command's function as `run`."""
    from bactrian import __version__

    top = argparse.ArgumentParser(
        prog="bactrian",
        description="Maximum likelihood for one-dimensional mixtures of normal distributions.",
        epilog=_epilog(""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"bactrian {__version__}")
    below = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _fit(_command(below, "fit", "fit a mixture to one column of numbers", commands.fit_command))
    comparing = _command(
        below, "compare", "fit several numbers of components", humps.compare_command
    )
    testing = _command(below, "test", "one hump or two? a test and a verdict", humps.test_command)
    for command, add in ((comparing, humps.add_compare), (testing, humps.add_test)):
        _data(command)
        _weight_kind(command)
        add(command)
    _plot(_command(below, "plot", "draw a fit in a file", plots.plot_command))
    _page(_command(below, "page", "write a fit as one HTML file", pages.page_command))
    _sketch(_command(below, "sketch", "sum a column up in a small file", commands.sketch_command))
    _merge(_command(below, "merge", "add sketches", commands.merge_command))
    return top


def _epilog(command: str) -> str:
    """The examples of a command, of all of them where none is named, and the exit status."""
    found = [line for line in _EXAMPLES if f"bactrian {command}" in line]
    return "\n".join(["examples:", *(f"  {line}" for line in found), "", _STATUS])


def _command(below: object, name: str, help_: str, run: object) -> argparse.ArgumentParser:
    """A command with its help and the function that runs it."""
    found: argparse.ArgumentParser = below.add_parser(  # type: ignore[attr-defined]
        name,
        help=help_,
        description=help_[0].upper() + help_[1:] + ".",
        epilog=_epilog(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.set_defaults(run=run)
    return found


class _Files(argparse.Action):
    """One file or none; a list of several, which a shell makes of a glob without quotes."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Keep what is named."""
        files = values if isinstance(values, list) else []
        if len(files) > 1 and "-" in files:
            raise ParameterError("standard input goes with no other file: name - alone.")
        namespace.file = files if len(files) > 1 else next(iter(files), None)


def _data(command: argparse.ArgumentParser) -> None:
    """What is to be read."""
    command.add_argument(
        "file",
        nargs="*",
        action=_Files,
        help="CSV, TSV, JSON lines or Parquet, gzipped or not, or sketches; several are one "
        "column; - for stdin",
    )
    command.add_argument("--column", help="the column; not needed when only one holds numbers")
    command.add_argument(
        "--query",
        metavar="SQL",
        help="what to select: select x from 'data/*.parquet', or from --database",
    )
    command.add_argument(
        "--database", metavar="URI", help="postgresql://user@host/name or sqlite:///file.db"
    )
    command.add_argument(
        "--weights", "--weights-column", metavar="COLUMN", help="column of observation weights"
    )
    command.add_argument(
        "--missing", default="error", choices=["error", "drop"],
        help="what to do about missing values (default: error)",
    )  # fmt: skip
    command.add_argument("--quiet", action="store_true", help="show no progress")


def _fit(command: argparse.ArgumentParser) -> None:
    """The options of fit."""
    _data(command)
    _mixture(command)
    _intervals(command)
    add_threshold(command)
    command.add_argument("--json", action="store_true", help="print unrounded numbers as JSON")
    add_exports(command)


def _plot(command: argparse.ArgumentParser) -> None:
    """The options of plot."""
    _data(command)
    _mixture(command)
    add_threshold(command)
    plots.add_plot(command)


def _page(command: argparse.ArgumentParser) -> None:
    """The options of page."""
    _data(command)
    _mixture(command)
    _intervals(command, seed=str(pages.SEED))
    add_threshold(command)
    pages.add_page(command)
    _output(command)


def _mixture(command: argparse.ArgumentParser) -> None:
    """What is to be fitted, and how."""
    command.add_argument("--components", type=int, default=2, metavar="K", help="default: 2")
    command.add_argument(
        "--method", choices=["newton", "em", "gradient", "lbfgs"],
        help="how the reported ascent is made (default: newton)",
    )  # fmt: skip
    add_start(command)
    _weight_kind(command)
    add_constraints(command)


def _weight_kind(command: argparse.ArgumentParser) -> None:
    """What observation weights mean."""
    command.add_argument(
        "--weight-kind", choices=["frequency", "sampling"],
        help="a weight counts rows that were seen, or stands for a share of a population, as in a "
        "survey; needed where weights are not whole numbers",
    )  # fmt: skip


def _intervals(command: argparse.ArgumentParser, seed: str = "none") -> None:
    """Which intervals are wanted."""
    command.add_argument(
        "--level", type=float, default=0.95, help="level of the intervals (default: 0.95)"
    )
    command.add_argument(
        "--intervals", default="wald", choices=["wald", "profile", "plain_profile", "bootstrap"],
        help="how they are made (default: wald)",
    )  # fmt: skip
    command.add_argument("--refits", type=int, metavar="B", help="of a bootstrap (default: 1000)")
    command.add_argument("--seed", type=int, help=f"of a bootstrap (default: {seed})")


def _sketch(command: argparse.ArgumentParser) -> None:
    """The options of sketch."""
    _data(command)
    _output(command)
    command.add_argument(
        "--exponent", type=int, metavar="E",
        help="bins have width 2**E (default: chosen from the data)",
    )  # fmt: skip


def _merge(command: argparse.ArgumentParser) -> None:
    """The options of merge."""
    command.add_argument(
        "sketches", nargs="+", metavar="SKETCH", help="files made by sketch, or quoted globs"
    )
    _output(command)


def _output(command: argparse.ArgumentParser) -> None:
    """Where what is made goes."""
    command.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="file to write, whole or not at all"
    )
