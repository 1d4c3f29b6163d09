"""Run the code of the page of pictures and write the pictures beneath it.

    python tools/gallery.py            rewrite docs/pictures
    python tools/gallery.py --check    exit 1 when a picture shows other words than it should

Every ``python`` block runs, in order and with the names of those before; where an image follows it,
``ax`` is that picture, and the image's text describes it. How wide letters are differs between
versions of Matplotlib, and with it where things stand; so a picture is called stale by its words.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from bactrian.present.plots.files import as_svg

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "gallery.md"
BLOCK = re.compile(
    r"^```python\n(?P<code>(?:(?!^```).*\n)+)^```\n"
    r"(?:\n*!\[(?P<words>[^\]]+)\]\((?P<file>pictures/(?P<name>\w+)\.svg)\)$)?",
    re.MULTILINE,
)


def pictures(page: str) -> dict[str, str]:
    """The text of every picture, by its path below the page's folder."""
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    known: dict[str, Any] = {}
    found = {}
    for block in BLOCK.finditer(page):
        exec(compile(block["code"], PAGE.name, "exec"), known)
        if block["file"]:
            title = block["name"].capitalize()
            found[block["file"]] = as_svg(known["ax"], title, block["words"], prefix=block["name"])
    pyplot.close("all")
    return found


def words_of(picture: str) -> list[str]:
    """What is written in a picture."""
    texts = ElementTree.fromstring(picture).iter()
    return [text.text.strip() for text in texts if text.text and text.text.strip()]


def main(arguments: list[str]) -> int:
    """Exit status: 0 when the pictures are (now) up to date, 1 when one was found stale."""
    stale = []
    for name, text in pictures(PAGE.read_text(encoding="utf-8")).items():
        path = DOCS / name
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or words_of(path.read_text(encoding="utf-8")) != words_of(text):
            stale.append(name)
    for name in stale:
        print(f"docs/{name} is stale; run: python tools/gallery.py")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
