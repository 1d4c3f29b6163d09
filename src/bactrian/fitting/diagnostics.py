"""The pictures that judge a fit. Each of the public functions is a method of ``Fit``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.pictures import problem_of_fit
from bactrian.fitting.requirements import whole_number
from bactrian.fitting.uncertainty import kind_of
from bactrian.infer.envelopes import Departures, departures
from bactrian.infer.intervals import Inference
from bactrian.infer.profile_curve import profile_curve
from bactrian.infer.quantity import Quantity, checked_function, parameters
from bactrian.infer.scales import SCALES, Scale
from bactrian.model.mixture import NormalMixture
from bactrian.present.plots.canvas import check_axes
from bactrian.present.plots.departures import draw_pit, draw_qq
from bactrian.present.plots.pictures import DeparturePicture, ProfilePicture
from bactrian.present.plots.profile import draw_profile

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit
    from bactrian.present.plots.canvas import Axes

Array = NDArray[np.float64]

_MOST_POINTS = 400


def plot_qq(
    fit: Fit,
    ax: Axes | None = None,
    *,
    n_replicates: int = 199,
    level: float = 0.95,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Axes:
    """Draw the quantile residuals of the rows over standard normal quantiles, with a band.

    Rows drawn from the mixture, recorded and fitted like these, stay inside the band everywhere
    with the probability `level`: one point outside is evidence.

    Parameters
    ----------
    ax
        As for ``Fit.plot``.
    n_replicates : int
        Samples drawn and fitted for the band; 0 leaves it out.
    level : float
        Probability that all of a drawn sample is inside.
    rng, workers, progress
        As for ``goodness_of_fit``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If a number is out of its range or Matplotlib is not installed; with a band, if the fit is
        no maximum or the weights are sampling weights.

    Notes
    -----
    Rounded rows are compared half-way between their multiples, those of a sketch at the edges of
    its bins. Source: derivation, "Goodness of fit".
    """
    options = {"rng": rng, "workers": workers, "progress": progress}
    picture = _departures(fit, ax, n_replicates, level, options)
    found = picture.departures
    shown = _few(found, found.scores, np.zeros(found.scores.size))
    return draw_qq(replace(picture, departures=shown), ax)


def plot_pit(
    fit: Fit,
    ax: Axes | None = None,
    *,
    n_replicates: int = 199,
    level: float = 0.95,
    rng: np.random.Generator | int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Axes:
    """Draw by how much the share of rows below x exceeds the mixture's, over the latter.

    The probability integral transform F(x) of rows drawn from the mixture is uniform, and the
    curve zero but for chance; its largest height is the statistic of Kolmogorov and Smirnov.

    Parameters
    ----------
    ax, n_replicates, level, rng, workers, progress
        As for ``Fit.plot_qq``; the band is for this curve.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        As ``Fit.plot_qq``.

    Notes
    -----
    Source: derivation, "Goodness of fit".
    """
    options = {"rng": rng, "workers": workers, "progress": progress}
    picture = _departures(fit, ax, n_replicates, level, options)
    found = picture.departures
    shown = _few(found, found.fitted, np.abs(found.excess))
    return draw_pit(replace(picture, departures=shown), ax)


def plot_profile(
    fit: Fit,
    quantity: str | Callable[[NormalMixture], float] = "mean 1",
    ax: Axes | None = None,
    *,
    level: float = 0.95,
    method: Literal["profile", "plain_profile"] = "profile",
    name: str = "quantity",
    scale: Scale = "identity",
) -> Axes:
    """Draw the profile log-likelihood of a parameter or a function, with its interval.

    Parameters
    ----------
    quantity : str or callable
        A name such as "mean 1", "sd 2" or "weight 1"; or a function of the mixture, as for
        ``Fit.derive``.
    ax
        As for ``Fit.plot``.
    level, method
        As for ``confint``: the level line is where these intervals end.
    name, scale
        Of a function, as for ``Fit.derive``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If there is no such parameter, it is fixed, the fit is no maximum, an argument is out of
        its range, or Matplotlib is not installed.

    Notes
    -----
    Source: derivation, "Profile likelihood".
    """
    check_axes(ax)
    if method not in ("profile", "plain_profile"):
        raise ParameterError(
            f'method={method!r} draws no profile; choose "profile" or "plain_profile".'
        )
    if not fit.converged:
        raise ParameterError("A fit that is no maximum has no profile; see its outcome.")
    wanted = _quantity(fit, quantity, name, scale)
    problem, state = fit.solution.problem, fit.solution.state
    curve = profile_curve(Inference(problem, state, kind_of(fit, None), level), wanted, method)
    column = fit.column if wanted.unit in ("location", "length") else None
    return draw_profile(ProfilePicture(column, curve), ax)


def _departures(
    fit: Fit, ax: Axes | None, n_replicates: int, level: float, options: dict[str, Any]
) -> DeparturePicture:
    """How the rows depart from the fit, checked first."""
    check_axes(ax)
    if n_replicates != 0:
        whole_number(n_replicates, "n_replicates", "199 is usual, and 0 draws no band")
        if not fit.converged:
            raise ParameterError(
                "A fit that is no maximum has no band to compare the rows with; see its outcome, "
                "or leave the band out with n_replicates=0."
            )
    whole_number(options["workers"], "workers", "1 is this process alone")
    solution = fit.solution
    found = departures(solution.problem, solution.state, n_replicates, level, **options)
    return DeparturePicture(fit.column, found, problem_of_fit(fit))


def _few(found: Departures, over: Array, size: Array) -> Departures:
    """Of very many points the one with the largest size in each stretch: what an eye tells apart.

    Both ends are kept.
    """
    if over.size <= _MOST_POINTS:
        return found
    stretch = np.floor((over - over[0]) / (over[-1] - over[0]) * _MOST_POINTS)
    order = np.lexsort((-size, stretch))
    first = np.concatenate([[True], np.diff(stretch[order]) > 0.0])
    kept = np.unique(np.concatenate([[0, over.size - 1], order[first]]))
    return replace(
        found, scores=found.scores[kept], residuals=found.residuals[kept],
        fitted=found.fitted[kept], excess=found.excess[kept],
    )  # fmt: skip


def _quantity(fit: Fit, quantity: Any, name: str, scale: Scale) -> Quantity:
    """The parameter of a name, or a function."""
    if isinstance(quantity, str):
        known = {one.name: one for one in parameters(fit.mixture.n_components)}
        if quantity not in known:
            raise ParameterError(
                f"There is no parameter {quantity!r}; there are {', '.join(map(repr, known))}."
            )
        return known[quantity]
    if scale not in SCALES:
        raise ParameterError(f"scale={scale!r} is unknown; choose one of {', '.join(SCALES)}.")
    return Quantity(name, checked_function(quantity, fit.mixture), scale)
