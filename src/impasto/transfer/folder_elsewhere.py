"""The paintings of a folder made by an executor: by other processes, here or on other computers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import replace
from threading import Event
from typing import Any

from impasto.cluster.executor import TaskKilled
from impasto.cluster.worker import compute_with
from impasto.errors import SignalError
from impasto.files import first_line
from impasto.networks.device import find_device
from impasto.transfer.at_work import AtWork, as_they_end, teller
from impasto.transfer.checkpoint import differences
from impasto.transfer.folder_job import Job, paint_job
from impasto.transfer.folder_plan import Task
from impasto.transfer.painter import Painter
from impasto.transfer.settings import TransferSettings

log = logging.getLogger("impasto")

_here = threading.local()


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

    def submit(job: Job) -> Future[Any]:
        return executor.submit(paint_elsewhere, _findable(job), settings, machine)

    for job, future, _ in as_they_end(jobs, submit, executor, cancel, tell):
        yield job, _outcome(future, job)


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
    return paint_job(job, _here.painter, teller(job.name, tell), cancel)
