"""Run the examples of the README and other pages and write what they print beneath them.

    python tools/page_outputs.py            rewrite the outputs
    python tools/page_outputs.py --check    exit 1 when one of them is stale

An example is a fenced ``bash`` or ``python`` block followed by a line ``<!-- output -->`` and a
fenced ``text`` block; the last is replaced. Examples run in the root of the project, with the
commands of this Python's environment first on the path.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/uncertainty.md",
    "docs/thresholds.md",
    "docs/which_cutoff.md",
    "docs/humps.md",
    "docs/goodness.md",
    "docs/migration.md",
    "docs/results.md",
    "docs/engines.md",
    "docs/disagreement.md",
)
EXAMPLE = re.compile(
    r"^```(?P<language>bash|python)\n(?P<code>(?:(?!^```).*\n)+)^```\n"
    r"(?P<mark>\n*<!-- output -->\n+)"
    r"^```text\n(?P<output>(?:(?!^```).*\n)*)^```\n",
    re.MULTILINE,
)


def run_example(language: str, code: str) -> str:
    """What the example prints, without spaces at line ends.

    Raises
    ------
    RuntimeError
        When the example fails; the message holds what it wrote to standard error.
    """
    command = [sys.executable, "-"] if language == "python" else ["bash", "-eu"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        input=code,
        cwd=ROOT,
        env={**os.environ, "PATH": path, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"this example fails:\n{code}\n{done.stderr}")
    return "".join(line.rstrip() + "\n" for line in done.stdout.strip("\n").split("\n"))


def with_outputs(text: str) -> str:
    """A page with every output block made anew.

    Raises
    ------
    ValueError
        When an ``<!-- output -->`` line stands where no example was recognised.
    """
    if len(EXAMPLE.findall(text)) != text.count("<!-- output -->"):
        raise ValueError("an '<!-- output -->' line lacks its example or its text block")

    def renew(match: re.Match[str]) -> str:
        """One example, with its mark and what it prints today."""
        language, code, mark = match["language"], match["code"], match["mark"]
        output = run_example(language, code)
        return f"```{language}\n{code}```\n{mark}```text\n{output}```\n"

    return EXAMPLE.sub(renew, text)


def main(arguments: list[str]) -> int:
    """Exit status: 0 when the pages are (now) up to date, 1 when ``--check`` found a stale one."""
    stale = False
    for name in PAGES:
        page = ROOT / name
        before = page.read_text(encoding="utf-8")
        after = with_outputs(before)
        if "--check" not in arguments:
            page.write_text(after, encoding="utf-8", newline="\n")
            continue
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, "what its examples print", lineterm=""
        )
        difference = "\n".join(lines)
        if difference:
            stale = True
            print(f"{difference}\n{name} is stale; run: python tools/page_outputs.py")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
