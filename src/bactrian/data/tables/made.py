"""Results as frames of the user's own library."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal, get_args

from bactrian.errors import ParameterError

Backend = Literal["pandas", "polars", "pyarrow"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
# Those whose users have a library of these at hand.
_RELATED: dict[str, Backend] = {"dask": "pandas", "dask_expr": "pandas", "modin": "pandas"}


def library_of(data: object) -> Backend | None:
    """Return the library that a frame or a column is of, if it is one of ours; imports none."""
    root = type(data).__module__.partition(".")[0].lstrip("_")
    if root == "narwhals" and hasattr(data, "to_native"):
        return library_of(data.to_native())
    return next((b for b in BACKENDS if b == root), _RELATED.get(root))


def own_frame(columns: dict[str, list[Any]], library: Backend | None, **marked: str) -> Any:
    """Return columns of plain values as a frame of a library if it is installed, or of another.

    Raises
    ------
    ParameterError
        If no library of frames is installed.
    """
    wanted = BACKENDS if library is None else (library, *BACKENDS)
    found = next((b for b in wanted if find_spec(b) is not None), None)
    if found is None:
        raise ParameterError(
            "A frame needs pandas, Polars or PyArrow, and none of them is installed: run "
            "pip install 'bactrian[pandas]'."
        )
    return made_frame(columns, found, **marked)


def made_frame(
    columns: dict[str, list[Any]], backend: Backend, *, notes: str = "", of: str = ""
) -> Any:
    """Return columns of plain values as a frame of a library.

    pandas shows the first and the last columns of a frame that is too wide, so that a column of
    sentences hides the numbers: it gets an asterisk for each, and the frame's ``attrs`` the
    sentences.

    Parameters
    ----------
    columns : dict
        Lists of one length.
    backend : {"pandas", "polars", "pyarrow"}
        Of which library.
    notes, of : str, optional
        The columns that hold sentences, and what they are about.

    Raises
    ------
    ParameterError
        If the library is unknown or not installed.
    """
    if backend not in BACKENDS:
        raise ParameterError(
            f"backend={backend!r} is unknown; choose one of {', '.join(map(repr, BACKENDS))}."
        )
    import narwhals as nw

    sentences = {}
    if notes and backend == "pandas":
        pairs = zip(columns[of], columns[notes], strict=True)
        sentences = {name: sentence for name, sentence in pairs if sentence}
        columns = columns | {notes: ["*" * bool(sentence) for sentence in columns[notes]]}
    try:
        found: Any = nw.from_dict(columns, backend=backend).to_native()
    except ModuleNotFoundError:
        raise ParameterError(
            f"{backend} is not installed: install it, or choose another of "
            f"{', '.join(map(repr, BACKENDS))}."
        ) from None
    if sentences:
        found.attrs["notes"] = sentences
    return found
