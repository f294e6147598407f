"""Reads and writes, by nibabel, NIfTI and FreeSurfer's MGH, and reads Analyze and MINC, with their place in space."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.files import first_line, optional_package

Array = NDArray[Any]

PAIRS = {".hdr": ".img", ".img": ".hdr"}
"""For each ending of a pair of files, that of the other."""

_GZIP = b"\x1f\x8b"
_VERSION_2 = 540  # the size of the header in the first bytes of NIfTI-2
_LONGEST = 2**15 - 1  # of an axis in NIfTI-1
_VECTOR = (1002, 1007, 2003, 2004)  # intent codes with which the fifth axis may be a colour


def read_nibabel(path: Path, ending: str) -> tuple[Array, dict[str, Any]]:
    """The voxels of a file in the order of its axes, and a header.

    Args:
        path: the file.
        ending: of its format, which the name may not have.

    Returns:
        The voxels; and a header with ``affine`` (from indices to mm in RAS+), ``dtype``, ``colour`` (whether the last axis
        is RGB or RGBA), ``nifti`` and, of FreeSurfer's files, ``mgh``.

    Raises:
        SignalError: the file is damaged, the other file of a pair is missing, or its numbers are complex.
    """
    nibabel = optional_package("nibabel", path, "volumes")
    try:
        image = _open(nibabel, path, ending)
        stored = image.get_data_dtype()
        if stored.kind == "c":
            raise SignalError(f"{path} holds complex numbers; take their magnitude first, as real numbers are expected")
        version_2 = isinstance(image.header, nibabel.Nifti2Header)
        kind = nibabel.Nifti2Image if version_2 else nibabel.Nifti1Image
        header = {"affine": image.affine, "nifti": kind.from_image(image).header, "colour": stored.fields is not None}
        if ending in (".mgh", ".mgz"):
            header["mgh"] = image.header.copy()
            header["nifti"].set_xyzt_units("mm")
        if stored.fields:  # RGB24, RGBA32
            array = np.asarray(image.dataobj)
            array = np.stack([array[name] for name in stored.names], axis=-1)
            return array, header | {"dtype": array.dtype}
        if getattr(image.dataobj, "slope", 1) != 1 or getattr(image.dataobj, "inter", 0) != 0:
            array = image.get_fdata(dtype=np.float32, caching="unchanged")  # integers with a slope and an intercept
        else:
            array = np.asarray(image.dataobj)
    except nibabel.filebasedimages.ImageFileError as error:
        raise SignalError(f"{path} is not a {_NAMES[ending]} file: {first_line(error)}") from None
    except nibabel.spatialimages.HeaderDataError as error:
        raise SignalError(f"{path} has a damaged header: {first_line(error)}") from None
    is_vector = int(header["nifti"]["intent_code"]) in _VECTOR
    if array.ndim == 5 and array.shape[3] == 1 and array.dtype == np.uint8 and is_vector:
        array, header["colour"] = array[:, :, :, 0], True
    return array, header | {"dtype": array.dtype}


def _open(nibabel: Any, path: Path, ending: str) -> Any:
    """The image in a file of any name, gzipped or not."""
    if ending in PAIRS:
        other = path.with_suffix(PAIRS[ending])
        if not (other.is_file() or path.with_suffix(other.suffix.upper()).is_file()):
            raise SignalError(f"{path} is one of two files: {other.name} was expected beside it")
    if ending in (*PAIRS, ".mnc"):
        return nibabel.load(path)
    with path.open("rb") as file:
        gzipped = file.read(2) == _GZIP
    with gzip.open(path) if gzipped else path.open("rb") as file:
        size = file.read(4)
        file.seek(0)
        if ending in (".mgh", ".mgz"):
            kind = nibabel.MGHImage
        else:
            version_2 = _VERSION_2 in (int.from_bytes(size, order) for order in ("little", "big"))
            kind = nibabel.Nifti2Image if version_2 else nibabel.Nifti1Image
        # nibabel reads voxels when they are asked for, and then the file is closed
        return kind.from_bytes(file.read())


def encode_nifti(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    """A NIfTI file of voxels (a, b, c), or (a, b, c, 3) of uint8 in colour, with the NIfTI header in ``header``, if any.

    Its axes are x, y and z: those of voxels that were read as NIfTI stay, and those of stacks (slice, row, column) are
    reversed.
    """
    nibabel = optional_package("nibabel", Path(path), "volumes")
    voxels, affine = _as_xyz(voxels, header)
    if voxels.ndim == 4:
        voxels = np.ascontiguousarray(voxels).view(np.dtype([(name, "u1") for name in "RGB"]))[..., 0]
    nifti = header.get("nifti")
    long = max(voxels.shape) > _LONGEST or isinstance(nifti, nibabel.Nifti2Header)
    kind = nibabel.Nifti2Image if long else nibabel.Nifti1Image
    image = kind(voxels, affine, nifti, dtype=voxels.dtype)
    if nifti is not None:
        _keep_places(image, nifti, affine)
    elif "affine" in header:
        image.header.set_xyzt_units("mm")
    if voxels.dtype.fields:
        image.header.set_intent(0)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", about.encode()))
    data = image.to_bytes()
    return gzip.compress(data, 6, mtime=0) if path.lower().endswith(".gz") else data


def _keep_places(image: Any, nifti: Any, affine: Array) -> None:
    """Adapt both affines of the header, sform and qform, to a grid that has changed, and keep their codes."""
    before = nifti.get_best_affine()
    if np.allclose(before, affine):
        return
    move = np.linalg.solve(before, affine) if np.linalg.det(before) else np.eye(4)
    for read, write in ((nifti.get_sform, image.set_sform), (nifti.get_qform, image.set_qform)):
        place, code = read(coded=True)
        if code:
            write(place @ move, int(code))


def encode_mgh(voxels: Array, header: Mapping[str, Any], about: str, path: str) -> bytes:
    """A FreeSurfer file of voxels (a, b, c), with axes as in :func:`encode_nifti`; it has no place for ``about``.

    Raises:
        SignalError: the volume has colours.
    """
    nibabel = optional_package("nibabel", Path(path), "volumes")
    if voxels.ndim == 4:
        raise SignalError(f"{path}: a file of FreeSurfer has no colours; use .nii.gz, .tif or .npy")
    voxels, affine = _as_xyz(voxels, header)
    mgh = header["mgh"].copy() if "mgh" in header else nibabel.freesurfer.mghformat.MGHHeader()
    mgh.set_data_dtype(voxels.dtype)
    data = nibabel.MGHImage(np.ascontiguousarray(voxels), affine, mgh).to_bytes()
    return gzip.compress(data, 6, mtime=0) if path.lower().endswith("z") else data


def _as_xyz(voxels: Array, header: Mapping[str, Any]) -> tuple[Array, Array]:
    """Voxels and affine with the axes x, y, z; those of stacks (slice, row, column) are reversed."""
    affine = header.get("affine", np.eye(4))
    if "nifti" in header:
        return voxels, affine
    affine = affine[:, [2, 1, 0, 3]] if "affine" in header else affine
    return voxels.transpose(2, 1, 0, *range(3, voxels.ndim)), affine


_NAMES = {
    ".nii": "NIfTI",
    ".nii.gz": "NIfTI",
    ".mgh": "FreeSurfer",
    ".mgz": "FreeSurfer",
    ".hdr": "NIfTI or Analyze",
    ".img": "NIfTI or Analyze",
    ".mnc": "MINC",
}
