"""Which medium a file holds, and how a signal of any medium is read and written.

Nothing here needs torch, and a library that reads a rare format is imported by the reader that needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import SettingsError, SignalError, nearest
from impasto.files import check_writable, is_file, is_folder, write_whole
from impasto.media.arrays import is_tensor
from impasto.media.file_type import TABLE, file_type
from impasto.media.medium import Medium
from impasto.media.registry import media, medium_of
from impasto.media.signal import Signal, check_signal


def find_medium(source: Any, output: str | Path | None = None) -> Medium:
    """The medium of what ``source`` holds, by what is in it and, where that does not tell, by its ending.

    What is unknown is taken for a picture, whose reader knows many more formats than there are endings here.

    Args:
        source: a file, a folder, a signal, or a picture in memory.
        output: where the result is to go: an animation is a movie only if that is one, and else a picture.

    Raises:
        SignalError: it is a folder, and not that of a volume; or nothing that a signal is given as.
    """
    if isinstance(source, Signal):
        check_signal(source, medium := medium_of(source.kind))
        return medium
    known = media()
    if isinstance(source, np.ndarray | Image.Image) or is_tensor(source):
        return known["image"]
    if not isinstance(source, str | Path):
        raise SignalError(
            f"{type(source).__name__} was given; the path of a file, a Signal, a PIL image or an array was expected "
            "(bytes: PIL.Image.open(io.BytesIO(data)); numbers: numpy.asarray(numbers))"
        )
    if not str(source):
        raise SignalError("the name of a file is empty; the path of a file was expected")
    path, output = Path(source), None if output is None else Path(output)
    if is_folder(path):
        for medium in known.values():
            if medium.folders(path, output):
                return medium
        raise SignalError(f"{path} is a folder without DICOM slices; a file was expected")
    kinds, found = kinds_named(path.name), None
    if is_file(path):
        with suppress(OSError):  # to be said when it is read
            found = file_type(path)
            held = kinds_named(found or "")
            # any text may look like a table, and a container of movies may hold nothing but a sound
            named = [kind for kind in kinds if known[kind].is_inside(path, found)]
            kinds = named or (kinds or held if found == TABLE else held or kinds)
    if found:
        kinds = [kind for kind in kinds if known[kind].claims(path, output)] or kinds
    return known["image" if not kinds or (not found and "image" in kinds) else kinds[0]]


def kinds_named(name: str) -> list[str]:
    """The kinds whose files have names like this one; those of more axes first, which claim some of them only."""
    return [kind for kind, medium in sorted(media().items(), key=lambda row: -len(row[1].axes)) if medium.named(name)]


def read_signal(
    source: Any,
    rate: float | None = None,
    longest: int | None = None,
    memory: int | None = None,
    output: str | Path | None = None,
) -> Signal:
    """The signal of any kind in ``source``: a file, a signal, or a picture as :func:`impasto.read_image` takes it.

    Args:
        source: what is read.
        rate: samples a second, for a series whose file does not tell.
        longest: the longest side in pixels that is wanted of a movie or a picture, which may be too large as it is.
        memory: the bytes that reading may take; three quarters of what is free if None.
        output: where what is made of it is to go, as :func:`find_medium` takes it.

    Raises:
        SignalError: the source is missing, damaged or empty, or holds no signal.
    """
    medium = find_medium(source, output)
    return source if isinstance(source, Signal) else medium.read(source, rate, longest, memory)


def check_ending(medium: Medium, path: str | Path) -> None:
    """See that a signal of the medium can be written to a file with the ending of ``path``.

    Raises:
        SignalError: it cannot.
    """
    path = Path(path)
    if path.name.lower().endswith(medium.writable):
        return
    suffix = path.suffix.lower()
    hint = f"did you mean {nearest(suffix, medium.writable)}? " if suffix else ""
    raise SignalError(
        f"{path}: {medium.noun} is not written with the ending {suffix!r}; {hint}({' '.join(medium.writable)})"
    )


def try_output(
    medium: Medium,
    content: Signal,
    path: str | Path,
    about: Mapping[str, Any],
    size: int | str | None = None,
    **options: Any,
) -> None:
    """See, before the work, that what is made of ``content`` can be written: a tiny part is encoded as the whole will be.

    Args:
        medium: of the content.
        content: with the header of the result.
        path: where that is to go.
        about: the record of how it is made, or one as long.
        size: the longest side of a picture, or "full".
        options: as of :func:`write_signal`.

    Raises:
        SignalError: there is no such format of its kind, it cannot hold the signal, or there is no such folder.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    check_options(medium, options)
    check_ending(medium, path)
    check_writable(path)
    if medium.options:
        longest = size if isinstance(size, int) else max(content.shape)
        medium.check_output(path, longest, medium.options(**options))
    medium.encode(medium.sample(content), path, about, **options)


def write_signal(signal: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Write a signal of any kind as the ending of ``path`` says, whole or not at all.

    Raises:
        SignalError: there is no such format of its kind, or it cannot hold the signal.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    medium = medium_of(signal.kind)
    check_options(medium, options)
    check_ending(medium, path)
    write_whole(path, medium.encode(signal, path, about, **options))


def check_options(medium: Medium, options: Collection[str]) -> None:
    """See that a signal of the medium is written with ``options``, names of the fields of the medium's own.

    Raises:
        SettingsError: it is not.
    """
    takers = {row.noun: [each.name for each in fields(row.options)] for row in media().values() if row.options}
    known = [name for names in takers.values() for name in names]
    for name in options:
        if name not in known:
            raise SettingsError(
                f"the option {name!r} is unknown: did you mean {nearest(name, known)!r}? ({', '.join(known)})"
            )
    if not set(options) <= set(takers.get(medium.noun, ())):
        expected = " or ".join(other for other, names in takers.items() if set(options) & set(names))
        raise SettingsError(f"{' and '.join(options)}: only {expected} is written with it; this is {medium.noun}")
