"""How many values a file holds, as its header says, before it is read."""

from __future__ import annotations

import gzip
import struct
import zipfile
from io import BufferedReader
from math import prod
from pathlib import Path

import numpy as np

from impasto.errors import SignalError
from impasto.files import optional_package

_DEFLATED = "1.2.840.10008.1.2.1.99"
_SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aifc", ".au", ".caf", ".w64")


def count_values(path: Path, ending: str) -> int:
    """How many numbers a file says that it holds, 0 where it does not tell; a small compressed file may hold very many.

    Raises:
        SignalError: the library that reads it is missing, or it is deflated DICOM, which tells no size.
    """
    if ending in _SOUNDS:
        about = optional_package("soundfile", path, "sound").info(str(path))
        return about.frames * about.channels
    if ending in (".nii", ".nii.gz"):
        # the header alone, since nibabel opens only files with the right ending
        nibabel = optional_package("nibabel", path, "volumes")
        with _unpacked(path, ending) as file:
            return prod(nibabel.Nifti1Header(file.read(348), check=False).get_data_shape())
    if ending == ".mgz":
        with gzip.open(path) as file:  # the first number is the version, then come the lengths of the axes
            return prod(struct.unpack(">4i", file.read(20)[4:]))
    if ending == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False).size
    if ending == ".npz":
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    if ending == ".dcm":
        pydicom = optional_package("pydicom", path, "medical")
        if pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID == _DEFLATED:
            raise SignalError(f"{path} is deflated DICOM, which is not taken")
        about = pydicom.dcmread(path, stop_before_pixels=True)
        return about.get("Rows", 0) * about.get("Columns", 0) * int(about.get("NumberOfFrames", 1) or 1)
    return 0


def _unpacked(path: Path, ending: str) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if ending.endswith(".gz") else path.open("rb")
