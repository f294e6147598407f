"""What is done in a worker: a task, with what it tells and warns of on its way."""

from __future__ import annotations

import logging
import pickle
import signal
from functools import partial
from threading import Event, get_ident
from typing import Any

from impasto.errors import SettingsError

log = logging.getLogger("impasto")

# by the name of a run, what is set when its tasks are to stop
_stops: dict[str, Event] = {}


def dask_setup(worker: Any) -> None:
    """Called by Dask in a worker of this computer when it starts: Ctrl-C is for the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def work(cluster: str, task: bytes) -> tuple[Any, list[tuple[int, str]]]:
    """What a function gives, called with ``tell`` and ``cancel``; and the warnings of impasto meanwhile.

    Args:
        cluster: the name of the topic on which it is told.
        task: the name of the run, the function and its arguments, pickled.
    """
    from distributed import get_worker

    run, fn, args, named = pickle.loads(task)
    told = Told()
    log.addHandler(told)
    try:
        cancel = _stops.setdefault(run, Event())
        return fn(*args, tell=partial(get_worker().log_event, cluster), cancel=cancel, **named), told.lines
    finally:
        log.removeHandler(told)


def compute_with(threads: int, *, told: bool) -> None:
    """See that this thread computes with so many, as the last digits of results depend on them.

    Args:
        threads: how many.
        told: whether this is a worker of a cluster, which is there for tasks, and is set.

    Raises:
        SettingsError: it is a worker of another executor, and computes with another number.
    """
    import torch

    here = torch.get_num_threads()
    if told:
        torch.set_num_threads(threads)
    elif here != threads:
        raise SettingsError(
            f"a worker of the executor computes with {here} threads; {threads} were expected, as the last digits of results "
            "depend on them: set OMP_NUM_THREADS for all, or call torch.set_num_threads in the executor's initializer"
        )


def stop(run: str) -> None:
    """Let the tasks of a run see that they are to stop."""
    _stops.setdefault(run, Event()).set()


class Told(logging.Handler):
    """Collects what this thread is told."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[tuple[int, str]] = []
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of this thread."""
        if record.thread == self._thread:
            self.lines.append((record.levelno, record.getMessage()))
