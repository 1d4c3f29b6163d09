"""A fit as SQL for new rows where they are. The function is a method of ``Fit``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from bactrian.errors import ParameterError
from bactrian.fitting.thresholds import threshold
from bactrian.infer.choice import named_pair
from bactrian.present.sql import Dialect, Expressions

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

What = Literal["posterior", "class", "component", "logpdf"]
WHATS = get_args(What)
_CUTS = frozenset(
    "posterior costs prevalence false_positive_rate false_negative_rate density_minimum "
    "components".split()
)


def to_sql(
    fit: Fit,
    column: str | Sequence[str] | None = None,
    *,
    what: What = "posterior",
    dialect: Dialect = "duckdb",
    component: int | None = None,
    **cut: Any,
) -> str:
    """Return an SQL expression that scores the rows of a column: ``select {expression} from t``.

    Parameters
    ----------
    column : str or (str, str)
        Name of the column, or of its table and the column; that which was fitted if left out.
        Names are quoted, so that any text is only ever a name.
    what : {"posterior", "class", "component", "logpdf"}
        "posterior": the probability of a component given the value. "class": the component that
        ``Fit.threshold`` calls, the lower up to the cut and the upper above it. "component": the
        most probable component, of any number of them. "logpdf": the natural logarithm of the
        density. Components are numbers counted from 1 in the order of the fit.
    dialect : {"duckdb", "postgresql", "sqlite", "spark"}
        For which database. SQLite needs its mathematical functions.
    component : int
        Whose posterior, counted from 1; by default that with the largest mean.
    **cut
        With ``what="class"``: which cut, as for ``Fit.threshold``; without any it is where both
        components are equally probable.

    Returns
    -------
    str
        NULL gives NULL. NaN gives NaN as posterior and log-density, NULL as component and class;
        minus and plus infinity count as the lowest and the highest value. The posterior is that of
        ``NormalMixture.responsibilities`` to rounding, however far a value is; the log-density is
        minus infinity from some 1e150 sds on.

    Raises
    ------
    ParameterError
        If the fit is no maximum, an argument is unknown or does not go with the others, there is
        no such component or cut, or no database has such a column.

    Notes
    -----
    Source: derivation, "Log-odds for two components".
    """
    _check(fit, what, component, cut)
    named = fit.column if column is None else column
    if named is None:
        raise ParameterError('The fitted column has no name; say which is meant: column="x".')
    expressions = Expressions.of(named, dialect)
    if what == "class":
        point = threshold(fit, **cut, method="wald").cut
        if math.isnan(point.value):
            raise ParameterError(f"No row can be cut: {point.note[:1].lower()}{point.note[1:]}")
        pair = named_pair(fit.mixture.means.tolist(), cut.get("components"))
        return expressions.side(point.value, *pair)
    if what == "component":
        return expressions.component(fit.mixture)
    if what == "logpdf":
        return expressions.logpdf(fit.mixture)
    return expressions.posterior(fit.mixture, _position(fit, component))


def _check(fit: Fit, what: Any, component: Any, cut: dict[str, Any]) -> None:
    """Refuse what cannot be answered, or is not asked in a way that has one answer."""
    if not fit.converged:
        raise ParameterError("A fit that is no maximum is nothing to score by; see its outcome.")
    if what not in WHATS:
        raise ParameterError(
            f"what={what!r} is unknown; choose one of {', '.join(map(repr, WHATS))}."
        )
    if cut and what != "class":
        raise ParameterError(
            f'{next(iter(cut))}= says where to cut, which goes with what="class"; leave it out.'
        )
    unknown = sorted(set(cut) - _CUTS)
    if unknown:
        raise ParameterError(
            f"{unknown[0]}= is unknown; where to cut is said by {', '.join(sorted(_CUTS))}."
        )
    if component is not None and what != "posterior":
        raise ParameterError(
            'component= says whose posterior is wanted, which goes with what="posterior".'
        )


def _position(fit: Fit, component: int | None) -> int:
    """The component counted from 0."""
    if component is None:
        return int(fit.mixture.means.argmax())
    k = fit.mixture.n_components
    if isinstance(component, bool) or component not in range(1, k + 1):
        raise ParameterError(
            f"component={component!r} is none of the {k}; count from 1 in the order of the fit."
        )
    return int(component) - 1
