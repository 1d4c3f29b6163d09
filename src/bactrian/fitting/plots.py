"""The pictures of a fit. Each of these functions is a method of ``Fit``, or of ``Comparison``.

All of them draw on the Axes they are given, or on those of a new figure, and return them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from bactrian.errors import ParameterError
from bactrian.fitting.paths import path_picture
from bactrian.fitting.pictures import (
    checked_bins,
    comparison_picture,
    density_picture,
    responsibility_picture,
)
from bactrian.fitting.recommendation import CRITERIA, Criterion
from bactrian.infer.thresholds import Threshold
from bactrian.present.plots.canvas import check_axes
from bactrian.present.plots.criteria import draw_criteria
from bactrian.present.plots.density import draw_density
from bactrian.present.plots.palette import check_palette
from bactrian.present.plots.path import draw_path
from bactrian.present.plots.responsibilities import draw_responsibilities

if TYPE_CHECKING:
    from bactrian.fitting.comparison import Comparison
    from bactrian.fitting.result import Fit
    from bactrian.present.plots.canvas import Axes


def plot(
    fit: Fit,
    ax: Axes | None = None,
    *,
    bins: int | ArrayLike | None = None,
    components: bool = True,
    threshold: bool | Threshold | None = None,
    palette: Sequence[Any] | None = None,
) -> Axes:
    """Draw the histogram of the rows, the fitted density and those of its components.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, which notebooks and ``plt.show()`` show.
    bins : int or array_like, optional
        About how many bins, or their edges in the unit of the data; by default their width is the
        best for the fitted density. Edges are put where rounded values and sketches are exact.
    components : bool
        Whether to draw the components: each density times its weight.
    threshold : bool or Threshold, optional
        True marks the cut of ``Fit.threshold()``, a ``Threshold`` that one: with its interval as a
        band, and its error rates.
    palette : sequence of colours, optional
        For the components; by default colours that colour-blind readers tell apart. Each also has
        its own dashes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If an argument is none of these, Matplotlib is not installed, or there is no single cut to
        mark: with one component, or more than two.
    """
    check_axes(ax)
    check_palette(palette)
    bins = checked_bins(bins)
    if threshold is True:
        threshold = fit.threshold()
    elif threshold is not None and threshold is not False and not isinstance(threshold, Threshold):
        raise ParameterError(
            f"threshold={threshold!r} is neither True nor a Threshold; pass True, or what "
            "fit.threshold() returns."
        )
    picture = density_picture(fit, bins, bool(components), threshold or None)
    return draw_density(picture, ax, palette)


def plot_responsibilities(
    fit: Fit,
    ax: Axes | None = None,
    *,
    posterior: float = 0.5,
    palette: Sequence[Any] | None = None,
) -> Axes:
    """Draw the probability of each component given x, and where it passes a level.

    Parameters
    ----------
    ax, palette
        As for ``Fit.plot``.
    posterior : float
        The level; another than 0.5 for two components, where it is that of the upper one. With
        more, points are marked where the most probable component changes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If an argument is out of its range, or Matplotlib is not installed.
    """
    check_axes(ax)
    check_palette(palette)
    return draw_responsibilities(responsibility_picture(fit, posterior), ax, palette)


def plot_path(
    fit: Fit,
    *others: Fit,
    parameters: tuple[str, str] | None = None,
    ax: Axes | None = None,
    palette: Sequence[Any] | None = None,
) -> Axes:
    """Draw the path of the ascent, and those of other fits, over contours of the log-likelihood.

    Parameters
    ----------
    *others : Fit
        Of the same data by another ``method=``.
    parameters : (str, str), optional
        Of which two the surface is: "mean 1", "sd 2", or "weight 1" of two. By default the first
        two means. The contours are those of the profile: at every point the other parameters
        have their best values, and not those of the ascents.
    ax, palette
        As for ``Fit.plot``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If the fits are not of the same data and mixtures, none is a maximum, the parameters are
        not free, or Matplotlib is not installed.

    Notes
    -----
    Source: derivation, "EM, gradient ascent and Newton" and "Profile likelihood".
    """
    check_axes(ax)
    check_palette(palette)
    return draw_path(path_picture((fit, *others), parameters), ax, palette)


def plot_comparison(
    comparison: Comparison,
    ax: Axes | None = None,
    *,
    criteria: Sequence[Criterion] = ("bic", "aic", "icl"),
) -> Axes:
    """Draw criteria over the number of components, with the recommended fit ringed.

    Parameters
    ----------
    ax
        As for ``Fit.plot``.
    criteria : sequence of str
        Of "bic", "aic", "aicc" and "icl".

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If a criterion is unknown or none is defined, or Matplotlib is not installed.
    """
    check_axes(ax)
    names = (criteria,) if isinstance(criteria, str) else tuple(criteria)
    for name in names:
        if name not in CRITERIA:
            raise ParameterError(
                f"criteria names {name!r}, which is unknown; choose of {', '.join(CRITERIA)}."
            )
    return draw_criteria(comparison_picture(comparison, names), ax)
