"""Which files are meant, in which format they are, and why one cannot be read."""

from __future__ import annotations

import difflib
import glob
import gzip
import itertools
import os
import re
import stat
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, TypeGuard

from bactrian.data.tables.engine import File
from bactrian.errors import DataError

__all__ = ["Paths", "inspected", "is_saved_fit", "matching", "names_files", "regular", "spooled"]

Path = str | os.PathLike[str]
Paths = Path | Sequence[Path]

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
# First bytes of what cannot be read, and what to do about it.
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: save the sheet as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: decompress it first, or use gzip",
    b"\x93NUMPY": "a NumPy file: read it with numpy.load and pass the array",
    b"ARROW1": "an Arrow file: read it with pyarrow.feather.read_table and pass the table",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}
# How fits begin that were written as JSON.
_FIT = re.compile(
    rb'(\xef\xbb\xbf)?\s*\{\s*"format":\s*\d+,\s*("format_minor":\s*\d+,\s*)?"column":'
    rb'.*"n_components":',
    re.DOTALL,
)
_HEAD = 1 << 16
_BLOCK = 1 << 20


def names_files(data: object) -> TypeGuard[Paths]:
    """Whether data are a path or a glob, or a list of them.

    Texts may be something else, which the first of a list shows.
    """
    if isinstance(data, str | os.PathLike):
        return True
    if not isinstance(data, list | tuple) or not data:
        return False
    if not (isinstance(data[0], os.PathLike) or (isinstance(data[0], str) and _is_a_name(data[0]))):
        return False
    return all(isinstance(path, str | os.PathLike) for path in data)


def _is_a_name(text: str) -> bool:
    """Whether a text is the name of a file, or looks like one."""
    ending = os.path.splitext(text.lower().removesuffix(".gz"))[1]
    return ending in _FORMATS or ending == ".sketch" or os.path.exists(os.path.expanduser(text))


def matching(paths: Paths) -> list[str]:
    """The files that a path or glob names, or several of them.

    Raises
    ------
    DataError
        No such file, a directory, nothing that matches; a file that is named twice.
    """
    if isinstance(paths, str | os.PathLike):
        return _matching(os.path.expanduser(os.fsdecode(paths)))
    found = [file for path in paths for file in matching(path)]
    seen: set[str] = set()
    for file in found:
        place = os.path.realpath(file)
        if place in seen:
            raise DataError(f"{file!r} is named twice: its rows would count twice; name it once")
        seen.add(place)
    return found


def _matching(path: str) -> list[str]:
    """The files that one path or glob names."""
    if os.path.isdir(path):
        raise DataError(
            f"{path!r} is a directory: name a file, or several as {os.path.join(path, '*.csv')!r}"
        )
    if os.path.lexists(path):
        return [path]
    if not glob.has_magic(path):
        folder, name = os.path.split(path)
        siblings = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
        close = difflib.get_close_matches(name, siblings, n=1, cutoff=0.75)
        hint = (
            f"did you mean {close[0]!r}?" if close else "check the path and the working directory"
        )
        raise DataError(f"there is no file {path!r}: {hint}")
    found = sorted(name for name in glob.glob(path, recursive=True) if not os.path.isdir(name))
    if not found:
        raise DataError(f"no file matches {path!r}: check the pattern and the working directory")
    return found


def regular(path: str, stack: ExitStack) -> File:
    """The file, copied to a temporary one first when it is a pipe."""
    label = repr(os.path.basename(path))
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return inspected(path, label, name=path, stack=stack)
        with open(path, "rb") as pipe:
            return inspected(spooled(pipe, label, stack), label, name=path, stack=stack)
    except OSError as error:
        raise DataError(f"{label} cannot be read: {error.strerror or error}") from None


def inspected(path: str, label: str, *, name: str, stack: ExitStack) -> File:
    """The file with its format, told from its first bytes and the ending of its name."""
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        path = _unpacked(path, label, stack)
        head = _head(path)
    if not head:
        raise DataError(f"{label} is empty: it holds no bytes at all")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{label} is {what}")
    if _FIT.match(head):
        raise DataError(f"{label} is a saved fit, not rows: read it with bactrian.Fit.from_json")
    stem = name.lower().removesuffix(".gz")
    form = _FORMATS.get(os.path.splitext(stem)[1])
    if head.startswith(b"PAR1"):
        form = "parquet"
    elif form is None:
        form = "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"
    if form in ("csv", "tsv") and (preamble := _preamble(head)):
        # The versions of DuckDB count blank lines differently when they skip lines.
        with open(path, "rb") as file:
            for _ in range(preamble):
                file.readline()
            return File(_copied(file, stack), label, form, preamble)
    return File(path, label, form)


def is_saved_fit(path: str) -> bool:
    """Return whether a path is that of a fit written as JSON, whatever its name."""
    path = os.path.expanduser(path)
    try:
        return os.path.isfile(path) and _FIT.match(_head(path)) is not None
    except OSError:
        return False  # whoever reads the file says what is wrong with it


def _head(path: str) -> bytes:
    """The first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(_HEAD)


def _unpacked(path: str, label: str, stack: ExitStack) -> str:
    """The path of a temporary copy without the compression.

    Python's gzip checks the length and the sum of what it unpacks; DuckDB 1 takes a stream that
    was cut off for a shorter file.
    """
    try:
        with gzip.open(path) as packed:
            return _copied(packed, stack)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(
            f"{label} is cut off or damaged: its gzip stream does not end as it should; copy it "
            "again"
        ) from None


def _preamble(head: bytes) -> int:
    """The number of blank lines and lines of comment at the beginning of a text."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
    before = itertools.takewhile(lambda line: line.strip()[:1] in (b"", b"#"), lines)
    return sum(1 for _ in before)


def spooled(stream: Any, label: str, stack: ExitStack) -> str:
    """The path of a temporary file with all that the stream holds, gone when the stack closes."""
    try:
        return _copied(stream, stack)
    except (OSError, ValueError) as error:
        raise DataError(f"{label} cannot be read: {error}") from None


def _copied(stream: Any, stack: ExitStack) -> str:
    """The path of a temporary copy, text as UTF-8."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bactrian-"))
    path = os.path.join(folder, "copy")
    with open(path, "wb") as copy:
        while block := stream.read(_BLOCK):
            copy.write(block.encode() if isinstance(block, str) else block)
    return path
