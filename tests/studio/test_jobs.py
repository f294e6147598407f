"""The queue: one job at a time on each device, in order, whatever happens to each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from impasto.errors import ImpastoError, SizeError
from impasto.studio.jobs import MOST_WAITING, Job, JobQueue

SECONDS = 20


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Gate:
    """Work that goes on until it is opened, or asked to stop."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, job: Job) -> None:
        while not self.open.wait(0.005):
            job.check()


@pytest.fixture
def queue():
    queue = JobQueue()
    yield queue
    queue.close(SECONDS)


def test_jobs_are_done_in_the_order_they_came_and_never_two_at_once(queue: JobQueue):
    order: list[int] = []
    inside = threading.Lock()

    def work(number: int) -> Callable[[Job], None]:
        def run(job: Job) -> None:
            assert inside.acquire(blocking=False)
            order.append(number)
            inside.release()

        return run

    jobs = [queue.add(Job(work(i)), "cpu") for i in range(20)]
    wait_for(lambda: all(job.ended for job in jobs))
    assert {job.state for job in jobs} == {"done"}
    assert order == list(range(20))


def test_devices_do_not_wait_for_each_other(queue: JobQueue):
    first, second = Gate(), Gate()
    slow = queue.add(Job(first), "cpu")
    other = queue.add(Job(second), "cuda")
    wait_for(lambda: slow.state == other.state == "working")
    second.open.set()
    wait_for(lambda: other.state == "done")
    assert slow.state == "working"


def test_the_place_in_the_queue_is_told_and_moves_on(queue: JobQueue):
    gates = [Gate() for _ in range(3)]
    jobs = [queue.add(Job(gate), "cpu") for gate in gates]
    assert [queue.before(job) for job in jobs] == [0, 1, 2]
    version = jobs[2].version
    gates[0].open.set()
    wait_for(lambda: jobs[2].version > version)
    assert [queue.before(job) for job in jobs[1:]] == [0, 1]


def test_one_that_waits_leaves_at_once_and_one_that_works_soon(queue: JobQueue):
    working, waiting, last = (queue.add(Job(Gate()), "cpu") for _ in range(3))
    wait_for(lambda: working.state == "working")
    queue.cancel(waiting)
    assert waiting.state == "stopped"
    assert queue.before(last) == 1
    queue.cancel(working)
    wait_for(lambda: working.state == "stopped" and last.state == "working")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (SizeError("too  large:\ngive a smaller one"), "too large: give a smaller one"),
        (MemoryError(), "the memory ran out: choose a smaller size"),
        (OSError(28, "No space left on device"), "a file could not be read or written: No space left on device"),
        (ZeroDivisionError("x"), "something unexpected happened (ZeroDivisionError); the terminal has the details"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_the_queue_goes_on(queue: JobQueue, trouble: Exception, told: str):
    def fail(job: Job) -> None:
        raise trouble

    failed, after = queue.add(Job(fail), "cpu"), queue.add(Job(lambda job: None), "cpu")
    wait_for(lambda: after.ended)
    assert (failed.state, failed.error) == ("failed", told)
    assert after.state == "done"


def test_a_queue_has_an_end(queue: JobQueue):
    for _ in range(MOST_WAITING + 1):
        queue.add(Job(Gate()), "cpu")
    with pytest.raises(ImpastoError, match=r"33 runs are waiting already"):
        queue.add(Job(Gate()), "cpu")


def test_what_the_work_held_is_let_go(queue: JobQueue):
    job = queue.add(Job(lambda job: job.show("seen")), "cpu")
    wait_for(lambda: job.ended)
    assert job.shown == "seen"
    wait_for(lambda: job._work is None)


@pytest.mark.slow
def test_what_nobody_waits_for_ends(queue: JobQueue):
    left = queue.add(Job(Gate(), lease=0.1), "cpu")
    wait_for(lambda: left.state == "stopped")

    async def look() -> list[str]:
        states: list[str] = []
        async for _ in watched.changes():
            states.append(watched.state)
            if states[-1] == "working":
                await asyncio.sleep(0.3)
                gate.open.set()
        return states

    gate = Gate()
    watched = queue.add(Job(gate, lease=60), "cpu")
    assert asyncio.run(look())[-1] == "done"


def test_closing_stops_everything_and_waits():
    queue = JobQueue()
    jobs = [queue.add(Job(Gate()), "cpu") for _ in range(3)]
    queue.close(SECONDS)
    assert {job.state for job in jobs} == {"stopped"}


def test_a_queue_that_is_closed_takes_nothing_more():
    queue = JobQueue()
    queue.close(SECONDS)
    with pytest.raises(ImpastoError, match="is being closed"):
        queue.add(Job(lambda job: pytest.fail("it was started")), "cpu")


def test_one_that_was_asked_to_stop_is_not_joined():
    job = Job(lambda job: None, lease=60)
    assert job.join()
    assert job.stop()
    assert job.state == "stopped" and not job.join()
    job.run()
    assert job.state == "stopped"


def test_two_lines_of_a_device_take_turns_and_compute_never_at_once(queue: JobQueue):
    order: list[str] = []
    inside = threading.Lock()

    def work(name: str) -> Callable[[Job], None]:
        def run(job: Job) -> None:
            for _ in range(20):
                assert inside.acquire(blocking=False)
                order.append(name)
                time.sleep(0.002)
                inside.release()
                job.look()

        return run

    painting = queue.add(Job(work("paint")), "cpu")
    looking = queue.add(Job(work("look")), "cpu", "looking")
    wait_for(lambda: painting.ended and looking.ended)
    assert painting.state == looking.state == "done", (painting.error, looking.error)
    assert order.index("look") < 5 and "".join(order).count("paintlook") > 10  # it does not wait for the end of the painting


def test_ones_own_jobs_change_places_and_nobody_is_overtaken(queue: JobQueue):
    first, mine, other, mine_too = (queue.add(Job(Gate(), owner=name), "cpu") for name in ("x", "me", "other", "me"))
    wait_for(lambda: first.state == "working")
    queue.hasten(mine_too)
    assert [queue.before(job) for job in (mine_too, other, mine)] == [1, 2, 3]
    queue.hasten(mine_too)  # it is the first of one's own already
    queue.hasten(other)
    queue.hasten(first)
    assert [queue.before(job) for job in (mine_too, other, mine)] == [1, 2, 3]
