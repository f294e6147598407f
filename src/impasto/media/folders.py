"""What a folder holds: its signals, those of its subfolders, and what is none of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from impasto.errors import SignalError
from impasto.files import is_folder
from impasto.media.dicom import files as dicom
from impasto.media.file_type import TABLE, file_type
from impasto.media.read_write import kinds_named
from impasto.media.registry import views

# what systems leave in folders of pictures, beside hidden files
_LITTER = ("thumbs.db", "ehthumbs.db", "desktop.ini")


@dataclass
class Contents:
    """What a folder holds, each by its name in the folder, with ``/`` between its parts.

    Attributes:
        signals: files of known endings, and folders of DICOM slices; in the order of their names.
        passed_over: other files.
        closed: folders that cannot be read, each with the reason.
    """

    signals: dict[str, Path] = field(default_factory=dict[str, Path])
    passed_over: list[str] = field(default_factory=list[str])
    closed: dict[str, str] = field(default_factory=dict[str, str])


def contents_of(folder: Path, apart: Callable[[Path], bool] = lambda path: False) -> Contents:
    """The signals of a folder and its subfolders; a subfolder with DICOM slices is one.

    Hidden files are left out, and links that lead back are not followed. Tables of numbers among signals of other kinds are
    most often about them, and passed over.

    Args:
        folder: where to look.
        apart: whether a file or a subfolder is to be left out.

    Raises:
        SignalError: the folder itself cannot be read.
    """
    contents = Contents()
    paths = {
        path.relative_to(folder).as_posix(): path for path in _below(folder, apart, contents.closed, folder, frozenset())
    }
    kinds = {name: _kinds_of(path) for name, path in sorted(paths.items())}
    tables = {kind for kind, view in views().items() if view.beside}
    only_tables = all(tables.issuperset(found) for found in kinds.values())
    for name, found in kinds.items():
        if found and (only_tables or not tables.issuperset(found)):
            contents.signals[name] = paths[name]
        else:
            contents.passed_over.append(name)
    return contents


def holds_slices(folder: Path) -> bool:
    """Whether there is more than one DICOM image right in a folder, and so the slices of a volume."""
    count = 0
    with suppress(OSError):
        for file in folder.iterdir():
            likely = file.suffix.lower() in ("", ".dcm") and not file.name.startswith(".") and file.is_file()
            count += likely and dicom.is_dicom(file) and dicom.has_pixels(file)
            if count > 1:
                return True
    return False


def _below(
    folder: Path, apart: Callable[[Path], bool], closed: dict[str, str], root: Path, above: frozenset[tuple[int, int]]
) -> Iterator[Path]:
    try:
        status = folder.stat()
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        if folder == root:
            raise SignalError(f"{folder} cannot be read: {error.strerror}") from None
        closed[folder.relative_to(root).as_posix()] = f"the folder cannot be read: {error.strerror}"
        return
    here = (status.st_dev, status.st_ino)
    if here in above:  # a link that leads back
        return
    for path in (folder / name for name in names):
        if path.name.startswith(".") or path.name.lower() in _LITTER or apart(path):
            continue
        if is_folder(path) and not holds_slices(path):
            yield from _below(path, apart, closed, root, above | {here})
        else:
            yield path


def _kinds_of(path: Path) -> list[str]:
    """The kinds of signals that may be in a file, or in a folder of slices; none if it is something else.

    What has no ending at all is opened. Text is no table, unless its name says so.
    """
    if is_folder(path):
        return ["volume"]
    name = path.name
    if not path.suffix:
        with suppress(OSError):
            found = file_type(path)
            name = found if found and found != TABLE else ""
    unlikely = {kind for kind, view in views().items() if view.beside and not name.lower().endswith(view.endings)}
    return [kind for kind in kinds_named(name) if kind not in unlikely]
