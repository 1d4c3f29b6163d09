"""Look at the built site in Chromium: formulas are drawn, the search finds, nothing is fetched.

    docs/build && python tools/see_site.py FOLDER

leaves pictures of some pages, light and dark, wide and on a phone, in the folder. Needs playwright,
and a Chromium of the system: ``chromium`` on the path, or the one that the environment variable
CHROMIUM names.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

SITE = Path(__file__).resolve().parent.parent / "build" / "site"
PAGES = ("index", "tutorial", "derivation", "api/results")

# A fraction with its bar between numerator and denominator, and a sum that is larger than a letter.
DRAWN = """() => {
    const box = element => element.getBoundingClientRect();
    const fraction = document.querySelector("div.math mfrac");
    const [above, below] = [...fraction.children].map(box);
    const sum = [...document.querySelectorAll("div.math mo")].find(o => o.textContent === "∑");
    const letter = document.querySelector("div.math mi");
    return {
        stacked: above.bottom <= below.top + 1 && above.width > 0 && below.height > 0,
        grown: box(sum).height > 1.5 * box(letter).height,
        font: document.fonts.check('16px "STIX Two Math"'),
        loaded: [...document.fonts].some(f => f.family.includes("STIX") && f.status === "loaded"),
        raw: document.querySelector("article").innerText.includes("\\\\frac"),
    };
}"""


# A formula that is wider than a phone is scrolled in its own line, and no page is wider than it.
FITTING = """() => {
    const formulas = [...document.querySelectorAll("article div.math")];
    const long = formulas.filter(line => line.scrollWidth > line.clientWidth + 1);
    const scrolls = line => getComputedStyle(line).overflowX === "auto";
    const column = document.querySelector("article").getBoundingClientRect().right;
    return {
        page: document.documentElement.scrollWidth <= innerWidth,
        lines: formulas.every(line => line.getBoundingClientRect().right <= column + 1),
        scrolled: long.length > 0 && long.every(scrolls),
        whole: formulas.every(line => line.scrollHeight <= line.clientHeight + 1),
    };
}"""


def formulas_fit(page: Any, site: Path = SITE) -> dict[str, bool]:
    """What a page of Chromium says of the derivation on a phone."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((site / "docs" / "derivation.html").as_uri())
    page.evaluate("document.fonts.ready")
    found: dict[str, bool] = page.evaluate(FITTING)
    return found


def formulas_drawn(page: Any, site: Path = SITE) -> dict[str, bool]:
    """What a page of Chromium says of the formulas of the derivation."""
    page.goto((site / "docs" / "derivation.html").as_uri())
    page.evaluate("document.fonts.ready")
    found: dict[str, bool] = page.evaluate(DRAWN)
    return found


def found_by_search(page: Any, word: str, site: Path = SITE) -> list[str]:
    """The titles that the search of the site finds for a word."""
    page.goto((site / "search.html").as_uri() + f"?q={word}")
    page.wait_for_selector("#search-results .search li a")
    titles: list[str] = page.locator("#search-results .search li > a").all_inner_texts()
    return titles


def main(arguments: list[str]) -> int:
    """Exit status: 0 when formulas are drawn, the search finds and nothing was fetched."""
    from playwright.sync_api import sync_playwright

    pictures = Path(arguments[0])
    pictures.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    fetched: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1400, "height": 1000})
            page.on("request", lambda request: fetched.append(request.url))
            drawn = formulas_drawn(page)
            titles = found_by_search(page, "responsibilities")
            for name in PAGES:
                page.goto((SITE / "docs" / f"{name}.html").as_uri())
                page.screenshot(path=pictures / f"{name.replace('/', '-')}-{scheme}.png")
            page.set_viewport_size({"width": 390, "height": 844})
            for name in PAGES:
                page.goto((SITE / "docs" / f"{name}.html").as_uri())
                page.screenshot(path=pictures / f"{name.replace('/', '-')}-{scheme}-phone.png")
        fits = formulas_fit(browser.new_page())
        browser.close()
    remote = sorted({url for url in fetched if not url.startswith(("file:", "data:"))})
    print(f"formulas: {drawn}\non a phone: {fits}\nsearch: {titles[:5]}")
    print(f"fetched from the network: {remote}")
    is_drawn = not drawn.pop("raw") and all(drawn.values()) and all(fits.values())
    return int(not is_drawn or "The derivation" not in titles or remote != [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
