"""Who reads the images of a search: a thread, several threads, or processes beside a GPU that would wait for them."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from importlib.util import find_spec
from multiprocessing import current_process
from pathlib import Path
from threading import Event
from typing import NamedTuple

import torch

from impasto.explore.ahead import FEW, read_ahead
from impasto.explore.processes import read_in_processes
from impasto.explore.seen import Item, Seen, seen
from impasto.explore.sources import Source
from impasto.files import first_line
from impasto.networks.device import free_memory

log = logging.getLogger("impasto")

_WAITING = 128
_MOST_THREADS, _MOST_PROCESSES = 8, 16
_EACH = 2**29  # bytes for a process, with a large photograph on its way
FEWEST = 300
"""Among fewer images processes do not pay: to start them takes as long as to read so many in threads."""


class Readers(NamedTuple):
    """How many read at the same time, how many images wait at most, and whether the readers are processes."""

    readers: int
    waiting: int
    processes: bool = False


def readers_for(device: str, images: int, *, files: bool, cores: int, memory: int) -> Readers:
    """Who reads.

    Args:
        device: the type of the network's: a CPU takes all cores for the network.
        images: how many are to be read.
        files: whether all are files, which any process can read.
        cores: how many there are.
        memory: bytes that are free.
    """
    if device == "cpu":
        return Readers(1, FEW)
    processes = min(_MOST_PROCESSES, cores - 1, memory // _EACH)
    if files and images >= FEWEST and processes > 1:
        return Readers(processes, _WAITING, processes=True)
    return Readers(min(_MOST_THREADS, cores), _WAITING)


def read_images(
    names: Sequence[str],
    sources: Mapping[str, Source],
    size: int | str,
    kind: str | None,
    device: str,
    cancel: Event | None = None,
) -> Generator[Item]:
    """Each image or why it cannot be read, in order, read while others are seen; none once it is cancelled.

    Where the network takes the cores there is one thread, and three images wait at most. Beside a GPU at most 128 wait, as
    many as fit into 256 MiB, but three in any case. Many files of pictures are then read in processes
    (:mod:`impasto.explore.processes`), and in threads from then on if one of these is killed.
    """
    files = kind in (None, "image") and all(isinstance(sources[name], str | Path) for name in names)
    files = files and find_spec("loky") is not None and not current_process().daemon  # which may have no children
    how = readers_for(device, len(names), files=files, cores=_cores(), memory=free_memory(torch.device("cpu")))
    done = 0
    if how.processes:
        try:
            for item in read_in_processes(_until(cancel, names), sources, size, kind, how.readers, how.waiting):
                done += 1
                yield item
            return
        except (BrokenExecutor, OSError, ImportError, NotImplementedError) as error:
            reason = "it was killed" if isinstance(error, BrokenExecutor) else first_line(error)
            log.warning("a process that reads images has failed (%s): from now on they are read in threads", reason)
            how = readers_for(device, len(names), files=False, cores=_cores(), memory=0)

    def read(name: str) -> Seen:
        return seen(name, sources[name], size, kind)

    left = _until(cancel, names[done:])
    for _, item in read_ahead(left, read, how.waiting, readers=how.readers, memory=lambda seen: seen.memory):
        yield item


def _until(cancel: Event | None, names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if cancel is None or not cancel.is_set())


def _cores() -> int:
    """How many this process may use, which in a container can be fewer than there are."""
    if find_spec("loky") is None:
        return os.cpu_count() or 1
    from loky import cpu_count

    return cpu_count()
