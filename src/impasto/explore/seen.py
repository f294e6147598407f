"""An image as the network sees it. Nothing here imports torch: a process that only reads files starts without."""

from __future__ import annotations

from typing import NamedTuple

from impasto.errors import SignalError
from impasto.explore.near_duplicates import signature
from impasto.explore.sources import Source, view
from impasto.media.registry import medium_of
from impasto.media.signal import Signal


class Seen(NamedTuple):
    """An image as the network sees it, and its signature (:mod:`impasto.explore.near_duplicates`)."""

    signal: Signal
    signature: str

    @property
    def memory(self) -> int:
        """Bytes that it takes."""
        return self.signal.values.nbytes


Item = Seen | Exception


def seen(name: str, source: Source, size: int | str, kind: str | None) -> Seen:
    """An image as the network sees it.

    Raises:
        SignalError: it cannot be read, or is not of this kind.
    """
    signal = view(source, size)
    if kind not in (None, signal.kind):
        raise SignalError(f"{name} is {medium_of(signal.kind).noun} among {medium_of(kind).plural(2)}")
    return Seen(signal, signature(signal))
