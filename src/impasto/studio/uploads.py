"""What comes in from the browser: looked into, and not trusted by its name, its ending or its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from PIL import Image, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.files import first_line, one_line_is_enough
from impasto.media.file_type import TABLE, file_type
from impasto.media.read_write import find_medium, read_signal
from impasto.studio.value_count import count_values

MIB = 2**20
MOST_BYTES = 256 * MIB
MOST_PIXELS = 80 * 10**6
MOST_VALUES = 2**26
MOST_TEXT = 32 * MIB

_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
_ENDING_OF_PICTURES = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "AVIF": ".avif"}


@dataclass(frozen=True)
class Upload:
    """A file that has been looked into.

    Attributes:
        path: where it lies.
        name: what its owner calls it, without any folder.
        ending: what it is by its content, e.g. ".png".
        shape: positions along each axis; of a picture (height, width).
        kind: of signal, a row of :func:`impasto.media.registry.media`.
        extent: the shape in a few words.
        weight: of a style beside others.
    """

    path: Path
    name: str
    ending: str
    shape: tuple[int, ...]
    kind: str = "image"
    extent: str = ""
    weight: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """All but the path, as JSON."""
        return {name: value for name, value in asdict(self).items() if name != "path"}

    @classmethod
    def from_dict(cls, path: Path, about: Mapping[str, Any]) -> Upload:
        """What :meth:`as_dict` has told of the file that lies there now."""
        return cls(path, **{**about, "shape": tuple(about["shape"])})


def inspect(path: str | Path, name: str, folder: Path) -> Upload:
    """Look into a file that was uploaded to ``folder``.

    Raises:
        SignalError: it lies elsewhere, is empty, too large, or nothing that can be painted; one sentence says what.
    """
    title = safe_name(name)
    path = within(path, folder)
    size = path.stat().st_size
    if size == 0:
        raise SignalError(f"{title} is empty")
    if size > MOST_BYTES:
        raise SignalError(f"{title} has {size / MIB:.0f} MB; up to {MOST_BYTES // MIB} MB are taken")
    found = _picture_shape(path, title)
    if found is None:
        return _other_signal(path, title)
    ending, shape = found
    return Upload(path, title, ending, shape, "image", " × ".join(map(str, reversed(shape))))


def within(path: str | Path, folder: Path) -> Path:
    """The file, if it lies in the folder.

    Raises:
        SignalError: it does not, whatever links and dots its path has.
    """
    try:
        resolved = Path(path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise SignalError("the file is not there any more; drop it again") from None
    if not resolved.is_relative_to(folder.resolve()) or not resolved.is_file():
        raise SignalError("the file was not uploaded to the studio; drop it on the page")
    return resolved


def safe_name(name: str) -> str:
    """The last part of a name, of printable characters and at most 60 of them."""
    last = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    stem, ending = Path(kept).stem, Path(kept).suffix[:8]
    return (stem[: 60 - len(ending)] + ending) or "unnamed"


def _picture_shape(path: Path, title: str) -> tuple[str, tuple[int, int]] | None:
    """Ending and shape of a picture, by its header alone; None if it is none."""
    try:
        # Pillow need not warn of large pictures: the limit here is lower than its own
        with one_line_is_enough(), Image.open(path) as picture:
            width, height = picture.size
            # a PNG may have it at its end, and would be read as a whole to find it
            exif = picture.getexif() if picture.format != "PNG" or "exif" in picture.info else {}
            if exif.get(_ORIENTATION) in _ON_ITS_SIDE:
                width, height = height, width
            ending = _ENDING_OF_PICTURES.get(picture.format or "", ".png")
    except UnidentifiedImageError:
        return None
    except Image.DecompressionBombError:
        raise SignalError(_too_many_pixels(title)) from None
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        raise SignalError(f"{title} is damaged: {error}") from None
    if width * height > MOST_PIXELS:
        raise SignalError(_too_many_pixels(title, width, height))
    return ending, (height, width)


def _other_signal(path: Path, title: str) -> Upload:
    """What is no picture, if it is a series, a sound or a volume."""
    ending = file_type(path)
    if ending is None:
        raise SignalError(
            f"{title} is not a picture that can be read (PNG, JPEG, WebP, TIFF, AVIF, GIF, ...), and no series, sound or "
            "volume"
        )
    if ending == TABLE and path.stat().st_size > MOST_TEXT:
        raise SignalError(f"{title} is too long: of tables up to {MOST_TEXT // MIB} MB are taken")
    try:
        if count_values(path, ending) > MOST_VALUES:
            raise SignalError(f"{title} has too many values: up to {MOST_VALUES // 10**6} million are taken")
        if not path.name.lower().endswith(ending):  # its readers go by the ending
            path = Path(copyfile(path, path.with_name(path.name + ending)))
        medium = find_medium(path)
        if medium.preview is None:
            raise SignalError(f"{title} is {medium.noun}; pictures, series, sounds and volumes are painted in the studio")
        signal = read_signal(path)
    except SignalError as error:
        raise SignalError(str(error).replace(str(path), title)) from None
    except Exception as error:  # so do readers of other signals
        raise SignalError(f"{title} is damaged: {first_line(error).replace(str(path), title)}") from None
    return Upload(path, title, ending, signal.shape, medium.name, medium.describe(signal))


def _too_many_pixels(title: str, *size: int) -> str:
    given = f" ({' x '.join(map(str, size))})" if size else ""
    return f"{title} has too many pixels{given}; up to {MOST_PIXELS // 10**6} million are taken"
