"""How results were asked for, as Python that can be pasted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from os import PathLike, fspath
from typing import Any

import numpy as np

from bactrian.model.mixture import NormalMixture

_WIDTH = 88  # columns, as for a table


def literal(value: Any) -> str:
    """Return a value as Python writes it; a result by the call that made it.

    A generator of random numbers has no such form: it is written as the name ``rng``.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, PathLike):
        value = fspath(value)
    if isinstance(value, str):
        written = repr(value)
        return written if {'"', "\\"} & set(written) else f'"{written[1:-1]}"'
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, NormalMixture):
        return f"bt.{value!r}"
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, Mapping):
        entries = (f"{literal(key)}: {literal(entry)}" for key, entry in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, Sequence):
        entries = (literal(entry) for entry in value)
        return f"({', '.join(entries)})" if isinstance(value, tuple) else f"[{', '.join(entries)}]"
    return getattr(value, "call", "") or "..."


def arguments_of(function: Callable[..., Any], given: Mapping[str, Any]) -> list[str]:
    """Return the arguments of a call that are not the usual ones, each as ``name=value``."""
    usual = signature(function).parameters
    return [
        f"{name}={written}"
        for name, value in given.items()
        if (written := literal(value)) != literal(usual[name].default)
    ]


def call_of(function: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """Return the call of a method of ``Fit`` that has these arguments."""
    return f"fit.{function.__name__}({', '.join(arguments_of(function, given))})"


def folded(name: str, arguments: Sequence[str]) -> str:
    """Return a call in one line, or with a line for each argument where that is too long."""
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), ")"])
