"""The README's commands are the ones that run, and its examples print what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tools import lowest_versions, page_outputs

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")

NEEDS = {"docs/results.md": ("polars", "onnx", "onnxruntime")}

needs_bash = pytest.mark.skipif(os.name == "nt", reason="the commands are for bash")


def marked_command(name: str) -> str:
    """The one fenced block beneath ``<!-- command: name -->``."""
    blocks = re.findall(rf"^<!-- command: {name} -->\n```bash\n(.+?)\n```$", README, re.M | re.S)
    assert len(blocks) == 1
    command: str = blocks[0]
    return command


@needs_bash
@pytest.mark.parametrize("name", ["test", "demo"])
def test_ci_runs_the_command_that_the_readme_gives(name: str) -> None:
    done = subprocess.run(
        ["bash", ".ci/run", "--show", name],
        cwd=ROOT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout.rstrip("\n") == marked_command(name)


@needs_bash
def test_ci_refuses_a_command_that_the_readme_does_not_give() -> None:
    done = subprocess.run(
        ["bash", ".ci/run", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert "README.md" in done.stderr


def test_each_of_the_two_commands_is_one_line() -> None:
    assert marked_command("test") == "./check"
    assert "\n" not in marked_command("demo")
    assert os.access(ROOT / "check", os.X_OK) or os.name == "nt"


@needs_bash
@pytest.mark.parametrize("page", page_outputs.PAGES)
def test_examples_print_what_the_page_shows(page: str) -> None:
    for package in ("duckdb", *NEEDS.get(page, ())):
        pytest.importorskip(package)
    text = (ROOT / page).read_text("utf-8")
    if "to_scipy" in text:
        pytest.importorskip("scipy", minversion="1.15")
    assert page_outputs.with_outputs(text) == text


@needs_bash
def test_outputs_are_written_below_their_examples() -> None:
    text = "```python\nprint(1 + 1)\n```\n\n<!-- output -->\n\n```text\nstale\n```\nafter\n"
    assert page_outputs.with_outputs(text) == text.replace("stale", "2")
    shell = text.replace("python", "bash").replace("print(1 + 1)", "echo 3")
    assert page_outputs.with_outputs(shell) == shell.replace("stale", "3")


def test_a_lost_output_mark_is_an_error() -> None:
    with pytest.raises(ValueError, match="lacks its example"):
        page_outputs.with_outputs("```sh\nls\n```\n<!-- output -->\n```text\n```\n")


def test_a_failing_example_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        page_outputs.run_example("python", "1 / 0\n")


# Code that no test runs as it stands, by its page and first line, with the reason.
NOT_RUN = {
    ("README.md", "python3 -m venv .venv"): "a job of its own runs it, by .ci/run demo",
    ("README.md", "./check"): "it is what runs the tests",
    ("CONTRIBUTING.md", "./check"): "it is what runs the tests",
    ("CONTRIBUTING.md", "docs/build"): "tests/docs/test_site.py runs it",
    ("README.md", 'bt.fit("requests/*.parquet"'): "names files that only the reader has",
    ("docs/gallery.md", "bactrian plot data.csv"): "names a file that only the reader has",
    ("docs/page.md", "import bactrian as bt"): "tests/present/test_page.py writes pages",
    ("docs/page.md", "bactrian page"): "tests/present/test_page.py runs the command",
    ("docs/page.md", "from html import escape"): "a notebook is to show it",
    ("examples/README.md", ".venv/bin/python examples/"): "tests/test_examples.py runs them all",
}


def test_every_code_block_is_run() -> None:
    pages = [
        *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md",
    ]  # fmt: skip
    unexplained, left_out = [], set()
    gallery_text = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    gallery_code = set(re.findall(r"^```python\n(.+?)^```$", gallery_text, re.M | re.S))
    for page in pages:
        name = page.relative_to(ROOT).as_posix()
        text = page.read_text("utf-8")
        blocks = re.findall(r"^```(?:python|bash|sh|console)\n(.+?)^```$", text, re.M | re.S)
        run = {match["code"] for match in page_outputs.EXAMPLE.finditer(text)}
        if run:
            assert name in page_outputs.PAGES
        for code in blocks:
            # The latter are run by tests/docs and by tests/test_gallery.py.
            if code in run or name == "docs/derivation.md" or code in gallery_code:
                continue
            reasons = {key for key in NOT_RUN if key[0] == name and code.startswith(key[1])}
            left_out |= reasons
            if not reasons:
                unexplained.append((name, code.splitlines()[0]))
    assert unexplained == []
    assert left_out == set(NOT_RUN), "these are no longer there"


def test_lowest_versions_are_the_lower_bounds() -> None:
    text = """
        [project]
        dependencies = ["a>=1.2", "b>=2,<3", "c"]
        [project.optional-dependencies]
        x = ["d>=4.0.1; python_version < '4'", "self[x]"]
    """
    assert lowest_versions.lowest_versions(text) == ["a==1.2", "b==2", "d==4.0.1"]
