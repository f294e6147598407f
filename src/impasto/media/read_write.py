"""Which medium a file holds; reads and writes signals of any medium. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import SettingsError, SignalError, nearest
from impasto.files import check_writable, is_file, is_folder, is_pattern, write_all_whole, write_whole
from impasto.media.arrays import is_tensor
from impasto.media.file_type import TABLE, file_type
from impasto.media.medium import Medium
from impasto.media.registry import media, medium_of
from impasto.media.signal import Signal
from impasto.media.well_formed import check_signal


def find_medium(source: Any, output: str | Path | None = None) -> Medium:
    """The medium of ``source``, by its first bytes and, where these do not tell, by its ending.

    An unknown file is taken for a picture, as the reader of pictures knows many more formats than are listed here.

    Args:
        source: a file, a folder, a pattern of numbered files, a signal, or a picture in memory.
        output: where the result is to go: an animation is a movie only if that is one too, and else a picture.

    Raises:
        SignalError: a folder without DICOM slices, or an object that is no signal.
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
    if is_pattern(path):
        return next(medium for medium in known.values() if medium.numbered)
    kinds, found = kinds_named(path.name), None
    if is_file(path):
        with suppress(OSError):  # its reader will raise the error
            found = file_type(path)
            held = kinds_named(found or "")
            # any text may look like a table, and a container of movies may hold only a sound: then the name counts
            named = [kind for kind in kinds if known[kind].is_inside(path, found)]
            kinds = named or (kinds or held if found == TABLE else held or kinds)
    if found:
        kinds = [kind for kind in kinds if known[kind].claims(path, output)] or kinds
    return known["image" if not kinds or (not found and "image" in kinds) else kinds[0]]


def kinds_named(name: str) -> list[str]:
    """The kinds whose endings a name has, those with the most axes first, as they claim only some of the files."""
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
        longest: the longest side in pixels that is wanted of a movie, or of a picture too large to be read whole.
        memory: the bytes that reading may take; three quarters of what is free if None.
        output: where the result is to go, see :func:`find_medium`.

    Raises:
        SignalError: the source is missing, damaged or empty, or holds no signal.
    """
    medium = find_medium(source, output)
    return source if isinstance(source, Signal) else medium.read(source, rate, longest, memory)


def check_ending(medium: Medium, path: str | Path) -> None:
    """See that a signal of the medium can be written to a file with the ending of ``path``.

    Raises:
        SignalError: it cannot; the message names the endings that can.
    """
    path = Path(path)
    if _in_files(medium, path):
        check_ending(media()["image"], path)
        return
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
    """See, before the work, that the result can be written: a tiny part of the content is encoded as the result will be.

    Args:
        medium: of the content.
        content: with the header of the result.
        path: where the result is to go.
        about: the record of how it is made, or one as long.
        size: the longest side of the result if it is a number; otherwise that of the content.
        options: see :func:`write_signal`.

    Raises:
        SignalError: the medium has no such format, the format cannot hold the signal, or the folder does not exist.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    check_options(medium, options)
    check_ending(medium, path)
    check_writable(path)
    if medium.options:
        longest = size if isinstance(size, int) else max(content.shape)
        medium.check_output(path, longest, medium.options(**options))
    if _in_files(medium, path):
        next(iter(_encode_numbered(medium, content, Path(path), about)))
        return
    medium.encode(medium.sample(content), path, about, **options)


def write_signal(signal: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Write a signal of any kind in the format that the ending of ``path`` names, whole or not at all.

    A signal of many pictures is also written to numbered ones, by a pattern such as ``frame%04d.png``: all, or none. The
    arguments, and what is raised, are those of :func:`encode_signal`.
    """
    medium = medium_of(signal.kind)
    if not _in_files(medium, path):
        write_whole(path, encode_signal(signal, path, about, **options))
        return
    check_options(medium, options)
    check_ending(medium, path)
    write_all_whole(_encode_numbered(medium, signal, Path(path), about or {}))


def _in_files(medium: Medium, path: str | Path) -> bool:
    """Whether a signal is written to several files, by the pattern of their names."""
    return medium.encode_numbered is not None and is_pattern(path)


def _encode_numbered(
    medium: Medium, signal: Signal, pattern: Path, about: Mapping[str, Any]
) -> Iterable[tuple[Path, bytes]]:
    assert medium.encode_numbered is not None
    return medium.encode_numbered(signal, pattern, about)


def encode_signal(signal: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> bytes:
    """The bytes of a file of a signal of any kind, in the format that the ending of ``path`` names.

    Args:
        signal: what is written.
        path: where it will be.
        about: the record of how it was made, which most formats can hold.
        options: fields of the ``options`` of its medium, e.g. ``quality``; see :func:`impasto.write_image`.

    Raises:
        SignalError: the medium has no such format, or the format cannot hold the signal.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    medium = medium_of(signal.kind)
    check_options(medium, options)
    check_ending(medium, path)
    return medium.encode(signal, path, about, **options)


def check_options(medium: Medium, options: Collection[str]) -> None:
    """See that signals of the medium can be written with these options, given by their names.

    Raises:
        SettingsError: an option is unknown, or another medium's.
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
