"""What is written: every format from every other, sizes, opacity, and what a container cannot hold."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.errors import SignalError
from impasto.media.movie import WRITABLE
from impasto.media.movie.read import read_movie
from impasto.media.read_write import write_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from tests.media.movies import make_movie, pan, values_of

pytestmark = pytest.mark.slow

# what people bring: the ending, and how it is coded
BROUGHT: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264_444.mkv": {"pixels": "yuv444p"},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"qscale": "2"}},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mjpeg.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "prores.mov": {"codec": "prores_ks", "pixels": "yuv422p10le"},
    "qtrle.mov": {"codec": "qtrle", "pixels": "rgb24"},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "png.mov": {"codec": "png", "pixels": "rgb24"},
    "vp8.mkv": {"codec": "libvpx"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "ffv1.mkv": {"codec": "ffv1", "pixels": "bgr0"},
    "grey.mkv": {"codec": "ffv1", "pixels": "gray"},
    "deep.mkv": {"codec": "ffv1", "pixels": "yuv444p12le"},
    "mpeg2.mpg": {"codec": "mpeg2video", "options": {"qscale": "2"}},
    "h264.ts": {},
    "wmv2.wmv": {"codec": "wmv2"},
    "flv1.flv": {"codec": "flv"},
    "h263.3gp": {"codec": "mpeg4"},
}


ANIMATED = ("a.gif", "a.webp", "a.apng")


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("brought")
    animations = {name: folder / name for name in ANIMATED}
    for path in animations.values():
        write_signal(Signal(values_of(pan()), "movie", {}), path)
    return animations | {name: make_movie(folder / name, **how) for name, how in BROUGHT.items()}


def seconds(movie: Signal) -> float:
    return float((movie.header["times"][-1] - movie.header["times"][0] + movie.header["last"]) * movie.header["time_base"])


@pytest.mark.parametrize("name", [*BROUGHT, *ANIMATED])
def test_all_that_is_brought_is_written_in_every_format(name: str, brought: dict[str, Path], tmp_path: Path) -> None:
    movie = read_movie(brought[name])
    expected = values_of(pan())
    if name == "grey.mkv":
        expected = np.broadcast_to(np.tensordot([0.299, 0.587, 0.114], expected, 1), expected.shape)
    assert movie.shape == (4, 24, 32) and seconds(movie) == pytest.approx(0.16, abs=0.002)
    assert np.abs(movie.values - expected).mean() < 0.03
    for ending in WRITABLE:
        path = tmp_path / f"out{ending}"
        assert medium_of("movie").encode(medium_of("movie").sample(movie), path)
        write_signal(movie, path)
        after = read_movie(path)
        assert after.shape == movie.shape and seconds(after) == pytest.approx(0.16, abs=0.002), ending
        error = after.values - movie.values
        assert np.abs(error).mean() < 0.03 and np.abs(error.mean((1, 2, 3))).max() < 0.01, ending


@pytest.mark.parametrize("ending", [".mp4", ".m4v", ".mov", ".mkv", ".webm"])
def test_odd_sides_become_even_and_play_everywhere(ending: str, tmp_path: Path, caplog) -> None:
    frames = [frame[:23, :31] for frame in pan()]
    path = tmp_path / f"odd{ending}"
    write_signal(Signal(values_of(frames), "movie", {}), path)
    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt) == (32, 24, "yuv420p")
    after = read_movie(path).values
    assert np.abs(after[..., :23, :31] - values_of(frames)).mean() < 0.03
    assert np.abs(after[..., 23, :] - after[..., 22, :]).mean() < 0.02
    assert caplog.text.count("the last row or column of pixels is repeated") == 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 1), (1, 40)])
@pytest.mark.parametrize("alpha", [False, True])
def test_the_smallest_frames_are_written(shape: tuple[int, int], alpha: bool, tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((3, 2, *shape)).astype(np.float32)
    movie = Signal(values, "movie", {"alpha": values[0]} if alpha else {})
    for ending in WRITABLE:
        write_signal(movie, tmp_path / f"out{ending}")
        after = read_movie(tmp_path / f"out{ending}")
        assert after.shape in ((2, *shape), (2, *(n + n % 2 for n in shape)))


@pytest.mark.parametrize(("ending", "most"), [(".mp4", 16384), (".mov", 16384), (".webm", 65534), (".webp", 16383)])
def test_what_is_too_large_is_refused_by_the_sample_in_one_line(ending: str, most: int) -> None:
    movie = Signal(np.zeros((3, 2, 2, 65_540), np.float32), "movie", {})
    with pytest.raises(SignalError, match=f"holds at most {most} pixels .* not 65540") as error:
        medium_of("movie").encode(movie, f"out{ending}")
    assert "\n" not in str(error.value)


def test_what_is_too_large_for_h264_is_written_by_the_safest_format(tmp_path: Path, caplog) -> None:
    path = tmp_path / f"large{medium_of('movie').safest}"
    values = np.random.default_rng(0).random((3, 2, 2, 17_000)).astype(np.float32)
    write_signal(Signal(values, "movie", {}), path)
    np.testing.assert_allclose(read_movie(path).values, values, atol=0.5 / 255 + 1e-6)
    assert "FFV1" in caplog.text


def see_through(count: int = 4) -> Signal:
    """Opacity from nothing at the left to all at the right; what is hidden is green, what shows is not."""
    values = values_of(pan(count))
    alpha = np.broadcast_to(np.repeat([0, 0, 0.5, 1], 8).astype(np.float32), values.shape[1:]).copy()
    values[:, alpha == 0] = np.array([[0], [1], [0]], np.float32)
    return Signal(values, "movie", {"alpha": alpha})


@pytest.mark.parametrize(
    ("ending", "codec"), [(".mov", "prores"), (".webm", "vp9"), (".mkv", "vp9"), (".webp", ""), (".apng", "")]
)
def test_opacity_is_kept(ending: str, codec: str, tmp_path: Path, caplog) -> None:
    movie = see_through()
    write_signal(movie, tmp_path / f"out{ending}")
    after = read_movie(tmp_path / f"out{ending}")
    assert np.abs(after.header["alpha"] - movie.header["alpha"]).max() < 0.06
    shown = movie.header["alpha"] == 1
    assert np.abs(after.values[:, shown] - movie.values[:, shown]).mean() < 0.03
    assert not caplog.text
    if codec:
        with av.open(str(tmp_path / f"out{ending}")) as container:
            assert container.streams.video[0].codec_context.name == codec


@pytest.mark.parametrize("ending", [".mp4", ".m4v"])
def test_opacity_that_the_format_cannot_hold_is_laid_on_white_and_told(ending: str, tmp_path: Path, caplog) -> None:
    movie = see_through()
    write_signal(movie, tmp_path / f"out{ending}")
    after = read_movie(tmp_path / f"out{ending}")
    assert "alpha" not in after.header and after.values[..., :12].min() > 0.95
    half = 0.5 + 0.5 * movie.values[..., 16:24]
    assert np.abs(after.values[..., 16:24] - half).mean() < 0.03
    assert caplog.text.count("holds no transparency: the movie is laid on white") == 1


def test_a_gif_is_transparent_or_not(tmp_path: Path, caplog) -> None:
    movie = see_through()
    write_signal(movie, tmp_path / "out.gif")
    after = read_movie(tmp_path / "out.gif")
    np.testing.assert_array_equal(after.header["alpha"], movie.header["alpha"] >= 0.5)
    assert "half transparent" in caplog.text


@pytest.mark.parametrize(
    ("codec", "pixels", "ending"),
    [
        ("prores_ks", "yuva444p10le", ".mov"),
        ("qtrle", "argb", ".mov"),
        ("png", "rgba", ".mov"),
        ("libvpx", "yuva420p", ".webm"),
        ("libvpx-vp9", "yuva420p", ".webm"),
        ("ffv1", "bgra", ".mkv"),
    ],
)
def test_opacity_is_read_from_what_others_write(codec: str, pixels: str, ending: str, tmp_path: Path) -> None:
    frames = [
        np.dstack([frame, np.where(np.arange(32) < 16, 0, 255) * np.ones((24, 1))]).astype(np.uint8) for frame in pan()
    ]

    def mark(stream: Any, container: Any) -> None:
        if "vpx" in codec:
            stream.metadata["alpha_mode"], stream.options["auto-alt-ref"] = "1", "0"

    path = make_movie(tmp_path / f"alpha{ending}", frames, codec, pixels, "rgba", setup=mark)
    movie = read_movie(path)
    assert movie.header["alpha"][..., :15].max() < 0.02 and movie.header["alpha"][..., 17:].min() > 0.98
    smaller = read_movie(path, 16)
    assert smaller.header["alpha"].shape == smaller.shape == (4, 12, 16)


def test_more_bits_than_are_written_are_told_and_kept_where_there_is_room(tmp_path: Path, caplog) -> None:
    ramp = np.linspace(0, 1, 32 * 24, dtype=np.float32).reshape(24, 32)
    movie = Signal(np.broadcast_to(ramp, (3, 2, 24, 32)).copy(), "movie", {"bits": 10})
    write_signal(movie, tmp_path / "out.mp4")
    assert "frames are written with 8 bits a colour, not 10" in caplog.text
    caplog.clear()
    opaque = np.ones((2, 24, 32), np.float32)
    opaque[:, 0, 0] = 0
    write_signal(Signal(movie.values, "movie", {"bits": 10, "alpha": opaque}), tmp_path / "out.mov")
    assert not caplog.text
    after = read_movie(tmp_path / "out.mov").values[0, 0, 1:]
    assert len(np.unique(after)) > 400


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".webm"])
def test_uneven_times_come_back_with_the_length(ending: str, tmp_path: Path) -> None:
    header = {"times": (0, 1, 5, 20), "time_base": Fraction(1, 25), "rate": Fraction(25), "last": 2}
    write_signal(Signal(values_of(pan()), "movie", header), tmp_path / f"out{ending}")
    after = read_movie(tmp_path / f"out{ending}")
    assert [float(time * after.header["time_base"]) for time in after.header["times"]] == pytest.approx([0, 0.04, 0.2, 0.8])
    with av.open(str(tmp_path / f"out{ending}")) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(0.88, abs=0.05)


def test_nothing_of_the_encoders_is_on_stderr(capfd, tmp_path: Path) -> None:
    for ending in WRITABLE:
        write_signal(Signal(values_of(pan()), "movie", {}), tmp_path / f"out{ending}")
        read_movie(tmp_path / f"out{ending}")
    told = capfd.readouterr()
    assert told.err == told.out == ""
