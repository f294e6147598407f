"""The lecture of a visitor is kept part by part, taken over, and found again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from impasto.lecture.compute import PARTS
from impasto.studio import lectures
from impasto.studio.jobs import Job
from impasto.studio.lectures import LectureView, Pair, give_lecture, recall_lecture
from impasto.studio.visits import Visits

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(pictures: dict[str, Path]) -> Pair:
    return Pair(pictures["content"], pictures["style"], ("a", "b"))


def test_it_is_stopped_with_what_there_is_and_goes_on(tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lectures, "_SECONDS_BETWEEN", 0)
    give = partial(give_lecture, Visits(tmp_path), size=64, shortened=1)
    visits = Visits(tmp_path)
    visitor = visits.new()
    first = Job(give(visitor, pair))
    views: list[LectureView] = []
    show = first.show
    first.show = lambda what: (views.append(what), show(what), first.stop() if what.part == "layers" else None)[0]  # pyright: ignore
    first.run()
    assert first.state == "stopped"
    assert any(view.live.startswith("data:image/webp") for view in views)
    kept = recall_lecture(visits, visitor)
    assert kept is not None
    assert list(kept.lecture.parts) == ["pictures", "content"]
    assert kept.digest == pair.digest
    assert not kept.whole

    second = Job(give(visitor, pair))
    second.run()
    assert second.state == "done", second.error
    whole = recall_lecture(Visits(tmp_path), visitor)
    assert whole is not None
    assert whole.whole
    assert tuple(whole.lecture.parts) == PARTS
    assert whole.lecture.parts["content"] == kept.lecture.parts["content"]
    assert (whole.lecture.content, whole.lecture.style) == ("a", "b")


def test_other_pictures_have_another_digest_and_other_names_have_not(tmp_path: Path, pair: Pair):
    copy = tmp_path / "copy.png"
    copy.write_bytes(pair.content.read_bytes())
    assert Pair(copy, pair.style, ("c", "d")).digest == pair.digest
    assert Pair(pair.style, pair.content, pair.names).digest != pair.digest


def test_a_file_that_is_gone_fails_in_a_sentence(tmp_path: Path, pair: Pair):
    job = Job(give_lecture(Visits(tmp_path), "", Pair(tmp_path / "gone.png", pair.style, pair.names)))
    job.run()
    assert job.state == "failed"
    assert job.error == "gone.png cannot be read: No such file or directory"
