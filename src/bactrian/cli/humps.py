"""The commands that ask how many components there are: compare and test."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from bactrian.cli.commands import put
from bactrian.cli.progress import shown
from bactrian.cli.reading import of_rows
from bactrian.cli.wording import as_options
from bactrian.errors import ParameterError

if TYPE_CHECKING:
    from bactrian.fitting import Fit
    from bactrian.infer.homogeneity import HomogeneityTest
    from bactrian.infer.verdict import Verdict

_SAMPLES = 199  # for the goodness of fit
_REFITS = 999


def add_compare(command: argparse.ArgumentParser) -> None:
    """Add the options of compare."""
    command.add_argument(
        "--components", type=int, nargs="+", default=[1, 2, 3], metavar="K", help="default: 1 2 3"
    )
    kinds = command.add_mutually_exclusive_group()
    kinds.add_argument(
        "--equal-variances", action="store_const", const=True, dest="equal_variances",
        help="only fits with one common variance (default: both kinds)",
    )  # fmt: skip
    kinds.add_argument(
        "--different-variances", action="store_const", const=False, dest="equal_variances",
        help="only fits in which each component has its own",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print unrounded numbers as JSON")


def add_test(command: argparse.ArgumentParser) -> None:
    """Add the options of test."""
    command.add_argument(
        "--components", type=int, default=2, metavar="K",
        help="components that are tested against one less (default: 2)",
    )  # fmt: skip
    command.add_argument("--equal-variances", action="store_true", help="one common variance")
    command.add_argument(
        "--method", choices=["em", "likelihood_ratio", "bootstrap"],
        help="EM-test; likelihood ratio with a table that comes along; or with simulated samples "
        "(default: em, and bootstrap where values are rounded to more than half an sd)",
    )  # fmt: skip
    command.add_argument(
        "--refits", type=int, metavar="B", help=f"samples of a bootstrap (default: {_REFITS})"
    )
    command.add_argument("--seed", type=int, help="of what is drawn at random (default: none)")
    command.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one for each processor)"
    )
    command.add_argument(
        "--quick", action="store_true", help="leave out the goodness of fit, which draws samples"
    )
    command.add_argument("--json", action="store_true", help="print unrounded numbers as JSON")


def compare_command(options: argparse.Namespace) -> int:
    """Fit with several numbers of components and print the table."""
    from bactrian.fitting import compare

    # Rows first, then fits.
    with shown(options.quiet, unit="") as progress:
        kinds = {"equal_variances": options.equal_variances}
        found = of_rows(compare, options, progress, options.components, **kinds)
    put(_json(found.to_dict()) if options.json else as_options(str(found)))
    return 0


def test_command(options: argparse.Namespace) -> int:
    """Test the number of components and print what it says, and the verdict."""
    from bactrian.fitting import fit

    _check(options)
    workers = options.workers or os.cpu_count() or 1
    with shown(options.quiet) as progress:
        kind = {"equal_variances": options.equal_variances}
        found = of_rows(fit, options, progress, options.components, **kind)
        drawing: dict[str, Any] = {"rng": options.seed, "progress": progress, "workers": workers}
        test = found.homogeneity_test(
            method=options.method, n_replicates=options.refits or _REFITS, **drawing
        )
        verdict = None
        if found.converged:
            samples = 0 if options.quick else _SAMPLES
            verdict = found.verdict(test=test, n_replicates=samples, **drawing)
    put(_as_json(found, test, verdict) if options.json else _as_text(found, test, verdict))
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be tested before anything is read."""
    from bactrian.infer.em_law import MOST_COMPONENTS

    if options.components == 1:
        raise ParameterError(
            "--components 1 leaves nothing to test against; 2 tests one component against two."
        )
    if options.components > MOST_COMPONENTS + 1 and options.method in (None, "em"):
        raise ParameterError(
            f"The EM-test is for up to {MOST_COMPONENTS} components against more, not for "
            f"{options.components - 1}; --method bootstrap takes any number."
        )
    for name, value in (("--refits", options.refits), ("--workers", options.workers)):
        if value is not None and value < 1:
            raise ParameterError(f"{name} {value} is not a positive whole number.")
    if options.refits is not None and options.method != "bootstrap":
        raise ParameterError("--refits goes with --method bootstrap: no other draws samples.")


def _as_text(found: Fit, test: HomogeneityTest, verdict: Verdict | None) -> str:
    """The test, then the verdict or why there is none."""
    from bactrian.present.tables import wrapped

    blocks = [as_options(str(test))]
    if verdict is None:
        outcome = found.outcome
        words = as_options(f"No verdict. {outcome.cause} {outcome.remedy}".strip())
        blocks.append("\n".join(wrapped(words)))
    else:
        blocks.append(f"Verdict\n{verdict}")
    return "\n\n".join(blocks)


def _as_json(found: Fit, test: HomogeneityTest, verdict: Verdict | None) -> str:
    """The same as values."""
    record = {
        "column": found.column,
        "n_obs": found.n_obs,
        "outcome": found.outcome.value,
        "test": test.to_dict(),
        "verdict": None if verdict is None else verdict.to_dict(),
    }
    return _json(record)


def _json(record: dict[str, Any]) -> str:
    """Strict JSON."""
    return json.dumps(record, indent=2, allow_nan=False)
