from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from impasto.errors import SettingsError, SignalError
from impasto.media.image.options import ImageOutput
from impasto.media.image.read import read_image
from impasto.media.image.write import check_image_output, image_format, to_pillow, write_image
from impasto.media.signal import Signal
from tests.media.test_image import CLEAR, EXIF_DESCRIPTION, Bytes, as_bytes, cup, matrix_profile, saved

__all__ = ["cup"]  # a fixture

LOSSLESS, LOSSY = [".png", ".tif", ".tiff"], [".jpg", ".jpeg", ".webp", ".avif"]


@pytest.mark.parametrize("ending", LOSSLESS + LOSSY)
def test_pictures_come_back(tmp_path: Path, cup: Bytes, ending: str):
    path = tmp_path / f"out{ending.upper()}"
    write_image(read_image(cup), path)
    with Image.open(path) as image:
        assert image.format == image_format(path)
        assert image.mode == "RGB"
    again = as_bytes(read_image(path))
    if ending in LOSSLESS:
        assert np.array_equal(again, cup)
    else:
        # lossy WebP always halves the resolution of colours
        assert np.abs(again.astype(int) - cup).mean() < (6 if ending == ".webp" else 3)


@pytest.mark.parametrize("ending", [*LOSSLESS, ".webp", ".avif"])
def test_opacity_comes_back(tmp_path: Path, cup: Bytes, ending: str):
    opacity = np.linspace(0, 255, cup[..., 0].size).round().astype(np.uint8).reshape(cup.shape[:2])
    path = tmp_path / f"out{ending}"
    write_image(read_image(np.dstack([cup, opacity])), path)
    again = read_image(path)
    assert np.abs(again.header["alpha"] * 255 - opacity).mean() < (0.01 if ending in LOSSLESS else 3)
    if ending in LOSSLESS:
        assert np.array_equal(as_bytes(again), cup)


def test_jpeg_has_no_opacity_and_is_laid_on_white(tmp_path: Path):
    write_image(read_image(Image.new("RGBA", (16, 16), CLEAR)), tmp_path / "out.jpg")
    picture = read_image(tmp_path / "out.jpg")
    assert "alpha" not in picture.header
    assert picture.values.min() == 1


def test_values_are_rounded_and_clipped():
    picture = Signal(np.array([-1, 0.4 / 255, 0.6 / 255, 2], np.float32).reshape(1, 1, 4).repeat(3, 0))
    assert np.asarray(to_pillow(picture))[0, :, 0].tolist() == [0, 0, 1, 255]


@pytest.mark.parametrize("ending", LOSSLESS + LOSSY)
def test_files_are_marked_as_srgb_and_tell_how_they_were_made(tmp_path: Path, cup: Bytes, ending: str):
    about = {"settings": {"alpha": 1.5, "style_layers": {"relu1_1": 0.5}}, "content": "Bäckerei 写真.jpg"}
    path = tmp_path / f"out{ending}"
    write_image(read_image(cup), path, about)
    with Image.open(path) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        text = image.info["impasto"] if ending == ".png" else image.getexif()[EXIF_DESCRIPTION]
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert json.loads(text) == about


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("out.jpgg", ".jpg"), ("out.pngx", ".png"), ("out.tifff", ".tiff"), ("out.avi", ".avif"), ("out", ".webp")],
)
def test_an_unknown_format_names_the_known_ones(tmp_path: Path, cup: Bytes, name: str, nearest: str):
    with pytest.raises(SignalError) as raised:
        write_image(read_image(cup), tmp_path / name)
    assert nearest in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_long_for_its_format_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "out.webp"
    path.write_bytes(b"old")
    with pytest.raises(SignalError, match="at most 16383 pixels a side, not 20000"):
        write_image(Signal(np.zeros((3, 1, 20000), np.float32)), path)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("failure", [MemoryError("no memory"), OSError("encoder error -2"), KeyboardInterrupt()])
@pytest.mark.parametrize("ending", LOSSLESS + LOSSY)
def test_a_crash_while_encoding_leaves_the_old_file(
    tmp_path: Path, cup: Bytes, monkeypatch: pytest.MonkeyPatch, ending: str, failure: BaseException
):
    def half(self: Image.Image, target: Any, *args: Any, **options: Any) -> None:
        target.write(b"half a picture")
        raise failure

    path = tmp_path / f"out{ending}"
    path.write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(SignalError if isinstance(failure, OSError) else type(failure)):
        write_image(read_image(cup), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# 16 bits, density, profiles, quality

DEEP = [".png", ".tif", ".tiff"]
SRGB_D50 = ((0.6484, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))
WIDE_GAMUT = matrix_profile((0.7347, 0.2653), (0.1152, 0.8264), (0.1566, 0.0177))


def steps(channels: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Every channel has steps finer than 8 bits tell apart."""
    ramp = np.arange(24 * 33 * channels, dtype=np.uint16).reshape(24, 33, channels) * 7
    return ramp + np.array([0, 20000, 40000, 3000], np.uint16)[:channels]


def as_deep(picture: Signal) -> np.ndarray[Any, np.dtype[np.uint16]]:
    layers = [*picture.values, *([picture.header["alpha"]] if "alpha" in picture.header else [])]
    return (np.stack(layers, -1).astype(np.float64) * 65535).round().astype(np.uint16)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("ending", DEEP)
def test_sixteen_bits_come_back_exactly(tmp_path: Path, ending: str, channels: int):
    path = tmp_path / f"deep{ending}"
    write_image(read_image(steps(channels)), path, {"β": 2}, bits=16, dpi=240)
    again = read_image(path)
    assert np.array_equal(as_deep(again), steps(channels))
    assert again.header["dpi"] == pytest.approx((240, 240), abs=0.02)
    with Image.open(path) as image:  # what another program sees
        assert np.abs(np.asarray(image).astype(int) - (steps(channels) >> 8)).max() <= 1
        text = image.info["impasto"] if ending == ".png" else image.getexif()[EXIF_DESCRIPTION]
        profile = image.info["icc_profile"]
    assert json.loads(text) == {"β": 2}
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))


@pytest.mark.parametrize("ending", DEEP)
def test_sixteen_bits_are_turned_upright(tmp_path: Path, ending: str):
    """As Pillow, which sees 8 of them, turns them."""
    plain = tmp_path / f"plain{ending}"
    write_image(read_image(steps(3)), plain, bits=16)
    for orientation in range(1, 9):
        if ending == ".png":
            exif = Image.Exif()
            exif[0x0112] = orientation
            small = io.BytesIO()
            Image.new("RGB", (1, 1)).save(small, "PNG", exif=exif)
            chunk = small.getvalue()[33 : small.getvalue().index(b"IDAT") - 4]
            data = plain.read_bytes()
            turned = tmp_path / "turned.png"
            turned.write_bytes(data[:33] + chunk + data[33:])
        else:
            turned = tmp_path / f"turned{ending}"
            tifffile.imwrite(turned, steps(3), photometric="rgb", metadata=None, extratags=[(274, 3, 1, orientation, True)])
        with Image.open(turned) as image:
            image.load()
            expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
        got = as_deep(read_image(turned))
        assert got.shape == expected.shape
        assert np.abs((got >> 8) - expected).max() <= 1


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_tiffs_of_other_programs_are_read_at_full_depth(tmp_path: Path, planar: Any, compression: Any):
    path = tmp_path / "scan.tif"
    stored = steps(3) if planar == "contig" else steps(3).transpose(2, 0, 1)
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, compression=compression, metadata=None)
    assert np.array_equal(as_deep(read_image(path)), steps(3))


def test_a_deep_tiff_whose_colours_are_weighed_by_opacity_is_read_straight(tmp_path: Path):
    path = tmp_path / "premultiplied.tif"
    opacity = np.full((24, 33, 1), 0.25)
    weighed = np.concatenate([steps(3) * opacity, opacity * 65535], -1).round().astype(np.uint16)
    tifffile.imwrite(path, weighed, photometric="rgb", extrasamples=["assocalpha"], metadata=None)
    again = as_deep(read_image(path)).astype(int)
    assert np.abs(again[..., :3] - steps(3)).max() <= 3  # a quarter of the steps are left
    assert np.all(again[..., 3] == 16384)


def test_a_deep_png_of_grey_and_opacity(tmp_path: Path):
    path = tmp_path / "grey.png"
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(steps(4)[..., [1, 3]])))
    assert np.array_equal(as_deep(read_image(path)), steps(4)[..., [1, 1, 1, 3]])


@pytest.mark.parametrize("ending", LOSSLESS + LOSSY)
def test_the_density_is_kept_or_replaced(tmp_path: Path, cup: Bytes, ending: str):
    scan = read_image(saved(Image.fromarray(cup), tmp_path / "scan.png", dpi=(300, 300)))
    cases: tuple[tuple[dict[str, Any], float], ...] = (({}, 300), ({"dpi": 144}, 144), ({"dpi": "72.5"}, 72.5))
    for given, expected in cases:
        write_image(scan, tmp_path / f"out{ending}", **given)
        found = read_image(tmp_path / f"out{ending}").header["dpi"]
        assert found == pytest.approx((expected, expected), abs=0.6)  # JPEG has whole numbers
    write_image(read_image(cup), tmp_path / f"out{ending}")
    assert "dpi" not in read_image(tmp_path / f"out{ending}").header


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_the_profile_of_the_content_is_kept_on_request(tmp_path: Path, ending: str, bits: int):
    """A colour of a wide gamut that sRGB holds goes out as it came in; without the request it becomes sRGB."""
    photo = Image.new("RGB", (20, 20), (120, 100, 90))
    wide = read_image(saved(photo, tmp_path / "wide.png", icc_profile=WIDE_GAMUT))
    path = tmp_path / f"out{ending}"
    write_image(wide, path, bits=bits, icc="keep")
    with Image.open(path) as image:
        assert image.info["icc_profile"] == WIDE_GAMUT
        assert np.asarray(image)[3, 4].tolist() == pytest.approx((120, 100, 90), abs=1)
    assert np.abs(read_image(path).values - wide.values).max() < (2 / 255 if bits == 8 else 5e-4)
    write_image(wide, path, bits=bits)
    with Image.open(path) as image:
        assert image.info["icc_profile"] != WIDE_GAMUT
        assert np.asarray(image)[3, 4].tolist() != pytest.approx((120, 100, 90), abs=2)
    assert np.abs(read_image(path).values - wide.values).max() < (1 / 255 if bits == 8 else 1e-4)


def test_a_kept_profile_of_linear_light_is_the_inverse_of_reading_it(tmp_path: Path):
    picture = Signal(
        np.linspace(0, 1, 3 * 8 * 8, dtype=np.float32).reshape(3, 8, 8), header={"icc": matrix_profile(*SRGB_D50)}
    )
    write_image(picture, tmp_path / "out.png", bits=16, icc="keep")
    stored = imagecodecs.png_decode((tmp_path / "out.png").read_bytes()).astype(np.float64) / 65535
    encoded = picture.values.transpose(1, 2, 0).astype(np.float64)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    assert np.abs(stored - linear).max() < 0.004  # the profile's numbers have 4 decimals


def test_without_a_profile_keep_writes_srgb(tmp_path: Path, cup: Bytes):
    write_image(read_image(cup), tmp_path / "out.png", icc="keep")
    assert np.array_equal(as_bytes(read_image(tmp_path / "out.png")), cup)


@pytest.mark.parametrize("ending", LOSSY)
def test_quality_buys_bytes(tmp_path: Path, cup: Bytes, ending: str):
    sizes: list[int] = []
    for quality in (20, 60, 100):
        write_image(read_image(cup), tmp_path / f"out{ending}", quality=quality)
        sizes.append((tmp_path / f"out{ending}").stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bits": 12}, "bits is 12; 8 or 16 was expected"),
        ({"bits": 32}, "bits is 32"),
        ({"bits": "many"}, "bits 'many' is not a whole number"),
        ({"quality": 0}, "quality is 0; a whole number from 1 to 100"),
        ({"quality": "high"}, "quality 'high' is not a whole number"),
        ({"dpi": -1}, "dpi is -1"),
        ({"dpi": float("nan")}, "dpi is nan"),
        ({"icc": "kept"}, "icc 'kept' is unknown: did you mean 'keep'?"),
    ],
)
def test_an_option_out_of_range_is_refused(options: dict[str, Any], reason: str):
    with pytest.raises(SettingsError, match=reason):
        ImageOutput(**options)


@pytest.mark.parametrize(
    ("name", "longest", "options", "reason"),
    [
        ("out.jpg", 100, {"bits": 16}, "a JPEG has 8 bits a channel; PNG and TIFF take 16"),
        ("out.avif", 100, {"bits": 16}, "an AVIF has 8 bits"),
        ("out.png", 100, {"quality": 90}, "a PNG keeps every value; a quality is for JPEG, WebP and AVIF"),
        ("out.webp", 16384, {}, "a WEBP has at most 16383 pixels a side, not 16384; use .png or .tif"),
        ("out.jpg", 65501, {}, "a JPEG has at most 65500 pixels a side"),
        ("out.avif", 70000, {}, "an AVIF has at most 65536 pixels a side"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_painting(name: str, longest: int, options: Any, reason: str):
    with pytest.raises((SettingsError, SignalError), match=reason):
        check_image_output(name, longest, ImageOutput(**options))
    check_image_output("out.tif", longest, ImageOutput())
