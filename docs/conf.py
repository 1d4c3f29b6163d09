"""How Sphinx builds the site. The command is ``docs/build``; what the pages are, ``docs/index.md``.

The sources are the Markdown files of the whole tree, where they stand, so that a relative link
leads to the same page here and on a code host.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import math_core
from docutils import nodes
from sphinx.util import logging

import bactrian

project = "Bactrian"
author = "The Bactrian developers"
copyright = f"2026, {author}"
version = release = bactrian.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "docs/index"
include_patterns = [
    "*.md", "docs/*.md", "docs/api/*.md", "docs/decisions/*.md", "examples/README.md",
    "src/bactrian/datasets/README.md", "tests/golden/README.md", "tests/reference/README.md",
]  # fmt: skip
exclude_patterns = [".*", "benchmarks", "build"]
nitpicky = True

# $...$, <img> and anchors of headings as on a code host.
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 4

# The docstrings say what types mean; annotations beside them would say it twice.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
default_role = "code"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "Bactrian"
html_logo = html_favicon = "pictures/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
# The way in at the root of the site, for docs/index.html.
templates_path = ["_templates"]
html_additional_pages = {"index": "way_in.html"}
html_sidebars = {"docs/tutorial": []}  # a page without neighbours
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "Bactrian"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}

# Formulas become MathML while the site is built, so that they need no script and no network; the
# converter refuses a command that it does not know. The font comes with ziamath.
html_math_renderer = "mathml"
_TO_MATHML = math_core.LatexToMathML(annotation=True, fancy_error=False)
_LOGGER = logging.getLogger(__name__)
_FONT = "STIXTwoMath-Regular.ttf"


def _formula(translator: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula, displayed or in a line."""
    display = isinstance(node, nodes.math_block)
    tag = "div" if display else "span"
    translator.body.append(translator.starttag(node, tag, "", CLASS="math"))
    try:
        formula = _TO_MATHML.convert_with_local_state(node.astext(), displaystyle=display)
    except math_core.LatexError as error:
        _LOGGER.warning("%s: %s", node.astext(), error, location=node)
        formula = ""
    translator.body.append(f"{formula}</{tag}>")
    raise nodes.SkipNode


def _copy_font(app: Any, failure: Exception | None) -> None:
    """Put the font of the formulas beside the style sheet."""
    if failure is not None:
        return
    font = files("ziamath") / "fonts" / _FONT
    (Path(app.outdir) / "_static" / _FONT).write_bytes(font.read_bytes())


def _link_sources(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Make links of the headings that a docstring names: ``Source: derivation, "Thresholds"``."""

    def link(heading: re.Match[str]) -> str:
        words = " ".join(heading[1].split())
        return f"`{words} <../derivation.html#{nodes.make_id(words)}>`__"

    def links(source: re.Match[str]) -> str:
        return re.sub(r'"([^"]+)"', link, source[0])

    text = re.sub(r'derivation,(?:(?:\s|and|,)*"[^"]+")+', links, "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app: Any) -> None:
    """Tell Sphinx of these three."""
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))
    app.connect("autodoc-process-docstring", _link_sources, priority=900)
    app.connect("build-finished", _copy_font)
