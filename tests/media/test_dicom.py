from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGLosslessSV1, JPEGLSLossless, generate_uid

from impasto.errors import SignalError
from impasto.media.image.read import read_image
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.signal import Signal
from impasto.media.volume.files import intensities, read_volume, spacing
from tests.media.dicom_files import item, ramp, slices, write_dicom

# of so few voxels the percentiles are the lowest and the highest
VOXELS = ramp()


def written(volume: Signal, path: Path) -> Any:
    write_signal(volume, path)
    return nibabel.load(path)  # pyright: ignore


def test_the_colours_of_an_ultrasound_are_the_very_ones(tmp_path: Path) -> None:
    for shape in ((24, 9, 12, 3), (16, 3, 4, 3), (3, 5, 3, 3), (4, 4, 4, 3)):
        colours = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        volume = read_signal(write_dicom(tmp_path / "us.dcm", colours))
        assert volume.kind == "volume" and volume.values.shape == (3, *shape[:3])
        np.testing.assert_array_equal(intensities(volume), colours)
        voxels = np.asarray(written(volume, tmp_path / "us.nii.gz").dataobj)
        np.testing.assert_array_equal(np.stack([voxels[c] for c in "RGB"], -1).transpose(2, 1, 0, 3), colours)
        for ending in (".nii", ".nii.gz", ".tif", ".npy"):
            write_signal(volume, tmp_path / f"us{ending}")
            again = intensities(read_volume(tmp_path / f"us{ending}"))
            np.testing.assert_array_equal(again.transpose(2, 1, 0, 3) if ".nii" in ending else again, colours)


@pytest.mark.parametrize("name", ["RescaleSlope", "RescaleIntercept", "PixelSpacing", "ImagePositionPatient",
                                  "InstanceNumber", "ImageOrientationPatient", "SliceThickness", "WindowCenter",
                                  "NumberOfFrames", "PixelRepresentation", "SamplesPerPixel"])  # fmt: skip
def test_an_empty_element_means_its_default(name: str, tmp_path: Path) -> None:
    volume = read_volume(slices(tmp_path / "s", VOXELS, **{name: None}))
    np.testing.assert_array_equal(intensities(volume), VOXELS)


@pytest.mark.parametrize("name", ["PixelSpacing", "ImagePositionPatient", "InstanceNumber", "ImageOrientationPatient"])
def test_a_missing_element_is_done_without(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(intensities(read_volume(slices(tmp_path / "s", VOXELS, **{name: ...}))), VOXELS)


def test_a_position_on_some_slices_only_gives_way_to_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = slices(tmp_path / "s", VOXELS, ImagePositionPatient=lambda i: None if i == 3 else [0, 0, -2.0 * i])
    np.testing.assert_array_equal(intensities(read_volume(folder)), VOXELS)
    assert "1 of 6 images have no position" in caplog.text


def test_without_an_orientation_positions_tell_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = {"ImageOrientationPatient": None, "InstanceNumber": None}
    for axis, name in enumerate(("sagittal", "coronal", "axial")):
        caplog.clear()
        position = lambda i, axis=axis: [3.0 * i * (k == axis) for k in range(3)]  # noqa: E731
        volume = read_volume(slices(tmp_path / name, VOXELS, ImagePositionPatient=position, **place))
        assert name in caplog.text and spacing(volume) == pytest.approx((3, 0.7, 0.5))


def test_neither_positions_nor_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match="order is unknown"):
        read_volume(slices(tmp_path / "s", VOXELS, ImagePositionPatient=None, InstanceNumber=None))


def test_numbers_that_are_none_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = slices(tmp_path / "s", VOXELS, RescaleSlope=0)
    for file in folder.iterdir():  # the library does not write what is no number
        data = file.read_bytes()
        file.write_bytes(data.replace(b"0.7\\0.5 ", b"a.b\\0.5 "))
    np.testing.assert_array_equal(intensities(read_volume(folder)), VOXELS)
    assert "RescaleSlope is 0" in caplog.text and "PixelSpacing is damaged" in caplog.text


def test_several_values_where_one_is_expected_mean_the_first(tmp_path: Path) -> None:
    folder = slices(tmp_path / "s", VOXELS, RescaleSlope=2, WindowCenter=[1, 2], WindowWidth=[3, 4])
    np.testing.assert_array_equal(intensities(read_volume(folder)), 2 * VOXELS)


def enhanced(path: Path, order: NDArray[Any], place: str, rescale: Any = None, at: Any = None) -> Path:
    """A file whose functional groups are shared by all images or those of each."""
    per_frame = [item() for _ in order]
    shared = item()
    for group in per_frame if place == "each" else [shared]:
        group.PixelMeasuresSequence = [item(PixelSpacing=[0.7, 0.5], SliceThickness=2)]
        group.PlaneOrientationSequence = [item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
        if rescale is None:
            group.PixelValueTransformationSequence = [item(RescaleSlope=1, RescaleIntercept=-1024)]
    for z, group in zip(order, per_frame, strict=True):
        position = [0, 0, 2.0 * z] if at is None else at(int(z))
        group.PlanePositionSequence = [item(ImagePositionPatient=position)]
        if rescale is not None:
            group.PixelValueTransformationSequence = [item(RescaleSlope=rescale(int(z)), RescaleIntercept=0)]
    groups: dict[str, Any] = {"SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": per_frame}
    return write_dicom(path, ramp(len(order), dtype=np.uint16)[order], **groups)


ORDER = np.random.default_rng(0).permutation(8)


@pytest.mark.parametrize("place", ["shared", "each"])
def test_an_enhanced_file_has_its_scale_spacing_and_order(place: str, tmp_path: Path) -> None:
    volume = read_volume(enhanced(tmp_path / "e.dcm", ORDER, place))
    expected = ramp(8) - 1024
    np.testing.assert_array_equal(intensities(volume), expected)
    image = written(volume, tmp_path / "e.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, expected)
    assert image.header.get_zooms() == pytest.approx((0.5, 0.7, 2))
    # to the left and the back in DICOM is to the right and the front in NIfTI, turned round
    np.testing.assert_allclose(image.affine, np.diag([-0.5, -0.7, 2, 1]), atol=1e-6)


def test_each_image_has_a_scale_of_its_own(tmp_path: Path) -> None:
    volume = read_volume(enhanced(tmp_path / "pet.dcm", ORDER, "shared", rescale=lambda z: 0.5 + z))
    expected = ramp(8).astype(np.float32) * (0.5 + np.arange(8, dtype=np.float32))[:, None, None]
    np.testing.assert_allclose(intensities(volume), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (lambda z: [0, 0, 2.0 * (z // 2)], "2 images at each of 4 places"),
        (lambda z: [0, 0, 2.0 * z + 10 * (z > 4)], "5 slices are missing between image"),
        (lambda z: [0, 0, 2.0 * max(z, 1)], "two slices at the same place"),
    ],
)
def test_images_that_are_no_one_volume_are_refused(at: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(SignalError, match=says) as error:
        read_volume(enhanced(tmp_path / "e.dcm", ORDER, "shared", at=at))
    assert "\n" not in str(error.value)


def test_images_of_one_place_are_in_the_order_of_time(tmp_path: Path) -> None:
    volume = read_volume(enhanced(tmp_path / "cine.dcm", np.arange(8), "shared", at=lambda z: [0, 0, 0]))
    np.testing.assert_array_equal(intensities(volume), ramp(8) - 1024)


def test_a_dose_has_its_grid_and_its_scale(tmp_path: Path) -> None:
    dose: Any = pydicom.dcmread(str(get_testdata_file("rtdose.dcm")))
    volume = read_volume(str(get_testdata_file("rtdose.dcm")))
    expected = dose.pixel_array * float(dose.DoseGridScaling)
    np.testing.assert_allclose(intensities(volume), expected.clip(volume.header["low"], volume.header["high"]), rtol=1e-5)
    steps = np.diff(np.array(dose.GridFrameOffsetVector, float))
    assert spacing(volume) == pytest.approx((abs(steps[0]), *map(float, dose.PixelSpacing)))


X, Y = np.meshgrid(np.arange(24), np.arange(16))
XRAY = (40 * Y + X).astype(np.uint16)


def test_a_single_image_is_a_picture_and_its_negative_is_inverted(tmp_path: Path) -> None:
    for name, sign in (("MONOCHROME1", -1), ("MONOCHROME2", 1)):
        folder = tmp_path / name
        folder.mkdir()
        path = write_dicom(folder / "xray.dcm", XRAY, PhotometricInterpretation=name)
        for source in (path, folder):
            assert find_medium(source).name == find_medium(source, "o.png").name == "image"
            picture = read_image(source)
            expected = XRAY / XRAY.max()
            np.testing.assert_allclose(picture.values[1], expected if sign == 1 else 1 - expected, atol=1e-6)
            np.testing.assert_array_equal(read_signal(source).values, picture.values)
        write_signal(read_image(path), tmp_path / "o.png", bits=16)
        assert len(np.unique(read_image(tmp_path / "o.png").values)) == XRAY.size
        with pytest.raises(SignalError, match="give the folder that holds all slices"):
            find_medium(path, tmp_path / "o.nii.gz")
        with pytest.raises(SignalError, match="single slice"):
            read_volume(path)


@pytest.mark.parametrize(
    ("elements", "shade"),
    [
        ({"WindowCenter": 320, "WindowWidth": 101}, lambda x: (x - 319.5) / 100 + 0.5),
        ({"WindowCenter": [320, 9], "WindowWidth": [101, 9]}, lambda x: (x - 319.5) / 100 + 0.5),
        ({"WindowCenter": 320, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"}, lambda x: (x - 320) / 100 + 0.5),
        ({"WindowCenter": 320, "WindowWidth": 100, "VOILUTFunction": "SIGMOID"}, lambda x: 1 / (1 + np.exp((320 - x) / 25))),
        ({"WindowCenter": -24, "WindowWidth": 2000, "RescaleIntercept": -1024, "RescaleSlope": 1},
         lambda x: (x - 1024 + 24.5) / 1999 + 0.5),
        ({"WindowCenter": None, "WindowWidth": 100}, lambda x: x / 623),
        ({"WindowCenter": 5000, "WindowWidth": 10}, lambda x: x / 623),
        ({"WindowCenter": 5, "WindowWidth": 0}, lambda x: x / 623),
        ({"PixelSpacing": [0.5, 0.25]}, lambda x: x / 623),
    ],
)  # fmt: skip
def test_a_picture_is_seen_through_its_window(elements: dict[str, Any], shade: Any, tmp_path: Path) -> None:
    picture = read_image(write_dicom(tmp_path / "x.dcm", XRAY, **elements))
    np.testing.assert_allclose(picture.values[0], np.clip(shade(XRAY.astype(float)), 0, 1), atol=1e-6)
    if "PixelSpacing" in elements:
        assert picture.header["dpi"] == pytest.approx((101.6, 50.8))


@pytest.mark.parametrize("many", [True, False])
def test_negatives_are_inverted_in_volumes_too(many: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voxels = ramp(dtype=np.uint16)
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    source = write_dicom(tmp_path / "m.dcm", voxels, **elements) if many else slices(tmp_path / "s", voxels, **elements)
    np.testing.assert_array_equal(intensities(read_volume(source)), 4095 - voxels)
    assert caplog.text.count("MONOCHROME1") == 1


def test_bytes_in_any_order_and_with_unused_or_signed_bits(tmp_path: Path) -> None:
    few = np.arange(-60, 60, dtype=np.int16).reshape(6, 5, 4)
    stored = (few & 0x0FFF).astype(np.int16)  # the highest bits are not used
    volume = read_volume(write_dicom(tmp_path / "few.dcm", stored, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(intensities(volume), few)
    for syntax in (ExplicitVRBigEndian, ImplicitVRLittleEndian):
        file = pydicom.dcmread(write_dicom(tmp_path / "e.dcm", VOXELS))
        if syntax == ExplicitVRBigEndian:
            file.PixelData = VOXELS.astype(">i2").tobytes()
        file.file_meta.TransferSyntaxUID = syntax
        order: dict[str, bool] = {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
        pydicom.dcmwrite(tmp_path / "o.dcm", file, force_encoding=True, **order)
        np.testing.assert_array_equal(intensities(read_volume(tmp_path / "o.dcm")), VOXELS)


def test_float_and_single_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 5, 4)).astype(np.float32)
    absent = ("PixelData", "BitsStored", "HighBit", "PixelRepresentation")
    path = write_dicom(tmp_path / "f.dcm", values, without=absent, FloatPixelData=values.tobytes())
    np.testing.assert_allclose(intensities(read_volume(path)), values, rtol=1e-5, atol=1e-6)
    mask = np.random.default_rng(0).integers(0, 2, (6, 8, 8), np.uint8)
    packed = np.packbits(mask.ravel(), bitorder="little").tobytes()
    path = write_dicom(tmp_path / "b.dcm", mask, PixelData=packed, BitsAllocated=1, BitsStored=1, HighBit=0)
    np.testing.assert_array_equal(intensities(read_volume(path)), mask)


def test_palettes_and_luma_become_colours(tmp_path: Path) -> None:
    index = (np.arange(8 * 8 * 2) % 4).astype(np.uint8).reshape(2, 8, 8)
    colours = np.array([(0, 0, 0), (255, 0, 10), (0, 255, 20), (30, 0, 255)])
    tables: dict[str, Any] = {}
    for name, entries in zip(("Red", "Green", "Blue"), colours.T, strict=True):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = (entries * 257).astype("<u2").tobytes()
    path = write_dicom(tmp_path / "p.dcm", index, PhotometricInterpretation="PALETTE COLOR", **tables)
    np.testing.assert_array_equal(intensities(read_volume(path)), colours[index])
    grey = np.full((2, 8, 8, 3), 128, np.uint8)
    grey[..., 0] = np.arange(64).reshape(8, 8)
    path = write_dicom(tmp_path / "y.dcm", grey, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_array_equal(intensities(read_volume(path)), np.broadcast_to(grey[..., :1], grey.shape))


def test_lossless_jpeg_is_unpacked_and_what_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    file = pydicom.dcmread(write_dicom(tmp_path / "x.dcm", XRAY))
    file.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    file.PixelData = encapsulate([bytes(imagecodecs.jpegls_encode(XRAY))])
    file["PixelData"].is_undefined_length = True
    file.save_as(tmp_path / "wrong.dcm")
    with pytest.raises(SignalError, match="compressed as JPEG Lossless") as error:
        read_image(tmp_path / "wrong.dcm")
    assert "\n" not in str(error.value)
    file.file_meta.TransferSyntaxUID = JPEGLSLossless
    file.save_as(tmp_path / "ls.dcm")
    np.testing.assert_allclose(read_image(tmp_path / "ls.dcm").values[0], XRAY / XRAY.max(), atol=1e-6)
    signed = read_image(str(get_testdata_file("MR_small_jpeg_ls_lossless.dcm")))
    np.testing.assert_array_equal(signed.values, read_image(str(get_testdata_file("MR_small.dcm"))).values)


@pytest.mark.parametrize(
    "missing", ["PhotometricInterpretation", "BitsStored", "SamplesPerPixel", "PixelRepresentation", "HighBit"]
)
def test_what_says_how_pixels_are_stored_may_be_missing(missing: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        intensities(read_volume(write_dicom(tmp_path / "m.dcm", VOXELS, without=(missing,)))), VOXELS
    )


@pytest.mark.parametrize("frames", [["PixelData"], ["Rows"]])
def test_missing_pixels_are_refused(frames: list[str], tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "m.dcm", VOXELS, without=tuple(frames))
    with pytest.raises(SignalError, match="has no pixels"):
        read_volume(path)


def test_cut_pixels_are_refused(tmp_path: Path) -> None:
    for pixels, read in ((VOXELS, read_volume), (XRAY, read_image)):
        path = write_dicom(tmp_path / "m.dcm", pixels)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(SignalError, match=r"m\.dcm") as error:
            read(path)
        assert "\n" not in str(error.value)


def test_folders_as_discs_and_computers_leave_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disc = tmp_path / "disc"
    (disc / "DICOM").mkdir(parents=True)
    folder = slices(disc / "DICOM" / "S1", VOXELS)
    for i, file in enumerate(sorted(folder.iterdir())):
        if i:  # the first keeps its preamble
            file.write_bytes(file.read_bytes()[128 + 4 :] if i == 1 else file.read_bytes())
        file.rename(folder / f"IM{i:04}")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "._IM0001").write_bytes(bytes(128) + b"DICM")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" * 99)
    write_dicom(disc / "DICOMDIR", XRAY)
    write_dicom(folder / "report", XRAY, without=("Rows", "PixelData"))
    for source in (disc, folder):
        assert find_medium(source).name == "volume"
        np.testing.assert_array_equal(intensities(read_volume(source)), VOXELS)
    assert "files without an image, such as reports, are passed over: 1" in caplog.text
    with pytest.raises(SignalError, match="index of a disc"):
        read_volume(disc / "DICOMDIR")
    assert find_medium(folder / "IM0002").name == "image"
    slices(disc / "DICOM" / "S2", VOXELS, SeriesInstanceUID=generate_uid(), SeriesDescription="scout")
    with pytest.raises(SignalError, match=r"2 DICOM series: .*scout in .*S2 \(6\)"):
        read_volume(disc)


def test_nothing_but_one_line_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_volume(write_dicom(tmp_path / "m.dcm", VOXELS))
        with pytest.raises(SignalError):
            read_image(str(get_testdata_file("JPEG2000-embedded-sequence-delimiter.dcm")))
    assert not caplog.records


def test_a_transfer_syntax_that_is_none_is_one_line(tmp_path: Path):
    path = write_dicom(tmp_path / "a.dcm", ramp(1)[0])
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1", b"1.2.840.1^008.1.2.1"))
    with pytest.raises(SignalError, match="the pixels cannot be read"):
        read_image(path)
