"""Make a version: write its number wherever one stands, and begin a new chapter of the changelog.

    python release/prepare.py 0.2.0

Nothing is committed or published; the next two commands are told. A test fails when the places disagree.
"""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import date
from pathlib import Path

from conda_recipe import NOT_YET, RECIPE, ROOT, recipe


def replaced(path: Path, pattern: str, new: str) -> None:
    """Replace the one place of a file that matches, or end with a line that says which it was."""
    text = path.read_text(encoding="utf-8")
    changed, found = re.subn(pattern, new, text, flags=re.MULTILINE)
    if found != 1:
        sys.exit(f"{path.relative_to(ROOT)} has {found} places like {pattern}; one was expected")
    path.write_text(changed, encoding="utf-8")


def main(version: str) -> None:
    """Write the version to all its places."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        sys.exit(f"{version} is no version; one like 0.2.0 or 0.2.0rc1 was expected")
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if not told["tool"]["hatch"]["metadata"]["hooks"]["custom"]["forge"]:
        sys.exit(
            "forge in pyproject.toml is empty: say first where the project lives, or no link of the package leads anywhere"
        )
    today = date.today().isoformat()
    replaced(ROOT / "pyproject.toml", r'^version = ".*"$', f'version = "{version}"')
    replaced(ROOT / "CITATION.cff", r"^version: .*$(\ndate-released: .*$)?", f"version: {version}\ndate-released: {today}")
    replaced(ROOT / "CHANGELOG.md", r"^## Unreleased$", f"## Unreleased\n\n## {version} ({today})")
    RECIPE.write_text(recipe(NOT_YET), encoding="utf-8")
    print(f"git commit --all --message 'Version {version}' && git tag v{version}\ngit push origin HEAD v{version}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
