"""What is freed goes back to the system, where memory is scarce.

The C library keeps freed blocks of up to 32 MiB for the next ones. Maps of many sizes come and go here, and between them
holes stay: in tiles that was twice the memory that was in use. Blocks of their own from the system leave no holes, but
every page of them is cleared before it is used, which takes a tenth to a third of the time of an evaluation.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

# malloc.h of glibc
_M_MMAP_THRESHOLD = -3
_OWN = 2**20


def spare_memory() -> None:
    """Let every larger block of this process be one of its own from now on, and give back what is free (Linux, glibc)."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_M_MMAP_THRESHOLD, _OWN)
        library.malloc_trim(0)
