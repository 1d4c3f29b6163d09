"""A file written whole or not at all, and refused before the work that would fill it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from bactrian.errors import DataError


def writable(path: str | os.PathLike[str], example: str) -> Path:
    """Return where a file is to go, checked.

    Parameters
    ----------
    path : path-like
        ``~`` stands for the user's home.
    example : str
        A name for the file, for the message where a folder is named.

    Raises
    ------
    DataError
        If it is a folder, or its folder is not there or may not be written to.
    """
    target = Path(os.path.realpath(os.path.expanduser(os.fspath(path))))
    if target.is_dir():
        raise DataError(
            f"{os.fspath(path)!r} is a directory: name a file in it, such as "
            f"{os.path.join(os.fspath(path), example)!r}"
        )
    folder = os.path.dirname(os.path.expanduser(os.fspath(path))) or "."
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {folder!r} to write to: make it first")
    if not os.access(target.parent, os.W_OK):
        raise DataError(f"the folder {folder!r} may not be written to: name another one")
    return target


def write_whole(target: Path, text: str) -> None:
    """Write a text in UTF-8 beside its place and put it there once it is on the disk.

    Raises
    ------
    DataError
        If the system does not let us; what had the name before is as it was.
    """
    temporary = target.parent / f".{uuid4().hex}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        raise DataError(
            f"{target.name!r} cannot be written ({reason}): write to a folder that you may write "
            "to and that has room"
        ) from None
    finally:
        with suppress(OSError):
            os.remove(temporary)
