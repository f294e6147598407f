"""Pictures that are nearly the same: a copy, another size, another compression. Of other signals, exact copies only."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from PIL import Image

from impasto.signals.signal import Signal

_GRID = 8
_DEAD_ZONE = 2.0
_BITS = 10
_COLOUR = 8


def signature(signal: Signal) -> str:
    """What nearly equal pictures have nearly in common, and equal signals of other kinds exactly, as 38 hexadecimal digits.

    Of a picture 64 bits for where brightness rises to the right, 64 for where it rises downwards, on a grid of 8 x 8 (a
    difference hash), and a byte for the mean of each of three channels.
    """
    values = signal.values
    if signal.kind != "image":
        # two heartbeats, or two heads, are alike at the scale of a grid and different signals all the same
        return blake2b(values.tobytes(), digest_size=19).hexdigest()
    means = np.resize(values.reshape(len(values), -1).mean(1), 3)
    small = Image.fromarray((values.mean(0) * 255).astype(np.float32)).resize((_GRID + 1, _GRID + 1), Image.Resampling.BOX)
    cells = np.asarray(small)
    # a plain sky has no direction: without the dead zone its bits would be noise
    right = np.diff(cells, axis=1)[:_GRID] > _DEAD_ZONE
    down = np.diff(cells, axis=0)[:, :_GRID] > _DEAD_ZONE
    bits = np.packbits(np.concatenate([right.ravel(), down.ravel()]))
    return bits.tobytes().hex() + (means.clip(0, 1) * 255).round().astype(np.uint8).tobytes().hex()


class Groups:
    """Groups of nearly equal pictures; a group is named by the signature of its first picture."""

    def __init__(self, names: set[str]) -> None:
        self._leaders = {name: _unpack(name) for name in names}

    def find(self, name: str) -> str:
        """The group to which a picture with this signature belongs; a new one if it is like no other."""
        if name in self._leaders:
            return name
        bits, colour = _unpack(name)
        for leader, (other_bits, other_colour) in self._leaders.items():
            if (bits ^ other_bits).bit_count() <= _BITS and all(
                abs(a - b) <= _COLOUR for a, b in zip(colour, other_colour, strict=True)
            ):
                return leader
        self._leaders[name] = bits, colour
        return name


def _unpack(name: str) -> tuple[int, bytes]:
    return int(name[:-6], 16), bytes.fromhex(name[-6:])
