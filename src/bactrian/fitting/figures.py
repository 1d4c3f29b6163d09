"""The pictures of a page, drawn where Matplotlib is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bactrian.errors import ParameterError
from bactrian.infer.thresholds import Threshold
from bactrian.present.page.contents import Figure
from bactrian.present.plots.canvas import blank_axes, check_plotting
from bactrian.present.plots.files import as_svg

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def figures_of(
    fit: Fit, threshold: Threshold | None, n_replicates: int, drawing: dict[str, Any]
) -> tuple[Figure, ...]:
    """Return density and residuals, and responsibilities where there are two components or more.

    Parameters
    ----------
    fit : Fit
        What to draw.
    threshold : Threshold or None
        A cut to mark in the density.
    n_replicates : int
        Samples drawn for the band of the residuals; 0 for no band.
    drawing : dict
        ``rng``, ``workers`` and ``progress``, as for ``plot_qq``.

    Returns
    -------
    tuple of Figure
        Empty where Matplotlib is not installed: nothing else on the page needs it.
    """
    try:
        check_plotting()
    except ParameterError:
        return ()
    banded = fit.converged and fit.sample.squared is None
    qq = fit.plot_qq(blank_axes(), n_replicates=n_replicates if banded else 0, **drawing)
    drawn = [
        ("density", "Rows and density", fit.plot(blank_axes(), threshold=threshold)),
        ("residuals", "Quantile residuals of the rows", qq),
    ]
    if fit.options.n_components > 1:
        ax = fit.plot_responsibilities(blank_axes())
        drawn.append(("memberships", "Responsibilities", ax))
    return tuple(
        Figure(title, as_svg(ax, title, prefix=name, with_variables=True))
        for name, title, ax in drawn
    )
