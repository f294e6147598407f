"""What an index of packages shows of impasto: the README, with links that lead somewhere from there, and its addresses.

hatchling runs this whenever it builds the package. The address of the forge stands in one place, ``forge`` of
``[tool.hatch.metadata.hooks.custom]`` in pyproject.toml; while it is empty, links stay as they are, and no address is told.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


def with_absolute_links(readme: str, forge: str, version: str) -> str:
    """The README whose relative links lead to the files of that version on the forge, from where its pictures come too."""

    def absolute(match: re.Match[str]) -> str:
        shown = "raw" if match["picture"] else "blob"
        return f"{match['picture']}{match['text']}({forge}/{shown}/v{version}/{match['target']})"

    link = r"(?P<picture>!?)(?P<text>\[[^\]]*\])\((?P<target>(?![a-z]+:|#)[^)\s]+)\)"
    return re.sub(link, absolute, readme)


def addresses(forge: str) -> dict[str, str]:
    """The project's addresses, by the names that indexes know."""
    return {
        "Source": forge,
        "Documentation": f"{forge}/blob/main/docs/index.md",
        "Changelog": f"{forge}/blob/main/CHANGELOG.md",
        "Issues": f"{forge}/issues",
    }


class ReleaseMetadata(MetadataHookInterface):
    """The fields of the package that depend on where the project lives."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README and, once there is a forge, the addresses."""
        readme, forge = (Path(self.root) / "README.md").read_text(encoding="utf-8"), self.config["forge"].rstrip("/")
        if forge:
            readme, metadata["urls"] = with_absolute_links(readme, forge, metadata["version"]), addresses(forge)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
