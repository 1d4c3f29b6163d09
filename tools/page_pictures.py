"""Take the pictures of a page that the documentation shows. Needs playwright, Pillow and Chromium.

python tools/page_pictures.py            docs/pictures/page_light.png and page_dark.png
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import bactrian as bt

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT, COLOURS = 1060, 1240, 64
# Somewhere below the maximum, so that there are arrows, and a few steps towards it.
PRESSED = ("go-poor", "step-em", "step-newton", "step-newton", "step-newton")


def take(browser: Browser, page: Path, scheme: str, section: str, picture: Path) -> None:
    """Take the picture of a section under a light or a dark scheme."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    opened = context.new_page()
    opened.goto(page.as_uri())
    for name in PRESSED:
        opened.click(f"#{name}")
    opened.mouse.move(0, 0)
    opened.locator(section).scroll_into_view_if_needed()
    opened.locator(section).screenshot(path=picture)
    context.close()
    with Image.open(picture) as taken:  # a palette halves the file
        taken.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


def main() -> None:
    """Fit, write the page, take the pictures."""
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        fit = bt.fit(bt.datasets.load("faithful"), column="waiting")
        page = fit.page(Path(folder) / "fit.html", source="faithful.csv")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            take(browser, page, scheme, "#likelihood", PICTURES / f"page_{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
