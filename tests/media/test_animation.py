"""GIF, WebP, PNG and AVIF that move: movies where one is to come out, and written at their times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.media.movie.read import read_movie
from impasto.media.read_write import find_medium, write_signal
from impasto.media.signal import Signal
from impasto.transfer.painter import transfer_style
from impasto.transfer.settings import TransferSettings
from tests.media.movies import make_movie, pan, values_of

DELAYS = [40, 120, 40, 300]


def animation(path: Path, delays: list[int] = DELAYS, **options: Any) -> Path:
    first, *others = [Image.fromarray(frame) for frame in pan(len(delays))]
    form = {".apng": "PNG"}.get(path.suffix)
    durations = delays if len(delays) > 1 else delays[0]
    first.save(path, form, save_all=True, append_images=others, duration=durations, **options)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.apng", "a.avif"])
@pytest.mark.parametrize("output", ["o.gif", "o.webp", "o.apng", "o.mp4", "o.MKV", "o.webm", "o.mov"])
def test_an_animation_is_a_movie_where_one_is_to_come_out(name: str, output: str, tmp_path: Path) -> None:
    assert find_medium(animation(tmp_path / name), output).name == "movie"


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.apng", "a.avif"])
@pytest.mark.parametrize("output", ["o.png", "o.jpg", "o.tif", "o.avif", None])
def test_else_it_is_a_picture(name: str, output: str | None, tmp_path: Path) -> None:
    assert find_medium(animation(tmp_path / name), output).name == "image"


@pytest.mark.parametrize(
    ("name", "output", "kind"),
    [("a.gif", "o.gif", "movie"), ("a.webp", "o.webp", "image"), ("a.png", "o.webp", "image"), ("a.png", "o.mp4", "image")],
)
def test_of_what_does_not_move_only_a_gif_to_a_gif_is_a_movie(name: str, output: str, kind: str, tmp_path: Path) -> None:
    Image.fromarray(pan(1)[0]).save(tmp_path / name)
    assert find_medium(tmp_path / name, output).name == kind


def test_a_movie_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4").rename(tmp_path / "a.gif")
    assert find_medium(path).name == find_medium(path, "o.png").name == "movie" and read_movie(path).shape == (4, 24, 32)
    assert find_medium(animation(tmp_path / "b.gif").rename(tmp_path / "b.mp4"), "o.mp4").name == "movie"
    assert read_movie(tmp_path / "b.mp4").shape == (4, 24, 32)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif"])
def test_frames_and_their_times_are_read(name: str, tmp_path: Path) -> None:
    movie = read_movie(animation(tmp_path / name, quality=95))
    assert movie.values.dtype == np.float32 and movie.kind == "movie" and "alpha" not in movie.header
    assert [float(time * movie.header["time_base"]) for time in movie.header["times"]] == [0, 0.04, 0.16, 0.2]
    assert movie.header["last"] * movie.header["time_base"] == Fraction(3, 10)
    assert np.abs(movie.values - values_of(pan())).mean() < 0.03
    assert read_movie(tmp_path / name, 16).shape == (4, 12, 16)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.apng"])
@pytest.mark.parametrize("ending", [".gif", ".webp", ".apng", ".mp4", ".webm"])
def test_times_and_repetitions_go_from_one_to_the_other(name: str, ending: str, tmp_path: Path) -> None:
    movie = read_movie(animation(tmp_path / name, loop=3))
    write_signal(movie, tmp_path / f"out{ending}", {"beta": 1})
    after = read_movie(tmp_path / f"out{ending}")
    for told in (movie, after):
        assert [float(t * told.header["time_base"]) for t in told.header["times"]] == pytest.approx([0, 0.04, 0.16, 0.2])
        assert float(told.header["last"] * told.header["time_base"]) == pytest.approx(0.3, abs=0.01)
    assert np.abs(after.values - movie.values).mean() < 0.03
    if ending in (".gif", ".webp", ".apng"):
        assert after.header["loop"] == 3
        with Image.open(tmp_path / f"out{ending}") as picture:
            told = picture.info.get("comment") or getattr(picture, "text", {}).get("Comment", "")
        assert ending == ".webp" or "beta" in str(told)


def test_a_gif_that_is_played_once_stays_so(tmp_path: Path) -> None:
    movie = read_movie(animation(tmp_path / "a.gif"))
    write_signal(movie, tmp_path / "out.gif")
    assert movie.header["loop"] is None and read_movie(tmp_path / "out.gif").header["loop"] is None


@pytest.mark.parametrize(
    ("rate", "shown"), [(Fraction(30000, 1001), 12), (Fraction(25), 12), (Fraction(60), 9), (Fraction(120), 5)]
)
def test_a_gif_counts_hundredths_and_lasts_as_long(rate: Fraction, shown: int, tmp_path: Path, caplog) -> None:
    pan12 = values_of([np.roll(pan(1)[0], 2 * i, 1) for i in range(12)])
    write_signal(
        Signal(pan12, "movie", {"rate": rate, "time_base": 1 / rate, "times": tuple(range(12))}), tmp_path / "a.gif"
    )
    movie = read_movie(tmp_path / "a.gif")
    length = float((movie.header["times"][-1] + movie.header["last"]) * movie.header["time_base"])
    assert length == pytest.approx(12 / rate, abs=0.011)
    assert abs(movie.shape[0] - shown) <= 1 and min(np.diff(movie.header["times"])) >= 20
    assert ("at most 50 pictures a second" in caplog.text) == (rate > 50)


def test_delays_that_no_browser_shows_are_a_tenth_of_a_second(tmp_path: Path) -> None:
    assert np.diff(read_movie(animation(tmp_path / "a.gif", [0, 10, 20, 30])).header["times"]).tolist() == [100, 100, 20]


def test_transparency_of_a_gif_goes_to_webp_and_back(tmp_path: Path) -> None:
    frames = []
    for i, colours in enumerate(pan()):
        opacity = np.full((24, 32, 1), 255, np.uint8)
        opacity[:, 4 * i : 4 * i + 8] = 0
        frames.append(Image.fromarray(np.dstack([colours, opacity])))
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40, disposal=2)
    first = read_movie(tmp_path / "a.gif")
    write_signal(first, tmp_path / "b.webp")
    second = read_movie(tmp_path / "b.webp")
    write_signal(second, tmp_path / "c.gif")
    for movie in (first, second, read_movie(tmp_path / "c.gif")):
        assert [np.flatnonzero(movie.header["alpha"][i, 5] < 0.5).tolist() for i in range(4)] == [
            list(range(4 * i, 4 * i + 8)) for i in range(4)
        ]


def test_the_still_picture_before_an_apng_is_passed_over(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.png", [40, 40, 40], default_image=True)
    movie = read_movie(path)
    assert movie.shape[0] == 2
    np.testing.assert_array_equal((255 * movie.values).round(), (255 * values_of(pan(3)[1:])).round())


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_a_damaged_animation_is_refused_in_one_line_or_read_as_far_as_it_goes(name: str, tmp_path: Path) -> None:
    data = animation(tmp_path / name).read_bytes()
    for part in (0.1, 0.4, 0.7):
        path = tmp_path / f"cut-{part}{name}"
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(SignalError) as error:
            read_movie(path)
        assert "\n" not in str(error.value) and str(path) in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".webp", ".gif", ".apng"])
def test_a_movie_of_one_frame_is_an_animation(tmp_path: Path, ending: str):
    picture = pan(1)[0]
    movie = read_movie(make_movie(tmp_path / "a.mkv", [picture, picture], "ffv1", "bgr0"))
    settings = TransferSettings(iterations=1, style_layers="relu1_1", content_layers="relu1_1", strength=0)
    painting = transfer_style(movie, picture, settings, output=tmp_path / f"b{ending}")
    painting.write(tmp_path / f"b{ending}")
    with Image.open(tmp_path / f"b{ending}") as written:
        assert written.size == (32, 24)
