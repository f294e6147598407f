"""The manifest of a folder of results: what was painted of what and how, one line of JSON each.

The first line has what is decided once for the folder, as the memory, on which tiles and with them the last digits depend.
Another one says how many results there will be.
Each part of a folder that is painted in parts has a manifest of its own, as several computers cannot well write one file;
all of them are read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from impasto.errors import SignalError
from impasto.files import check_writable
from impasto.validation import Part

NAME = "impasto.jsonl"


class Manifest:
    """The manifest in a folder of results, of one part of it or of the whole.

    Attributes:
        path: the file that is written.
        head: what is decided once for the folder; empty until :meth:`begin`.
        total: how many results there will be, as was said last; 0 if it was not.

    Raises:
        SignalError: a manifest in the folder cannot be read, or is none.
    """

    def __init__(self, folder: Path, part: Part | None = None) -> None:
        self._first = folder / NAME
        stem, ending = self._first.stem, self._first.suffix
        self.path = folder / f"{stem}.{part.number}-of-{part.total}{ending}" if part else self._first
        self.head: Mapping[str, Any] = {}
        self.total = 0
        self._sums: dict[str, set[tuple[str, str]]] = {}
        for path in manifest_files(folder):
            self._read(path)

    @property
    def outputs(self) -> list[str]:
        """The names of what was painted."""
        return list(self._sums)

    def begin(self, head: Mapping[str, Any], total: int) -> None:
        """Decide what holds for the whole folder: what was decided before, by this or another part, or else ``head``; and
        say how many results there will be.

        Raises:
            SignalError: the folder cannot be written to.
        """
        check_writable(self.path)
        if not self.head:
            _write_once(self._first, _line(head))
            self._read(self._first)
        if total != self.total:
            self.add({"total": total})

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, which is on the disk afterwards.

        Raises:
            SignalError: it cannot be written.
        """
        try:
            with self.path.open("a+b") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                torn = file.read() not in (b"", b"\n")  # by a kill, or a disk that was full
                file.write(b"\n" * torn + _line(row))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SignalError(f"{self.path} cannot be written: {error.strerror or error}") from None
        self._note(row)

    def lists(self, output: str) -> bool:
        """Whether something was painted under this name."""
        return output in self._sums

    def is_whole(self, output: str, path: Path, made_of: str) -> bool:
        """Whether the file at ``path`` is as it was written, of what has the digest ``made_of``."""
        sums = {sum_ for made, sum_ in self._sums.get(output, ()) if made == made_of}
        return bool(sums) and path.is_file() and digest_of(path) in sums

    def _read(self, path: Path) -> None:
        """Note the head and the rows of a manifest; a line that is not whole is none."""
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError as error:
            raise SignalError(f"{path} cannot be read: {error.strerror}") from None
        if path == self._first:
            self.head = _parsed(lines[0])
            if "impasto" not in self.head:
                raise SignalError(f"{path} is not a manifest of impasto; name another folder for the results")
        for line in lines:
            self._note(_parsed(line))

    def _note(self, row: Mapping[str, Any]) -> None:
        self.total = row.get("total", self.total)
        if "sha256" in row:
            self._sums.setdefault(row["output"], set()).add((row["made_of"], row["sha256"]))


def manifest_files(folder: Path) -> list[Path]:
    """The manifests in a folder of results, that of the whole first."""
    stem, _, ending = NAME.partition(".")
    files = (folder / NAME, *sorted(folder.glob(f"{stem}.*-of-*.{ending}")))
    return [path for path in files if path.exists()]


def has_manifest(folder: Path) -> bool:
    """Whether a folder is one of results."""
    return (folder / NAME).is_file()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file; of a folder that of the names and sums of its files.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(file for file in path.iterdir() if file.is_file())
    return hashlib.sha256(
        "".join(f"{file.name}\0{digest_of(file)}\n" for file in files).encode(errors="replace")
    ).hexdigest()


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _parsed(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        row = json.loads(line)
        if isinstance(row, dict):
            return row
    return {}


def _write_once(path: Path, line: bytes) -> None:
    """Write a file of one line, unless another process has written it meanwhile."""
    beside = path.with_name(f".impasto-{os.urandom(8).hex()}")
    try:
        beside.write_bytes(line)
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        except OSError:  # a disk without links
            beside.replace(path)
    except OSError as error:
        raise SignalError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
