"""The site holds every public name, every formula and every example, and nothing of the network."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import bactrian as bt
from tests.browser import chromium
from tests.docs.derivation_text import inline_formulas, sections
from tools.see_site import formulas_drawn, formulas_fit, found_by_search

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the command is for bash")


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, up to date; only what changed since the last time is built."""
    for package in (
        "math_core",
        "myst_parser",
        "numpydoc",
        "pydata_sphinx_theme",
        "sklearn",
        "ziamath",
    ):
        pytest.importorskip(package)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = ["bash", "docs/build"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return SITE


@pytest.fixture(scope="module")
def reference(site: Path) -> dict[str, str]:
    """The page of every Python name that the site describes, from its inventory."""
    *_, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    lines = [line.split(" ") for line in zlib.decompress(packed).decode("utf-8").splitlines()]
    return {name: page for name, kind, _, page, *_ in lines if kind.startswith("py:")}


def own_names(thing: type) -> list[str]:
    """Public methods, properties and members of a class that this package defines."""
    found = []
    for ancestor in thing.__mro__:
        if ancestor.__module__.split(".")[0] != "bactrian":
            continue
        for name, value in vars(ancestor).items():
            if isinstance(value, thing):  # a member of an enumeration
                found.append(name)
            called = inspect.isfunction(value) or isinstance(value, (property, classmethod))
            if not name.startswith("_") and (called or isinstance(value, staticmethod)):
                found.append(name)
    return found


def test_every_public_name_is_in_the_reference(reference: dict[str, str]) -> None:
    names = {f"bactrian.{name}" for name in bt.__all__}
    names |= {f"bactrian.datasets.{name}" for name in bt.datasets.__all__}
    for name in bt.__all__:
        thing = getattr(bt, name)
        if inspect.isclass(thing):
            names |= {f"bactrian.{name}.{member}" for member in own_names(thing)}
    estimator = importlib.import_module("bactrian.estimator")
    for name in estimator.__all__:
        members = own_names(getattr(estimator, name))
        names |= {
            f"bactrian.estimator.{name}{member}" for member in ["", *(f".{m}" for m in members)]
        }
    assert "bactrian.Fit.threshold" in names
    assert "bactrian.Outcome.CONVERGED" in names
    assert names - set(reference) == set(), "add them to a page of docs/api"


def test_each_field_of_a_result_is_described() -> None:
    silent = [
        f"{name}.{field}"
        for name in bt.__all__
        for field in getattr(getattr(bt, name), "__dataclass_fields__", {})
        if not field.startswith("_") and not re.search(rf"\b{field}\b", getattr(bt, name).__doc__)
    ]
    assert silent == []


def test_every_formula_of_the_derivation_is_set(site: Path) -> None:
    page = (site / "docs" / "derivation.html").read_text("utf-8")
    displayed = sum(len(section.displays) for section in sections().values())
    inline = sum(
        len(inline_formulas(line)) for section in sections().values() for _, line in section.prose
    )
    assert displayed > 100
    assert len(re.findall(r'<div class="math"[^>]*><math', page)) == displayed
    assert len(re.findall(r'<span class="math"[^>]*><math', page)) == inline


def test_docstrings_link_to_the_derivation(site: Path) -> None:
    derivation = (site / "docs" / "derivation.html").read_text("utf-8")
    pages = "".join(page.read_text("utf-8") for page in (site / "docs" / "api").glob("*.html"))
    targets = set(re.findall(r'href="\.\./derivation\.html#([^"]+)"', pages))
    assert {"thresholds", "working-coordinates", "em-test"} <= targets
    assert [target for target in targets if f'id="{target}"' not in derivation] == []
    assert re.findall(r"derivation, *[\"“]", pages) == []


def test_the_site_asks_nothing_of_the_network(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    loads = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"(?:https?:)?//")
    assert len(pages) > 50
    assert [page.name for page in pages if loads.search(page.read_text("utf-8"))] == []
    sheets = sorted(site.rglob("*.css"))
    remote = re.compile(r"url\(\s*['\"]?(?:https?:)?//|@import\s+['\"](?:https?:)?//")
    assert [sheet.name for sheet in sheets if remote.search(sheet.read_text("utf-8"))] == []
    font = site / "_static" / "STIXTwoMath-Regular.ttf"
    assert font.stat().st_size > 100_000


def test_every_example_is_shown() -> None:
    page = (ROOT / "docs" / "examples.md").read_text("utf-8")
    shown = re.findall(r"^```\{literalinclude\} \.\./examples/(\w+\.py)$", page, re.MULTILINE)
    assert shown == sorted(path.name for path in (ROOT / "examples").glob("*.py"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page as a code host makes them: small letters, hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_links_to_headings_hold_on_a_code_host_too() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, (page.parent / target).resolve() if target else page, anchor)
        for page in pages
        for target, anchor in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", page.read_text("utf-8"))
    ]
    assert len(links) > 20
    lost = [(page.name, anchor) for page, target, anchor in links if anchor not in anchors(target)]
    assert lost == []


def test_the_way_in_leads_to_the_first_page(site: Path) -> None:
    target = re.search(r'url=([^"]+)"', (site / "index.html").read_text("utf-8"))
    assert target is not None
    assert (site / target[1]).is_file()


def test_without_sphinx_the_command_says_what_to_run_first(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "build", tmp_path / "docs")
    (tmp_path / "dirname").symlink_to(str(shutil.which("dirname")))
    done = subprocess.run(
        [str(shutil.which("bash")), "docs/build"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert done.stderr == (
        "docs/build: sphinx-build is not installed: run ./check first, which makes .venv with it.\n"
    )


def test_what_does_not_resolve_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("math_core")
    broken = {
        "see [the page](nowhere.md)": "cross-reference target not found",
        "see [the page](index.md#nowhere)": "local id not found",
        "a formula, $\\nonsense{x}$": "Unknown command",
    }
    (tmp_path / "docs").mkdir()
    text = "\n\n".join(["# Page", *broken])
    (tmp_path / "docs" / "index.md").write_text(text, encoding="utf-8")
    options = ["--quiet", "--nitpicky", "--fail-on-warning", "--conf-dir", str(ROOT / "docs")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(tmp_path), str(tmp_path / "site")],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode != 0
    assert [said for said in broken.values() if said not in done.stderr] == []


def test_formulas_are_drawn_and_words_found_in_a_browser(site: Path) -> None:
    fetched: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: fetched.append(request.url))
        drawn = formulas_drawn(page, site)
        titles = found_by_search(page, "responsibilities", site)
    assert not drawn.pop("raw")
    assert set(drawn.values()) == {True}
    assert "The derivation" in titles
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []


def test_long_formulas_are_scrolled_on_a_phone(site: Path) -> None:
    with chromium() as browser:
        fits = formulas_fit(browser.new_page(), site)
    assert fits == dict.fromkeys(["page", "lines", "scrolled", "whole"], True)
