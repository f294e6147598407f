"""Files: that they are there to be read, and that they are written whole or not at all."""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from types import ModuleType
from typing import IO

from impasto.errors import SignalError


def existing_file(path: str | Path, noun: str) -> Path:
    """``path``, if there is a file with something in it.

    Raises:
        SignalError: it is missing, empty, or a folder where ``noun`` ("a picture") was expected.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise SignalError(f"{path}: no such file") from None
    except OSError as error:
        raise SignalError(f"{path} cannot be read: {error.strerror}") from None
    if path.is_dir():
        raise SignalError(f"{path} is a folder; {noun} was expected")
    if size == 0:
        raise SignalError(f"{path} is empty")
    return path


def optional_package(name: str, path: str | Path, extra: str) -> ModuleType:
    """The package that reads the format of ``path``.

    Raises:
        SignalError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SignalError(
            f"{path} is read by the package {name}, which is missing: pip install 'impasto[{extra}]'"
        ) from None


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def one_line_is_enough() -> Iterator[None]:
    """Keep the libraries from telling, beside the error that is raised, what they think of a damaged file."""
    loggers = [logging.getLogger(name) for name in ("nibabel.global", "pydicom", "pydicom.pixels.decoders.base", "tifffile")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.disabled = True
        try:
            yield
        finally:
            for logger in loggers:
                logger.disabled = False


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
    except OSError as error:
        raise SignalError(f"{path} cannot be written: {error.strerror or error}") from None


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
        part: the name of the file beside it; who is killed leaves it behind. One of its own if None.

    Raises:
        SignalError: the disk is full, or the folder missing or closed.
    """
    path, made = Path(path), None
    try:
        with part.open("wb") if part else NamedTemporaryFile(dir=path.parent, prefix=".impasto-", delete=False) as file:
            made = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        # a temporary file is private; the result gets the rights any new file would have
        umask = os.umask(0)
        os.umask(umask)
        made.chmod(0o666 & ~umask)
        made.replace(path)
        _sync_folder(path.parent)
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
