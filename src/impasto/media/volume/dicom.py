"""Reads DICOM series: the slices of one volume, in one file or many, put in order and checked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.files import one_line_is_enough
from impasto.media.dicom.files import find_images
from impasto.media.dicom.frames import Frame, frames_of
from impasto.media.dicom.pixels import decode_pixels, on_scale

log = logging.getLogger("impasto")

# steps between slices larger than the first are gaps, smaller than the second none; in units of the usual step
_GAP, _SAME_PLACE = 1.5, 0.05
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# name and orientation (along rows, down columns) of slices that follow each other along the first, second or third axis of
# LPS+
_ACROSS = (
    ("sagittal", np.array([(0.0, 1, 0), (0, 0, -1)])),
    ("coronal", np.array([(1.0, 0, 0), (0, 0, -1)])),
    ("axial", np.array([(1.0, 0, 0), (0, 1, 0)])),
)


def read_dicom_series(path: str | Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """The voxels of a series in the units of its modality (of CT: Hounsfield units), and a header.

    Args:
        path: a folder with one file for each slice, in any order and under any names, or one file with many images.

    Returns:
        Voxels (slice, row, column[, 3]); and a header with ``dtype``, ``colour`` (whether they are RGB) and, if the files
        tell it, ``affine``, from indices to mm in RAS+.

    Raises:
        SignalError: there are no slices, or only one; they are of several series or sizes, or lack pixels; one is missing
            or there twice; or the pixels are compressed in a way that cannot be read here.
    """
    path = Path(path)
    with one_line_is_enough():  # pydicom warns of values that break the standard; most do not concern the pixels
        found = find_images(path)
        frames = [frame for file, dataset in found for frame in frames_of(file, dataset, path)]
        if len(frames) == 1:
            raise SignalError(
                f"{path} is a single slice, which is a picture; for a volume give the folder that holds all slices of the "
                "series"
            )
        _check_alike(frames, path)
        frames = _in_order(frames, path)
        voxels = _voxels(frames, path)
        return voxels, {"dtype": _dtype(voxels), "colour": voxels.ndim == 4} | _place(frames, path)


def _check_alike(frames: Sequence[Frame], path: Path) -> None:
    first = frames[0]
    for frame in frames:
        sizes = [(f.dataset.Rows, f.dataset.Columns) for f in (frame, first)]
        if sizes[0] != sizes[1]:
            (rows, columns), (others, wide) = sizes
            raise SignalError(
                f"{frame.file} has {rows} x {columns} pixels and {first.file.name} {others} x {wide}; slices of one size "
                "were expected"
            )
        if (frame.dataset.get("SamplesPerPixel") or 1) != (first.dataset.get("SamplesPerPixel") or 1):
            raise SignalError(f"{path} holds slices in grey and in colour; a folder with slices of one kind was expected")
        if not _is_parallel(frame.orientation, first.orientation):
            raise SignalError(f"{path}: {frame} is tilted against {first}; parallel slices were expected")


def _is_parallel(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    return one is None or other is None or np.allclose(one, other, atol=1e-3)


def _in_order(frames: list[Frame], path: Path) -> list[Frame]:
    """The images in the order of their places along the normal; if these are not known, of their numbers."""
    frames = _with_orientation(frames, path)
    places, unit = _along_normal(frames, path), "mm"
    if places is None:
        frames, unit = [replace(frame, position=None) for frame in frames], "(number)"
        if any(frame.number is None for frame in frames):
            raise SignalError(f"{path}: the slices have neither a position nor a number, so their order is unknown")
        if len({frame.file for frame in frames}) > 1 and max(frame.index for frame in frames):
            raise SignalError(f"{path} holds several files with many images each, and no positions; give one of the files")
        places = np.array([float(frame.number or 0) for frame in frames])
    order = np.argsort(places, kind="stable")
    frames, places = [frames[i] for i in order], places[order]
    _check_steps(frames, places, unit, path)
    return frames


def _along_normal(frames: Sequence[Frame], path: Path) -> NDArray[Any] | None:
    """The places of the images along the normal in mm; None if one is missing, or all those of a file are the same."""
    positions = [frame.position for frame in frames if frame.position is not None]
    if len(positions) < len(frames):
        if positions:
            lost = len(frames) - len(positions)
            log.warning("%s: %d of %d images have no position; their numbers give the order", path, lost, len(frames))
        return None
    orientation = frames[0].orientation
    places = np.array(positions) @ (np.array((0.0, 0, 1)) if orientation is None else np.cross(*orientation))
    same_place = len({frame.file for frame in frames}) == 1 and np.ptp(places) == 0
    return None if same_place else places


def _with_orientation(frames: list[Frame], path: Path) -> list[Frame]:
    """The images, with a missing orientation taken from the others or, if none tells it, from how their places spread."""
    known = next((frame.orientation for frame in frames if frame.orientation is not None), None)
    positions = [frame.position for frame in frames if frame.position is not None]
    if known is None and len(positions) > 1:
        name, known = _ACROSS[int(np.ptp(np.array(positions), axis=0).argmax())]
        log.warning("%s: no image tells its orientation; %s slices are assumed", path, name)
    return [replace(frame, orientation=known) if frame.orientation is None else frame for frame in frames]


def _check_steps(frames: Sequence[Frame], places: NDArray[Any], unit: str, path: Path) -> None:
    steps = np.diff(places)
    usual = float(np.median(steps[steps > _SAME_PLACE * np.median(steps)])) if steps.any() else 0.0
    same = steps <= _SAME_PLACE * usual
    if same.any():
        counts = set(np.diff(np.flatnonzero(np.concatenate([[True], ~same, [True]]))).tolist())
        if len(counts) == 1:
            raise SignalError(
                f"{path} holds {counts.pop()} images at each of {1 + (~same).sum()} places (times, echoes or the like); "
                "the slices of one volume were expected: take one out first"
            )
        i = int(np.flatnonzero(same)[0])
        raise SignalError(f"{path}: {frames[i]} and {frames[i + 1]} are two slices at the same place, {places[i]:g} {unit}")
    for i in np.flatnonzero(steps > _GAP * usual).tolist():
        lost = max(1, round(steps[i] / usual) - 1)
        raise SignalError(
            f"{path}: {lost} slice{'s are' * (lost > 1) or ' is'} missing between {frames[i]} and {frames[i + 1]}, "
            f"{places[i]:g} and {places[i + 1]:g} {unit}; the usual step is {usual:g}"
        )


def _voxels(frames: Sequence[Frame], path: Path) -> NDArray[Any]:
    several = {frame.file for frame in frames if frame.index > 0}
    stored: dict[Path, NDArray[Any]] = {}
    slices: list[NDArray[Any]] = []
    for frame in frames:
        pixels = stored.get(frame.file)
        if pixels is None:
            pixels = decode_pixels(frame.file, frame.dataset, path)
        if frame.file in several:
            stored[frame.file] = pixels
        slices.append(on_scale(frame, pixels[frame.index], inverted=True))
    if frames[0].dataset.PhotometricInterpretation == "MONOCHROME1":
        log.warning("%s: stored as its negative (MONOCHROME1), and inverted", path)
    return np.stack(slices)


def _place(frames: Sequence[Frame], path: Path) -> dict[str, Any]:
    """A header with the ``affine`` of the ordered images, from (slice, row, column) to mm in RAS+; empty if not known."""
    first, last = frames[0], frames[-1]
    if first.position is None and first.spacing is None:
        return {}
    spacing, orientation = first.spacing, first.orientation
    if spacing is None:
        log.warning("%s: the distance of the pixels is not told; 1 mm is assumed", path)
        spacing = (1.0, 1.0)
    if first.position is None or last.position is None or orientation is None:
        orientation = _ACROSS[2][1] if orientation is None else orientation
        step = np.cross(*orientation) * (first.step or 1.0)
        if first.step is None:
            log.warning("%s: the distance of the slices is not told; 1 mm is assumed", path)
    else:
        step = (last.position - first.position) / (len(frames) - 1)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = step, orientation[1] * spacing[0], orientation[0] * spacing[1]
    affine[:3, 3] = 0 if first.position is None else first.position
    return {"affine": _LPS_TO_RAS @ affine}


def _dtype(voxels: NDArray[Any]) -> np.dtype[Any]:
    """The smallest integer type that holds the voxels if all are whole numbers, as Hounsfield units are; else float32."""
    if voxels.ndim == 4 or voxels.dtype == np.uint8:
        return voxels.dtype
    whole = voxels.dtype.kind in "iu" or bool((voxels == voxels.round()).all())
    low, high = voxels.min(), voxels.max()
    for name in (np.int16, np.uint16, np.int32, np.uint32):
        if whole and np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return np.dtype(name)
    return np.dtype(np.float32)
