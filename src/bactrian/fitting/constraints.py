"""From the options of fit() to the set of mixtures they allow; each contradiction a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bactrian.errors import ParameterError
from bactrian.model.constraints import Constraints

Array = NDArray[np.float64]

_NAMES = ("weights", "means", "sds")
_RANGES = {"weights": (0.0, 1.0), "means": (-np.inf, np.inf), "sds": (0.0, np.inf)}
_SUM = 1e-9


def constraints_of(
    n_components: int,
    *,
    equal_variances: bool = False,
    equal_weights: bool = False,
    sd_ratios: Any = None,
    fixed: Any = None,
    bounds: Any = None,
) -> Constraints:
    """Return the set of mixtures that the options of ``fit`` allow.

    Raises
    ------
    ParameterError
        If an option is out of its range, or two contradict each other.
    """
    k = n_components
    boxes = {name: np.tile(_RANGES[name], (k, 1)) for name in _NAMES}
    _fix(boxes, _by_name(fixed, "fixed", k))
    _bound(boxes, _by_name(bounds, "bounds", k))
    if equal_weights:
        if (boxes["weights"] != _RANGES["weights"]).any():
            raise ParameterError(
                "equal_weights=True already fixes every weight; leave the weights out of fixed "
                "and bounds."
            )
        boxes["weights"][:] = 1.0 / k
    _complete_weights(boxes["weights"])
    ratios = _ratios(sd_ratios, equal_variances, k)
    if ratios is not None:
        _tie(boxes["sds"], ratios)
    found = Constraints(boxes["weights"], boxes["means"], boxes["sds"], ratios)
    if found.n_free == 0:
        raise ParameterError(
            "Every parameter is fixed, so there is nothing to estimate; loglike(x, mixture) says "
            "how well such a mixture describes the data."
        )
    return found


def _by_name(option: Any, name: str, k: int) -> dict[str, Sequence[Any]]:
    """An option that maps "weights", "means" or "sds" to one entry per component."""
    if option is None:
        return {}
    example = f'{name}={{"means": {"[0, None]" if name == "fixed" else "[(0, 5), None]"}}}'
    if not isinstance(option, Mapping):
        raise ParameterError(
            f"{name}={option!r} is not a mapping; name the parameters, as in {example}."
        )
    for key, entries in option.items():
        if key not in _NAMES:
            raise ParameterError(
                f"{name} names {key!r}; what can be held are 'weights', 'means' and 'sds'."
            )
        if isinstance(entries, str) or not isinstance(entries, Sequence | np.ndarray):
            raise ParameterError(
                f"{name}[{key!r}]={entries!r} is not a list with one entry for each of the {k} "
                f"components; None leaves a component free, as in {example}."
            )
        if len(entries) != k:
            raise ParameterError(
                f"{name}[{key!r}] has {len(entries)} of {k} entries; give one for each component, "
                "None where it is free."
            )
    return dict(option)


def _number(value: Any, where: str, remedy: str = "None leaves it free") -> float:
    """A finite or infinite number, not NaN."""
    real = isinstance(value, int | float | np.integer | np.floating)
    if not real or isinstance(value, bool) or np.isnan(value):
        raise ParameterError(f"{where}={value!r} is not a number; {remedy}.")
    return float(value)


def _fix(boxes: dict[str, Array], fixed: dict[str, Sequence[Any]]) -> None:
    """Narrow the boxes to fixed values."""
    for name, entries in fixed.items():
        low, high = _RANGES[name]
        for i, entry in enumerate(entries):
            if entry is None:
                continue
            value = _number(entry, f"fixed[{name!r}][{i}]")
            if not low < value < high and not (name == "weights" and value == len(entries) == 1):
                what = {"weights": "between 0 and 1", "means": "finite", "sds": "positive"}[name]
                raise ParameterError(
                    f"fixed[{name!r}][{i}]={value:g} is out of range: {name} are {what}."
                )
            boxes[name][i] = value


def _bound(boxes: dict[str, Array], bounds: dict[str, Sequence[Any]]) -> None:
    """Narrow the boxes to bounds."""
    for name, entries in bounds.items():
        for i, entry in enumerate(entries):
            if entry is None:
                continue
            where = f"bounds[{name!r}][{i}]"
            if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != 2:
                raise ParameterError(
                    f"{where}={entry!r} is not a pair (low, high); None stands for no bound."
                )
            low, high = (
                end if value is None else _number(value, where)
                for value, end in zip(entry, _RANGES[name], strict=True)
            )
            if boxes[name][i, 0] == boxes[name][i, 1]:
                raise ParameterError(
                    f"{where} bounds what fixed[{name!r}] fixes; give one of them."
                )
            least, most = _RANGES[name]
            if not low < high or high <= least or low >= most:
                raise ParameterError(
                    f"{where}={tuple(entry)!r} leaves no value: the lower bound must be below the "
                    "upper one, within the range of the parameter; fixed= holds it at one value."
                )
            boxes[name][i] = max(low, least), min(high, most)
        if name == "weights" and len(entries) > 2:
            raise ParameterError(
                "Bounds on the weights are for two components; with more, fix weights or leave "
                "them free."
            )


def _complete_weights(box: Array) -> None:
    """Check that the weights can sum to one, and fix the last free one if there is one only."""
    k, held = len(box), box[:, 0] == box[:, 1]
    if k == 1:
        box[:] = 1.0
        return
    total = float(box[held, 0].sum())
    if held.all() and abs(total - 1.0) > _SUM:
        raise ParameterError(f"The fixed weights sum to {total:g}; weights sum to one.")
    if not held.all() and total >= 1.0:
        raise ParameterError(
            f"The fixed weights sum to {total:g}, which leaves nothing for the other components."
        )
    if held.all():
        box /= total
    elif (~held).sum() == 1:
        if k == 2 and not (box[~held, 0] <= 1.0 - total <= box[~held, 1]).all():
            raise ParameterError(
                f"The fixed weight leaves {1.0 - total:g} for the other component, which its "
                "bounds exclude."
            )
        box[~held] = 1.0 - total
    elif k == 2 and (box[0, 0] + box[1, 0] >= 1.0 or box[0, 1] + box[1, 1] <= 1.0):
        raise ParameterError("No two weights within these bounds sum to one.")


def _ratios(sd_ratios: Any, equal_variances: bool, k: int) -> Array | None:
    """The sds up to a common factor, the first of them one."""
    if sd_ratios is None:
        return np.ones(k) if equal_variances else None
    if equal_variances:
        raise ParameterError(
            "equal_variances=True says that the ratios of the sds are one; give one of both."
        )
    if isinstance(sd_ratios, str) or not isinstance(sd_ratios, Sequence | np.ndarray):
        raise ParameterError(
            f"sd_ratios={sd_ratios!r} is not a list of {k} numbers, such as [1, 2] for a second sd "
            "that is twice the first."
        )
    ratios = np.array(
        [_number(r, f"sd_ratios[{i}]", "give a positive one") for i, r in enumerate(sd_ratios)]
    )
    if ratios.size != k or not ((ratios > 0.0) & np.isfinite(ratios)).all():
        raise ParameterError(
            f"sd_ratios={list(sd_ratios)!r} is not a list of {k} positive numbers, one for each "
            "component."
        )
    return np.asarray(ratios / ratios[0])


def _tie(box: Array, ratios: Array) -> None:
    """Check that sds within their box can have the ratios, and fix all if one is fixed."""
    low, high = (box / ratios[:, None]).T
    least, most = float(low.max()), float(high.min())
    held = box[:, 0] == box[:, 1]
    if held.any():
        one = float(low[held][0])
        if (
            (np.abs(low[held] - one) > 1e-12 * one).any()
            or not least <= one * (1 + 1e-12)
            or (one > most * (1 + 1e-12))
        ):
            raise ParameterError(
                "The fixed sds contradict equal_variances or sd_ratios; leave out one of them."
            )
        box[:] = (one * ratios)[:, None]
    elif least >= most:
        raise ParameterError("No sds with these ratios lie within their bounds.")


def in_words(constraints: Constraints) -> str:
    """Return what is held in a fit, in words; nothing where that is nothing, or is in the title."""
    k, found = constraints.n_components, []
    boxes = {"weight": constraints.weights, "mean": constraints.means, "sd": constraints.sds}
    if not constraints.free_weights.size and np.ptp(constraints.weights) == 0.0:
        found += ["equal weights"] if k > 1 else []  # that of one component is one
        del boxes["weight"]
    ratios = constraints.sd_ratios
    if ratios is not None and np.ptp(ratios) > 0.0:
        found.append("sds in the ratio " + " : ".join(f"{ratio:.6g}" for ratio in ratios))
    for name, box in boxes.items():
        for i, (low, high) in enumerate(box.tolist()):
            least, most = _RANGES[name + "s"]
            if low == high:
                found.append(f"{name} {i + 1} = {low:.6g}")
            elif low > least and high < most:
                found.append(f"{low:.6g} ≤ {name} {i + 1} ≤ {high:.6g}")
            elif low > least or high < most:
                bound = f"≥ {low:.6g}" if low > least else f"≤ {high:.6g}"
                found.append(f"{name} {i + 1} {bound}")
    return "; ".join(found)


def as_values(constraints: Constraints) -> dict[str, Any] | None:
    """Return what is held in a fit as the arguments that ask for it; None where nothing is."""
    k, ratios = constraints.n_components, constraints.sd_ratios
    boxes = {"weights": constraints.weights, "means": constraints.means, "sds": constraints.sds}
    weights = constraints.weights[:, 0]
    equal = k > 1 and not constraints.free_weights.size and bool(np.ptp(weights) == 0.0)
    if equal or k == 1:
        del boxes["weights"]
    fixed: dict[str, list[Any]] = {}
    bounds: dict[str, list[Any]] = {}
    for name, box in boxes.items():
        least, most = _RANGES[name]
        held = box[:, 0] == box[:, 1]
        limited = ~held & ((box[:, 0] > least) | (box[:, 1] < most))
        rows = list(zip(held.tolist(), limited.tolist(), box.tolist(), strict=True))
        if held.any():
            fixed[name] = [low if is_held else None for is_held, _, (low, _) in rows]
        if limited.any():
            bounds[name] = [_ends(pair, _RANGES[name]) if one else None for _, one, pair in rows]
    common = ratios is not None and bool(np.ptp(ratios) == 0.0)
    found = {
        "equal_variances": common,
        "equal_weights": equal,
        "sd_ratios": None if ratios is None or common else ratios.tolist(),
        "fixed": fixed or None,
        "bounds": bounds or None,
    }
    return found if any(found.values()) else None


def _ends(pair: list[float], whole: tuple[float, float]) -> list[float | None]:
    """Two bounds, None for one that the range has anyway."""
    return [None if one == other else one for one, other in zip(pair, whole, strict=True)]
