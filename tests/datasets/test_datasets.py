from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from bactrian import datasets
from bactrian.data.tables.rows import read_rows
from bactrian.errors import ParameterError
from tests import reference_sets

SAME = [
    ("crabs", "ratio", "crab_midpoints"),
    ("faithful", "eruptions", "faithful_eruptions"),
    ("faithful", "waiting", "faithful_waiting"),
    ("galaxies", "velocity", "galaxies_rg"),
    ("heights", "height", "nhanes_adult_height"),
    ("iris", "petal_length", "iris_petal_length"),
    ("iris", "petal_width", "iris_petal_width"),
    ("newcomb", "deviation", "newcomb"),
    ("penguins", "flipper_length", "penguins_flipper"),
    ("penguins", "body_mass", "penguins_bodymass"),
]


@pytest.mark.parametrize("name", datasets.names())
def test_a_set_is_as_described(name: str) -> None:
    columns = datasets.load(name)
    described = datasets.describe(name)
    assert list(columns) == list(described.columns)
    for values in columns.values():
        assert values.shape == (described.rows,)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        assert not values.flags.writeable


@pytest.mark.parametrize(("name", "column", "reference"), SAME)
def test_a_set_holds_the_reference_values(name: str, column: str, reference: str) -> None:
    values, counts = reference_sets.load(reference)
    assert np.array_equal(datasets.load(name)[column], values)
    if counts is not None:
        assert np.array_equal(datasets.load(name)["count"], counts)


def test_durations_and_waiting_times_of_faithful_belong_together() -> None:
    columns = datasets.load("faithful")
    rows = list(zip(columns["eruptions"].tolist(), columns["waiting"].tolist(), strict=True))
    # First and last rows as printed by R.
    assert rows[:3] == [(3.6, 79.0), (1.8, 54.0), (3.333, 74.0)]
    assert rows[-2:] == [(1.817, 46.0), (4.467, 74.0)]


@pytest.mark.parametrize("name", datasets.names())
def test_the_file_reads_as_the_loaded_columns(name: str) -> None:
    pytest.importorskip("duckdb")
    for column, values in datasets.load(name).items():
        assert np.array_equal(read_rows(datasets.path(name), column=column).values, values)


def test_the_loaded_columns_can_be_read_as_they_are() -> None:
    rows = read_rows(datasets.load("crabs"), sample_weight="count")
    assert rows.name == "ratio"
    assert rows.weights is not None
    assert rows.weights.sum() == 1000


def test_an_unknown_set_is_answered_with_the_names() -> None:
    with pytest.raises(ParameterError, match=r"no data set 'geyser'.*crabs, faithful, galaxies"):
        datasets.load("geyser")


def test_no_path_leads_out_of_the_package() -> None:
    with pytest.raises(ParameterError, match="no data set"):
        datasets.path("../datasets/faithful")


def test_the_provenance_table_lists_every_set_with_its_columns() -> None:
    folder = Path(datasets.__file__).parent
    text = (folder / "README.md").read_text("utf-8")
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| ([^|]+) \|", text, re.MULTILINE)
    listed = {name: (int(rows), re.findall(r"`(\w+)`", columns)) for name, rows, columns in found}
    expected = {
        name: (datasets.describe(name).rows, list(datasets.describe(name).columns))
        for name in datasets.names()
    }
    assert listed == expected
    assert {path.stem for path in folder.glob("*.csv")} == set(datasets.names())


def test_the_files_ship_with_the_wheel() -> None:
    root = Path(__file__).parents[2]
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["src/bactrian"]
    assert "exclude" not in wheel
