"""Print the lowest versions that pyproject.toml allows, as a constraints file for pip.

python tools/lowest_versions.py > lowest.txt
python -m pip install --editable '.[all]' --group test --constraint lowest.txt
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def lowest_versions(pyproject: str) -> list[str]:
    """``name==version`` of every requirement that states a lower bound ``name>=version``.

    Parameters
    ----------
    pyproject : str
        The text of a ``pyproject.toml``.
    """
    project = tomllib.loads(pyproject)["project"]
    optional = project.get("optional-dependencies", {})
    requirements = [
        *project["dependencies"],
        *(entry for group in optional.values() for entry in group),
    ]
    bounds = (re.match(r"([A-Za-z0-9._-]+)>=([0-9][^,;\s]*)", entry) for entry in requirements)
    return [f"{bound[1]}=={bound[2]}" for bound in bounds if bound]


if __name__ == "__main__":
    print("\n".join(lowest_versions(PYPROJECT.read_text(encoding="utf-8"))))
