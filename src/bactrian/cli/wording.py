"""Messages that name arguments of functions, in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bactrian.infer.estimates import Estimate
    from bactrian.infer.thresholds import Threshold
    from bactrian.present.summary import Summary

# What only Python can do is left out.
_PHRASES = {
    'homogeneity_test(method="bootstrap")': "bactrian test --method bootstrap",
    ", and 0 leaves the goodness of fit out": "",
    ', or allow more steps with max_steps=.': ".",
    "without start= and method=": "without --start and --method",
    "Leave out start= and method=": "Leave out --start and --method",
    ", or pass an ADBC connection": "",
    ", or take a quantile of this one: fit.mixture.ppf(0.95)": "",
    "; loglike(x, mixture) says how well such a mixture describes the data": "; leave one free",
    ", or a numpy Generator": "",
    "read it with numpy.load and pass the array": "save its column as CSV",
    "read it with pyarrow.feather.read_table and pass the table": "save it as Parquet",
    "load what Sketch.save wrote": "name what bactrian sketch wrote",
    "with Sketch.of": "with bactrian sketch",
    "read it with bactrian.Fit.from_json": "read it with bactrian.Fit.from_json in Python, or show "
    "it with bactrian plot or bactrian page",
    "give the weights to Sketch.of": "give the weights to bactrian sketch",
    'fixed={"means": [0, None]}': "--fix means=0,",
    'bounds={"means": [(0, 5), None]}': "--bound means=0:5,",
    "profile intervals less so": "profile intervals (--intervals profile) less so",
    "profile intervals say": "profile intervals (--intervals profile) say",
    "None leaves a component free": "nothing leaves a component free",
    "None where it is free": "nothing where it is free",
    "None leaves it free": "nothing leaves it free",
    "out of fixed and bounds": "out of --fix and --bound",
    "fixed= holds it": "--fix holds it",
    "such as [1, 2] for": "such as 1,2 for",
}  # fmt: skip
_OPTIONS = {
    "column": "--column",
    "n_components": "--components",
    "missing": "--missing",
    "exponent": "--exponent",
    "level": "--level",
    "weight_kind": "--weight-kind",
    "n_replicates": "--refits",
    "rng": "--seed",
}
_PAIRS = r"\((?P<one>[^(),]+), (?P<other>[^(),]+)\)"
_CONSTRAINT = r"\b(?P<kind>fixed|bounds)\['(?P<name>\w+)'\]"


def as_options(words: str) -> str:
    """Return advice that names arguments with the options that stand for them."""
    for phrase, instead in _PHRASES.items():
        words = words.replace(phrase, instead)
    for pattern, put in _PATTERNS:
        words = re.sub(pattern, put, words)
    return words


def as_rule(words: str) -> str:
    """Return words about a cut with the names that the rule of a threshold has."""
    for name in ("false_positive_rate", "false_negative_rate", "density_minimum"):
        words = words.replace(name, name.replace("_", "-"))
    return as_options(re.sub(rf"\b(costs|components)={_PAIRS}", _as_pair, words))


def summary_in_options(summary: Summary) -> Summary:
    """Return a summary whose sentences name options."""
    return replace(
        summary,
        outcome_sentence=as_options(summary.outcome_sentence),
        certainty=as_options(summary.certainty),
        warnings=tuple(map(as_options, summary.warnings)),
        estimates=tuple(map(_in_options, summary.estimates)),
    )


def threshold_in_options(threshold: Threshold) -> Threshold:
    """Return a threshold whose notes name options."""
    return replace(
        threshold,
        cut=_in_options(threshold.cut),
        false_positive_rate=_in_options(threshold.false_positive_rate),
        false_negative_rate=_in_options(threshold.false_negative_rate),
        error_rate=_in_options(threshold.error_rate),
    )


def _in_options(estimate: Estimate) -> Estimate:
    """An estimate whose note names options."""
    return replace(estimate, note=as_rule(estimate.note))


def _as_pair(found: re.Match[str]) -> str:
    """A pair of numbers with a colon."""
    return f"{found[1]}={_short(found['one'])}:{_short(found['other'])}"


def _as_entry(found: re.Match[str]) -> str:
    """One entry of what is fixed or bounded, with its value where that is named."""
    option = {"fixed": "--fix", "bounds": "--bound"}[found["kind"]]
    place = f"for component {int(found['at']) + 1}"
    if found["one"] is not None:
        value = f" {_short(found['one'])}:{_short(found['other'])}"
    else:
        value = "" if found["value"] is None else f" {found['value']}"
    return (
        f"{option} {found['name']}:{value} {place}"
        if value
        else f"{option} {found['name']} {place}"
    )


def _short(number: str) -> str:
    """A number without a decimal that says nothing; nothing for a bound that is none."""
    return "" if number == "None" else number.removesuffix(".0")


def _as_list(found: re.Match[str]) -> str:
    """Ratios as they are written after the option."""
    return "--sd-ratios " + ",".join(map(_short, found[1].split(", ")))


_PATTERNS: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    *(
        (rf"\b{argument}=(['\"]?)([^\s'\",)]*)\1", rf"{option} \2")
        for argument, option in _OPTIONS.items()
    ),
    (r'\bmethod=["\'](profile|wald)["\'] or "(\w+)"', r"--intervals \1 or \2"),
    (r'\bmethod=["\'](profile|wald)["\']', r"--intervals \1"),
    (r'\bmethod=["\'](\w+)["\']', r"--method \1"),
    (rf"{_CONSTRAINT}\[(?P<at>\d+)\](?:={_PAIRS}|=(?P<value>[^\s;,]+))?", _as_entry),
    (r"\bfixed\['(\w+)'\]", r"--fix \1"),
    (r"\bbounds\['(\w+)'\]", r"--bound \1"),
    (r"^fixed names\b", "--fix names"),
    (r"^bounds names\b", "--bound names"),
    (r"\bsd_ratios=\[([^\]]*)\]", _as_list),
    (r"\bsd_ratios\b", "--sd-ratios"),
    (r"\bequal_variances(=True)?\b", "--equal-variances"),
    (r"\bequal_weights(=True)?\b", "--equal-weights"),
    (r"\bsample_weight(?= (is|has|goes|must)\b)", "--weights"),
]
