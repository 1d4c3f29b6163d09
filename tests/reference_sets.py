"""The reference sets of ``tests/reference``: their rows, and the fits certified for them."""

from __future__ import annotations

import csv
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FOLDER = Path(__file__).parent / "reference"
REBUILT = "s07_n1e6"


@cache
def certified() -> dict[str, Any]:
    """All certified fits, by name of the data set."""
    text = (FOLDER / "certified.json").read_text(encoding="utf-8")
    sets: dict[str, Any] = json.loads(text)["datasets"]
    return sets


@cache
def recipes() -> dict[str, Any]:
    """The recipes of the synthetic sets, by name."""
    text = (FOLDER / "synthetic_recipes.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def columns(name: str) -> dict[str, FloatArray]:
    """The columns of the stored file of a set."""
    with (FOLDER / "csv" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {
        column: np.array([float(entry) for entry in entries])
        for column, entries in zip(header, zip(*rows, strict=True), strict=True)
    }


def raw_names(*, large: bool = False) -> tuple[str, ...]:
    """The sets whose rows are values (not classes); the million rows only when ``large``."""
    return tuple(
        name
        for name in sorted(certified())
        if (large if name == REBUILT else _first_column(name) == "x")
    )


def class_names() -> tuple[str, ...]:
    """The sets whose rows are classes: lower and upper ends with counts."""
    raw = raw_names(large=True)
    return tuple(name for name in sorted(certified()) if name not in raw)


def _first_column(name: str) -> str:
    """The name of the first column of a stored set."""
    with (FOLDER / "csv" / f"{name}.csv").open(encoding="utf-8") as file:
        return file.readline().strip().partition(",")[0]


def load(name: str) -> tuple[FloatArray, FloatArray | None]:
    """The values of a set and how often each counts (None: once)."""
    if name == REBUILT:
        return np.array(" ".join(decimals(name)).split(), dtype=np.float64), None
    found = columns(name)
    return found["x"], found.get("count")


def classes(name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The lower ends, upper ends and counts of a set of classes."""
    found = columns(name)
    return found["lower"], found["upper"], found["count"]


def models(name: str) -> list[dict[str, Any]]:
    """The fits certified for a set; numbers are decimal strings of 25 digits."""
    found: list[dict[str, Any]] = certified()[name]["models"]
    return found


def decimals(name: str) -> list[str]:
    """The decimals of a synthetic set, rebuilt from its recipe.

    Row i takes the uniforms 2i and 2i + 1 of SplitMix64: the first chooses the component, the
    second becomes a normal deviate by algorithm AS 241. No random library is involved, so that
    the same decimals come out anywhere.
    """
    recipe = recipes()[name]
    uniforms = _uniforms(recipe["seed"], 2 * recipe["n"]).reshape(-1, 2)
    bounds = np.array([sum(recipe["weights"][: k + 1]) for k in range(len(recipe["weights"]))])
    component = np.searchsorted(bounds[:-1], uniforms[:, 0], side="right")
    means, sds = np.array(recipe["means"], float), np.array(recipe["sds"], float)
    values = means[component] + sds[component] * _normal_quantile(uniforms[:, 1])
    # Formatting rounds the exact value of the double; np.round would scale first and can differ.
    form = f"%.{recipe['decimals']}f"
    texts = [form % value for value in values.tolist()]
    if recipe["post"]:
        texts[-1] = recipe["post"][1]
    return [text + recipe["suffix"] for text in texts]


def _uniforms(seed: int, n: int) -> FloatArray:
    """The first n uniforms of SplitMix64, each in the middle of a cell of width 2^-53."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    cells: FloatArray = (z >> np.uint64(11)).astype(np.float64)
    return (cells + 0.5) / 2.0**53


# Wichura (1988), Applied Statistics 37, 477-484: numerator and denominator, highest power first.
_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_SHOULDER = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
     1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055,
     4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
     0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494,
     2.05319162663775882187, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
     0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358,
     5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
     7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531,
     0.59983220655588793769, 1.0),
)  # fmt: skip


def _normal_quantile(p: FloatArray) -> FloatArray:
    """The standard normal quantile by AS 241, operation for operation as published."""
    q = p - 0.5
    z = q * _ratio(_CENTRE, 0.180625 - q * q)
    outer = np.flatnonzero(np.abs(q) > 0.425)
    lower = np.minimum(p[outer], 1 - p[outer])
    # math.log, not np.log: the two may differ in the last bit, and the decimals must not.
    r = np.sqrt([-math.log(value) for value in lower.tolist()])
    tail = np.where(r <= 5, _ratio(_SHOULDER, r - 1.6), _ratio(_TAIL, r - 5))
    z[outer] = np.where(q[outer] < 0, -tail, tail)
    return z


def _ratio(coefficients: tuple[tuple[float, ...], ...], r: FloatArray) -> FloatArray:
    """A rational function by Horner's rule."""
    top, bottom = (np.full(r.shape, powers[0]) for powers in coefficients)
    for a, b in zip(coefficients[0][1:], coefficients[1][1:], strict=True):
        top, bottom = top * r + a, bottom * r + b
    ratio: FloatArray = top / bottom
    return ratio
