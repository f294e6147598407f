"""Whether a Matroska or WebM file is complete: its head tells how many bytes it has."""

from __future__ import annotations

from pathlib import Path

_SHORTEST = 32  # bytes of the first two elements' heads
_HEADER, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def holds_all(path: Path) -> bool:
    """Whether a file is Matroska and not shorter than its head tells, if it does; False for all other formats."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.startswith(_HEADER) or len(head) < _SHORTEST:
        return False
    size, at = _number(head, 4)
    segment = at + (size or 0)
    if head[segment : segment + 4] != _SEGMENT or len(head) < segment + 12:
        return False
    size, at = _number(head, segment + 4)
    return size is None or path.stat().st_size >= at + size


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """The EBML number at ``at``, None if it means "unknown", and the place after it; its leading zeros tell its length."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), at + length
