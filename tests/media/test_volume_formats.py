"""Every volume that people bring, written in every format: the very voxels come back, or what is changed is told."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.media.volume import WRITABLE
from impasto.media.volume.files import encode_volume, finite, intensities, read_volume, resample_volume
from tests.media.dicom_files import slices, write_dicom

nib: Any = nibabel

# of so few voxels the percentiles are the lowest and the highest
SHAPE = (7, 6, 5)
AFFINE = np.array([[-2.0, 0.1, 0, 10], [0.1, 1.5, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1]])


def numbers(dtype: str, shape: tuple[int, ...] = SHAPE) -> NDArray[Any]:
    """Voxels over much of a type's range, of which the painting's 24 bits tell all apart."""
    kind = np.dtype(dtype)
    steps = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape)
    if kind.kind == "b":
        return steps % 2 == 0
    if kind.kind == "f":
        return ((steps - 60) / 8).astype(kind)
    limits = np.iinfo(kind)
    return (steps.astype(np.int64) * (7 if kind.itemsize > 1 else 1) + max(limits.min, -100)).astype(kind)


def nifti(dtype: str, kind: Any = nib.Nifti1Image) -> Callable[[Path], NDArray[Any]]:
    def make(path: Path) -> NDArray[Any]:
        voxels = numbers(dtype)
        options = {} if kind is nib.MGHImage else {"dtype": voxels.dtype}
        nib.save(kind(voxels, AFFINE, **options), path)
        return voxels

    return make


def array(dtype: str) -> Callable[[Path], NDArray[Any]]:
    def make(path: Path) -> NDArray[Any]:
        np.save(path, numbers(dtype))
        return numbers(dtype)

    return make


def stack(dtype: str, **options: Any) -> Callable[[Path], NDArray[Any]]:
    def make(path: Path) -> NDArray[Any]:
        tifffile.imwrite(path, numbers(dtype), photometric="minisblack", **options)
        return numbers(dtype)

    return make


def scaled(path: Path) -> NDArray[Any]:
    image = nib.Nifti1Image(numbers("i2"), AFFINE)
    image.header.set_slope_inter(0.25, -3)
    nib.save(image, path)
    return np.asarray(nib.load(path).dataobj).astype(np.float32)


def big_endian(path: Path) -> NDArray[Any]:
    image = nib.Nifti1Image(numbers("i2"), AFFINE, nib.Nifti1Header(endianness=">"))
    image.set_data_dtype(">i2")
    nib.save(image, path)
    assert path.read_bytes()[:4] == b"\0\0\1\x5c"
    return numbers("i2")


def coloured(shape: tuple[int, ...], names: str = "RGB") -> Callable[[Path], NDArray[Any]]:
    def make(path: Path) -> NDArray[Any]:
        colours = np.random.default_rng(0).integers(0, 256, (*shape, len(names)), np.uint8)
        structured = np.ascontiguousarray(colours).view([(name, "u1") for name in names])[..., 0]
        nib.save(nib.Nifti1Image(structured, AFFINE), path)
        return colours[..., :3]

    return make


def vector(path: Path) -> NDArray[Any]:
    colours = np.random.default_rng(0).integers(0, 256, (*SHAPE, 1, 3), np.uint8)
    image = nib.Nifti1Image(colours, AFFINE)
    image.header.set_intent("vector")
    nib.save(image, path)
    return colours[:, :, :, 0]


def colours_as_array(dtype: str, channels: int = 3) -> Callable[[Path], NDArray[Any]]:
    def make(path: Path) -> NDArray[Any]:
        high = min(np.iinfo(dtype).max, 2**16 - 1)
        colours = np.random.default_rng(0).integers(0, high + 1, (*SHAPE, channels)).astype(dtype)
        np.save(path, colours)
        return colours[..., :3]

    return make


def nan(path: Path) -> NDArray[Any]:
    voxels = numbers("f4").copy()
    voxels[:2], voxels[3, 3, 3], voxels[4, 4, 4] = np.nan, np.inf, -np.inf
    nib.save(nib.Nifti1Image(voxels, AFFINE), path)
    return voxels


def ultrasound(path: Path) -> NDArray[Any]:
    colours = np.random.default_rng(0).integers(0, 256, (18, 4, 5, 3), np.uint8)
    write_dicom(path, colours)
    return colours


def series(path: Path) -> NDArray[Any]:
    slices(path, numbers("i2"))
    return numbers("i2")


WHOLE = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8"]
INPUTS: dict[str, tuple[str, Callable[[Path], NDArray[Any]]]] = {
    **{f"NIfTI {dtype}": ("a.nii.gz", nifti(dtype)) for dtype in (*WHOLE, "f4", "f8")},
    "NIfTI, not packed": ("a.nii", nifti("i2")),
    "NIfTI-2": ("a.nii", nifti("i4", nib.Nifti2Image)),
    "NIfTI of two files": ("a.hdr", nifti("i2", nib.Nifti1Pair)),
    "NIfTI of two files, by the other": ("a.img", nifti("f4", nib.Nifti1Pair)),
    "Analyze": ("a.img", nifti("i2", nib.Spm99AnalyzeImage)),
    "NIfTI with a scale": ("a.nii", scaled),
    "NIfTI, big-endian": ("a.nii", big_endian),
    "NIfTI in colour": ("a.nii.gz", coloured((20, 6, 5))),
    "NIfTI in colour, as long as colours": ("a.nii.gz", coloured((5, 4, 3))),
    "NIfTI with opacity": ("a.nii.gz", coloured((3, 4, 6), "RGBA")),
    "NIfTI of vectors": ("a.nii.gz", vector),
    "NIfTI with NaN": ("a.nii.gz", nan),
    **{f"MGH {dtype}": ("a.mgz", nifti(dtype, nib.MGHImage)) for dtype in ("u1", "i2", "i4", "f4")},
    "MGH, not packed": ("a.mgh", nifti("f4", nib.MGHImage)),
    **{f"array {dtype}": ("a.npy", array(dtype)) for dtype in (*WHOLE, "?", "f2", "f4", "f8", ">i2", ">f4")},
    "array in colour": ("a.npy", colours_as_array("u1")),
    "array in colour and opacity": ("a.npy", colours_as_array("u1", 4)),
    "array in 16 bits of colour": ("a.npy", colours_as_array("u2")),
    **{f"TIFF {dtype}": ("a.tif", stack(dtype)) for dtype in ("u1", "u2", "i2", "f4")},
    "TIFF, big-endian": ("a.tif", stack("u2", byteorder=">")),
    "DICOM series": ("a", series),
    "DICOM in colour": ("a.dcm", ultrasound),
}


def in_file_order(source: str, ending: str) -> bool:
    """Whether the axes in the file written are those of the source: x, y, z stay, those of stacks are turned for NIfTI."""
    return ending in (".tif", ".tiff", ".npy") or source.startswith(("a.nii", "a.hdr", "a.img", "a.mg"))


@pytest.mark.parametrize("name", INPUTS)
def test_every_volume_in_every_format(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, make = INPUTS[name]
    voxels = make(tmp_path / source)
    assert find_medium(tmp_path / source).name == "volume"
    volume = read_signal(tmp_path / source)
    for ending in WRITABLE:
        out = tmp_path / f"out{ending}"
        if len(volume.values) == 3 and ending in (".mgh", ".mgz"):
            with pytest.raises(SignalError, match="has no colours"):
                encode_volume(medium_of("volume").sample(volume), out)
            continue
        caplog.clear()
        encode_volume(medium_of("volume").sample(volume), out)
        tried = [record.getMessage() for record in caplog.records]
        caplog.clear()
        out.write_bytes(encode_volume(volume, out, {"beta": 5}))
        assert tried == [record.getMessage() for record in caplog.records]
        assert not any("are cut" in told or "24 bits" in told for told in tried)
        check_voxels(read_volume(out), voxels, in_file_order(source, ending), caplog.text)
        np.testing.assert_array_equal(look(out), intensities(read_volume(out)))
        if ending in (".nii", ".nii.gz", ".mgh", ".mgz") and "affine" in volume.header:
            affine = volume.header["affine"]
            affine = affine if in_file_order(source, ending) else affine[:, [2, 1, 0, 3]]
            np.testing.assert_allclose(opened(out).affine, affine, atol=1e-4)


def check_voxels(again: Signal, voxels: NDArray[Any], same_axes: bool, told: str) -> None:
    """What is read again is what there was, in its type unless something else was told."""
    restored = intensities(again)
    if not same_axes:
        restored = restored.transpose(2, 1, 0, *range(3, restored.ndim))
    native = voxels.dtype.newbyteorder("=")
    if "colours of 8 bits" in told:
        voxels, native = (voxels / 257).round(), np.dtype(np.uint8)
    assert restored.dtype == native or f"written as {restored.dtype}" in told
    real = native.kind == "f"
    np.testing.assert_allclose(restored, voxels, rtol=1e-6 * real, atol=1e-5 * real)


def opened(path: Path) -> Any:
    # of this format nibabel leaves the file open
    return nib.MGHImage.from_bytes(path.read_bytes()) if path.suffix == ".mgh" else nib.load(path)


def look(path: Path) -> NDArray[Any]:
    """The voxels as the libraries of their users read them."""
    if path.suffix in (".tif", ".tiff"):
        return tifffile.imread(path)
    if path.suffix == ".npy":
        return np.load(path)
    found = np.asarray(opened(path).dataobj)
    return np.stack([found[name] for name in "RGB"], -1) if found.dtype.names else found


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgh", "a.mgz"])
def test_a_name_that_says_the_wrong_thing_is_no_hindrance(name: str, tmp_path: Path) -> None:
    kind = nib.MGHImage if name.startswith("a.m") else nib.Nifti1Image
    data = kind(numbers("i2"), AFFINE).to_bytes()
    (tmp_path / name).write_bytes(data if name.endswith(("gz", "mgz")) else gzip.compress(data))
    assert find_medium(tmp_path / name).name == "volume"
    np.testing.assert_array_equal(intensities(read_volume(tmp_path / name)), numbers("i2"))
    if name == "a.nii":
        (tmp_path / "scan").write_bytes(data)
        np.testing.assert_array_equal(intensities(read_signal(tmp_path / "scan")), numbers("i2"))


def test_both_places_in_space_are_kept(tmp_path: Path) -> None:
    image = nib.Nifti1Image(numbers("f4", (16, 16, 16)), None)
    image.set_sform(AFFINE, 4)
    image.set_qform(np.diag([2.0, 2, 2, 1]), 1)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    for shape in ((16, 16, 16), (8, 8, 8)):
        write_signal(resample_volume(volume, shape), tmp_path / "b.nii")
        written = nib.load(tmp_path / "b.nii")
        centre = (*((np.array(shape) - 1) / 2), 1)
        for name, code in (("sform", 4), ("qform", 1)):
            place, kept = getattr(written, f"get_{name}")(coded=True)
            before = getattr(image, f"get_{name}")()
            assert kept == code
            np.testing.assert_allclose(place @ centre, before @ (7.5, 7.5, 7.5, 1), atol=1e-4)
        assert written.header.get_xyzt_units() == ("mm", "sec")


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        (
            "a.nii",
            lambda p: nib.save(nib.Nifti1Image(numbers("f4") * 1j, AFFINE), p),
            "complex numbers",
        ),
        ("a.nii", lambda p: nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 3), "u1"), AFFINE), p), "take one volume out"),
        ("a.nii", lambda p: nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 1, 3), "f4"), AFFINE), p), "three dimensions"),
        ("a.mgz", lambda p: nib.save(nib.MGHImage(np.zeros((4, 4, 4, 9), "f4"), AFFINE), p), "take one volume out"),
        ("a.mgz", lambda p: p.write_bytes(gzip.compress(b"\0\0\0\1" + bytes(400))), "a.mgz"),
        ("a.hdr", lambda p: p.write_bytes(bytes(348)), "a.img was expected beside it"),
        ("a.nrrd", lambda p: p.write_bytes(b"NRRD0004\ntype: short\ndimension: 3\n"), "save it as NIfTI"),
        ("a.mha", lambda p: p.write_bytes(b"ObjectType = Image\nNDims = 3\n"), "save it as NIfTI"),
        ("a.npy", lambda p: np.save(p, np.full((5, 6, 7), np.nan)), "nowhere finite"),
        ("a.nii", lambda p: nib.save(nib.Nifti1Image(np.full((4, 4, 4), np.inf), AFFINE), p), "nowhere finite"),
    ],
)
def test_what_is_no_volume_of_numbers_is_refused_in_one_line(name: str, make: Any, says: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    assert find_medium(tmp_path / name).name == "volume"
    with pytest.raises(SignalError, match=says) as error:
        read_signal(tmp_path / name)
    assert "\n" not in str(error.value)


def test_whole_numbers_beyond_24_bits_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voxels = numbers("i4") * 2**22
    write_signal(read_volume(voxels), tmp_path / "a.npy")
    assert "rounded to 24 bits" in caplog.text
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), voxels, atol=2**9)
    # far from 0 they are told apart as ever
    caplog.clear()
    voxels = numbers("i8") + 2**40
    write_signal(read_volume(voxels), tmp_path / "a.npy")
    assert not caplog.records
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), voxels)


def test_what_is_cut_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voxels = np.random.default_rng(0).normal(100, 10, (24, 24, 24))
    write_signal(read_volume(voxels), tmp_path / "a.npy")
    assert "0.19% of the voxels were beyond" in caplog.text


def half_nan(outside: float = np.nan) -> tuple[NDArray[Any], Signal]:
    voxels = np.random.default_rng(0).uniform(50, 60, (16, 16, 16)).astype(np.float32)
    voxels[:5] = outside
    return voxels, read_volume(voxels)


@pytest.mark.parametrize("outside", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_where_it_is_and_spreads_to_no_neighbour(outside: float) -> None:
    voxels, volume = half_nan(outside)
    np.testing.assert_array_equal(finite(volume), np.isfinite(voxels))
    assert volume.header["low"] >= 50 and (volume.values[:, :5] == 0).all()
    small = intensities(resample_volume(volume, (8, 8, 8)))
    kept = np.isfinite(small)
    np.testing.assert_array_equal(kept[:, 0, 0], np.isfinite(voxels[1::2, 0, 0]))
    assert small[kept].min() > 50 and (
        np.isnan(small[~kept]).all() if np.isnan(outside) else (small[~kept] == outside).all()
    )


def test_integers_have_no_nan_to_lose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for ending in WRITABLE:
        write_signal(half_nan()[1], tmp_path / f"o{ending}")
        assert np.isnan(look(tmp_path / f"o{ending}")).sum() == 5 * 16 * 16


def test_mgh_is_known_without_an_ending(tmp_path: Path):
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    nibabel.save(nibabel.MGHImage(voxels, np.eye(4)), tmp_path / "a.mgh")  # pyright: ignore
    path = (tmp_path / "a.mgh").rename(tmp_path / "brain")
    assert find_medium(path).name == "volume" and read_signal(path).shape == (3, 4, 5)
