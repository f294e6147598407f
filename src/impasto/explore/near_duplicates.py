"""Pictures that are nearly the same: a copy, another size, another compression. Of other signals, exact copies only.

The search is exact, and takes hardly longer among a million than among a thousand. If two signatures differ in at most ten
bits, then of eleven bands of bits one at least is equal (the pigeonhole principle; Norouzi, Punjani and Fleet, "Fast Search
in Hamming Space with Multi-Index Hashing", 2012). So only those are compared that share a band, and nearly a colour: they
stand together in a list that is sorted by both.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.signals.signal import Signal

_GRID = 8
_DEAD_ZONE = 2.0
_BITS = 10
_COLOUR = 8
_COLOURS = 3
_WIDTH = 2 * _GRID**2
_BYTES = _WIDTH // 8 + _COLOURS

_BANDS = _BITS + 1
_LONGEST = -(-_WIDTH // _BANDS)
# from how many on signatures are sorted, and how many times longer a sorted list is than the one before
_UNSORTED, _LONGER = 2048, 16
# an entry of a sorted list has, from its highest bit: band, bits of the band, red, green, blue, number of the signature
_AT_BAND, _AT_BITS, _AT_RED, _AT_GREEN, _AT_BLUE = 60, 48, 40, 32, 24
_NUMBERS = 2**_AT_BLUE
_WEIGHTS = (1 << np.arange(_LONGEST)).astype(np.uint64)[:, None]
_BAND_NUMBERS = np.arange(_BANDS, dtype=np.uint64) << np.uint64(_AT_BAND)
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

    For each group about 115 bytes are held.

    Args:
        names: of the groups there are, in the order in which they were found: of several that are near the first one counts.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        names = list(dict.fromkeys(names))
        self._known = np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(-1, _BYTES)
        self._count = len(names)
        # each from the number at which the one before ends; the last ones are in none
        self._sorted: list[tuple[int, NDArray[np.uint64]]] = []
        self._unsorted = 0
        self._sort()

    def find(self, name: str) -> str:
        """The group to which a picture with this signature belongs; a new one if it is like no other."""
        own = np.frombuffer(bytes.fromhex(name), np.uint8)
        for first, entries in self._sorted:  # those found first come first
            near = self._near(first + _candidates(entries, own), own)
            if len(near):
                return self._known[near.min()].tobytes().hex()
        near = self._near(np.arange(self._unsorted, self._count), own)
        if len(near):
            return self._known[near[0]].tobytes().hex()
        if self._count == len(self._known):
            self._known = np.concatenate([self._known, np.zeros((self._count // 8 + 64, _BYTES), np.uint8)])
        self._known[self._count] = own
        self._count += 1
        if self._count - self._unsorted >= _UNSORTED:
            self._sort()
        return name

    def _near(self, numbers: NDArray[np.int64], own: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Those of the numbers whose signatures are near."""
        if not len(numbers):
            return numbers
        known = self._known[numbers]
        colours = np.abs(known[:, -_COLOURS:].astype(np.int16) - own[-_COLOURS:]).max(1)
        alike = np.flatnonzero(colours <= _COLOUR)
        bits = _ONES[known[alike, :-_COLOURS] ^ own[:-_COLOURS]].sum(1)
        return numbers[alike[bits <= _BITS]]

    def _sort(self) -> None:
        """Let all be in sorted lists, each many times longer than the one after it: few to look into, few to make anew."""
        first = self._unsorted
        while self._sorted:
            start, entries = self._sorted[-1]
            if len(entries) // _BANDS >= _LONGER * (self._count - first) or self._count - start > _NUMBERS:
                break
            first = start
            self._sorted.pop()
        for start in range(first, self._count, _NUMBERS):
            self._sorted.append((start, _entries(self._known[start : min(self._count, start + _NUMBERS)])))
        self._unsorted = self._count


def _bands(signatures: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n, bands): each eleventh bit, so that every band has some of all parts of a picture, of which many are plain."""
    bits = np.zeros((len(signatures), _LONGEST * _BANDS), np.uint64)
    bits[:, :_WIDTH] = np.unpackbits(signatures[:, :-_COLOURS], axis=1)
    return (bits.reshape(-1, _LONGEST, _BANDS) * _WEIGHTS).sum(1, dtype=np.uint64)


def _entries(signatures: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The sorted list of these signatures, each once for every band."""
    parts: list[NDArray[np.uint64]] = []
    for start in range(0, len(signatures), 2**16):
        some = signatures[start : start + 2**16]
        red, green, blue = some[:, -_COLOURS:].T.astype(np.uint64)
        numbers = np.arange(start, start + len(some), dtype=np.uint64)
        rest = (red << _AT_RED) | (green << _AT_GREEN) | (blue << _AT_BLUE) | numbers
        parts.append((_BAND_NUMBERS | (_bands(some) << _AT_BITS) | rest[:, None]).ravel())
    entries = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
    entries.sort()
    return entries


def _candidates(entries: NDArray[np.uint64], own: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The numbers in the list that share a band, and have nearly the same colour."""
    bands = _BAND_NUMBERS | (_bands(own[None])[0] << _AT_BITS)
    red, green, blue = (int(colour) for colour in own[-_COLOURS:])
    low, high = max(0, red - _COLOUR), min(255, red + _COLOUR)
    ends = np.concatenate([bands | (low << _AT_RED), bands + ((high + 1) << _AT_RED)])
    places = np.searchsorted(entries, ends).tolist()
    ranges = [(a, b) for a, b in zip(places[:_BANDS], places[_BANDS:], strict=True) if a < b]
    if not ranges:
        return np.zeros(0, np.int64)
    found = np.concatenate([entries[a:b] for a, b in ranges])
    for at, colour in ((_AT_GREEN, green), (_AT_BLUE, blue)):
        found = found[np.abs(((found >> at) & 255).astype(np.int16) - colour) <= _COLOUR]
    return np.unique(found & (_NUMBERS - 1)).astype(np.int64)
