"""What malloc does with freed memory: keep it for the next tensor, which saves time, or return it, which saves memory.

By default glibc keeps freed blocks of up to 32 MiB. Larger ones go back to the system, which must clear every page of the
next one: a fifth of the time of an evaluation. Keeping them all costs memory instead: activations of many sizes come and
go and leave gaps between the blocks. When J was computed in tiles, the process took twice the memory that was in use.

malloc's settings hold for the whole process and cannot be read back. So nothing is changed unless the process has been
declared impasto's own, as the command line and the studio do. A program that calls impasto as a library keeps its settings.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

# the numbers of mallopt's parameters in malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_UNLIMITED = 2**31 - 1
# glibc moves its thresholds as it goes; with large blocks they end here
_USUAL_THRESHOLD = 2**25
# where memory is scarce, blocks from this size on are mapped one by one and leave no gaps
_SCARCE_THRESHOLD = 2**20

_process_is_ours = False


@contextlib.contextmanager
def own_process() -> Iterator[None]:
    """Declare within the block that the process is impasto's own, so that malloc may be tuned."""
    global _process_is_ours
    before, _process_is_ours = _process_is_ours, True
    try:
        yield
    finally:
        _process_is_ours = before


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory within the block, and return it to the system afterwards.

    Does nothing without glibc, or in a process that is not our own.
    """
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_ARENA_MAX, 1)  # only the first heap can hold large blocks
    library.mallopt(_MMAP_THRESHOLD, _UNLIMITED)
    library.mallopt(_TRIM_THRESHOLD, _UNLIMITED)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _USUAL_THRESHOLD)
        library.mallopt(_TRIM_THRESHOLD, 2 * _USUAL_THRESHOLD)
        library.malloc_trim(0)


def spare_memory() -> None:
    """From now on return every freed block of 1 MiB or more to the system, and what is free already.

    The system clears every page of a new block, which takes a tenth to a third of the time of an evaluation.
    Does nothing without glibc, or in a process that is not our own.
    """
    library = _glibc()
    if library is not None:
        library.mallopt(_MMAP_THRESHOLD, _SCARCE_THRESHOLD)
        library.malloc_trim(0)


def _glibc() -> Any:
    """The C library, if it is glibc and the process is our own; otherwise None."""
    if not _process_is_ours or not sys.platform.startswith("linux"):
        return None
    import ctypes  # not for `impasto --help`

    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
