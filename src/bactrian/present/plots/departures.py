"""Rows beside the fitted mixture: a Q-Q plot, and the excess of their distribution function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bactrian.infer.envelopes import Band
from bactrian.present.plots.canvas import axes_or_new, column_label, ink, label, remark
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import BAND, LINES, MUTED
from bactrian.present.plots.pictures import DeparturePicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes


def draw_qq(picture: DeparturePicture, ax: Axes | None = None) -> Axes:
    """Draw quantile residuals over normal quantiles, with their band; return the Axes."""
    ax, found = axes_or_new(ax), picture.departures
    _band(ax, picture, found.residual_band)
    ends = [float(found.scores[0]), float(found.scores[-1])]
    ax.plot(ends, ends, color=MUTED, linewidth=1.0, label="as in the mixture")
    ax.plot(
        found.scores, found.residuals, linestyle="none", marker="o", markersize=3.0,
        markeredgewidth=0.0, color=LINES[0], label="rows",
    )  # fmt: skip
    name = f"quantile residual of {column_label(picture.column)}"
    return _finished(ax, picture, "standard normal quantile", name)


def draw_pit(picture: DeparturePicture, ax: Axes | None = None) -> Axes:
    """Draw by how much the rows' share exceeds the mixture's, with its band; return the Axes."""
    ax, found = axes_or_new(ax), picture.departures
    _band(ax, picture, found.excess_band)
    ax.axhline(0.0, color=MUTED, linewidth=1.0, label="as in the mixture")
    ax.plot(
        [0.0, *found.fitted, 1.0], [0.0, *found.excess, 0.0], linewidth=1.4, color=LINES[0],
        label="rows",
    )  # fmt: skip
    ax.set_xlim(0.0, 1.0)
    name = f"share of the mixture below {column_label(picture.column)}"
    return _finished(ax, picture, name, "share of rows less that share")


def _band(ax: Axes, picture: DeparturePicture, band: Band | None) -> None:
    """The band, and what it is."""
    found = picture.departures
    if band is None:
        return
    ax.fill_between(
        band.at, band.low, band.high, color=BAND, linewidth=0.0, zorder=0.9,
        label=f"{100.0 * found.level:.6g} % of {found.n_replicates - found.n_failed} samples\n"
        "drawn and fitted stay inside",
    )  # fmt: skip
    for ends in (band.low, band.high):
        ax.plot(band.at, ends, color=ink(ax), linewidth=0.5, linestyle=(0, (4, 2)), zorder=0.95)


def _finished(ax: Axes, picture: DeparturePicture, x: str, y: str) -> Axes:
    """The Axes with their names, legend and remark."""
    label(ax, x, y)
    remark(ax, picture.problem)
    legend(ax, first=("upper left",))
    return ax
