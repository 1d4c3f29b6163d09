"""How a fit was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bactrian.model.constraints import Constraints


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How a fit was asked for."""

    constraints: Constraints
    method: str = "newton"
    max_steps: int | None = None

    @property
    def n_components(self) -> int:
        """K."""
        return self.constraints.n_components

    @property
    def equal_variances(self) -> bool:
        """Whether all components share one variance."""
        ratios = self.constraints.sd_ratios
        return ratios is not None and bool((ratios == 1.0).all())
