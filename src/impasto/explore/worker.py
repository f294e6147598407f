"""What is done in a process that reads images for another, which computes. Nothing here imports torch."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import BinaryIO, NamedTuple

from impasto.cluster.worker import Told
from impasto.explore.seen import seen
from impasto.explore.sources import Source
from impasto.media.registry import media

log = logging.getLogger("impasto")


class Left(NamedTuple):
    """What a process has read: the values are in a file, and this tells the rest; of an image that cannot be seen, why."""

    shape: tuple[int, ...] = ()
    kind: str = ""
    signature: str = ""
    reason: str | None = None
    told: tuple[tuple[int, str], ...] = ()


def prepare(parent: int, folder: str) -> None:
    """When it has just been started: Ctrl-C is for its parent, without which, or its folder, it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.addHandler(logging.NullHandler())
    log.propagate = False
    media()  # what is told of those of other packages has been told by the parent
    Thread(target=_end_with, args=(parent, folder), daemon=True).start()


def leave(sources: Mapping[str, Source], size: int | str, kind: str | None, path: Path) -> list[Left]:
    """Read images, and leave their values in the file ``path``, one after the other."""
    with path.open("wb") as file:
        return [_left(name, source, size, kind, file) for name, source in sources.items()]


def _left(name: str, source: Source, size: int | str, kind: str | None, file: BinaryIO) -> Left:
    told = Told()
    log.addHandler(told)
    try:
        signal, signature = seen(name, source, size, kind)
    except Exception as error:  # as of a thread: one file that no reader expects does not end a long search
        return Left(reason=str(error), told=tuple(told.lines))
    finally:
        log.removeHandler(told)
    signal.values.tofile(file)
    return Left(signal.values.shape, signal.kind, signature, told=tuple(told.lines))


def _end_with(parent: int, folder: str) -> None:
    while os.getppid() == parent and Path(folder).is_dir():
        time.sleep(1)
    os._exit(1)
