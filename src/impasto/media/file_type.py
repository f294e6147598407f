"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path

TABLE = ".csv"
_HEAD = 4096  # bytes of a file that are looked at

# offset, the bytes that stand there, and the ending of such files; the first row that fits counts
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"GIF8", ".gif"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (0, b"II+\0", ".tif"),
    (0, b"MM\0+", ".tif"),
    (0, b"IIRO", ".orf"),
    (0, b"IIRS", ".orf"),
    (0, b"MMOR", ".orf"),
    (0, b"IIU\0", ".rw2"),
    (0, b"FUJIFILMCCD-RAW", ".raf"),
    (0, b"FOVb", ".x3f"),
    (0, b"\0MRM", ".mrw"),
    (6, b"HEAPCCDR", ".crw"),
    (0, b"\xff\x0a", ".jxl"),
    (0, b"\0\0\0\x0cJXL ", ".jxl"),
    (0, b"II\xbc\x01", ".jxr"),
    (0, b"\x76\x2f\x31\x01", ".exr"),
    (0, b"\0\0\0\x0cjP  ", ".jp2"),
    (0, b"\xff\x4f\xff\x51", ".j2k"),
    (0, b"8BPS\0", ".psd"),
    (0, b"qoif", ".qoi"),
    (0, b"\0\0\x01\0", ".ico"),
    (8, b"WEBP", ".webp"),
    (8, b"WAVE", ".wav"),
    (8, b"AVI ", ".avi"),
    (8, b"AIFF", ".aiff"),
    (8, b"AIFC", ".aifc"),
    (0, b"riff\x2e\x91\xcf\x11", ".w64"),
    (0, b"fLaC", ".flac"),
    (28, b"\x80theora", ".ogv"),
    (0, b"OggS", ".ogg"),
    (0, b"ID3", ".mp3"),
    (0, b"\xff\xfb", ".mp3"),
    (0, b"\xff\xfa", ".mp3"),
    (0, b"\xff\xf3", ".mp3"),
    (0, b"\xff\xf2", ".mp3"),
    (0, b"\xff\xfd", ".mp2"),
    (0, b"\xff\xfc", ".mp2"),
    (0, b"\xff\xf1", ".aac"),
    (0, b"\xff\xf9", ".aac"),
    (0, b"\x0b\x77", ".ac3"),
    (0, b"#!AMR", ".amr"),
    (0, b"MAC ", ".ape"),
    (0, b"wvpk", ".wv"),
    (0, b"TTA1", ".tta"),
    (0, b"DSD ", ".dsf"),
    (0, b"\x7f\xfe\x80\x01", ".dts"),
    (0, b"MPCK", ".mpc"),
    (0, b".SoX", ".sox"),
    (0, b"XoS.", ".sox"),
    (0, b"Creative Voice File", ".voc"),
    (0, b"NIST_1A", ".nist"),
    (0, b" paf", ".paf"),
    (0, b"fap ", ".paf"),
    (0, b"PVF1\n", ".pvf"),
    (0, b"2BIT", ".avr"),
    (0, b"ALawSoundFile", ".wve"),
    (0, b"\xf0\x7e", ".sds"),
    (0, b"Extended Instrument", ".xi"),
    (0, b"\x64\xa3\x01\0", ".ircam"),
    (0, b"\x64\xa3\x02\0", ".ircam"),
    (0, b"\x64\xa3\x03\0", ".ircam"),
    (0, b"\0\x02\xa3\x64", ".ircam"),
    (0, b"\0\x01\xa3\x64", ".ircam"),
    (8, b"8SVX", ".8svx"),
    (8, b"16SV", ".8svx"),
    (0, b".snd", ".au"),
    (0, b"caff", ".caf"),
    (4, b"ftypM4A ", ".m4a"),
    (4, b"ftypM4B ", ".m4a"),
    (4, b"ftypavi", ".avif"),
    (4, b"ftyphei", ".heic"),
    (4, b"ftyphev", ".heic"),
    (4, b"ftypmif1", ".heic"),
    (4, b"ftypmsf1", ".heic"),
    (4, b"ftypcrx ", ".cr3"),
    (4, b"ftypqt", ".mov"),
    (4, b"ftyp", ".mp4"),
    (4, b"moov", ".mov"),
    (0, b"\x1a\x45\xdf\xa3", ".mkv"),
    (0, b"FLV\x01", ".flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ".wmv"),
    (0, b"\0\0\x01\xba", ".mpg"),
    (0, b"\0\0\x01\xb3", ".mpg"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", ".mxf"),
    (0, b"YUV4MPEG2 ", ".y4m"),
    (0, b"DKIF", ".ivf"),
    (128, b"DICM", ".dcm"),
    # DICOM without its preamble begins with its first element, whose length tells the byte order
    (0, b"\x08\0\0\0\x04\0\0\0", ".dcm"),
    (0, b"\x08\0\0\0UL\x04\0", ".dcm"),
    (0, b"\x08\0\x05\0", ".dcm"),
    (0, b"\x08\0\x08\0", ".dcm"),
    (0, b"\x08\0\x16\0", ".dcm"),
    (0, b"\x02\0\0\0UL\x04\0", ".dcm"),
    (0, b"\x02\0\x01\0OB", ".dcm"),
    (0, b"\x02\0\x02\0UI", ".dcm"),
    (344, b"n+1\0", ".nii"),
    (4, b"n+2\0\r\n\x1a\n", ".nii"),
    (0, b"\x93NUMPY", ".npy"),
    (0, b"PK\x03\x04", ".npz"),
    (0, b"\0\0\0\x01\0\0", ".mgh"),
)
# so short that a table of numbers could begin with them
_SHORT_SIGNATURES = (
    (0, b"BM", ".bmp"),
    *((0, b"P%d%c" % (number, space), ".pnm") for number in range(1, 7) for space in b" \n\r\t"),
)
# MPEG transport streams: offset of the first packet, and length of each
_PACKETS = ((0, 188), (4, 192))


def file_type(path: Path) -> str | None:
    """The ending of files that begin like this one, e.g. ".png"; None if no known type does.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\x1f\x8b"):
        return _gzipped_type(path)
    if any(len(head) > 2 * each and all(head[at + n * each] == 0x47 for n in range(3)) for at, each in _PACKETS):
        return ".ts"
    return _signed(head, _SIGNATURES) or (TABLE if _is_table(head) else _signed(head, _SHORT_SIGNATURES))


def _signed(head: bytes, signatures: Iterable[tuple[int, bytes, str]]) -> str | None:
    return next((ending for at, mark, ending in signatures if head[at : at + len(mark)] == mark), None)


def _gzipped_type(path: Path) -> str:
    """.mgz (FreeSurfer: its version and first sizes are small whole numbers), or else .nii.gz."""
    try:
        with gzip.open(path) as file:
            head = file.read(348)
    except (OSError, EOFError, zlib.error):
        return ".nii.gz"  # its reader will raise the error
    return ".mgz" if head[:6] == b"\0\0\0\x01\0\0" and head[344:348] != b"n+1\0" else ".nii.gz"


def _is_table(head: bytes) -> bool:
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < _HEAD else "ignore")
    except UnicodeDecodeError:
        return False
    lines = text.splitlines()[:-1] if len(head) == _HEAD else text.splitlines()
    numbers = sum(any(c.isdigit() for c in line) and not any(c in "{}<>" for c in line) for line in lines)
    return "\0" not in text and len(lines) > 2 and numbers > len(lines) / 2


def ending_of(path: Path, known: tuple[str, ...]) -> str:
    """The ending among ``known`` that the first bytes of a file tell, or else its name; "" if neither does.

    Raises:
        OSError: the file cannot be opened.
    """
    found, name = file_type(path), path.name.lower()
    if found in known and found != TABLE:
        return found
    # the longest one, so that .nii.gz goes before a plain .gz
    return max((ending for ending in known if name.endswith(ending)), key=len, default="")
