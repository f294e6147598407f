"""What an executor paints, waited for as it ends, and what is told of it meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from threading import Event
from typing import Any, Protocol, TypeVar

from impasto.cluster.executor import Cluster, give_up
from impasto.descent.descend import Progress

# seconds after which it is looked at what has been told, and between two things that a worker tells
_TICK = 0.25

AtWork = Mapping[str, tuple[int, int]]
"""By the names of what is being painted, how many evaluations of J are done, and how many there are to be."""


class Named(Protocol):
    """Something that is to be painted, with the name by which a worker tells of it."""

    @property
    def name(self) -> str:
        """The name."""
        ...


Task = TypeVar("Task", bound=Named)


def as_they_end(
    tasks: Iterator[Task],
    submit: Callable[[Task], Future[Any]],
    executor: Executor,
    cancel: Event,
    tell: Callable[[str, AtWork], object],
) -> Iterator[tuple[Task, Future[Any], AtWork]]:
    """Each task and its future as they end, with what else is at work; once it is cancelled, of those that had begun.

    Args:
        tasks: what is to be painted; no more are asked for than an executor can have at once.
        submit: gives one to the executor.
        executor: a cluster is told to stop too, and gives up what is at work when nobody waits for it any more.
        cancel: stops all.
        tell: called with the name of what a worker has told of, and all that are at work.
    """
    cluster = executor if isinstance(executor, Cluster) else None
    waiting: dict[Future[Any], Task] = {}
    at_work: dict[str, tuple[int, int]] = {}
    stopped = False
    _ = list(cluster.told()) if cluster else ()  # of tasks before

    def fill_up() -> None:
        ahead = cluster.ahead if cluster else math.inf
        while not cancel.is_set() and len(waiting) < ahead and (task := next(tasks, None)) is not None:
            waiting[submit(task)] = task

    try:
        fill_up()
        while waiting:
            done, _ = wait(waiting, _TICK, FIRST_COMPLETED)
            if cancel.is_set() and not stopped:
                stopped = True
                give_up(waiting, executor)
            for name, evaluations, iterations in cluster.told() if cluster else ():
                at_work[name] = (evaluations, iterations)
                tell(name, dict(at_work))
            for future in done:
                task = waiting.pop(future)
                at_work.pop(task.name, None)
                fill_up()  # before this one is written, so that no worker waits for that
                yield task, future, dict(at_work)
    finally:
        give_up(waiting, executor)


def teller(name: str, tell: Callable[[Any], object] | None) -> Callable[[Progress], None] | None:
    """What tells of the evaluations of something by its name, now and then; None if nobody listens."""
    if tell is None:
        return None
    last = -math.inf

    def evaluated(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() > last + _TICK:
            last = time.monotonic()
            tell((name, progress.latest.evaluation, progress.iterations))

    return evaluated
