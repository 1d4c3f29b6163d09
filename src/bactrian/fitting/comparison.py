"""compare(): fits with several numbers of components, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bactrian.data.passes import Progress
from bactrian.data.tables.made import Backend, made_frame
from bactrian.errors import DataError, ParameterError
from bactrian.fitting.entry import checked_options
from bactrian.fitting.homogeneity import neighbour_test
from bactrian.fitting.options import Options
from bactrian.fitting.plots import plot_comparison
from bactrian.fitting.reading import Reading, read
from bactrian.fitting.recommendation import (
    CRITERIA,
    Criterion,
    about_rows,
    recommendation,
    recommended,
    smallest,
)
from bactrian.fitting.report import quick_bound
from bactrian.fitting.result import Fit
from bactrian.infer.homogeneity import HomogeneityTest
from bactrian.infer.words import count_in_words
from bactrian.present.bound import bound_sentence
from bactrian.present.comparison import (
    ComparisonRow,
    Sections,
    comparison_html,
    comparison_text,
    family_in_words,
    row_values,
)

Kind = Literal["different", "equal"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Fits of one column with several numbers of components; printing it shows a table.

    Attributes
    ----------
    fits : tuple of Fit
        With different variances first, in the order asked for, then with equal ones.
    tests : tuple of HomogeneityTest or None
        For each fit the EM-test of one component less against it; None where that is not among
        the fits, or no law is known.
    notes : tuple of str
        Which numbers of components were left out and why, in sentences.
    """

    fits: tuple[Fit, ...]
    tests: tuple[HomogeneityTest | None, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Fit]:
        """Iterate over the fits."""
        return iter(self.fits)

    def __getitem__(self, key: int | tuple[int, Kind]) -> Fit:
        """Return the fit with a number of components: with different variances, if there is one.

        ``comparison[2, "equal"]`` is that with equal variances, ``comparison[2, "different"]`` the
        other.
        """
        n_components, kind = key if isinstance(key, tuple) else (key, None)
        for fit in self.fits:
            if fit.options.n_components == n_components and kind in (None, _kind(fit)):
                return fit
        known = " and ".join(f'[{f.options.n_components}, "{_kind(f)}"]' for f in self.fits)
        raise KeyError(f"no fit is [{key!r}]; there are {known}")

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.fits)

    def best(self, criterion: Criterion = "bic") -> Fit:
        """Return the converged fit with the smallest criterion: "aic", "aicc", "bic" or "icl".

        Raises
        ------
        ParameterError
            If the criterion is unknown, no fit converged, or none that did has a value of it.
        """
        if criterion not in CRITERIA:
            raise ParameterError(
                f"criterion={criterion!r} is unknown; choose one of {', '.join(CRITERIA)}."
            )
        found = smallest(self.fits, criterion)
        if found is None and any(fit.converged for fit in self.fits):
            raise ParameterError(
                f"{criterion!r} has no value for any of the fits that converged, so there is no "
                'best one by it; with few rows "bic" has one, with sampling weights none has.'
            )
        if found is None:
            raise ParameterError("None of the fits converged, so there is no best one.")
        return found

    plot = plot_comparison

    @property
    def recommended(self) -> Fit | None:
        """The fit with the smallest BIC, those with near-degenerate components passed over."""
        return recommended(self.fits)

    @property
    def recommendation(self) -> str:
        """Which fit to take and why, in sentences."""
        return recommendation(self.fits, self.tests)

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """What the table shows of each fit, unrounded."""
        return tuple(map(_row, self.fits, self.tests))

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain values for strict JSON, None for the non-finite."""
        first = self.fits[0]
        return {
            "column": first.column,
            "n_obs": first.n_obs,
            "fits": [row_values(row) for row in self.rows],
            "recommendation": self.recommendation,
            "notes": list(self.notes),
        }

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """Return the table as a frame: "pandas", "polars" or "pyarrow".

        Raises
        ------
        ParameterError
            If the backend is unknown or not installed.
        """
        values = [row_values(row) for row in self.rows]
        plain = [name for name, value in values[0].items() if not isinstance(value, list)]
        columns = {name: [row[name] for row in values] for name in plain}
        most = max(len(row["weights"]) for row in values)
        for name in ("weights", "means", "sds"):
            for k in range(most):
                cells = [row[name][k] if k < len(row[name]) else None for row in values]
                columns[f"{name[:-1]} {k + 1}"] = cells
        return made_frame(columns, backend)

    def __str__(self) -> str:
        """Return the table."""
        return comparison_text(self._sections())

    def __repr__(self) -> str:
        """Return the printed form: a comparison is looked at where it is made."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return comparison_html(self._sections())

    def _sections(self) -> Sections:
        """What is shown, in words and numbers."""
        first = self.fits[0]
        return Sections(
            first.column, first.n_obs, self.rows, (*self.notes, self.recommendation, self._bound())
        )

    def _bound(self) -> str:
        """What no mixture could gain over the fit with the smallest BIC, in words."""
        best = self.recommended
        if best is None:
            return ""
        over = f"that with {best.options.n_components}"
        both = len({fit.options.equal_variances for fit in self.fits}) > 1
        if both and best.options.n_components > 1:
            over += f" {family_in_words(best.options.equal_variances)}"
        return bound_sentence(quick_bound(best), float(best.mixture.sds.min()), over)


def _kind(fit: Fit) -> Kind:
    """Whether the components of a fit share one variance."""
    return "equal" if fit.options.equal_variances else "different"


def _row(fit: Fit, test: HomogeneityTest | None) -> ComparisonRow:
    """What the table shows of one fit."""
    mixture = fit.mixture
    return ComparisonRow(
        n_components=fit.options.n_components,
        equal_variances=fit.options.equal_variances,
        n_params=fit.n_params,
        loglike=fit.loglike,
        aic=fit.aic,
        aicc=fit.aicc,
        bic=fit.bic,
        icl=fit.icl,
        entropy=fit.entropy,
        statistic=None if test is None else test.statistic,
        p_value=None if test is None else test.p_value,
        outcome=fit.outcome.value,
        weights=tuple(mixture.weights.tolist()),
        means=tuple(mixture.means.tolist()),
        sds=tuple(mixture.sds.tolist()),
    )


def compare(
    data: Any,
    n_components: int | Iterable[int] = (1, 2, 3),
    *,
    column: str | None = None,
    sample_weight: Any = None,
    weight_kind: Literal["frequency", "sampling"] | None = None,
    equal_variances: bool | None = None,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
) -> Comparison:
    """Return the fits of one column with several numbers of components, and tests between them.

    The data are sketched once, whatever the number of fits.

    Parameters
    ----------
    data, column, sample_weight, weight_kind, missing
        As for ``fit``.
    n_components : iterable of int, or int
        Numbers of components.
    equal_variances : bool, optional
        Whether components share one variance; by default fits of both kinds are made.
    progress : callable, optional
        As for ``fit``, and then called with the fits and tests done and their number.

    Raises
    ------
    DataError, DataTypeError
        If the data cannot be fitted.
    ParameterError
        If an option is out of its range.
    """
    if isinstance(n_components, int):
        n_components = (n_components,)
    options = _every(list(dict.fromkeys(n_components)), equal_variances)
    reading = read(
        data,
        column=column,
        sample_weight=sample_weight,
        weight_kind=weight_kind,
        missing=missing,
        progress=progress,
    )
    fits, notes = _fitted(reading, options, progress)
    tests = []
    for done, fit in enumerate(fits, start=1):
        tests.append(neighbour_test(fit, fits))
        if progress is not None:
            progress(len(options) + done, len(options) + len(fits))
    return Comparison(fits, tuple(tests), notes + about_rows(fits))


def _fitted(
    reading: Reading, options: list[Options], progress: Progress | None
) -> tuple[tuple[Fit, ...], tuple[str, ...]]:
    """The fits that the data are enough for, and why there are no others."""
    fits, reasons = [], {}
    for done, one in enumerate(options, start=1):
        try:
            fits.append(reading.fit(one))
        except DataError as error:
            reasons[one.n_components] = error
        if progress is not None:
            progress(done, 2 * len(options))
    if not fits:
        raise next(iter(reasons.values()))
    return tuple(fits), tuple(
        f"Left out, {count_in_words(k)}: {error}" for k, error in reasons.items()
    )


def _every(numbers: list[int], equal_variances: bool | None) -> list[Options]:
    """The options of all fits; a single component has one variance in any case."""
    if not numbers:
        raise ParameterError("n_components names no number; (1, 2, 3) compares three fits.")
    if equal_variances is not None:
        return [checked_options(k, equal_variances=equal_variances) for k in numbers]
    different = [checked_options(k, equal_variances=False) for k in numbers]
    return different + [checked_options(k, equal_variances=True) for k in numbers if k > 1]
