"""Small DICOM files, made of an array and the elements that a test is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def write_dicom(path: Path, pixels: NDArray[Any], without: tuple[str, ...] = (), **elements: Any) -> Path:
    """A file of one image (rows, columns), of many (n, rows, columns), or of colours with a last axis of 3."""
    colour = pixels.shape[-1] == 3
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    file = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID, file.SeriesInstanceUID = SecondaryCaptureImageStorage, generate_uid(), "1.2.3"
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    file.Rows, file.Columns, file.SamplesPerPixel = rows, columns, 3 if colour else 1
    file.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        file.PlanarConfiguration = 0
    if pixels.ndim > 2 + colour:
        file.NumberOfFrames = len(pixels)
    file.BitsAllocated = file.BitsStored = 8 * pixels.itemsize
    file.HighBit, file.PixelRepresentation = file.BitsStored - 1, int(pixels.dtype.kind == "i")
    file.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(file, name, value)
    for name in without:
        delattr(file, name)
    file.save_as(str(path))
    return path


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def slices(folder: Path, voxels: NDArray[Any], step: float = 2.0, /, **elements: Any) -> Path:
    """A folder with a file for each slice, from bottom to top; an element that is a function is called with their number."""
    folder.mkdir(exist_ok=True)
    for i, pixels in enumerate(voxels):
        usual: dict[str, Any] = {
            "InstanceNumber": i + 1,
            "ImagePositionPatient": [-10, -20, step * i],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [0.7, 0.5],
        }
        own = {name: value(i) if callable(value) else value for name, value in (usual | elements).items()}
        absent = tuple(name for name, value in own.items() if value is ...)
        kept: dict[str, Any] = {name: value for name, value in own.items() if value is not ...}
        assert set(absent) <= set(usual)
        write_dicom(folder / f"{(i * 7) % 31:02}.dcm", pixels, **kept)
    return folder


def ramp(n: int = 6, rows: int = 5, columns: int = 4, dtype: type = np.int16) -> NDArray[Any]:
    """Voxels (n, rows, columns) that are all different."""
    return np.arange(n * rows * columns, dtype=dtype).reshape(n, rows, columns)
