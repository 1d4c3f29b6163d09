"""Colours and line styles: told apart by colour-blind readers, and in print without colour.

The colours of Okabe and Ito (2008), "Color Universal Design"; their yellow is too light for lines
on white. Every line has a dash pattern of its own as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bactrian.errors import ParameterError

LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
ROWS = "#d5d9dd"  # what the rows are drawn in
ROWS_EDGE = "#8b9299"
BAND = "#e8d3e0"  # where a cut, or a curve of drawn rows, may be
MUTED = "#6b7075"  # levels, contours, what is only for comparison
# What each colour is for: a page may put its own in the place of one by this name.
ROLES = {
    **{color: f"line-{i}" for i, color in enumerate(LINES, start=1)},
    ROWS: "rows",
    ROWS_EDGE: "rows-edge",
    BAND: "band",
    MUTED: "muted",
    "#000000": "ink",
    "#ffffff": "paper",
}

SOLID = "solid"
_DASHES: tuple[Any, ...] = (
    (0, (6, 2)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (1.2, 1.2)),
    (0, (3, 1.5)),
    (0, (6, 1.5, 1, 1.5, 1, 1.5)),
    (0, (9, 3)),
)
MARKERS = ("o", "s", "^", "D", "v", "P")


class Style(NamedTuple):
    """A colour and a dash pattern."""

    color: Any
    dashes: Any


def style(k: int, palette: Sequence[Any] | None = None) -> Style:
    """Return the style of the k-th line, counted from 0; colours come again after the last.

    Parameters
    ----------
    k : int
        Which line.
    palette : sequence of colours, optional
        In any form that Matplotlib knows; by default those of Okabe and Ito.
    """
    colors = LINES if palette is None else palette
    # Another pattern with every round, so that no two of 36 lines are the same.
    turn = k // len(_DASHES)
    return Style(colors[k % len(colors)], _DASHES[(k + turn) % len(_DASHES)])


def check_palette(palette: Any) -> None:
    """Refuse what is no list of colours.

    Raises
    ------
    ParameterError
        If it holds none, or something that Matplotlib does not take for a colour.
    """
    if palette is None:
        return
    from matplotlib.colors import is_color_like

    known = not isinstance(palette, str) and isinstance(palette, Sequence) and len(palette) > 0
    bad = [color for color in palette if not is_color_like(color)] if known else [palette]
    if bad:
        raise ParameterError(
            f'palette holds {bad[0]!r}, which is no colour; pass a list such as ["#0072b2", '
            '"darkorange"].'
        )
