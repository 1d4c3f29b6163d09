"""The page of pictures: its code runs, and the pictures beneath it are of that code."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("matplotlib")

from bactrian.present.plots import palette
from tools import gallery

PAGE = gallery.PAGE.read_text("utf-8")


def test_the_pictures_say_what_their_code_draws() -> None:
    drawn = gallery.pictures(PAGE)
    assert len(drawn) == PAGE.count("](pictures/") == 8
    stored = {name: (gallery.DOCS / name).read_text("utf-8") for name in drawn}
    for name, text in drawn.items():
        assert gallery.words_of(stored[name]) == gallery.words_of(text), name


def test_every_picture_is_small_described_and_on_the_page() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\((pictures/\w+\.svg)\)", PAGE)
    assert len(shown) == 8
    for description, name in shown:
        path = gallery.DOCS / name
        assert path.stat().st_size < 80_000
        root = ElementTree.fromstring(path.read_text("utf-8"))
        words = root.find("{http://www.w3.org/2000/svg}desc")
        assert words is not None
        assert words.text == description


def test_the_page_names_every_colour() -> None:
    named = dict(re.findall(r"\| `([a-z0-9-]+)` \| `(#[0-9a-f]{6})` ", PAGE))
    assert named == {role: color for color, role in palette.ROLES.items()}
