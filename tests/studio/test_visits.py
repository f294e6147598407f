"""What a visitor leaves on the page: found again, bounded, and nothing of anybody else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from impasto.errors import SignalError
from impasto.studio import visits as module
from impasto.studio.uploads import Upload
from impasto.studio.visits import Visits


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    return Visits(tmp_path / "visits")


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "photograph.nii.gz"
    path.write_bytes(b"seen")
    return path


def test_what_was_kept_is_found_by_the_next_server(visits: Visits, upload: Path):
    visitor = visits.new()
    kept = visits.keep(visitor, "paint", {"size": "64"}, {"content": upload})
    upload.unlink()
    found = Visits(visits.folder).recall(visitor, "paint")
    assert found is not None and found == kept and found.value == {"size": "64"}
    assert found.files["content"].read_bytes() == b"seen" and found.files["content"].name.endswith(".nii.gz")
    again = visits.keep(visitor, "paint", {}, found.files)
    assert again.files == found.files  # it stays where it is


def test_a_file_is_adopted_once_and_left_where_it_cannot_be(visits: Visits, upload: Path):
    visitor = visits.new()
    adopted = visits.adopt(visitor, "paint", upload)
    assert adopted.parent == visits.folder / visitor / "paint" and adopted.read_bytes() == b"seen"
    assert visits.adopt(visitor, "paint", adopted) == adopted
    assert visits.keep(visitor, "paint", 1, {"content": adopted}).files == {"content": adopted}
    assert visits.adopt("", "paint", upload) == upload
    assert visits.adopt(visitor, "paint", upload.with_name("gone.png")) == upload.with_name("gone.png")


def test_of_others_and_of_what_was_never_kept_there_is_nothing(visits: Visits, upload: Path):
    visitor = visits.new()
    visits.keep(visitor, "paint", 1, {"content": upload})
    assert visits.recall(visits.new(), "paint") is None
    assert visits.recall(visitor, "learn") is None
    for name in ("", "..", "../" + visitor, "x" * 32):
        assert visits.recall(name, "paint") is None
        assert visits.keep(name, "paint", 1, {"content": upload}).files == {"content": upload}
    assert [path.name for path in visits.folder.iterdir()] == [visitor]


def test_a_damaged_record_and_a_file_that_is_gone_are_as_if_never_kept(visits: Visits, upload: Path):
    visitor = visits.new()
    kept = visits.keep(visitor, "paint", 1, {"content": upload})
    kept.files["content"].unlink()
    found = visits.recall(visitor, "paint")
    assert found is not None and found.files == {}
    (visits.folder / visitor / "paint" / "record.json").write_text("[")
    assert visits.recall(visitor, "paint") is None


def test_the_old_and_the_too_many_are_cleared(visits: Visits, upload: Path, monkeypatch: pytest.MonkeyPatch):
    first, second, third = visits.new(), visits.new(), visits.new()
    for age, visitor in ((40, first), (2, second), (1, third)):
        visits.keep(visitor, "paint", 1, {"content": upload})
        moment = time.time() - age * 24 * 3600
        os.utime(visits.folder / visitor, (moment, moment))
    visits.clear()
    assert visits.recall(first, "paint") is None
    monkeypatch.setattr(module, "MOST_VISITORS", 1)
    visits.clear()
    assert visits.recall(second, "paint") is None and visits.recall(third, "paint") is not None
    monkeypatch.setattr(module, "MOST_BYTES", 2)
    visits.clear()
    assert visits.recall(third, "paint") is None


def test_too_much_at_once_is_one_sentence_and_what_was_there_stays(visits: Visits, upload: Path, monkeypatch):
    visitor = visits.new()
    visits.keep(visitor, "paint", 1)
    monkeypatch.setattr(module, "MOST_BYTES_OF_PART", 3)
    with pytest.raises(SignalError, match="are too much to be kept"):
        visits.keep(visitor, "paint", 2, {"content": upload})
    found = visits.recall(visitor, "paint")
    assert found is not None and found.value == 1


def test_files_that_are_named_no_more_go_after_a_day(visits: Visits, upload: Path, monkeypatch: pytest.MonkeyPatch):
    visitor = visits.new()
    old = visits.keep(visitor, "paint", 1, {"content": upload}).files["content"]
    visits.keep(visitor, "paint", 2)
    assert old.exists()  # another window may show it
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    visits.keep(visitor, "paint", 3)
    assert not old.exists()


def test_an_upload_is_the_same_after_json():
    upload = Upload(Path("a.png"), "monet.png", ".png", (8, 9), "image", "9 × 8", 0.5)
    assert Upload.from_dict(Path("a.png"), upload.as_dict()) == upload
