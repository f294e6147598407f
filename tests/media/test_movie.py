from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from skimage import data

from impasto.errors import SignalError
from impasto.media.movie.read import read_movie
from impasto.media.read_write import write_signal
from impasto.media.signal import Signal


@pytest.fixture(scope="module")
def pan() -> Signal:
    """Twelve frames of a camera that moves over a photograph, at NTSC's rate."""
    picture = data.astronaut()[::2, ::2].astype(np.float32).transpose(2, 0, 1) / 255
    frames = np.stack([picture[:, 2 * i : 2 * i + 64, 3 * i : 3 * i + 96] for i in range(12)], axis=1)
    header = {"rate": Fraction(30000, 1001), "time_base": Fraction(1001, 30000), "times": tuple(range(12))}
    return Signal(frames, "movie", header)


@pytest.fixture(scope="module")
def with_sound(pan: Signal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movies")
    write_signal(pan, folder / "silent.mp4")
    path = folder / "sound.mp4"
    tone = (0.3 * np.sin(np.arange(19200) * 2 * np.pi * 440 / 48000)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    frame.sample_rate = 48000
    with av.open(str(folder / "silent.mp4")) as source, av.open(str(path), "w") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("aac", rate=48000, layout="mono")
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = pictures
                target.mux(packet)
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            target.mux(packet)
    return path


def sound_of(path: Path) -> tuple[bytes, float, str]:
    """The undecoded sound, when it starts after the pictures, and its codec."""
    with av.open(str(path)) as container:
        track: Any = container.streams.audio[0]
        packets = [packet for packet in container.demux(track) if packet.dts is not None]
    with av.open(str(path)) as container:
        picture: Any = next(container.decode(container.streams.video[0]))
        start = picture.time
    return b"".join(map(bytes, packets)), float(packets[0].pts * packets[0].time_base) - start, track.codec_context.name


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_frames_rate_and_colours_come_back(pan: Signal, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    write_signal(pan, path, {"beta": 20})
    after = read_movie(path)
    assert after.kind == "movie" and after.values.shape == pan.values.shape and after.values.dtype == np.float32
    assert abs(float(after.header["rate"]) - 29.97) < 0.01
    error = 255 * (after.values - pan.values)
    assert np.abs(error).mean() < 4 and np.abs(error.mean((1, 2, 3))).max() < 1
    with av.open(str(path)) as container:
        comments = {key.lower(): value for key, value in container.metadata.items()}
    assert comments["comment"] == '{"beta": 20}'


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_sound_is_copied_bit_by_bit_and_in_time(with_sound: Path, suffix: str, tmp_path: Path) -> None:
    write_signal(read_movie(with_sound), tmp_path / f"out{suffix}")
    before, after = sound_of(with_sound), sound_of(tmp_path / f"out{suffix}")
    assert after[0] == before[0] and after[2] == "aac"
    assert abs(after[1] - before[1]) < 0.002


def test_sound_that_the_format_cannot_hold_is_encoded_anew(with_sound: Path, tmp_path: Path) -> None:
    write_signal(read_movie(with_sound), tmp_path / "out.webm")
    assert sound_of(tmp_path / "out.webm")[2] == "opus"


def test_uneven_times_are_kept(pan: Signal, tmp_path: Path) -> None:
    times = tuple(np.cumsum(np.random.default_rng(0).integers(1, 5, 12)).tolist())
    write_signal(Signal(pan.values, "movie", {**pan.header, "times": times}), tmp_path / "out.mkv")
    after = read_movie(tmp_path / "out.mkv")
    seconds = np.array([float(time * after.header["time_base"]) for time in after.header["times"]])
    expected = np.array(times) * 1001 / 30000
    np.testing.assert_allclose(np.diff(seconds), np.diff(expected), atol=0.0011)  # Matroska counts milliseconds


def test_a_movie_is_made_smaller_while_it_is_read(with_sound: Path) -> None:
    assert read_movie(with_sound, 48).shape == (12, 32, 48)
    assert read_movie(with_sound, 500).shape == (12, 64, 96)


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "text.mp4", "empty.mp4", "sound_only.mkv", "none.mp4"])
def test_damaged_movies_are_refused_in_one_line(name: str, with_sound: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "cut.mkv":
        write_signal(read_movie(with_sound), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "sound_only.mkv":
        path.write_bytes(read_movie(with_sound).header["tracks"][0].parameters)
    elif name != "none.mp4":
        whole = with_sound.read_bytes()
        path.write_bytes({"cut.mp4": whole[: len(whole) // 2], "text.mp4": b"hello " * 99, "empty.mp4": b""}[name])
    with pytest.raises(SignalError, match=name) as error:
        read_movie(path)
    assert "\n" not in str(error.value)
