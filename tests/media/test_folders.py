"""What a folder holds, however people and programs have left it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.media.folders import contents_of, holds_slices
from impasto.media.read_write import find_medium
from tests.media.dicom_files import slices


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), 100, np.uint8)).save(path, "PNG")


def test_signals_are_found_in_the_order_of_their_names_and_all_else_is_told(tmp_path: Path):
    for name in ("b.png", "a b.JPG", "Köln/東京 ☃.png", "Köln/.hidden.png", ".cache/c.png", "no ending", "z.png"):
        picture(tmp_path / name)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "exif.csv", "b.xmp"):
        (tmp_path / name).write_text("1,2\n3,4\n5,6\n")
    found = contents_of(tmp_path, lambda path: path.name == "z.png")
    assert list(found.signals) == ["Köln/東京 ☃.png", "a b.JPG", "b.png", "no ending"]
    assert found.signals["a b.JPG"] == tmp_path / "a b.JPG"
    assert found.passed_over == ["b.xmp", "exif.csv", "notes.txt"]
    assert not found.closed


def test_tables_alone_are_series(tmp_path: Path):
    for name in ("a.csv", "b.csv", "readme.txt"):
        (tmp_path / name).write_text("1,2\n3,4\n5,6\n")
    found = contents_of(tmp_path)
    assert (list(found.signals), found.passed_over) == (["a.csv", "b.csv"], ["readme.txt"])


def test_links_that_lead_back_are_not_followed_and_one_to_nothing_is_a_content_that_cannot_be_read(tmp_path: Path):
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "back").symlink_to(tmp_path)
    (tmp_path / "in" / "self.png").symlink_to("self.png")
    (tmp_path / "nowhere.png").symlink_to("missing.png")
    picture(tmp_path.parent / "elsewhere" / "e.png")
    (tmp_path / "away").symlink_to(tmp_path.parent / "elsewhere")
    assert list(contents_of(tmp_path).signals) == ["away/e.png", "in/a.png", "in/self.png", "nowhere.png"]
    shutil.rmtree(tmp_path.parent / "elsewhere")


def test_a_folder_that_cannot_be_entered_is_told_and_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    picture(tmp_path / "a.png")
    picture(tmp_path / "closed" / "b.png")
    scan = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = contents_of(tmp_path)
    assert list(found.signals) == ["a.png"]
    assert found.closed == {"closed": "the folder cannot be read: Permission denied"}
    with pytest.raises(SignalError, match="closed cannot be read: Permission denied"):
        contents_of(tmp_path / "closed")
    with pytest.raises(SignalError, match="missing cannot be read"):
        contents_of(tmp_path / "missing")


def test_a_subfolder_of_slices_is_one_signal(tmp_path: Path):
    slices(tmp_path / "patient", np.arange(4 * 8 * 8).reshape(4, 8, 8).astype(np.int16))
    (tmp_path / "patient" / ".DS_Store").write_bytes(b"x")
    picture(tmp_path / "a.png")
    assert holds_slices(tmp_path / "patient") and not holds_slices(tmp_path)
    found = contents_of(tmp_path)
    assert list(found.signals) == ["a.png", "patient"] and not found.passed_over
    assert find_medium(found.signals["patient"]).name == "volume"
