"""What becomes of memory that is freed: kept for the next tensor, which saves time, or given back, which saves memory.

By default the C library keeps freed blocks of up to 32 MiB and gives larger ones back to the system, which clears each page
of the next ones: a fifth of the time of an evaluation. Between blocks that are kept holes stay, as maps of many sizes come
and go: in tiles that was twice the memory that was in use.

Both concern the whole process, and the C library does not say what was set before: so nothing is touched unless the process
has been declared to be impasto's own, as the command line and the studio do. In a program that only calls the library, its
memory stays as the program has it.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

# of mallopt: from which size on a block is mapped on its own; how much is kept at the top of the heap; heaps for threads
_MAPPED, _TRIM, _ARENAS = -3, -1, -8
_ALL = 2**31 - 1
# where the C library's own thresholds, which it moves, end up when large blocks are freed
_USUAL = 2**25
# from which size on blocks leave no holes where memory is scarce
_OWN = 2**20

_ours = False


@contextlib.contextmanager
def own_process() -> Iterator[None]:
    """Within it the process is impasto's own, and its memory may be tuned."""
    global _ours
    before, _ours = _ours, True
    try:
        yield
    finally:
        _ours = before


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within it freed memory stays with the process, if that is our own; afterwards it is given back.

    Without glibc nothing changes.
    """
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_ARENAS, 1)  # only the first heap can hold large blocks
    library.mallopt(_MAPPED, _ALL)
    library.mallopt(_TRIM, _ALL)
    try:
        yield
    finally:
        library.mallopt(_MAPPED, _USUAL)
        library.mallopt(_TRIM, 2 * _USUAL)
        library.malloc_trim(0)


def spare_memory() -> None:
    """Let every larger block of this process be one of its own from now on, and give back what is free.

    Every page of such a block is cleared before it is used, which takes a tenth to a third of the time of an evaluation.
    In a process that is not our own, and without glibc, nothing changes.
    """
    library = _glibc()
    if library is not None:
        library.mallopt(_MAPPED, _OWN)
        library.malloc_trim(0)


def _glibc() -> Any:
    """The C library, if it is glibc and the process is our own."""
    if not _ours or not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
