"""Figures as text and as files: the same every time, readable, whole or not at all."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bactrian as bt
from tests.problems import drawn_fit

pytest.importorskip("matplotlib")

import matplotlib
from matplotlib.figure import Figure

from bactrian.present.plots.canvas import blank_axes
from bactrian.present.plots.files import as_svg, checked_format, write_figure
from bactrian.present.plots.palette import LINES, ROLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> Axes:
    """A picture with a legend, several colours, and words that HTML must escape."""
    ax = drawn_fit("apart").plot(blank_axes(), threshold=True)
    ax.set_xlabel("a < b & c")
    return ax


def test_the_same_picture_is_the_same_text() -> None:
    before = dict(matplotlib.rcParams)
    first = as_svg(drawn())
    assert as_svg(drawn()) == first
    whole: Any = Figure(figsize=(12.0, 4.0), layout="constrained")
    every = [drawn_fit("apart").plot(ax, threshold=True) for ax in whole.subplots(1, 3)]
    assert as_svg(every[0]) == as_svg(every[0])
    assert dict(matplotlib.rcParams) == before
    assert not re.search(r"\b20\d\d-\d\d-\d\d|<metadata|<style|<!DOCTYPE", first)


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    root = ElementTree.fromstring(as_svg(drawn()))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "density over a < b & c"
    assert (description.text or "").startswith("240 rows; ")
    told = as_svg(drawn(), "The <cut>", "Where to cut")
    assert "<title" in told
    assert ">The &lt;cut&gt;<" in told
    assert ">Where to cut<" in told


def test_text_is_text() -> None:
    root = ElementTree.fromstring(as_svg(drawn()))
    shown = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert "density" in shown
    assert "a < b & c" in shown
    assert [text for text in shown if text.startswith("component 1")]


def test_two_pictures_on_a_page_share_no_name_and_each_reference_is_met() -> None:
    texts = [as_svg(drawn(), prefix=prefix) for prefix in ("one", "two")]
    names = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    assert not names[0] & names[1]
    for text, known in zip(texts, names, strict=True):
        assert len(re.findall(r'\bid="', text)) == len(known)
        used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
        assert {one or other for one, other in used} <= known
        assert used


def test_colours_can_be_left_to_a_style_sheet() -> None:
    plain, varied = as_svg(drawn()), as_svg(drawn(), with_variables=True)
    for color in (*LINES[:2], "#000000", "#ffffff"):
        assert color in plain
        assert f"var(--bactrian-{ROLES[color]}, {color})" in varied
    assert re.sub(r"var\(--bactrian-[\w-]+, (#[0-9a-f]{6})\)", r"\1", varied) == plain


def test_a_picture_is_small() -> None:
    assert len(as_svg(drawn())) < 40_000


def test_files_are_of_the_kind_of_their_name_and_the_same_every_time(tmp_path: Path) -> None:
    beginnings = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    for kind, beginning in beginnings.items():
        path = tmp_path / f"picture.{kind.upper()}"
        write_figure(drawn(), str(path))
        content = path.read_bytes()
        assert content.startswith(beginning)
        assert b"CreationDate" not in content
        write_figure(drawn(), str(path))
        assert path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["picture", "picture.jpg", "svg", "picture.svg.gz"])
def test_an_unknown_extension_is_refused(name: str) -> None:
    with pytest.raises(bt.ParameterError, match=r"does not end in one of \.svg, \.png, \.pdf"):
        checked_format(name)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(bt.DataError, match="there is no folder"):
        write_figure(drawn(), str(tmp_path / "nowhere" / "x.svg"))
    taken = tmp_path / "x.svg"
    taken.mkdir()
    with pytest.raises(bt.DataError, match="is a directory: name a file in it"):
        write_figure(drawn(), os.fspath(taken))
    assert [path.name for path in tmp_path.iterdir()] == ["x.svg"]


def test_a_part_of_a_figure_is_written_with_the_whole() -> None:
    whole: Any = Figure(figsize=(12.0, 4.0), layout="constrained")
    left, right = whole.subfigures(1, 2)
    drawn_fit("apart").plot(right.subplots())
    ax = drawn_fit("apart").plot_responsibilities(left.subplots())
    assert as_svg(ax).count("component 1") > 1
