"""Colours by what their tags say: ranges, matrices, curves, primaries, HDR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.media.movie.colour import to_srgb
from impasto.media.movie.read import read_movie
from tests.media.movies import make_movie

# Kr and Kb of each matrix by its number in ISO/IEC 23091-2
MATRICES = {
    1: (0.2126, 0.0722),
    4: (0.3, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
COLOUR = (0.8, 0.3, 0.5)


def coded(colour: tuple[float, ...], matrix: int, full: bool, bits: int) -> list[int]:
    """R'G'B' as Y'CbCr."""
    red, green, blue = colour
    kr, kb = MATRICES[matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - y) / (2 - 2 * kb), (red - y) / (2 - 2 * kr)
    step, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        return [round(y * top), round(cb * top + 128 * step), round(cr * top + 128 * step)]
    return [round((219 * y + 16) * step), round((224 * cb + 128) * step), round((224 * cr + 128) * step)]


def plain_movie(path: Path, levels: list[int], pixels: str, **tags: int) -> Path:
    """Three frames of one colour, lossless."""
    frame: Any = av.VideoFrame(32, 16, pixels)
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    for plane, level in zip(frame.planes, levels, strict=True):
        plane.update(np.full(plane.buffer_size // kind().itemsize, level, kind).tobytes())
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, pixels
        for i in range(3):
            frame.pts = i
            for name, value in tags.items():
                setattr(stream.codec_context, name, value)
                setattr(frame, name, value)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def colour_of(path: Path) -> NDArray[np.float32]:
    return read_movie(path).values[:, 1, 8, 16]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("pixels", "bits"), [("yuv420p", 8), ("yuv444p10le", 10), ("yuv422p12le", 12)])
def test_the_matrix_and_the_range_that_are_told_are_undone(matrix, full, pixels, bits, tmp_path: Path) -> None:
    levels = coded(COLOUR, matrix, full, bits)
    path = plain_movie(tmp_path / "a.mkv", levels, pixels, colorspace=matrix, color_range=2 if full else 1)
    np.testing.assert_allclose(colour_of(path), COLOUR, atol=0.01)


@pytest.mark.parametrize(("height", "matrix"), [(16, 5), (720, 1)])
def test_untold_colours_are_those_of_the_size(height: int, matrix: int, tmp_path: Path) -> None:
    levels = coded(COLOUR, matrix, False, 8)
    frame: Any = av.VideoFrame(16, height, "yuv444p")
    for plane, level in zip(frame.planes, levels, strict=True):
        plane.update(np.full(plane.buffer_size, level, np.uint8).tobytes())
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, height, "yuv444p"
        container.mux([*stream.encode(frame), *stream.encode(None)])
    np.testing.assert_allclose(read_movie(tmp_path / "a.mkv").values[:, 0, 8, 8], COLOUR, atol=0.01)


@pytest.mark.parametrize(("transfer", "name", "white"), [(18, "HLG", 0.75), (16, "PQ", 0.5806889)])
def test_paper_is_white_in_hdr(transfer: int, name: str, white: float, tmp_path: Path, caplog) -> None:
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": transfer}
    path = plain_movie(tmp_path / "hdr.mkv", coded((white,) * 3, 9, False, 10), "yuv420p10le", **tags)
    np.testing.assert_allclose(colour_of(path), 0.985, atol=0.012)
    assert f"HDR ({name}) is tone-mapped" in caplog.text and len(caplog.records) == 1
    # the matrix and the primaries of HDR need not be told
    path = plain_movie(tmp_path / "bare.mkv", coded((white,) * 3, 9, False, 10), "yuv420p10le", color_trc=transfer)
    np.testing.assert_allclose(colour_of(path), 0.985, atol=0.012)


def one(colour: tuple[float, ...], transfer: int, primaries: int) -> NDArray[np.float64]:
    levels = (65535 * np.array(colour)).round().astype(np.uint16)[None, None]
    return to_srgb(levels, transfer, primaries)[0, 0] / 65535


def test_hdr_by_the_standard() -> None:
    """Mid levels by hand: PQ at 20.3 cd/m2 is a tenth of paper, HLG 0.5 is 1000 (1/12)^1.2 cd/m2."""
    srgb = lambda light: 1.055 * light ** (1 / 2.4) - 0.055  # noqa: E731
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (20.3 / 10000) ** m1
    level = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    np.testing.assert_allclose(one((level,) * 3, 16, 9), srgb(0.1), atol=1e-3)
    np.testing.assert_allclose(one((0.5,) * 3, 18, 9), srgb(1000 * (1 / 12) ** 1.2 / 203), atol=1e-3)
    levels = np.linspace(0, 1, 300)
    for transfer in (16, 18):
        mapped = np.array([one((v,) * 3, transfer, 9)[0] for v in levels])
        assert (np.diff(mapped) >= 0).all() and mapped[0] == 0 and mapped[-1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("primaries", [4, 5, 6, 7, 8, 9, 10, 11, 12, 22])
def test_grey_stays_grey_whatever_the_primaries(primaries: int) -> None:
    np.testing.assert_allclose(one((0.4, 0.4, 0.4), 1, primaries), 0.4, atol=1e-3)


def test_wide_colours_become_those_of_srgb() -> None:
    # sRGB's red, (0.6274, 0.0691, 0.0164) in linear light of BT.2020's primaries (BT.2087)
    encoded = [1.055 * v ** (1 / 2.4) - 0.055 for v in (0.627404, 0.069097, 0.016391)]
    np.testing.assert_allclose(one(tuple(encoded), 14, 9), (1, 0, 0), atol=0.01)
    assert one((0, 1, 0), 1, 12)[1] == 1 and one((0, 1, 0), 1, 12)[0] == 0


@pytest.mark.parametrize(("transfer", "expected"), [(1, 0.5), (2, 0.5), (13, 0.5), (14, 0.5), (8, 0.7354), (5, 0.4157)])
def test_other_curves(transfer: int, expected: float) -> None:
    np.testing.assert_allclose(one((0.5,) * 3, transfer, 1), expected, atol=1e-3)


def test_ten_bits_are_not_cut(tmp_path: Path) -> None:
    levels = np.linspace(64, 940, 16 * 32).round().astype(np.uint16)
    frame: Any = av.VideoFrame(32, 16, "gray10le")
    frame.planes[0].update(np.pad(levels.reshape(16, 32), ((0, 0), (0, frame.planes[0].line_size // 2 - 32))).tobytes())
    with av.open(str(tmp_path / "ramp.mkv"), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "gray10le"
        container.mux([*stream.encode(frame), *stream.encode(None)])
    movie = read_movie(tmp_path / "ramp.mkv")
    assert movie.header["bits"] == 10 and len(np.unique(movie.values)) > 500


@pytest.mark.parametrize(("color_range", "low"), [(1, 16), (2, 0), (0, 0)])
def test_grey_movies_have_the_range_that_is_told(color_range: int, low: int, tmp_path: Path) -> None:
    level = 0.5 * (255 - 36 * bool(low)) + low
    path = plain_movie(tmp_path / "grey.mkv", [round(level)], "gray", color_range=color_range)
    np.testing.assert_allclose(colour_of(path), 0.5, atol=0.01)


def test_colours_in_an_unread_coding_are_told(tmp_path: Path, caplog) -> None:
    path = plain_movie(tmp_path / "ictcp.mkv", [500, 512, 512], "yuv444p10le", colorspace=14, color_trc=16)
    read_movie(path)
    assert "ICtCp are not understood" in caplog.text


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    frames = [np.full((16, 32, 3), (204, 76, 128), np.uint8)] * 3
    for codec, pixels in (("qtrle", "rgb24"), ("png", "rgb24")):
        path = make_movie(tmp_path / f"{codec}.mov", frames, codec, pixels)
        np.testing.assert_allclose(255 * colour_of(path), (204, 76, 128), atol=0.01)
