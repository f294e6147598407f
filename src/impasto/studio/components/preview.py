"""Every signal as a picture: what the page shows of a photograph, a series, a sound or a volume."""

from __future__ import annotations

import io
from pathlib import Path

from impasto.errors import SignalError
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal

_LONGEST = 1600  # pixels on the longer side of what the page shows


def preview_signal(signal: Signal, longest: int = _LONGEST) -> bytes:
    """The signal as JPEG, with at most so many pixels on its longer side.

    Raises:
        SignalError: it is of a medium that the studio does not take.
    """
    medium, buffer = medium_of(signal.kind), io.BytesIO()
    if medium.preview is None:
        raise SignalError(f"{medium.noun} is not shown in the studio")
    medium.preview(signal, longest).save(buffer, "JPEG", quality=90, subsampling=0)
    return buffer.getvalue()


def preview_file(path: Path, longest: int = _LONGEST) -> bytes:
    """The signal in a file as JPEG, as :func:`preview_signal` makes it.

    Raises:
        SignalError: it cannot be read.
    """
    return preview_signal(read_signal(path), longest)
