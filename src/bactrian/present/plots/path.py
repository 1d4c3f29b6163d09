"""Ascents on the surface of the log-likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bactrian.present.plots.canvas import axes_or_new, ink, label, remark
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import MARKERS, MUTED, style
from bactrian.present.plots.pictures import Path, PathPicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes

_NAMES = {"newton": "Newton", "em": "EM", "gradient": "gradient ascent", "lbfgs": "L-BFGS"}
_SHORT = {"newton": "Newton's", "em": "EM's", "gradient": "of its slope", "lbfgs": "of L-BFGS"}
_DECADES = range(-6, 16)
_SHARE = 3e-4  # of the deepest point: contours closer to the maximum would be a blot
_MANY = 40  # steps from which not each of them is marked


def draw_path(
    picture: PathPicture, ax: Axes | None = None, palette: Sequence[Any] | None = None
) -> Axes:
    """Draw contours of the log-likelihood and the ways of the ascents; return the Axes.

    The parameters are those of ``draw_density``.
    """
    ax = axes_or_new(ax)
    _contours(ax, picture)
    for i, path in enumerate(picture.paths):
        color, dashes = style(i, palette)
        ax.plot(
            path.first, path.second, color=color, linestyle=dashes if i else "solid",
            linewidth=1.4, marker=MARKERS[i % len(MARKERS)], markersize=4.0,
            markevery=max(1, -(-len(path.kinds) // _MANY)), markerfacecolor="none",
            zorder=2.0 + 0.1 * i, label=_in_words(path),
        )  # fmt: skip
    ax.plot(*[[at] for at in picture.end], linestyle="none", marker="*", markersize=9.0,
            color=ink(ax), zorder=4.0, label="maximum")  # fmt: skip
    label(ax, *picture.names)
    legend(ax)
    return ax


def _in_words(path: Path) -> str:
    """The method, how many steps, and how many of them are of another one."""
    n = len(path.kinds)
    others = [kind for kind in _NAMES if kind != path.method and kind in path.kinds]
    shown = ", ".join(f"{path.kinds.count(kind)} {_SHORT[kind]}" for kind in others)
    words = f"{_NAMES[path.method]}: {n} step{'s' * (n != 1)}"
    return f"{words} ({shown})" if shown else words


def _contours(ax: Axes, picture: PathPicture) -> None:
    """Where the log-likelihood has fallen by round numbers."""
    first, second, loglike = picture.surface
    known = loglike[np.isfinite(loglike)]
    if not known.size:
        return
    deepest = -float(known.min())
    falls = [digit * 10.0**i for i in _DECADES for digit in (1.0, 3.0)]
    falls = [fall for fall in falls if _SHARE * deepest < fall < deepest]
    drawn = ax.contour(
        first, second, np.ma.masked_invalid(loglike), levels=[-fall for fall in reversed(falls)],
        colors=[MUTED], linewidths=0.7, linestyles="solid", zorder=1.0,
    )  # fmt: skip
    words = {-fall: f"−{fall:g}" for fall in falls}
    ax.clabel(drawn, fmt=words, fontsize="x-small", inline_spacing=2)
    remark(ax, "contours: log-likelihood below its maximum, other parameters at their best")
