"""Messages that name arguments of functions, in the words of the command line."""

from __future__ import annotations

import re

_OPTIONS = {
    "column": "--column",
    "n_components": "--components",
    "method": "--method",
    "missing": "--missing",
    "exponent": "--exponent",
}


def as_options(words: str) -> str:
    """Return advice that names arguments with the options that stand for them."""
    words = words.replace("equal_variances=True", "--equal-variances")
    for argument, option in _OPTIONS.items():
        words = re.sub(rf"\b{argument}=(['\"]?)([^\s'\",)]*)\1", rf"{option} \2", words)
    return words.replace("sample_weight", "--weights")
