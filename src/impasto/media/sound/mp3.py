"""MP3 files: finds the frames that are there, whatever the head (Xing, Info or VBRI) announces; writes ID3 tags."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

# kbit/s by the index in a frame's header: 3 is MPEG-1, 2 is MPEG-2 and 2.5
_BITRATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MONO = 3
_COUNTS = 16  # bytes of the smallest head: its name, its flags, the numbers of frames and of bytes
_TEXT_FRAMES = {
    "title": b"TIT2",
    "artist": b"TPE1",
    "album": b"TALB",
    "date": b"TYER",
    "genre": b"TCON",
    "tracknumber": b"TRCK",
    "copyright": b"TCOP",
    "software": b"TSSE",
}


class Mp3(NamedTuple):
    """An MP3 with nothing but tags and frames, and a head that tells how many.

    Attributes:
        data: the bytes of the file.
        share: of the frames that the old head announced, how many are there, at most 1.
        other_rates: whether frames with another rate or other channels, as in joined files, were left out.
    """

    data: bytes
    share: float
    other_rates: bool


class _Frame(NamedTuple):
    """A frame's version (3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5), rate in Hz, whether it is mono, and length in bytes."""

    version: int
    rate: int
    mono: bool
    length: int

    @property
    def alike(self) -> tuple[int, int, bool]:
        """What frames of one stream have in common."""
        return self.version, self.rate, self.mono

    @property
    def samples(self) -> int:
        return 1152 if self.version == 3 else 576

    @property
    def head_at(self) -> int:
        """Where a head stands in its frame: after the side information."""
        return 4 + ((17 if self.mono else 32) if self.version == 3 else (9 if self.mono else 17))


def true_mp3(data: bytes) -> Mp3 | None:
    """An MP3 whose head announces the frames that are there; None if there are no frames.

    Decoders stop at the number of frames that the head announces, or guess it from the first frame.
    """
    behind_tags = min(_behind_tags(data, 0), len(data))
    at = _next_frame(data, behind_tags)
    first = _frame(data, at)
    if first is None:
        return None
    head, announced, parts, others = b"", 0, [], False
    if (counted := _counted(data, at, first)) is not None:
        head, announced = data[at : at + first.length], counted
        at += first.length
    while at < len(data):
        frame = _frame(data, at)
        if frame is None:
            at = _next_frame(data, max(at + 1, _behind_tags(data, at)))
            continue
        if at + frame.length > len(data):
            break
        if frame.alike != first.alike:
            others = True
        elif _counted(data, at, frame) is None:  # else it is the head of another file, joined to this one
            parts.append(data[at : at + frame.length])
        at += frame.length
    if not parts:
        return None
    size = sum(map(len, parts))
    head = _with_counts(head, first, len(parts), size) if head else _new_head(first, parts[0], len(parts), size)
    old_tag = data[-128:] if data[-128:-125] == b"TAG" else b""
    whole = b"".join([data[:behind_tags], head, *parts, old_tag])
    return Mp3(whole, min(1, len(parts) / announced) if announced else 1, others)


def _frame(data: bytes, at: int) -> _Frame | None:
    """The frame of Layer III whose header stands at ``at``, or None."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = data[at + 1] >> 3 & 3, data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    rate, bits = _RATES[version][rate], 1000 * _BITRATES[version or 2][bitrate]
    length = (144 if version == 3 else 72) * bits // rate + (data[at + 2] >> 1 & 1)
    return _Frame(version, rate, data[at + 3] >> 6 == _MONO, length)


def _next_frame(data: bytes, at: int) -> int:
    """Where the next frame begins that is followed by another like it, or by the end of the file."""
    while (at := data.find(b"\xff", at)) >= 0:
        if frame := _frame(data, at):
            behind = _frame(data, at + frame.length)
            if (behind and behind.alike == frame.alike) or at + frame.length == len(data):
                return at
        at += 1
    return len(data)


def _behind_tags(data: bytes, at: int) -> int:
    """Where the tags (ID3v2, ID3v1, APE) that begin at ``at`` end; ``at`` if there are none."""
    while True:
        if data[at : at + 3] == b"ID3" and len(data) >= at + 10:
            a, b, c, d = (byte & 0x7F for byte in data[at + 6 : at + 10])
            at += 10 + (a << 21 | b << 14 | c << 7 | d)
        elif data[at : at + 3] == b"TAG":
            at += 128
        elif data[at : at + 8] == b"APETAGEX" and len(data) >= at + 16:
            at += 32 + struct.unpack_from("<I", data, at + 12)[0]
        else:
            return at


def _counted(data: bytes, at: int, frame: _Frame) -> int | None:
    """How many frames a head announces, 0 if it does not say; None if this frame is no head."""
    body = data[at : at + frame.length]
    if body[36:40] == b"VBRI" and len(body) >= 54:
        return struct.unpack_from(">I", body, 50)[0]
    if body[frame.head_at : frame.head_at + 4] not in (b"Xing", b"Info"):
        return None
    flags, frames = struct.unpack_from(">II", body.ljust(frame.head_at + 12, b"\0"), frame.head_at + 4)
    return frames if flags & 1 else 0


def _with_counts(head: bytes, frame: _Frame, frames: int, size: int) -> bytes:
    """The same head with the right numbers; it keeps the encoder's delay, by which decoders trim the ends."""
    at, changed = frame.head_at, bytearray(head)
    if head[at : at + 4] not in (b"Xing", b"Info") or head[at + 7] & 3 != 3:
        return _new_head(frame, head, frames, size)
    struct.pack_into(">II", changed, at + 8, frames, size + len(head))
    return bytes(changed)


def _new_head(frame: _Frame, like: bytes, frames: int, size: int) -> bytes:
    """A silent frame with a head that announces so many frames and bytes."""
    for index in range(1, 15):
        header = bytes([0xFF, like[1] | 1, index << 4 | like[2] & 0x0C, like[3]])
        made = _frame(header, 0)
        if made and made.length >= frame.head_at + _COUNTS:
            counts = struct.pack(">4sIII", b"Xing", 3, frames, size + made.length)
            return (header.ljust(frame.head_at, b"\0") + counts).ljust(made.length, b"\0")
    raise AssertionError("some frame is long enough")


def id3(tags: Mapping[str, str]) -> bytes:
    """The tags of an MP3 as ID3v2.3 in UTF-16, which old players read too; it has no frame for ``license``."""
    frames = b""
    for name, text in tags.items():
        encoded = b"\xff\xfe" + text.encode("utf-16-le", "replace")
        if name == "comment":
            frames += _id3_frame(b"COMM", b"\x01eng\xff\xfe\0\0" + encoded)
        elif name in _TEXT_FRAMES:
            frames += _id3_frame(_TEXT_FRAMES[name], b"\x01" + encoded)
    size = len(frames)
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames if size else b""


def _id3_frame(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">IH", len(body), 0) + body
