"""The command that writes a fit as one HTML file."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import TYPE_CHECKING, cast

from bactrian.cli.commands import check_intervals, interval_method, put
from bactrian.cli.progress import shown
from bactrian.cli.reading import check_not_the_input, fitted, saved_fit
from bactrian.cli.thresholds import threshold_rule
from bactrian.errors import ParameterError
from bactrian.writing import writable

if TYPE_CHECKING:
    from bactrian.infer.bootstrap import Bootstrap
    from bactrian.infer.intervals import Method

_SAMPLES = 199  # for the goodness of fit
SEED = 1


def add_page(command: argparse.ArgumentParser) -> None:
    """Add the options of page that no other command has."""
    command.add_argument(
        "--quick", action="store_true", help="leave out the goodness of fit, which draws samples"
    )
    command.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one for each processor)"
    )


def page_command(options: argparse.Namespace) -> int:
    """Fit, write the page and say where it is and what it says."""
    check_intervals(options, draws_anyway=True)
    if options.workers is not None and options.workers < 1:
        raise ParameterError(f"--workers {options.workers} is not a positive whole number.")
    if options.seed is None:
        options.seed = SEED
    writable(options.output, "fit.html")
    check_not_the_input(options)
    saved = saved_fit(options)
    rule = threshold_rule(options)
    with shown(options.quiet) as progress:
        found = saved or fitted(options, progress)
        # What argparse let pass is one of the methods.
        way = cast("Method | Bootstrap", interval_method(found, options, progress))
        cut = None
        if rule is not None:
            lopsided = "profile" if way == "wald" else way
            cut = [found.threshold(**rule, level=options.level, method=lopsided)]
        found.page(
            options.output,
            level=options.level,
            method=way,
            thresholds=cut,
            n_replicates=0 if options.quick else _SAMPLES,
            rng=options.seed,
            workers=options.workers or os.cpu_count() or 1,
            progress=progress,
            # A saved fit knows how it was made; the command would only name it.
            command=_command(options.words) if saved is None else None,
        )
    put(f"{options.output}: {found.outcome.value}, log-likelihood {found.loglike:.4f}")
    return 0


def _command(words: list[str]) -> str:
    """The command as it was typed, but for passwords: pages are handed on."""
    from bactrian.data.streams.adbc import without_passwords

    return shlex.join(["bactrian", *map(without_passwords, words)])
