"""Images read in processes, of which none waits for Python's lock: one reads, the other computes.

What a process has read goes through a file: messages are so short that one is never cut in two when its process is killed,
and nobody waits for the lock while it is sent piece by piece. Neither this nor :mod:`impasto.explore.worker` imports torch,
and so none of the processes does.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from math import prod
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from impasto.errors import SignalError
from impasto.explore.ahead import in_order
from impasto.explore.seen import Item, Seen
from impasto.explore.sources import Source
from impasto.explore.worker import Left, leave, prepare
from impasto.media.signal import Signal

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger("impasto")

# each process computes with one thread, sees no GPU, and keeps some of the memory that it frees (glibc): to get that of each
# image anew takes half as long as to read one
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "CUDA_VISIBLE_DEVICES": "",
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**26),
}
_MOST_TOGETHER, _TASK_MEMORY = 8, 2**24


def read_in_processes(
    names: Iterable[str], sources: Mapping[str, Source], size: int | str, kind: str | None, readers: int, ahead: int
) -> Generator[Item]:
    """Each image or why it cannot be read, in order, read by so many processes; ``ahead`` wait, or two tasks of each.

    Raises:
        BrokenExecutor: a process was killed.
        OSError: what was read cannot be kept in a file, or a process cannot be started.
        ImportError, NotImplementedError: this system has no semaphores, without which there are no processes.
    """
    from loky import ProcessPoolExecutor

    numbers, together = count(), _together(size)
    with tempfile.TemporaryDirectory(prefix="impasto-", ignore_cleanup_errors=True) as folder:
        env = _ENVIRONMENT | {"TMPDIR": folder}  # so that what a killed process had unpacked goes with the folder
        pool = ProcessPoolExecutor(readers, env=env, initializer=prepare, initargs=(os.getpid(), folder))

        def begin(some: Sequence[str]) -> partial[list[Item]]:
            path = Path(folder, str(next(numbers)))
            return partial(_taken, pool.submit(leave, {name: sources[name] for name in some}, size, kind, path), path)

        try:
            with _interrupted_later():
                pool.submit(int)  # all are started with the first task
            tasks = max(2 * readers, ahead // together)
            for _, items in in_order(_parts(names, together), begin, tasks, _memory):
                yield from items
        finally:
            pool.shutdown(kill_workers=True)


def _together(size: int | str) -> int:
    """How many images are one task: as this process is what a fast GPU waits for, several, as long as they are small."""
    return max(1, min(_MOST_TOGETHER, _TASK_MEMORY // (12 * size * size))) if isinstance(size, int) else 1


def _parts(names: Iterable[str], count: int) -> Iterator[tuple[str, ...]]:
    names = iter(names)
    while some := tuple(islice(names, count)):
        yield some


def _memory(items: Sequence[Item]) -> int:
    return sum(item.memory for item in items if isinstance(item, Seen))


def _taken(future: Future[list[Left]], path: Path) -> list[Item]:
    """What a process has left in a file, which is removed. The header of a signal stays behind: no network sees it."""
    items: list[Item] = []
    several = future.result()
    values, first = np.fromfile(path, np.float32), 0
    path.unlink()
    for left in several:
        for level, line in left.told:
            log.log(level, "%s", line)
        if left.reason is not None:
            items.append(SignalError(left.reason))
            continue
        last = first + prod(left.shape)
        items.append(Seen(Signal(values[first:last].reshape(left.shape), left.kind), left.signature))
        first = last
    return items


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Within the block this thread does not hear Ctrl-C; processes that are started in it never do, not even at first."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # which lets Ctrl-C through again, if it is started within the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
