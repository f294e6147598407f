"""Files: that they are there to be read, and that they are written whole or not at all."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import re
import secrets
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO

from impasto.errors import SignalError

# loggers of the libraries that say what they think of a file
_TALKATIVE = ("nibabel.global", "pydicom", "pydicom.pixels.decoders.base", "tifffile")


def is_file(path: str | Path) -> bool:
    """Whether there is such a file; also of a name that no file can have, for which the method of a path raises."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | Path) -> bool:
    """Whether there is such a folder; also of a name that no folder can have."""
    return os.path.isdir(path)  # noqa: PTH112


def existing_file(path: str | Path, noun: str) -> Path:
    """``path``, if there is a file with something in it.

    Raises:
        SignalError: it is missing, empty, or a folder where ``noun`` ("a picture") was expected.
    """
    path = Path(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no name of a file has a zero in it
        raise SignalError(f"{path}: no such file") from None
    except OSError as error:
        raise SignalError(f"{path} cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise SignalError(f"{path} is a folder; {noun} was expected")
    if not stat.S_ISREG(status.st_mode):
        raise SignalError(f"{path} is a pipe or a device; {noun} is read from a file: write it to one first")
    if status.st_size == 0:
        raise SignalError(f"{path} is empty")
    return path


def optional_package(name: str, path: str | Path, extra: str) -> ModuleType:
    """The package that reads the format of ``path``.

    Raises:
        SignalError: it is not installed; with the command that installs all packages of the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SignalError(
            f"{path} is read by the package {name}, which is missing: pip install {' '.join(packages_of(extra))}"
        ) from None


def packages_of(extra: str) -> list[str]:
    """The names of the packages that an extra of pyproject.toml brings, as ``pip install`` takes them."""
    needed = (requirement.partition(";") for requirement in importlib.metadata.requires("impasto") or ())
    names = [re.split(r"[^\w.-]", need)[0] for need, _, when in needed if re.search(f"extra == ['\"]{extra}['\"]", when)]
    return [name for name in names if name != "impasto"]  # an extra may bring another one


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def one_line_is_enough(*others: str) -> Iterator[None]:
    """Keep the libraries, and ``others`` that log, from telling what they think of a file beside the error that is raised.

    Only what they tell in this thread: warnings and loggers are of the whole process, and others rely on them meanwhile.
    """
    here = _Here()
    loggers = [logging.getLogger(name) for name in (*_TALKATIVE, *others)]
    filters: list[object] = warnings.filters  # pyright: ignore[reportAssignmentType]
    entry = ("ignore", here, Warning, None, 0)
    filters.insert(0, entry)
    for logger in loggers:
        logger.addFilter(here)
    try:
        yield
    finally:
        here.thread = None  # whoever has copied the list meanwhile has it without effect
        for logger in loggers:
            logger.removeFilter(here)
        with suppress(ValueError):
            filters.remove(entry)


class _Here(logging.Filter):
    """What a thread warns of and logs, as filters of :mod:`warnings` (``match``) and :mod:`logging` (``filter``) tell it."""

    def __init__(self) -> None:
        super().__init__()
        self.thread: int | None = threading.get_ident()

    def match(self, text: str) -> bool:
        """Whether a warning is one of this thread."""
        return self.thread == threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is one of another thread."""
        return self.thread != threading.get_ident()


def check_writable(path: str | Path) -> None:
    """See, before hours of work, that ``path`` can be written at their end; nothing is left behind.

    Raises:
        SignalError: the folder is missing or closed, or ``path`` is a folder.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise SignalError(f"{path} is a folder; a file name was expected")
        if not path.parent.is_dir():
            raise SignalError(f"{path}: there is no folder {path.parent}")
        if path.exists() and not os.access(path, os.W_OK):
            raise SignalError(f"{path} is write-protected")
        with TemporaryFile(dir=path.parent):
            pass
    except (OSError, ValueError) as error:
        raise SignalError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None


def check_replaceable(path: Path) -> None:
    """See that what is at ``path``, if anything, is a file, which another one may take the place of.

    Raises:
        SignalError: it is a pipe or a device, or a link that leads back to itself.
    """
    try:
        there = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SignalError(f"{path} cannot be written: {error.strerror}") from None
    if not stat.S_ISREG(there):
        raise SignalError(f"{path} is a pipe or a device; a file was expected")


def write_whole(path: str | Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and rename it, so that no reader ever sees a part of it.

    Raises:
        SignalError: the disk is full, or the folder missing or closed.
    """
    with opened_whole(path) as file:
        file.write(data)


@contextmanager
def opened_whole(path: str | Path, part: Path | None = None) -> Iterator[IO[bytes]]:
    """A file beside ``path`` that becomes it, on the disk and not only in its cache, when the block ends without an error.

    Args:
        path: what is written.
        part: the name of the file beside it; who is killed leaves it behind. One of its own if None; then a link stays
            one, and what it leads to is written.

    Raises:
        SignalError: the disk is full, or the folder missing or closed.
    """
    path, made = Path(path), None
    written = path if part else Path(os.path.realpath(path))
    try:
        # the system gives it the rights of any new file
        with part.open("wb") if part else written.with_name(f".impasto-{secrets.token_hex(8)}").open("xb") as file:
            made = Path(file.name)
            with suppress(OSError):  # what is overwritten keeps those it has
                made.chmod(stat.S_IMODE(path.stat().st_mode) & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        made.replace(written)
        _sync_folder(written.parent)
    except BaseException as error:
        if made is not None:
            made.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SignalError(f"{path} cannot be written: {error.strerror or error}") from None
        raise


def _sync_folder(folder: Path) -> None:
    """See that a renaming in ``folder`` outlives a power cut, where the system has a way to."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
