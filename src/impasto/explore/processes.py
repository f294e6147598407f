"""Images read in processes, of which none waits for Python's lock: one reads, the other computes.

What a process has read goes through a file: messages are so short that one is never cut in two when its process is killed,
and nobody waits for the lock while it is sent piece by piece. Nothing here imports torch, and so none of the processes does.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from impasto.cluster.worker import Told
from impasto.errors import SignalError
from impasto.explore.ahead import in_order
from impasto.explore.seen import Item, Seen, seen
from impasto.explore.sources import Source
from impasto.media.registry import media
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


class Left(NamedTuple):
    """What a process has read: the values are in a file, and this tells the rest; of an image that cannot be seen, why."""

    shape: tuple[int, ...] = ()
    kind: str = ""
    signature: str = ""
    reason: str | None = None
    told: tuple[tuple[int, str], ...] = ()


def read_in_processes(
    names: Iterable[str], sources: Mapping[str, Source], size: int | str, kind: str | None, readers: int, ahead: int
) -> Generator[Item]:
    """Each image or why it cannot be read, in order, read by so many processes; at most ``ahead`` wait.

    Raises:
        BrokenExecutor: a process was killed.
        OSError: what was read cannot be kept in a file, or a process cannot be started.
    """
    from loky import ProcessPoolExecutor

    numbers = count()
    with tempfile.TemporaryDirectory(prefix="impasto-", ignore_cleanup_errors=True) as folder:
        env = _ENVIRONMENT | {"TMPDIR": folder}  # so that what a killed process had unpacked goes with the folder
        pool = ProcessPoolExecutor(readers, env=env, initializer=_prepare, initargs=(os.getpid(), folder))

        def begin(name: str) -> partial[Item]:
            path = Path(folder, str(next(numbers)))
            return partial(_taken, pool.submit(leave, name, sources[name], size, kind, path), path)

        try:
            with _interrupted_later():
                pool.submit(int)  # all are started with the first task
            yield from (item for _, item in in_order(names, begin, ahead, lambda seen: seen.memory))
        finally:
            pool.shutdown(kill_workers=True)


def leave(name: str, source: Source, size: int | str, kind: str | None, path: Path) -> Left:
    """In a process: read an image, and leave its values in the file ``path``."""
    told = Told()
    log.addHandler(told)
    try:
        signal, signature = seen(name, source, size, kind)
    except Exception as error:  # as of a thread: one file that no reader expects does not end a long search
        return Left(reason=str(error), told=tuple(told.lines))
    finally:
        log.removeHandler(told)
    signal.values.tofile(path)
    return Left(signal.values.shape, signal.kind, signature, told=tuple(told.lines))


def _taken(future: Future[Left], path: Path) -> Item:
    """What a process has left in a file, which is removed. The header of the signal stays behind: no network sees it."""
    left = future.result()
    for level, line in left.told:
        log.log(level, "%s", line)
    if left.reason is not None:
        return SignalError(left.reason)
    values = np.fromfile(path, np.float32).reshape(left.shape)
    path.unlink()
    return Seen(Signal(values, left.kind), left.signature)


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


def _prepare(parent: int, folder: str) -> None:
    """In a process that has just been started: Ctrl-C is for its parent, without which, or its folder, it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.addHandler(logging.NullHandler())
    log.propagate = False
    media()  # what is told of those of other packages has been told by the parent
    Thread(target=_end_with, args=(parent, folder), daemon=True).start()


def _end_with(parent: int, folder: str) -> None:
    while os.getppid() == parent and Path(folder).is_dir():
        time.sleep(1)
    os._exit(1)
