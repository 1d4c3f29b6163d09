"""What is known before the fit, as it is written on a command line: ``--fix means=0,``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from bactrian.errors import ParameterError

if TYPE_CHECKING:
    from bactrian.model.mixture import NormalMixture

Entry = TypeVar("Entry")


def add_constraints(command: argparse.ArgumentParser) -> None:
    """Add the options that restrict the mixtures to be fitted."""
    command.add_argument("--equal-variances", action="store_true", help="one common variance")
    command.add_argument("--equal-weights", action="store_true", help="all weights the same")
    command.add_argument(
        "--sd-ratios", metavar="R,R,...", help="the sds up to a common factor: 1,2"
    )
    command.add_argument(
        "--fix", action="append", default=[], metavar="NAME=V,V,...",
        help="known weights, means or sds, empty where free: --fix means=0, --fix sds=,2",
    )  # fmt: skip
    command.add_argument(
        "--bound", action="append", default=[], metavar="NAME=L:H,...",
        help="bounds likewise, either end empty: --bound sds=0.5:2,",
    )  # fmt: skip


def add_start(command: argparse.ArgumentParser) -> None:
    """Add the option that says where to start."""
    command.add_argument(
        "--start", metavar="W:MEAN:SD,...",
        help="one start more; with --method, where it starts and what the fit depends on: "
        "--start 0.5:50:6,0.5:80:6",
    )  # fmt: skip


def start_from(options: argparse.Namespace) -> NormalMixture | None:
    """Return the start that is given, or none.

    Raises
    ------
    ParameterError
        If it is not understood.
    """
    from bactrian.model.mixture import NormalMixture

    if options.start is None:
        return None
    entries = [entry.split(":") for entry in _split(options.start)]
    if any(len(entry) != 3 for entry in entries):
        raise ParameterError(
            f"--start {options.start} is no list of components, each with its weight, mean and sd: "
            "write 0.5:50:6,0.5:80:6 for two."
        )
    numbers = [[_number(word, "--start") for word in entry] for entry in entries]
    weights, means, sds = zip(*numbers, strict=True)
    try:
        return NormalMixture(weights, means, sds)
    except ParameterError as error:
        raise ParameterError(f"--start: {error}") from None


def constraints_from(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of ``fit`` that these options stand for.

    Raises
    ------
    ParameterError
        If one of them is not understood.
    """
    ratios = None
    if options.sd_ratios is not None:
        ratios = [_number(ratio, "--sd-ratios") for ratio in _split(options.sd_ratios)]
    return {
        "equal_variances": options.equal_variances,
        "equal_weights": options.equal_weights,
        "sd_ratios": ratios,
        "fixed": _named(options.fix, "--fix", _value),
        "bounds": _named(options.bound, "--bound", _pair),
    }


def _named(
    given: list[str], option: str, read: Callable[[str, str], Entry]
) -> dict[str, list[Entry | None]] | None:
    """The entries of options of the form name=entry,entry."""
    found: dict[str, list[Entry | None]] = {}
    for words in given:
        name, equals, entries = words.partition("=")
        if not equals:
            raise ParameterError(
                f"{option} {words} names no parameter; write weights, means or sds, an equals "
                f"sign, and one entry for each component: {option} means="
                + ("0," if option == "--fix" else "0:5,")
            )
        if name in found:
            raise ParameterError(f"{option} {name} is given twice; name all components at once.")
        found[name] = [read(entry, option) if entry else None for entry in _split(entries)]
    return found or None


def _split(entries: str) -> list[str]:
    """The entries between commas."""
    return [entry.strip() for entry in entries.split(",")]


def _value(entry: str, option: str) -> float:
    """A fixed value."""
    return _number(entry, option)


def _pair(entry: str, option: str) -> tuple[float | None, float | None]:
    """Two bounds, either of them absent."""
    low, colon, high = entry.partition(":")
    if not colon:
        raise ParameterError(
            f"{option}: {entry!r} has no colon between bounds, as 0.5:2 or 0.5: has."
        )
    return _number(low, option) if low else None, _number(high, option) if high else None


def _number(word: str, option: str) -> float:
    """A number."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ParameterError(f"{option}: {word!r} is not a number.")
    return number
