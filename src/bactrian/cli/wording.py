"""Messages that name arguments of functions, in the words of the command line."""

from __future__ import annotations

import re

_OPTIONS = {
    "column": "--column",
    "n_components": "--components",
    "method": "--method",
    "missing": "--missing",
    "exponent": "--exponent",
    "level": "--level",
    "weight_kind": "--weight-kind",
    "n_replicates": "--refits",
    "rng": "--seed",
}


_PHRASES = {
    "equal_variances=True": "--equal-variances",
    "equal_weights=True": "--equal-weights",
    'fixed={"means": [0, None]}': "--fix means=0,",
    'bounds={"means": [(0, 5), None]}': "--bound means=0:5,",
    'method="profile"': "--intervals profile",
    "method='profile'": "--intervals profile",
    "sd_ratios": "--sd-ratios",
    "None where it is free": "nothing where it is free",
    "fixed= holds it": "--fix holds it",
}


def as_options(words: str) -> str:
    """Return advice that names arguments with the options that stand for them."""
    for argument, option in _PHRASES.items():
        words = words.replace(argument, option)
    for argument, option in _OPTIONS.items():
        words = re.sub(rf"\b{argument}=(['\"]?)([^\s'\",)]*)\1", rf"{option} \2", words)
    words = re.sub(r"\bfixed\['(\w+)'\]", r"--fix \1", words)
    words = re.sub(r"\bbounds\['(\w+)'\]", r"--bound \1", words)
    return words.replace("sample_weight", "--weights")
