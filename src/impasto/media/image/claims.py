"""Which files hold pictures, among those whose endings volumes and series have too."""

from __future__ import annotations

from pathlib import Path

from impasto.errors import SignalError
from impasto.media import arrays
from impasto.media.dicom.files import holds_slices, is_dicom, is_picture
from impasto.media.file_type import file_type
from impasto.media.image import ENDINGS
from impasto.media.volume import WRITABLE as VOLUMES

_ONLY_VOLUMES = tuple(set(VOLUMES) - set(ENDINGS))


def holds_picture(path: Path, output: Path | None = None) -> bool:
    """Whether the file holds a picture, though its ending may stand for a volume or a series as well.

    Raises:
        SignalError: it is a single slice, and ``output`` is a volume.
    """
    if is_dicom(path):
        return _is_slice(path, output)
    return file_type(path) != ".npy" or arrays.holds_picture(path, output)


def is_slice_in_folder(path: Path, output: Path | None = None) -> bool:
    """Whether the folder holds a single slice, which is a picture.

    Raises:
        SignalError: it does, and ``output`` is a volume.
    """
    return holds_slices(path) and _is_slice(path, output)


def _is_slice(path: Path, output: Path | None) -> bool:
    if not is_picture(path):
        return False
    if output and output.name.lower().endswith(_ONLY_VOLUMES):
        raise SignalError(
            f"{path} is a single slice, which is a picture, and {output} is a volume: give the folder that holds all slices "
            "of its series, or an output such as .png"
        )
    return True
