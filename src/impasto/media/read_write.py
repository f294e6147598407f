"""Which kind of signal a file holds, and how each kind is read and written: a row for each kind.

Nothing here needs torch, and a library that reads a rare format is imported by the reader that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import SettingsError, SignalError, nearest
from impasto.files import check_writable, is_file, is_folder, write_whole
from impasto.media import arrays
from impasto.media.dicom import files as dicom
from impasto.media.file_type import TABLE, file_type
from impasto.media.image import read as image
from impasto.media.image import write as image_output
from impasto.media.image.options import ImageOutput
from impasto.media.movie import animation
from impasto.media.movie import read as movie
from impasto.media.movie import write as movie_output
from impasto.media.series import files as series
from impasto.media.signal import Signal, check_signal
from impasto.media.sound import read as audio
from impasto.media.sound import write as audio_output
from impasto.media.volume import files as volume


@dataclass(frozen=True)
class Format:
    """How one kind of signal is read and written.

    Attributes:
        noun: "a picture", for messages.
        read: makes a signal of a file (or of what else the kind is given as) and, for kinds whose files may not tell it,
            the sampling rate in Hz, and for those that are made smaller while they are read the longest side, and the bytes
            that reading may take.
        encode: the bytes of a file of the signal, with the record of how it was made: ``encode(signal, path, about)``, in
            the format that the ending of ``path`` says; a picture also takes the options of
            :class:`impasto.media.image.options.ImageOutput`. What the format cannot hold is converted and told in the log,
            or a SignalError.
        sample: a tiny part of a signal, with all that its file holds beside the values. It can be encoded if the whole can.
        readable: the endings by which a file of the kind is known.
        writable: the endings of the files that can be written.
        safest: the one of them that can hold every signal of the kind.
        describe: its extent in a few words, e.g. "512 x 384".
        claims: whether a file with an ending that several kinds have holds this one, given where the result is to go (or
            None where it goes nowhere).
    """

    noun: str
    read: Callable[[Any, float | None, int | None, int | None], Signal]
    encode: Callable[..., bytes]
    sample: Callable[[Signal], Signal]
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    safest: str
    describe: Callable[[Signal], str]
    claims: Callable[[Path, Path | None], bool] = lambda path, output: True


def holds_picture(path: Path, output: Path | None = None) -> bool:
    """Whether the file holds a picture, though its ending may stand for a volume or a series as well."""
    if dicom.is_dicom(path):
        return dicom.is_picture(path)
    return file_type(path) != ".npy" or arrays.holds_picture(path, output)


FORMATS: dict[str, Format] = {
    # before pictures and series, with which it shares endings that it claims for some files only
    "volume": Format(
        noun="a volume",
        read=lambda source, rate, longest, memory: volume.read_volume(source),
        encode=volume.encode_volume,
        sample=volume.sample_volume,
        readable=volume.READABLE + volume.CONVERTIBLE,
        writable=volume.WRITABLE,
        safest=".npy",
        describe=lambda signal: " x ".join(str(n) for n in signal.shape) + " voxels",
        claims=volume.is_volume,
    ),
    "movie": Format(
        noun="a movie",
        read=lambda source, rate, longest, memory: movie.read_movie(source, longest),
        encode=movie_output.encode_movie,
        sample=movie.sample_movie,
        readable=movie.READABLE,
        writable=movie_output.WRITABLE,
        safest=".mkv",
        describe=movie.describe_movie,
        claims=animation.is_movie_file,
    ),
    "image": Format(
        noun="a picture",
        read=lambda source, rate, longest, memory: image.read_image(source, longest, memory, whole=True),
        encode=image_output.encode_image,
        sample=image_output.sample_image,
        readable=(*image.READABLE, ".dcm"),
        writable=image_output.WRITABLE,
        safest=".png",
        describe=lambda signal: " x ".join(str(n) for n in reversed(signal.shape)),
        claims=holds_picture,
    ),
    "series": Format(
        noun="a series",
        read=lambda source, rate, longest, memory: series.read_series(source, rate),
        encode=series.encode_series,
        sample=series.sample_series,
        readable=series.READABLE,
        writable=series.WRITABLE,
        safest=".npy",
        describe=series.describe_series,
    ),
    "sound": Format(
        noun="a sound",
        read=lambda source, rate, longest, memory: audio.read_audio(source, rate),
        encode=audio_output.encode_audio,
        sample=audio_output.sample_audio,
        readable=audio.READABLE,
        writable=audio_output.WRITABLE,
        safest=".wav",
        describe=audio.describe_audio,
    ),
}


def kind_of(source: Any, output: str | Path | None = None) -> str:
    """The kind of signal that ``source`` holds, by what is in it and, where that does not tell, by its ending.

    What is unknown is taken for a picture, whose reader knows many more formats than there are endings here.

    Args:
        source: a file, a folder, a signal, or a picture in memory.
        output: where the result is to go: an animation is a movie only if that is one, and else a picture.

    Raises:
        SignalError: it is a folder, and not that of a volume; or nothing that a signal is given as.
    """
    if isinstance(source, Signal):
        check_signal(source)
        return source.kind
    if isinstance(source, np.ndarray | Image.Image):
        return "image"
    if not isinstance(source, str | Path):
        raise SignalError(
            f"{type(source).__name__} was given; the path of a file, a Signal, a PIL image or an array was expected "
            "(bytes: PIL.Image.open(io.BytesIO(data)); numbers: numpy.asarray(numbers))"
        )
    if not str(source):
        raise SignalError("the name of a file is empty; the path of a file was expected")
    path, output = Path(source), None if output is None else Path(output)
    if is_folder(path):
        if not dicom.holds_slices(path):
            raise SignalError(f"{path} is a folder without DICOM slices; a file was expected")
        return _checked("image" if dicom.is_picture(path) else "volume", path, output)
    kinds, found = kinds_named(path.name), None
    if is_file(path):
        with suppress(OSError):  # to be said when it is read
            found = file_type(path)
            held = kinds_named(found or "")
            # any text may look like a table, and a container of movies may hold nothing but a sound
            sound = held == ["movie"] and path.suffix.lower() in audio.IN_CONTAINERS
            kinds = kinds or held if found == TABLE or sound else held or kinds
    if found:
        kinds = [kind for kind in kinds if FORMATS[kind].claims(path, output)] or kinds
    return _checked("image" if not kinds or (not found and "image" in kinds) else kinds[0], path, output)


def _checked(kind: str, path: Path, output: Path | None) -> str:
    """The kind, unless it is a slice of a volume that is to become one by itself."""
    only_volume = tuple(set(volume.WRITABLE) - set(image_output.ENDINGS))
    if kind == "image" and output and output.name.lower().endswith(only_volume) and dicom.is_picture(path):
        raise SignalError(
            f"{path} is a single slice, which is a picture, and {output} is a volume: give the folder that holds all slices "
            "of its series, or an output such as .png"
        )
    return kind


def kinds_named(name: str) -> list[str]:
    """The kinds whose files have names like this one."""
    return [kind for kind, known in FORMATS.items() if name.lower().endswith(known.readable)]


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
        output: where what is made of it is to go, as :func:`kind_of` takes it.

    Raises:
        SignalError: the source is missing, damaged or empty, or holds no signal.
    """
    kind = kind_of(source, output)
    return source if isinstance(source, Signal) else FORMATS[kind].read(source, rate, longest, memory)


def check_ending(kind: str, path: str | Path) -> None:
    """See that a signal of the kind can be written to a file with the ending of ``path``.

    Raises:
        SignalError: it cannot.
    """
    known, path = FORMATS[kind], Path(path)
    if path.name.lower().endswith(known.writable):
        return
    suffix = path.suffix.lower()
    hint = f"did you mean {nearest(suffix, known.writable)}? " if suffix else ""
    raise SignalError(f"{path}: {known.noun} is not written with the ending {suffix!r}; {hint}({' '.join(known.writable)})")


def try_output(
    content: Signal, path: str | Path, about: Mapping[str, Any], size: int | str | None = None, **options: Any
) -> None:
    """See, before the work, that what is made of ``content`` can be written: a tiny part is encoded as the whole will be.

    Args:
        content: of the kind and with the header of the result.
        path: where that is to go.
        about: the record of how it is made, or one as long.
        size: the longest side of a picture, or "full".
        options: as of :func:`write_signal`.

    Raises:
        SignalError: there is no such format of its kind, it cannot hold the signal, or there is no such folder.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    check_options(content.kind, options)
    check_ending(content.kind, path)
    check_writable(path)
    if content.kind == "image":
        longest = size if isinstance(size, int) else max(content.shape)
        image_output.check_image_output(path, longest, ImageOutput(**options))
    known = FORMATS[content.kind]
    known.encode(known.sample(content), path, about, **options)


def write_signal(signal: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Write a signal of any kind as the ending of ``path`` says, whole or not at all.

    Raises:
        SignalError: there is no such format of its kind, or it cannot hold the signal.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    check_options(signal.kind, options)
    check_ending(signal.kind, path)
    write_whole(path, FORMATS[signal.kind].encode(signal, path, about, **options))


def check_options(kind: str, options: Collection[str]) -> None:
    """See that a signal of the kind is written with ``options``, names of the fields of ``ImageOutput``.

    Raises:
        SettingsError: it is not.
    """
    known = [option.name for option in fields(ImageOutput)]
    for name in options:
        if name not in known:
            raise SettingsError(
                f"the option {name!r} is unknown: did you mean {nearest(name, known)!r}? ({', '.join(known)})"
            )
    if options and kind != "image":
        raise SettingsError(f"{' and '.join(options)}: only a picture is written with it; this is {FORMATS[kind].noun}")
