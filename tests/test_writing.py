"""Files are whole or as they were, and what cannot be written says where and why."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from bactrian.errors import DataError
from bactrian.writing import beside, writable, write_whole


@pytest.mark.parametrize("content", ["zwölf\n\u2028", b"\x00\xff\r\n"])
def test_what_is_given_is_there_byte_by_byte(content: str | bytes, tmp_path: Path) -> None:
    path = writable(tmp_path / "a.txt", "fit.html")
    path.write_text("a longer text that was there before", encoding="utf-8")
    write_whole(path, content)
    raw = content.encode("utf-8") if isinstance(content, str) else content
    assert path.read_bytes() == raw
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("place", ["os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interruption_leaves_what_was_there(
    place: str, error: BaseException | type[BaseException], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "a.txt"
    path.write_text("before", encoding="utf-8")

    def broken(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(place, broken)
        with pytest.raises(DataError if isinstance(error, OSError) else KeyboardInterrupt) as found:
            write_whole(path, "after")
    if isinstance(error, OSError):
        assert str(found.value).startswith(
            f"'a.txt' cannot be written to the folder {str(tmp_path)!r} (No space left on device): "
        )
    assert path.read_text("utf-8") == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_may_be_read_by_whom_any_new_file_may_be(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", "x")
    (tmp_path / "usual").write_text("x", encoding="utf-8")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_the_folder_and_the_cause_are_named(tmp_path: Path) -> None:
    path = writable(tmp_path / ("x" * 300 + ".html"), "fit.html")
    with pytest.raises(DataError) as found, beside(path) as temporary:
        Path(temporary).write_text("x", encoding="utf-8")
    assert f"cannot be written to the folder {str(tmp_path)!r} (File name too long)" in str(
        found.value
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", r"^'' names no file to write: give it a name, such as 'fit\.html'$"),
        ("a\0b", "leave the null character out"),
        (".", r"'\.' is a directory: name a file in it, such as '\./fit\.html'"),
        ("no/fit.html", "there is no folder 'no' to write to: make it first"),
    ],
)
def test_what_names_no_file_is_refused(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=words):
        writable(name, "fit.html")


def test_a_folder_that_is_closed_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To root no folder is closed.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(DataError, match="may not be written to: name another one"):
        writable(tmp_path / "fit.html", "fit.html")


def test_a_link_stays_one(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    link = tmp_path / "link.html"
    link.symlink_to(kept / "fit.html")
    write_whole(writable(link, "fit.html"), "x")
    assert link.is_symlink()
    assert (kept / "fit.html").read_text("utf-8") == "x"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.append(path.read_text("utf-8")), daemon=True)
    reader.start()
    write_whole(writable(path, "fit.html"), "x" * 100_000)
    reader.join(timeout=10.0)
    assert seen == ["x" * 100_000]
    assert stat.S_ISFIFO(path.stat().st_mode)
