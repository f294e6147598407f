from __future__ import annotations

import gzip
from copy import deepcopy
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from impasto.errors import SignalError
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.signal import Signal
from impasto.media.volume.files import intensities, read_volume, resample_volume, spacing
from impasto.media.volume.plot import plot_volume
from impasto.transfer.recorders import write_figure

nib: Any = nibabel  # without the types of images that have no affine
BRAIN = Path(nibabel.__file__).parent / "tests" / "data" / "anatomical.nii"


@pytest.fixture
def brain() -> Signal:
    return read_volume(BRAIN)


def ct(name: str) -> pydicom.Dataset:
    path = get_testdata_file(name)
    assert path is not None
    return pydicom.dcmread(str(path))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Twelve slices of a CT, 5 mm apart, under names that say nothing about their order."""
    folder = tmp_path / "series"
    folder.mkdir()
    first = ct("CT_small.dcm")
    for i in range(12):
        copy = deepcopy(first)
        copy.PixelData = np.roll(first.pixel_array, i, axis=0).tobytes()
        copy.ImagePositionPatient = [-10, -20, 5.0 * i]
        copy.SOPInstanceUID = generate_uid()
        copy.save_as(folder / f"{i * 5 % 12:02}.dcm")
    (folder / "notes.txt").write_text("not a slice")
    return folder


def test_a_nifti_file_comes_back_with_its_affine_header_type_and_scale(brain: Signal, tmp_path: Path) -> None:
    for name in ("out.nii", "out.nii.gz"):
        write_signal(brain, tmp_path / name, {"beta": 5})
        before, after = nib.load(BRAIN), nib.load(tmp_path / name)
        np.testing.assert_array_equal(after.affine, before.affine)
        assert after.get_data_dtype() == before.get_data_dtype()
        assert after.header["descrip"] == before.header["descrip"]
        low, high = brain.header["low"], brain.header["high"]
        np.testing.assert_allclose(after.get_fdata(), before.get_fdata().clip(low, high), atol=0.5)
        assert after.header.extensions[0].get_content() == b'{"beta": 5}'


def test_outliers_do_not_darken_a_volume() -> None:
    voxels = np.random.default_rng(0).normal(100, 10, (24, 24, 24))
    voxels[0, 0, 0] = 1e6
    volume = read_volume(voxels)
    assert volume.header["high"] < 200 and volume.values.std() > 0.1


@settings(deadline=None, max_examples=20)
@given(
    dtype=st.sampled_from([np.uint8, np.int16, np.uint16, np.float32]), seed=st.integers(0, 99),
    suffix=st.sampled_from([".tif", ".npy", ".nii.gz"]),
)  # fmt: skip
def test_every_format_keeps_intensities_and_type(
    dtype: type, seed: int, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    voxels: NDArray = np.random.default_rng(seed).integers(0, 200, (4, 5, 6)).astype(dtype)
    path = tmp_path_factory.mktemp("volumes") / f"out{suffix}"
    write_signal(read_volume(voxels), path)
    after = intensities(read_volume(path))
    if suffix == ".nii.gz":  # whose order is x, y, z
        after = after.T
    assert after.dtype == dtype
    np.testing.assert_allclose(after, voxels, atol=0.51)


def test_slices_of_a_dicom_series_are_put_in_order_in_hounsfield_units(series: Path, tmp_path: Path) -> None:
    volume = read_signal(series)
    assert volume.kind == "volume" and volume.shape == (12, 128, 128)
    first = ct("CT_small.dcm")
    hounsfield = first.pixel_array * first.RescaleSlope + first.RescaleIntercept
    voxels = intensities(volume)
    for i in range(12):
        expected = np.roll(hounsfield, i, axis=0).clip(volume.header["low"], volume.header["high"])
        np.testing.assert_allclose(voxels[i], expected, atol=0.51)
    np.testing.assert_allclose(spacing(volume), (5, *map(float, first.PixelSpacing)), rtol=1e-6)
    # index (slice, row, column) = (0, 0, 0) lies at the position of the first slice; NIfTI's x and y run the other way
    np.testing.assert_allclose(volume.header["affine"] @ (0, 0, 0, 1), (10, 20, 0, 1))
    write_signal(volume, tmp_path / "ct.nii.gz")
    written = nib.load(tmp_path / "ct.nii.gz")
    assert written.shape == (128, 128, 12)
    np.testing.assert_allclose(written.affine @ (0, 0, 3, 1), (10, 20, 15, 1), atol=1e-4)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda folder: (folder / "05.dcm").unlink(), "1 slice is missing between 00.dcm and 10.dcm"),
        (lambda folder: (folder / "x.dcm").write_bytes((folder / "05.dcm").read_bytes()), "two slices at the same place"),
        (lambda folder: (folder / "05.dcm").write_bytes((folder / "05.dcm").read_bytes()[:9000]), "05.dcm"),
    ],
)
def test_a_series_with_a_slice_missing_twice_or_cut_is_refused(harm, says: str, series: Path) -> None:
    harm(series)
    with pytest.raises(SignalError, match=says):
        read_volume(series)


def test_a_slice_of_another_series_and_a_file_without_pixels_are_refused(series: Path, tmp_path: Path) -> None:
    other = pydicom.dcmread(series / "05.dcm")
    other.SeriesInstanceUID = generate_uid()
    other.save_as(series / "05.dcm")
    with pytest.raises(SignalError, match="2 DICOM series"):
        read_volume(series)
    with pytest.raises(SignalError, match="no pixels"):
        read_volume(str(get_testdata_file("rtplan.dcm")))
    with pytest.raises(SignalError, match="single slice"):
        read_volume(str(get_testdata_file("CT_small.dcm")))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(SignalError, match="no DICOM files"):
        read_volume(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("voxels", "says"),
    [
        (np.full((4, 4, 4), np.nan), "nowhere finite"),
        (np.full((4, 4, 4), 7.0), "constant: every voxel is 7"),
        (np.zeros((4, 4)), "4 x 4; a volume of three dimensions"),
        (np.zeros((4, 4, 4, 9)), "take one volume out"),
        (np.zeros((0, 4, 4)), "no voxels"),
        (np.zeros((4, 4, 4), complex), "complex128"),
    ],
)
def test_arrays_that_are_no_volume_are_refused_in_one_line(voxels: NDArray, says: str) -> None:
    with pytest.raises(SignalError, match=says) as error:
        read_volume(voxels)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "cut.nii",
        "cut.nii.gz",
        "text.nii",
        "cut.npy",
        "far.npy",
        "empty.nii",
        "none.nii",
        "text.tif",
        "cut.tif",
        "harmed.tif",
    ],
)
def test_damaged_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    whole, voxels = BRAIN.read_bytes(), np.random.default_rng(0).random((9, 9, 9))
    np.save(tmp_path / "whole.npy", voxels)
    noise = np.random.default_rng(0).integers(0, 256, (6, 32, 32), np.uint8)
    tifffile.imwrite(tmp_path / "whole.tif", noise, photometric="minisblack", compression="zlib")
    array, stack = ((tmp_path / f"whole.{ending}").read_bytes() for ending in ("npy", "tif"))
    damaged = {
        "cut.nii": whole[:20000],
        "cut.nii.gz": gzip.compress(whole)[:20000],
        "cut.npy": array[:500],
        "far.npy": array.replace(b"(9, 9, 9), }" + b" " * 12, b"(9, 9, 9000000000000), }"),
        "cut.tif": stack[: len(stack) // 2],
        "harmed.tif": stack[:600] + bytes(100) + stack[700:],
        "empty.nii": b"",
    }
    if name != "none.nii":
        (tmp_path / name).write_bytes(damaged.get(name, b"hello " * 99))
    with pytest.raises(SignalError, match=name) as error:
        read_volume(tmp_path / name)
    assert "\n" not in str(error.value)
    with pytest.raises(SignalError, match=name):
        read_signal(tmp_path / name)


def test_the_content_of_a_file_decides_where_endings_are_shared(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 8, 8), np.uint8), photometric="minisblack")
    tifffile.imwrite(tmp_path / "page.tif", np.zeros((8, 8), np.uint8), photometric="minisblack")
    np.save(tmp_path / "volume.npy", np.zeros((3, 4, 5)))
    np.save(tmp_path / "leads.npy", np.zeros((2, 500)))
    kinds = {name: find_medium(tmp_path / name).name for name in ("stack.tif", "page.tif", "volume.npy", "leads.npy")}
    assert kinds == {"stack.tif": "volume", "page.tif": "image", "volume.npy": "volume", "leads.npy": "series"}
    assert find_medium(str(get_testdata_file("waveform_ecg.dcm"))).name == "series"
    assert find_medium(str(get_testdata_file("CT_small.dcm"))).name == "image"
    assert find_medium(str(get_testdata_file("SC_rgb_rle_2frame.dcm"))).name == "volume"


def test_resampling_keeps_the_place_in_space(brain: Signal) -> None:
    small = resample_volume(brain, (16, 20, 12))
    assert small.shape == (16, 20, 12)
    centre = [affine @ (*((np.array(shape) - 1) / 2), 1) for affine, shape in (
        (brain.header["affine"], brain.shape), (small.header["affine"], small.shape),
    )]  # fmt: skip
    np.testing.assert_allclose(centre[0], centre[1], atol=1e-9)
    assert abs(float(small.values.mean() - brain.values.mean())) < 0.01


@pytest.mark.slow
def test_the_plot_stands_upright(brain: Signal, tmp_path: Path) -> None:
    figure = plot_volume(brain, [brain], brain)
    # across front and back, rows run from top to bottom and columns from left to right: x falls along the file's first axis
    coronal = figure.axes[3].images[0].get_array()
    assert coronal is not None and coronal.shape == (25, 33)
    np.testing.assert_allclose(coronal, brain.values[0, ::-1, 41 // 2, ::-1].T)
    write_figure(figure, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
