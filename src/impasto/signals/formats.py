"""Which kind of signal a file holds, and how each kind is read and written: a row for each kind.

Nothing here needs torch, and a library that reads a rare format is imported by the reader that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.errors import SettingsError, SignalError, nearest
from impasto.signals import audio, dicom, image, image_output, movie, series, volume
from impasto.signals.signal import Signal

Write = Callable[..., None]


@dataclass(frozen=True)
class Format:
    """How one kind of signal is read and written.

    Attributes:
        noun: "a picture", for messages.
        read: makes a signal of a file (or of what else the kind is given as) and, for kinds whose files may not tell it,
            the sampling rate in Hz, and for those that are made smaller while they are read the longest side.
        write: writes a signal to a file, with the record of how it was made: ``write(signal, path, about)``; a picture also
            takes the options of :class:`impasto.signals.image_options.ImageOutput`.
        readable: the endings by which a file of the kind is known.
        writable: the endings of the files that can be written.
        describe: its extent in a few words, e.g. "512 x 384".
        claims: whether a file with an ending that several kinds have holds this one.
    """

    noun: str
    read: Callable[[Any, float | None, int | None], Signal]
    write: Write
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    describe: Callable[[Signal], str]
    claims: Callable[[Path], bool] = lambda path: True


FORMATS: dict[str, Format] = {
    # before pictures and series, with which it shares endings that it claims for some files only
    "volume": Format(
        noun="a volume",
        read=lambda source, rate, longest: volume.read_volume(source),
        write=volume.write_volume,
        readable=volume.READABLE,
        writable=volume.WRITABLE,
        describe=lambda signal: " x ".join(str(n) for n in signal.shape) + " voxels",
        claims=volume.is_volume,
    ),
    "movie": Format(
        noun="a movie",
        read=lambda source, rate, longest: movie.read_movie(source, longest),
        write=movie.write_movie,
        readable=movie.READABLE,
        writable=movie.WRITABLE,
        describe=movie.describe_movie,
    ),
    "image": Format(
        noun="a picture",
        read=lambda source, rate, longest: image.read_image(source),
        write=image_output.write_image,
        readable=image_output.ENDINGS,
        writable=image_output.ENDINGS,
        describe=lambda signal: " x ".join(str(n) for n in reversed(signal.shape)),
    ),
    "series": Format(
        noun="a series",
        read=lambda source, rate, longest: series.read_series(source, rate),
        write=series.write_series,
        readable=series.READABLE,
        writable=series.WRITABLE,
        describe=series.describe_series,
    ),
    "sound": Format(
        noun="a sound",
        read=lambda source, rate, longest: audio.read_audio(source, rate),
        write=audio.write_audio,
        readable=audio.ENDINGS,
        writable=audio.ENDINGS,
        describe=audio.describe_audio,
    ),
}


def kind_of(source: Any) -> str:
    """The kind of signal that ``source`` holds: by its ending and, where that is not enough, by what is in it.

    What is unknown is taken for a picture, whose reader knows many more formats than there are endings here.

    Raises:
        SignalError: it is a folder, and not that of a volume.
    """
    if isinstance(source, Signal):
        return source.kind
    if not isinstance(source, str | Path):
        return "image"
    path = Path(source)
    if path.is_dir():
        if not dicom.holds_slices(path):
            raise SignalError(f"{path} is a folder without DICOM slices; a file was expected")
        return "volume"
    name = path.name.lower()
    kinds = [kind for kind, known in FORMATS.items() if name.endswith(known.readable)]
    if len(kinds) > 1 and path.exists():
        kinds = [kind for kind in kinds if FORMATS[kind].claims(path)] or kinds
    return kinds[0] if kinds else "image"


def read_signal(source: Any, rate: float | None = None, longest: int | None = None) -> Signal:
    """The signal of any kind in ``source``: a file, a signal, or a picture as :func:`impasto.read_image` takes it.

    Args:
        source: what is read.
        rate: samples a second, for a series whose file does not tell.
        longest: the longest side in pixels that is wanted of a movie, which may be too large to be read as it is.

    Raises:
        SignalError: the source is missing, damaged or empty, or holds no signal.
    """
    return source if isinstance(source, Signal) else FORMATS[kind_of(source)].read(source, rate, longest)


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


def check_options(kind: str, options: Collection[str]) -> None:
    """See that a signal of the kind is written with ``options``, names of the fields of ``ImageOutput``.

    Raises:
        SettingsError: it is not.
    """
    if options and kind != "image":
        raise SettingsError(f"{' and '.join(options)}: only a picture is written with it; this is {FORMATS[kind].noun}")
