"""Ctrl-C, heard whatever the packages beneath make of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN = 0.5  # seconds: longer than it takes to tidy up


@contextmanager
def heard() -> Iterator[threading.Event]:
    """Raise KeyboardInterrupt at Ctrl-C, and again until the work ends; set what is yielded.

    Python raises it once, wherever it is. In a call back from compiled code it cannot go on, and
    is lost: modules of compiled packages, LLVM and DuckDB have such, and rows were then read and
    results written in spite of it. DuckDB also makes another error of it.
    """
    pressed = threading.Event()
    # Elsewhere handlers cannot be set; where it is ignored, or someone else's, it stays so.
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return
    repeats = hasattr(signal, "setitimer")  # not on Windows

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Raise, now and in a while."""
        pressed.set()
        if repeats:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    before = signal.signal(signal.SIGALRM, interrupt) if repeats else None
    try:
        yield pressed
    finally:
        if repeats:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
