"""compare(): fits with several numbers of components, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bactrian.data.passes import Progress
from bactrian.errors import ParameterError
from bactrian.fitting.entry import checked_options
from bactrian.fitting.reading import read
from bactrian.fitting.report import quick_bound
from bactrian.fitting.result import Fit
from bactrian.present.bound import bound_sentence
from bactrian.present.comparison import ComparisonRow, comparison_table


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Fits of one column with several numbers of components; printing it shows a table.

    Attributes
    ----------
    fits : tuple of Fit
        In the order asked for.
    """

    fits: tuple[Fit, ...]

    def __iter__(self) -> Iterator[Fit]:
        """Iterate over the fits."""
        return iter(self.fits)

    def __getitem__(self, n_components: int) -> Fit:
        """Return the fit with a number of components."""
        for fit in self.fits:
            if fit.options.n_components == n_components:
                return fit
        raise KeyError(n_components)

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.fits)

    def best(self, criterion: Literal["aic", "bic", "icl"] = "bic") -> Fit:
        """Return the converged fit with the smallest criterion.

        Raises
        ------
        ParameterError
            If the criterion is unknown, or no fit converged.
        """
        if criterion not in ("aic", "bic", "icl"):
            raise ParameterError(f"criterion={criterion!r} is unknown; choose aic, bic or icl.")
        converged = [fit for fit in self.fits if fit.converged]
        if not converged:
            raise ParameterError("None of the fits converged, so there is no best one.")
        return min(converged, key=lambda fit: float(getattr(fit, criterion)))

    def __str__(self) -> str:
        """Return the table."""
        rows = [
            ComparisonRow(
                fit.options.n_components, fit.n_params, fit.loglike, fit.aic, fit.bic,
                fit.icl, fit.outcome.value,
            )
            for fit in self.fits
        ]  # fmt: skip
        first = self.fits[0]
        return comparison_table(first.column, first.n_obs, rows, self._bound())

    def _bound(self) -> str:
        """What no mixture could gain over the fit with the smallest BIC, in words."""
        if not any(fit.converged and not math.isnan(fit.bic) for fit in self.fits):
            return ""
        best = self.best()
        over = f"that with {best.options.n_components}"
        return bound_sentence(quick_bound(best), float(best.mixture.sds.min()), over)

    def __repr__(self) -> str:
        """Return the printed form: a comparison is looked at where it is made."""
        return str(self)


def compare(
    data: Any,
    n_components: int | Iterable[int] = (1, 2, 3),
    *,
    column: str | None = None,
    sample_weight: Any = None,
    weight_kind: Literal["frequency", "sampling"] | None = None,
    equal_variances: bool = False,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> Comparison:
    """Return the fits of one column with several numbers of components.

    The data are sketched once, whatever the number of fits.

    Parameters
    ----------
    data, column, sample_weight, weight_kind, equal_variances, missing, progress
        As for ``fit``.
    n_components : iterable of int, or int
        Numbers of components.

    Raises
    ------
    DataError, DataTypeError
        If the data cannot be fitted.
    ParameterError
        If an option is out of its range.
    """
    if isinstance(n_components, int):
        n_components = (n_components,)
    options = [checked_options(k, equal_variances=equal_variances) for k in n_components]
    if not options:
        raise ParameterError("n_components names no number; (1, 2, 3) compares three fits.")
    reading = read(
        data,
        column=column,
        sample_weight=sample_weight,
        weight_kind=weight_kind,
        missing=missing,
        progress=progress,
    )
    return Comparison(tuple(reading.fit(one) for one in options))
