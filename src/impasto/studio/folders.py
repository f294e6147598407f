"""Folders of results that are being painted by other processes, here or on a cluster: how far they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError, SettingsError
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri, span
from impasto.transfer.manifest import Manifest, manifest_files

NEWEST = 6
"""How many results of a folder are shown."""

_LATELY = 20  # results of which the pace is taken
_PAUSE = 4  # times the time between two results: then nobody seems to paint
_LONGEST = 240  # pixels of the picture of a result


class Folder:
    """A folder of results, looked at as often as one likes: only what has changed is read.

    Raises:
        SettingsError: there is a file in its place.
    """

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise SettingsError(f"{path} is a file; --watch expects the folder in which the results of a folder appear")
        self.path = path.absolute()
        self._seen: list[tuple[str, int]] = []
        self._outputs: list[str] = []
        self._total = 0
        self._pictures: dict[tuple[Path, float], str] = {}

    def look(self) -> dict[str, Any]:
        """What is to be seen of it: name, how many results are there and are to be, a note, and the newest ones."""
        try:
            self._read()
        except (ImpastoError, OSError) as error:
            return self._told(0, str(error), [])
        there = sorted(((found, name) for name in self._outputs if (found := _written(self.path / name))), reverse=True)
        if not there:
            return self._told(0, "waits for its first result" if self._seen else "nothing is painted here yet", [])
        return self._told(len(there), self._note([when for when, _ in there]), there[:NEWEST])

    def _read(self) -> None:
        seen = [(file.name, file.stat().st_size) for file in manifest_files(self.path)]
        if seen != self._seen:
            manifest = Manifest(self.path)
            self._seen, self._outputs, self._total = seen, manifest.outputs, manifest.total

    def _note(self, times: Sequence[float]) -> str:
        """How long the rest will take, or since when nothing came, from the times of the results, the newest first."""
        ago, missing = max(0.0, time.time() - times[0]), self._total - len(times)
        if missing <= 0:
            return "done" if self._total else ""
        lately = times[:_LATELY]
        between = (lately[0] - lately[-1]) / (len(lately) - 1) if len(lately) > 1 else 0.0
        if between and ago < _PAUSE * between:
            return f"about {span(missing * between)} left"
        return f"the newest is {span(ago)} old"

    def _told(self, done: int, note: str, newest: Sequence[tuple[float, str]]) -> dict[str, Any]:
        pictures = {(self.path / name, when): "" for when, name in newest}
        for key in pictures:
            pictures[key] = self._pictures.get(key) or _picture(key[0])
        self._pictures = pictures
        shown = [{"name": name, "picture": pictures[self.path / name, when]} for when, name in newest]
        return {"path": self.path.name, "done": done, "total": max(self._total, done), "note": note, "newest": shown}


def _written(path: Path) -> float:
    """When a file was written; 0 if it is not there."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _picture(path: Path) -> str:
    """A result as a small picture; empty for what is not shown, as a movie."""
    with suppress(ImpastoError, OSError):
        return data_uri(preview_file(path, _LONGEST))
    return ""
