"""The folder of runs: what is written is read again, and nothing else is touched."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.studio.history import History, Run
from impasto.studio.uploads import Upload


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    path = tmp_path / "upload"
    Image.new("RGB", (8, 8)).save(path, "PNG")
    return Upload(path, "harbour.png", ".png", (8, 8))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "runs")


def test_a_run_is_read_as_it_was_written(history: History, upload: Upload):
    run = history.new(
        upload, [replace(upload, name="monet.png", weight=0.5)], {"size": 64, "style_layers": {"relu1_1": 0.5}}
    )
    history.save(replace(run, state="done", costs=({"J": 3.0, "style": 2.0}, {"J": 2.0, "style": 1.0}), seconds=1.5))
    upload.path.unlink()
    (found,) = History(history.folder).all()
    assert found == replace(run, state="done", costs=({"J": 3.0, "style": 2.0}, {"J": 2.0, "style": 1.0}), seconds=1.5)
    assert found.names == ("harbour.png", "monet.png")
    with Image.open(history.path(found, found.content)) as picture:
        assert picture.size == (8, 8)


def test_the_newest_run_comes_first_and_what_is_damaged_is_passed_over(history: History, upload: Upload):
    runs = [history.new(upload, [upload], {}) for _ in range(3)]
    (history.folder / runs[1].id / "run.json").write_text('{"id": 3}')
    (history.folder / "notes").mkdir()
    (history.folder / "README").write_text("mine")
    assert [run.id for run in history.all()] == sorted((runs[0].id, runs[2].id), reverse=True)


def test_what_was_under_way_when_the_server_ended_was_interrupted(history: History, upload: Upload):
    states = ("waiting", "painting", "done", "stopped", "failed")
    runs = {state: history.new(upload, [upload], {}) for state in states}
    for state, run in runs.items():
        history.save(replace(run, state=state))
    history.recover()
    after = {state: history.load(run.id).state for state, run in runs.items()}
    assert after == {**{s: s for s in states}, "waiting": "interrupted", "painting": "interrupted"}


@pytest.mark.parametrize("name", ["../../etc", "", ".", "20260101-000000-abcdef/..", "20260101-000000-abcdef", "a\0b"])
def test_a_name_from_outside_leads_nowhere_else(history: History, name: str):
    with pytest.raises(SignalError, match="there is no run"):
        history.load(name)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(history: History, upload: Upload, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(SignalError, match=r"the run cannot be kept in .*: No space left on device"):
        history.new(upload, [upload], {})
    assert list(history.folder.iterdir()) == []


def test_forgetting_takes_one_run_alone(history: History, upload: Upload):
    first, second = history.new(upload, [upload], {}), history.new(upload, [upload], {})
    history.forget(first.id)
    assert [run.id for run in history.all()] == [second.id]


def test_a_run_has_what_a_page_needs():
    run = Run("20260101-000000-abcdef", "content.png", ("style1.png",), (1.0,), ("a", "b"), {})
    assert (run.state, run.costs, run.result) == ("waiting", (), "")


def test_what_was_last_seen_is_kept_beside_the_run(history: History, upload: Upload):
    run = history.new(upload, [replace(upload, name="monet.png")], {}, (64, 96))
    assert history.load(run.id).size == (64, 96)
    assert history.seen(run) == () and history.picture(run) == history.path(run, run.content)
    history.see(run, b"jpeg", [{"J": 2.0}])
    assert history.seen(run) == ({"J": 2.0},)
    assert history.picture(run).read_bytes() == b"jpeg"
    history.path(run, "latest.json").write_text("[")
    assert history.seen(run) == ()


def test_a_download_is_named_after_content_and_style(history: History, upload: Upload):
    styles = [replace(upload, name=f"{name}.png") for name in ("monet", "klimt")]
    run = history.new(replace(upload, name="my harbour.png"), styles, {})
    assert replace(run, result="result.nii.gz").download_name() == "my-harbour-in-the-style-of-monet-and-klimt.nii.gz"
    wild = replace(run, names=("../" * 99 + "a b?", "é"), result="result.png")
    assert "/" not in wild.download_name() and len(wild.download_name()) < 130


def test_runs_of_one_second_stand_in_their_order(history: History, upload: Upload):
    runs = [history.new(upload, [upload], {}).id for _ in range(5)]
    assert [run.id[:18] for run in history.all()] == sorted((one[:18] for one in runs), reverse=True)
