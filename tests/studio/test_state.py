"""Runs from beginning to end, without a page: painted, stopped, gone on with, and kept."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SettingsError, SignalError
from impasto.media.image.read import read_image
from impasto.studio.history import Run
from impasto.studio.jobs import Job
from impasto.studio.painting import View
from impasto.studio.state import Recent, StudioState
from impasto.studio.uploads import Upload
from impasto.transfer.painter import Painting, transfer_style
from impasto.transfer.settings import TransferSettings
from tests.studio.conftest import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StudioState]:
    state = StudioState.in_folder(tmp_path / "studio")
    yield state
    state.queue.close(60)


@pytest.fixture(scope="session")
def uploads(pictures: dict[str, Path]) -> list[Upload]:
    return [Upload(path, f"{role}.png", ".png", (64, 96)) for role, path in pictures.items()]


def paint(state: StudioState, uploads: list[Upload], **settings: object) -> tuple[Run, Job]:
    how = TransferSettings(**{"size": 48, "iterations": 3, **settings})  # pyright: ignore[reportArgumentType]
    run = state.begin(uploads[0], uploads[1:], how)
    return run, state.jobs[run.id]


def ended(state: StudioState, run: Run) -> Run:
    wait_for(lambda: state.jobs[run.id].ended, run.id)
    return state.history.load(run.id)


def result(state: StudioState, run: Run) -> np.ndarray:
    return read_image(state.history.path(run, run.result)).values


def stop_after(state: StudioState, run: Run, evaluations: int) -> None:
    """Stop at exactly that evaluation, from within the thread that paints."""
    job = state.jobs[run.id]
    look = job.look

    def at_the_right_time() -> None:
        if isinstance(job.shown, View) and stopped.tick() == evaluations:
            job.stop()
        look()

    class Count:
        n = 0

        def tick(self) -> int:
            self.n += 1
            return self.n

    stopped = Count()
    job.look = at_the_right_time  # pyright: ignore[reportAttributeAccessIssue]


def test_a_painting_is_the_librarys_and_is_kept_with_its_settings(state: StudioState, uploads: list[Upload]):
    run, job = paint(state, uploads, beta=33)
    run = ended(state, run)
    assert (run.state, run.error, len(run.costs)) == ("done", "", 3)
    assert isinstance(job.shown, View) and len(job.shown.costs) == 3
    content, style = uploads
    expected = transfer_style(content.path, style.path, TransferSettings(size=48, iterations=3, beta=33))
    assert np.abs(result(state, run) - expected.signal.values).max() <= 0.5 / 255 + 1e-6
    with Image.open(state.history.path(run, run.result)) as picture:
        made = json.loads(picture.info["impasto"])
    assert (made["content"], made["style"]) == ("content.png", "style.png")
    assert made["settings"] == json.loads(json.dumps(expected.settings.as_dict()))
    with Image.open(state.history.path(run, "thumbnail.jpg")) as picture:
        assert picture.size == (48, 32)


def test_stopped_and_gone_on_with_it_is_the_same_painting(state: StudioState, uploads: list[Upload]):
    blocker, _ = paint(state, uploads, iterations=2)
    run, _ = paint(state, uploads, iterations=6)
    stop_after(state, run, 2)
    ended(state, blocker)
    stopped = ended(state, run)
    assert stopped.state == "stopped" and 1 <= len(stopped.costs) < 6
    assert result(state, stopped).shape == (3, 32, 48)
    state.go_on(run.id)
    done = ended(state, run)
    assert (done.state, len(done.costs)) == ("done", 6)
    assert done.costs[: len(stopped.costs)] == stopped.costs
    whole, _ = paint(state, uploads, iterations=6)
    whole = ended(state, whole)
    assert done.costs == whole.costs
    assert np.array_equal(result(state, done), result(state, whole))


def test_a_finished_painting_goes_on_from_its_result(state: StudioState, uploads: list[Upload]):
    run, _ = paint(state, uploads, iterations=4)
    first = ended(state, run)
    state.go_on(run.id)
    second = ended(state, run)
    assert (second.state, len(second.costs)) == ("done", 8)
    assert second.costs[:4] == first.costs
    assert second.costs[4]["J"] == pytest.approx(min(row["J"] for row in first.costs), rel=0.05)
    with Image.open(state.history.path(second, second.result)) as picture:
        settings = json.loads(picture.info["impasto"])["settings"]
    assert (settings["iterations"], settings["init"]) == (8, "content")


def test_a_result_of_several_scales_goes_on_at_its_own_size(state: StudioState, uploads: list[Upload]):
    run, _ = paint(state, uploads, size=64, scales=2, iterations=8)
    first = ended(state, run)
    assert [row["scale"] for row in first.costs] == [1] * 4 + [2] * 3
    state.go_on(run.id)
    second = ended(state, run)
    assert (second.state, len(second.costs)) == ("done", 4 + 3 + 3)
    assert second.costs[7]["J"] == pytest.approx(min(row["J"] for row in first.costs if row["scale"] == 2), rel=0.05)
    with Image.open(state.history.path(second, second.result)) as picture:
        assert json.loads(picture.info["impasto"])["settings"]["iterations"] == 8


def test_what_fails_says_why_and_the_next_is_painted(state: StudioState, uploads: list[Upload]):
    _, job = paint(state, uploads, size=8)
    after, _ = paint(state, uploads)
    after = ended(state, after)
    assert job.state == "failed" and "too small for relu5_1" in job.error
    assert (after.state, state.history.can_go_on(after)) == ("done", True)
    assert [run.id for run in state.history.all()] == [after.id]  # a failed attempt is no run


def test_a_disk_that_is_full_at_the_end_is_told_and_the_next_is_painted(
    state: StudioState, uploads: list[Upload], monkeypatch: pytest.MonkeyPatch
):
    write = Painting.write

    def full(painting: Painting, path: Path) -> None:
        monkeypatch.setattr(Painting, "write", write)
        raise SignalError(f"{path.name} cannot be written: No space left on device")

    monkeypatch.setattr(Painting, "write", full)
    failed, job = paint(state, uploads)
    after, _ = paint(state, uploads)
    failed, after = ended(state, failed), ended(state, after)
    assert (job.state, job.error) == ("failed", "result.png cannot be written: No space left on device")
    assert (failed.state, failed.result, after.state) == ("failed", "", "done")
    # what was descended is still there to be gone on with
    assert state.history.can_go_on(failed)
    state.go_on(failed.id)
    assert ended(state, failed).state == "done"


def test_jobs_that_ended_are_let_go_with_what_they_showed(state: StudioState):
    for number in range(20):
        job = state.begin_job(f"job {number}", lambda job: job.show(0.5))
        wait_for(lambda job=job: job.ended)
    assert len(state.jobs) <= 10
    assert "job 19" in state.jobs


def waiting_for(gate: threading.Event) -> Callable[[Job], None]:
    def work(job: Job) -> None:
        gate.wait(20)

    return work


def test_what_is_under_way_is_joined(state: StudioState):
    gate = threading.Event()
    first = state.begin_job("search", waiting_for(gate))
    assert state.begin_job("search", lambda job: pytest.fail("it was started")) is first
    waiting = state.begin_job("other", lambda job: None)
    assert state.place(waiting) == "1 before yours"
    gate.set()
    wait_for(lambda: waiting.ended)
    assert state.place(waiting) == ""
    assert state.begin_job("search", lambda job: None) is not first


def test_one_that_waited_and_was_stopped_leaves_nothing(state: StudioState, uploads: list[Upload]):
    working, _ = paint(state, uploads, iterations=300)
    waiting, job = paint(state, uploads)
    state.stop(waiting.id)
    assert job.state == "stopped"
    assert [run.id for run in state.history.all()] == [working.id]
    state.stop(working.id)


def test_the_end_of_the_server_interrupts_and_the_next_server_goes_on(tmp_path: Path, uploads: list[Upload]):
    state = StudioState.in_folder(tmp_path / "studio")
    run, job = paint(state, uploads, iterations=300)
    waiting, _ = paint(state, uploads, iterations=2)
    wait_for(lambda: job.shown is not None)
    state.queue.close(60)
    assert state.history.load(run.id).state == "interrupted"
    other = StudioState.in_folder(tmp_path / "studio")
    states = {found.id: found.state for found in other.history.all()}
    assert states == {run.id: "interrupted", waiting.id: "interrupted"}
    other.go_on(waiting.id)
    assert ended(other, waiting).state == "done"
    other.go_on(run.id)
    before = len(other.history.load(run.id).costs)
    wait_for(lambda: isinstance(other.jobs[run.id].shown, View))
    assert len(other.jobs[run.id].shown.costs) > before > 0
    other.queue.close(60)


def test_a_studio_that_is_open_keeps_its_folder(tmp_path: Path):
    folder = tmp_path / "studio"
    StudioState.in_folder(folder)
    StudioState.in_folder(folder)  # the same process
    (folder / "studio.pid").write_text("1 0.0")  # a process that ended, and whose number another one has
    StudioState.in_folder(folder)
    import psutil

    other = psutil.Process(1)
    (folder / "studio.pid").write_text(f"1 {other.create_time()}")
    with pytest.raises(SettingsError, match=r"is open in .* already \(process 1\)"):
        StudioState.in_folder(folder)
    with pytest.raises(SignalError, match="cannot be made"):
        StudioState.in_folder(folder / "studio.pid" / "below")


def test_a_run_that_ends_while_it_is_asked_to_go_on_keeps_what_was_painted(
    state: StudioState, uploads: list[Upload], monkeypatch: pytest.MonkeyPatch
):
    run, job = paint(state, uploads)
    load = state.history.load

    def load_late(identity: str) -> Run:
        """What was read just before the job ended."""
        found = load(identity)
        wait_for(lambda: job.ended)
        return found

    monkeypatch.setattr(state.history, "load", load_late)
    state.go_on(run.id)
    assert state.jobs[run.id] is job
    kept = load(run.id)
    assert (kept.state, len(kept.costs)) == ("done", 3)
    assert result(state, kept).shape == (3, 32, 48)


def test_stopped_while_it_waits_to_go_on_it_is_as_it_was(state: StudioState, uploads: list[Upload]):
    run, _ = paint(state, uploads)
    first = ended(state, run)
    gate = threading.Event()
    state.begin_job("other", waiting_for(gate))
    state.go_on(run.id)
    state.stop(run.id)
    gate.set()
    after = state.history.load(run.id)
    assert (after.state, after.costs) == ("stopped", first.costs)
    assert result(state, after).shape == (3, 32, 48)


def test_forgotten_while_it_is_painted_a_run_does_not_come_back(state: StudioState, uploads: list[Upload]):
    run, job = paint(state, uploads, iterations=300)
    wait_for(lambda: job.shown is not None)
    state.forget(run.id)
    assert list(state.history.all()) == []
    wait_for(lambda: job.ended)
    assert job.state == "stopped", job.error  # and not failed, as its folder was there until then
    wait_for(lambda: not (state.history.folder / run.id).exists())


def test_many_threads_keep_things_and_only_the_newest_stay():
    kept, trouble = Recent[int](3), list[BaseException]()

    def keep(thread: int) -> None:
        try:
            for number in range(2000):
                kept.keep(f"{thread} {number % 7}", number)
        except BaseException as error:
            trouble.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=keep, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert trouble == []
    assert len(kept) == 3
