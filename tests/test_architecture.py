"""The house keeps its own rules: sizes, names, layers, documents, import time."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "bactrian"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_PUBLIC_NAMES = 40
JUNK_DRAWERS = {"utils", "util", "helpers", "misc", "common", "core"}
SLOW_TO_IMPORT = [
    "scipy",
    "duckdb",
    "narwhals",
    "pandas",
    "polars",
    "pyarrow",
    "matplotlib",
    "numba",
    "sklearn",
]
# Paths of one machine have no place in a text that everybody reads: homes, mounts, drives, this
# clone's own folder.
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:home|root|Users|opt|mnt|srv)/|\b[A-Z]:\\+\w|" + re.escape(str(ROOT)) + r"\b"
)
UPWARDS = re.compile(r"(?<![\w.])(?:\.\./)+")


def dotted(path: Path) -> str:
    """Name of a module below the package, ``model.mixture``; for an ``__init__`` the room's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods and inner ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    body = function.body[has_docstring:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def texts() -> Iterator[Path]:
    """Text files of the project: those under version control, or all in a copy without Git."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8")
        paths = [ROOT / name for name in done.stdout.split("\0")]
    else:
        folders = [".ci", ".github", "docs", "src", "tests", "tools"]
        paths = [*ROOT.glob("*"), *(path for name in folders for path in (ROOT / name).rglob("*"))]
    for path in paths:
        if path.is_file() and b"\0" not in path.read_bytes():
            yield path


def test_modules_stay_small() -> None:
    lengths = {dotted(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def test_functions_stay_short() -> None:
    lengths = {
        f"{dotted(path)}:{function.name}": body_lines(function)
        for path in MODULES
        for function in functions(ast.parse(path.read_text("utf-8")))
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_no_room_is_a_junk_drawer() -> None:
    names = {part.lstrip("_") for path in MODULES for part in dotted(path).split(".")}
    assert names & JUNK_DRAWERS == set()


def test_every_module_has_its_line_in_the_architecture_and_the_reverse() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    anchors = re.findall(r'<a id="([\w.]+)"></a>`([\w.]+)`', text)
    modules = [dotted(path) for path in MODULES if path.name not in {"__init__.py", "__main__.py"}]
    listed = [name for name, _ in anchors]
    assert set(modules) - set(listed) == set(), "modules without a line"
    assert set(listed) - set(modules) == set(), "lines without a module"
    assert len(listed) == len(set(listed))
    assert [shown for _, shown in anchors] == [name for name, _ in anchors]


def test_every_room_is_a_heading_of_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    headings = set(re.findall(r"^####? ([\w.]+): ", text, re.MULTILINE))
    rooms = {dotted(path) for path in MODULES if path.name == "__init__.py"} - {""}
    assert rooms == headings - {"errors", "writing"}


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\)", index, re.MULTILINE)
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for _, name in listed] == records
    for number, name in listed:
        text = (folder / name).read_text("utf-8")
        assert text.startswith(f"# {number} ")
        parts = ["**Question.**", "**Choice.**", "**What we gave up.**", "**How we would know"]
        assert [part for part in parts if part not in text] == []


def test_documents_link_to_files_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [
        (document, target)
        for document in documents
        for target in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", document.read_text("utf-8"))
        if "://" not in target
    ]
    assert links
    assert [(d.name, t) for d, t in links if not (d.parent / t).exists()] == []


def test_public_names_are_few_and_real() -> None:
    bactrian = importlib.import_module("bactrian")
    names = bactrian.__all__
    assert 0 < len(names) <= MAX_PUBLIC_NAMES
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(bactrian, name)] == []


def test_the_citation_names_the_version() -> None:
    version = importlib.import_module("bactrian").__version__
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [version]


def test_importing_the_package_loads_nothing_slow() -> None:
    code = (
        "import json, sys, bactrian\n"
        f"print(json.dumps([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8"
    )
    assert json.loads(done.stdout) == []


def test_layers_and_forbidden_imports_hold() -> None:
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*command, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def names_a_machine(line: str, depth: int) -> bool:
    """Whether a line of a text this many folders deep names a path outside the project."""
    leaves = any(len(found) // 3 > depth for found in UPWARDS.findall(line))
    return leaves or MACHINE_PATHS.search(line) is not None


@pytest.mark.parametrize(
    ("line", "depth"),
    [
        ("see /home/ada/notes.md", 0),
        ("in '/Users/ada/x.csv'", 2),
        ("python=/opt/python/bin", 0),
        ("open C:\\data\\x.csv", 0),
        ('"D:\\\\data"', 1),
        (f"cd {ROOT} && ls", 0),
        ("[notes](../notes/x.md)", 0),
        ("[notes](../../notes/x.md)", 1),
    ],
)
def test_a_path_outside_the_project_is_recognised(line: str, depth: int) -> None:
    assert names_a_machine(line, depth)


@pytest.mark.parametrize(
    ("line", "depth"),
    [
        ("#!/usr/bin/env bash", 0),
        ("[derivation](../derivation.md)", 2),
        ("https://example.org/home/x", 0),
        ("source: .venv/bin/activate", 0),
    ],
)
def test_other_paths_are_not(line: str, depth: int) -> None:
    assert not names_a_machine(line, depth)


def test_no_text_names_a_path_of_one_machine() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{number}": line.strip()[:100]
        for path in texts()
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if names_a_machine(line, len(path.relative_to(ROOT).parts) - 1)
    }
    assert found == {}


def test_every_test_asserts_something() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for function in functions(ast.parse(path.read_text("utf-8")))
        if function.name.startswith("test_") and not asserts(function)
    ]
    assert silent == []


def asserts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a test asserts: itself, by ``raises``, assert_..., check_... or a called fixture."""
    fixtures = {argument.arg for argument in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            known = name == "raises" or name.lstrip("_").startswith(("assert", "check"))
            if known or (isinstance(called, ast.Name) and name in fixtures):
                return True
    return False
