"""What an ascent climbs: all that the loop and its steps ask of a function."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bactrian.data.sample import Sample
from bactrian.solve.state import State

Array = NDArray[np.float64]


class Landscape(Protocol):
    """A function over free coordinates: a log-likelihood, or one with a penalty."""

    @property
    def sample(self) -> Sample:
        """The weighted values."""

    @property
    def floor(self) -> float:
        """Smallest sd, in local units, at which the data still resolve a component."""

    def evaluate(self, free: Array) -> State:
        """Return the state at free coordinates (S, p)."""

    def after_em(self, state: State) -> Array:
        """Return the free coordinates (S, p) of the EM step, which never lowers the function."""

    def reach(self, state: State) -> Array:
        """Return how far (S, p) a step may go from where the ascents stand."""
