"""Numbered pictures as the frames of a movie."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.media.movie.numbered import numbered_files, pattern_in
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.signal import Signal
from tests.media.movies import pan, values_of


def frames(folder: Path, names: list[str], size: tuple[int, int] = (12, 8)) -> Path:
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        Image.new("RGB", size, (10 * i, 0, 0)).save(folder / name)
    return folder


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["frame0001.png", "frame0002.png", "frame0010.png"], "frame%04d.png"),
        (["frame8.png", "frame9.png", "frame10.png"], "frame%d.png"),
        (["a 98.jpg", "a 99.jpg", "a 100.jpg"], "a %02d.jpg"),
        (["take2_001_x.png", "take2_002_x.png"], "take2_%03d_x.png"),
        (["100%_1.png", "100%_2.png"], "100%%_%d.png"),
        (["東京1.png", "東京2.png", "cover.png"], "東京%d.png"),
    ],
)
def test_the_pattern_of_a_folder(tmp_path: Path, names: list[str], pattern: str):
    folder = frames(tmp_path / "frames", [*names, ".hidden3.png"])
    assert pattern_in(folder) == folder / pattern
    expected = sorted((folder / name for name in names if name != "cover.png"), key=lambda path: (len(path.name), path.name))
    assert list(numbered_files(folder / pattern).values()) == expected


def test_frames_are_a_movie_with_the_rate_that_is_given(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = frames(tmp_path / "frames", ["f1.png", "f2.png", "f4.png"])
    for source in (folder / "f%d.png", str(folder / "f%d.png")):
        assert find_medium(source).name == "movie"
        movie = read_signal(source, 29.97)
        assert movie.values.shape == (3, 3, 8, 12) and movie.kind == "movie"
        assert np.allclose(movie.values[0, :, 0, 0], np.array([0, 10, 20]) / 255)
        assert movie.header["rate"] == Fraction(30000, 1001) and movie.header["times"] == (0, 1, 2)
    assert "1 of the numbers from 1 to 4 are missing" in caplog.text and "25 a second" not in caplog.text
    movie = find_medium(folder, "out.mp4").read(folder, None, 6, None)
    assert movie.shape == (3, 4, 6) and movie.header["rate"] == 25 and "shown at 25 a second" in caplog.text


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path):
    frames(tmp_path, ["50%d.png"])
    assert find_medium(tmp_path / "50%d.png").name == "image"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.png", "b.png"], "holds no numbered pictures, such as frame0001.png"),
        (["a1.png"], "holds no numbered pictures"),
        (
            ["a1.png", "a2.png", "b1.png", "b2.png"],
            r"the frames of 2 movies; give one of them: .*a%d\.png \(2\), .*b%d\.png",
        ),
    ],
)
def test_what_is_no_sequence_is_one_line(tmp_path: Path, names: list[str], message: str):
    with pytest.raises(SignalError, match=message):
        pattern_in(frames(tmp_path / "frames", names))


def test_frames_that_cannot_be_read_or_are_of_other_sizes_are_named(tmp_path: Path):
    folder = frames(tmp_path / "frames", ["f1.png", "f2.png"])
    frames(folder, ["f3.png"], (12, 9))
    with pytest.raises(SignalError, match=r"f3\.png has 12 x 9 pixels; 12 x 8"):
        read_signal(folder / "f%d.png")
    (folder / "f2.png").write_bytes(b"")
    with pytest.raises(SignalError, match=r"f2\.png is empty"):
        read_signal(folder / "f%d.png")
    with pytest.raises(SignalError, match=r"g%d\.png: there are no such files"):
        read_signal(folder / "g%d.png")
    with pytest.raises(SignalError, match="cannot be read"):
        read_signal(tmp_path / "missing" / "g%d.png")
    with pytest.raises(SignalError, match="one number"):
        read_signal(folder / "g%d_%d.png")


def test_transparent_frames_keep_their_opacity(tmp_path: Path):
    for i, alpha in enumerate((255, 0)):
        Image.new("RGBA", (8, 8), (9, 9, 9, alpha)).save(tmp_path / f"f{i}.png")
    assert read_signal(tmp_path / "f%d.png").header["alpha"].mean((1, 2)).tolist() == [1, 0]


def test_frames_are_written_with_their_numbers_and_read_again(tmp_path: Path):
    movie = Signal(values_of(pan(3)), "movie")
    (tmp_path / "out").mkdir()
    write_signal(movie, tmp_path / "out" / "frame%04d.png", {"impasto": "0"})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"frame000{i}.png" for i in (1, 2, 3)]
    assert np.abs(read_signal(tmp_path / "out" / "frame%04d.png", 25).values - movie.values).max() < 1e-6
    (tmp_path / "out" / "frame0002.png").unlink()
    again = read_signal(tmp_path / "out", 25, output=tmp_path / "other%d.png")
    assert again.kind == "movie" and again.header["numbers"] == (1, 3)
    write_signal(again, tmp_path / "other%d.jpg")
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == ["other1.jpg", "other3.jpg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frame%04d.mp4", "not written with the ending '.mp4'"),
        ("a%d-%d.png", "one number, as in frame%04d\\.png, was expected"),
        ("no/frame%d.png", "there is no folder|cannot be written"),
    ],
)
def test_where_frames_cannot_be_written(tmp_path: Path, name: str, message: str):
    with pytest.raises(SignalError, match=message):
        write_signal(Signal(values_of(pan(2)), "movie"), tmp_path / name)
    assert not list(tmp_path.rglob("*"))


def test_frames_beside_others_of_their_name_and_a_full_disk_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    movie, pattern = Signal(values_of(pan(2)), "movie"), tmp_path / "f%d.png"
    Image.new("RGB", (8, 8)).save(tmp_path / "f7.png")
    with pytest.raises(SignalError, match=r"f7\.png would be taken for one of the frames f%d\.png"):
        write_signal(movie, pattern)
    (tmp_path / "f7.png").unlink()
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "f2.png":
            raise OSError(28, "No space left on device")
        return write(path, data)

    with monkeypatch.context() as patch, pytest.raises(SignalError, match=r"f2\.png cannot be written: No space left"):
        patch.setattr(Path, "write_bytes", full)
        write_signal(movie, pattern)
    assert not list(tmp_path.iterdir())
    write_signal(movie, pattern)
    write_signal(movie, pattern)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f1.png", "f2.png"]
