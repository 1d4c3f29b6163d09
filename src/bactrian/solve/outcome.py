"""How an ascent ended, each way with its cause and its remedy."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """How an ascent ended: a value, not an exception.

    The likelihood of a normal mixture is unbounded as a standard deviation goes to zero, so a
    collapse is an ordinary outcome of an ascent.
    """

    CONVERGED = "converged"
    MAX_STEPS = "max_steps"
    COMPONENT_COLLAPSED = "component_collapsed"
    COMPONENT_VANISHED = "component_vanished"
    COMPONENTS_NOT_DISTINCT = "components_not_distinct"
    NOT_A_MAXIMUM = "not_a_maximum"
    BINS_TOO_WIDE = "bins_too_wide"
    START_LED_NOWHERE = "start_led_nowhere"

    @property
    def cause(self) -> str:
        """One sentence that says what happened."""
        return _SENTENCES[self][0]

    @property
    def remedy(self) -> str:
        """One sentence that says what to do about it; empty when nothing is needed."""
        return _SENTENCES[self][1]


_SENTENCES = {
    Outcome.CONVERGED: ("The ascent ended at a maximum of the likelihood.", ""),
    Outcome.MAX_STEPS: (
        "The ascent was stopped at its largest number of steps before it reached a maximum.",
        'Use method="newton", or allow more steps with max_steps=.',
    ),
    Outcome.COMPONENT_COLLAPSED: (
        "No admissible maximum exists: every ascent ends with a component that shrinks onto a "
        "single value, where the likelihood grows without bound.",
        "Fit with equal_variances=True, fit fewer components, or look at the outlying or repeated "
        "values that the component collapses on.",
    ),
    Outcome.BINS_TOO_WIDE: (
        "The bins of the sketch are too wide: every ascent ends with a component that shrinks to "
        "half the width of a bin, and none narrower can be seen.",
        "Sketch the data again in narrower bins, with a smaller exponent or that which is chosen "
        "from the data; or fit the data themselves.",
    ),
    Outcome.COMPONENT_VANISHED: (
        "No admissible maximum exists: a component's weight goes to zero.",
        "Fit fewer components.",
    ),
    Outcome.COMPONENTS_NOT_DISTINCT: (
        "Two components coincide: the data do not tell them apart.",
        "Fit fewer components.",
    ),
    Outcome.START_LED_NOWHERE: (
        "The ascent ended with a component that shrinks onto a single value, loses its rows or "
        "coincides with another; from other starts there is a maximum.",
        "Leave out start= and method=, and it is found; or start elsewhere.",
    ),
    Outcome.NOT_A_MAXIMUM: (
        "The ascent ended at a stationary point that is not a maximum.",
        'Use method="newton", which leaves such points.',
    ),
}
