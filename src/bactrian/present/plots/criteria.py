"""Criteria by number of components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bactrian.present.comparison import family_in_words
from bactrian.present.plots.canvas import axes_or_new, ink, label, remark
from bactrian.present.plots.legends import legend
from bactrian.present.plots.palette import MARKERS, style
from bactrian.present.plots.pictures import ComparisonPicture

if TYPE_CHECKING:
    from bactrian.present.plots.canvas import Axes

_NAMES = {"bic": "BIC", "aic": "AIC", "aicc": "AICc", "icl": "ICL"}


def draw_criteria(picture: ComparisonPicture, ax: Axes | None = None) -> Axes:
    """Draw the criteria over the number of components, the recommended one ringed; return the Axes.

    A criterion has a colour and a marker; fits with equal variances have dashed lines and empty
    markers.
    """
    ax = axes_or_new(ax)
    names = list(dict.fromkeys(line.criterion for line in picture.lines))
    both = len({line.equal_variances for line in picture.lines}) > 1
    for line in picture.lines:
        i = names.index(line.criterion)
        color = style(i).color
        words = _NAMES[line.criterion]
        words += f", {family_in_words(line.equal_variances)}" if both else ""
        ax.plot(
            line.n_components, line.values, color=color, marker=MARKERS[i], markersize=5.0,
            linestyle=(0, (4, 2)) if line.equal_variances else "solid", linewidth=1.5,
            markerfacecolor="none" if line.equal_variances else color, label=words,
        )  # fmt: skip
    if picture.recommended is not None:
        ax.plot(
            *[[at] for at in picture.recommended], linestyle="none", marker="o", markersize=13.0,
            markerfacecolor="none", markeredgecolor=ink(ax), markeredgewidth=1.4,
            label=picture.words,
        )  # fmt: skip
    numbers = sorted({k for line in picture.lines for k in line.n_components})
    ax.set_xticks(numbers)
    label(ax, "number of components", "criterion (smaller is better)")
    remark(ax, f"Left out, no maximum: {', '.join(picture.omitted)}." if picture.omitted else "")
    legend(ax)
    return ax
