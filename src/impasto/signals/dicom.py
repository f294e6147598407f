"""DICOM series: the slices of one volume, each in a file of its own, put in order and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.signals.files import first_line, one_line_is_enough, optional_package

# in units of the usual distance of two slices
_GAP, _SAME_PLACE = 1.5, 0.05
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def has_pixels(path: Path) -> bool:
    """Whether a DICOM file holds an image; not so a waveform, a report or a plan."""
    pydicom = optional_package("pydicom", path, "volumes")
    try:
        with one_line_is_enough():
            return "Rows" in pydicom.dcmread(path, specific_tags=["Rows"])
    except (pydicom.errors.InvalidDicomError, OSError, EOFError, ValueError):
        return False


def read_dicom_series(path: str | Path) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """The voxels (slice, row, column) of a series on the scale of its modality (of CT: Hounsfield units), and a header.

    Args:
        path: a folder with one file for each slice, in any order and under any names, or one file with many frames.

    Returns:
        The voxels, and a header with ``dtype`` and, where the files tell it, ``affine``: indices to mm in RAS+.

    Raises:
        SignalError: there are no slices, those of several series, of several sizes, or without pixels; one is missing or
            there twice; or the pixels are compressed in a way that cannot be read here.
    """
    path = Path(path)
    with one_line_is_enough():  # values that break the standard are common, and most do not concern the pixels
        slices = _find(path)
        if len(slices) == 1:
            return _frames(*slices[0])
        slices = _in_order(slices, path)
        voxels = np.stack([_pixels(file, dataset) for file, dataset in slices])
    return voxels, _header(voxels, [dataset for _, dataset in slices])


def _find(path: Path) -> list[tuple[Path, Any]]:
    pydicom = optional_package("pydicom", path, "volumes")
    if not path.exists():
        raise SignalError(f"{path}: no such file or folder")
    found: list[tuple[Path, Any]] = []
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        try:
            dataset = pydicom.dcmread(file, defer_size="1 KB")
        except pydicom.errors.InvalidDicomError:
            if file == path:
                raise SignalError(f"{path} is not a DICOM file") from None
            continue
        except (OSError, EOFError, ValueError) as error:
            raise SignalError(f"{file} cannot be read as DICOM: {error}") from None
        if "SOPInstanceUID" in dataset:  # not so the index of a disc, DICOMDIR
            found.append((file, dataset))
    if not found:
        raise SignalError(f"{path} holds no DICOM files")
    without = next((file for file, dataset in found if "Rows" not in dataset or "PixelData" not in dataset), None)
    if without:
        raise SignalError(f"{without} has no pixels; the slices of an image series were expected")
    series = {str(dataset.get("SeriesInstanceUID")) for _, dataset in found}
    if len(series) > 1:
        raise SignalError(f"{path} holds {len(series)} DICOM series; a folder with the slices of one was expected")
    return found


def _in_order(slices: list[tuple[Path, Any]], path: Path) -> list[tuple[Path, Any]]:
    """The slices by their place along the normal; without places, by their number."""
    first_file, first = slices[0]
    for file, dataset in slices:
        if (dataset.Rows, dataset.Columns) != (first.Rows, first.Columns):
            raise SignalError(
                f"{file} has {dataset.Rows} x {dataset.Columns} pixels and {first_file.name} "
                f"{first.Rows} x {first.Columns}; slices of one size were expected"
            )
    if all("ImagePositionPatient" in dataset and "ImageOrientationPatient" in dataset for _, dataset in slices):
        across, down = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
        for file, dataset in slices:
            if not np.allclose(np.array(dataset.ImageOrientationPatient, float), (*across, *down), atol=1e-3):
                raise SignalError(f"{file} is tilted against {first_file.name}; parallel slices were expected")
        normal = np.cross(across, down)
        places = np.array([np.dot(normal, np.array(dataset.ImagePositionPatient, float)) for _, dataset in slices])
        unit = "mm"
    elif all(dataset.get("InstanceNumber") is not None for _, dataset in slices):
        places, unit = np.array([float(dataset.InstanceNumber) for _, dataset in slices]), "(number)"
    else:
        raise SignalError(f"{path}: the slices have neither a position nor a number, so their order is unknown")
    order = np.argsort(places, kind="stable")
    slices, places = [slices[i] for i in order], places[order]
    steps = np.diff(places)
    usual = float(np.median(steps))
    for i, step in enumerate(steps):
        one, other = slices[i][0].name, slices[i + 1][0].name
        if step <= _SAME_PLACE * usual:
            raise SignalError(f"{path}: {one} and {other} are two slices at the same place, {places[i]:g} {unit}")
        if step > _GAP * usual:
            lost = max(1, round(step / usual) - 1)
            raise SignalError(
                f"{path}: {lost} slice{'s are' * (lost > 1) or ' is'} missing between {one} and {other}, "
                f"{places[i]:g} and {places[i + 1]:g} {unit}; the usual step is {usual:g}"
            )
    return slices


def _pixels(file: Path, dataset: Any) -> NDArray[np.float32]:
    try:
        pixels = dataset.pixel_array
    except (RuntimeError, AttributeError, ImportError) as error:
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is not None and syntax.is_compressed:
            raise SignalError(
                f"{file} is compressed as {syntax.name}, which needs a decoder: pip install pylibjpeg[all]"
            ) from None
        raise SignalError(f"{file}: the pixels cannot be read: {first_line(error)}") from None
    except ValueError as error:
        raise SignalError(f"{file} is cut short or damaged: {first_line(error)}") from None
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    if slope == 1 and intercept == 0:
        return pixels
    return pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _frames(file: Path, dataset: Any) -> tuple[NDArray[np.float32], dict[str, Any]]:
    if int(dataset.get("NumberOfFrames") or 1) < 2:
        raise SignalError(f"{file} is a single slice; give the folder that holds all slices of the series")
    voxels = _pixels(file, dataset)
    return voxels, {"dtype": _dtype(voxels)}


def _header(voxels: NDArray[Any], slices: list[Any]) -> dict[str, Any]:
    header: dict[str, Any] = {"dtype": _dtype(voxels)}
    first, last = slices[0], slices[-1]
    if "ImagePositionPatient" in first and "PixelSpacing" in first:
        across, down = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = map(float, first.PixelSpacing)
        begin, end = (np.array(dataset.ImagePositionPatient, float) for dataset in (first, last))
        affine = np.eye(4)
        affine[:3, 0] = (end - begin) / (len(slices) - 1)
        affine[:3, 1] = down * between_rows
        affine[:3, 2] = across * between_columns
        affine[:3, 3] = begin
        header["affine"] = _LPS_TO_RAS @ affine
    return header


def _dtype(voxels: NDArray[Any]) -> np.dtype[Any]:
    """The smallest integers that hold the voxels where all are whole, as Hounsfield units are."""
    whole = voxels.dtype.kind in "iu" or bool((voxels == voxels.round()).all())
    if not whole:
        return np.dtype(np.float32)
    return np.dtype(np.int16) if voxels.min() >= -(2**15) and voxels.max() < 2**15 else np.dtype(np.int32)


def holds_slices(folder: Path) -> bool:
    """Whether there is a DICOM file in a folder: one that says so after its preamble of 128 bytes."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                if file.read(132)[128:] == b"DICM":
                    return True
    return False
