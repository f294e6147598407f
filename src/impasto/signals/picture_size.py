"""The size of a picture, read from the first bytes of its file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from impasto.signals.arrays import read_array
from impasto.signals.file_type import file_type
from impasto.signals.picture_files import DECODERS, jpeg_xl_header, open_heif, opened
from impasto.signals.tiff import tiff_size


def size_of(path: Path) -> tuple[int, int]:
    """(height, width) of the picture in a file, as it is stored, read from its first bytes.

    Raises:
        Exception: whatever comes to the decoders of damaged files.
    """
    found = file_type(path)
    if found == ".npy":
        return read_array(path, told=False).shape[:2]
    if found == ".tif":
        with suppress(NotImplementedError):
            return tiff_size(path)[:2]
    if found == ".jxl":
        with path.open("rb") as file:
            return jpeg_xl_header(file.read(2**16))[:2]
    if found in DECODERS:
        return DECODERS[found](path)[0].shape[:2]
    with path.open("rb") as file, open_heif(path) if found == ".heic" else opened(file, str(path)) as picture:
        return picture.height, picture.width
