"""What the README and the page for newcomers say of other programs is what their scripts make."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bactrian as bt

pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def scripts() -> Iterator[Any]:
    """A function that imports a script of ``benchmarks``, which import each other by name."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module
    sys.path[:] = before


def between(page: str, begin: str, end: str) -> list[list[str]]:
    """The rows of the table between two marks, as cells, without its head."""
    text = (ROOT / page).read_text("utf-8").split(begin)[1].split(end)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def test_the_table_of_the_readme_is_true(scripts: Any) -> None:
    script = scripts("two_million")
    x = script.in_memory(script.N)
    fit = bt.fit(x)
    best = fit.loglike
    truth, other, mine = between("README.md", script.BEGIN, script.END)
    for shown, mixture, loglike in (
        (mine, fit.mixture, best),
        (truth, script.TRUTH, bt.loglike(x, script.TRUTH)),
    ):
        assert shown[1:6] == script.row("", mixture, loglike, best, "").split(" | ")[1:6]
    # The other program is not run again; its parameters, to three decimals, have that likelihood.
    parameters = [[float(part) for part in cell.split(",")] for cell in other[1:4]]
    short = best - bt.loglike(x, bt.NormalMixture(*parameters))
    assert number(other[5]) == pytest.approx(short, rel=0.02)
    assert number(other[4]) == pytest.approx(best - number(other[5]), abs=0.1)


def test_the_picture_of_the_readme_is_small_and_described(scripts: Any) -> None:
    picture = scripts("two_million").PICTURE
    assert 1_000 < picture.stat().st_size < 60_000
    described = re.search(
        r"!\[([^\]]+)\]\(docs/pictures/two_million.svg\)", (ROOT / "README.md").read_text("utf-8")
    )
    assert described
    assert len(described[1]) > 80


def test_the_page_for_newcomers_has_what_was_recorded(scripts: Any) -> None:
    script = scripts("migration")
    page = script.PAGE.read_text("utf-8")
    assert script.with_table(page, "recorded", script.recorded_table()) == page
    records = json.loads((script.REFERENCE / "peers.json").read_text("utf-8"))
    (record,) = [
        record
        for record in records
        if (record["dataset"], record["peer"], record["model"])
        == ("faithful_waiting", "mclust_default", "2V")
    ]
    reported, held = (f"−{-record[key]:.4f}" for key in ("reported", "loglik"))
    told = f"mclust {reported} for Old Faithful's waiting times, with parameters whose "
    assert f"{told}log-likelihood is {held}." in " ".join(page.split())


def test_the_page_for_newcomers_has_our_numbers(scripts: Any) -> None:
    script = scripts("migration")
    rows = between("docs/migration.md", *script.MARKS["live"])
    assert [row[0] for row in rows] == list(script.LIVE)
    for name, count, _, lower, theirs, ours, difference in rows:
        fit = script.our_fit(script.LIVE[name]())
        assert number(count) == fit.n_obs
        assert lower == f"{fit.mixture.weights[0]:.3f}"
        assert ours == f"{fit.loglike:,.3f}"
        assert number(difference) == pytest.approx(number(ours) - number(theirs), abs=1.1e-3)


def test_published_figures_of_mclust_follow_from_the_maximum() -> None:
    published = json.loads((ROOT / "tests/reference/published.json").read_text("utf-8"))
    (printed,) = [
        entry
        for entry in published
        if entry["dataset"] == "faithful_waiting" and "BIC_mclust" in entry
    ]
    x = bt.datasets.load("faithful")["waiting"]
    fit = bt.fit(x, equal_variances=True)
    certain = np.log(fit.mixture.responsibilities(x).max(axis=1)).sum()
    assert printed["BIC_mclust"] == pytest.approx(-fit.bic, abs=1e-3)
    assert printed["ICL"] == pytest.approx(2.0 * certain - fit.bic, abs=0.03)
    page = (ROOT / "docs" / "migration.md").read_text("utf-8")
    assert f"mclust prints −{-printed['BIC_mclust']:.3f} and −{-printed['ICL']:.3f}" in page


def test_the_page_for_newcomers_says_what_its_seconds_show(scripts: Any) -> None:
    script = scripts("migration")
    page = script.PAGE.read_text("utf-8")
    assert f"first {script.TIMED_ROWS:,} of the draws" in " ".join(page.split())
    (row,) = between("docs/migration.md", *script.MARKS["times"])
    seconds = [number(cell) for cell in row[1:]]
    assert len(seconds) == 5
    assert seconds == sorted(seconds)
    assert seconds[-1] > sum(seconds[:-1])  # "most of the time of a search up to five"


def test_every_parameter_of_scikit_learns_mixture_is_on_the_page() -> None:
    mixture = pytest.importorskip("sklearn.mixture").GaussianMixture()
    ours = pytest.importorskip("bactrian.estimator").GaussianMixture1D().get_params()
    marks = ("<!-- parameters: begin -->", "<!-- parameters: end -->")
    told = dict(between("docs/migration.md", *marks))
    names = {name: text for cell, text in told.items() for name in re.findall(r"`(\w+)`", cell)}
    assert set(names) == set(mixture.get_params())
    for name, text in names.items():
        assert ("delete" not in text.split(";")[0] or "else" in text) == (name in ours), name
    # Parameters that the page names as ours.
    for name in [*re.findall(r"`(\w+)=", " ".join(told.values())), "max_steps"]:
        assert name in ours, name
    # What the page says of defaults.
    assert (mixture.n_components, ours["n_components"]) == (1, 2)
    assert (mixture.tol, mixture.reg_covar) == (1e-3, 1e-6)
