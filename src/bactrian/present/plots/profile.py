"""The profile likelihood of a quantity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bactrian.infer.rounding import round_by_error
from bactrian.present.plots.canvas import axes_or_new, ink, label, remark
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import BAND, LINES, MUTED
from bactrian.present.plots.pictures import ProfilePicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes

_DEPTH = 1.7  # of the level: how far down the picture goes


def draw_profile(picture: ProfilePicture, ax: Axes | None = None) -> Axes:
    """Draw the profile, the level line and the interval; return the Axes."""
    ax, curve = axes_or_new(ax), picture.curve
    found, color = curve.estimate, LINES[0]
    first, last = float(curve.values[0]), float(curve.values[-1])
    ends = max(found.low, first), min(found.high, last)
    upright: list[Any] = [ax.axvspan(*ends, color=BAND, linewidth=0.0, zorder=0.8)]
    for end in (found.low, found.high):
        if math.isfinite(end):
            upright.append(ax.axvline(
                end, color=ink(ax), linestyle=(0, (2, 1.5)), linewidth=0.9, zorder=0.9
            ))  # fmt: skip
    shown = round_by_error(found.value, found.standard_error, found.low, found.high)
    ax.axhline(
        curve.level_line, color=MUTED, linewidth=1.0, zorder=0.95,
        label=f"{100.0 * found.level:.6g} %: {shown.low} to {shown.high}",
    )  # fmt: skip
    ax.plot(
        curve.values, curve.quadratic, color=ink(ax), linestyle=(0, (1, 1.5)), linewidth=1.1,
        label="by the standard error alone",
    )  # fmt: skip
    ax.plot(curve.values, curve.loglike, color=color, linewidth=1.8, label="profile likelihood")
    ax.plot(
        [found.value], [0.0], linestyle="none", marker="o", color=ink(ax), markersize=4.0,
        label=f"maximum at {shown.value}",
    )  # fmt: skip
    ax.set_xlim(first, last)
    lowest = min(_DEPTH * curve.level_line, 0.0)
    ax.set_ylim(lowest, -0.08 * lowest)
    ax.set_yticks([tick for tick in ax.get_yticks() if lowest <= tick <= 0.0])
    name = found.name if picture.column is None else f"{found.name} ({picture.column})"
    label(ax, name, "log-likelihood less its maximum")
    remark(ax, _note(found.note))
    legend(ax, *upright)
    return ax


def _note(note: str) -> str:
    """What to know about the interval, as a sentence."""
    return f"The interval is {note}." if note else ""
