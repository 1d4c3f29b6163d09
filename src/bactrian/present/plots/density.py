"""Rows and the density fitted to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bactrian.infer.estimates import Estimate
from bactrian.infer.rounding import round_by_error
from bactrian.infer.thresholds import Threshold
from bactrian.present.plots.canvas import (
    axes_or_new,
    column_label,
    ink,
    label,
    remark,
    share,
)
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import BAND, ROWS, ROWS_EDGE, SOLID, style
from bactrian.present.plots.pictures import DensityPicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes

_SPIKE, _ROOM = 5.0, 1.5  # times the tallest bar: what is taller would leave the rows flat


def draw_density(
    picture: DensityPicture, ax: Axes | None = None, palette: Sequence[Any] | None = None
) -> Axes:
    """Draw the histogram, the density and its components, and a cut; return the Axes.

    Parameters
    ----------
    picture : DensityPicture
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where; a new figure by default.
    palette : sequence of colours, optional
        For the components.
    """
    ax = axes_or_new(ax)
    ax.stairs(
        picture.heights, picture.edges, fill=True, facecolor=ROWS, edgecolor=ROWS_EDGE,
        linewidth=0.6, label=picture.rows, zorder=1.0,
    )  # fmt: skip
    upright: list[Any] = []
    if picture.threshold is not None:
        upright = _cut(ax, picture.threshold, float(picture.x[0]), float(picture.x[-1]))
    name = "normal density" if len(picture.weights) == 1 else "mixture"
    # Beneath the components, which are as high where there is only one of them.
    ax.plot(picture.x, picture.total, color=ink(ax), linestyle=SOLID, linewidth=2.4, label=name)
    for k, part in enumerate(picture.components):
        color, dashes = style(k, palette)
        ax.plot(
            picture.x, part, color=color, linestyle=dashes, linewidth=1.6,
            label=f"component {k + 1} ({share(picture.weights[k])})",
        )  # fmt: skip
    ax.margins(x=0.0, y=0.05)
    label(ax, column_label(picture.column), "density")
    remarks = picture.problem, _without_spike(ax, picture), _without_cut(picture.threshold)
    remark(ax, " ".join(filter(None, remarks)))
    legend(ax, *upright)
    return ax


def _without_spike(ax: Axes, picture: DensityPicture) -> str:
    """Leave the picture to the rows where a component is far taller; return the words for that."""
    tallest, top = float(picture.heights.max()), float(picture.total.max())
    if top <= _SPIKE * tallest:
        return ""
    ax.set_ylim(0.0, _ROOM * tallest)
    return f"The density rises to {top:.2g}, beyond this picture."


def _cut(ax: Axes, threshold: Threshold, first: float, last: float) -> list[Any]:
    """The cut, its interval as a band, and the rates in words."""
    cut, drawn = threshold.cut, list[Any]()
    if not math.isfinite(cut.value):
        return drawn
    words = [f"cut {_in_words(cut)}"]
    for name, rate in (
        ("false positives", threshold.false_positive_rate),
        ("false negatives", threshold.false_negative_rate),
    ):
        if math.isfinite(rate.value):
            words.append(f"{name} {_rate(rate)}")
    if not math.isnan(cut.low):
        ends = max(cut.low, first), min(cut.high, last)
        drawn.append(ax.axvspan(*ends, color=BAND, linewidth=0.0, zorder=0.9))
        for end in (cut.low, cut.high):  # in print the band is as grey as the rows
            if first < end < last:
                drawn.append(ax.axvline(
                    end, color=ink(ax), linewidth=0.5, linestyle=(0, (4, 2)), zorder=1.8
                ))  # fmt: skip
    drawn.append(ax.axvline(
        cut.value, color=ink(ax), linestyle=(0, (2, 1.5)), linewidth=1.2, zorder=1.9,
        label="\n".join(words),
    ))  # fmt: skip
    return drawn


def _in_words(cut: Estimate) -> str:
    """The cut with its interval, rounded by its error."""
    shown = round_by_error(cut.value, cut.standard_error, cut.low, cut.high)
    if math.isnan(cut.low):
        return shown.value
    if math.isinf(cut.low) or math.isinf(cut.high):
        ends = [f"from {shown.low}"] if math.isfinite(cut.low) else []
        ends += [f"up to {shown.high}"] if math.isfinite(cut.high) else []
        return f"{shown.value} ({100.0 * cut.level:.6g} %: {' '.join(ends) or 'anywhere'})"
    return f"{shown.value} ({100.0 * cut.level:.6g} %: {shown.low} to {shown.high})"


def _rate(rate: Estimate) -> str:
    """A rate with its interval, in percent."""
    if math.isnan(rate.low):
        return share(rate.value)
    return f"{share(rate.value)} ({share(rate.low)} to {share(rate.high)})".replace(" % to", " to")


def _without_cut(threshold: Threshold | None) -> str:
    """Why there is no cut, or nothing."""
    is_missing = threshold is not None and not math.isfinite(threshold.cut.value)
    return threshold.note if threshold is not None and is_missing else ""
