"""Run the examples of the README and write what they print beneath them.

    python tools/readme_output.py            rewrite the outputs
    python tools/readme_output.py --check    exit 1 when one of them is stale

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
        raise RuntimeError(f"this example of the README fails:\n{code}\n{done.stderr}")
    return "".join(line.rstrip() + "\n" for line in done.stdout.strip("\n").split("\n"))


def with_outputs(text: str) -> str:
    """The README with every output block made anew.

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
    """Exit status: 0 when the README is (now) up to date, 1 when ``--check`` found it stale."""
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = with_outputs(before)
    if "--check" not in arguments:
        readme.write_text(after, encoding="utf-8", newline="\n")
        return 0
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "README.md", "what its examples print", lineterm=""
    )
    difference = "\n".join(lines)
    if difference:
        print(f"{difference}\nThe README is stale; run: python tools/readme_output.py")
    return int(bool(difference))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
