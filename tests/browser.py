"""A real Chromium for the tests that open pages, installed where it is not there and may be."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NO_CHROMIUM

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of playwright; the test is skipped where there is none and cannot be."""
    pytest.importorskip("playwright.sync_api")
    if not any(map(shutil.which, NAMES)):
        script = Path(__file__).parent / "services" / "chromium.sh"
        done = subprocess.run(
            ["bash", str(script)], capture_output=True, check=False, encoding="utf-8"
        )
        if done.returncode:
            pytest.skip(f"{NO_CHROMIUM}: {done.stderr.strip()[-200:]}")
    program = next(filter(None, map(shutil.which, NAMES)))
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
