"""Reads and writes volumes (NIfTI, DICOM, TIFF stacks, arrays), with their place in space and range of intensities."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError, nearest
from impasto.files import existing_file, first_line, one_line_is_enough, optional_package
from impasto.media.arrays import holds_picture
from impasto.media.dicom.files import holds_slices, is_dicom, is_picture, is_stack
from impasto.media.file_type import ending_of
from impasto.media.signal import Signal
from impasto.media.tiff.read import ENDINGS as TIFF_ENDINGS
from impasto.media.tiff.read import holds_stack, read_stack
from impasto.media.volume import BY_NIBABEL, CONVERTIBLE, READABLE, WRITABLE, nifti
from impasto.media.volume.dicom import read_dicom_series
from impasto.media.volume.scale import intensities, is_exact, scale_voxels, stored_type

Array = NDArray[Any]

log = logging.getLogger("impasto")


def is_volume(path: Path, output: Path | None = None) -> bool:
    """Whether the file holds a volume, though its ending may stand for a picture or a series as well.

    If the file does not tell, ``output``, where the result is to go, does.
    """
    if is_dicom(path):
        return is_stack(path)
    try:
        with one_line_is_enough():
            found = ending_of(path, (*TIFF_ENDINGS, ".tiff", ".npy"))
            if found in (*TIFF_ENDINGS, ".tiff"):
                return holds_stack(path)
            if found == ".npy":
                array = np.load(path, mmap_mode="r", allow_pickle=False)
                return array.ndim > 2 and not holds_picture(path, output)
    except (OSError, ValueError, SyntaxError):
        return False
    except Exception:  # it is damaged: its reader will raise the error, that of a volume if one is wanted
        return output is None or output.name.lower().endswith(WRITABLE)
    return True


def is_folder_of_slices(path: Path, output: Path | None = None) -> bool:
    """Whether the folder holds more than one DICOM slice."""
    return holds_slices(path) and not is_picture(path)


def read_volume(source: str | Path | Array) -> Signal:
    """A volume with intensities in 0..1.

    Args:
        source: a file of NIfTI (.nii, .nii.gz, .hdr and .img), FreeSurfer (.mgh, .mgz) or MINC (.mnc), a DICOM file with
            many images or a folder with the slices of one series, a TIFF stack, an .npy file, or an array; of shape
            (a, b, c), or (a, b, c, 3 or 4) in colour, whose opacity is dropped.

    Returns:
        A signal of kind "volume": values (1 or 3, a, b, c) in the order of the file's axes. Its header has:

        - ``low`` and ``high``, the intensities that became 0 and 1 (grey: the percentiles 0.1 and 99.9; colour: the range of
          the dtype), and of a grey volume ``cut``, the share of voxels beyond them;
        - ``dtype``, that of the file; ``affine`` (4, 4), from indices to mm in RAS+, if the file tells it;
        - ``nifti`` and ``mgh``, the header of such a file;
        - ``nonfinite`` (a, b, c), if there are NaN or infinite voxels: these voxels, and 0 elsewhere. Their values are 0.

    Raises:
        SignalError: the source is missing, damaged, no volume, nowhere finite, or constant; or a slice is missing.
    """
    if isinstance(source, np.ndarray):
        return scale_voxels(source, {}, "the array")
    path = Path(source)
    if path.is_dir() or (path.is_file() and is_dicom(path)):
        return scale_voxels(*read_dicom_series(path), str(path))
    existing_file(path, "a volume")
    ending = ending_of(path, READABLE) or volume_format(path, READABLE)
    try:
        with one_line_is_enough():
            array, header = _READERS[ending](path)
    except SignalError:
        raise
    except Exception as error:  # readers of damaged files raise whatever comes to them
        raise SignalError(f"{path} cannot be read as a volume: {first_line(error)}") from None
    return scale_voxels(array, header, str(path))


def sample_volume(volume: Signal) -> Signal:
    """A corner of the volume, with all of its header."""
    header = {k: v[:4, :4, :4] if k == "nonfinite" else v for k, v in volume.header.items()}
    return Signal(volume.values[:, :4, :4, :4], volume.kind, header)


def encode_volume(volume: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the volume in the format that the ending of ``path`` names.

    Intensities and dtype are those of the file it was read from; a dtype that the format does not have is converted, with a
    warning. NIfTI keeps the affine and the header. ``about``, the record of how it was made, goes as JSON into the comment
    of NIfTI and the description of TIFF.

    Raises:
        SignalError: the ending is unknown, or the format has no colours.
    """
    ending = volume_format(path)
    volume = _storable(volume, path, ending)
    return _ENCODERS[ending](intensities(volume), volume.header, json.dumps(about or {}), str(path))


def volume_format(path: str | Path, known: Sequence[str] = WRITABLE) -> str:
    """The one of the endings ``known`` that ``path`` has.

    Raises:
        SignalError: it has none of them.
    """
    name = Path(path).name.lower()
    suffix = next((suffix for suffix in known if name.endswith(suffix)), None)
    if suffix is None:
        given = Path(path).suffix.lower()
        if given in CONVERTIBLE:
            raise SignalError(f"{path}: {given} is not read; save it as NIfTI (.nii.gz), as 3D Slicer and ITK-SNAP can")
        hint = f"did you mean {nearest(given, known)}? " if given else ""
        raise SignalError(f"{path}: no format of volumes has the ending {given!r}; {hint}({' '.join(known)})")
    return suffix


def spacing(volume: Signal) -> tuple[float, ...]:
    """The distance of neighbouring voxels along each axis in mm; 1 if the file does not tell."""
    affine = volume.header.get("affine", np.eye(4))
    return tuple(float(length) or 1.0 for length in np.linalg.norm(affine[:3, :3], axis=0))


def finite(volume: Signal) -> NDArray[np.bool_]:
    """Which voxels are neither NaN nor infinite, (a, b, c)."""
    return volume.header["nonfinite"] == 0 if "nonfinite" in volume.header else np.ones(volume.shape, np.bool_)


def resample_volume(volume: Signal, shape: tuple[int, ...]) -> Signal:
    """The volume with as many voxels as ``shape`` in the same space (bicubic, antialiased), with its affine adapted.

    NaN and infinite voxels do not spread to others.
    """
    if volume.shape == shape:
        return volume
    header, values = dict(volume.header), _resample(volume.values, shape)
    if "nonfinite" in header:
        weights = _resample(finite(volume)[None].astype(np.float32), shape)
        nearest_voxels = [
            ((np.arange(n) + 0.5) * given / n).astype(int) for n, given in zip(shape, volume.shape, strict=True)
        ]
        lost = header["nonfinite"][np.ix_(*nearest_voxels)]
        values = np.where(lost == 0, values / weights.clip(0.1, None), 0).astype(np.float32)
        header["nonfinite"] = lost
    if "affine" in header:
        step = np.array(volume.shape) / np.array(shape)
        # the outer faces of the grid stay where they are, so the centre of the first voxel moves
        move = np.eye(4)
        move[:3, :3], move[:3, 3] = np.diag(step), (step - 1) / 2
        header["affine"] = header["affine"] @ move
    return Signal(np.ascontiguousarray(values.clip(0, 1)), volume.kind, header)


def _resample(values: Array, shape: tuple[int, ...]) -> Array:
    import torch
    import torch.nn.functional as F

    a, b, c = shape
    grid = torch.from_numpy(values)
    grid = F.interpolate(grid, (b, c), mode="bicubic", antialias=True)
    return F.interpolate(grid.movedim(1, 2), (a, c), mode="bicubic", antialias=True).movedim(2, 1).numpy()


def _storable(volume: Signal, path: str | Path, ending: str) -> Signal:
    """The volume with a dtype that the format has; warns of what that changes."""
    header, colour = dict(volume.header), len(volume.values) == 3
    dtype, low, high = (header[key] for key in ("dtype", "low", "high"))
    if colour and ending in (".nii", ".nii.gz") and dtype != np.uint8:
        log.warning("%s: NIfTI has colours of 8 bits; those of %s are rounded to them", path, dtype)
        header |= {"dtype": np.dtype(np.uint8), "low": 0.0, "high": 255.0}
        return Signal(volume.values, volume.kind, header)
    header["dtype"] = kept = stored_type(dtype, low, high, ending)
    if kept != dtype:
        log.warning("%s: %s files have no %s; the voxels are written as %s", path, ending, dtype, kept)
    if not is_exact(dtype, low, high):
        log.warning("%s: intensities from %g to %g are rounded to 24 bits", path, low, high)
    if header.get("cut"):
        log.warning(
            "%s: %.2g%% of the voxels were beyond the intensities %g to %g and are cut", path, 100 * header["cut"], low, high
        )
    return Signal(volume.values, volume.kind, header)


def _read_tiff(path: Path) -> tuple[Array, dict[str, Any]]:
    try:
        return read_stack(path), {}
    except SignalError as error:
        raise SignalError(f"{path}: {error}") from None


def _tiff_bytes(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    tifffile = optional_package("tifffile", Path(path), "volumes")
    buffer = io.BytesIO()
    photometric = "rgb" if voxels.ndim == 4 else "minisblack"
    tifffile.imwrite(buffer, voxels, photometric=photometric, compression="zlib", description=about, software="impasto")
    return buffer.getvalue()


def _npy_bytes(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, voxels)
    return buffer.getvalue()


Read = Callable[[Path], tuple[Array, dict[str, Any]]]
Encode = Callable[[Array, Mapping[str, Any], str, str], bytes]

_READERS: dict[str, Read] = {
    **{ending: partial(nifti.read_nibabel, ending=ending) for ending in BY_NIBABEL},
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": lambda path: (np.load(path, allow_pickle=False), {}),
}
_ENCODERS: dict[str, Encode] = {
    ".nii": nifti.encode_nifti,
    ".nii.gz": nifti.encode_nifti,
    ".mgh": nifti.encode_mgh,
    ".mgz": nifti.encode_mgh,
    ".tif": _tiff_bytes,
    ".tiff": _tiff_bytes,
    ".npy": _npy_bytes,
}
