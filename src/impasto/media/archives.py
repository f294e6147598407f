"""Files in tar archives, by names such as ``shards/shard-0001.tar/key.jpg``; and short names for many archives.

An archive is gone through once, from header to header, and what is in its files is not read for that.
"""

from __future__ import annotations

import itertools
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from impasto.errors import ImpastoError, SignalError
from impasto.files import first_line, is_file

ENDING = ".tar"
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
# archives of which it is remembered what is where
_REMEMBERED = 4


class Place(NamedTuple):
    """Where a file is in its archive, in bytes."""

    start: int
    size: int


def expanded(pattern: str) -> list[str]:
    """The names that a pattern in braces stands for: ``{0000..0999}`` for numbers, ``{a,b}`` for words; none else."""
    parts = _BRACES.split(pattern)
    choices = [[part] if i % 2 == 0 else _choices(part) for i, part in enumerate(parts)]
    return ["".join(words) for words in itertools.product(*choices)]


def _choices(text: str) -> list[str]:
    if match := _RANGE.fullmatch(text):
        first, last = match.groups()
        width = len(first) if first.startswith("0") or len(first) == len(last) else 0
        return [f"{number:0{width}}" for number in range(int(first), int(last) + 1)]
    return text.split(",") if "," in text else [f"{{{text}}}"]


def members(archive: Path) -> dict[str, Place]:
    """The files in an archive by their names, without hidden ones, in the order of the archive.

    Raises:
        SignalError: it cannot be read, or is compressed.
    """
    try:
        status = archive.stat()
        return _members(archive, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise SignalError(f"{archive} cannot be read: {error.strerror}") from None
    except tarfile.TarError as error:
        raise SignalError(f"{archive} is damaged, or no tar archive without compression: {first_line(error)}") from None


@lru_cache(_REMEMBERED)
def _members(archive: Path, *_: int) -> dict[str, Place]:
    found: dict[str, Place] = {}
    with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as opened:
        tar: Any = opened
        for member in tar:
            path = PurePosixPath(member.name)
            if member.isreg() and not any(part.startswith(".") for part in path.parts):
                found[path.as_posix()] = Place(member.offset_data, member.size)
            tar.members = []  # or all would be held, at a kilobyte each
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):  # which tarfile takes for the end
            raise tarfile.ReadError(f"after {len(found)} files there is something else")
    return found


def archive_of(path: str | Path) -> tuple[Path, str] | None:
    """The archive that a name leads into, and the name in it; None if it is that of a file by itself."""
    text = Path(path).as_posix()
    end = text.find(f"{ENDING}/")
    while end >= 0:
        archive = Path(text[: end + len(ENDING)])
        if is_file(archive):
            return archive, text[end + len(ENDING) + 1 :]
        end = text.find(f"{ENDING}/", end + 1)
    return None


@contextmanager
def on_disk(path: str | Path) -> Iterator[Path]:
    """The file of that name, which is taken out of its archive for the block, if it is in one.

    Raises:
        SignalError: it is not there; or, with the name in place of that of the file, one that was raised in the block.
    """
    inside = archive_of(path)
    if inside is None:
        yield Path(path)
        return
    archive, name = inside
    place = members(archive).get(name)
    if place is None:
        raise SignalError(f"{path}: there is no such file in {archive}")
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        file = Path(folder, PurePosixPath(name).name)
        with archive.open("rb") as tar:
            tar.seek(place.start)
            file.write_bytes(tar.read(place.size))
        try:
            yield file
        except ImpastoError as error:
            raise type(error)(str(error).replace(str(file), str(path))) from None
