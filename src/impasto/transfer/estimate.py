"""What a transfer takes of the machine: memory before it starts, and memory when it has ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod

import psutil

from impasto.errors import SizeError
from impasto.network.layers import SIGNAL, LayerTable, sources, total_stride

MIB = 2**20
_FLOAT = 4
# interpreter, torch and the weights
_FIXED = 650 * MIB


def memory_needed(table: LayerTable, shape: Sequence[int], channels: int = 3) -> int:
    """Bytes that one evaluation of J and its gradient needs at its peak.

    Args:
        table: the rows that are computed.
        shape: positions of G along each axis.
        channels: of G.
    """
    sizes = {SIGNAL: (float(channels), float(prod(shape)))}
    kept = largest = 0.0
    for row, source in zip(table, sources(table).values(), strict=True):
        width, positions = sizes[source]
        before = width * positions
        if row.operation == "conv":
            width = row.channels
        positions /= row.stride ** len(shape)
        sizes[row.name] = width, positions
        after = width * positions
        # a convolution keeps its padded input for the way back and its output; relu works in place
        kept += {"conv": before + after, "relu": 0, "pool": after}[row.operation]
        largest = max(largest, before + after)
    return _FIXED + int(_FLOAT * (kept + largest))


def check_memory(table: LayerTable, shape: Sequence[int]) -> None:
    """See that an evaluation at this size fits into the memory that is free.

    Raises:
        SizeError: it does not; the message says what it needs and the largest size that fits.
    """
    free = psutil.virtual_memory().available
    needed = memory_needed(table, shape)
    if needed <= free:
        return
    longest = max(shape)
    fits = longest
    while fits > total_stride(table) and memory_needed(table, [n * fits / longest for n in shape]) > free:  # pyright: ignore
        fits = int(fits * 0.98)
    size = " x ".join(str(n) for n in reversed(shape))
    raise SizeError(
        f"{size} pixels need about {_gibibytes(needed)} of memory and {_gibibytes(free)} are free; "
        f"a size of {fits} would fit"
    )


def _gibibytes(n: float) -> str:
    return f"{n / 2**30:.1f} GiB"


def peak_memory_mib() -> float:
    """The most memory this process has had so far, in MiB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / MIB
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
