"""How a fit was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bactrian.model.constraints import Constraints
from bactrian.model.mixture import NormalMixture


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of ``fit`` that name the data, for those who repeat the call.

    Attributes
    ----------
    data : str or None
        The path of a file; None for anything else.
    sample_weight : str or None
        The column that holds the weights; empty for weights that were in memory.
    weight_kind, missing : str
        As given.
    """

    data: str | None = None
    sample_weight: str | None = None
    weight_kind: str | None = None
    missing: str = "error"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Asked:
        """Return these of their plain values, where they are known.

        Raises
        ------
        ValueError
            If one of them is no text.
        """
        known = {name: values[name] for name in cls.__slots__ if name in values}
        if not all(value is None or isinstance(value, str) for value in known.values()):
            raise ValueError("a name of the data is no text")
        return cls(**known)


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How a fit was asked for.

    With `is_local` it is where `method` leads from `start`, whether or not that is the best.
    """

    constraints: Constraints
    method: str = "newton"
    max_steps: int | None = None
    start: NormalMixture | None = None
    is_local: bool = False
    asked: Asked = field(default_factory=Asked)

    @property
    def n_components(self) -> int:
        """K."""
        return self.constraints.n_components

    @property
    def equal_variances(self) -> bool:
        """Whether all components share one variance."""
        ratios = self.constraints.sd_ratios
        return ratios is not None and bool((ratios == 1.0).all())
