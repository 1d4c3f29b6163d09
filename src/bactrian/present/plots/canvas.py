"""The Axes to draw on, and what all pictures have in common.

Nothing here reads or changes the current figure or rcParams.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from bactrian.errors import ParameterError
from bactrian.present.wording import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes

SIZE = (6.4, 4.0)  # inches
SMALL = "small"
_PER_INCH, _FEWEST = 15.0, 24  # characters of that size, over the Axes


def check_plotting() -> None:
    """Refuse to draw without Matplotlib, before anything is computed.

    Raises
    ------
    ParameterError
        If it is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ParameterError(
            "pictures are drawn by Matplotlib, which is not installed: run "
            "pip install 'bactrian[plot]'"
        ) from None


def check_axes(ax: Any) -> None:
    """Refuse what cannot be drawn on.

    Raises
    ------
    ParameterError
        If it is neither Axes nor None, or Matplotlib is not installed.
    """
    check_plotting()
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise ParameterError(f"ax is {_what(ax)}, or leave it out for a new figure.")


def _what(ax: Any) -> str:
    """What was given for Axes, and what to pass for it."""
    shape = getattr(ax, "shape", None)
    if isinstance(shape, tuple) and len(shape) > 0:
        one = ", ".join("0" for _ in shape)
        return (
            f"an array of shape {shape} and no Matplotlib Axes; pass one of it, such as axes[{one}]"
        )
    if isinstance(ax, list | tuple | dict):
        return f"a {type(ax).__name__} of length {len(ax)} and no Matplotlib Axes; pass one Axes"
    name = type(ax).__name__
    if name in ("Figure", "SubFigure"):
        return f"a {name} and no Matplotlib Axes; pass one of its Axes, such as figure.gca()"
    return f"of type {name} and no Matplotlib Axes; pass one, such as plt.subplots()[1]"


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the Axes, or those of a new figure that pyplot knows.

    So notebooks show it, and ``plt.show()`` does.
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=SIZE, layout="constrained")[1]


def blank_axes(width: float = SIZE[0], height: float = SIZE[1]) -> Axes:
    """Return the Axes of a new figure that pyplot does not know: for files and pages.

    Parameters
    ----------
    width, height : float
        Inches.
    """
    check_plotting()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").subplots()


def ink(ax: Axes) -> Any:
    """Return the colour of the frame, which is legible on the paper whatever the style sheet."""
    from matplotlib.colors import to_hex

    return to_hex(ax.spines["bottom"].get_edgecolor())


def label(ax: Axes, x: str, y: str) -> None:
    """Name the axes; dollar signs and the like in the name of a column are no formulas."""
    for text, put in ((x, ax.set_xlabel), (y, ax.set_ylabel)):
        put(printable(text), parse_math=False, usetex=False)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def remark(ax: Axes, words: str) -> None:
    """Put a sentence above the picture, where there is one to say."""
    if words:
        inches = ax.get_window_extent().width / ax.figure.dpi
        shown = textwrap.fill(printable(words), max(int(_PER_INCH * inches), _FEWEST))
        ax.set_title(shown, loc="left", fontsize=SMALL, usetex=False, parse_math=False)


def column_label(column: str | None) -> str:
    """Return the name of the column, or what stands for it."""
    return "value" if column is None else column


def share(value: float) -> str:
    """Return a share as a percentage with two digits; a tiny one is not called zero."""
    percent = 100.0 * value
    if percent == 0.0:
        return "0 %"
    if 0.0 < percent < 0.01:
        return "< 0.01 %"
    return f"{percent:#.2g}".rstrip(".") + " %" if percent < 99.5 else f"{percent:.4g} %"
