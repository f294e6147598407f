"""A lecture: the computed figures of the page, as data that a file can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from impasto.errors import SignalError
from impasto.files import existing_file, write_whole

_FORMAT = "impasto lecture 1"
SHARED = ("patches", "series", "volume")
"""The parts that do not depend on content and style: every lecture has those of the ready one."""


@dataclass(frozen=True)
class Lecture:
    """What has been computed of a lecture.

    Attributes:
        content: the name of the content, e.g. "cat".
        style: the name of the style.
        parts: the figures by the name of their part (see :data:`impasto.lecture.compute.PARTS`), each JSON; pictures are
            data URIs. A part that is not there has not been computed yet.
    """

    content: str
    style: str
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def with_part(self, name: str, figures: Any) -> Lecture:
        """The same lecture with one more part."""
        return replace(self, parts={**self.parts, name: figures})

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {"format": _FORMAT, "content": self.content, "style": self.style, "parts": dict(self.parts)}

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Raises:
            SignalError: it cannot be written.
        """
        write_whole(Path(path), json.dumps(self.as_dict(), separators=(",", ":")).encode())

    @classmethod
    def load(cls, path: str | Path) -> Lecture:
        """The lecture that :meth:`save` wrote.

        Raises:
            SignalError: the file is missing, or holds something else.
        """
        text = existing_file(path, "a lecture").read_text(encoding="utf-8", errors="replace")
        return _parsed(text, str(path))


@lru_cache(1)
def ready_lecture() -> Lecture:
    """The one that comes with impasto: a cat in the style of a painting of its own, with all parts."""
    return _parsed(files("impasto.lecture").joinpath("ready.json").read_text(encoding="utf-8"), "ready.json")


def with_shared(lecture: Lecture) -> Lecture:
    """The lecture with the parts that no pair of pictures changes."""
    ready = ready_lecture()
    return replace(lecture, parts={**{name: ready.parts[name] for name in SHARED if name in ready.parts}, **lecture.parts})


def _parsed(text: str, name: str) -> Lecture:
    try:
        found = json.loads(text)
        if found["format"] == _FORMAT and isinstance(found["parts"], dict):
            return Lecture(str(found["content"]), str(found["style"]), found["parts"])
    except (ValueError, TypeError, KeyError):
        pass
    raise SignalError(f"{name} is no lecture; what Lecture.save wrote was expected")
