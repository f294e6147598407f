"""The paintings of a folder made by an executor: by other processes, here or on other computers."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import replace
from threading import Event
from typing import Any

from impasto.cluster.executor import Cluster, TaskKilled, give_up
from impasto.cluster.worker import compute_with
from impasto.descent.descend import Progress
from impasto.errors import SignalError
from impasto.files import first_line
from impasto.networks.device import find_device
from impasto.transfer.checkpoint import differences
from impasto.transfer.folder_job import Job, paint_job
from impasto.transfer.folder_plan import Task
from impasto.transfer.painter import Painter
from impasto.transfer.settings import TransferSettings

log = logging.getLogger("impasto")

# seconds after which it is looked at what has been told, and between two things that a worker tells
_TICK = 0.25
_here = threading.local()

AtWork = Mapping[str, tuple[int, int]]
"""By the names of what is being painted, how many evaluations of J are done, and how many there are to be."""


def painted_elsewhere(
    jobs: Iterator[Job],
    settings: TransferSettings,
    machine: Mapping[str, Any],
    cancel: Event,
    executor: Executor,
    tell: Callable[[str, AtWork], None],
) -> Iterator[tuple[Job, Mapping[str, Any] | str | None]]:
    """Each job and what came of it, as an executor ends them; once it is cancelled, of those that had begun.

    Raises:
        SignalError: the executor has died.
        ClusterError: the cluster is lost.
    """
    cluster = executor if isinstance(executor, Cluster) else None
    waiting: dict[Future[Any], Job] = {}
    at_work: dict[str, tuple[int, int]] = {}
    stopped = False
    _ = list(cluster.told()) if cluster else ()  # of tasks before
    try:
        while True:
            ahead = cluster.ahead if cluster else math.inf
            while len(waiting) < ahead and (job := next(jobs, None)) is not None:
                waiting[executor.submit(paint_elsewhere, _findable(job), settings, machine)] = job
            if not waiting:
                return
            done, _ = wait(waiting, _TICK, FIRST_COMPLETED)
            if cancel.is_set() and not stopped:
                stopped = True
                give_up(waiting, executor)
            for name, done_there, iterations in cluster.told() if cluster else ():
                at_work[name] = (done_there, iterations)
                tell(name, at_work)
            for future in done:
                job = waiting.pop(future)
                at_work.pop(job.task.name, None)
                yield job, _outcome(future, job)
    finally:
        give_up(waiting, executor)


def _findable(job: Job) -> Job:
    """The same with paths that lead there from any folder."""
    name, content, styles, output = job.task
    styles = [(style.absolute(), share) for style, share in styles]
    return replace(job, task=Task(name, content.absolute(), styles, output.absolute()))


def _outcome(future: Future[Any], job: Job) -> Mapping[str, Any] | str | None:
    try:
        outcome = future.result()
        return {**outcome, "input": str(job.task.content)} if isinstance(outcome, Mapping) else outcome
    except TaskKilled as error:
        return str(error)
    except CancelledError:
        return None
    except BrokenExecutor as error:
        raise SignalError(f"a worker died, and with it its executor ({first_line(error)}); the same call goes on") from None


def paint_elsewhere(
    job: Job,
    settings: TransferSettings,
    machine: Mapping[str, Any],
    tell: Callable[[Any], object] | None = None,
    cancel: Event | None = None,
) -> Mapping[str, Any] | str | None:
    """Paint by a painter that this thread of this process keeps, with as many threads as ``machine`` tells.

    ``tell`` and ``cancel`` are those of :meth:`impasto.cluster.Cluster.submit`.

    Raises:
        SettingsError: this is no worker of a cluster, and torch has another number of threads here, so that the last digits
            of the result would differ.
    """
    compute_with(machine["threads"], told=tell is not None)
    if was := differences(machine, find_device(settings.device)):
        log.warning("a worker computes otherwise than with %s: results may differ in their last digits", was)
    if getattr(_here, "settings", None) != settings:
        _here.painter, _here.settings = Painter(settings=settings), settings
    return paint_job(job, _here.painter, teller(job.task.name, tell), cancel)


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
