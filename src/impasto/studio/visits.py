"""What each visitor has left on the page, kept on disk, so that a reload or a new server finds it again.

A visitor is a random name that their browser keeps. Each has a folder, in it one folder for each part of the page, and in
that a record and the files that it names. What nobody has asked for in a month is deleted, and the oldest when it is too
much.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.studio.uploads import MIB

_VISITOR = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"[a-z]{1,20}")
_RECORD = "record.json"
_DAY = 24 * 3600.0
MOST_DAYS, MOST_VISITORS = 30, 200
MOST_BYTES_OF_PART, MOST_BYTES = 1024 * MIB, 8 * 1024 * MIB


@dataclass(frozen=True)
class Kept:
    """A part of the page as it was left.

    Attributes:
        value: whatever the tab has kept of it.
        files: where the files lie now, by the names under which they were given.
    """

    value: Any
    files: dict[str, Path] = field(default_factory=dict[str, Path])


class Visits:
    """The folder of all visitors.

    Raises:
        SignalError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SignalError(f"{folder} cannot be made: {error.strerror or error}") from None

    def new(self) -> str:
        """The name of a new visitor; what is too old, or too much, is deleted for them."""
        self.clear()
        return secrets.token_hex(16)

    def keep(self, visitor: str, part: str, value: Any, files: Mapping[str, Path] | None = None) -> Kept:
        """Keep a part of the page in place of what was kept of it; of no visitor ("") nothing is kept.

        Args:
            visitor: as :meth:`new` has named them.
            part: a name of small letters, "paint".
            value: what JSON knows.
            files: what the value speaks of, by names of your own; they are copied, and what lies here already stays.

        Returns:
            What was kept: the same value, and where the copies lie.

        Raises:
            SignalError: the files are too large together, or cannot be written.
        """
        given = dict(files or {})
        if not _VISITOR.fullmatch(visitor):
            return Kept(value, given)
        folder = self._of(visitor, part)
        with self._lock:
            try:
                size = sum(path.stat().st_size for path in given.values())
                if size > MOST_BYTES_OF_PART:
                    raise SignalError(
                        f"{size / MIB:.0f} MB are too much to be kept; up to {MOST_BYTES_OF_PART // MIB} MB are"
                    )
                folder.mkdir(parents=True, exist_ok=True)
                copies = {name: _copied(path, folder) for name, path in given.items()}
                record = {"value": value, "files": {name: path.name for name, path in copies.items()}}
                write_whole(folder / _RECORD, json.dumps(record).encode())
                os.utime(folder.parent)
                _tidy(folder, {_RECORD, *record["files"].values()})
            except OSError as error:
                raise SignalError(f"the page cannot be kept in {self.folder}: {error.strerror or error}") from None
        return Kept(value, copies)

    def adopt(self, visitor: str, part: str, path: Path) -> Path:
        """Where a file that the visitor has brought for a part of the page lies from now on, as uploads do not stay.

        It is left where it is for no visitor (""), and if it cannot be copied.
        """
        if not _VISITOR.fullmatch(visitor):
            return path
        folder = self._of(visitor, part)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _copied(path, folder)
        except OSError:
            return path

    def recall(self, visitor: str, part: str) -> Kept | None:
        """The part of the page as this visitor left it, without files that are gone; None if there is nothing of it."""
        if not _VISITOR.fullmatch(visitor):
            return None
        folder = self._of(visitor, part)
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            files = {str(name): folder / Path(file).name for name, file in record["files"].items()}
            os.utime(folder.parent)
            return Kept(record["value"], {name: path for name, path in files.items() if path.is_file()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # damaged: as if it had never been kept
            return None

    def clear(self) -> None:
        """Delete what nobody has asked for in a month, and the oldest of what is too much."""
        with self._lock:
            there = [(path.stat().st_mtime, path) for path in self.folder.iterdir() if _VISITOR.fullmatch(path.name)]
            taken, now = 0, time.time()
            for number, (moment, path) in enumerate(sorted(there, reverse=True)):
                taken += sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                if number >= MOST_VISITORS or taken > MOST_BYTES or now - moment > MOST_DAYS * _DAY:
                    shutil.rmtree(path, ignore_errors=True)

    def _of(self, visitor: str, part: str) -> Path:
        if not _PART.fullmatch(part):
            raise ValueError(f"{part!r} is no name of a part")
        return self.folder / visitor / part


def _copied(path: Path, folder: Path) -> Path:
    """The file in the folder, under a name of its own."""
    if path.parent == folder:
        return path
    copy = folder / f"{secrets.token_hex(8)}{''.join(path.suffixes[-2:])[-16:]}"
    try:
        copy.hardlink_to(path)
    except OSError:  # on another disk, or one that knows no links
        shutil.copyfile(path, copy)
    return copy


def _tidy(folder: Path, needed: set[str]) -> None:
    """Delete what the record does not name; what is younger than a day another window of the visitor may still show."""
    for path in folder.iterdir():
        if path.name not in needed and time.time() - path.stat().st_ctime > _DAY:
            path.unlink(missing_ok=True)
