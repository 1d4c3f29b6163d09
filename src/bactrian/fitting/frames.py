"""The estimates of a fit as a frame. The function is a method of ``Fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bactrian.data.tables.made import Backend, own_frame
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.covariance import Kind
from bactrian.infer.intervals import Method

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def to_frame(
    fit: Fit,
    level: float = 0.95,
    *,
    method: Method | Bootstrap = "wald",
    kind: Kind | None = None,
    backend: Backend | None = None,
) -> Any:
    """Return the estimates with standard errors and intervals as a frame, one row for each.

    Parameters
    ----------
    level, method, kind
        As for ``confint``.
    backend : {"pandas", "polars", "pyarrow"}, optional
        Of which library. By default that of the data that were fitted; if they were of none, or it
        is not installed, the first of these that is.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Columns: name, value, standard_error, low, high, level, method, note.

    Raises
    ------
    ParameterError
        As ``confint``; if the library is unknown, or none is installed.
    """
    found = fit.confint(level, method=method, kind=kind)
    return (
        own_frame(found.to_columns(), fit.library) if backend is None else found.to_frame(backend)
    )
