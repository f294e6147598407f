"""Pictures that are nearly the same: a copy, another size, another compression. Of other signals, exact copies only.

The search is exact, and takes hardly longer among a million than among a thousand. If two signatures differ in at most ten
bits, then of eleven bands of bits one at least is equal (the pigeonhole principle; Norouzi, Punjani and Fleet, "Fast Search
in Hamming Space with Multi-Index Hashing", 2012). So only those are compared that share a band, and nearly a colour: they
stand together in a list that is sorted by both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.media.registry import medium_of
from impasto.media.signal import Signal

_GRID = 8  # cells on each side
_DEAD_ZONE = 2.0  # of 255: brightness that rises by less counts as flat
_BITS = 10  # by so many bits signatures that are near may differ,
_COLOUR = 8  # and by so much, of 255, the means of each channel
_COLOURS = 3
_WIDTH = 2 * _GRID**2
_BYTES = _WIDTH // 8 + _COLOURS
_SIGNATURE = re.compile(rf"[0-9a-f]{{{2 * _BYTES}}}")

_BANDS = _BITS + 1
# so many new signatures are compared one by one before they are sorted, and a sorted list is so many times longer than the
# one after it
_UNSORTED, _LONGER = 1024, 16
# if there are more candidates, those of other colours are taken out before bits are compared
_MANY = 256
# an entry of a sorted list has, from its highest bit: band, bits of the band, red, green, blue, number of the signature
_AT_BAND, _AT_BITS, _AT_RED, _AT_GREEN, _AT_BLUE = 60, 48, 40, 32, 24
_NUMBERS = 2**_AT_BLUE
_TOGETHER = 2**20  # pairs that are compared at once
# what each bit counts in each band. A band has every eleventh bit: were its bits neighbours, many pictures would share it,
# as parts of them are plain
_WORTH = np.where(np.arange(_WIDTH)[:, None] % _BANDS == np.arange(_BANDS), 2.0 ** (np.arange(_WIDTH) // _BANDS)[:, None], 0)
_BAND_NUMBERS = np.arange(_BANDS, dtype=np.uint64) << np.uint64(_AT_BAND)
_COUNTING = hasattr(np, "bitwise_count")
_ONES = np.array([pair.bit_count() for pair in range(2**16)], np.uint8)


def signature(signal: Signal) -> str:
    """What nearly equal pictures have nearly in common, and equal signals of other kinds exactly, as 38 hexadecimal digits.

    Of a picture 64 bits for where brightness rises to the right, 64 for where it rises downwards, on a grid of 8 x 8 (a
    difference hash), and a byte for the mean of each of three channels.
    """
    values = signal.values
    if not medium_of(signal.kind).is_picture:
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

    For each group about 120 bytes are held beside its name.

    Args:
        names: of the groups there are, in the order in which they were found: of several that are near the first one counts.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        names = list(dict.fromkeys(names))
        known = np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(-1, _BYTES)
        self._bits, self._colours = _bits(known), known[:, -_COLOURS:].astype(np.int16)
        self._names, self._count = names, len(names)
        # each list with the number of its first signature; it ends where the next one begins, and signatures from
        # _unsorted on are in no list yet
        self._sorted: list[tuple[int, NDArray[np.uint64]]] = []
        self._unsorted = 0
        self._sort()

    def __len__(self) -> int:
        return self._count

    def numbers(self, names: Collection[str]) -> dict[str, int]:
        """The numbers of the groups of these names."""
        return {name: number for number, name in enumerate(self._names) if name in names} if names else {}

    def name(self, number: int) -> str:
        """The name of a group."""
        return self._names[number]

    def find(self, name: str) -> str:
        """The group to which a picture with this signature belongs; a new one if it is like no other."""
        return self._names[self.number(name)]

    def number(self, name: str) -> int:
        """The same, as a number; groups are numbered as they were found."""
        own = np.frombuffer(bytes.fromhex(name), np.uint8)
        bits, colours = _bits(own[None])[0], own[-_COLOURS:].astype(np.int16)
        bands = _BAND_NUMBERS | (_bands(own[None])[0] << _AT_BITS)
        for first, entries in self._sorted:  # the oldest first, as of several groups the first one counts
            numbers = first + _candidates(entries, bands, colours.tolist())
            near = self._near(numbers, self._bits[numbers], bits, colours)
            if len(near):
                return int(near.min())
        unsorted = slice(self._unsorted, self._count)
        near = self._near(np.arange(self._unsorted, self._count), self._bits[unsorted], bits, colours)
        if len(near):
            return int(near[0])
        if self._count == len(self._bits):
            more = self._count // 8 + 64
            self._bits = np.concatenate([self._bits, np.zeros((more, self._bits.shape[1]), self._bits.dtype)])
            self._colours = np.concatenate([self._colours, np.zeros((more, _COLOURS), np.int16)])
        self._bits[self._count], self._colours[self._count] = bits, colours
        self._names.append(name)
        self._count += 1
        if self._count - self._unsorted >= _UNSORTED:
            self._sort()
        return self._count - 1

    def _near(
        self, numbers: NDArray[np.int64], known: NDArray[Any], bits: NDArray[Any], colours: NDArray[np.int16]
    ) -> NDArray[np.int64]:
        """Which of these numbers, with the bits ``known``, have a signature near the one of ``bits`` and ``colours``."""
        alike = numbers[_differing(known, bits) <= _BITS]
        if not len(alike):
            return alike
        return alike[np.abs(self._colours[alike] - colours).max(1) <= _COLOUR]

    def _sort(self) -> None:
        """Put all into sorted lists, each many times longer than the next: few lists, the long ones seldom made anew."""
        first = self._unsorted
        while self._sorted:
            start, entries = self._sorted[-1]
            if len(entries) // _BANDS >= _LONGER * (self._count - first) or self._count - start > _NUMBERS:
                break
            first = start
            self._sorted.pop()
        for start in range(first, self._count, _NUMBERS):
            some = slice(start, min(self._count, start + _NUMBERS))
            self._sorted.append((start, _entries(self._bits[some], self._colours[some])))
        self._unsorted = self._count


def regrouped(firsts: Mapping[str, str]) -> dict[str, str]:
    """The new names of groups that belong to another one, as they are near it.

    Args:
        firsts: of each group the name of its first picture; in the order of these names, as in one search, of several
            groups that are near the first one counts.
    """
    names = [name for _, name in sorted((first, name) for name, first in firsts.items()) if _SIGNATURE.fullmatch(name)]
    if len(names) > _NUMBERS:
        groups = Groups()
        return {name: own for name in names if (own := groups.find(name)) != name}
    belongs: dict[int, int] = {}
    for later, earlier in _near_pairs(np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(-1, _BYTES)):
        if later not in belongs and earlier not in belongs:
            belongs[later] = earlier
    return {names[later]: names[earlier] for later, earlier in belongs.items()}


def _bits(signatures: NDArray[np.uint8]) -> NDArray[Any]:
    """The bits of signatures, as few large numbers."""
    return np.ascontiguousarray(signatures[:, :-_COLOURS]).view(np.uint64 if _COUNTING else np.uint16)


def _differing(known: NDArray[Any], bits: NDArray[Any]) -> NDArray[Any]:
    """In how many bits each row differs."""
    different = known ^ bits
    if not _COUNTING:
        return _ONES[different].sum(1)
    ones = np.bitwise_count(different)
    return ones[:, 0] + ones[:, 1]


def _bands(signatures: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The bands of each signature, (n, bands), as numbers; colours have no part in them."""
    return (np.unpackbits(signatures[:, : _WIDTH // 8], axis=1) @ _WORTH).astype(np.uint64)


def _entries(bits: NDArray[Any], colours: NDArray[np.int16]) -> NDArray[np.uint64]:
    """The sorted list of these signatures, each once for every band."""
    entries = np.empty((len(bits), _BANDS), np.uint64)
    for start in range(0, len(bits), 2**14):  # in parts, as this takes ten times the memory of its result
        some = slice(start, start + 2**14)
        red, green, blue = colours[some].T.astype(np.uint64)
        numbers = np.arange(start, start + len(red), dtype=np.uint64)
        rest = (red << _AT_RED) | (green << _AT_GREEN) | (blue << _AT_BLUE) | numbers
        bands = _bands(bits[some].view(np.uint8))
        entries[some] = _BAND_NUMBERS | (bands << _AT_BITS) | rest[:, None]
    entries = entries.ravel()
    entries.sort()
    return entries


def _near_pairs(signatures: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """The numbers of all signatures that are near each other, in order: (later, earlier)."""
    bits, colours = _bits(signatures), signatures[:, -_COLOURS:].astype(np.int16)
    entries = _entries(bits, colours)
    # those that share a band, and nearly the red of an entry, come after it up to its last one
    red = np.minimum((entries >> _AT_RED) & 255, 255 - _COLOUR) + _COLOUR
    last = (entries >> _AT_BITS << _AT_BITS) | (red << _AT_RED) | (2**_AT_RED - 1)
    ends = np.searchsorted(entries, last, "right")
    del red, last
    candidates = np.cumsum(ends - np.arange(len(entries)) - 1)
    pairs = [np.zeros((0, 2), np.int64)]
    start = 0
    while start < len(entries):
        before = candidates[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(candidates, before + _TOGETHER, "right")))
        counts = ends[start:end] - np.arange(start + 1, end + 1)
        first = np.repeat(np.arange(start, end), counts)
        second = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + first + 1
        for at in (_AT_GREEN, _AT_BLUE):
            near = np.abs(((entries[first] >> at) & 255).astype(np.int16) - ((entries[second] >> at) & 255).astype(np.int16))
            first, second = first[near <= _COLOUR], second[near <= _COLOUR]
        one, other = ((entries[some] & (_NUMBERS - 1)).astype(np.int64) for some in (first, second))
        near = _differing(bits[one], bits[other]) <= _BITS
        pairs.append(np.stack([np.maximum(one, other)[near], np.minimum(one, other)[near]], 1))
        start = end
    return [(later, earlier) for later, earlier in np.unique(np.concatenate(pairs), axis=0).tolist()]


def _candidates(entries: NDArray[np.uint64], bands: NDArray[np.uint64], colours: list[int]) -> NDArray[np.int64]:
    """The numbers in the list that share a band, and have nearly the same colour; some more than once."""
    red, green, blue = colours
    low, high = max(0, red - _COLOUR), min(255, red + _COLOUR)
    ends = np.concatenate([bands | (low << _AT_RED), bands + ((high + 1) << _AT_RED)])
    places = np.searchsorted(entries, ends).tolist()
    parts = [entries[a:b] for a, b in zip(places[:_BANDS], places[_BANDS:], strict=True) if a < b]
    found = np.concatenate(parts) if parts else entries[:0]
    if len(found) > _MANY:
        for at, colour in ((_AT_GREEN, green), (_AT_BLUE, blue)):
            found = found[np.abs(((found >> at) & 255).astype(np.int16) - colour) <= _COLOUR]
    return (found & (_NUMBERS - 1)).astype(np.int64)
