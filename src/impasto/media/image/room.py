"""Whether a picture fits into the memory, and how much smaller it must be made while it is read."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from impasto.errors import SignalError

# a picture of more pixels is made smaller while it is read, however much memory there is: what comes out of it shall not
# depend on what is free
_LARGE = 178_956_970
# bytes a pixel while three colours become floats
_FLOATS = 28
_SHARE = 0.75


def factor_within(shape: Sequence[int], stored: int, longest: int | None, memory: int | None, name: str) -> int:
    """How many times smaller each side of a picture is to be made while it is read.

    1 if it has at most 178 million pixels and fits into half of the memory. Else so many times that it still has twice the
    pixels that are wanted on its longest side, or if need be just as many.

    Args:
        shape: its height and width.
        stored: bytes that a pixel has as it is unpacked.
        longest: the longest side that is wanted; None: all of it.
        memory: bytes that the process may take; if None, three quarters of what is free.
        name: of the file.

    Raises:
        SignalError: it does not fit.
    """
    height, width = shape[:2]
    pixels = height * width
    most = memory or int(_SHARE * psutil.virtual_memory().available)

    def fits(factor: int, share: float) -> bool:
        return pixels * (stored + _FLOATS / factor**2) <= share * most

    if fits(1, 0.5) and (pixels <= _LARGE or longest is None):
        return 1
    for times in (2, 1) if longest else ():
        factor = max(1, max(height, width) // (times * (longest or 1)))
        if fits(factor, 0.5):
            return factor
    if fits(1, 1.0) and pixels <= _LARGE:
        return 1
    needed = pixels * (stored + (_FLOATS if longest is None else 0)) / 2**30
    raise SignalError(
        f"{name} unpacks to {pixels / 1e6:.0f} million pixels, which take {needed:.1f} GiB, and half of the "
        f"{most / 2**30:.1f} GiB of memory is for them; make it smaller first"
    )
