"""Figures as text for a page, and as files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from bactrian.errors import ParameterError
from bactrian.present.plots.palette import ROLES
from bactrian.present.wording import printable
from bactrian.writing import writable, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bactrian.present.plots.canvas import Axes

FORMATS = ("svg", "png", "pdf")
_DPI = 200
_OPENING = re.compile(r"<svg\b[^>]*>")
# A style sheet within a page would be one for the whole page.
_UNWANTED = re.compile(r"\s*<metadata>.*?</metadata>|\s*<defs>\s*<style.*?</defs>", re.DOTALL)
_STROKES = 'stroke-linejoin="round" stroke-linecap="butt"'
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_NAMES = re.compile(r'(\bid="|\burl\(#|href="#)')


def as_svg(
    ax: Axes,
    title: str = "",
    description: str = "",
    *,
    prefix: str = "bactrian",
    with_variables: bool = False,
) -> str:
    """Return the figure of the Axes as an ``svg`` element, the same for the same picture.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What to show.
    title, description : str
        For readers who do not see it; by default the names of the axes, and the words of the
        legend.
    prefix : str
        What the names within it begin with: pictures on one page need different ones.
    with_variables : bool
        Whether colours are written as ``var(--bactrian-line-1, #0072b2)``, so that a style sheet
        can replace them. The names are those of ``palette.ROLES``.

    Returns
    -------
    str
        Well-formed on its own and within HTML. Text is text, in the reader's fonts.
    """
    import matplotlib

    written, figure = StringIO(), _figure(ax)
    # The one place where rcParams differ, and only until the text is written.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}), _kept(figure):
        figure.savefig(written, format="svg")
    text = _UNWANTED.sub("", written.getvalue())
    opening = _OPENING.search(text)
    assert opening is not None
    body = _NAMES.sub(rf"\1{prefix}-", text[opening.end() :])
    words = escape(printable(title or _title(ax))), escape(printable(description or _words(ax)))
    start = (
        f'{opening[0][:-1]} {_STROKES} role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-description">\n'
        f' <title id="{prefix}-title">{words[0]}</title>\n'
        f' <desc id="{prefix}-description">{words[1]}</desc>'
    )
    if with_variables:
        body = _COLOR.sub(_as_variable, body)
    return "\n".join(line.rstrip() for line in (start + body).splitlines()) + "\n"


def _figure(ax: Axes) -> Figure:
    """The whole figure, where the Axes are in a part of one."""
    from matplotlib.figure import Figure

    found = ax.figure
    while not isinstance(found, Figure):
        found = found.figure
    return found


@contextmanager
def _kept(figure: Figure) -> Iterator[None]:
    """Put Axes back where they were: a layout moves them a little whenever they are drawn."""
    places = [(a, a.get_position(True), a.get_position(), a.get_in_layout()) for a in figure.axes]
    yield
    for axes, original, active, in_layout in places:
        axes.set_position(original, "original")
        axes.set_position(active, "active")
        axes.set_in_layout(in_layout)


def _as_variable(found: re.Match[str]) -> str:
    """A colour that a style sheet can replace, where it has a role."""
    role = ROLES.get(found[0])
    return found[0] if role is None else f"var(--bactrian-{role}, {found[0]})"


def _title(ax: Axes) -> str:
    """The names of the axes."""
    return f"{ax.get_ylabel()} over {ax.get_xlabel()}"


def _words(ax: Axes) -> str:
    """The words of the legend, and the remark."""
    words = [text.replace("\n", ", ") for text in ax.get_legend_handles_labels()[1]]
    remark = ax.get_title(loc="left")
    return "; ".join([*words, *([remark] if remark else [])])


def checked_format(path: str) -> str:
    """Return the format that the name of a file asks for.

    Raises
    ------
    ParameterError
        If its extension is none that pictures are written in.
    """
    extension = os.path.splitext(path)[1].lower().removeprefix(".")
    if extension not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise ParameterError(
            f"{os.path.basename(path)!r} does not end in one of {known}, by which the kind of "
            "picture is chosen; name the file accordingly."
        )
    return extension


def write_figure(ax: Axes, path: str) -> None:
    """Write the figure of the Axes to a file, whole or not at all.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What to show.
    path : str
        Ends in .svg, .png or .pdf.

    Raises
    ------
    ParameterError
        If its extension is another one.
    DataError
        If the file cannot be written.
    """
    kind, target = checked_format(path), writable(path, "fit.svg")
    if kind == "svg":
        content = as_svg(ax).encode("utf-8")
    else:
        buffer = BytesIO()
        if kind == "pdf":
            _figure(ax).savefig(buffer, format=kind, metadata={"CreationDate": None})
        else:
            _figure(ax).savefig(buffer, format=kind, dpi=_DPI)
        content = buffer.getvalue()
    write_whole(target, content)
