"""Runs from beginning to end, without a page: painted, stopped, gone on with, and kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SettingsError, SignalError
from impasto.media.image.read import read_image
from impasto.studio.guard import Upload
from impasto.studio.history import Run
from impasto.studio.house import House
from impasto.studio.jobs import Job
from impasto.studio.painting import View
from impasto.transfer.settings import TransferSettings
from impasto.transfer.style_transfer import Painting, transfer_style
from tests.studio.conftest import wait_for


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House.in_folder(tmp_path / "studio")
    yield house
    house.desk.close(60)


@pytest.fixture(scope="session")
def uploads(pictures: dict[str, Path]) -> list[Upload]:
    return [Upload(path, f"{role}.png", ".png", (64, 96)) for role, path in pictures.items()]


def paint(house: House, uploads: list[Upload], **settings: object) -> tuple[Run, Job]:
    how = TransferSettings(**{"size": 48, "iterations": 3, **settings})  # pyright: ignore[reportArgumentType]
    run = house.begin(uploads[0], uploads[1:], how)
    return run, house.jobs[run.id]


def ended(house: House, run: Run) -> Run:
    wait_for(lambda: house.jobs[run.id].ended, run.id)
    return house.history.load(run.id)


def result(house: House, run: Run) -> np.ndarray:
    return read_image(house.history.path(run, run.result)).values


def stop_after(house: House, run: Run, evaluations: int) -> None:
    """Stop at exactly that evaluation, from within the thread that paints."""
    job = house.jobs[run.id]
    check = job.check

    def at_the_right_time() -> None:
        if isinstance(job.shown, View) and stopped.tick() == evaluations:
            job.stop()
        check()

    class Count:
        n = 0

        def tick(self) -> int:
            self.n += 1
            return self.n

    stopped = Count()
    job.check = at_the_right_time  # pyright: ignore[reportAttributeAccessIssue]


def test_a_painting_is_the_librarys_and_is_kept_with_its_settings(house: House, uploads: list[Upload]):
    run, job = paint(house, uploads, beta=33)
    run = ended(house, run)
    assert (run.state, run.error, len(run.costs)) == ("done", "", 3)
    assert isinstance(job.shown, View) and len(job.shown.costs) == 3
    expected = transfer_style(*(u.path for u in uploads), TransferSettings(size=48, iterations=3, beta=33))
    assert np.abs(result(house, run) - expected.signal.values).max() <= 0.5 / 255 + 1e-6
    with Image.open(house.history.path(run, run.result)) as picture:
        made = json.loads(picture.info["impasto"])
    assert (made["content"], made["style"]) == ("content.png", "style.png")
    assert made["settings"] == json.loads(json.dumps(expected.settings.as_dict()))
    with Image.open(house.history.path(run, "thumbnail.jpg")) as picture:
        assert picture.size == (48, 32)


def test_stopped_and_gone_on_with_it_is_the_same_painting(house: House, uploads: list[Upload]):
    blocker, _ = paint(house, uploads, iterations=2)
    run, _ = paint(house, uploads, iterations=6)
    stop_after(house, run, 2)
    ended(house, blocker)
    stopped = ended(house, run)
    assert stopped.state == "stopped" and 1 <= len(stopped.costs) < 6
    assert result(house, stopped).shape == (3, 32, 48)
    house.go_on(run.id)
    done = ended(house, run)
    assert (done.state, len(done.costs)) == ("done", 6)
    assert done.costs[: len(stopped.costs)] == stopped.costs
    whole, _ = paint(house, uploads, iterations=6)
    whole = ended(house, whole)
    assert done.costs == whole.costs
    assert np.array_equal(result(house, done), result(house, whole))


def test_a_finished_painting_goes_on_from_its_result(house: House, uploads: list[Upload]):
    run, _ = paint(house, uploads, iterations=4)
    first = ended(house, run)
    house.go_on(run.id)
    second = ended(house, run)
    assert (second.state, len(second.costs)) == ("done", 8)
    assert second.costs[:4] == first.costs
    assert second.costs[4]["J"] == pytest.approx(min(row["J"] for row in first.costs), rel=0.05)
    with Image.open(house.history.path(second, second.result)) as picture:
        settings = json.loads(picture.info["impasto"])["settings"]
    assert (settings["iterations"], settings["init"]) == (8, "content")


def test_a_result_of_several_scales_goes_on_at_its_own_size(house: House, uploads: list[Upload]):
    run, _ = paint(house, uploads, size=64, scales=2, iterations=8)
    first = ended(house, run)
    assert [row["scale"] for row in first.costs] == [1] * 4 + [2] * 3
    house.go_on(run.id)
    second = ended(house, run)
    assert (second.state, len(second.costs)) == ("done", 4 + 3 + 3)
    assert second.costs[7]["J"] == pytest.approx(min(row["J"] for row in first.costs if row["scale"] == 2), rel=0.05)
    with Image.open(house.history.path(second, second.result)) as picture:
        assert json.loads(picture.info["impasto"])["settings"]["iterations"] == 8


def test_what_fails_says_why_and_the_next_is_painted(house: House, uploads: list[Upload]):
    failed, job = paint(house, uploads, size=8)
    after, _ = paint(house, uploads)
    failed, after = ended(house, failed), ended(house, after)
    assert failed.state == "failed"
    assert "too small for relu5_1" in failed.error
    assert job.error == failed.error
    assert after.state == "done"
    assert [house.history.can_go_on(run) for run in (failed, after)] == [False, True]


def test_a_disk_that_is_full_at_the_end_is_told_and_the_next_is_painted(
    house: House, uploads: list[Upload], monkeypatch: pytest.MonkeyPatch
):
    write = Painting.write

    def full(painting: Painting, path: Path) -> None:
        monkeypatch.setattr(Painting, "write", write)
        raise SignalError(f"{path.name} cannot be written: No space left on device")

    monkeypatch.setattr(Painting, "write", full)
    failed, job = paint(house, uploads)
    after, _ = paint(house, uploads)
    failed, after = ended(house, failed), ended(house, after)
    assert (job.state, job.error) == ("failed", "result.png cannot be written: No space left on device")
    assert (failed.state, failed.result, after.state) == ("failed", "", "done")
    # what was descended is still there to be gone on with
    assert house.history.can_go_on(failed)
    house.go_on(failed.id)
    assert ended(house, failed).state == "done"


def test_jobs_that_ended_are_let_go_with_what_they_showed(house: House):
    for number in range(20):
        job = house.begin_job(f"job {number}", lambda job: job.show(0.5))
        wait_for(lambda job=job: job.ended)
    assert len(house.jobs) <= 10
    assert "job 19" in house.jobs


def test_what_is_under_way_is_joined(house: House):
    gate = threading.Event()
    first = house.begin_job("search", lambda job: gate.wait(20))
    assert house.begin_job("search", pytest.fail) is first
    waiting = house.begin_job("other", lambda job: None)
    assert house.place(waiting) == "1 before yours"
    gate.set()
    wait_for(lambda: waiting.ended)
    assert house.place(waiting) == ""
    assert house.begin_job("search", lambda job: None) is not first


def test_one_that_waited_and_was_stopped_leaves_nothing(house: House, uploads: list[Upload]):
    working, _ = paint(house, uploads, iterations=300)
    waiting, job = paint(house, uploads)
    house.stop(waiting.id)
    assert job.state == "stopped"
    assert [run.id for run in house.history.all()] == [working.id]
    house.stop(working.id)


def test_the_end_of_the_server_interrupts_and_the_next_server_goes_on(tmp_path: Path, uploads: list[Upload]):
    house = House.in_folder(tmp_path / "studio")
    run, job = paint(house, uploads, iterations=300)
    waiting, _ = paint(house, uploads, iterations=2)
    wait_for(lambda: job.shown is not None)
    house.desk.close(60)
    assert house.history.load(run.id).state == "interrupted"
    other = House.in_folder(tmp_path / "studio")
    states = {found.id: found.state for found in other.history.all()}
    assert states == {run.id: "interrupted", waiting.id: "interrupted"}
    other.go_on(waiting.id)
    assert ended(other, waiting).state == "done"
    other.go_on(run.id)
    before = len(other.history.load(run.id).costs)
    wait_for(lambda: isinstance(other.jobs[run.id].shown, View))
    assert len(other.jobs[run.id].shown.costs) > before > 0
    other.desk.close(60)


def test_a_studio_that_is_open_keeps_its_folder(tmp_path: Path):
    folder = tmp_path / "studio"
    House.in_folder(folder)
    House.in_folder(folder)  # the same process
    (folder / "studio.pid").write_text("1 0.0")  # a process that ended, and whose number another one has
    House.in_folder(folder)
    import psutil

    other = psutil.Process(1)
    (folder / "studio.pid").write_text(f"1 {other.create_time()}")
    with pytest.raises(SettingsError, match=r"is open in .* already \(process 1\)"):
        House.in_folder(folder)
    with pytest.raises(SignalError, match="cannot be made"):
        House.in_folder(folder / "studio.pid" / "below")
