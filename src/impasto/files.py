"""Files: whether they are there to be read, and how they are written whole or not at all."""

from __future__ import annotations

import importlib
import logging
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from impasto.errors import SignalError

_NUMBER = re.compile(r"%(0\d+)?d")

# loggers of the libraries that read files; they comment on what they find
_TALKATIVE = ("nibabel.global", "pydicom", "pydicom.pixels.decoders.base", "tifffile")


def is_file(path: str | Path) -> bool:
    """Whether there is such a file. For a name that no file can have it is False, where ``Path.is_file`` raises."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | Path) -> bool:
    """Whether there is such a folder; False for a name that no folder can have."""
    return os.path.isdir(path)  # noqa: PTH112


def is_pattern(path: str | Path) -> bool:
    """Whether the name stands for numbered files, as ``frame%04d.png`` does, and is not itself that of one."""
    return _NUMBER.search(Path(path).name) is not None and not os.path.lexists(path)


def existing_file(path: str | Path, noun: str) -> Path:
    """``path`` as a Path, if a file is there and is not empty.

    Raises:
        SignalError: it is missing, empty, not a file, or cannot be read; ``noun`` ("a picture") says what was expected.
    """
    path = Path(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a zero byte in the name
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
        SignalError: it is not installed; the text has the command that installs the packages of ``extra``.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SignalError(
            f"{path} is read by the package {name}, which is missing: pip install {' '.join(packages_of(extra))}"
        ) from None


def packages_of(extra: str) -> list[str]:
    """The packages of an extra in pyproject.toml, by the names that ``pip install`` takes."""
    from importlib.metadata import requires  # it would take a sixth of the time of `impasto --help`

    needed = (requirement.partition(";") for requirement in requires("impasto") or ())
    names = [re.split(r"[^\w.-]", need)[0] for need, _, when in needed if re.search(f"extra == ['\"]{extra}['\"]", when)]
    return [name for name in names if name != "impasto"]  # an extra may contain another one, as impasto[...]


def first_line(error: BaseException) -> str:
    """The first line of a library's error that is not empty; without one, the name of its type."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def one_line_is_enough(*others: str) -> Iterator[None]:
    """Within the block, silence the warnings and the log of the libraries that read files, and of the loggers ``others``.

    What is wrong with a file is told once, by the error that is raised. Only this thread is silenced: warnings and loggers
    belong to the whole process, and other threads rely on them.
    """
    here = _ThisThread()
    loggers = [logging.getLogger(name) for name in (*_TALKATIVE, *others)]
    filters: list[object] = warnings.filters  # pyright: ignore[reportAssignmentType]
    entry = ("ignore", here, Warning, None, 0)
    filters.insert(0, entry)
    for logger in loggers:
        logger.addFilter(here)
    try:
        yield
    finally:
        here.thread = None  # another thread may have copied the list meanwhile: there it has no effect any more
        for logger in loggers:
            logger.removeFilter(here)
        with suppress(ValueError):
            filters.remove(entry)


class _ThisThread(logging.Filter):
    """Tells this thread from others: to :mod:`warnings` as a pattern (``match``), to :mod:`logging` as a filter."""

    def __init__(self) -> None:
        super().__init__()
        self.thread: int | None = threading.get_ident()

    def match(self, text: str) -> bool:
        """Whether a warning is of this thread, and so ignored."""
        return self.thread == threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is of another thread, and so let through."""
        return self.thread != threading.get_ident()


def check_writable(path: str | Path) -> None:
    """Check before the work that ``path`` can be written after it; nothing is left behind.

    Raises:
        SignalError: the folder is missing or cannot be written to, or ``path`` is a folder or write-protected.
    """
    from tempfile import TemporaryFile  # not for `impasto --help`

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
    """Check that nothing is at ``path``, or a file, which may be replaced.

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
    """Write ``data`` to a file beside ``path`` and rename that, so that no reader ever sees a part of it.

    Raises:
        SignalError: the disk is full, or the folder is missing or cannot be written to.
    """
    with opened_whole(path) as file:
        file.write(data)


def write_all_whole(files: Iterable[tuple[Path, bytes]]) -> None:
    """Write several files into one folder: into a new folder in it, from which they take their places once all are there.

    Raises:
        SignalError: the disk is full, or the folder is missing or cannot be written to; then none has taken its place.
    """
    from tempfile import TemporaryDirectory

    beside: Any = None
    places: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, data in files:
            beside = beside or TemporaryDirectory(prefix=".impasto-", dir=path.parent)
            places.append((Path(beside.name, path.name), path))
            places[-1][0].write_bytes(data)
        for written, path in places:
            written.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SignalError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        if beside is not None:
            beside.cleanup()


@contextmanager
def opened_whole(path: str | Path, part: Path | None = None) -> Iterator[IO[bytes]]:
    """A new file beside ``path``, which takes its place when the block ends without an error, and is on the disk by then.

    Args:
        path: what is written.
        part: the name of the new file; a process that is killed leaves it behind. By default a random name; and then, if
            ``path`` is a link, the file that it leads to is written, and the link stays.

    Raises:
        SignalError: the disk is full, or the folder is missing or cannot be written to.
    """
    path, made = Path(path), None
    written = path if part else Path(os.path.realpath(path))
    try:
        # opened, and not made by tempfile, so that it has the permissions of any new file
        with part.open("wb") if part else written.with_name(f".impasto-{os.urandom(8).hex()}").open("xb") as file:
            made = Path(file.name)
            with suppress(OSError):  # a file that is replaced keeps its own
                made.chmod(stat.S_IMODE(path.stat().st_mode) & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        made.replace(written)
        sync_folder(written.parent)
    except BaseException as error:
        if made is not None:
            made.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SignalError(f"{path} cannot be written: {error.strerror or error}") from None
        raise


@contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """Within it no other process holds the file, which is made if need be; one that is killed holds it no longer.

    Systems and disks without locks are trusted.

    Raises:
        SignalError: another one holds it, or it cannot be written.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise SignalError(f"{path} cannot be written: {error.strerror}") from None
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SignalError(f"{path} is being written by another process; wait for its end") from None
        except (ImportError, OSError):
            pass
        yield


def sync_folder(folder: Path) -> None:
    """Make a renaming in ``folder`` outlive a power cut, where the system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
