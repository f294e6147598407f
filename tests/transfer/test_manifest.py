"""The manifest of a folder of results."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from impasto.errors import SignalError
from impasto.transfer.manifest import NAME, Manifest, digest_of
from impasto.validation import Part

HEAD = {"impasto": "0", "memory": 1}


def written(folder: Path, name: str, part: Part | None = None) -> dict[str, str]:
    """A result that is written and listed."""
    (folder / name).write_text(name)
    row = {"output": name, "made_of": f"of {name}", "sha256": digest_of(folder / name)}
    manifest = Manifest(folder, part)
    manifest.begin(HEAD, 2)
    manifest.add(row)
    return row


def test_what_is_listed_and_as_it_was_written_is_whole(tmp_path: Path):
    row = written(tmp_path, "ä \u2028.png")
    manifest = Manifest(tmp_path)
    path = tmp_path / row["output"]
    assert manifest.head == HEAD and manifest.lists(row["output"]) and not manifest.lists("b.png")
    assert manifest.is_whole(row["output"], path, row["made_of"])
    assert not manifest.is_whole(row["output"], path, "of another")
    path.write_text("half")
    assert not manifest.is_whole(row["output"], path, row["made_of"])
    path.unlink()
    assert not manifest.is_whole(row["output"], path, row["made_of"])


@pytest.mark.parametrize("left", range(1, 60, 7))
def test_a_line_that_was_cut_off_is_none_and_spoils_no_other(tmp_path: Path, left: int):
    written(tmp_path, "a.png")
    whole = (tmp_path / NAME).read_bytes()
    written(tmp_path, "b.png")
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[: len(whole) + left])
    assert Manifest(tmp_path).lists("a.png") and not Manifest(tmp_path).lists("b.png")
    written(tmp_path, "c.png")
    assert Manifest(tmp_path).lists("a.png") and Manifest(tmp_path).lists("c.png")


def test_parts_have_manifests_of_their_own_and_one_head(tmp_path: Path):
    written(tmp_path, "a.png", Part(1, 2))
    written(tmp_path, "b.png", Part(2, 2))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "impasto.1-of-2.jsonl", "impasto.2-of-2.jsonl", "impasto.jsonl",
    ]  # fmt: skip
    for manifest in (Manifest(tmp_path), Manifest(tmp_path, Part(1, 3))):
        assert manifest.lists("a.png") and manifest.lists("b.png") and manifest.head == HEAD


def test_what_is_decided_first_holds_for_all(tmp_path: Path):
    manifests = [Manifest(tmp_path, Part(i, 9)) for i in range(1, 10)]
    threads = [threading.Thread(target=m.begin, args=({"impasto": "0", "memory": i}, 0)) for i, m in enumerate(manifests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({manifest.head["memory"] for manifest in manifests}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("text", ["", "notes", "[]", json.dumps({"output": "a.png"})])
def test_a_file_of_that_name_that_is_no_manifest_stays(tmp_path: Path, text: str):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(SignalError, match="is not a manifest of impasto; name another folder"):
        Manifest(tmp_path)
    assert (tmp_path / NAME).read_text() == text


def test_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refusing(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refusing)
    written(tmp_path, "a.png")
    assert Manifest(tmp_path).lists("a.png")
