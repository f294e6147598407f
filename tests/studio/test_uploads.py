"""What comes in from outside: links, dots, names, bombs and rubbish."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import SignalError
from impasto.studio import uploads
from impasto.studio.uploads import inspect, safe_name, within


def picture(path: Path, **how: object) -> Path:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path, **how)  # pyright: ignore[reportArgumentType]
    return path


def table(path: Path) -> Path:
    path.write_text("time,II\n" + "\n".join(f"{i / 125:.4f},{i % 7}" for i in range(600)))
    return path


@pytest.mark.parametrize(("written", "ending"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp"), ("GIF", ".png")])
def test_a_picture_is_known_by_what_is_in_it(tmp_path: Path, written: str, ending: str):
    path = picture(tmp_path / "note.txt", format=written)
    upload = inspect(path, "C:\\holiday\\..\\note.txt", tmp_path)
    assert (upload.ending, upload.shape, upload.name) == (ending, (30, 40), "note.txt")


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it has this size, and is almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def header_of(*shape: int) -> bytes:
    """The head of a NIfTI file, which says it has this shape."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<2h", head, 70, 4, 16)
    head[344:348] = b"n+1\0"
    return bytes(head)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("leads.npy", bytes(2**27))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "gift is empty"),
        (b"MZ\x90\0 a program", "gift is not a picture that can be read"),
        (png_of(9000, 9000), r"gift has too many pixels \(9000 x 9000\); up to 80 million are taken"),
        (png_of(60000, 60000), "gift has too many pixels; up to 80 million are taken"),
        (gzip.compress(header_of(30000, 30000, 30000)), "gift has too many values: up to 67 million are taken"),
        (header_of(2000, 2000, 2000), "gift has too many values"),
        (archive(), "gift has too many values"),
        (gzip.compress(b"not a volume" * 100), "gift is damaged|gift cannot be read|gift has too many"),
        (b"RIFF\0\0\0\0WAVEfmt ", "gift is damaged|gift cannot be read"),
        (b"\x93NUMPY\x01\0v\0rubbish", "gift is damaged|gift cannot be read"),
        (b"fLaC" + bytes(50), "gift is damaged|gift cannot be read"),
        (b"PK\x03\x04" + bytes(50), "gift is damaged|gift cannot be read"),
        (bytes(128) + b"DICM" + bytes(50), "gift"),
        (b"a,b\n1,2\n3\n4,5\n", "gift: line 3 has 1 values"),
        (b"<html><script>1</script>\n" * 9, "gift is not a picture that can be read"),
    ],
    ids=[
        "nothing",
        "program",
        "picture",
        "bomb",
        "zipped volume",
        "volume",
        "archive",
        "no volume",
        "wav",
        "npy",
        "flac",
        "npz",
        "dicom",
        "table",
        "page",
    ],  # bytes may hold the time
)
def test_what_is_none_or_far_too_large_is_told_without_being_read(tmp_path: Path, data: bytes, told: str):
    path = tmp_path / "upload"
    path.write_bytes(data)
    with pytest.raises(SignalError, match=told) as caught:
        inspect(path, "gift", tmp_path)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "most", "name", "write", "told"),
    [
        ("MOST_BYTES", 100, "a.bmp", picture, "up to 0 MB are taken"),
        ("MOST_TEXT", 1000, "ecg", table, "ecg is too long"),
    ],
)
def test_a_file_has_a_limit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    most: int,
    name: str,
    write: Callable[[Path], Path],
    told: str,
):
    inspect(write(tmp_path / name), name, tmp_path)
    monkeypatch.setattr(uploads, limit, most)
    with pytest.raises(SignalError, match=told):
        inspect(write(tmp_path / name), name, tmp_path)


def test_only_what_was_uploaded_is_looked_at(tmp_path: Path):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    secret = picture(tmp_path / "secret.png")
    (uploads / "link.png").symlink_to(secret)
    for path in (secret, "../secret.png", uploads / ".." / "secret.png", uploads / "link.png", uploads, "/etc/passwd"):
        with pytest.raises(SignalError):
            within(path, uploads)
    with pytest.raises(SignalError, match="drop it again"):
        within(uploads / "gone.png", uploads)
    with pytest.raises(SignalError, match="drop it again"):
        within("a\0b", uploads)
    mine = picture(uploads / "mine.png")
    assert within(mine, uploads) == mine.resolve()


@pytest.mark.slow
@given(st.text(max_size=200))
def test_a_name_is_one_short_line_and_no_path(name: str):
    safe = safe_name(name)
    assert 1 <= len(safe) <= 60
    assert safe.isprintable()
    assert Path(safe).name == safe


def test_the_size_is_that_of_the_picture_as_it_is_seen(tmp_path: Path):
    picture = Image.new("RGB", (40, 20))
    exif = picture.getexif()
    exif[0x0112] = 6  # a camera held upright
    picture.save(tmp_path / "upright.jpg", exif=exif)
    picture.save(tmp_path / "upright.png", exif=exif)
    for name in ("upright.jpg", "upright.png"):
        assert inspect(tmp_path / name, name, tmp_path).shape == (40, 20)
