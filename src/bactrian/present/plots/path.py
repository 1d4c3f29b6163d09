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
_APART = 0.4  # inches between the names of contours, and from these to the maximum
_WAY = 2.5  # how much nearer they may be to an ascent
_GRAIN = 6.0  # pixels
_MANY = 40  # steps from which not each of them is marked


def draw_path(
    picture: PathPicture, ax: Axes | None = None, palette: Sequence[Any] | None = None
) -> Axes:
    """Draw contours of the log-likelihood and the ways of the ascents; return the Axes.

    The parameters are those of ``draw_density``.
    """
    ax = axes_or_new(ax)
    contours = _contours(ax, picture)
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
    if contours is not None:
        _name_contours(ax, contours, picture)
    return ax


def _in_words(path: Path) -> str:
    """The method, how many steps, and how many of them are of another one."""
    n = len(path.kinds)
    others = [kind for kind in _NAMES if kind != path.method and kind in path.kinds]
    shown = ", ".join(f"{path.kinds.count(kind)} {_SHORT[kind]}" for kind in others)
    words = f"{_NAMES[path.method]}: {n} step{'s' * (n != 1)}"
    return f"{words} ({shown})" if shown else words


def _contours(ax: Axes, picture: PathPicture) -> Any:
    """Where the log-likelihood has fallen by round numbers."""
    first, second, loglike = picture.surface
    known = loglike[np.isfinite(loglike)]
    if not known.size:
        return None
    deepest = -float(known.min())
    falls = [digit * 10.0**i for i in _DECADES for digit in (1.0, 3.0)]
    falls = [fall for fall in falls if _SHARE * deepest < fall < deepest]
    drawn = ax.contour(
        first, second, np.ma.masked_invalid(loglike), levels=[-fall for fall in reversed(falls)],
        colors=[MUTED], linewidths=0.7, linestyles="solid", zorder=1.0,
    )  # fmt: skip
    remark(ax, "contours: log-likelihood below its maximum, other parameters at their best")
    return drawn


def _name_contours(ax: Axes, drawn: Any, picture: PathPicture) -> None:
    """Write its level once on each contour that has room for it, from the outermost inwards."""
    at = ax.transData.transform
    frame, covered = ax.get_window_extent(), ax.get_legend()
    near = _APART * ax.figure.dpi
    taken = at([picture.end])
    ways = np.concatenate([_between(at(np.column_stack(path[1:3]))) for path in picture.paths])
    places = []
    for path in drawn.get_paths():
        points = at(path.vertices)
        inside = ((points > frame.p0 + near / 2) & (points < frame.p1 - near / 2)).all(axis=1)
        if covered is not None:
            box = covered.get_window_extent().padded(near / 2)
            inside &= ~((points > box.p0) & (points < box.p1)).all(axis=1)
        points = points[inside]
        if not len(points):
            continue
        apart = np.minimum(_nearest(points, taken), _WAY * _nearest(points, ways))
        best = points[apart.argmax()]
        if apart.max() > near:
            taken = np.vstack([taken, best])
            places.append(tuple(ax.transData.inverted().transform(best)))
    words = {level: f"−{-level:g}" for level in drawn.levels}
    ax.clabel(drawn, fmt=words, fontsize="x-small", inline_spacing=2, manual=places)


def _between(points: Any) -> Any:
    """Points along a broken line, a few pixels apart: a way has thousands on the same spot."""
    share = np.linspace(0.0, 1.0, 12)[:, None, None]
    every = ((1.0 - share) * points[:-1] + share * points[1:]).reshape(-1, 2)
    return _GRAIN * np.unique(np.round(every / _GRAIN), axis=0)


def _nearest(points: Any, others: Any) -> Any:
    """The distance (n,) from each of the points (n, 2) to the nearest of the others."""
    return np.hypot(*(points[:, None] - others).transpose(2, 0, 1)).min(axis=1)
