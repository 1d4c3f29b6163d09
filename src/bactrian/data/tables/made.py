"""Results as frames of the user's own library."""

from __future__ import annotations

from typing import Any, Literal, get_args

from bactrian.errors import ParameterError

Backend = Literal["pandas", "polars", "pyarrow"]
_BACKENDS = get_args(Backend)


def made_frame(columns: dict[str, list[Any]], backend: Backend) -> Any:
    """Return columns of plain values as a frame of a library.

    Raises
    ------
    ParameterError
        If the library is unknown or not installed.
    """
    if backend not in _BACKENDS:
        raise ParameterError(
            f"backend={backend!r} is unknown; choose one of {', '.join(map(repr, _BACKENDS))}."
        )
    import narwhals as nw

    try:
        return nw.from_dict(columns, backend=backend).to_native()
    except ModuleNotFoundError:
        raise ParameterError(
            f"{backend} is not installed: install it, or choose another of "
            f"{', '.join(map(repr, _BACKENDS))}."
        ) from None
