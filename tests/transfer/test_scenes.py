"""Movies in scenes: cuts are found and told, and each scene is painted anew, here or by several workers."""

from __future__ import annotations

import logging
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError
from impasto.media.movie.scenes import cuts_of, find_cuts, scenes_of
from impasto.media.read_write import read_signal
from impasto.media.signal import Signal
from impasto.transfer.scenes import transfer_scenes
from tests.media.movies import make_movie, pan, values_of

SMALL = impasto.TransferSettings(size=32, iterations=6, content_layers="relu1_1", style_layers="relu1_1")


def other(count: int) -> list[np.ndarray]:
    """Another camera, over another photograph."""
    picture = data.coffee()[::6, ::6]
    return [np.ascontiguousarray(picture[i : i + 24, 2 * i : 2 * i + 32]) for i in range(count)]


def three_scenes() -> list[np.ndarray]:
    return [*pan(4), *other(3), *[255 - frame for frame in pan(3)]]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_movie(tmp_path / "film.mkv", three_scenes(), codec="ffv1", pixels="bgr0")
    Image.fromarray(data.chelsea()[::9, ::9]).save("wave.png")
    return tmp_path


def movie_of(frames: list[np.ndarray]) -> Signal:
    return Signal(values_of(frames), "movie")


def test_cuts_are_found_and_told(caplog: pytest.LogCaptureFixture):
    movie = movie_of(three_scenes())
    with caplog.at_level(logging.WARNING):
        assert cuts_of(movie, "auto") == (4, 7)
    assert "3 scenes are painted, each anew; they begin at the frames 0, 4, 7 (--cuts tells others, or none)" in caplog.text
    assert scenes_of((4, 7), 10) == [(0, 4), (4, 7), (7, 10)]


def test_what_is_no_cut(caplog: pytest.LogCaptureFixture):
    flash = pan(9)
    flash[4] = np.full_like(flash[4], 250)
    brighter = [np.clip(frame * (1 + 0.15 * i), 0, 255).astype(np.uint8) for i, frame in enumerate(pan(8))]
    fade = [((1 - i / 9) * a + i / 9 * b).astype(np.uint8) for i, (a, b) in enumerate(zip(pan(10), other(10), strict=True))]
    for frames in (pan(8), pan(1), flash, brighter, fade, [pan(1)[0]] * 5):
        assert find_cuts(movie_of(frames)) == ()
    assert not caplog.records


def test_a_scene_is_painted_as_a_movie_of_its_own(desk: Path):
    whole = impasto.transfer_style("film.mkv", "wave.png", SMALL, output="out.mkv").signal
    film = read_signal("film.mkv")
    for first, end in ((0, 4), (4, 7), (7, 10)):
        part = Signal(np.ascontiguousarray(film.values[:, first:end]), "movie")
        alone = impasto.transfer_style(part, "wave.png", SMALL).signal
        assert np.array_equal(whole.values[:, first:end], alone.values)
    through = impasto.transfer_style("film.mkv", "wave.png", impasto.TransferSettings(**{**SMALL.as_dict(), "cuts": "none"}))
    assert np.array_equal(through.signal.values[:, :4], whole.values[:, :4])
    assert not np.array_equal(through.signal.values[:, 4:], whole.values[:, 4:])


@pytest.mark.parametrize("how", [{}, {"init": "random", "cuts": (2, 6)}], ids=["found", "given"])
def test_scenes_at_once_are_the_file_of_one_run(desk: Path, how: dict[str, Any]):
    settings = impasto.TransferSettings(**{**SMALL.as_dict(), **how})
    one = impasto.transfer_style("film.mkv", "wave.png", settings, output="one.mkv")
    one.write("one.mkv")
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as executor:
        several = transfer_scenes(
            "film.mkv", "wave.png", "one.mkv", settings, executor=executor, on_progress=lambda *now: seen.append(now[:2])
        )
    several.write("several.mkv")
    assert Path("one.mkv").read_bytes() == Path("several.mkv").read_bytes()
    assert np.array_equal(one.signal.values, several.signal.values)
    costs = [[(e.evaluation, e.costs) for e in painting.history] for painting in (one, several)]
    assert costs[0] == costs[1] and one.best.evaluation == several.best.evaluation
    assert seen[-1] == (3, 3)


class Mortal(Executor):
    """Does what it is given until it has done so many things, and then dies."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def submit(self, fn: Any, /, *given: Any, **how: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.lives -= 1
        if self.lives < 0:
            future.set_exception(BrokenExecutor("killed"))
        else:
            future.set_result(fn(*given, **how))
        return future


def test_scenes_that_are_painted_are_kept(desk: Path, caplog: pytest.LogCaptureFixture):
    whole = impasto.transfer_style("film.mkv", "wave.png", SMALL, output="one.mkv")
    with pytest.raises(SignalError, match="a worker died"):
        transfer_scenes("film.mkv", "wave.png", "out.mkv", SMALL, executor=Mortal(2), checkpoint="kept")
    assert sorted(path.name for path in Path("kept").iterdir()) == ["scene-0-4", "scene-4-7"]
    different = impasto.TransferSettings(**{**SMALL.as_dict(), "beta": 7.0})
    with pytest.raises(SettingsError, match=r"kept keeps an unfinished painting with beta .*the command that it is of"):
        transfer_scenes("film.mkv", "wave.png", "out.mkv", different, executor=Mortal(9), checkpoint="kept")
    Path("kept", "scene-7-10.part").write_bytes(b"half of it")
    executor, seen = Mortal(1), list[tuple[int, int]]()
    painting = transfer_scenes(
        "film.mkv", "wave.png", "out.mkv", SMALL, executor=executor, checkpoint="kept",
        on_progress=lambda *now: seen.append(now[:2]),
    )  # fmt: skip
    assert executor.lives == 0 and seen[-1] == (3, 3)
    assert "going on from kept: 2 of 3 scenes are painted" in caplog.text
    assert np.array_equal(painting.signal.values, whole.signal.values)
    assert [e.costs for e in painting.history] == [e.costs for e in whole.history] and painting.best.cost == whole.best.cost
    Path("kept", "mine.txt").write_text("stays")
    painting.write("out.mkv")
    assert [path.name for path in Path("kept").iterdir()] == ["mine.txt"]
    Path("out.mkv.checkpoint").write_bytes(b"of one process")
    with pytest.raises(SignalError, match="keeps a movie that one process paints: 'impasto resume"):
        transfer_scenes("film.mkv", "wave.png", "out.mkv", SMALL, executor=executor, checkpoint="out.mkv.checkpoint")


def test_a_cut_off_run_goes_on_across_a_cut(desk: Path):
    whole = impasto.transfer_style("film.mkv", "wave.png", SMALL)
    cancel = Event()
    how: dict[str, Any] = {"checkpoint": "kept", "checkpoint_every": 0}
    stop = lambda progress: cancel.set() if progress.latest.evaluation == 15 else None  # noqa: E731
    assert not impasto.transfer_style("film.mkv", "wave.png", SMALL, cancel=cancel, on_progress=stop, **how).finished
    assert np.array_equal(impasto.transfer_style("film.mkv", "wave.png", SMALL, **how).signal.values, whole.signal.values)


def test_what_is_cancelled_stays_as_the_content(desk: Path):
    class Waiting(Future[Any]):
        def cancel(self) -> bool:
            return super().cancel() and not self.set_running_or_notify_cancel()

    class First(Executor):
        """Does one thing, and nothing more."""

        done = False

        def submit(self, fn: Any, /, *given: Any, **how: Any) -> Future[Any]:
            future = Waiting()
            if not self.done:
                future.set_result(fn(*given, **how))
            self.done = True
            return future

    cancel = Event()
    how: dict[str, Any] = {"executor": First(), "cancel": cancel}
    stop = lambda done, *_: cancel.set() if done else None  # noqa: E731
    painting = transfer_scenes("film.mkv", "wave.png", "out.mkv", SMALL, on_progress=stop, **how)
    assert not painting.finished
    film = read_signal("film.mkv").values
    assert np.array_equal(painting.signal.values[:, 4:], film[:, 4:])
    assert not np.array_equal(painting.signal.values[:, :4], film[:, :4])
    with pytest.raises(SignalError, match="interrupted before a scene was painted"):
        transfer_scenes("film.mkv", "wave.png", "out.mkv", SMALL, **how)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"cuts": "3,2"}, "cuts '3,2': auto, none, or ascending numbers of frames"),
        ({"cuts": "soon"}, "soon"),
        ({"cuts": 0}, "cuts"),
    ],
)
def test_what_are_no_cuts(how: dict[str, Any], message: str):
    with pytest.raises(SettingsError, match=message):
        impasto.TransferSettings(**how)


def test_cuts_where_there_are_none(desk: Path):
    with pytest.raises(SettingsError, match="cuts has frame 10; the movie has 10, from 0 to 9"):
        impasto.transfer_style("film.mkv", "wave.png", impasto.TransferSettings(**{**SMALL.as_dict(), "cuts": "4,10"}))
    with pytest.raises(SettingsError, match="only for movie"):
        impasto.transfer_style("wave.png", "wave.png", impasto.TransferSettings(cuts="4"))
    with ThreadPoolExecutor(1) as executor, pytest.raises(SettingsError, match="has no scenes to be painted at once"):
        transfer_scenes("wave.png", "wave.png", "out.png", executor=executor)
    with ThreadPoolExecutor(1) as executor, pytest.raises(SignalError):
        transfer_scenes("missing.mkv", "wave.png", "out.mkv", executor=executor)
