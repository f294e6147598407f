"""What is explored: found in folders, read, and brought to the size at which the network sees it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from PIL import Image

from impasto.errors import SignalError
from impasto.files import first_line, is_file
from impasto.media.archives import ENDING, archive_of, expanded, members, on_disk
from impasto.media.folders import holds_slices
from impasto.media.read_write import find_medium, kinds_named, read_signal
from impasto.media.registry import medium_of, views
from impasto.media.signal import Signal

if TYPE_CHECKING:
    from torch import Tensor

Source: TypeAlias = "str | Path | Image.Image | np.ndarray[Any, Any] | Tensor | Signal"
"""How a signal is given: a file, PIL image, array (height, width[, 3 or 4]), tensor (3, height, width), or signal."""
Sources = Mapping[str, Source]
_OPENED = 1000
_PICTURES = (".gif", ".bmp")  # of an animation the first frame is explored


def find_sources(given: Source | Iterable[Source] | Sources) -> dict[str, Source]:
    """The sources by name, in the order of their names: files as given, and those of known endings in folders.

    Hidden files are passed over; pictures that are no files are named by their number. A folder that is given may itself be
    a volume, one DICOM file a slice. Of a tar archive, or of many in braces (``shard-{0000..0999}.tar``), the files are
    found, and named ``shard-0000.tar/key.jpg``; of a list, ``@paths.txt``, what each line names.

    Raises:
        SignalError: a path does not exist, or there is nothing at all.
    """
    from torch import Tensor  # here, as a process that only reads files does without

    if isinstance(given, Mapping):
        found = {str(name): source for name, source in given.items()}
    else:
        one = isinstance(given, str | Path | Image.Image | np.ndarray | Signal)
        one = one or (isinstance(given, Tensor) and given.dim() <= 3)  # of a batch each is one
        items = cast(list[Source], [given] if one else list(cast(Iterable[Source], given)))
        found: dict[str, Source] = {}
        for number, item in enumerate(items):
            if isinstance(item, str | Path):
                found |= {path: path for path in _named(str(item))}
            else:
                found[f"#{number:06d}"] = item
        if not found:
            folders = ", ".join(str(item) for item in items) or "nothing"
            raise SignalError(f"no picture was found in {folders}, and no series, sound or volume")
    if not found:
        raise SignalError("no picture was given, and no series, sound or volume")
    return {name: found[name] for name in sorted(found)}


def _named(given: str) -> Iterator[str]:
    """The names of the files that a path stands for: a list, archives, a folder or a file."""
    if given.startswith("@") and not os.path.lexists(given):
        for line in _lines(Path(given[1:])):
            yield from _named(line)
        return
    for name in [given] if os.path.lexists(given) else expanded(given):
        path = Path(name)
        if path.suffix.lower() == ENDING and is_file(path):
            yield from _in_archive(path)
        elif archive_of(path):
            yield path.as_posix()
        else:
            yield from (file.as_posix() for file in _files(path))


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise SignalError(f"{path} cannot be read as a list of paths: {first_line(error)}") from None


def _in_archive(path: Path) -> Iterator[str]:
    """The signals in an archive; its tables are most often about the others, as in a folder."""
    names = [name for name in members(path) if name.lower().endswith(_endings())]
    aside = {kind for kind, seen in views().items() if seen.beside}
    others = [name for name in names if aside.isdisjoint(kinds_named(name))]
    return (f"{path.as_posix()}/{name}" for name in others or names)


def _endings() -> tuple[str, ...]:
    return tuple(ending for seen in views().values() for ending in seen.endings)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise SignalError(f"{path}: no such file or folder")
    if not path.is_dir() or holds_slices(path):
        return [path]
    endings, hidden = _endings(), len(path.parts)
    files = [
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(endings)
        and not any(part.startswith(".") for part in file.parts[hidden:])
        and file.is_file()
    ]
    # a table of numbers among signals of another kind is most often about them, and no series
    aside = {kind for kind, seen in views().items() if seen.beside}
    return [file for file in files if aside.isdisjoint(kinds_named(file.name)) or source_kind(file) not in aside] or files


def source_kind(source: Source) -> str:
    """Of which kind a source is, a row of :func:`impasto.media.registry.views`.

    Raises:
        SignalError: it is a movie.
    """
    if isinstance(source, str | Path) and str(source).lower().endswith(_PICTURES):
        return "image"
    if isinstance(source, str | Path):
        with on_disk(source) as file:
            medium = find_medium(file)
    else:
        medium = find_medium(source)
    if medium.view is None:
        raise SignalError(f"{source} is {medium.noun}; pictures, series, sounds and volumes can be explored")
    return medium.name


def common_kind(sources: Sources) -> str:
    """The kind of all sources, of none at all "image".

    The first thousand files are opened for it, and others only where their names do not tell: a million would take minutes.

    Raises:
        SignalError: they are of several kinds, or movies.
    """
    first: dict[str, str] = {}
    for number, (name, source) in enumerate(sources.items()):
        if number >= _OPENED and isinstance(source, str | Path) and first.keys() <= set(kinds_named(str(source))):
            continue
        first.setdefault(source_kind(source), name)
    if len(first) > 1:
        kinds = " and ".join(f"{medium_of(kind).noun} ({name})" for kind, name in first.items())
        raise SignalError(f"{kinds} cannot be explored together; give signals of one kind")
    return next(iter(first), "image")


def view(source: Source, size: int | str) -> Signal:
    """The signal as the network sees it: of at most ``size`` (as :attr:`impasto.media.medium.View.size`), never enlarged.

    Raises:
        SignalError: it cannot be read.
    """
    if isinstance(source, str | Path):
        with on_disk(source) as file:
            return _view(file, size)
    return _view(source, size)


def _view(source: Source, size: int | str) -> Signal:
    kind = source_kind(source)
    most = None if size == "full" else int(size)
    seen = views()[kind]
    read = seen.read or (lambda source, _: read_signal(source))
    return seen.fit(source if isinstance(source, Signal) else read(source, most), most)
