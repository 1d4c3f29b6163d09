"""The estimates of a fit as a frame. The function is a method of ``Fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bactrian.data.tables.made import Backend, own_frame
from bactrian.errors import ParameterError
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.covariance import Kind
from bactrian.infer.intervals import Method

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit


def to_frame(
    fit: Fit,
    level: float | Backend = 0.95,
    *,
    method: Method | Bootstrap = "wald",
    kind: Kind | None = None,
    backend: Backend | None = None,
) -> Any:
    """Return the estimates with standard errors and intervals as a frame, one row for each.

    Parameters
    ----------
    level, method, kind
        As for ``confint``; the name of a library in the place of the level is taken for
        ``backend``.
    backend : {"pandas", "polars", "pyarrow"}, optional
        Of which library. By default that of the data that were fitted; if they were of none, or it
        is not installed, the first of these that is.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Columns: name, value, standard_error, low, high, level, method, note. In pandas, where
        sentences would hide the numbers, a note is an asterisk, and ``frame.attrs["notes"]`` has
        the sentences by name.

    Raises
    ------
    ParameterError
        As ``confint``; if the library is unknown, or none is installed.
    """
    if isinstance(level, str):
        if backend not in (None, level):
            raise ParameterError(
                f"{level!r} and backend={backend!r} name two libraries; leave one of them."
            )
        backend, level = level, 0.95
    found = fit.confint(level, method=method, kind=kind)
    if backend is not None:
        return found.to_frame(backend)
    return own_frame(found.to_columns(), fit.library, notes="note", of="name")
