"""Pictures that are nearly the same: a copy, another size, another compression. Of other signals, exact copies only."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from PIL import Image

from impasto.signals.signal import Signal

_GRID = 8
_DEAD_ZONE = 2.0
_BITS = 10
_COLOUR = 8
_BYTES = 2 * _GRID**2 // 8 + 3
_ONES = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def signature(signal: Signal) -> str:
    """What nearly equal pictures have nearly in common, and equal signals of other kinds exactly, as 38 hexadecimal digits.

    Of a picture 64 bits for where brightness rises to the right, 64 for where it rises downwards, on a grid of 8 x 8 (a
    difference hash), and a byte for the mean of each of three channels.
    """
    values = signal.values
    if signal.kind != "image":
        # two heartbeats, or two heads, are alike at the scale of a grid and different signals all the same
        return blake2b(values.tobytes(), digest_size=_BYTES).hexdigest()
    means = np.resize(values.reshape(len(values), -1).mean(1), 3)
    small = Image.fromarray((values.mean(0) * 255).astype(np.float32)).resize((_GRID + 1, _GRID + 1), Image.Resampling.BOX)
    cells = np.asarray(small)
    # a plain sky has no direction: without the dead zone its bits would be noise
    right = np.diff(cells, axis=1)[:_GRID] > _DEAD_ZONE
    down = np.diff(cells, axis=0)[:, :_GRID] > _DEAD_ZONE
    bits = np.packbits(np.concatenate([right.ravel(), down.ravel()]))
    return bits.tobytes().hex() + (means.clip(0, 1) * 255).round().astype(np.uint8).tobytes().hex()


class Groups:
    """Groups of nearly equal pictures; a group is named by the signature of its first picture.

    Args:
        names: of the groups there are, in the order in which they were found: of several that are near the first one counts.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = list(dict.fromkeys(names))
        self._known = np.frombuffer(bytes.fromhex("".join(self._names)), np.uint8).reshape(-1, _BYTES)

    def find(self, name: str) -> str:
        """The group to which a picture with this signature belongs; a new one if it is like no other."""
        own, count = np.frombuffer(bytes.fromhex(name), np.uint8), len(self._names)
        known = self._known[:count]
        bits = _ONES[known[:, :-3] ^ own[:-3]].sum(1)
        colours = np.abs(known[:, -3:].astype(np.int16) - own[-3:]).max(1, initial=0)
        near = np.flatnonzero((bits <= _BITS) & (colours <= _COLOUR))
        if len(near):
            return self._names[near[0]]
        if count == len(self._known):
            self._known = np.concatenate([self._known, np.zeros((count + 64, _BYTES), np.uint8)])
        self._known[count] = own
        self._names.append(name)
        return name
