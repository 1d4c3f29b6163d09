"""The option that says where to cut: `--threshold posterior=0.9,components=2:3`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bactrian.cli.wording import as_rule
from bactrian.errors import ParameterError

if TYPE_CHECKING:
    from bactrian.infer.choice import Choice

_NUMBERS = ("posterior", "prevalence", "false_positive_rate", "false_negative_rate")
_PAIRS = {"costs": float, "components": int}
_SWITCH = "density_minimum"
_HELP = (
    "where to cut between two components, with error rates; RULE is posterior=0.9, costs=1:5 (a "
    "false positive, then a false negative), false-positive-rate=0.05, false-negative-rate=0.05 "
    "or density-minimum, and with a comma prevalence=0.1 or components=2:3 "
    "(default: posterior=0.5)"
)


def add_threshold(command: argparse.ArgumentParser) -> None:
    """Add the option."""
    command.add_argument("--threshold", nargs="?", const="", metavar="RULE", help=_HELP)


def threshold_rule(options: argparse.Namespace) -> dict[str, Any] | None:
    """Return the arguments of ``Fit.threshold``, or None where no cut is wanted.

    Raises
    ------
    ParameterError
        If the rule is not understood or cannot be met, so that nothing is read in vain.
    """
    if options.threshold is None:
        return None
    found: dict[str, Any] = {}
    for part in filter(None, options.threshold.split(",")):
        name, _, value = part.partition("=")
        name = name.strip().replace("-", "_")
        if name in found:
            raise ParameterError(f"--threshold says {name.replace('_', '-')} twice; say it once.")
        found[name] = _value(name, value.strip(), part)
    _checked(options.components, found)
    return found


def _value(name: str, value: str, part: str) -> Any:
    """What one part of the rule says."""
    try:
        if name in _NUMBERS:
            return float(value)
        if name in _PAIRS:
            return tuple(_PAIRS[name](side) for side in value.split(":"))
    except ValueError:
        pass
    if name == _SWITCH and not value:
        return True
    raise ParameterError(
        f"--threshold does not understand {part!r}; say posterior=0.9, costs=1:5, prevalence=0.1, "
        "false-positive-rate=0.05, false-negative-rate=0.05, density-minimum or components=2:3, "
        "separated by commas, or nothing for posterior=0.5."
    )


def _checked(n_components: int, rule: dict[str, Any]) -> Choice:
    """The cut itself; errors in the words of the command line."""
    from bactrian.infer.choice import chosen_cut

    try:
        return chosen_cut([float(k) for k in range(n_components)], **rule)
    except ParameterError as error:
        raise ParameterError(f"--threshold: {as_rule(str(error))}") from None
