"""Legends cover nothing that is drawn: by what is in the picture, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import numpy as np
import pytest

import bactrian as bt
from tests.problems import draw, drawn_fit

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.figure import Figure

from bactrian.fitting.paths import path_picture
from bactrian.present.plots.canvas import SIZE
from bactrian.present.plots.path import draw_path
from bactrian.present.plots.pictures import PathPicture

FAITHFUL = bt.datasets.load("faithful")
SMALL = (3.0, 2.5)
POOR = bt.NormalMixture([0.5, 0.5], [1.0, 1.5], [2.0, 2.0])


@pytest.fixture(autouse=True)
def _without_display() -> Iterator[None]:
    """New figures need no display, and are closed."""
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@cache
def waiting() -> bt.Fit:
    """Two humps, of which either may be where a legend is put by default."""
    return bt.fit(FAITHFUL, column="waiting")


@cache
def ascents() -> PathPicture:
    """Two ascents from one start."""
    x = draw("overlapping")
    methods: tuple[Literal["em", "newton"], ...] = ("em", "newton")
    by = [bt.fit(x, start=POOR, method=method) for method in methods]
    return path_picture(by, None)


PICTURES: dict[str, Callable[[Any], Any]] = {
    "density": lambda ax: waiting().plot(ax),
    "cut": lambda ax: waiting().plot(ax, threshold=True),
    "three": lambda ax: drawn_fit("three").plot(ax),
    "responsibilities": lambda ax: waiting().plot_responsibilities(ax),
    "three humps": lambda ax: drawn_fit("three").plot_responsibilities(ax),
    "qq": lambda ax: waiting().plot_qq(ax, n_replicates=19, rng=1),
    "pit": lambda ax: waiting().plot_pit(ax, n_replicates=19, rng=1),
    "profile": lambda ax: waiting().plot_profile("sd 1", ax),
    "path": lambda ax: draw_path(ascents(), ax),
    "criteria": lambda ax: bt.compare(FAITHFUL, (1, 2), column="waiting").plot(ax),
}


def pixels(figure: Figure) -> Any:
    """The picture as it is painted."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def covered(ax: Any) -> int:
    """How many pixels of the paper under the legend are not blank, without it."""
    found = ax.get_legend()
    pixels(ax.figure)
    ax.figure.set_layout_engine("none")  # so that nothing moves any more
    box, height = found.get_window_extent(), ax.figure.bbox.height
    found.set_visible(False)
    ax.set_axis_off()  # ticks are no data; the frame the legend may touch
    under = pixels(ax.figure)[
        max(int(height - box.y1) + 1, 0) : int(height - box.y0), int(box.x0) + 1 : int(box.x1)
    ]
    assert under.size > 0
    return int((under.min(axis=2) < 250).sum())


def is_within(ax: Any) -> bool:
    """Whether the legend is within the figure."""
    ax.figure.draw_without_rendering()
    box, paper = ax.get_legend().get_window_extent(), ax.figure.bbox
    return bool(
        paper.x0 <= box.x0 and box.x1 <= paper.x1 and paper.y0 <= box.y0 and box.y1 <= paper.y1
    )


@pytest.mark.parametrize("size", [SIZE, SMALL], ids=["default", "small"])
@pytest.mark.parametrize("name", list(PICTURES))
def test_no_legend_covers_what_is_drawn(name: str, size: tuple[float, float]) -> None:
    layout: Any = "constrained" if size == SIZE else None
    ax = PICTURES[name](Figure(figsize=size, layout=layout).subplots())
    assert is_within(ax)
    assert covered(ax) == 0


def test_a_legend_on_the_curves_is_noticed_here() -> None:
    ax: Any = waiting().plot(Figure(figsize=SIZE, layout="constrained").subplots())
    ax.get_legend().set_loc("center right")
    assert covered(ax) > 100


def test_a_cut_ends_beneath_the_legend_and_the_rates_are_whole() -> None:
    ax: Any = waiting().plot(Figure(figsize=SMALL).subplots(), threshold=True)
    words = " ".join(text.get_text() for text in ax.get_legend().get_texts()).split()
    assert "4.1 %)" in " ".join(words)
    ax.figure.draw_without_rendering()
    top = max(line.get_window_extent().y1 for line in ax.lines)
    assert top <= ax.get_legend().get_window_extent().y0
    assert top > ax.transData.transform((0.0, 0.04))[1]


def test_a_second_picture_on_the_same_axes_is_seen_whole() -> None:
    ax = Figure(figsize=SIZE, layout="constrained").subplots()
    waiting().plot(ax, threshold=True)
    narrow = bt.fit(70.0 + 0.1 * draw("apart"))
    narrow.plot(ax)
    highest = max(np.nanmax(line.get_ydata()) for line in ax.lines)
    assert ax.get_ylim()[1] >= highest


def test_names_of_contours_keep_apart() -> None:
    for size in (SIZE, SMALL):
        ax = PICTURES["path"](Figure(figsize=size).subplots())
        ax.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in ax.texts]
        assert len(boxes) >= 2
        boxes.append(ax.get_legend().get_window_extent())
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:i])
