"""Whether a picture fits into the memory, or how much smaller it is made while it is read."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from impasto.errors import SignalError

# a picture with more pixels is made smaller whatever memory there is, so that the result depends less on what is free
_LARGE = 178_956_970
# bytes a pixel while its three colours become floats
_FLOATS = 28
_SHARE = 0.75


def factor_within(shape: Sequence[int], stored: int, longest: int | None, memory: int | None, name: str) -> int:
    """The factor by which each side of a picture is made smaller while it is read.

    1 if it has at most 178 million pixels and fits into half of the memory. Otherwise the factor that leaves about twice
    ``longest`` on the longest side or, if that does not fit, about ``longest``.

    Args:
        shape: its height and width.
        stored: bytes of an unpacked pixel.
        longest: the longest side that is wanted; None: the picture must not be made smaller.
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
