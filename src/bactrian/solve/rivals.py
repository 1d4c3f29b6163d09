"""Other maxima than the one where an ascent ended, in words."""

from __future__ import annotations

import numpy as np

from bactrian.solve.certificate import Optimum

_NEARLY_EQUAL = 2.0
_TOLD = 3


def _better_known(optima: tuple[Optimum, ...]) -> Optimum | None:
    """The admissible maximum that is ranked above the one where an ascent ended."""
    chosen = [o for o in optima if o.status == "chosen"]
    least = chosen[0].criterion + 1e-6 if chosen else -np.inf
    better = [o for o in optima if o.status == "admissible" and o.criterion > least]
    return max(better, key=lambda o: o.criterion, default=None)


def in_place_of_better(optima: tuple[Optimum, ...]) -> list[str]:
    """Return that the ascent asked for did not lead to the best maximum, where it did not."""
    better = _better_known(optima)
    if better is None:
        return []
    return [
        f"A better maximum is known (log-likelihood {_beside(better)}): {_in_short(better)}. This "
        "one is where the ascent from its start ends; without start= and method= the fit is the "
        "better."
    ]


def rivals(optima: tuple[Optimum, ...]) -> list[str]:
    """Return which other maxima might have been chosen, those that are nearly as good first."""
    if not optima or optima[0].status != "chosen":
        return []
    chosen, better, found = optima[0], _better_known(optima), []
    higher = [o for o in optima[1:] if o.gap < -1e-6 and o.status != "admissible"]
    if higher:
        best = max(higher, key=lambda o: o.loglike)
        found.append(
            f"A maximum with a log-likelihood higher by {-best.gap:.2f} was rejected: one of its "
            f"components rests on {best.counts.min():.1f} rows."
        )
    others = [o for o in optima[1:] if o.status == "admissible" and o is not better]
    equal = [o for o in others if abs(o.criterion - chosen.criterion) < _NEARLY_EQUAL]
    found += [
        f"Another maximum is nearly as good (log-likelihood {_beside(o)}): {_in_short(o)}. "
        "The data do not decide between them."
        for o in equal[:_TOLD]
    ]
    passed = [o for o in others if o.gap < 0.0 and o not in equal]
    passed = [o for o in passed if o.criterion < chosen.criterion]
    found += [
        f"A maximum with a narrower component was ranked lower (log-likelihood {_beside(o)}): "
        f"{_in_short(o)}."
        for o in passed[:_TOLD]
    ]
    untold = max(0, len(equal) - _TOLD) + max(0, len(passed) - _TOLD)
    if untold:
        found.append(f"{untold} more such maxima are listed in the certificate.")
    return found


def _beside(optimum: Optimum) -> str:
    """How much higher or lower than the chosen maximum."""
    return f"{'higher' if optimum.gap < 0.0 else 'lower'} by {abs(optimum.gap):.2f}"


def _in_short(optimum: Optimum) -> str:
    """A mixture in one line, the means with as many digits as their sds resolve."""
    mixture = optimum.mixture
    ratio = float((np.abs(mixture.means) / mixture.sds).max())
    digits = {"means": min(17, max(4, 2 + int(np.ceil(np.log10(max(ratio, 1.0))))))}
    return ", ".join(
        f"{name} " + "/".join(f"{value:.{digits.get(name, 4)}g}" for value in values)
        for name, values in (
            ("weights", mixture.weights),
            ("means", mixture.means),
            ("sds", mixture.sds),
        )
    )
