"""The parts of a Markdown page: sections, Python blocks, displayed and inline formulas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "derivation.md"
SETUP = "How to read this page"


@dataclass(frozen=True)
class Section:
    """What stands beneath one second-level heading, with the line where each part begins."""

    heading: str
    blocks: tuple[tuple[int, str], ...]
    displays: tuple[tuple[int, str], ...]
    prose: tuple[tuple[int, str], ...]


@cache
def page_lines() -> tuple[str, ...]:
    """Return the lines of the page."""
    return tuple(PAGE.read_text(encoding="utf-8").splitlines())


@cache
def sections() -> dict[str, Section]:
    """Return the sections of the page by heading, in order."""
    found: dict[str, tuple[list[tuple[int, str]], ...]] = {}
    fence, heading, inside = "", "", (0, [""])
    for number, line in enumerate(page_lines(), start=1):
        if fence:
            if line.strip() == ("$$" if fence == "$$" else "```"):
                kind = 1 if fence == "$$" else 0
                if fence in ("$$", "```python"):
                    found[heading][kind].append((inside[0], "\n".join(inside[1])))
                fence = ""
            else:
                inside[1].append(line)
        elif line == "$$" or line.startswith("```"):
            fence, inside = line, (number + 1, [])
        elif line.startswith("## "):
            heading = line[3:].strip()
            found[heading] = ([], [], [])
        elif heading:
            found[heading][2].append((number, line))
    assert not fence, "the page ends inside a block"
    return {name: Section(name, *map(tuple, parts)) for name, parts in found.items()}


def inline_formulas(line: str) -> list[str]:
    """Return what stands between single dollars in a line of prose."""
    return re.findall(r"\$([^$]*)\$", re.sub(r"`[^`]*`", "", line))
