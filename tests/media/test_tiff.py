"""TIFF in the forms in which people bring it: every file is made here, and its pixels are looked at."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto.errors import SignalError
from impasto.media.image.read import read_image
from impasto.media.read_write import find_medium, read_signal
from impasto.media.signal import Signal
from impasto.media.tiff.read import read_stack, read_tiff
from impasto.media.volume.files import read_volume

pytestmark = pytest.mark.slow

Array = NDArray[Any]

Y, X = np.mgrid[:64, :96]
COLOURS = np.stack([2 * X, 3 * Y, 255 - 2 * X], -1).clip(0, 255).astype(np.uint8)
GREY = COLOURS[..., 0]
HALF_CLEAR = np.where(X < 48, 0, 255).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DEEP = COLOURS.astype(np.uint16) * 257


def _longest_side(path: Path) -> int:
    return max(read_image(path).shape)


def shown(picture: Signal) -> Array:
    """(height, width, 3) in 0..255."""
    return picture.values.transpose(1, 2, 0) * 255.0


def wrote(path: Path, array: Array, **options: Any) -> Path:
    tifffile.imwrite(path, array, **{"metadata": None, **options})
    return path


def told(caplog: pytest.LogCaptureFixture) -> str:
    """What was told, in one line each."""
    assert all("\n" not in record.message for record in caplog.records)
    return "; ".join(record.message for record in caplog.records if record.name == "impasto")


def note(tag: int, kind: str, *values: float) -> dict[str, Any]:
    return {"extratags": [(tag, kind, len(values), values[0] if len(values) == 1 else values, True)]}


# one picture, however it is stored

SAME: dict[str, Callable[[Path], object]] = {
    "big endian": lambda path: wrote(path, COLOURS, photometric="rgb", byteorder=">"),
    "BigTIFF": lambda path: wrote(path, COLOURS, photometric="rgb", bigtiff=True),
    "tiles": lambda path: wrote(path, COLOURS, photometric="rgb", tile=(32, 32)),
    "planes": lambda path: wrote(path, np.moveaxis(COLOURS, -1, 0), photometric="rgb", planarconfig="separate"),
    "planes in tiles": lambda path: wrote(
        path, np.moveaxis(COLOURS, -1, 0), photometric="rgb", planarconfig="separate", tile=(16, 32), compression="lzw"
    ),
    "strips of LZW": lambda path: wrote(path, COLOURS, photometric="rgb", rowsperstrip=5, compression="lzw", predictor=2),
    "zstd": lambda path: wrote(path, COLOURS, photometric="rgb", compression="zstd"),
    "lzma": lambda path: wrote(path, COLOURS, photometric="rgb", compression="lzma"),
    "packbits": lambda path: wrote(path, COLOURS, photometric="rgb", compression="packbits"),
    "WebP": lambda path: wrote(path, COLOURS, photometric="rgb", compression="webp", compressionargs={"lossless": True}),
    "JPEG XL": lambda path: wrote(path, COLOURS, photometric="rgb", compression="jpegxl"),
    "JPEG 2000": lambda path: wrote(path, COLOURS, photometric="rgb", compression="jpeg2000"),
    "16 bits": lambda path: wrote(path, DEEP, photometric="rgb"),
    "16 bits, big endian, tiles": lambda path: wrote(path, DEEP, photometric="rgb", byteorder=">", tile=(16, 16)),
    "half": lambda path: wrote(path, COLOURS.astype(np.float16) / np.float16(255), photometric="rgb"),
    "floats": lambda path: wrote(path, COLOURS.astype(np.float32) / 255, photometric="rgb"),
    "floats, predicted": lambda path: wrote(path, COLOURS / 255, photometric="rgb", compression="zlib", predictor=3),
    "float planes": lambda path: wrote(path, np.moveaxis(COLOURS, -1, 0) / 255, photometric="rgb", planarconfig="separate"),
    "floats up to 255": lambda path: wrote(path, COLOURS.astype(np.float32), photometric="rgb"),
    "CMYK": lambda path: wrote(path, 255 - np.dstack([COLOURS, 0 * GREY + 255]), photometric="separated"),
    "CMYK of 16 bits": lambda path: wrote(
        path, 65535 - np.dstack([DEEP, DEEP[..., :1] * 0 + 65535]), photometric="separated"
    ),
    "ImageJ": lambda path: tifffile.imwrite(path, np.moveaxis(COLOURS, -1, 0), imagej=True, metadata={"axes": "CYX"}),
    "ImageJ, composite": lambda path: tifffile.imwrite(
        path, np.moveaxis(COLOURS, -1, 0), imagej=True, metadata={"axes": "CYX", "mode": "composite"}
    ),
    "ImageJ, RGB": lambda path: tifffile.imwrite(path, COLOURS, imagej=True, photometric="rgb"),
    "ImageJ, one time": lambda path: tifffile.imwrite(
        path, np.moveaxis(COLOURS, -1, 0)[None, None], imagej=True, metadata={"axes": "TZCYX"}
    ),
    "OME": lambda path: tifffile.imwrite(
        path, np.moveaxis(COLOURS, -1, 0), ome=True, photometric="minisblack", metadata={"axes": "CYX"}
    ),
    "OME, one time": lambda path: tifffile.imwrite(
        path, np.moveaxis(COLOURS, -1, 0)[None], ome=True, photometric="minisblack", metadata={"axes": "TCYX"}
    ),
    "OME, RGB": lambda path: tifffile.imwrite(path, COLOURS, ome=True, photometric="rgb", metadata={"axes": "YXS"}),
    "axes CYX": lambda path: tifffile.imwrite(
        path, np.moveaxis(COLOURS, -1, 0), photometric="minisblack", metadata={"axes": "CYX"}
    ),
    "axes YXC": lambda path: tifffile.imwrite(
        path, COLOURS, photometric="minisblack", planarconfig="contig", metadata={"axes": "YXC"}
    ),
    "three bands": lambda path: wrote(path, COLOURS, photometric="minisblack", planarconfig="contig"),
}


@pytest.mark.parametrize("form", SAME)
def test_a_picture_is_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"photo{'.ome' if 'OME' in form else ''}.tif"
    SAME[form](path)
    assert find_medium(path).name == "image"
    assert _longest_side(path) == 96
    picture = read_signal(path)
    assert np.abs(shown(picture) - COLOURS).max() < 0.51
    assert "alpha" not in picture.header


PLAIN_PALETTE = np.tile(np.arange(256), (3, 1))

GREYS: dict[str, Callable[[Path], object]] = {
    "white is zero": lambda path: wrote(path, 255 - GREY, photometric="miniswhite"),
    "white is zero, 16 bits": lambda path: wrote(path, 65535 - GREY.astype(np.uint16) * 257, photometric="miniswhite"),
    "white is zero, 12 bits": lambda path: wrote(
        path, 4095 - GREY.astype(np.uint16) * 16 - (GREY >> 4), photometric="miniswhite", bitspersample=12
    ),
    "4 bits": lambda path: wrote(path, GREY // 17, bitspersample=4, photometric="minisblack"),
    "2 bits": lambda path: wrote(path, GREY // 85, bitspersample=2, photometric="minisblack"),
    "floats": lambda path: wrote(path, GREY.astype(np.float32) / 255, photometric="minisblack"),
    "doubles, big endian": lambda path: wrote(path, GREY / 255, photometric="minisblack", byteorder=">"),
    "palette": lambda path: wrote(path, GREY, photometric="palette", colormap=PLAIN_PALETTE * 257),
    "palette of 8 bits": lambda path: wrote(path, GREY, photometric="palette", colormap=PLAIN_PALETTE),
    "12 bits in 16": lambda path: wrote(path, GREY.astype(np.uint16) * 16 + (GREY >> 4), photometric="minisblack"),
    "12 bits, named": lambda path: wrote(
        path, GREY.astype(np.uint16) * 16 + (GREY >> 4), photometric="minisblack", **note(281, "H", 4095)
    ),
    "12 bits, packed": lambda path: wrote(
        path, GREY.astype(np.uint16) * 16 + (GREY >> 4), photometric="minisblack", bitspersample=12
    ),
    "10 bits in 16": lambda path: wrote(path, GREY.astype(np.uint16) * 4 + (GREY >> 6), photometric="minisblack"),
    "10 bits, packed": lambda path: wrote(
        path, GREY.astype(np.uint16) * 4 + (GREY >> 6), photometric="minisblack", bitspersample=10
    ),
    "14 bits in 16": lambda path: wrote(path, GREY.astype(np.uint16) * 64 + (GREY >> 2), photometric="minisblack"),
    "14 bits, packed": lambda path: wrote(
        path, GREY.astype(np.uint16) * 64 + (GREY >> 2), photometric="minisblack", bitspersample=14
    ),
    "8 bits in 16": lambda path: wrote(path, GREY.astype(np.uint16), photometric="minisblack"),
    "11 bits, named": lambda path: wrote(path, GREY.astype(np.uint16) * 8, photometric="minisblack", **note(281, "H", 2040)),
    "from 100, named": lambda path: wrote(
        path,
        GREY.astype(np.uint16) * 8 + 100,
        photometric="minisblack",
        extratags=[(281, "H", 1, 2140, True), (280, "H", 1, 100, True)],
    ),
    "OME, significant bits": lambda path: tifffile.imwrite(
        path, GREY.astype(np.uint16) * 8, ome=True, metadata={"axes": "YX", "SignificantBits": 11}
    ),
    "ImageJ, display range": lambda path: tifffile.imwrite(
        path, GREY.astype(np.uint16) * 100 + 7, imagej=True, metadata={"min": 7.0, "max": 25507.0}
    ),
    "int16": lambda path: wrote(path, GREY.astype(np.int16) * 9 - 1000, photometric="minisblack"),
    "int8": lambda path: wrote(path, (GREY.astype(np.int16) - 128).astype(np.int8), photometric="minisblack"),
    "uint32": lambda path: wrote(path, GREY.astype(np.uint32) * 70000 + 5, photometric="minisblack"),
    "metres, with nodata": lambda path: wrote(
        path, np.where(X == 0, -9999, GREY * 3.5 + 1200).astype(np.float32), photometric="minisblack",
        extratags=[(42113, "s", 0, "-9999", True)],
    ),
    "int16 metres, with nodata": lambda path: wrote(
        path, np.where(X == 0, -32768, GREY.astype(np.int16) * 9), photometric="minisblack",
        extratags=[(42113, "s", 0, "-32768", True)],
    ),
    "NaN at the lowest": lambda path: wrote(path, np.where(X == 0, np.nan, GREY / 255), photometric="minisblack"),
    "infinite": lambda path: wrote(path, np.where(X == 0, -np.inf, GREY * 9.0), photometric="minisblack"),
}  # fmt: skip
UNSAID = (
    *("12 bits in 16", "10 bits in 16", "14 bits in 16", "8 bits in 16"),
    *("int16", "int8", "uint32", "metres", "NaN", "infinite"),
)


@pytest.mark.parametrize("form", GREYS)
def test_black_and_white_are_what_the_file_says_or_its_values(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ("scan.ome.tif" if "OME" in form else "scan.tif")
    GREYS[form](path)
    values = shown(read_signal(path))
    # over the range of the values themselves, where those that are there are black and white
    expected: Array = GREY
    if form.startswith(("int", "uint32", "metres", "infinite")):
        expected = GREY * (255 / GREY.max())
        if form.endswith("nodata") or form == "infinite":
            expected = (GREY - 2.0).clip(0) * (255 / (GREY.max() - 2))  # the lowest that is there
    elif form.startswith("NaN"):
        expected = np.maximum(GREY, 2)
    elif form == "4 bits":
        expected = GREY // 17 * 17
    elif form == "2 bits":
        expected = GREY // 85 * 85
    elif form == "OME, significant bits":
        expected = GREY * (8 / 2047 * 255)
    assert np.abs(values - expected[..., None]).max() < 0.51
    assert bool(told(caplog)) == (form.startswith(UNSAID) or "ImageJ" in form)


def test_the_bits_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_image(wrote(tmp_path / "cell.tif", GREY.astype(np.uint16) * 16, photometric="minisblack"))
    assert "its highest value is 3040, so it is taken to have 12 bits" in told(caplog)


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (DEEP // 20, {"photometric": "rgb", "iccprofile": SRGB}),
        (DEEP // 20, {"photometric": "rgb", "software": "Adobe Photoshop 25.0 (Macintosh)"}),
        (DEEP // 5, {"photometric": "rgb"}),
        (DEEP[..., 0] // 6, {"photometric": "minisblack", "software": "GIMP 2.10"}),
        (np.full((8, 9), 10280, np.uint16), {"photometric": "minisblack"}),
    ],
)
def test_a_dark_photograph_stays_dark(tmp_path: Path, array: Array, options: Any, caplog: pytest.LogCaptureFixture) -> None:
    values = shown(read_image(wrote(tmp_path / "night.tif", array, **options)))
    assert np.abs(values - np.atleast_3d(array) / 257).max() < 0.3
    assert not told(caplog)


def test_colours_of_12_bits_are_not_black(tmp_path: Path) -> None:
    path = wrote(tmp_path / "camera.tif", COLOURS.astype(np.uint16) * 16 + (COLOURS >> 4), photometric="rgb")
    assert np.abs(shown(read_image(path)) - COLOURS).max() < 0.51


def test_more_than_white_is_told_and_keeps_its_proportions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    light = COLOURS / np.float32(255) * 4 + 1
    values = shown(read_image(wrote(tmp_path / "hdr.tif", light, photometric="rgb")))
    assert np.abs(values - light / 5 * 255).max() < 0.01
    assert "go from 1 to 5" in told(caplog)


# opacity and inks


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("model", ["rgb", "separated", "minisblack"])
def test_opacity_is_read(tmp_path: Path, kind: str, dtype: type, model: str) -> None:
    opacity = np.where(X < 40, 0.0, np.where(X < 70, 0.5, 1.0))[..., None]
    colours = {
        "rgb": COLOURS / 255,
        "minisblack": GREY[..., None] / 255,
        "separated": np.concatenate([1 - COLOURS / 255, np.zeros((64, 96, 1))], -1),
    }[model]
    stored = np.concatenate([colours * opacity if kind == "assocalpha" else colours, opacity], -1)
    if dtype != np.float32:
        stored = (stored * np.iinfo(dtype).max).round()
    path = wrote(tmp_path / "clear.tif", stored.astype(dtype), photometric=model, extrasamples=[kind], planarconfig="contig")
    picture = read_signal(path)
    assert np.abs(picture.header["alpha"] - opacity[..., 0]).max() < 0.003
    expected = (GREY[..., None] if model == "minisblack" else COLOURS) * 1.0
    visible = opacity[..., 0] > 0
    assert np.abs(shown(picture) - expected)[visible].max() < 2.1


@pytest.mark.parametrize(
    ("extra", "alpha"),
    [(["unassalpha", "unassalpha"], True), (["unspecified", "unassalpha"], True), (["unspecified"], False)],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_that_are_no_colours_are_left_out_and_told(
    tmp_path: Path, extra: list[str], alpha: bool, dtype: type, caplog: pytest.LogCaptureFixture
) -> None:
    spot = [HALF_CLEAR if one == "unassalpha" and not i else 0 * GREY for i, one in enumerate(extra)]
    if extra == ["unspecified", "unassalpha"]:
        spot = [0 * GREY, HALF_CLEAR]
    stored = np.dstack([COLOURS, *spot]).astype(dtype) * (257 if dtype == np.uint16 else 1)
    picture = read_image(wrote(tmp_path / "spot.tif", stored.astype(dtype), photometric="rgb", extrasamples=extra))
    assert np.abs(shown(picture) - COLOURS).max() < 0.01
    assert ("alpha" in picture.header) == alpha
    if alpha:
        assert np.array_equal(picture.header["alpha"] * 255, HALF_CLEAR)
    assert "1 of its" in told(caplog)


def test_a_fourth_channel_without_a_word_is_an_opacity(tmp_path: Path) -> None:
    path = tmp_path / "old.tif"
    wrote(path, np.dstack([COLOURS, HALF_CLEAR]), photometric="rgb", extrasamples=["unassalpha"])
    data = bytearray(path.read_bytes())
    at = data.index((338).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    data[at : at + 2] = (65100).to_bytes(2, "little")  # a tag that nobody knows, in place of ExtraSamples
    path.write_bytes(data)
    assert np.array_equal(read_image(path).header["alpha"] * 255, HALF_CLEAR)


def test_other_inks_are_refused_in_one_line(tmp_path: Path) -> None:
    path = wrote(tmp_path / "inks.tif", np.zeros((8, 9, 6), np.uint8), photometric="separated", **note(334, "H", 6))
    with pytest.raises(SignalError, match="6 inks"):
        read_image(path)


def test_lab_is_converted(tmp_path: Path) -> None:
    """The red, the grey and the blue of sRGB, as tables have them for a white of D50."""
    lab = {(255, 0, 0): (54.29, 80.81, 69.89), (119, 119, 119): (50.03, 0, 0), (0, 0, 255): (29.57, 68.30, -112.03)}
    for dtype in (np.uint8, np.uint16):
        step = 1 if dtype == np.uint8 else 256
        stored = [
            (n / 100 * (256 * step - 1), (a * step) % (256 * step), (b * step) % (256 * step)) for n, a, b in lab.values()
        ]
        pixels = np.array(stored).round().astype(dtype)[None].repeat(4, 0)
        values = shown(read_image(wrote(tmp_path / "lab.tif", pixels, photometric=8)))
        assert np.abs(values - np.array(list(lab))).max() < (4 if dtype == np.uint8 else 1.5)


def test_jpeg_in_a_tiff(tmp_path: Path) -> None:
    converted = np.asarray(Image.fromarray(COLOURS).convert("YCbCr"))
    smooth: dict[str, Any] = {"compression": "jpeg", "compressionargs": {"level": 97}, "tile": (32, 32)}
    path = tmp_path / "j.tif"
    for array, options in ((COLOURS, {"photometric": "rgb"}), (converted, {"photometric": "ycbcr", "subsampling": (2, 2)})):
        wrote(path, array, **smooth, **options)
        assert np.abs(shown(read_image(path)) - COLOURS).mean() < 3
    Image.fromarray(COLOURS).save(path, compression="jpeg", quality=97)
    assert np.abs(shown(read_image(path)) - COLOURS).mean() < 3


def test_luminance_that_is_not_packed(tmp_path: Path) -> None:
    stored = np.asarray(Image.fromarray(COLOURS).convert("YCbCr"))
    path = wrote(tmp_path / "y.tif", stored, photometric="ycbcr", subsampling=(1, 1))
    assert np.abs(shown(read_image(path)) - COLOURS).max() < 4


def test_bilevel_of_a_fax(tmp_path: Path) -> None:
    page = Image.fromarray(GREY > 99)
    for compression in ("group3", "group4", None):
        page.save(tmp_path / "fax.tif", compression=compression)
        assert np.array_equal(shown(read_image(tmp_path / "fax.tif"))[..., 0] > 128, GREY > 99)


def test_a_profile_of_grey_counts_at_every_depth(tmp_path: Path) -> None:
    """Of a linear response: what is stored as a half is brighter in sRGB."""
    curve = b"curv" + bytes(8)
    tags = {
        b"kTRC": curve,
        b"wtpt": b"XYZ \0\0\0\0" + b"".join(int(v * 65536).to_bytes(4, "big") for v in (0.9642, 1, 0.8249)),
    }
    table, body = len(tags).to_bytes(4, "big"), b""
    for name, content in tags.items():
        table += name + (132 + 12 * len(tags) + len(body)).to_bytes(4, "big") + len(content).to_bytes(4, "big")
        body += content
    header = (
        bytes(4) + b"none" + bytes((2, 16, 0, 0)) + b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28) + tags[b"wtpt"][8:]
    )
    profile = (header + bytes(128 - len(header)) + table + body).replace(
        bytes(4), (128 + len(table + body)).to_bytes(4, "big"), 1
    )
    for dtype, half in ((np.uint8, 128), (np.uint16, 32896)):
        grey = np.full((8, 9), half, dtype)
        grey[0] = np.iinfo(dtype).max
        path = wrote(tmp_path / "grey.tif", grey, photometric="minisblack", iccprofile=profile)
        assert shown(read_image(path))[4, 4].tolist() == pytest.approx([188] * 3, abs=1.5)


# channels of microscopes


def test_of_more_than_three_channels_it_is_told_which_are_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    five = np.concatenate([np.moveaxis(COLOURS, -1, 0), np.full((2, 64, 96), 200, np.uint8)])
    makes: list[Callable[[Path], object]] = [
        lambda path: tifffile.imwrite(path, five, imagej=True, metadata={"axes": "CYX"}),
        lambda path: tifffile.imwrite(path, five, ome=True, photometric="minisblack", metadata={"axes": "CYX"}),
        lambda path: wrote(path, np.moveaxis(five, 0, -1), photometric="minisblack", planarconfig="contig"),
        lambda path: wrote(path, five, photometric="minisblack", planarconfig="separate"),
    ]
    for i, make in enumerate(makes):
        caplog.clear()
        path = tmp_path / f"five{i}.ome.tif"
        make(path)
        assert find_medium(path).name == "image"
        assert np.abs(shown(read_image(path)) - COLOURS).max() < 0.51
        assert "has 5 channels; the first three are taken for red, green and blue" in told(caplog)


def test_two_channels_are_red_and_green(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tifffile.imwrite(tmp_path / "two.tif", np.moveaxis(COLOURS, -1, 0)[:2], imagej=True, metadata={"axes": "CYX"})
    values = shown(read_image(tmp_path / "two.tif"))
    assert np.abs(values - COLOURS * np.array([1, 1, 0])).max() < 0.01
    assert "red and green" in told(caplog)


def test_channels_are_shown_in_the_colours_of_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    two = np.stack([GREY, COLOURS[..., 1]])
    green, magenta = 0x00FF00FF, 0xFF00FFFF - 2**32
    tifffile.imwrite(
        tmp_path / "two.ome.tif", two, ome=True, photometric="minisblack",
        metadata={"axes": "CYX", "Channel": {"Name": ["a", "b"], "Color": [green, magenta]}},
    )  # fmt: skip
    ramp = np.arange(256, dtype=np.uint8)
    luts = [np.stack([0 * ramp, ramp, 0 * ramp]), np.stack([ramp, 0 * ramp, ramp])]
    tifffile.imwrite(tmp_path / "two.tif", two, imagej=True, metadata={"axes": "CYX", "mode": "composite", "LUTs": luts})
    for name in ("two.ome.tif", "two.tif"):
        caplog.clear()
        values = shown(read_image(tmp_path / name))
        assert np.abs(values - np.dstack([two[1], two[0], two[1]])).max() < 0.51
        assert "in the colours that the file gives" in told(caplog)


# which page is the picture

THUMBNAIL = COLOURS[::4, ::4].copy()


def pages(path: Path, *rows: tuple[Array, dict[str, Any]]) -> Path:
    with tifffile.TiffWriter(path) as file:
        for array, options in rows:
            file.write(array, **{"photometric": "rgb" if array.ndim == 3 else "minisblack", "metadata": None, **options})
    return path


REDUCED, MASK = {"subfiletype": 1}, {"subfiletype": 4, "photometric": 4, "bitspersample": 1}
CHOICES: dict[str, tuple[str, tuple[tuple[Array, dict[str, Any]], ...]]] = {
    "thumbnail first": ("shot.nef", ((THUMBNAIL, REDUCED), (COLOURS, {}))),
    "thumbnail first, as TIFF": ("shot.tif", ((THUMBNAIL, REDUCED), (COLOURS, {}))),
    "thumbnail first, in silence": ("shot.tif", ((THUMBNAIL, {}), (COLOURS, {}))),
    "another shape of thumbnail": ("shot.tif", ((COLOURS[:12, :12].copy(), {}), (COLOURS, {}))),
    "thumbnail last": ("shot.tif", ((COLOURS, {}), (THUMBNAIL, {}))),
    "in an inner directory": ("shot.dng", ((THUMBNAIL, {**REDUCED, "subifds": 1}), (COLOURS, {}))),
    "pyramid": ("slide.tif", ((COLOURS, {"tile": (32, 32)}), (COLOURS[::2, ::2].copy(), REDUCED), (THUMBNAIL, REDUCED))),
    "pyramid, in silence": ("slide.tif", ((COLOURS, {}), (COLOURS[::2, ::2].copy(), {}), (THUMBNAIL, {}))),
    "pyramid, inside": (
        "slide.tif", ((COLOURS, {"subifds": 2}), (COLOURS[::2, ::2].copy(), REDUCED), (THUMBNAIL, REDUCED)),
    ),
    "mask of its size": ("cut.tif", ((COLOURS, {}), (HALF_CLEAR > 0, MASK))),
    "a copy and no more": ("overview.tif", ((COLOURS, REDUCED),)),
}  # fmt: skip


@pytest.mark.parametrize("form", CHOICES)
def test_the_picture_is_painted_and_never_a_thumbnail(tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture) -> None:
    name, rows = CHOICES[form]
    path = pages(tmp_path / name, *rows)
    assert find_medium(path).name == "image"
    assert _longest_side(path) == 96
    assert np.array_equal(shown(read_signal(path)).round(), COLOURS)
    assert not told(caplog)


def test_of_a_document_the_first_page_is_painted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sizes = pages(tmp_path / "sizes.tif", (COLOURS, {}), (COLOURS[:50].copy(), {}), (COLOURS[:, :70].copy(), {}))
    letter = pages(
        tmp_path / "letter.tif",
        *((COLOURS if i == 0 else COLOURS[::-1].copy(), {"subfiletype": 2}) for i in range(3)),
    )
    for path in (sizes, letter):
        caplog.clear()
        assert find_medium(path).name == "image"
        assert np.array_equal(shown(read_signal(path)).round(), COLOURS)
        assert "holds 3 pictures; the first is taken" in told(caplog)


def test_a_large_slide_is_an_ome_pyramid(tmp_path: Path) -> None:
    path = tmp_path / "slide.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(COLOURS, photometric="rgb", subifds=1, tile=(32, 32), metadata={"axes": "YXS"})
        file.write(COLOURS[::2, ::2].copy(), photometric="rgb", subfiletype=1, tile=(32, 32))
    assert find_medium(path).name == "image"
    assert np.array_equal(shown(read_image(path)).round(), COLOURS)
    assert read_tiff(path, 48, 64 * 96 * 20).samples.shape == (32, 48, 3)


# raw photographs


def negative(path: Path, *, preview: Array | None = None, **options: Any) -> Path:
    """A DNG whose sensor saw ``COLOURS`` through red, green and blue filters, in linear light."""
    linear = (((COLOURS / 255) ** 2.2) * 4095).round().astype(np.uint16)
    seen = linear[..., 1].copy()
    seen[::2, ::2], seen[1::2, 1::2] = linear[::2, ::2, 0], linear[1::2, 1::2, 2]
    to_sensor = np.linalg.inv([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).ravel()
    fractions = [Fraction(float(v)).limit_denominator(10000) for v in to_sensor]
    camera = [
        (50706, "B", 4, (1, 4, 0, 0), True), (50707, "B", 4, (1, 1, 0, 0), True), (50708, "s", 0, "Camera", True),
        (271, "s", 0, "Maker", True), (272, "s", 0, "Camera", True), (50778, "H", 1, 21, True),
        (50721, "2i", 9, [n for f in fractions for n in (f.numerator, f.denominator)], True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True), *options.get("extratags", []),
    ]  # fmt: skip
    sensor = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True), (50717, "I", 1, 4095, True)]
    rows: list[tuple[Array, dict[str, Any]]] = [
        (THUMBNAIL, {**REDUCED, "subifds": 1 + (preview is not None), "extratags": camera}),
        (seen, {"photometric": 32803, "extratags": sensor}),
    ]
    if preview is not None:
        rows.append((preview, {**REDUCED, "compression": "jpeg", "compressionargs": {"level": 98}, "photometric": "rgb"}))
    return pages(path, *rows)


def test_a_negative_is_developed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = negative(tmp_path / "shot.dng")
    assert find_medium(path).name == "image"
    picture = read_signal(path)
    assert picture.shape == (64, 96)
    # but for the edge, and for another curve than that of sRGB in the dark
    assert np.abs(shown(picture) - COLOURS)[4:-4, 4:-4].mean() < 12
    assert "is developed" in told(caplog)


def test_without_the_package_the_camera_s_own_picture_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    picture = read_signal(negative(tmp_path / "full.dng", preview=COLOURS))
    assert picture.shape == (64, 96) and np.abs(shown(picture) - COLOURS).mean() < 3
    assert "the picture that the camera has made" in told(caplog)
    for name, preview in (("none.dng", None), ("small.nef", COLOURS[::2, ::2].copy())):
        with pytest.raises(SignalError, match=r"impasto\[raw\]") as error:
            read_signal(negative(tmp_path / name, preview=preview))
        assert str(error.value).startswith(str(tmp_path / name)) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.orf", b"IIRO\x08\0\0\0"), ("a.rw2", b"IIU\0\x08\0\0\0"), ("a.raf", b"FUJIFILMCCD-RAW 0201"), ("a.x3f", b"FOVb"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1"), ("a.mrw", b"\0MRM\0\0\0\0"), ("a.crw", b"II\x1a\0\0\0HEAPCCDR"),
        ("picture.tif", b"IIRS\x08\0\0\0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("installed", [True, False])
def test_other_raw_photographs_are_answered_in_one_line(
    tmp_path: Path, name: str, head: bytes, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / name
    path.write_bytes(head + bytes(3000))
    assert find_medium(path).name == "image"
    with pytest.raises(SignalError, match="cannot be developed" if installed else "is missing") as error:
        read_signal(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


# damaged, and too large


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "jpeg"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_file_that_is_cut_is_painted_if_nearly_all_is_there(
    tmp_path: Path, compression: Any, tile: Any, planar: str, caplog: pytest.LogCaptureFixture
) -> None:
    tall = np.random.default_rng(0).integers(90, 99, (320, 32, 3), np.uint8)
    if compression == "jpeg" and planar == "separate":
        planar = "contig"
    stored = np.moveaxis(tall, -1, 0) if planar == "separate" else tall
    path = wrote(
        tmp_path / "cut.tif", stored, photometric="rgb", compression=compression, tile=tile, planarconfig=planar,
        **({} if tile else {"rowsperstrip": 4}),
    )  # fmt: skip
    data, whole = path.read_bytes(), read_image(path).values
    path.write_bytes(data[: round(len(data) * 0.95)])
    values = read_image(path).values
    assert "% of the picture is missing" in told(caplog)
    assert np.array_equal(values[:, :280], whole[:, :280]) if planar == "contig" else np.array_equal(values[:2], whole[:2])
    assert values.min() > 0.2  # and not black where nothing is
    path.write_bytes(data[: round(len(data) * 0.8)])
    with pytest.raises(SignalError, match=r"cut\.tif: .*% of the picture is missing"):
        read_image(path)


def test_one_strip_that_is_cut_gives_what_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for compression in (None, "zlib"):
        tall = np.random.default_rng(0).integers(0, 255, (320, 32, 3), np.uint8)
        path = wrote(tmp_path / "one.tif", tall, photometric="rgb", rowsperstrip=320, compression=compression)
        path.write_bytes(path.read_bytes()[:-1500])
        caplog.clear()
        assert np.array_equal(shown(read_image(path)).round()[:300], tall[:300])
        assert "missing" in told(caplog)


def test_a_damaged_strip_inside_is_filled_in_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tall = np.random.default_rng(0).integers(0, 255, (320, 32, 3), np.uint8)
    path = wrote(tmp_path / "harmed.tif", tall, photometric="rgb", rowsperstrip=8, compression="zlib")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        at = file.pages.first.dataoffsets[20]
    data[at : at + 200] = bytes(200)
    path.write_bytes(data)
    values = shown(read_image(path)).round()
    assert np.array_equal(np.delete(values, np.s_[160:168], 0), np.delete(tall, np.s_[160:168], 0))
    assert np.array_equal(values[160:168], tall[159:160].repeat(8, 0))
    assert "2.5 % of the picture is missing" in told(caplog)


@pytest.mark.parametrize("form", ["strips", "one strip", "tiles", "planes", "palette", "12 bits"])
def test_what_does_not_fit_the_memory_is_read_smaller(tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture) -> None:
    large = COLOURS.repeat(5, 0).repeat(5, 1)
    options: dict[str, Any] = {
        "strips": {"rowsperstrip": 7, "compression": "lzw"},
        "one strip": {"rowsperstrip": 320},
        "tiles": {"tile": (48, 32), "compression": "zlib"},
        "planes": {"planarconfig": "separate", "rowsperstrip": 3},
        "palette": {},
        "12 bits": {},
    }[form]
    expected: Array = COLOURS
    if form == "palette":
        table = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 256
        wrote(tmp_path / "large.tif", large[..., 0], photometric="palette", colormap=table, rowsperstrip=7)
        expected = (table >> 8).T[COLOURS[..., 0]]
    elif form == "12 bits":
        deep = large.astype(np.uint16) * 16 + (large >> 4)
        wrote(tmp_path / "large.tif", deep, photometric="rgb", rowsperstrip=7, extratags=[(281, "H", 3, (4095,) * 3, True)])
    else:
        stored = np.moveaxis(large, -1, 0) if form == "planes" else large
        wrote(tmp_path / "large.tif", stored, photometric="rgb", **options)
    found = read_tiff(tmp_path / "large.tif", longest=96, most_bytes=large[..., 0].size * 3 // 2)
    assert found.samples.shape == (64, 96, 3)
    unit = found.samples / 255 if found.samples.dtype == np.uint8 else found.samples
    assert np.abs(unit * 255 - expected).max() < 0.6
    assert "is read at 96 x 64 pixels" in told(caplog)
    with pytest.raises(SignalError, match="make it smaller first"):
        read_tiff(tmp_path / "large.tif", longest=200, most_bytes=large[..., 0].size)
    with pytest.raises(SignalError, match="make it smaller first"):
        read_tiff(tmp_path / "large.tif", longest=None, most_bytes=large[..., 0].size)


def test_a_smaller_copy_saves_the_work(tmp_path: Path) -> None:
    rows = [(COLOURS.repeat(4, 0).repeat(4, 1), {}), (COLOURS, REDUCED), (THUMBNAIL, REDUCED)]
    path = pages(tmp_path / "cog.tif", *rows)
    assert np.array_equal(read_tiff(path, 96, 64 * 96 * 40).samples, COLOURS)
    assert read_tiff(path, 24, 64 * 96 * 2).samples.shape == (16, 24, 3)
    assert read_tiff(path, 24).samples.shape == (256, 384, 3)


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    wrote(path, COLOURS, photometric="rgb", compression="zlib", rowsperstrip=64)
    data = bytearray(path.read_bytes())
    for tag, value in ((256, 2_000_000), (257, 2_000_000), (278, 2_000_000)):
        at = (
            data.index(tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little"))
            if (tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little")) in data
            else data.index(tag.to_bytes(2, "little") + (3).to_bytes(2, "little") + (1).to_bytes(4, "little"))
        )
        data[at + 2 : at + 4] = (4).to_bytes(2, "little")
        data[at + 8 : at + 12] = value.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(SignalError, match="GiB"):
        read_image(path)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((8, 9), np.complex64), "complex"),
        (np.full((8, 9), np.nan, np.float32), "none of its values is a number"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path, array: Array, reason: str) -> None:
    path = wrote(tmp_path / "odd.tif", array, photometric="minisblack")
    with pytest.raises(SignalError, match=reason) as error:
        read_image(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_file_that_is_cut_anywhere_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    wrote(tmp_path / "whole.tif", COLOURS, photometric="rgb", compression="zlib", rowsperstrip=8, tile=None)
    data = (tmp_path / "whole.tif").read_bytes()
    path = tmp_path / "cut.tif"
    for end in range(1, len(data), 97):
        path.write_bytes(data[:end])
        try:
            read_signal(path)
        except SignalError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)


# stacks


def test_slices_of_one_size_are_a_volume(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 4000, (5, 12, 13)).astype(np.uint16)
    made = {
        "plain.tif": lambda path: wrote(path, noise, photometric="minisblack"),
        "shaped.tif": lambda path: tifffile.imwrite(path, noise, photometric="minisblack"),
        "imagej.tif": lambda path: tifffile.imwrite(path, noise, imagej=True, metadata={"axes": "ZYX"}),
        "times.tif": lambda path: tifffile.imwrite(path, noise, imagej=True, metadata={"axes": "TYX"}),
        "ome.ome.tif": lambda path: tifffile.imwrite(path, noise, ome=True, metadata={"axes": "ZYX"}),
        "one channel.tif": lambda path: tifffile.imwrite(path, noise[:, None], imagej=True, metadata={"axes": "ZCYX"}),
        "page by page.tif": lambda path: pages(path, *((one, {}) for one in noise)),
        "with thumbnail.tif": lambda path: pages(path, *((one, {}) for one in noise), (noise[0, :4, :4].copy(), REDUCED)),
        "inverse.tif": lambda path: wrote(path, 65535 - noise, photometric="miniswhite"),
    }
    for name, make in made.items():
        make(tmp_path / name)
        assert find_medium(tmp_path / name).name == "volume", name
        assert np.array_equal(read_stack(tmp_path / name), noise), name
        assert read_volume(tmp_path / name).shape == (5, 12, 13), name


def test_stacks_in_colour_keep_their_channels(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (5, 4, 12, 13), np.uint8)
    expected = np.moveaxis(noise, 1, -1)
    for count in (2, 3, 4):
        tifffile.imwrite(tmp_path / "j.tif", noise[:, :count], imagej=True, metadata={"axes": "ZCYX"})
        tifffile.imwrite(
            tmp_path / "o.ome.tif", np.moveaxis(noise[:, :count], 1, 0), ome=True, photometric="minisblack",
            metadata={"axes": "CZYX"},
        )  # fmt: skip
        for path in (tmp_path / "j.tif", tmp_path / "o.ome.tif"):
            caplog.clear()
            assert find_medium(path).name == "volume"
            stack = read_stack(path)
            assert stack.shape == (5, 12, 13, 3)
            assert np.array_equal(stack[..., : min(count, 3)], expected[..., : min(count, 3)])
            assert bool(told(caplog)) == (count != 3)
    tifffile.imwrite(tmp_path / "j.tif", np.ascontiguousarray(expected[..., :3]), imagej=True, photometric="rgb")
    assert np.array_equal(read_stack(tmp_path / "j.tif"), expected[..., :3])
    wrote(tmp_path / "rgb.tif", expected[..., :3], photometric="rgb")
    assert np.array_equal(read_stack(tmp_path / "rgb.tif"), expected[..., :3])
    assert read_volume(tmp_path / "rgb.tif").values.shape == (3, 5, 12, 13)


def test_of_several_stacks_the_first_is_taken_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 5, 12, 13), np.uint8)
    tifffile.imwrite(tmp_path / "t.tif", noise, imagej=True, metadata={"axes": "TZYX"})
    assert np.array_equal(read_stack(tmp_path / "t.tif"), noise[0])
    assert "3 stacks along the axis T; the first is taken" in told(caplog)


def test_a_stack_that_is_asked_for_as_a_picture_gives_its_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages(tmp_path / "film.tif", (COLOURS, {}), (COLOURS[::-1].copy(), {}))
    assert np.array_equal(shown(read_image(tmp_path / "film.tif")).round(), COLOURS)
    assert "is a stack of 2 pictures; the first is taken" in told(caplog)


# what stands beside the pixels


def test_density_is_in_dots_per_inch(tmp_path: Path) -> None:
    for unit, expected in ((2, (300, 150)), (3, (762, 381)), (1, None)):
        path = wrote(tmp_path / "d.tif", COLOURS, photometric="rgb", resolution=(300, 150), resolutionunit=unit)
        assert read_image(path).header.get("dpi") == (expected and pytest.approx(expected))


def test_the_library_s_own_chatter_is_not_heard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = wrote(tmp_path / "c.tif", COLOURS, photometric="rgb", extratags=[(33550, "d", 3, (1.0, 1.0, 0.0), True)])
    data = bytearray(path.read_bytes())
    data[4:8] = (len(data) - 3).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(SignalError, match=r"c\.tif"):
        read_image(path)
    assert capfd.readouterr().err == ""
    buffer = io.BytesIO(b"II*\0")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(SignalError, match=r"c\.tif"):
        read_signal(path)
