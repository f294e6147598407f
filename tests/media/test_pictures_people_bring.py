"""What people bring as pictures: each row makes its own file and says what must come out of it."""

from __future__ import annotations

import io
import json
import logging
import struct
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from impasto.errors import SignalError
from impasto.media.image.read import read_image
from impasto.media.image.write import encode_image, write_image
from impasto.media.read_write import find_medium, read_signal
from impasto.media.signal import Signal

pytestmark = pytest.mark.slow

Y, X = np.mgrid[:40, :56]
COLOURS = np.stack([4 * X, 6 * Y, 255 - 4 * X], -1).clip(0, 255).astype(np.uint8)
GREY = COLOURS[..., 0]


def as_bytes(picture: Signal) -> NDArray[np.uint8]:
    return (picture.values * 255).round().astype(np.uint8).transpose(1, 2, 0)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "impasto"]


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "impasto")


# text inside of a PNG


@pytest.mark.parametrize(
    "text", ["IDAT", "VALIDATION.png", "IEND", "IHDR\n\tIDAT\0x"[:9], "\u65e5\u672c IDAT \u00e9", "x" * 70_000]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_text_in_a_deep_png(tmp_path: Path, text: str, channels: int):
    samples = np.dstack([COLOURS, GREY])[..., :channels].astype(np.uint16) * 200
    content = read_image(samples[..., 0] if channels == 1 else samples)
    path = tmp_path / "out.png"
    path.write_bytes(encode_image(content, path, {"content": text}, bits=16))
    again = read_image(path)
    assert np.allclose(again.values, content.values, atol=1e-6)
    with Image.open(path) as image:
        image.load()
        assert json.loads(image.info["impasto"]) == {"content": text}


# raw photographs and pyramids


def test_of_a_raw_photograph_the_thumbnail_is_never_painted(tmp_path: Path):
    for name, thumbnail_first in (("shot.nef", True), ("shot.dng", False), ("shot.tif", True)):
        with tifffile.TiffWriter(tmp_path / name) as file:
            pages = [(COLOURS[::4, ::4].copy(), 1), (COLOURS, 0)]
            for page, reduced in pages if thumbnail_first else pages[::-1]:
                file.write(page, photometric="rgb", subfiletype=reduced, metadata=None)
        assert find_medium(tmp_path / name).name == "image"
        assert np.array_equal(as_bytes(read_image(tmp_path / name)), COLOURS), name
        assert max(read_image(tmp_path / name).shape) == 56


def test_a_pyramid_and_a_mask_are_one_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as file:
        file.write(COLOURS, photometric="rgb", subifds=1, metadata=None)
        file.write(COLOURS[::2, ::2].copy(), photometric="rgb", subfiletype=1, metadata=None)
    with tifffile.TiffWriter(tmp_path / "mask.tif") as file:
        file.write(COLOURS, photometric="rgb", metadata=None)
        file.write(GREY > 9, photometric="mask", subfiletype=4, metadata=None)
    for name in ("pyramid.tif", "mask.tif"):
        assert find_medium(tmp_path / name).name == "image"
        assert np.array_equal(as_bytes(read_image(tmp_path / name)), COLOURS)
    assert told(caplog) == []


# channels as pages


@pytest.mark.parametrize(("name", "options"), [("a.tif", {"imagej": True}), ("a.ome.tif", {}), ("b.tif", {})])
def test_channels_are_no_slices(tmp_path: Path, name: str, options: dict[str, Any], caplog: pytest.LogCaptureFixture):
    planes = np.moveaxis(COLOURS, -1, 0)
    for axes, array in (("CYX", planes), ("TCYX", planes[None])):
        tifffile.imwrite(tmp_path / name, array, metadata={"axes": axes}, photometric="minisblack", **options)
        assert find_medium(tmp_path / name).name == "image"
        assert np.array_equal(as_bytes(read_image(tmp_path / name)), COLOURS)
        assert max(read_image(tmp_path / name).shape) == 56
    assert told(caplog) == []
    tifffile.imwrite(tmp_path / name, np.stack([planes] * 5), metadata={"axes": "ZCYX"}, photometric="minisblack", **options)
    assert find_medium(tmp_path / name).name == "volume"


def test_more_channels_or_fewer_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    planes = np.moveaxis(np.dstack([COLOURS, GREY, GREY]), -1, 0)
    tifffile.imwrite(tmp_path / "five.tif", planes, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "two.tif", planes[:2].copy(), imagej=True, metadata={"axes": "CYX"})
    assert np.array_equal(as_bytes(read_image(tmp_path / "five.tif")), COLOURS)
    two = as_bytes(read_image(tmp_path / "two.tif"))
    assert np.array_equal(two[..., :2], COLOURS[..., :2])
    assert not two[..., 2].any()
    assert [line.partition(" has ")[2] for line in told(caplog)] == [
        "5 channels; the first three are taken for red, green and blue",
        "2 channels, which are taken for red and green",
    ]


# numbers of other depths and types


@pytest.mark.parametrize(("bits", "tag"), [(10, 281), (12, 281), (14, 341), (12, 341)])
def test_the_white_that_a_file_notes(tmp_path: Path, bits: int, tag: int, caplog: pytest.LogCaptureFixture):
    samples = GREY.astype(np.uint16) << (bits - 8)
    tifffile.imwrite(tmp_path / "a.tif", samples, extratags=[(tag, "H", 1, 2**bits - 1, True)])
    assert np.allclose(read_image(tmp_path / "a.tif").values[0], samples / (2**bits - 1), atol=1e-6)
    assert told(caplog) == []


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("ending", [".png", "rgb.png"])
def test_the_depth_that_the_highest_value_tells_is_told(
    tmp_path: Path, ending: str, bits: int, caplog: pytest.LogCaptureFixture
):
    grey = (GREY.astype(np.uint16) << (bits - 8)) + 1
    path = tmp_path / f"a{ending}"
    samples = np.dstack([grey] * 3) if "rgb" in ending else grey
    path.write_bytes(imagecodecs.png_encode(samples))
    assert np.allclose(read_image(path).values[1], grey / (2**bits - 1), atol=1e-5)
    (line,) = told(caplog)
    assert line.endswith(f"no value needs more than {bits} of its 16 bits, so that {2**bits - 1} is taken for white")


def test_packed_bits_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    packed = (GREY.astype(np.uint16) << 4) + 7
    tifffile.imwrite(tmp_path / "a.tif", packed, bitspersample=12, compression=None, metadata=None)
    assert np.allclose(read_image(tmp_path / "a.tif").values[0], packed / 4095, atol=1e-6)
    assert told(caplog) == []


def test_what_was_written_dark_with_16_bits_is_read_as_dark(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    dark = Signal(np.linspace(0, 0.05, 3 * 20 * 30, dtype=np.float32).reshape(3, 20, 30))
    for name in ("dark.png", "dark.tif"):
        write_image(dark, tmp_path / name, bits=16)
        assert np.allclose(read_image(tmp_path / name).values, dark.values, atol=1e-5)
    assert told(caplog) == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_floats_are_read(tmp_path: Path, dtype: Any, channels: int, caplog: pytest.LogCaptureFixture):
    samples = (np.dstack([COLOURS, GREY])[..., :channels] / 255).astype(dtype).squeeze()
    options: dict[str, Any] = {"photometric": "rgb"} if channels > 2 else {}
    options |= {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", samples, **options)
    picture = read_image(tmp_path / "a.tif")
    assert np.allclose(picture.values[0], np.atleast_3d(samples)[..., 0], atol=1e-6)
    assert ("alpha" in picture.header) == (channels == 4)
    assert told(caplog) == []


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_white_may_be_zero(tmp_path: Path, photometric: Any, dtype: Any):
    samples = GREY > 90 if dtype is bool else (GREY / 255 * np.iinfo(dtype).max).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric=photometric)
    expected = samples / (1 if dtype is bool else np.iinfo(dtype).max)
    assert np.allclose(
        read_image(tmp_path / "a.tif").values[0], 1 - expected if photometric == "miniswhite" else expected, atol=1e-6
    )


# inks


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", None])
def test_inks_with_and_without_opacity(tmp_path: Path, dtype: Any, extra: Any):
    inks = np.asarray(Image.fromarray(COLOURS).convert("CMYK")).astype(float) / 255
    opacity = np.where(X < 28, 0.5, 1.0)
    layers = [inks * opacity[..., None] if extra == "assocalpha" else inks, opacity[..., None]]
    samples = (np.concatenate(layers if extra else layers[:1], -1) * np.iinfo(dtype).max).round().astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="separated", extrasamples=[extra] if extra else None)
    picture = read_image(tmp_path / "a.tif")
    assert np.abs(as_bytes(picture).astype(int) - COLOURS).max() <= (2 if extra == "assocalpha" else 1)
    assert not extra or np.allclose(picture.header["alpha"], opacity, atol=0.003)


# other formats


@pytest.mark.parametrize("name", ["a.TIFF", "a", "a.jpg", "a.png", "a.wav", "a.csv"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF"])
def test_what_a_file_is_called_does_not_count(tmp_path: Path, name: str, format: str):
    Image.fromarray(COLOURS).save(tmp_path / name, format)
    assert find_medium(tmp_path / name, tmp_path / "out.png").name == "image"
    assert np.abs(as_bytes(read_image(tmp_path / name)).astype(int) - COLOURS).mean() < 12


def test_jpeg_xr(tmp_path: Path):
    (tmp_path / "a.jxr").write_bytes(imagecodecs.jpegxr_encode(COLOURS, 1.0))
    assert np.abs(as_bytes(read_image(tmp_path / "a.jxr")).astype(int) - COLOURS).mean() < 2


def test_the_range_that_imagej_shows(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    samples = GREY.astype(np.uint16) * 100
    tifffile.imwrite(tmp_path / "a.tif", samples, imagej=True, metadata={"min": 1000.0, "max": 20_000.0})
    expected = ((samples.astype(float) - 1000) / 19_000).clip(0, 1)
    assert np.allclose(read_image(tmp_path / "a.tif").values[0], expected, atol=1e-6)
    assert told(caplog)[0].endswith("with which ImageJ shows it, 1000 and 20000")


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("ending", [".jxl", ".jxr", ".png"])
def test_jpeg_xl_is_read_whatever_it_is_called(tmp_path: Path, channels: int, deep: bool, ending: str):
    samples = np.dstack([COLOURS, GREY])[..., : channels if channels > 2 else 3]
    samples = np.dstack([GREY, GREY[::-1]])[..., :channels] if channels < 3 else samples
    samples = samples.astype(np.uint16) * 257 if deep else samples
    path = tmp_path / f"a{ending}"
    path.write_bytes(imagecodecs.jpegxl_encode(np.ascontiguousarray(samples), lossless=True))
    picture = read_image(path)
    assert np.array_equal(as_bytes(picture)[..., 0], GREY)
    assert ("alpha" in picture.header) == (channels in (2, 4))
    assert max(read_image(path).shape) == 56


def test_jpeg_xl_of_twelve_bits(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    samples = GREY.astype(np.uint16) << 4
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(samples, lossless=True, bitspersample=12))
    assert np.allclose(read_image(tmp_path / "a.jxl").values[0], samples / 4095, atol=1e-3)
    assert told(caplog) == []


@pytest.mark.parametrize("size", [(8, 8), (256, 256), (17, 300), (300, 200), (1600, 900), (40, 10_000)])
def test_the_size_of_a_jpeg_xl(tmp_path: Path, size: tuple[int, int]):
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(np.zeros(size, np.uint8)))
    assert max(read_image(tmp_path / "a.jxl").shape) == max(size)


@pytest.mark.parametrize("name", ["a.heic", "a.jpg", "a.png", "photo"])
def test_heic_is_read_whatever_it_is_called(tmp_path: Path, name: str):
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(COLOURS)).save(buffer, quality=100)
    (tmp_path / name).write_bytes(buffer.getvalue())
    before = set(Image.OPEN)
    assert np.abs(as_bytes(read_image(tmp_path / name)).astype(int) - COLOURS).mean() < 4
    assert max(read_image(tmp_path / name).shape) == 56
    assert set(Image.OPEN) == before


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1"])
def test_without_its_package_heic_is_named(tmp_path: Path, brand: bytes, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "p.jpg"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(99))
    with pytest.raises(SignalError, match=r"p\.jpg is a damaged HEIC picture"):
        read_image(path)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(SignalError, match=r"p\.jpg is a HEIC picture, .* missing: pip install pillow-heif"):
        read_image(path)


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png", ".avif"])
def test_of_an_animation_the_first_frame_is_told(tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture):
    first, second = Image.new("RGB", (20, 20), (0, 255, 0)), Image.new("RGB", (20, 20), (255, 0, 0))
    path = tmp_path / f"film{ending}"
    first.save(path, save_all=True, append_images=[second, first])
    assert as_bytes(read_image(path))[4, 4].tolist() == pytest.approx([0, 255, 0], abs=3)
    assert told(caplog) == [f"{path} is an animation of 3 frames; the first one is taken"]


# cut files


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:-size])
    return path


@pytest.fixture(scope="module")
def cup() -> Image.Image:
    return Image.fromarray(data.coffee()).resize((300, 200))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_cut_jpeg_is_painted_if_nearly_all_is_there(
    tmp_path: Path, cup: Image.Image, mode: str, progressive: bool, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "a.jpg"
    lines: list[str] = []
    for missing in (2, 20, 0.04, 0.3, 0.5):
        cup.convert(mode).save(path, progressive=progressive, quality=90)
        whole = read_image(path).values
        size = path.stat().st_size
        cut(path, int(missing if missing > 1 else missing * size))
        if missing in (0.3, 0.5):
            with pytest.raises(SignalError, match=r"a\.jpg is cut off: \d+% of the picture is missing; at most 10%"):
                read_image(path)
            continue
        error = np.abs(read_image(path).values - whole)
        assert error.mean() < 0.03
        assert missing != 2 or error.max() == 0
        lines.append(told(caplog)[-1])
    assert len(told(caplog)) == 3
    assert lines[0].endswith("its end mark is missing, but the picture is whole")
    assert all(line.endswith("% of the picture is missing") for line in lines[1:])


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1", "I;16"])
def test_a_cut_png(tmp_path: Path, cup: Image.Image, mode: str, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "a.png"
    picture = Image.fromarray(np.asarray(cup.convert("L")).astype(np.uint16) * 256) if mode == "I;16" else cup.convert(mode)
    for missing in (12, 0.05, 0.3):
        picture.save(path)
        whole = read_image(path).values
        cut(path, int(missing if missing > 1 else missing * path.stat().st_size))
        if missing == 0.3:
            with pytest.raises(SignalError, match=r"a\.png is cut off: \d+% of the picture is missing"):
                read_image(path)
            continue
        error = np.abs(read_image(path).values - whole)
        assert error[:, :170].max() == 0
        assert missing != 12 or error.max() == 0
    assert len(told(caplog)) == 2


def test_a_cut_deep_png(tmp_path: Path, cup: Image.Image, caplog: pytest.LogCaptureFixture):
    samples = np.asarray(cup).astype(np.uint16) * 257
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(samples)[:-3000])
    values = read_image(tmp_path / "a.png").values
    assert np.allclose(values[:, :180].transpose(1, 2, 0), samples[:180] / 65535, atol=1e-6)
    assert "is cut off" in told(caplog)[0]


@pytest.mark.parametrize("ending", [".bmp", ".ppm", ".tga"])
def test_rows_that_are_missing(tmp_path: Path, cup: Image.Image, ending: str, caplog: pytest.LogCaptureFixture):
    path = tmp_path / f"a{ending}"
    for share in (0.05, 0.3):
        cup.save(path)
        cut(path, int(share * path.stat().st_size))
        if share == 0.3:
            with pytest.raises(SignalError, match="is cut off: 30% of the picture is missing"):
                read_image(path)
            continue
        there = as_bytes(read_image(path)) == np.asarray(cup)
        assert 0.94 < there.all(2).mean() < 1
    assert told(caplog) == [f"{path} is cut off: 5.0% of the picture is missing"]


# large ones


def png_of(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side), 99).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.mark.parametrize("ending", [".png", ".jpg", ".npy", ".jxl"])
def test_what_is_too_large_is_made_smaller_while_it_is_read(tmp_path: Path, ending: str):
    large = np.asarray(Image.fromarray(data.coffee()).resize((1800, 1200)))
    path = tmp_path / f"a{ending}"
    if ending == ".npy":
        np.save(path, large)
    elif ending == ".jxl":
        path.write_bytes(imagecodecs.jpegxl_encode(large, lossless=True))
    elif ending == ".tif":
        tifffile.imwrite(path, large, photometric="rgb", tile=(96, 80), metadata=None, compression="zlib")
    else:
        Image.fromarray(large).save(path)
    # 2.2 million pixels take 60 MB as floats
    small = read_signal(path, None, 150, 45_000_000)
    assert 150 <= max(small.shape) <= 450
    height, width = small.shape
    expected = np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BOX))
    assert np.abs(as_bytes(small).astype(int) - expected).mean() < 2
    assert read_signal(path, None, 150).shape == (1200, 1800)
    with pytest.raises(SignalError, match=r"a\.\w+ unpacks to 2 million pixels, which take .* GiB of memory"):
        read_signal(path, None, None, 10_000_000)


def test_a_panorama_is_read_and_leaves_the_limits_of_others(tmp_path: Path):
    path, limit = tmp_path / "pano.png", Image.MAX_IMAGE_PIXELS
    path.write_bytes(png_of(14_000))
    picture = read_signal(path, None, 100, 2**30)
    assert picture.shape == (200, 200)
    assert np.allclose(picture.values, 99 / 255)
    assert limit == Image.MAX_IMAGE_PIXELS
    with pytest.raises(SignalError, match="unpacks to 196 million pixels"):
        read_signal(path, None, 100, 2**28)


# arrays


@pytest.mark.parametrize(
    ("array", "output", "kind"),
    [
        (COLOURS, None, "image"),
        (np.dstack([COLOURS, GREY]), None, "image"),
        (COLOURS / 255, None, "image"),
        (COLOURS.astype(np.uint16) * 256, None, "image"),
        (np.moveaxis(COLOURS, -1, 0), None, "image"),
        (GREY, None, "image"),
        (GREY.astype(np.uint16) * 256, None, "image"),
        (GREY > 90, None, "image"),
        (GREY / 255, None, "series"),
        (GREY / 255, "out.png", "image"),
        (GREY, "out.csv", "series"),
        (np.zeros((5000, 12), np.uint16), None, "series"),
        (np.zeros((2, 500)), None, "series"),
        (np.zeros(500), None, "series"),
        (np.zeros((20, 20, 20), np.uint8), None, "volume"),
        (np.zeros((20, 20, 3), np.uint8), "out.nii.gz", "volume"),
    ],
)
def test_arrays_are_pictures_volumes_or_series(tmp_path: Path, array: NDArray[Any], output: str | None, kind: str):
    np.save(tmp_path / "a.npy", array)
    assert find_medium(tmp_path / "a.npy", output and tmp_path / output).name == kind
    if kind == "image":
        picture = read_image(tmp_path / "a.npy")
        assert (
            np.abs(as_bytes(picture)[..., 0].astype(int) - (255 * (GREY > 90) if array.dtype == bool else GREY)).max() <= 1
        )
        assert max(read_image(tmp_path / "a.npy").shape) == 56


# what is written can be read


CONTENTS = {
    "colour": lambda: read_image(COLOURS),
    "grey": lambda: read_image(GREY),
    "opacity": lambda: read_image(np.dstack([COLOURS, GREY // 2 + 128])),
    "grey with opacity": lambda: read_image(np.dstack([GREY, GREY, GREY, GREY // 2 + 128])),
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif", ".avif", ".npy"])
def test_every_picture_in_every_format(tmp_path: Path, ending: str, content: str, bits: int):
    from impasto.media.image.write import sample_image

    if bits == 16 and ending not in (".png", ".tif", ".npy"):
        return
    picture, path = CONTENTS[content](), tmp_path / f"out{ending}"
    options: dict[str, Any] = {} if ending == ".npy" else {"dpi": 300, "icc": "keep"}
    about = {"content": "\u5199\u771f \u00e9 IDAT \n.jpg"}
    assert encode_image(sample_image(picture), path, about, bits=bits, **options)
    write_image(picture, path, about, bits=bits, **options)
    assert find_medium(path, path).name == "image"
    again = read_image(path)
    expected = picture.values
    if "alpha" in picture.header and ending == ".jpg":
        expected = expected * picture.header["alpha"] + 1 - picture.header["alpha"]
    lossless = ending in (".png", ".tif", ".npy")
    assert np.abs(again.values - expected).mean() < (1e-6 if lossless else 0.03)
    assert ("alpha" in again.header) == ("alpha" in picture.header and ending != ".jpg")
    if ending != ".webp":  # which has no grey, and colours of half the resolution
        assert again.header.get("grey", False) == content.startswith("grey")
    if content.startswith("grey") and ending in (".png", ".jpg"):
        assert imagecodecs.imread(path).squeeze().shape[2:] == ((2,) if "alpha" in again.header else ())
    if content.startswith("grey") and ending == ".tif":
        assert tifffile.imread(path).shape[2:] == ((2,) if "alpha" in again.header else ())
    if ending != ".npy":
        assert again.header["dpi"] == pytest.approx((300, 300), abs=0.6)


def test_laying_on_white_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_image(CONTENTS["opacity"](), tmp_path / "out.jpg")
    assert told(caplog) == [f"{tmp_path / 'out.jpg'}: a JPEG has no opacity; the picture is laid on white"]


def test_a_long_record_is_left_out_of_a_jpeg_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_image(read_image(COLOURS), tmp_path / "out.jpg", {"style": "x" * 70_000})
    assert read_image(tmp_path / "out.jpg").shape == (40, 56)
    assert "too long for the EXIF" in told(caplog)[0]


def test_a_png_that_promises_more_than_it_holds(tmp_path: Path):
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(head + bytes(4) + struct.pack(">I", 2) + b"IDATxx" + bytes(4))
    with pytest.raises(SignalError, match="3600 million pixels of 60000 x 60000 that it promises"):
        read_image(tmp_path / "a.png")
