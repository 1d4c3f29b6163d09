"""The reference sets are what their documents say."""

from __future__ import annotations

import csv
import hashlib
import math

import numpy as np
import pytest

from tests.reference_sets import (
    FOLDER,
    REBUILT,
    certified,
    class_names,
    classes,
    decimals,
    load,
    models,
    raw_names,
    recipes,
)

STORED = sorted(name for name in recipes() if name != REBUILT)


def test_the_catalogue_and_the_certified_fits_name_the_same_sets() -> None:
    with (FOLDER / "datasets.csv").open(newline="", encoding="utf-8") as file:
        catalogue = {row["name"]: int(row["n"]) for row in csv.DictReader(file)}
    assert set(catalogue) == set(certified())
    assert len(raw_names(large=True)) == 47
    assert class_names() == ("crab_binned_closed", "crab_binned_open", "pike_binned_open")
    for name in raw_names():
        values, counts = load(name)
        assert catalogue[name] == (values.size if counts is None else counts.sum())


def test_classes_touch_and_count_whole_animals() -> None:
    for name in class_names():
        lower, upper, counts = classes(name)
        assert np.array_equal(lower[1:], upper[:-1])
        assert counts.sum() == certified()[name]["n"]


@pytest.mark.parametrize("name", STORED)
def test_a_recipe_gives_the_stored_decimals(name: str) -> None:
    made = decimals(name)
    assert hashlib.sha256("\n".join(made).encode()).hexdigest() == recipes()[name]["sha256_first"]
    assert (FOLDER / "csv" / f"{name}.csv").read_text("utf-8").split() == ["x", *made]


def test_the_million_rows_have_the_certified_loglike_of_one_component() -> None:
    values, _ = load(REBUILT)
    (one,) = [model for model in models(REBUILT) if model["model"] == "1"]
    mean, variance = float(one["means"][0]), float(one["variances"][0])
    squares = math.fsum(((values - mean) ** 2).tolist())
    loglike = -0.5 * values.size * math.log(2 * math.pi * variance) - 0.5 * squares / variance
    # One row off by the last decimal moves the sum by about 1e-6; rounding stays below 1e-9.
    assert loglike == pytest.approx(float(one["loglik"]), abs=2e-9)
