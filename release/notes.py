"""Print what the changelog says of a version, for the forge's page of the release.

    python release/notes.py v0.2.0

The tag must be that of the version in pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def notes(changelog: str, version: str) -> str:
    """The chapter of a version, without its heading."""
    chapters = re.split(r"^## ", changelog, flags=re.MULTILINE)
    found = [chapter.partition("\n")[2].strip() for chapter in chapters if chapter.split()[0] == version]
    if len(found) != 1:
        sys.exit(
            f"CHANGELOG.md has {len(found)} chapters of {version}; one was expected: python release/prepare.py {version}"
        )
    return found[0]


if __name__ == "__main__":
    tag = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        sys.exit(f"the tag is {tag}, and pyproject.toml has version {version}: v{version} was expected")
    print(notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version))
