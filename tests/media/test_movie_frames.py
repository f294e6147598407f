"""Frames as a person sees them: pixels that are not square, turned, interlaced or damaged ones."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.errors import SignalError
from impasto.media.movie.read import read_movie, resample_movie
from impasto.media.read_write import write_signal
from impasto.media.signal import Signal
from tests.media.movies import make_movie, pan, values_of


def wide(aspect: Fraction) -> Any:
    return lambda stream, container: setattr(stream.codec_context, "sample_aspect_ratio", aspect)


def proportions(path: Path) -> float:
    """Width by height of what is seen."""
    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        return float(stream.width * (stream.sample_aspect_ratio or 1) / stream.height)


@pytest.mark.parametrize("ending", [".mp4", ".m4v", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("aspect", [Fraction(16, 11), Fraction(3, 4)])
def test_the_shape_of_pixels_is_kept(ending: str, aspect: Fraction, tmp_path: Path, caplog) -> None:
    path = make_movie(tmp_path / "dv.mp4", pan(height=24, width=44), setup=wide(aspect))
    movie = read_movie(path)
    # what is painted has square pixels, so that strokes are not squeezed
    assert movie.shape == ((4, 24, 64) if aspect > 1 else (4, 32, 44)) and movie.header["aspect"] == aspect
    out = tmp_path / f"out{ending}"
    write_signal(movie, out)
    assert proportions(out) == pytest.approx(44 / 24 * aspect)
    if ending != ".webm":  # which is written with square pixels
        with av.open(str(out)) as container:
            stream: Any = container.streams.video[0]
            assert (stream.width, stream.height, stream.sample_aspect_ratio) == (44, 24, aspect)
    assert read_movie(out).shape == movie.shape and not caplog.text
    write_signal(resample_movie(movie, (12, 32) if aspect > 1 else (16, 22)), out)
    assert proportions(out) == pytest.approx(44 / 24 * aspect, rel=0.01)
    write_signal(resample_movie(movie, (22, 48)), out)  # 33 columns would be odd
    assert proportions(out) == pytest.approx(48 / 22, rel=0.011)


@pytest.mark.parametrize("ending", [".gif", ".webp", ".apng"])
def test_animations_have_square_pixels(ending: str, tmp_path: Path) -> None:
    path = make_movie(tmp_path / "dv.mp4", pan(height=24, width=44), setup=wide(Fraction(16, 11)))
    write_signal(read_movie(path), tmp_path / f"out{ending}")
    assert read_movie(tmp_path / f"out{ending}").shape == (4, 24, 64)


def test_impossible_pixels_are_taken_for_square(tmp_path: Path) -> None:
    assert read_movie(make_movie(tmp_path / "a.mp4", setup=wide(Fraction(1, 200)))).shape == (4, 24, 32)


TURNS = {
    (90, False, False): lambda a: np.rot90(a, 1, (2, 3)),
    (180, False, False): lambda a: a[:, :, ::-1, ::-1],
    (270, False, False): lambda a: np.rot90(a, 3, (2, 3)),
    (0, True, False): lambda a: a[..., ::-1],
    (0, False, True): lambda a: a[:, :, ::-1],
}


@pytest.mark.parametrize("turn", TURNS)
def test_frames_are_turned_upright_and_mirrored(turn: tuple[int, bool, bool], tmp_path: Path) -> None:
    degrees, hflip, vflip = turn

    def mark(stream: Any, container: Any) -> None:
        stream.set_display_rotation(degrees, hflip, vflip)
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)

    path = make_movie(tmp_path / "turned.mp4", options={"crf": "4"}, setup=mark)
    plain = read_movie(make_movie(tmp_path / "plain.mp4", options={"crf": "4"}, setup=wide(Fraction(2, 1))))
    movie = read_movie(path)
    np.testing.assert_array_equal(movie.values, TURNS[turn](plain.values))
    with av.open(str(path)) as container:  # counterclockwise, as FFmpeg counts
        assert next(container.decode(video=0)).rotation % 360 in (
            (degrees, (degrees + 180) % 360) if vflip else (degrees, 180)
        )
    write_signal(movie, tmp_path / "out.mp4")
    assert proportions(tmp_path / "out.mp4") == pytest.approx(movie.shape[2] / movie.shape[1])
    assert read_movie(tmp_path / "out.mp4").shape == movie.shape


def combed(first: int) -> tuple[list[Any], list[Any]]:
    """Frames of two fields, the one of rows ``first``, ``first`` + 2, ... earlier; and the same without combs."""
    whole = pan(11)
    frames = [frame.copy() for frame in whole[:-1]]
    for frame, later in zip(frames, whole[1:], strict=True):
        frame[1 - first :: 2] = later[1 - first :: 2]
    return frames, whole[:-1]


def combs(values: Any) -> float:
    """How much neighbouring rows differ beyond what rows two apart do."""
    return float(np.abs(np.diff(values, axis=2)).mean() - 0.5 * np.abs(values[:, :, 2:] - values[:, :, :-2]).mean())


# the encoders of these two have the bottom field first unless the frames say so
INTERLACED: dict[str, tuple[int, dict[str, Any]]] = {
    "h264.mp4": (1, {"options": {"x264-params": "interlaced=1", "crf": "4"}}),
    "mpeg2.mpg": (1, {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme", "qscale": "2"}}),
    # where only the container tells
    "ffv1.mkv": (0, {"codec": "ffv1"}),
    "bottom.mkv": (1, {"codec": "ffv1"}),
    "qtrle.mov": (0, {"codec": "qtrle", "pixels": "rgb24"}),
}


@pytest.mark.parametrize("name", INTERLACED)
def test_interlaced_frames_lose_their_combs(name: str, tmp_path: Path, caplog) -> None:
    first, how = INTERLACED[name]
    frames, whole = combed(first)

    def mark(stream: Any, container: Any) -> None:
        stream.codec_context.field_order = 2 + first

    movie = read_movie(make_movie(tmp_path / name, frames, setup=mark, **how))
    assert movie.shape[0] == len(frames) and movie.header["rate"] == 25
    np.testing.assert_allclose(
        np.diff([float(t * movie.header["time_base"]) for t in movie.header["times"]]), 0.04, atol=0.001
    )
    assert combs(movie.values) < 0.3 * combs(values_of(frames))
    assert np.abs(movie.values - values_of(whole)).mean() < 0.045 < np.abs(values_of(frames) - values_of(whole)).mean()
    assert caplog.text.count("interlaced frames are deinterlaced") == 1


def test_progressive_frames_are_not_filtered(tmp_path: Path, caplog) -> None:
    frames = pan()
    movie = read_movie(make_movie(tmp_path / "a.mkv", frames, "ffv1", "bgr0"))
    np.testing.assert_array_equal((255 * movie.values).round(), (255 * values_of(frames)).round())
    assert not caplog.text


def test_a_movie_of_a_broadcaster_begins_at_once(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.ts", times=[100_000 + i for i in range(4)])
    movie = read_movie(path)
    assert movie.header["times"][0] == 0
    write_signal(movie, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(0.16, abs=0.01)


def test_damage_in_the_middle_is_told_and_the_rest_painted(tmp_path: Path, caplog) -> None:
    path = make_movie(tmp_path / "a.ts", pan(18) * 2, options={"g": "6", "bf": "0"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(255 - n for n in data[len(data) // 2 : len(data) // 2 + 400])
    path.write_bytes(data)
    assert 33 <= read_movie(path).shape[0] <= 36
    assert "damaged frames" in caplog.text


def test_missing_time_stamps_are_told(tmp_path: Path, caplog) -> None:
    path = make_movie(tmp_path / "raw.h264", form="h264", options={"bf": "0"})
    path = path.rename(tmp_path / "raw.mp4")
    movie = read_movie(path)
    assert (
        movie.shape[0] == 4
        and list(np.diff(movie.header["times"])) == [movie.header["times"][1] - movie.header["times"][0]] * 3
    )


def test_a_single_frame_is_a_movie(tmp_path: Path) -> None:
    movie = read_movie(make_movie(tmp_path / "one.mp4", pan(1)))
    assert movie.shape == (1, 24, 32)
    write_signal(movie, tmp_path / "out.mkv")
    assert read_movie(tmp_path / "out.mkv").shape == (1, 24, 32)


@pytest.mark.parametrize(("name", "form"), [("song.mp4", "mp4"), ("song.mkv", "matroska"), ("song.webm", "webm")])
def test_a_movie_of_sound_alone_says_what_to_do(name: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with av.open(str(path), "w", format=form) as container:
        track: Any = container.add_stream("libopus", rate=48000, layout="mono")
        heard: Any = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        heard.sample_rate = 48000
        container.mux([*track.encode(heard), *track.encode(None)])
    with pytest.raises(SignalError, match=r"holds only sound.* make it WAV or FLAC first") as error:
        read_movie(path)
    assert "\n" not in str(error.value)


def test_a_cover_is_no_movie(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "c.mkv", pan(1), "mjpeg", "yuvj420p", setup=lambda s, c: setattr(s, "disposition", 0x400))
    shutil.copy(path, tmp_path / "cover.mkv")
    with av.open(str(path)) as container:
        covered = int(container.streams.video[0].disposition) & 0x400
    if covered:
        with pytest.raises(SignalError, match="has no pictures"):
            read_movie(path)
    else:
        assert read_movie(path).shape == (1, 24, 32)


def test_opacity_is_resampled_with_the_colours_it_hides() -> None:
    values, alpha = np.zeros((3, 2, 8, 8), np.float32), np.ones((2, 8, 8), np.float32)
    values[0], alpha[:, :, 3:] = 1, 0
    values[:, :, :, 3:] = np.array([0, 1, 0], np.float32)[:, None, None, None]
    smaller = resample_movie(Signal(values, "movie", {"alpha": alpha}), (4, 4))
    seen = smaller.header["alpha"] > 0.05
    assert smaller.header["alpha"].shape == (2, 4, 4) and smaller.values[1][seen].max() < 0.02
