"""The HTML form: golden texts, escaping, accessibility, the same content as the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from bactrian.infer.estimates import Estimate
from bactrian.present.html import as_html
from bactrian.present.summary import Summary
from bactrian.present.tables import as_text

CAPTIONS = {"Estimates", "Likelihood"}
TEXT_ONLY = {"***", "±"}


def words(text: str) -> set[str]:
    """Return the words and numbers of a text, without final full stops."""
    return {word.rstrip(".") for word in text.split()}


def test_html_is_the_golden_text(
    case: tuple[str, Summary], golden: Callable[[str, str], None]
) -> None:
    name, summary = case
    golden(f"{name}.html", as_html(summary))


def test_html_says_what_the_text_says(case: tuple[str, Summary]) -> None:
    _, summary = case
    html = words(" ".join(ElementTree.fromstring(as_html(summary)).itertext()))
    assert html - CAPTIONS == words(as_text(summary)) - TEXT_ONLY


def test_tables_have_captions_and_headings_have_scopes(case: tuple[str, Summary]) -> None:
    _, summary = case
    root = ElementTree.fromstring(as_html(summary))
    tables = root.findall(".//table")
    assert len(tables) == 2
    assert [table[0].tag for table in tables] == ["caption", "caption"]
    scopes = [heading.get("scope") for heading in root.iter("th")]
    assert None not in scopes
    assert scopes.count("col") == 3
    assert scopes.count("rowgroup") == summary.n_components
    shown = len(summary.estimates) - (summary.n_components == 1)
    assert scopes.count("row") == shown + 4


def test_rows_fill_their_table(case: tuple[str, Summary]) -> None:
    _, summary = case
    table = ElementTree.fromstring(as_html(summary)).findall(".//table")[0]
    widths = {sum(int(cell.get("colspan", "1")) for cell in row) for row in table.iter("tr")}
    assert widths == {4}


def test_html_brings_no_colour_and_no_style_sheet(case: tuple[str, Summary]) -> None:
    _, summary = case
    html = as_html(summary)
    colours = re.findall(r"color:\s*([^;\"]+)", html) + re.findall(r"solid ([^;\"]+)", html)
    assert set(colours) == {"currentColor"}
    assert not re.search(r"#[0-9a-fA-F]{3}|rgb|background|<style|<link|<script|class=|url\(", html)


def test_every_text_is_escaped(normal: Summary) -> None:
    evil = "<script>alert(\"1\")</script> & 'x'"
    summary = replace(
        normal,
        column=evil,
        method=evil,
        outcome=evil,
        outcome_sentence=evil,
        certainty=evil,
        warnings=(evil, f"Note: {evil}"),
        estimates=(Estimate(evil, 1.0, 0.1, 0.8, 1.2, 0.95, evil),),
    )
    html = as_html(summary)
    assert "<script" not in html.lower()
    root = ElementTree.fromstring(html)
    assert not list(root.iter("script"))
    texts = "".join(root.itertext())
    # The heading of the outcome starts with a capital; here its first letter is "<".
    assert texts.count(evil) == 9


@settings(deadline=None, max_examples=100)
@given(name=st.text())
def test_any_column_name_gives_a_well_formed_fragment_that_shows_it(name: str) -> None:
    summary = Summary(
        column=name,
        n_obs=10.0,
        n_components=1,
        equal_variances=False,
        method="newton",
        estimates=(),
        loglike=-1.0,
        aic=1.0,
        bic=1.0,
        n_params=2,
        outcome="converged",
        outcome_sentence="",
        certainty="",
        warnings=(),
    )
    title = ElementTree.fromstring(as_html(summary))[0][0].text
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    assert title == f"One normal component, fitted to {shown} (10 rows) by Newton's method"
