from __future__ import annotations

from pathlib import Path

from impasto.media.movie.ebml import holds_all
from tests.media.movies import make_movie


def test_a_matroska_file_tells_whether_it_is_whole(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mkv")
    assert holds_all(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert not holds_all(path) and not holds_all(make_movie(tmp_path / "a.mp4"))
    (tmp_path / "short.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    assert not holds_all(tmp_path / "short.mkv")
