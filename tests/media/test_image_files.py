"""Picture files as people bring them: cut off, very large, animated, or of formats that Pillow does not know."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from skimage import data

import impasto
from impasto.errors import SignalError
from impasto.media.image import room
from impasto.media.image.read import read_image
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.signal import Signal

PHOTO = np.asarray(Image.fromarray(data.coffee()).resize((120, 80)))


def written(photo: np.ndarray[Any, Any], format: str, mode: str = "RGB", **how: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).convert(mode).save(buffer, format, **how)
    return buffer.getvalue()


def colours(signal: Signal) -> np.ndarray[Any, Any]:
    return (signal.values * 255).round().astype(int).transpose(1, 2, 0)


# what is cut off


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_jpeg_that_lacks_a_little_is_painted_with_what_is_there(
    tmp_path: Path, mode: str, subsampling: str, caplog: pytest.LogCaptureFixture
):
    whole = written(PHOTO, "JPEG", mode, subsampling=subsampling, quality=92)
    paths = {name: tmp_path / f"{name}.jpg" for name in ("whole", "cut")}
    paths["whole"].write_bytes(whole)
    paths["cut"].write_bytes(whole[: -len(whole) // 40])
    found, expected = (read_image(path).values for path in (paths["cut"], paths["whole"]))
    same = (found == expected).all(0)
    assert found.shape == expected.shape and same[:60].all() and 0.002 < 1 - same.mean() < 0.1
    (told,) = caplog.messages
    assert told.startswith(f"{paths['cut']} is cut off: ") and "% of the picture is missing" in told
    # what is missing looks like what is above it, and is not grey
    assert abs(found[:, 70:].mean((1, 2)) - expected[:, 70:].mean((1, 2))).max() < 0.15


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_what_lacks_its_end_mark_alone_is_whole(tmp_path: Path, format: str, caplog: pytest.LogCaptureFixture):
    path, whole = tmp_path / "end", written(PHOTO, format)
    path.write_bytes(whole[: -2 if format == "JPEG" else -12])
    expected = np.asarray(Image.open(io.BytesIO(whole)))
    assert np.array_equal(colours(read_image(path)), expected)
    if format == "JPEG":
        assert caplog.messages == [f"{path} is cut off: its end mark is missing, but the picture is whole"]


def test_a_progressive_jpeg_without_its_last_bytes_is_painted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path, whole = tmp_path / "p.jpg", written(PHOTO, "JPEG", progressive=True)
    path.write_bytes(whole[:-40])
    found = colours(read_image(path))
    assert abs(found - np.asarray(Image.open(io.BytesIO(whole))).astype(int)).mean() < 1
    assert "is cut off" in caplog.text
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(SignalError, match="is cut off: "):
        read_image(path)


@pytest.mark.parametrize("deep", [False, True])
def test_a_png_that_lacks_its_last_lines_repeats_the_one_before(
    tmp_path: Path, deep: bool, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "cut.png"
    noise = np.random.default_rng(0).integers(0, 65536, (60, 40, 3), np.uint16)
    whole = bytes(imagecodecs.png_encode(noise)) if deep else written((noise >> 8).astype(np.uint8), "PNG")
    path.write_bytes(whole[: -len(whole) // 20])
    found = read_image(path).values
    expected = (noise / 65535 if deep else (noise >> 8) / 255).transpose(2, 0, 1)
    lines = int((np.abs(found - expected).max((0, 2)) < 1e-6).sum())
    assert 54 <= lines < 60
    assert np.array_equal(found[:, lines:], np.repeat(found[:, lines - 1 : lines], 60 - lines, 1))
    assert "is cut off" in caplog.text


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_what_lacks_more_than_a_tenth_is_refused(tmp_path: Path, format: str):
    path, whole = tmp_path / "cut", written(PHOTO, format)
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(SignalError, match=f"^{path}"):
        read_image(path)


# what is large


@pytest.mark.slow
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_large_picture_is_made_smaller_while_it_is_read(
    tmp_path: Path, format: str, mode: str, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "panorama"
    large = np.asarray(Image.fromarray(data.coffee()).resize((1200, 800)))
    path.write_bytes(written(large, format, mode))
    whole = read_image(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # Pillow's own limit is none of ours
    monkeypatch.setattr(room, "_LARGE", 500_000)
    assert read_signal(path, longest=None).shape == (800, 1200)
    small = read_signal(path, longest=100)
    assert 100 <= max(small.shape) < 400
    factor = 1200 // small.shape[1]
    height = 800 // factor
    box = whole.values[:, : height * factor].reshape(3, height, factor, small.shape[1], factor).mean((2, 4))
    assert abs(small.values[:, :height] - box).mean() < 0.01
    assert Image.MAX_IMAGE_PIXELS == 10_000


def test_deep_colours_and_the_upright_survive_being_made_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "_LARGE", 1000)
    path = tmp_path / "deep.png"
    step = np.arange(120 * 80 * 3, dtype=np.uint16).reshape(80, 120, 3) * 2
    path.write_bytes(imagecodecs.png_encode(step))
    expected = step.reshape(20, 4, 30, 4, 3).mean((1, 3)) / 65535
    np.testing.assert_allclose(read_signal(path, longest=15).values.transpose(1, 2, 0), expected, atol=1 / 65535)
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.write_bytes(written(PHOTO, "JPEG", exif=exif))
    height, width = read_signal(turned, longest=20).shape
    assert 20 <= height < 120 and height * 2 == width * 3


def test_what_does_not_fit_the_memory_is_refused_at_once(tmp_path: Path):
    path = tmp_path / "large.png"
    path.write_bytes(written(PHOTO, "PNG"))
    with pytest.raises(SignalError, match=r"large\.png unpacks to .* make it smaller first"):
        read_image(path, memory=10_000)
    assert read_image(path, memory=10_000_000).shape == (80, 120)


# animations


@pytest.mark.parametrize(("format", "name"), [("GIF", "a.gif"), ("WEBP", "a.webp"), ("PNG", "a.png"), ("AVIF", "a.avif")])
def test_of_an_animation_the_first_frame_is_taken_and_told(
    tmp_path: Path, format: str, name: str, caplog: pytest.LogCaptureFixture
):
    frames = [Image.fromarray(np.full((20, 24, 3), 40 * i, np.uint8)) for i in range(1, 5)]
    path = tmp_path / name
    frames[0].save(path, format, save_all=True, append_images=frames[1:], duration=40)
    assert find_medium(path).name == find_medium(path, "out.png").name == "image"
    assert abs(read_image(path).values - 40 / 255).max() < 0.02
    assert [line.split(";")[0] for line in caplog.messages] == [f"{path} is an animation of 4 frames"]


# formats of others


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_jpeg_xl(tmp_path: Path, dtype: Any, channels: int):
    path = tmp_path / "p.jxl"
    random = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 24, channels), dtype)
    path.write_bytes(imagecodecs.jpegxl_encode(random[..., 0] if channels == 1 else random, lossless=True))
    found = read_signal(path)
    expected = random / np.float32(np.iinfo(dtype).max)
    shown = np.repeat(expected, 3, 2) if channels == 1 else expected[..., :3]
    np.testing.assert_allclose(found.values.transpose(1, 2, 0), shown, atol=1e-6)
    assert ("alpha" in found.header) == (channels == 4)
    if channels == 4:
        np.testing.assert_allclose(found.header["alpha"], expected[..., 3], atol=1e-6)


@pytest.mark.parametrize("name", ["phone.heic", "phone.jpg", "phone"])
def test_heic_whatever_it_is_called(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    import pillow_heif

    path = tmp_path / name
    pillow_heif.from_pillow(Image.fromarray(PHOTO)).save(path, format="HEIF", quality=-1)
    assert find_medium(path).name == "image"
    assert abs(colours(read_image(path)) - PHOTO.astype(int)).mean() < 4
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(SignalError, match=f"{name} is a HEIC picture, .*: pip install pillow-heif"):
        read_image(path)


def test_a_damaged_heic_is_one_line(tmp_path: Path):
    path = tmp_path / "p.jpg"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    with pytest.raises(SignalError, match=r"p\.jpg is a damaged HEIC picture: ") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


ARRAYS: dict[str, tuple[np.ndarray[Any, Any], str]] = {
    "colours": (PHOTO, "image"),
    "with opacity": (np.dstack([PHOTO, PHOTO[..., 0]]), "image"),
    "floats": (PHOTO.astype(np.float32) / 255, "image"),
    "deep": (PHOTO.astype(np.uint16) * 257, "image"),
    "channels first": (np.moveaxis(PHOTO, -1, 0), "image"),
    "grey": (PHOTO[..., 0], "image"),
    "twelve leads": (np.random.default_rng(0).normal(size=(12, 500)), "series"),
    "a lead": (np.arange(500) % 7, "series"),
    "a volume": (np.random.default_rng(0).random((16, 18, 20)), "volume"),
    "a volume in colour": (np.zeros((16, 18, 20, 3), np.uint8), "volume"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_what_its_shape_says(tmp_path: Path, name: str):
    array, kind = ARRAYS[name]
    path = tmp_path / "a.npy"
    np.save(path, array)
    assert find_medium(path).name == kind
    if kind == "image":
        expected = PHOTO[..., :1].repeat(3, -1) if name == "grey" else PHOTO
        assert abs(colours(read_signal(path)) - expected.astype(int)).max() <= 1


# what is written


@pytest.mark.parametrize("bits", [8, 16])
def test_any_text_may_stand_in_a_png(tmp_path: Path, bits: int):
    path = tmp_path / "IDAT.png"
    about = {"content": "IDAT VALIDATION IDAT.png", "style": "IEND\n\0 IHDR é", "settings": {"size": 1}}
    picture = read_image(PHOTO)
    write_signal(picture, path, about, bits=bits, dpi=300)
    np.testing.assert_allclose(read_image(path).values, picture.values, atol=1e-6)
    with Image.open(path) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile) and json.loads(image.text["impasto"]) == about
    assert imagecodecs.png_decode(path.read_bytes()).dtype == (np.uint8 if bits == 8 else np.uint16)


FORMATS = [("png", 8), ("png", 16), ("jpg", 8), ("webp", 8), ("tif", 8), ("tif", 16), ("avif", 8)]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("ending", "bits"), FORMATS)
def test_every_picture_into_every_format(tmp_path: Path, ending: str, bits: int, grey: bool, alpha: bool):
    path = tmp_path / f"out.{ending}"
    values = read_image(PHOTO[..., :1].repeat(3, -1) if grey else PHOTO).values
    header = (
        ({"grey": True} if grey else {})
        | {"dpi": (120.0, 120.0)}
        | ({"alpha": np.linspace(0.1, 1, 9600, dtype=np.float32).reshape(80, 120)} if alpha else {})
    )
    write_signal(Signal(values, header=header), path, {"a": "b"}, bits=bits)
    found = read_image(path)
    kept = alpha and ending != "jpg"
    assert ("alpha" in found.header) == kept
    one = grey and ending in ("png", "tif", "jpg")
    assert not one or (found.values == found.values[:1]).all()
    seen = values * header["alpha"] + 1 - header["alpha"] if alpha and not kept else values
    lossy = ending in ("jpg", "webp", "avif")
    assert abs(found.values - seen).mean() < (0.02 if lossy else 1 / 255)
    if kept:
        assert abs(found.header["alpha"] - header["alpha"]).mean() < 0.01
    if (bits, grey, alpha) == (16, True, True):
        return  # Pillow knows no grey of 16 bits with an opacity
    with Image.open(path) as image:
        assert (image.getbands()[0][0] in "LI") == one


# what is painted


SMALL: dict[str, Any] = {"content_layers": "relu1_1", "style_layers": "relu1_1", "iterations": 6, "size": 40}


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"colour": "luminance"}, {"colour": "content"}, {"init": "random"}, {"tv": 2.0}])
def test_two_grey_pictures_give_a_grey_one(tmp_path: Path, how: dict[str, Any]):
    content, style = PHOTO[..., 0], np.random.default_rng(1).integers(0, 255, (64, 60), np.uint8)
    painting = impasto.transfer_style(content, style, impasto.TransferSettings(**SMALL | how))
    assert (painting.signal.values == painting.signal.values[:1]).all()
    assert painting.best.cost < painting.history[0].cost
    painting.write(tmp_path / "grey.png")
    with Image.open(tmp_path / "grey.png") as image:
        assert image.mode == "L"


def test_where_one_is_in_colour_so_is_the_result():
    settings = impasto.TransferSettings(**SMALL)
    painting = impasto.transfer_style(PHOTO[..., 0], PHOTO, settings)
    assert not (painting.signal.values == painting.signal.values[:1]).all()


def test_a_small_content_is_not_enlarged_unless_a_size_says_so():
    layers = {"content_layers": "relu1_1", "style_layers": "relu1_1", "iterations": 1}
    small = PHOTO[:32, :40]
    assert impasto.transfer_style(small, PHOTO, impasto.TransferSettings(**layers)).signal.shape == (32, 40)
    sized = impasto.transfer_style(small, PHOTO, impasto.TransferSettings(size=60, **layers))
    assert sized.signal.shape == (48, 60)
    assert impasto.TransferSettings().for_kind("image", 4000).size == 512


def test_a_transparent_grey_of_16_bits(tmp_path: Path):
    grey = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1365
    png = bytes(imagecodecs.png_encode(grey))
    chunk = b"tRNS" + struct.pack(">H", int(grey[2, 3]))
    chunk = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    at = png.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(png[:at] + chunk + png[at:])
    picture = read_image(tmp_path / "a.png")
    assert np.array_equal(picture.header["alpha"], grey != grey[2, 3])
    assert abs(picture.values[0] - grey / 65535).max() < 1e-6


@pytest.mark.parametrize("ending", [".bmp", ".ppm", ".jp2", ".ico", ".jpg", ".png", ".gif", ".tif"])
@pytest.mark.parametrize("name", ["a.mp4", "a.nii.gz", "a.wav", "a.csv", "A.PNG", "a"])
def test_a_picture_in_the_name_of_another_kind(tmp_path: Path, ending: str, name: str):
    Image.fromarray(PHOTO).save(tmp_path / f"whole{ending}")
    path = (tmp_path / f"whole{ending}").rename(tmp_path / name)
    assert find_medium(path, "o.png").name == "image"
    assert min(read_signal(path, output="o.png").shape) > 8


def test_a_table_may_begin_with_the_mark_of_a_picture(tmp_path: Path):
    for title in ("P5", "BMI", "P1 "):
        (tmp_path / "a.csv").write_text(title + "\n" + "0.5\n0.25\n0.125\n1.5\n")
        assert find_medium(tmp_path / "a.csv").name == "series"


def test_a_picture_of_one_pixel_can_be_written_to(tmp_path: Path):
    assert read_image(np.zeros((1, 1, 3), np.uint8)).values.flags.writeable


@pytest.mark.parametrize("size", [8, 100])
def test_a_cut_tiff_is_a_picture_where_one_is_wanted(tmp_path: Path, size: int):
    Image.fromarray(PHOTO).save(tmp_path / "whole.tif")
    (tmp_path / "a.tif").write_bytes((tmp_path / "whole.tif").read_bytes()[:size])
    assert find_medium(tmp_path / "a.tif", "o.png").name == "image"
