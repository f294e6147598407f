"""The estimate before a run: in proportion to pixels and evaluations, as measured."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from impasto.descent.descend import Evaluation, pace
from impasto.errors import SizeError
from impasto.studio import estimate
from impasto.studio.components.result_view import span
from impasto.studio.estimate import Speed
from impasto.studio.uploads import Upload
from impasto.transfer.settings import TransferSettings

PICTURE = Upload(Path("a.png"), "a.png", ".png", (50, 100))


def evaluations(*seconds: float, scale: int = 1) -> list[Evaluation]:
    return [Evaluation(i + 1, 1.0, {}, {}, at, scale) for i, at in enumerate(seconds)]


@pytest.mark.slow
def test_time_is_in_proportion_to_pixels_and_evaluations():
    speed = Speed()
    speed.learn(evaluations(9.0, 10.0, 11.0), (100, 200))  # a second for each; the first also started everything
    assert speed.tell(PICTURE, TransferSettings(size=200, iterations=30)).startswith("200 × 100 · about 30 s · ")
    assert speed.tell(PICTURE, TransferSettings(size=400, iterations=60, scales=1)).startswith("400 × 200 · about 4 min · ")
    speed.learn(evaluations(5.0), (10, 10))  # one alone says nothing
    assert "about 30 s" in speed.tell(PICTURE, TransferSettings(size=200, iterations=30))


def test_evaluations_at_a_smaller_scale_count_as_parts():
    speed = Speed()
    speed.learn([*evaluations(0.1, 0.2), *evaluations(1.0, 2.0, scale=2)], (256, 512))
    # 29 at 256 pixels, which take as long as 7 at 512, and 23 at 512
    assert "512 × 256 · about 30 s · " in speed.tell(PICTURE, TransferSettings(size=512, iterations=58))


def test_a_busy_moment_does_not_count():
    assert pace(evaluations(1, 2, 3, 99, 100, 101)) == 1
    assert pace([*evaluations(1, 2), *evaluations(9, scale=2)]) is None


def test_of_other_signals_the_time_is_that_of_the_last_one():
    speed, sound = Speed(), Upload(Path("a.wav"), "a.wav", ".wav", (1000,), "sound", "1 s at 1000 Hz, mono")
    assert speed.tell(sound, TransferSettings(iterations=30)) == "1 s at 1000 Hz, mono"
    speed.learn(evaluations(1.0, 2.0), (500,), "sound")
    assert speed.tell(sound, TransferSettings(iterations=30)) == "1 s at 1000 Hz, mono · about 60 s"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seconds"), [("image", 1.0), ("sound", 2.0)])
def test_it_is_measured_once_with_the_files_and_is_as_the_dry_run_says(
    tmp_path: Path, kind: str, seconds: float, monkeypatch: pytest.MonkeyPatch
):
    asked: list[object] = []

    def measured(inputs: object) -> SimpleNamespace:
        asked.append(inputs)
        return SimpleNamespace(seconds=120 * seconds)

    monkeypatch.setattr(estimate, "dry_run", measured)
    monkeypatch.setattr(estimate, "take_in", lambda *given: given)
    upload = PICTURE if kind == "image" else Upload(Path("a.wav"), "a.wav", ".wav", (1000,), "sound", "1 s")
    speed = Speed()
    for _ in range(2):
        assert f"about {span(120 * seconds)}" in speed.tell(upload, TransferSettings(), [upload])
    assert len(asked) == 1
    speed.tell(upload, TransferSettings(optimizer="gd"), [upload])
    assert len(asked) == 2


def test_before_anything_was_measured_there_is_no_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(estimate, "_PATIENCE", 0)
    assert "about" not in Speed().tell(PICTURE, TransferSettings(size=200))


def test_what_does_not_fit_is_said():
    with pytest.raises(SizeError, match=r"of memory and .* may be taken"):
        Speed().tell(PICTURE, TransferSettings(size=200, memory=2**20))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (7800, "2 h 10 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str):
    assert span(seconds) == words
