"""A cluster as an executor.

A task carries all that its result depends on, the number of threads too. A worker that dies is replaced, and its task tried
again; one whose workers die three times is given up, and the others go on.
"""

from __future__ import annotations

import logging
import pickle
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple
from uuid import uuid4

from impasto.cluster.connection import connected, parse_cluster
from impasto.cluster.worker import stop, work
from impasto.errors import ClusterError
from impasto.files import first_line

log = logging.getLogger("impasto")

# deaths of its workers after which a task is given up, and of workers that have just been started after which all are
_DEATHS, _NEVER_STARTED = 3, 10
# what a process may take of a worker's memory, beyond which Dask would stop it
_SHARE = 0.75
# seconds after which it is seen to what waits
_TICK = 0.25


class TaskKilled(ClusterError):  # noqa: N818
    """A task was given up, as its workers died."""


class _Task(NamedTuple):
    """A pickled call of a run, what is promised of it, and how many workers it has cost."""

    run: str
    call: bytes
    future: Future[Any]
    deaths: int = 0


class Cluster(Executor):
    """Workers of Dask, as an executor for :func:`impasto.transfer_folder` and :func:`impasto.top_patches`.

    ``"local:4"`` starts four processes, which can be reached from this computer and by this process only, and share its
    cores and its memory. ``"tcp://HOST:8786"`` is a scheduler that somebody has started; ``tls://``, one with certificates.

    Args:
        given: one of these.

    Attributes:
        threads: with which a task should compute: of local workers their share of those here, otherwise as many as here.

    Raises:
        SettingsError: what is given is neither.
        ClusterError: Dask is missing, no worker can be started, or the scheduler does not answer.
    """

    def __init__(self, given: str) -> None:
        where = parse_cluster(given)
        import torch

        self._given, self._local = given, where if isinstance(where, int) else 0
        self._name = self._run = _new_name()
        self.threads = max(1, torch.get_num_threads() // max(1, self._local))
        self._told: SimpleQueue[Any] = SimpleQueue()
        self._waiting: deque[_Task] = deque()
        self._at_work: dict[Future[Any], Any] = {}
        self._mended, self._wake, self._closed = 0, Event(), False
        with ExitStack() as stack:
            self._client = stack.enter_context(connected(given, self.threads))
            self._client.subscribe_topic(self._name, lambda event: self._told.put(event[1]))
            self._opened = stack.pop_all()
        if not self._workers():
            log.warning("%s has no worker yet, and is waited for", given)
        self._server = Thread(target=self._serve, name="impasto-cluster", daemon=True)
        self._server.start()

    @property
    def ahead(self) -> int:
        """How many tasks should be given to it at once: so many that no worker waits."""
        return self._local + 1 if self._local else self._room()

    def memory(self, here: int) -> int:
        """The bytes that a task may take, if a process of this computer may take so many."""
        if self._local:
            return here // self._local
        limits = [worker["memory_limit"] / worker["nthreads"] for worker in self._workers() if worker["memory_limit"]]
        return int(min([_SHARE * limit for limit in limits], default=here))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in a worker, to which ``tell``, a function, and ``cancel``, an event, are given too.

        What it tells is read by :meth:`told`, and :meth:`stop` sets the event. The future raises :class:`TaskKilled` if its
        workers died, and ClusterError if the scheduler is lost.
        """
        future: Future[Any] = Future()
        self._waiting.append(_Task(self._run, pickle.dumps((self._run, fn, args, kwargs)), future))
        self._wake.set()
        return future

    def told(self) -> Iterator[Any]:
        """What the tasks have told since the last time."""
        with suppress(Empty):
            while True:
                yield self._told.get_nowait()

    def stop(self) -> None:
        """Let the tasks at work see that they are to stop; of those that were submitted so far no other one begins."""
        run, self._run = self._run, _new_name()
        with suppress(Exception):  # one that cannot be reached has stopped
            self._client.run(stop, run, on_error="ignore")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers that were started, and the connection; what is at work is lost."""
        self._closed = True
        self._wake.set()
        self._server.join()
        self._opened.close()

    def _workers(self) -> list[dict[str, Any]]:
        return list(self._client.scheduler_info(n_workers=-1)["workers"].values())

    def _room(self) -> int:
        """How many tasks the scheduler may have: here one for each worker, so that a death is blamed on nobody else."""
        workers = self._workers()
        return len(workers) if self._local else 2 + 2 * sum(worker["nthreads"] for worker in workers)

    def _serve(self) -> None:
        """In a thread of its own: hand on what waits, as soon as there is somebody for it."""
        while not self._closed:
            self._wake.wait(_TICK if self._waiting else None)
            self._wake.clear()
            try:
                self._mend()
                room = self._room() if self._waiting else 0
                while self._waiting and len(self._at_work) < room:
                    self._give(self._waiting.popleft())
            except Exception as error:  # whatever it is, who waits is told
                lost = error if isinstance(error, ClusterError) else self._lost(error)
                while self._waiting:
                    future = self._waiting.popleft().future
                    if not future.cancelled():
                        future.set_exception(lost)

    def _mend(self) -> None:
        """Start workers here in place of those that died while they started; Dask replaces the others."""
        if not self._local:
            return
        started = self._client.cluster
        broken = [name for name, nanny in list(started.workers.items()) if nanny.status.name in ("closed", "failed")]
        for name in broken:
            started.worker_spec.pop(name, None)
        if broken:
            self._mended += len(broken)
            started.scale(self._local)
        if self._mended > _NEVER_STARTED:
            raise ClusterError(f"cluster {self._given}: its workers die when they are started")

    def _give(self, task: _Task) -> None:
        if not task.deaths and not task.future.set_running_or_notify_cancel():
            return
        if task.run != self._run:  # it is not tried again
            task.future.set_exception(CancelledError())
            return
        there = self._client.submit(work, self._name, task.call, key=_new_name(), pure=False)
        self._at_work[task.future] = there
        there.add_done_callback(partial(self._ended, task))

    def _ended(self, task: _Task, there: Any) -> None:
        """Called in a thread of Dask."""
        self._at_work.pop(task.future, None)
        try:
            self._settle(task, there)
        except Exception as error:  # whatever it is, who waits is told
            task.future.set_exception(error)
        self._wake.set()

    def _settle(self, task: _Task, there: Any) -> None:
        """Hand on what has become of a task, or have it tried again."""
        if there.status == "finished":
            self._mended = 0
            outcome, told = there.result()
            for level, text in told:
                log.log(level, "%s", text)
            return task.future.set_result(outcome)
        error: Any = there.exception() if there.status == "error" else self._lost()
        if type(error).__name__ == "KilledWorker":
            deaths = task.deaths + error.allowed_failures + 1
            if deaths < _DEATHS:
                return self._waiting.append(task._replace(deaths=deaths))
            error = TaskKilled(f"its worker died {deaths} times")
        task.future.set_exception(error)

    def _lost(self, error: Exception | None = None) -> ClusterError:
        reason = f" ({first_line(error)})" if error else ""
        return ClusterError(f"the connection to {self._given} is lost{reason}; the same call goes on")


def give_up(waiting: Collection[Future[Any]], executor: Executor) -> None:
    """Cancel what no executor has begun, and of a cluster also stop what is at work."""
    for future in waiting:
        future.cancel()
    if waiting and isinstance(executor, Cluster):
        executor.stop()


def _new_name() -> str:
    return f"impasto-{uuid4().hex}"
