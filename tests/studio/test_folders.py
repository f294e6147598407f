"""Folders of results that other processes paint, as the studio shows them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.errors import SettingsError
from impasto.studio.folders import NEWEST, Folder
from impasto.transfer.manifest import Manifest
from tests.studio.conftest import open_page, opened


def paint(folder: Path, count: int, total: int, made: float = 0.0, seconds: float = 0.0) -> None:
    """Results such as a folder's painting leaves them, one every so many ``seconds``, the newest ``made`` seconds ago."""
    folder.mkdir(exist_ok=True)
    manifest = Manifest(folder)
    manifest.begin({"impasto": "0", "memory": 1}, total)
    for i in range(count):
        path = folder / f"{i:02}.png"
        Image.fromarray(np.full((6, 8, 3), 20 * i, np.uint8)).save(path)
        manifest.add({"output": path.name, "made_of": "", "sha256": ""})
        when = time.time() - made - (count - 1 - i) * seconds
        os.utime(path, (when, when))


def test_it_counts_what_is_there_and_shows_the_newest(tmp_path: Path) -> None:
    paint(tmp_path / "painted", 9, 20)
    seen = Folder(tmp_path / "painted").look()
    assert (seen["path"], seen["done"], seen["total"]) == ("painted", 9, 20)
    assert len(seen["newest"]) == NEWEST and all(one["picture"].startswith("data:image/jpeg") for one in seen["newest"])


def test_what_is_left_is_foretold_by_the_pace(tmp_path: Path) -> None:
    paint(tmp_path / "painted", 10, 40, made=5, seconds=60)
    assert Folder(tmp_path / "painted").look()["note"] == "about 30 min left"


def test_it_tells_since_when_nothing_came(tmp_path: Path) -> None:
    paint(tmp_path / "painted", 4, 8, made=3600, seconds=10)
    assert Folder(tmp_path / "painted").look()["note"] == "the newest is 60 min old"


def test_it_is_done(tmp_path: Path) -> None:
    paint(tmp_path / "painted", 3, 3, made=3600)
    assert Folder(tmp_path / "painted").look()["note"] == "done"


def test_what_is_deleted_or_listed_and_not_there_yet_does_not_count(tmp_path: Path) -> None:
    paint(tmp_path / "painted", 3, 3)
    (tmp_path / "painted" / "01.png").unlink()
    assert Folder(tmp_path / "painted").look()["done"] == 2


def test_a_folder_may_come_later_and_grow(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "painted")
    assert folder.look()["note"] == "nothing is painted here yet"
    paint(tmp_path / "painted", 0, 4)
    assert folder.look()["note"] == "waits for its first result"
    paint(tmp_path / "painted", 2, 4)
    assert (folder.look()["done"], folder.look()["total"]) == (2, 4)


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "impasto.jsonl").write_text("[]\n")
    assert "not a manifest" in Folder(tmp_path).look()["note"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("")
    with pytest.raises(SettingsError, match="is a file; --watch expects the folder"):
        Folder(tmp_path / "a.png")


def test_a_folder_that_is_painted_in_parts_counts_as_one(tmp_path: Path, pictures: dict[str, Path]) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b", "c"):
        Image.open(pictures["content"]).resize((32, 24)).save(tmp_path / "photos" / f"{name}.png")
    settings = impasto.TransferSettings(size=32, iterations=1)
    seen = []
    for part in ("1/2", "2/2"):
        impasto.transfer_folder(tmp_path / "photos", pictures["style"], tmp_path / "painted", settings, part=part)
        seen.append(Folder(tmp_path / "painted").look())
    assert [(one["done"], one["total"]) for one in seen] in ([(1, 3), (3, 3)], [(2, 3), (3, 3)])
    assert seen[-1]["note"] == "done"


def test_history_shows_it_while_it_grows(tmp_path: Path, browser: Any) -> None:
    painted = tmp_path / "painted"
    paint(painted, 2, 3, made=5, seconds=2)
    with opened(tmp_path / "studio", "--watch", str(painted)) as studio:
        context = browser.new_context(viewport={"width": 400, "height": 900})
        page = open_page(context, studio)
        page.get_by_role("tab", name="History").click()
        note = page.locator(".folder-list p")
        page.wait_for_function("document.querySelector('.folder-list p')?.innerText.startsWith('2 of 3')")
        paint(painted, 3, 3)
        page.wait_for_function("document.querySelector('.folder-list p').innerText === '3 of 3 · done'")
        assert re.fullmatch("painted/", page.locator(".folder-list h3").inner_text())
        assert page.locator(".folder-list img").count() == 3 and note.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not page.trouble
        page.screenshot(path=os.environ.get("FOLDERS_SHOT", str(tmp_path / "shot.png")))
        context.close()
