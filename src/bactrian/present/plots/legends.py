"""Where the legend stands: never on what is drawn.

In a free place of the Axes if there is one, else above what is drawn, for which the y-axis is made
longer, and where even that would take most of a small picture, above the Axes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bactrian.present.plots.canvas import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

_PLACES: tuple[Any, ...] = (
    "upper right", "upper left", "lower right", "lower left", "center right", "center left",
    "upper center", "lower center", "center",
)  # fmt: skip
# Sizes of letters, and how much of the height of the Axes such a legend may take.
_SIZES = ((SMALL, 0.45), ("x-small", 0.45), ("xx-small", 0.6))
_SHORT: dict[str, Any] = {
    "handlelength": 1.4,
    "handletextpad": 0.5,
    "columnspacing": 0.9,
    "markerscale": 0.7,
}
_MOST_COLUMNS = 4
_PAD = 0.3  # between legend and frame, in heights of its letters
_NONE = ("None", "none", " ", "", None)  # how Matplotlib says that there is no line, or no marker
_AIR = 3.0  # pixels between legend and lines
_WIDE, _HANDLE, _LEAST = 0.6, 3.0, 12  # a letter, and what stands before it, in their heights


def legend(ax: Axes, *upright: Any, first: Sequence[Any] = ()) -> None:
    """Add the legend where it covers nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With all that is to be drawn; its limits are final but for the room that a legend needs.
    *upright : matplotlib.lines.Line2D or matplotlib.patches.Rectangle
        What goes from the bottom of the Axes to their top: it ends beneath the legend.
    first : sequence of str
        Places to be tried before the others.
    """
    if not ax.get_legend_handles_labels()[1]:
        return
    _settle(ax)
    places = tuple(dict.fromkeys((*first, *_PLACES)))
    drawn = list(_outlines(ax))
    frame = ax.get_window_extent()
    for size, most in _SIZES:
        found = _made(ax, size, 1)
        box = found.get_window_extent()
        inner = frame.padded(-_PAD * _letters(found))
        for place in places:
            if _is_free(_put(box, inner, place), inner, drawn):
                found.set_loc(place)
                return
        found = _flattest(ax, size)
        taken = found.get_window_extent().height + 2.0 * _PAD * _letters(found) + _AIR
        if found.get_window_extent().width <= frame.width and taken <= most * frame.height:
            found.set_loc("upper left")
            _make_room(ax, 1.0 - taken / frame.height, upright)
            return
    _put_above(ax, found)


def _settle(ax: Axes) -> None:
    """Give the Axes the size that they will have, and their limits."""
    figure = ax.figure.canvas.figure
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    ax.get_xlim(), ax.get_ylim()  # limits that follow the data are made when they are asked for


def _made(ax: Axes, size: str, n_columns: int) -> Legend:
    """The legend in letters of a size, at the upper left for now."""
    found = ax.legend(
        loc="upper left", fontsize=size, ncols=n_columns, borderaxespad=_PAD, frameon=True,
        fancybox=False, edgecolor="none", framealpha=0.85, **({} if size == SMALL else _SHORT),
    )  # fmt: skip
    room = ax.get_window_extent().width / _letters(found) - _HANDLE
    for text in found.get_texts():
        text.set(usetex=False, parse_math=False)
        if size != SMALL:
            lines = text.get_text().splitlines()
            most = max(int(room / _WIDE), _LEAST)
            text.set_text("\n".join(textwrap.fill(line, most) for line in lines))
    return found


def _flattest(ax: Axes, size: str) -> Legend:
    """The legend in as many columns as make it low and are not wider than the Axes."""
    best, width = _made(ax, size, 1), ax.get_window_extent().width
    lowest, columns = best.get_window_extent().height, 1
    for n in range(2, min(len(best.get_texts()), _MOST_COLUMNS) + 1):
        box = _made(ax, size, n).get_window_extent()
        if box.width <= width and box.height < lowest - 1.0:
            lowest, columns = box.height, n
    return _made(ax, size, columns)


def _letters(found: Legend) -> float:
    """How high its letters are, in pixels."""
    return float(found.get_texts()[0].get_fontsize()) * found.axes.figure.dpi / 72.0


def _put(box: Any, inner: Any, place: str) -> Any:
    """A box at a place of a larger one: measuring the letters anew for each would take long."""
    dx = 0.0 if "left" in place else 1.0 if "right" in place else 0.5
    dy = 0.0 if "lower" in place else 1.0 if "upper" in place else 0.5
    return box.translated(
        inner.x0 - box.x0 + dx * (inner.width - box.width),
        inner.y0 - box.y0 + dy * (inner.height - box.height),
    )


def _is_free(box: Any, inner: Any, drawn: list[tuple[Any, bool]]) -> bool:
    """Whether a box is within a larger one and meets nothing that is drawn."""
    if box.width > inner.width or box.height > inner.height:
        return False
    around = box.padded(_AIR)
    return not any(path.intersects_bbox(around, filled=filled) for path, filled in drawn)


def _outlines(ax: Axes) -> Iterator[tuple[Any, bool]]:
    """The paths of all that is drawn, in pixels, and whether they are filled."""
    from matplotlib.path import Path

    for line in ax.lines:
        path = line.get_transform().transform_path(line.get_path())
        if line.get_linestyle() not in _NONE:
            yield path, False
        if line.get_marker() not in _NONE:
            half = 0.5 * float(line.get_markersize()) * ax.figure.dpi / 72.0 + 1.0
            for x, y in np.asarray(path.vertices, dtype=np.float64):
                yield Path([(x - half, y), (x + half, y)]), False
                yield Path([(x, y - half), (x, y + half)]), False
    for patch in ax.patches:
        yield patch.get_transform().transform_path(patch.get_path()), True
    for collection in ax.collections:
        is_filled = len(collection.get_facecolor()) > 0
        for path in collection.get_paths():
            yield collection.get_transform().transform_path(path), is_filled
    for text in ax.texts:
        box = text.get_window_extent()
        yield Path([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)]), True


def _make_room(ax: Axes, share: float, upright: Sequence[Any]) -> None:
    """Leave what is drawn a share of the height, from the bottom up."""
    scale, ends = ax.yaxis.get_transform(), ax.get_ylim()
    low, high = scale.transform(np.array(ends))
    top = scale.inverted().transform(np.array([low + (high - low) / share]))
    # Limits that follow the data go on doing so when more is drawn.
    ax.set_ylim(ends[0], float(top[0]), auto=ax.get_autoscaley_on())
    for artist in upright:
        if hasattr(artist, "set_ydata"):
            artist.set_ydata([0.0, share])
        else:
            artist.set_height(share)


def _put_above(ax: Axes, found: Legend) -> None:
    """Put the legend above the Axes, and above the words there."""
    from matplotlib.transforms import ScaledTranslation

    lines = len(ax.get_title(loc="left").splitlines())
    height = lines * 1.3 * _letters(found) / ax.figure.dpi
    up = ScaledTranslation(0.0, height, ax.figure.dpi_scale_trans)
    found.set_loc("lower left")
    found.set_bbox_to_anchor((0.0, 1.0), transform=ax.transAxes + up)
