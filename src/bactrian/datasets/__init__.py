"""Real data sets that ship with the package; ``README.md`` beside them says their provenance."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError

__all__ = ["DataSet", "describe", "load", "names", "path"]


@dataclass(frozen=True, slots=True)
class DataSet:
    """What a data set is.

    Attributes
    ----------
    title : what was measured, on what.
    columns : the columns with their units.
    rows : how many rows there are.
    source : who published the numbers.
    """

    title: str
    columns: dict[str, str]
    rows: int
    source: str


_COUNT = "how many had this value"
_CATALOGUE = {
    "crabs": DataSet(
        "Forehead to body length of 1000 shore crabs of Naples, in 29 classes",
        {"ratio": "middle of the class, no unit", "count": _COUNT},
        29,
        "Weldon (1893), Proc. R. Soc. 54, 318-329; Pearson (1894), Phil. Trans. A 185, 71-110",
    ),
    "faithful": DataSet(
        "Eruptions of the Old Faithful geyser",
        {"eruptions": "duration in minutes", "waiting": "minutes until the next eruption"},
        272,
        "Azzalini & Bowman (1990), Applied Statistics 39, 357-365; Härdle (1991)",
    ),
    "galaxies": DataSet(
        "Velocities of galaxies in six sections of the Corona Borealis region",
        {"velocity": "1000 km/s"},
        82,
        "Postman, Huchra & Geller (1986), Astron. J. 92, 1238-1247; Roeder (1990), JASA 85, 617",
    ),
    "heights": DataSet(
        "Standing height of adults in the United States, 2009 to 2012, 20 years or older",
        {"height": "cm", "count": _COUNT},
        560,
        "National Health and Nutrition Examination Survey, CDC/NCHS",
    ),
    "iris": DataSet(
        "Petals of three species of iris, 50 flowers each",
        {"petal_length": "cm", "petal_width": "cm"},
        150,
        "Anderson (1935), Bull. Am. Iris Soc. 59, 2-5; Fisher (1936), Ann. Eugenics 7, 179-188",
    ),
    "newcomb": DataSet(
        "Newcomb's passage times of light, as deviations from 24800 ns",
        {"deviation": "ns"},
        66,
        "Newcomb (1882); Stigler (1977), Annals of Statistics 5, 1055-1098",
    ),
    "penguins": DataSet(
        "Penguins of three species on the Palmer Archipelago",
        {"flipper_length": "mm", "body_mass": "g"},
        342,
        "Gorman, Williams & Fraser (2014), PLoS ONE 9(3), e90081",
    ),
}


def names() -> tuple[str, ...]:
    """The names of the data sets, in alphabetical order."""
    return tuple(sorted(_CATALOGUE))


def describe(name: str) -> DataSet:
    """What a data set is: its title, columns with units, number of rows, source.

    Raises
    ------
    ParameterError
        There is no data set of this name.
    """
    try:
        return _CATALOGUE[name]
    except (KeyError, TypeError):
        raise ParameterError(
            f"there is no data set {name!r}: choose one of {', '.join(names())}"
        ) from None


def path(name: str) -> Path:
    """The CSV file of a data set, for ``bactrian fit`` or any other program.

    Raises
    ------
    ParameterError
        There is no data set of this name.
    """
    describe(name)
    return Path(__file__).with_name(f"{name}.csv")


def load(name: str) -> dict[str, NDArray[np.float64]]:
    """The columns of a data set by name, each (rows,) float64 and read-only.

    Examples
    --------
    >>> load("faithful")["waiting"][:3]
    array([79., 54., 74.])

    Raises
    ------
    ParameterError
        There is no data set of this name.
    """
    with path(name).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = {}
    for column, entries in zip(header, zip(*rows, strict=True), strict=True):
        columns[column] = np.array([float(entry) for entry in entries])
        columns[column].flags.writeable = False
    return columns
