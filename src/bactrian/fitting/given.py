"""The start that a user gives: a mixture that the options allow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture

Array = NDArray[np.float64]

_EXAMPLE = "bt.NormalMixture(weights=[0.5, 0.5], means=[50, 80], sds=[6, 6])"
_CLOSE = 1e-8


def checked_start(start: Any, constraints: Constraints) -> NormalMixture | None:
    """Return the start of a fit, which may be absent, as a member of the set it is to be in.

    Raises
    ------
    ParameterError
        If it is no mixture, has another number of components, a component without weight or two
        that are the same, or is none that the constraints allow.
    """
    if start is None:
        return None
    if not isinstance(start, NormalMixture):
        raise ParameterError(
            f"start is of type {type(start).__name__} and must be a mixture: {_EXAMPLE}, or the "
            ".mixture of another fit."
        )
    k = constraints.n_components
    if start.n_components != k:
        raise ParameterError(
            f"start has {_count(start.n_components)} and n_components={k} asks for {_count(k)}: "
            f"say n_components={start.n_components}, or give another start."
        )
    _check_members(start)
    _check_held(start, constraints)
    return start


def _count(k: int) -> str:
    """A number of components in words."""
    return f"{k} component{'s' * (k != 1)}"


def _check_members(start: NormalMixture) -> None:
    """Refuse components that no ascent moves, or not one without the other."""
    empty = np.flatnonzero(start.weights == 0.0)
    if empty.size:
        raise ParameterError(
            f"Component {empty[0] + 1} of start has weight 0, and no step gives it rows: start "
            "with a positive one."
        )
    for i in range(start.n_components):
        for j in range(i):
            if start.means[i] == start.means[j] and start.sds[i] == start.sds[j]:
                raise ParameterError(
                    f"Components {j + 1} and {i + 1} of start are the same, and slopes never part "
                    "them: move one of the means a little."
                )


def _check_held(start: NormalMixture, constraints: Constraints) -> None:
    """Refuse a start outside the set of mixtures that the fit is to choose from."""
    ratios = constraints.sd_ratios
    if ratios is not None and np.ptp(np.log(start.sds / ratios)) > _CLOSE:
        shown = ", ".join(f"{sd:g}" for sd in start.sds)
        wanted = ", ".join(f"{sd:g}" for sd in start.sds[0] * ratios)
        asked = "equal_variances=True" if np.ptp(ratios) == 0.0 else "sd_ratios"
        raise ParameterError(
            f"start has the sds {shown}, which {asked} excludes: give it sds such as {wanted}."
        )
    for name in ("weights", "means", "sds"):
        values, box = getattr(start, name), getattr(constraints, name)
        off = np.abs(values - np.clip(values, *box.T)) > _CLOSE * np.maximum(np.abs(values), _CLOSE)
        if off.any():
            i = int(off.argmax())
            low, high = box[i]
            allowed = f"is held at {low:g}" if low == high else f"is kept from {low:g} to {high:g}"
            raise ParameterError(
                f"start has {values[i]:g} for the {name[:-1]} of component {i + 1}, which in this "
                f"fit {allowed}: give a start that the constraints allow."
            )
