"""Ctrl-C ends a command whatever the packages beneath make of it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from bactrian import cli


def run(monkeypatch: pytest.MonkeyPatch, becomes: Exception | None, seconds: float) -> int:
    """The exit status where a package swallows Ctrl-C, or makes an error of it, and works on."""

    def command(options: object) -> int:
        """Somebody presses Ctrl-C in a call back from compiled code."""
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if becomes is not None:
                raise becomes from None
        time.sleep(seconds)
        return 0

    monkeypatch.setattr("bactrian.cli.commands.fit_command", command)
    return cli.main(["fit", "rows.csv"])


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Handlers and timers are left as they were found.

    Python's own handler is put in first: what ran before, as PySpark, may have left one of its own.
    """
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, found) is signal.default_int_handler
    if hasattr(signal, "getitimer"):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_error_that_ctrl_c_became_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, RuntimeError("Query interrupted"), 0.0) == 130


def test_what_was_done_in_spite_of_ctrl_c_is_not_called_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(monkeypatch, None, 0.0) == 130


def test_what_swallows_ctrl_c_hears_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = time.monotonic()
    assert run(monkeypatch, None, 20.0) == 130
    if hasattr(signal, "setitimer"):
        assert time.monotonic() - begin < 15.0


def test_an_error_of_its_own_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(options: object) -> int:
        """A fault of ours."""
        raise RuntimeError("nobody pressed anything")

    monkeypatch.setattr("bactrian.cli.commands.fit_command", command)
    with pytest.raises(RuntimeError, match="nobody"):
        cli.main(["fit", "rows.csv"])


def test_a_handler_of_someone_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        assert run(monkeypatch, None, 0.0) == 0
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
