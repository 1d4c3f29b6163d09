"""A file written whole or not at all, and refused before the work that would fill it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from bactrian.errors import DataError


def writable(path: str | os.PathLike[str], example: str) -> Path:
    """Return where a file is to go, checked.

    Parameters
    ----------
    path : path-like
        ``~`` stands for the user's home; a link for the file that it names.
    example : str
        A name for the file, for the message where there is none.

    Raises
    ------
    DataError
        If no file is named, or a folder is, or its folder is not there or may not be written to.
    """
    named = os.path.expanduser(os.fspath(path))
    if not named:
        raise DataError(f"'' names no file to write: give it a name, such as {example!r}")
    if "\0" in named:
        raise DataError(f"{named!r} is no name of a file: leave the null character out")
    if os.path.isdir(named):
        raise DataError(
            f"{os.fspath(path)!r} is a directory: name a file in it, such as "
            f"{os.path.join(os.fspath(path), example)!r}"
        )
    if os.path.exists(named) and not os.path.isfile(named):
        return Path(named)  # a terminal, a pipe
    target = Path(os.path.realpath(named))
    folder = os.path.dirname(named) or "."
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {folder!r} to write to: make it first")
    if not os.access(target.parent, os.W_OK):
        raise DataError(f"the folder {folder!r} may not be written to: name another one")
    return target


@contextmanager
def beside(target: Path) -> Iterator[str]:
    """Give a path to write to; what is there at the end takes its place once it is on the disk.

    Raises
    ------
    DataError
        If the system does not let us; what had the name before is as it was.
    """
    # What is written to a terminal or a pipe has gone: nothing can take its place.
    is_stream = os.path.exists(target) and not os.path.isfile(target)
    folder = tempfile.gettempdir() if is_stream else str(target.parent)
    temporary = os.path.join(folder, f".{uuid4().hex}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
            if is_stream:
                with open(target, "wb") as stream:
                    shutil.copyfileobj(written, stream)
        if not is_stream:
            os.replace(temporary, target)
    except (OSError, UnicodeError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise unwritable(target, reason) from None
    finally:
        with suppress(OSError, UnicodeError):
            os.remove(temporary)


def write_whole(target: Path, content: str | bytes) -> None:
    """Write bytes, or a text in UTF-8, whole or not at all; raises as ``beside``."""
    raw = content.encode("utf-8") if isinstance(content, str) else content
    with beside(target) as temporary, open(temporary, "xb") as file:
        file.write(raw)


def unwritable(target: Path, reason: str) -> DataError:
    """Return the error for a file that the system does not let us write."""
    reason = reason.splitlines()[0].rstrip(".")
    return DataError(
        f"{target.name!r} cannot be written to the folder {str(target.parent)!r} ({reason}): name "
        "a folder that you may write to and that has room"
    )
