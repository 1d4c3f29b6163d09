"""The designs that ``calibration.py`` simulates, and where it keeps what it found."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import bactrian as bt

Array = NDArray[np.float64]
Law = Callable[[int, np.random.Generator], Array]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "calibration"
BLOCK = 50

NULL_SIZES = (50, 100, 200, 1000)
PAIR_SIZES = (200, 500, 1000)
POWER_SIZES = (100, 200)
PUBLISHED_SIZES = (200, 400)

# What a sample is asked, and how many numbers answer.
WIDTHS = {"fitted": 4, "equal": 1, "more": 1, "judged": 1, "bootstrap": 1}
P_EM, RATIO, SHOWN, P_DIP = range(4)  # of "fitted"
ONE_HUMP, SINGLE_MODE, DOUBTFUL, TWO_HUMPS = range(4)  # what the verdict's headline says


def mixture(weights: list[float], means: list[float], sds: list[float]) -> Law:
    """Rows of a normal mixture."""
    return lambda n, rng: bt.NormalMixture(weights, means, sds).sample(n, rng)


NORMAL: dict[str, Law] = {"normal": lambda n, rng: rng.standard_normal(n)}
SHAPES: dict[str, Law] = {
    "t with 5 degrees of freedom": lambda n, rng: rng.standard_t(5, n),
    "gamma with shape 4": lambda n, rng: rng.gamma(4.0, size=n),
    "uniform": lambda n, rng: rng.random(n),
}
PAIRS: dict[str, Law] = {
    "weights 0.5 and 0.5, 4 sds apart": mixture([0.5, 0.5], [0, 4], [1, 1]),
    "weights 0.3 and 0.7, 3 sds apart": mixture([0.3, 0.7], [0, 3], [1, 1]),
    "weights 0.5 and 0.5, means 0 and 4, sds 1 and 2": mixture([0.5, 0.5], [0, 4], [1, 2]),
}
POWER: dict[str, Law] = {
    f"weight {weight:g}, {apart:g} sds apart": mixture([weight, 1 - weight], [0, apart], [1, 1])
    for weight in (0.5, 0.3, 0.1)
    for apart in (2.0, 2.5, 3.0)
} | {"weight 0.5, equal means, sds 1 and 2": mixture([0.5, 0.5], [0, 0], [1, 2])}
_THIRDS, _THREE, _FOUR = [1 / 3, 1 / 3, 1 / 3], [-2.5, 0, 2.5], [-3, -1, 1, 3]
PUBLISHED: dict[str, Law] = {
    "1/3, 1/3, 1/3": mixture(_THIRDS, _THREE, [1, 1, 1]),
    "0.4, 0.2, 0.4": mixture([0.4, 0.2, 0.4], _THREE, [1, 1, 1]),
    "0.25, 0.25, 0.25, 0.25": mixture([0.25] * 4, _FOUR, [1] * 4),
    "0.35, 0.15, 0.15, 0.35": mixture([0.35, 0.15, 0.15, 0.35], _FOUR, [1] * 4),
    "0.25, 0.25, 0.25, 0.25, the outer sds 0.6, the inner 1.2": mixture(
        [0.25] * 4, _FOUR, [0.6, 1.2, 1.2, 0.6]
    ),
}
LAWS = NORMAL | SHAPES | PAIRS | POWER | PUBLISHED


class Cell(NamedTuple):
    """A law, a number of rows, and what is asked of its samples."""

    law: str
    n: int
    test: str

    @property
    def key(self) -> int:
        """A number for the law."""
        return zlib.crc32(self.law.encode())

    def file(self, first: int) -> Path:
        """Where the block that begins with a sample is kept."""
        return RESULTS / self.test / f"{self.key:08x}_{self.n}" / f"{first:06d}.npy"

    @property
    def found(self) -> Array:
        """What is kept, a row for each sample, in the order of their numbers up to a gap."""
        blocks = [np.empty((0, WIDTHS[self.test]))]
        while (file := self.file(BLOCK * (len(blocks) - 1))).exists():
            blocks.append(np.load(file))
        return np.concatenate(blocks)


def cells(laws: Iterable[str], sizes: Iterable[int], tests: tuple[str, ...]) -> list[Cell]:
    """All combinations."""
    return [Cell(law, n, test) for n in sizes for law in laws for test in tests]


BOTH = ("fitted", "equal")
PARTS: dict[str, list[Cell]] = {
    "size": cells(NORMAL, NULL_SIZES, BOTH),
    "shapes": cells(SHAPES, NULL_SIZES, BOTH),
    "judged": cells(SHAPES, NULL_SIZES, ("judged",)),
    "power": cells(POWER, POWER_SIZES, BOTH),
    "more": cells(PAIRS, PAIR_SIZES, ("more",)),
    "published": cells(PUBLISHED, PUBLISHED_SIZES, ("more",)),
    "bootstrap": cells(NORMAL, NULL_SIZES, ("bootstrap",)),
}
# In what order, and how many samples of each design: soon some of each, and then more.
PLAN = (
    ("size", 500), ("shapes", 200), ("power", 200), ("more", 200), ("published", 200),
    ("size", 1000), ("judged", 50), ("bootstrap", 100), ("shapes", 500), ("power", 500),
    ("size", 2000), ("more", 500), ("published", 500), ("bootstrap", 500), ("judged", 200),
    ("shapes", 1000), ("power", 1000), ("more", 1000), ("published", 1000),
)  # fmt: skip
