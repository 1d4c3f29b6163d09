"""From the facts of a page to one HTML file that fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from bactrian.present.page import sections
from bactrian.present.page.contents import Live, Page
from bactrian.present.wording import printable, title

# Escaped in JSON, so that no text can end the script that holds it, nor a line of it.
_ESCAPED = {c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_SCRIPTS = ("d3.min.js", "likelihood.js", "drawing.js", "live.js")


def as_page(page: Page) -> str:
    """Return the page as the text of an HTML file.

    Style, scripts and data are in it, and a policy that forbids to fetch anything else or to run
    any other script. Every text that comes from the data is escaped. The same facts give the same
    text.
    """
    style = _file("page.css")
    scripts = [_file(name) for name in _SCRIPTS]
    summary = page.summary
    column = "data" if summary.column is None else printable(summary.column)
    return _template("page.html").substitute(
        policy=_policy(style, scripts),
        style=style,
        name=escape(column),
        title=escape(title(summary)),
        verdict=sections.verdict(page),
        estimates=sections.estimates(summary),
        live=_live(page.live),
        figures=sections.figures(page.figures),
        thresholds=sections.thresholds(page.thresholds),
        certificate=sections.certificate(summary, page.certificate),
        goodness=sections.goodness(page.goodness),
        reproduction=sections.reproduction(page),
        citation=sections.citation(_file("CITATION.cff")),
        licence=escape(_file("d3.LICENSE").strip()),
        data=as_script_data(live_record(page.live)),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def live_record(live: Live) -> dict[str, object]:
    """Return what the script of the page reads."""
    record = asdict(live)
    names = ("weights", "means", "sds")
    return {
        **{key: record[key] for key in ("origin", "scale", "unit", "floor", "tied")},
        "fit": {name: record[name] for name in names},
        **{key: [_short(value) for value in record[key]] for key in ("x", "w")},
    }


def as_script_data(record: Mapping[str, object]) -> str:
    """Return strict JSON that may stand in a script element."""
    text = json.dumps(record, allow_nan=False, separators=(",", ":"))
    return "".join(_ESCAPED.get(c, c) for c in text)


def _short(value: float) -> float | int:
    """The number, a whole one without its decimal."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _live(live: Live) -> str:
    """The live likelihood."""
    return _template("live.html").substitute(
        aim=live.aim, about_rows=escape(live.about_rows), about_fit=escape(live.about_fit)
    )


def _policy(style: str, scripts: list[str]) -> str:
    """The policy: nothing is fetched, and only these scripts and this style sheet are run."""
    trusted = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {trusted}; style-src-elem {_hash(style)}; "
        "style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """What a policy calls a script or a style sheet by."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def _file(name: str) -> str:
    """A file of the page."""
    return files("bactrian.present.page").joinpath("files", name).read_text("utf-8")


def _template(name: str) -> Template:
    """A file of the page with places to fill."""
    return Template(_file(name))
