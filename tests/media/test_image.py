from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import data

from impasto.errors import SignalError
from impasto.media.image.read import (
    over_white,
    read_image,
    resample_image,
    scaled_shape,
)
from impasto.media.signal import Signal

Bytes = NDArray[np.uint8]
RED, GREEN, BLUE, CLEAR = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0, 0)
LOSSLESS, LOSSY = [".png", ".tif", ".tiff"], [".jpg", ".jpeg", ".webp", ".avif"]
EXIF_DESCRIPTION, EXIF_ORIENTATION = 0x010E, 0x0112


@pytest.fixture(scope="module")
def cup() -> Bytes:
    """A real photograph, 32 x 48 pixels."""
    return np.asarray(Image.fromarray(data.coffee()).resize((48, 32)))


def as_bytes(picture: Signal) -> Bytes:
    return (picture.values * 255).round().astype(np.uint8).transpose(1, 2, 0)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


# what goes in


@pytest.mark.slow
def test_a_large_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    path = saved(Image.fromarray(data.astronaut()), tmp_path / "photo.jpg", quality=95)
    whole = read_image(path)
    for longest, side in ((512, 512), (300, 512), (256, 256), (200, 256), (50, 64)):
        picture = read_image(path, longest)
        assert picture.shape == (side, side)
        # as if it were scaled down afterwards
        assert np.abs(picture.values - resample_image(whole, (side, side)).values).mean() < 0.02
    lossless = saved(Image.fromarray(data.astronaut()), tmp_path / "photo.png")
    assert read_image(lossless, 50).shape == (512, 512)


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.transpose(1, 0, 2)),
        (6, lambda a: np.rot90(a)),
        (7, lambda a: a[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda a: np.rot90(a, -1)),
    ],
)
@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_pictures_are_turned_upright(tmp_path: Path, cup: Bytes, orientation: int, stored: Any, ending: str):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    options = {"lossless": True} if ending == ".webp" else {}
    path = saved(Image.fromarray(np.ascontiguousarray(stored(cup))), tmp_path / f"photo{ending}", exif=exif, **options)
    assert np.array_equal(as_bytes(read_image(path)), cup)


def matrix_profile(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]) -> bytes:
    """An ICC profile (version 2) of a display with these primaries (x, y), white D50 and a linear response."""
    xyz = np.array([(x / y, 1, (1 - x - y) / y) for x, y in (red, green, blue)]).T
    white = np.array([0.9642, 1.0, 0.8249])
    primaries = xyz * np.linalg.solve(xyz, white)

    def number(values: Any) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(float(v) * 65536)) for v in values)

    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": number(white),
        **{name: number(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv" + struct.pack(">II", 0, 0)),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(struct.pack(">i", round(v * 65536)) for v in white)
    return header + bytes(128 - len(header)) + table + body


def test_a_colour_profile_is_converted_to_srgb():
    """Linear light with the primaries of sRGB: the curve of sRGB is all that the conversion does."""
    profile = matrix_profile((0.6484, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))  # of sRGB, adapted to D50
    image = Image.fromarray(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None].repeat(3, 2))
    image.info["icc_profile"] = profile
    linear = np.arange(0, 256, 5) / 255
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(read_image(image).values - expected).max() < 2 / 255


def test_colours_of_a_wide_gamut_mean_more_than_in_srgb(tmp_path: Path):
    wide = matrix_profile((0.7347, 0.2653), (0.1152, 0.8264), (0.1566, 0.0177))  # of Adobe's Wide Gamut RGB
    image = Image.new("RGB", (4, 3), (120, 60, 60))
    plain = read_image(saved(image, tmp_path / "plain.png")).values
    marked = read_image(saved(image, tmp_path / "wide.png", icc_profile=wide)).values
    assert marked[0].mean() - marked[1].mean() > 1.2 * (plain[0].mean() - plain[1].mean())


def test_a_profile_with_swapped_primaries_swaps_the_channels(tmp_path: Path):
    red, green, blue = (0.6484, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660)
    path = saved(Image.new("RGB", (4, 3), RED), tmp_path / "swapped.png", icc_profile=matrix_profile(blue, green, red))
    assert as_bytes(read_image(path))[0, 0].tolist() == pytest.approx(BLUE, abs=3)


def test_the_srgb_profile_changes_nothing(tmp_path: Path, cup: Bytes):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(Image.fromarray(cup), tmp_path / "photo.png", icc_profile=profile)
    assert np.abs(as_bytes(read_image(path)).astype(int) - cup).max() <= 1


@pytest.mark.parametrize("profile", [b"garbage" * 40, matrix_profile(*[(0.6, 0.3), (0.3, 0.6), (0.15, 0.06)])[:200]])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_a_profile_that_is_damaged_or_does_not_fit_is_ignored(profile: bytes, mode: str):
    image = Image.new(mode, (4, 3))
    expected = read_image(image).values
    image.info["icc_profile"] = profile
    assert np.array_equal(read_image(image).values, expected)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 3), 102), (102, 102, 102)),
        (Image.new("1", (4, 3), 1), (255, 255, 255)),
        (Image.new("P", (4, 3), 1), None),
        (Image.new("CMYK", (4, 3), (255, 255, 0, 0)), BLUE),
        (Image.new("I;16", (4, 3), 257 * 40), (40, 40, 40)),
        (Image.new("F", (4, 3), 0.2), (51, 51, 51)),
        (Image.new("YCbCr", (4, 3), (150, 128, 128)), (150, 150, 150)),
    ],
    ids=lambda value: getattr(value, "mode", ""),
)
def test_every_kind_of_pixel_becomes_rgb(tmp_path: Path, image: Image.Image, expected: tuple[int, ...] | None):
    if image.mode == "P":
        image.putpalette([*RED, 12, 34, 56])
        expected = (12, 34, 56)
    picture = read_image(image if image.mode == "YCbCr" else saved(image, tmp_path / "picture.tif"))
    assert picture.values.shape == (3, 3, 4)
    assert picture.values.dtype == np.float32
    assert as_bytes(picture)[1, 1].tolist() == pytest.approx(expected, abs=1)
    assert "alpha" not in picture.header


def test_sixteen_bit_grey_keeps_its_steps(tmp_path: Path):
    ramp = np.arange(0, 48 * 32, dtype=np.uint16).reshape(32, 48) + 30000
    for ending in (".png", ".tif"):
        picture = read_image(saved(Image.fromarray(ramp), tmp_path / f"ramp{ending}"))
        assert np.allclose(picture.values[1], ramp / 65535, atol=1e-7)


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path):
    first, second = (Image.new("RGB", (6, 4), colour) for colour in (GREEN, RED))
    for ending in (".gif", ".webp", ".png", ".tif"):
        path = saved(first, tmp_path / f"film{ending}", save_all=True, append_images=[second])
        assert as_bytes(read_image(path))[2, 2].tolist() == pytest.approx(GREEN, abs=2), ending


@pytest.mark.parametrize(
    "name", ["palette.png", "palette.gif", "grey.png", "colour.png", "rgba.png", "rgba.webp", "rgba.tif"]
)
def test_transparency_is_read_in_all_its_forms(tmp_path: Path, name: str):
    kind = name.split(".")[0]
    image = {
        "palette": Image.new("P", (4, 2), 0),
        "grey": Image.new("L", (4, 2), 7),
        "colour": Image.new("RGB", (4, 2), RED),
        "rgba": Image.new("RGBA", (4, 2), CLEAR),
    }[kind]
    if kind == "palette":
        image.putpalette([*RED, *BLUE])
    image.paste({"palette": 1, "grey": 90, "colour": BLUE, "rgba": (*BLUE, 255)}[kind], (2, 0, 4, 2))
    options = {"palette": {"transparency": 0}, "grey": {"transparency": 7}, "colour": {"transparency": RED}}.get(kind, {})
    picture = read_image(saved(image, tmp_path / name, **options))
    assert picture.header["alpha"].tolist() == [[0, 0, 1, 1]] * 2
    assert as_bytes(picture)[0, 3].tolist() == pytest.approx((90, 90, 90) if kind == "grey" else BLUE, abs=4)


def test_arrays_are_pictures(cup: Bytes):
    expected = read_image(Image.fromarray(cup)).values
    assert np.array_equal(read_image(cup).values, expected)
    assert np.allclose(read_image(cup / 255).values, expected)
    assert np.allclose(read_image(cup.astype(np.uint16) * 257).values, expected)
    assert read_image(cup[..., 0]).values.shape == (3, 32, 48)
    assert read_image(cup[..., 0] > 99).values.max() == 1
    assert np.array_equal(read_image(np.dstack([cup, cup[..., 0]])).header["alpha"], expected[0])


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((4, 5, 2)), r"shape \(4, 5, 2\)"),
        (np.zeros(7), r"shape \(7,\)"),
        (np.zeros((0, 5, 3)), "no pixels"),
        (np.full((4, 5), np.nan), "NaN"),
        (np.full((4, 5), np.inf), "infinite"),
        (np.full((4, 5), 255.0), r"0\.\.1"),
        (np.full((4, 5), -0.1), r"0\.\.1"),
        (np.full((4, 5), 200), "int64"),
        (np.zeros((4, 5), complex), "complex"),
        (np.full((4, 5), "a"), "<U1"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: NDArray[Any], reason: str):
    with pytest.raises(SignalError, match=reason):
        read_image(array)


@pytest.mark.slow
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "GIF", "BMP"]), st.data())
@settings(max_examples=120, deadline=None)
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path_factory: Any, kind: str, draw: st.DataObject):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    buffer = io.BytesIO()
    Image.fromarray(np.arange(12 * 9 * 3, dtype=np.uint8).reshape(9, 12, 3)).save(
        buffer, kind, **{} if kind in ("GIF", "BMP") else {"exif": exif}
    )
    damaged = bytearray(buffer.getvalue())
    for place, value in draw.draw(st.lists(st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255)), max_size=6)):
        damaged[place] = value
    path = tmp_path_factory.mktemp("damaged") / "picture"
    path.write_bytes(damaged[: draw.draw(st.integers(0, len(damaged)))])
    try:
        picture = read_image(path)
    except SignalError as error:
        assert str(error).startswith(str(path))
    else:
        assert np.isfinite(picture.values).all()


def test_a_picture_that_fails_when_it_is_loaded_is_refused(cup: Bytes):
    buffer = io.BytesIO()
    Image.fromarray(cup).save(buffer, "JPEG")
    with pytest.raises(SignalError, match="the picture cannot be read"):
        read_image(Image.open(io.BytesIO(buffer.getvalue()[:700])))


def bomb(side: int) -> bytes:
    """A PNG whose header promises ``side`` x ``side`` pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_not_unpacked(tmp_path: Path):
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(50_000))
    tracemalloc.start()
    try:
        with pytest.raises(SignalError, match="which cannot be"):
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


# what happens to it


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_scaling_keeps_proportions(height: int, width: int, longest: int):
    scaled = scaled_shape((height, width), longest)
    assert max(scaled) == longest
    assert min(scaled) >= 1
    assert abs(min(scaled) - min(height, width) * longest / max(height, width)) <= 1
    assert scaled_shape((height, width), max(height, width)) == (height, width)


@pytest.mark.parametrize("shape", [(16, 24), (64, 96), (32, 48), (1, 1), (1, 400)])
def test_resampling_keeps_the_range_and_the_mean(cup: Bytes, shape: tuple[int, int]):
    picture = read_image(cup)
    small = resample_image(picture, shape)
    assert small.shape == shape
    assert small.values.dtype == np.float32
    assert 0 <= small.values.min() <= small.values.max() <= 1
    assert np.allclose(small.values.mean((1, 2)), picture.values.mean((1, 2)), atol=0.02)


def test_resampling_to_the_same_size_changes_nothing(cup: Bytes):
    picture = read_image(np.dstack([cup, cup[..., 0]]))
    same = resample_image(picture, picture.shape)  # pyright: ignore[reportArgumentType]
    assert np.array_equal(same.values, picture.values)
    assert np.array_equal(same.header["alpha"], picture.header["alpha"])


@pytest.mark.parametrize("side", [13, 40, 90])
def test_opacity_is_resampled_and_hidden_colours_do_not_bleed(side: int):
    image = np.zeros((40, 40, 4), np.uint8)  # transparent black ...
    y, x = np.mgrid[:40, :40]
    image[(x - 20) ** 2 + (y - 20) ** 2 < 150] = (240, 120, 60, 255)  # ... around an orange disc
    small = resample_image(read_image(image), (side, side))
    alpha = small.header["alpha"]
    assert alpha.shape == (side, side)
    assert alpha.mean() == pytest.approx((image[..., 3] / 255).mean(), abs=0.01)
    seen = small.values[:, alpha > 0.02].T * 255
    assert np.abs(seen - (240, 120, 60)).max() < 1


def test_over_white_is_what_a_page_shows():
    image = np.array([[(255, 0, 0, 255), (255, 0, 0, 0), (255, 0, 0, 51)]], np.uint8)
    page = over_white(read_image(image))
    assert "alpha" not in page.header
    assert as_bytes(page)[0].tolist() == [[255, 0, 0], [255, 255, 255], [255, 204, 204]]
