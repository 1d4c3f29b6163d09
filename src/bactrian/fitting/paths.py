"""What the picture of ascents shows: the surface around the maximum, and the ways to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.infer.covariance import free_covariance
from bactrian.infer.surface import Surface, surface
from bactrian.model.mixture import NormalMixture
from bactrian.present.plots.pictures import Path, PathPicture

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

Array = NDArray[np.float64]

_GRID = 57  # points along each axis
_LEAST = 0.1  # standard errors that are shown in any case
_EVEN = 0.7  # least share of the longer side, in standard errors
_MARGIN = 0.15
_DIGITS = 6  # of log-likelihoods that are told apart


class _Axis:
    """A parameter that is one of the free coordinates of a fit, and how it is shown."""

    def __init__(self, fit: Fit, name: str) -> None:
        """Find its coordinate, or say which there are."""
        known = _coordinates(fit)
        if name not in known:
            raise ParameterError(
                f"{name!r} is not one of the parameters that can be an axis here; choose two of "
                f"{', '.join(map(repr, known))}."
            )
        self.name = name
        self.kind, _, number = name.partition(" ")
        self.k, self.index = int(number) - 1, known[name]
        self.problem = fit.solution.problem
        ratios = self.problem.constraints.sd_ratios
        self.ratio = 1.0 if ratios is None else float(ratios[self.k])

    def of(self, mixture: NormalMixture) -> float:
        """Its value, in the unit of the data."""
        return float(getattr(mixture, f"{self.kind}s")[self.k])

    def coordinate(self, values: Array) -> Array:
        """The free coordinate (n,) of values."""
        sample = self.problem.sample
        if self.kind == "mean":
            return np.asarray((values - sample.origin) / sample.scale)
        if self.kind == "sd":
            return np.asarray(2.0 * np.log(values / sample.scale / self.ratio))
        return np.asarray((1 - 2 * self.k) * (np.log(values) - np.log1p(-values)))

    def value(self, coordinates: Array) -> Array:
        """The values of free coordinates (n,)."""
        sample = self.problem.sample
        if self.kind == "mean":
            return np.asarray(sample.origin + sample.scale * coordinates)
        if self.kind == "sd":
            return np.asarray(sample.scale * self.ratio * np.exp(0.5 * coordinates))
        return np.asarray(1.0 / (1.0 + np.exp((2 * self.k - 1) * coordinates)))


def path_picture(fits: Sequence[Fit], parameters: Any) -> PathPicture:
    """Return the ways of several fits of the same data, and the surface around the maximum.

    Raises
    ------
    ParameterError
        If the fits are not of the same data and mixtures, none is a maximum, one has no path, or
        the parameters are not two free coordinates.
    """
    base = _checked(fits)
    names = _names(base, parameters)
    axes = [_Axis(base, name) for name in names]
    if axes[0].index == axes[1].index:
        raise ParameterError(
            f"{names[0]} and {names[1]} are one coordinate, as one follows from the other: pass "
            '("weight 1", "mean 1"), say.'
        )
    ways = [_way(fit, axes) for fit in fits]
    free = base.solution.state.free[0]
    errors = np.sqrt(np.abs(np.diag(free_covariance(
        base.solution.problem, base.solution.state, "hessian"
    ))))  # fmt: skip
    ends = []
    for i, axis in enumerate(axes):
        met = axis.coordinate(np.concatenate([way[i] for way in ways]))
        met = np.append(met[np.isfinite(met)], free[axis.index])
        ends.append((met.min(), met.max()))
    grids = _grids(np.array(ends), errors[[axis.index for axis in axes]])
    found = surface(
        base.solution.problem, base.solution.state, (axes[0].index, axes[1].index), *grids
    )
    shown = Surface(axes[0].value(found.first), axes[1].value(found.second), found.loglike)
    paths = [
        Path(fit.options.method, *way, tuple(step.kind for step in fit.trace[1:]))
        for fit, way in zip(fits, ways, strict=True)
    ]
    end = axes[0].of(base.mixture), axes[1].of(base.mixture)
    return PathPicture(names, shown, tuple(paths), end)


def _grids(ends: Array, errors: Array) -> list[Array]:
    """Points around what the ascents met, (2, 2), neither side far shorter than the other.

    Lengths are compared in standard errors (2,).
    """
    lengths = (ends[:, 1] - ends[:, 0]) / errors
    wanted = np.maximum(lengths, max(_EVEN * lengths.max(), _LEAST)) * (1.0 + 2.0 * _MARGIN)
    half, middle = 0.5 * wanted * errors, ends.mean(axis=1)
    return [np.linspace(m - h, m + h, _GRID) for m, h in zip(middle, half, strict=True)]


def _checked(fits: Sequence[Fit]) -> Fit:
    """The highest of the fits that are maxima, all of them being of the same data."""
    first = fits[0]
    for fit in fits:
        if not isinstance(fit, type(first)):
            raise ParameterError(f"{fit!r} is no fit; pass what bt.fit() returned.")
        here, there = first.sample, fit.sample
        same = here.origin == there.origin and here.scale == there.scale
        same = same and np.array_equal(here.local, there.local)
        same = same and np.array_equal(here.weights, there.weights)
        known = fit.solution.problem.constraints, first.solution.problem.constraints
        alike = known[0].n_components == known[1].n_components
        alike = alike and known[0].n_free == known[1].n_free
        if not same or not alike:
            raise ParameterError(
                "The fits are not of the same data and the same mixtures, and so not on one "
                "surface; fit the same column with another method=."
            )
        if not fit.trace:
            raise ParameterError(
                f"The fit by {fit.options.method!r} has no path: no admissible maximum was found; "
                "see its outcome."
            )
    ended = (fit for fit in fits if fit.converged)
    found = max(ended, key=lambda fit: round(fit.loglike, _DIGITS), default=None)
    if found is None:
        raise ParameterError(
            "None of these ascents ended at a maximum, and the surface is drawn around one: add "
            'a fit with method="newton".'
        )
    return found


def _names(fit: Fit, parameters: Any) -> tuple[str, str]:
    """The two parameters; by default the first two means, or the mean and the sd of one."""
    if parameters is None:
        return ("mean 1", "mean 2") if fit.mixture.n_components > 1 else ("mean 1", "sd 1")
    names = () if isinstance(parameters, str) else tuple(parameters)
    if len(names) != 2 or names[0] == names[1]:
        raise ParameterError(
            f'parameters={parameters!r} is no pair of names; ("mean 1", "mean 2") is one.'
        )
    return names


def _coordinates(fit: Fit) -> dict[str, int]:
    """The parameters that are free coordinates, with their places among these."""
    held = fit.solution.problem.constraints
    n_logits = max(held.free_weights.size - 1, 0)
    n_means = held.free_means.size
    found = {}
    if held.n_components == 2 and n_logits:
        found = {"weight 1": 0, "weight 2": 0}
    found |= {f"mean {k + 1}": n_logits + i for i, k in enumerate(held.free_means.tolist())}
    common = held.sd_ratios is not None
    return found | {
        f"sd {k + 1}": n_logits + n_means + (0 if common else i)
        for i, k in enumerate(held.free_sds.tolist())
    }


def _way(fit: Fit, axes: Sequence[_Axis]) -> tuple[Array, Array]:
    """Where an ascent stood, its components in the order of the fit."""
    last = fit.trace[-1].mixture
    order = np.lexsort((last.weights, last.sds, last.means))
    if not np.allclose(last.means[order], fit.mixture.means, rtol=1e-6, atol=0.0):
        order = np.arange(order.size)
    found = [
        [axis.of(NormalMixture(m.weights[order], m.means[order], m.sds[order])) for axis in axes]
        for m in (step.mixture for step in fit.trace)
    ]
    first, second = np.array(found).T
    return first, second
