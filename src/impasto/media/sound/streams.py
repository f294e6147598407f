"""Sound files with heads whose sizes are right.

A writer that cannot seek back (a pipe, a crash) leaves placeholders for sizes in the head, and a file that is cut off is
shorter than its head announces. libsndfile trusts the head, so the sizes in it are corrected before libsndfile reads it.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from impasto.media.sound.mp3 import true_mp3

_UNKNOWN = ("its head does not know its length",)
# larger sizes, and large round ones, are placeholders (0x7FFFF000, 0x80000000, 0xFFFFFFFF, ...)
_ANY_SIZE, _ROUND, _LARGE_FOR_ROUND = 2**28, 4096, 2**20


class Streams(NamedTuple):
    """The parts of one sound, to be read one after the other.

    Attributes:
        parts: files for libsndfile.
        announced: the length in seconds that the head announces, if it does.
        share: how much is there of the bytes or frames that the head announces, 0..1.
        strict: whether a much shorter sound than announced is an error; not so if the head only estimates.
        told: warnings, each in a few words.
    """

    parts: list[Path | IO[bytes]]
    announced: float | None = None
    share: float = 1
    strict: bool = True
    told: tuple[str, ...] = ()


class _Layout(NamedTuple):
    """How a file of chunks is built.

    Attributes:
        start: where the first chunk begins.
        name: the first four bytes of the name of the chunk of samples.
        size: the form of a chunk's size, for ``struct``.
        even: chunks begin at multiples of it.
        counted: bytes of a chunk's own head that its size includes.
        inner: bytes before the samples in their chunk.
        file_size: where the size of the file stands, in the same form; 0 if nowhere.
        name_length: bytes of a chunk's name.
        unknown: sizes by which the format itself says that the size is not known.
    """

    start: int
    name: bytes
    size: str
    even: int
    counted: int = 0
    inner: int = 0
    file_size: int = 0
    name_length: int = 4
    unknown: tuple[int, ...] = ()


_LAYOUTS = {
    b"RIFF": _Layout(12, b"data", "<I", 2, file_size=4),
    b"RIFX": _Layout(12, b"data", ">I", 2, file_size=4),
    b"RF64": _Layout(12, b"data", "<I", 2),
    b"BW64": _Layout(12, b"data", "<I", 2),
    b"FORM": _Layout(12, b"SSND", ">I", 2, inner=8, file_size=4),
    b"caff": _Layout(8, b"data", ">Q", 1, inner=4, unknown=(2**64 - 1,)),
    b"riff": _Layout(40, b"data", "<Q", 8, counted=24, file_size=16, name_length=16),
}
_MP3_ENDINGS = (".mp3", ".mpga")
_DS64 = 8  # offset of the size of the samples in the chunk ds64 of RF64


def open_streams(path: Path) -> Streams:
    """The parts of a sound file, with heads whose sizes are right.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(16)
        is_mp3 = path.suffix.lower() in _MP3_ENDINGS or head[:3] == b"ID3"
        while head[:3] == b"ID3":  # some programs put ID3 tags before a FLAC too
            a, b, c, d = (byte & 0x7F for byte in head[6:10].ljust(4, b"\0"))
            file.seek((a << 21 | b << 14 | c << 7 | d) - 6, 1)
            head = file.read(16)
        if head[:4] in _LAYOUTS and not (head[:4] == b"FORM" and head[8:12] not in (b"AIFF", b"AIFC")):
            return _chunked(path, file, _LAYOUTS[head[:4]])
    if head[:4] == b".snd":
        return _au(path)
    if head[:4] == b"fLaC":
        return _flac(path)
    if head[:4] == b"OggS":
        return _ogg(path)
    if is_mp3 or (head[:1] == b"\xff" and head[1] & 0xE6 == 0xE2):
        return _mp3(path)
    return Streams([path])


def _chunked(path: Path, file: IO[bytes], layout: _Layout) -> Streams:
    """WAV, AIFF, CAF, Wave64 and RF64, which are built of chunks."""
    whole, at, wide = path.stat().st_size, layout.start, None
    width = struct.calcsize(layout.size)
    while True:
        file.seek(at)
        head = file.read(layout.name_length + width)
        if len(head) < layout.name_length + width:
            return Streams([path])  # libsndfile will raise the error
        (size,) = struct.unpack_from(layout.size, head, layout.name_length)
        body = at + len(head)
        if head[:4] == layout.name:
            break
        if head[:4] == b"ds64":
            wide = body + _DS64
        at = body + size - layout.counted
        at += -at % layout.even
    form, size_at = layout.size, body - width
    if wide is not None:
        form, size_at = "<Q", wide
        file.seek(wide)
        (size,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
    extra = layout.counted + layout.inner
    there, promised = whole - body - layout.inner, size - extra
    declared = None
    if layout.file_size:
        file.seek(layout.file_size)
        (declared,) = struct.unpack(layout.size, file.read(width))
        declared += 0 if layout.counted else layout.file_size + width
    if promised <= 0:
        # an empty sound is as long as its file says
        empty = declared is not None and abs(declared - whole) <= 1
        unknown = not empty and there > 0
    else:
        unknown = promised > there and _is_no_promise(promised, declared)
    if not unknown and promised <= there:
        return Streams([path])
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, size_at, there + extra)
    if wide is not None:
        struct.pack_into("<Q", data, wide - _DS64, whole - 8)
        struct.pack_into("<Q", data, wide + 8, 0)  # the number of samples, which is not needed
    elif layout.file_size:
        outer = whole - (0 if layout.counted else layout.file_size + width)
        struct.pack_into(layout.size, data, layout.file_size, outer)
    if unknown:
        return Streams([BytesIO(data)], told=() if size in layout.unknown else _UNKNOWN)
    return Streams([BytesIO(data)], share=there / promised)


def _is_no_promise(size: int, declared: int | None) -> bool:
    """Whether a size of samples that goes beyond the end of the file is a placeholder, and the file not cut off."""
    vague = size >= _ANY_SIZE or (size >= _LARGE_FOR_ROUND and size % _ROUND == 0)
    return vague or (declared is not None and declared < size)


def _au(path: Path) -> Streams:
    data = bytearray(path.read_bytes())
    if len(data) < 24:
        return Streams([path])
    for order in "><":
        start, size = struct.unpack_from(f"{order}II", data, 4)
        if 24 <= start <= len(data):
            there = len(data) - start
            if 0 < size <= there:
                break
            struct.pack_into(f"{order}I", data, 8, there)
            if size == 0xFFFFFFFF or not there:
                return Streams([BytesIO(data)])
            if size == 0 or _is_no_promise(size, None):
                return Streams([BytesIO(data)], told=_UNKNOWN)
            return Streams([BytesIO(data)], share=there / size)
    return Streams([path])


def _flac(path: Path) -> Streams:
    """A FLAC with its length in the head set to unknown, so that it is read to its end."""
    data = bytearray(path.read_bytes())
    at = data.find(b"fLaC")
    if len(data) < at + 26:
        return Streams([path])
    # 20 bits of the rate, 8 of channels and bits a sample, 36 of the number of samples
    facts = int.from_bytes(data[at + 18 : at + 26], "big")
    rate, samples = facts >> 44, facts & (2**36 - 1)
    data[at + 18 : at + 26] = (facts - samples).to_bytes(8, "big")
    return Streams([BytesIO(data[at:])], announced=samples / rate if rate and 0 < samples < 2**32 - 1 else None)


def _mp3(path: Path) -> Streams:
    found = true_mp3(path.read_bytes())
    if found is None:
        return Streams([path])
    told = ("parts of another rate or other channels are left out",) if found.other_rates else ()
    return Streams([BytesIO(found.data)], share=found.share, strict=False, told=told)


def _ogg(path: Path) -> Streams:
    """The whole pages of an Ogg file; each of several chained streams, as radio stations send, is a part."""
    data, at = path.read_bytes(), 0
    links: list[bytearray] = []
    begins = ended = False
    while (at := data.find(b"OggS", at)) >= 0:
        segments = data[at + 27 : at + 27 + data[at + 26]] if len(data) > at + 27 else b""
        length = 27 + len(segments) + sum(segments)
        if len(segments) < (data[at + 26] if len(data) > at + 26 else 1) or at + length > len(data):
            break
        first = bool(data[at + 5] & 2)
        if first and not begins:
            links.append(bytearray())
        begins, ended = first, bool(data[at + 5] & 4)
        if links:
            links[-1] += data[at : at + length]
        at += length
    if not links:
        return Streams([path])
    return Streams([BytesIO(link) for link in links], told=() if ended else ("its end is missing",))
