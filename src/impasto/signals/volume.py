"""Volumes: NIfTI files, DICOM series, TIFF stacks and arrays, with their place in space and their scale of intensities."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError, nearest
from impasto.signals.arrays import holds_picture
from impasto.signals.dicom import has_pixels, read_dicom_series
from impasto.signals.file_type import ending_of
from impasto.signals.files import existing_file, first_line, one_line_is_enough, optional_package
from impasto.signals.signal import Signal
from impasto.signals.tiff import RAW, holds_stack, read_stack

Array = NDArray[Any]

# the share of voxels beyond each end of the scale: metal in a CT or a hot voxel must not make everything else dark
_OUTLIERS = 0.1  # percent
_ENOUGH_FOR_PERCENTILES = 2_000_000
_COLOUR_CHANNELS = (3, 4)


READABLE = (".nii", ".nii.gz", ".tif", ".tiff", ".npy", ".dcm")
WRITABLE = (".nii", ".nii.gz", ".tif", ".tiff", ".npy")


def is_volume(path: Path, output: Path | None = None) -> bool:
    """Whether the file holds a volume, though its ending may stand for a picture or a series as well.

    ``output``, where the result is to go, decides where the file does not.
    """
    suffix = path.suffix.lower()
    if suffix == ".dcm":
        return has_pixels(path)
    try:
        suffix = ending_of(path, (".tif", ".npy")) or suffix
        with one_line_is_enough():
            if suffix in (".tif", ".tiff") or suffix in RAW:
                return holds_stack(path, output)
            if suffix == ".npy":
                array = np.load(path, mmap_mode="r", allow_pickle=False)
                return array.ndim > 2 and not holds_picture(path, output)
    except (OSError, ValueError, SyntaxError):
        return False
    except Exception:  # its beginning is that of a volume, and what follows is damaged: to be said when it is read
        return True
    return True


def read_volume(source: str | Path | Array) -> Signal:
    """A volume with intensities in 0..1.

    Args:
        source: a NIfTI file (.nii, .nii.gz), a folder with the slices of one DICOM series, a TIFF stack, an .npy file, or an
            array; of shape (a, b, c), or (a, b, c, 3 or 4) in colour, whose opacity is dropped.

    Returns:
        A signal of kind "volume": values (1 or 3, a, b, c) in the order of the file's axes. Its header holds ``low`` and
        ``high``, the intensities that 0 and 1 stand for (grey: the percentiles 0.1 and 99.9; colour: the dtype's range);
        ``dtype``, that of the file; ``affine`` (4, 4), from indices to mm in RAS+, where the file tells it; and ``nifti``,
        the header of a NIfTI file.

    Raises:
        SignalError: the source is missing, damaged, no volume, not finite or constant; or a slice is missing.
    """
    if isinstance(source, np.ndarray):
        return _scaled(source, {}, "the array")
    path = Path(source)
    if path.is_dir() or path.suffix.lower() == ".dcm":
        return _scaled(*read_dicom_series(path), str(path))
    existing_file(path, "a volume")
    read, _ = _FORMATS[volume_format(path)]
    try:
        with one_line_is_enough():
            array, header = read(path)
    except SignalError:
        raise
    except Exception as error:  # readers of damaged files raise whatever comes to them
        raise SignalError(f"{path} cannot be read as a volume: {first_line(error)}") from None
    return _scaled(array, header, str(path))


def sample_volume(volume: Signal) -> Signal:
    """A corner of the volume, with all that its file holds beside the voxels."""
    return volume.with_values(volume.values[:, :4, :4, :4])


def encode_volume(volume: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the volume as the ending of ``path`` says: .nii, .nii.gz, .tif or .npy.

    Intensities and dtype are those of the file it was read from, and a NIfTI file keeps the affine and the header. ``about``
    (how it was made) goes into NIfTI as a comment and into TIFF as the description, as JSON.

    Raises:
        SignalError: the ending is unknown, or the file cannot be written.
    """
    _, encode = _FORMATS[volume_format(path)]
    return encode(intensities(volume), volume.header, json.dumps(about or {}), str(path))


def volume_format(path: str | Path) -> str:
    """The ending of ``path``, by which its format goes: .nii, .nii.gz, .tif, .tiff or .npy.

    Raises:
        SignalError: volumes have no such format.
    """
    name = Path(path).name.lower()
    suffix = next((suffix for suffix in _FORMATS if name.endswith(suffix)), None)
    if suffix is None:
        given = Path(path).suffix.lower()
        hint = f"did you mean {nearest(given, _FORMATS)}? " if given else ""
        raise SignalError(f"{path}: no format of volumes has the ending {given!r}; {hint}({' '.join(_FORMATS)})")
    return suffix


def intensities(volume: Signal) -> Array:
    """The voxels on the scale and in the dtype of their file: (a, b, c), or (a, b, c, 3) in colour."""
    low, high, dtype = (volume.header[key] for key in ("low", "high", "dtype"))
    voxels = volume.values * (high - low) + low
    if dtype.kind == "b":
        voxels = voxels > 0.5
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        voxels = voxels.round().clip(limits.min, limits.max)
    grey = voxels.shape[0] == 1
    return np.ascontiguousarray(voxels[0] if grey else np.moveaxis(voxels, 0, -1)).astype(dtype)


def spacing(volume: Signal) -> tuple[float, ...]:
    """The distance of neighbouring voxels along each axis in mm; ones where the file does not tell."""
    affine = volume.header.get("affine", np.eye(4))
    return tuple(float(length) for length in np.linalg.norm(affine[:3, :3], axis=0))


def resample_volume(volume: Signal, shape: tuple[int, ...]) -> Signal:
    """The volume on a grid of ``shape`` over the same space (cubic, smoothed where it gets smaller), its affine with it."""
    import torch
    import torch.nn.functional as F

    if volume.shape == shape:
        return volume
    a, b, c = shape
    grid = torch.from_numpy(volume.values)
    grid = F.interpolate(grid, (b, c), mode="bicubic", antialias=True)
    grid = F.interpolate(grid.movedim(1, 2), (a, c), mode="bicubic", antialias=True).movedim(2, 1)
    header = dict(volume.header)
    if "affine" in header:
        step = np.array(volume.shape) / np.array(shape)
        # the outer faces of the grid stay where they are, so the centre of the first voxel moves
        move = np.eye(4)
        move[:3, :3], move[:3, 3] = np.diag(step), (step - 1) / 2
        header["affine"] = header["affine"] @ move
    return Signal(np.ascontiguousarray(grid.clamp(0, 1).numpy()), volume.kind, header)


def _scaled(array: Array, header: dict[str, Any], name: str) -> Signal:
    # a fourth axis of length 1 is a time series of one volume
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    colour = array.ndim == 4 and array.shape[3] in _COLOUR_CHANNELS and array.dtype.kind == "u"
    if array.ndim != 3 and not colour:
        raise SignalError(
            f"{name} has the shape {' x '.join(map(str, array.shape))}; a volume of three dimensions was expected"
            + ("; take one volume out of the series first" if array.ndim == 4 else "")
        )
    if array.size == 0:
        raise SignalError(f"{name} has no voxels")
    if array.dtype.kind not in "biuf":
        raise SignalError(f"{name} holds values of the type {array.dtype}; real numbers were expected")
    voxels = np.moveaxis(array[..., :3], -1, 0) if colour else array[None]
    missing = int(voxels.size - np.isfinite(voxels).sum())
    if missing:
        raise SignalError(f"{name} has {missing} NaN or infinite voxels of {voxels.size}; replace them by numbers first")
    if voxels.min() == voxels.max():
        raise SignalError(f"{name} is constant: every voxel is {voxels.flat[0]:g}")
    low, high = (0.0, float(np.iinfo(array.dtype).max)) if colour else _range(voxels)
    values = ((voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low)).clip(0, 1)
    header = {"dtype": array.dtype, **header, "low": low, "high": high}
    return Signal(np.ascontiguousarray(values), "volume", header)


def _range(voxels: Array) -> tuple[float, float]:
    some = voxels.reshape(-1)[:: max(1, voxels.size // _ENOUGH_FOR_PERCENTILES)].astype(np.float64)
    # values that occur, so that a few voxels have no outliers
    low, high = np.percentile(some, _OUTLIERS, method="lower"), np.percentile(some, 100 - _OUTLIERS, method="higher")
    # nearly all voxels alike, as in a mask: the few others are what is to be seen
    return (float(low), float(high)) if low < high else (float(voxels.min()), float(voxels.max()))


def _read_nifti(path: Path) -> tuple[Array, dict[str, Any]]:
    nibabel = optional_package("nibabel", Path(path), "volumes")
    try:
        image = nibabel.load(path)
        stored = image.get_data_dtype()
        header = {"affine": image.affine, "nifti": image.header.copy()}
        if stored.fields:  # RGB24, RGBA32
            array = np.asarray(image.dataobj)
            return np.stack([array[name] for name in stored.names], axis=-1), header
        slope, inter = image.header.get_slope_inter()
        if slope not in (None, 1.0) or inter not in (None, 0.0):
            stored = np.dtype(np.float32)  # integers on a scale of their own
        return image.get_fdata(dtype=np.float32, caching="unchanged"), header | {"dtype": np.dtype(stored.newbyteorder("="))}
    except nibabel.filebasedimages.ImageFileError as error:
        raise SignalError(f"{path} is not a NIfTI file: {first_line(error)}") from None
    except nibabel.spatialimages.HeaderDataError as error:
        raise SignalError(f"{path} has a damaged header: {first_line(error)}") from None


def _nifti_bytes(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    nibabel = optional_package("nibabel", Path(path), "volumes")
    affine, nifti = header.get("affine", np.eye(4)), header.get("nifti")
    if nifti is None:  # NIfTI counts x, y, z where stacks count slices, rows and columns
        voxels, affine = voxels.transpose(2, 1, 0, *range(3, voxels.ndim)), affine[:, [2, 1, 0, 3]]
    if voxels.ndim == 4:
        colour = np.dtype([(name, "u1") for name in "RGB"])
        voxels = np.ascontiguousarray(voxels).view(colour)[..., 0]
    if voxels.dtype in (np.bool_, np.float16):
        voxels = voxels.astype(np.uint8 if voxels.dtype == np.bool_ else np.float32)
    image = nibabel.Nifti1Image(voxels, affine, nifti, dtype=voxels.dtype)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", about.encode()))
    data = image.to_bytes()
    if not path.lower().endswith(".gz"):
        return data
    import gzip

    return gzip.compress(data, compresslevel=6)


def _read_tiff(path: Path) -> tuple[Array, dict[str, Any]]:
    tifffile = optional_package("tifffile", Path(path), "volumes")
    try:
        array, _ = read_stack(path)
        return array, {}
    except tifffile.TiffFileError as error:
        raise SignalError(f"{path} is not a TIFF stack: {first_line(error)}") from None


def _tiff_bytes(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    tifffile = optional_package("tifffile", Path(path), "volumes")
    buffer = io.BytesIO()
    photometric = "rgb" if voxels.ndim == 4 else "minisblack"
    voxels = voxels.astype(np.uint8) if voxels.dtype == np.bool_ else voxels
    tifffile.imwrite(buffer, voxels, photometric=photometric, compression="zlib", description=about, software="impasto")
    return buffer.getvalue()


def _read_npy(path: Path) -> tuple[Array, dict[str, Any]]:
    return np.load(path, allow_pickle=False), {}


def _npy_bytes(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, voxels)
    return buffer.getvalue()


Read = Callable[[Path], tuple[Array, dict[str, Any]]]
Encode = Callable[[Array, Mapping[str, Any], str, str], bytes]

_FORMATS: dict[str, tuple[Read, Encode]] = {
    ".nii": (_read_nifti, _nifti_bytes),
    ".nii.gz": (_read_nifti, _nifti_bytes),
    ".tif": (_read_tiff, _tiff_bytes),
    ".tiff": (_read_tiff, _tiff_bytes),
    ".npy": (_read_npy, _npy_bytes),
}
