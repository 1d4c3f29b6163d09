"""What must hold before a fit is tried: each failure one sentence with its remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.data.sketches.sketch import Sketch
from bactrian.errors import DataError, ParameterError
from bactrian.model.constraints import Constraints
from bactrian.solve.resolution import least_sd

Array = NDArray[np.float64]

_MOST_ROWS = 2.0**53


def whole_number(number: Any, name: str, remedy: str) -> int:
    """A positive whole number, checked."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not whole or number < 1:
        raise ParameterError(f"{name}={number!r} is not a positive whole number; {remedy}.")
    return int(number)


def checked_weight_kind(weights: Array | None, weight_kind: Any) -> str:
    """Return what the weights mean, asking where that is open.

    Parameters
    ----------
    weights : (n,) float64, optional
        Those of the rows, or sums of them.
    weight_kind : {"frequency", "sampling"}, optional
        What the user says.

    Raises
    ------
    DataError
        If frequencies sum to more rows than doubles can count.
    ParameterError
        If the kind is unknown, or not said of weights that are not whole.
    """
    if weight_kind not in (None, "frequency", "sampling"):
        raise ParameterError(
            f'weight_kind={weight_kind!r} is unknown; choose "frequency" or "sampling".'
        )
    is_whole = weights is None or (weights == np.floor(weights)).all()
    if weight_kind == "frequency" or (weight_kind is None and is_whole):
        _check_countable(weights)
        return "frequency"
    if weight_kind is not None:
        return str(weight_kind)
    raise ParameterError(
        'The weights are not whole numbers, so it is open what they mean: weight_kind="frequency" '
        "if a row of weight w stands for w rows that were seen, which standard errors then count "
        'as such; weight_kind="sampling" if it stands for a share of a population, as in a survey: '
        "then only their ratios matter, and standard errors are those of the sandwich."
    )


def _check_countable(weights: Array | None) -> None:
    """Refuse frequencies that no count of rows can be."""
    total = 0.0 if weights is None else float(weights.sum())
    if total > _MOST_ROWS:
        raise DataError(
            f"The weights sum to {total:.3g}, and as frequencies they count rows, of which no more "
            f"than {_MOST_ROWS:.0e} can be told apart in doubles: divide the weights by a common "
            'factor, or say weight_kind="sampling" if only their ratios matter.'
        )


def check_bins(sketch: Sketch) -> None:
    """Refuse a sketch in whose bins nothing can be seen of how the rows are spread."""
    if sketch.width < 2.0 * sketch.sd or sketch.minimum == sketch.maximum:
        return
    bins = "1 bin" if sketch.bins.size == 1 else f"{sketch.bins.size} bins"
    raise DataError(
        f"The sketch holds its rows, which are between {sketch.minimum:g} and {sketch.maximum:g}, "
        f"in {bins} of width {sketch.width:g}: too wide to tell components apart; sketch the data "
        "again in narrower bins, with a smaller exponent or that which is chosen from the data."
    )


def check_enough(sample: Sample, constraints: Constraints) -> None:
    """Refuse data from which the parameters cannot be estimated."""
    k, n_params, distinct = constraints.n_components, constraints.n_free, len(sample)
    if distinct == 1 and sample.total > 1.0:
        raise DataError(
            f"All values are {sample.origin:g}: a constant column has no spread to fit; "
            "check that it is the right column."
        )
    if sample.total < max(n_params, 2):
        raise DataError(
            f"There {'is 1 row' if sample.total == 1 else f'are {sample.total:g} rows'} for "
            f"{n_params} parameters; "
            + (f"fit fewer components than {k} or " if k > 1 else "")
            + "collect more rows."
        )
    if distinct < k + 1:
        raise DataError(
            f"There are {distinct} distinct values, too few for {k} components, where the "
            "likelihood has no maximum; fit fewer components."
        )
    _check_resolution(sample, constraints)


def _check_resolution(sample: Sample, constraints: Constraints) -> None:
    """Refuse sds that the values, as they are rounded, cannot tell from zero."""
    floor = least_sd(sample) * sample.scale
    most = float(constraints.sds[:, 1].min())
    if most < floor:
        raise ParameterError(
            f"An sd of at most {most:g} is asked for, and these values resolve none below "
            f"{floor:.3g}; hold it at a larger one."
        )
