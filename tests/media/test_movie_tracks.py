"""Sounds, subtitles and the rest beside the pictures: copied where they fit, else encoded anew or left out, and told."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.media.movie.read import read_movie
from impasto.media.read_write import write_signal
from impasto.media.registry import medium_of
from tests.media.movies import make_movie, pan

pytestmark = pytest.mark.slow

AAC, AC3, OPUS = ("aac", 44100, "stereo", 0.0), ("ac3", 48000, "stereo", 0.0), ("libopus", 48000, "mono", 0.0)


def packets_of(path: Path, kind: str = "audio") -> list[tuple[str, str | None, bytes]]:
    """Of each track its codec, its language and its bytes."""
    with av.open(str(path)) as container:
        tracks: Any = [stream for stream in container.streams if stream.type == kind]
        found = {track.index: b"" for track in tracks}
        for packet in container.demux(tracks):
            found[packet.stream.index] += bytes(packet)
        return [
            (track.codec_context.codec.canonical_name, track.metadata.get("language"), found[track.index])
            for track in tracks
        ]


def heard_from(path: Path, track: int = 0) -> float:
    """When the sound sets in after the first picture, in seconds."""
    with av.open(str(path)) as container:
        first: Any = next(container.decode(video=0))
        begin = first.time
    with av.open(str(path)) as container:
        frames: Any = list(container.decode(audio=track))
    loud = [np.abs(frame.to_ndarray().astype(float)).reshape(-1, frame.samples)[0] for frame in frames]
    times = np.concatenate([frame.time + np.arange(frame.samples) / frame.sample_rate for frame in frames])
    levels = np.concatenate(loud)
    return float(times[np.argmax(levels > 0.05 * levels.max())]) - begin


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".m4v", ".mov"])
def test_all_tracks_are_copied_with_their_languages(ending: str, tmp_path: Path, caplog) -> None:
    tags = [{"language": "eng", "title": "Original"}, {"language": "fra", "title": "Doublage"}]
    path = make_movie(tmp_path / "two.mkv", sounds=[AAC, AC3], tags=tags)
    out = tmp_path / f"out{ending}"
    write_signal(read_movie(path), out)
    assert packets_of(out) == packets_of(path)
    assert [language for _, language, _ in packets_of(out)] == ["eng", "fra"]
    assert not caplog.text
    if ending == ".mkv":
        with av.open(str(out)) as container:
            assert [s.metadata["title"] for s in container.streams.audio] == ["Original", "Doublage"]


def test_what_is_default_or_forced_stays_so(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mkv", sounds=[AAC, AC3], subtitles=[("subrip", "one")])
    movie = read_movie(path)
    tracks = [
        type(track)(track.kind, track.parameters, track.time_base, track.packets, track.tags, flags)
        for track, flags in zip(movie.header["tracks"], (0, 1, 1 | 64), strict=True)
    ]
    movie = type(movie)(movie.values, "movie", {**movie.header, "tracks": tuple(tracks)})
    write_signal(movie, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert [int(stream.disposition) for stream in container.streams][1:] == [0, 1, 65]


@pytest.mark.parametrize(
    ("name", "sound", "ending", "codec"),
    [
        ("a.mkv", AAC, ".webm", "opus"),
        ("a.mkv", ("ac3", 48000, "5.1(side)", 0.0), ".webm", "opus"),
        ("a.mov", ("pcm_s16le", 44100, "stereo", 0.0), ".webm", "opus"),
        ("a.mov", ("pcm_s16le", 96000, "stereo", 0.0), ".mkv", "pcm_s16le"),
        ("a.3gp", ("libopencore_amrnb", 8000, "mono", 0.0), ".mp4", "aac"),
        ("a.3gp", ("libopencore_amrnb", 8000, "mono", 0.0), ".mkv", "aac"),
        ("a.avi", ("adpcm_ima_wav", 44100, "stereo", 0.0), ".mp4", "aac"),
        ("a.mkv", OPUS, ".webm", "opus"),
        ("a.webm", OPUS, ".mp4", "opus"),
        ("a.mkv", ("flac", 48000, "stereo", 0.0), ".mov", "aac"),
        ("a.ts", ("mp2", 48000, "stereo", 0.0), ".mkv", "mp2"),
    ],
)
def test_sound_that_does_not_fit_is_encoded_anew_at_its_time(name, sound, ending, codec, tmp_path: Path, caplog) -> None:
    path = make_movie(tmp_path / name, sounds=[sound], codec="libvpx" if name.endswith(".webm") else "mpeg4")
    movie, out = read_movie(path), tmp_path / f"out{ending}"
    assert medium_of("movie").encode(medium_of("movie").sample(movie), out)
    caplog.clear()
    write_signal(movie, out)
    (found, _, data), (own, _, before) = packets_of(out)[0], packets_of(path)[0]
    told = "is encoded anew" in caplog.text
    assert found == codec and told == (own != codec) and (told or data == before)
    assert heard_from(out) == pytest.approx(heard_from(path), abs=0.004)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov", ".webm"])
@pytest.mark.parametrize(("sound", "picture"), [(0.1, 0), (0.0, 5)])
def test_sound_that_begins_later_or_earlier_stays_in_time(ending, sound, picture, tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", times=[picture + i for i in range(4)], sounds=[("aac", 48000, "stereo", sound)])
    write_signal(read_movie(path), tmp_path / f"out{ending}")
    assert heard_from(path) == pytest.approx(sound - picture / 25, abs=0.002)
    assert heard_from(tmp_path / f"out{ending}") == pytest.approx(heard_from(path), abs=0.003)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_the_aac_of_broadcasters_is_copied(ending: str, tmp_path: Path, caplog) -> None:
    path = make_movie(tmp_path / "a.ts", sounds=[AAC], codec="mpeg2video")
    write_signal(read_movie(path), tmp_path / f"out{ending}")
    with av.open(str(tmp_path / f"out{ending}")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert sum(frame.samples for frame in container.decode(audio=0)) > 0.12 * 44100
    assert not caplog.text


@pytest.mark.parametrize(
    ("given", "ending", "codec"),
    [
        ("subrip", ".mkv", "subrip"),
        ("ass", ".mkv", "ass"),
        ("subrip", ".mp4", "mov_text"),
        ("ass", ".mov", "mov_text"),
        ("subrip", ".webm", "webvtt"),
        ("mov_text", ".mkv", "subrip"),
        ("mov_text", ".webm", "webvtt"),
        ("mov_text", ".m4v", "mov_text"),
        ("webvtt", ".mp4", "mov_text"),
    ],
)
def test_subtitles_are_copied_or_written_anew(given: str, ending: str, codec: str, tmp_path: Path, caplog) -> None:
    name = "a.mp4" if given == "mov_text" else "a.mkv"
    path = make_movie(tmp_path / name, pan(6), subtitles=[(given, "hello\\Nyou")], tags=[{"language": "deu"}])
    write_signal(read_movie(path), tmp_path / f"out{ending}")
    assert [track[:2] for track in packets_of(tmp_path / f"out{ending}", "subtitle")] == [
        (codec, "ger" if ending == ".mov" else "deu")
    ]
    with av.open(str(tmp_path / f"out{ending}")) as container:
        track: Any = container.streams.subtitles[0]
        shown = [(float(p.pts * p.time_base), line.ass) for p in container.demux(track) if p.size for line in p.decode()]
    assert [(time, text.split(b",")[-1]) for time, text in shown] == [(0.04, b"hello\\Nyou")]
    assert ("written as" in caplog.text) == (given != codec)


def test_chapters_attachments_and_titles_are_kept_or_told(tmp_path: Path, caplog) -> None:
    def furnish(stream: Any, container: Any) -> None:
        spans = [(1, 0, 80, "eins"), (2, 80, 160, "zwei")]
        container.set_chapters([
            {"id": i, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
            for i, a, b, title in spans
        ])  # fmt: skip
        container.add_attachment("font.ttf", "font/ttf", b"letters" * 9)
        container.metadata.update(title="A walk", artist="B", comment="mine")

    movie = read_movie(make_movie(tmp_path / "a.mkv", setup=furnish))
    for ending in (".mkv", ".mp4", ".mov", ".webm"):
        caplog.clear()
        write_signal(movie, tmp_path / f"out{ending}", {"beta": 1})
        with av.open(str(tmp_path / f"out{ending}")) as container:
            assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["eins", "zwei"], ending
            metadata = {key.lower(): text for key, text in container.metadata.items()}
            assert (metadata["title"], metadata["artist"], metadata["comment"]) == ("A walk", "B", '{"beta": 1}')
            assert [stream.data for stream in container.streams.attachments] == [b"letters" * 9] * (ending == ".mkv")
        assert ("attached files" in caplog.text) == (ending != ".mkv") and "its comment" in caplog.text
        # what it has itself is no reason to speak
        caplog.clear()
        again = read_movie(tmp_path / f"out{ending}")
        write_signal(again, tmp_path / f"again{ending}")
        assert not caplog.text, ending


def test_an_animation_tells_what_it_has_no_place_for(tmp_path: Path, caplog) -> None:
    movie = read_movie(make_movie(tmp_path / "a.mkv", sounds=[AAC], subtitles=[("subrip", "one")]))
    write_signal(movie, tmp_path / "out.gif")
    assert "an animation has no place for: sound and subtitles" in caplog.text


def test_a_second_track_of_pictures_is_told(tmp_path: Path, caplog) -> None:
    def another(stream: Any, container: Any) -> None:
        second = container.add_stream("mjpeg", rate=25)
        second.width, second.height, second.pix_fmt = 16, 16, "yuvj420p"
        container.mux(second.encode(av.VideoFrame(16, 16, "yuvj420p"))) if stream.codec_context.is_open else None

    path = make_movie(tmp_path / "a.mkv", setup=another)
    movie = read_movie(path)
    assert movie.shape == (4, 24, 32)
    write_signal(movie, tmp_path / "out.mp4")
    assert "left out: further tracks of pictures (1)" in caplog.text
