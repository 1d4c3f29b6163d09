"""Posterior probabilities of the components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bactrian.infer.rounding import round_by_error
from bactrian.present.plots.canvas import (
    axes_or_new,
    column_label,
    ink,
    label,
    remark,
    share,
)
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import MUTED, style
from bactrian.present.plots.pictures import ResponsibilityPicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes

_DIGITS = 1e-2  # of the range: to which a crossing is shown


def draw_responsibilities(
    picture: ResponsibilityPicture, ax: Axes | None = None, palette: Sequence[Any] | None = None
) -> Axes:
    """Draw the probability of each component, the level and where it is passed; return the Axes.

    The parameters are those of ``draw_density``.
    """
    ax = axes_or_new(ax)
    ax.axhline(picture.level, color=MUTED, linestyle="solid", linewidth=0.8, zorder=0.9)
    spread = float(picture.x[-1] - picture.x[0])
    shown = [
        round_by_error(float(x), _DIGITS * spread).value if spread > 0.0 else f"{x:g}"
        for x in picture.crossings
    ]
    # Of three the most probable one may have less than a half.
    passed = f"{picture.level:g}" if len(picture.weights) == 2 else "changes"
    upright = []
    for i, x in enumerate(picture.crossings):
        words = f"{passed} at {' and '.join(shown)}" if i == 0 else "_nolegend_"
        upright.append(ax.axvline(
            float(x), color=ink(ax), linestyle=(0, (2, 1.5)), linewidth=1.0, label=words
        ))  # fmt: skip
    for k, probability in enumerate(picture.responsibilities):
        color, dashes = style(k, palette)
        ax.plot(
            picture.x, probability, color=color, linestyle=dashes, linewidth=1.8,
            label=f"component {k + 1} ({share(picture.weights[k])})",
        )  # fmt: skip
    ax.margins(x=0.0)
    ax.set_ylim(-0.02, 1.02)
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    label(ax, column_label(picture.column), "posterior probability")
    remark(ax, picture.problem)
    legend(ax, *upright)
    return ax
