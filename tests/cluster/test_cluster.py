"""Folders painted by the processes of a cluster, which are killed (SIGKILL) in the middle of their work."""

from __future__ import annotations

import logging
import os
import signal
import time
from concurrent.futures import wait
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.cluster.connection import parse_cluster
from impasto.cluster.executor import Cluster, TaskKilled
from impasto.errors import ClusterError, SettingsError
from impasto.transfer import folder_elsewhere
from impasto.transfer.manifest import Manifest
from tests.cluster import tasks

SMALL = impasto.TransferSettings(size=24, iterations=12, content_layers="relu1_1", style_layers="relu1_1")
NAMES = ["Köln/ü.png", "a.png", "b c.jpg", "d.webp"]
PATIENCE = 120


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four photographs, one of them in a subfolder, and a style."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(NAMES):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.coffee()[i * 40 :: 13, ::13]).resize((32, 24)).save(tmp_path / "photos" / name)
    Image.fromarray(data.chelsea()[::9, ::9]).save("wave.png")
    return tmp_path


def paint(output: str, **how: Any) -> impasto.FolderResult:
    return impasto.transfer_folder("photos", "wave.png", output, SMALL, **how)


def files(folder: str) -> dict[str, bytes]:
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("given", ["local:0", "local", "local:-1", "tcp://there", "http://there:8786", "there:8786", ""])
def test_what_is_no_cluster_is_told(given: str):
    with pytest.raises(SettingsError, match=r"local:4 or tcp://HOST:8786 was expected"):
        parse_cluster(given)


def test_what_is_a_cluster():
    assert parse_cluster("local:12") == 12
    assert parse_cluster("tcp://there:8786") == "tcp://there:8786"
    assert parse_cluster("tls://10.0.0.1:8786") == "tls://10.0.0.1:8786"


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("impasto.cluster.connection._PATIENCE", "1s")
    with pytest.raises(ClusterError, match=r"^cluster tcp://127.0.0.1:9 cannot be used: .*") as caught:
        Cluster("tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)


def test_an_executor_that_tells_warns_and_fails(cluster: Cluster, caplog: pytest.LogCaptureFixture):
    results = [cluster.submit(tasks.add, i, b=1) for i in range(4)]
    with caplog.at_level(logging.WARNING):
        assert [result.result(PATIENCE)[0] for result in results] == [1, 2, 3, 4]
    assert sorted(cluster.told()) == [("sum", i) for i in (1, 2, 3, 4)]
    assert "3 and 1 are added" in caplog.text
    with pytest.raises(SettingsError, match="nothing is right"):
        cluster.submit(tasks.refuse).result(PATIENCE)
    assert cluster.ahead == 3 and cluster.memory(100) == 50


def test_a_task_that_kills_its_workers_three_times_is_given_up(cluster: Cluster, tmp_path: Path):
    deadly = cluster.submit(tasks.die, note=tmp_path / "deaths")
    with pytest.raises(TaskKilled, match="its worker died 3 times"):
        deadly.result(PATIENCE)
    assert (tmp_path / "deaths").read_text() == "xxx"
    assert cluster.submit(tasks.add, 1, 2).result(PATIENCE)[0] == 3


def test_kills_in_mid_task_lose_nothing_and_change_nothing(desk: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    paint("whole")
    monkeypatch.setattr(folder_elsewhere, "paint_elsewhere", tasks.slowly)
    kills: list[int] = []
    told: list[str] = []

    def kill(progress: impasto.FolderProgress) -> None:
        worker, evaluations = progress.at_work.get(progress.name, (0, 1))
        if not evaluations and worker not in kills and len(kills) < 3 and told.count(progress.name) < 2:
            os.kill(worker, signal.SIGKILL)
            kills.append(worker)
            told.append(progress.name)

    result = paint("painted", executor=cluster, on_progress=kill)
    assert sorted(row["output"] for row in result.painted) == NAMES and not result.failed and not result.left
    assert len(kills) == 3 == len(set(kills))
    assert files("painted") == files("whole")
    assert paint("painted").kept == NAMES  # this process alone: the same settings, memory and threads


def test_a_painting_that_kills_its_workers_is_reported_and_the_rest_goes_on(
    desk: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(folder_elsewhere, "paint_elsewhere", tasks.deadly)
    result = paint("painted", executor=cluster)
    assert result.failed == {tasks.DEADLY: "its worker died 3 times"}
    assert sorted(row["output"] for row in result.painted) == NAMES[:-1]
    monkeypatch.undo()
    os.chdir(desk)
    assert [row["output"] for row in paint("painted", executor=cluster).painted] == NAMES[-1:]


def test_the_evaluations_of_all_workers_are_told(desk: Path, cluster: Cluster):
    seen: list[impasto.FolderProgress] = []
    paint("painted", executor=cluster, on_progress=seen.append)
    told = {name: count for progress in seen for name, (_, count) in progress.at_work.items()}
    assert told == dict.fromkeys(NAMES, 12)
    assert [progress.done for progress in seen if progress.row] == [1, 2, 3, 4]


def test_what_is_at_work_ends_once_it_is_cancelled(desk: Path, cluster: Cluster):
    with Cluster("local:1") as one:
        waiting = one.submit(tasks.wait_for_the_end)
        while "waiting" not in one.told():
            time.sleep(0.05)
        one.stop()
        assert waiting.result(PATIENCE) is True
    cancel = Event()
    result = paint("painted", executor=cluster, cancel=cancel, on_progress=lambda progress: cancel.set())
    assert result.left == 4 - len(result.painted) > 0


def test_threads_and_memory_are_those_of_the_folder_and_not_of_the_worker(
    desk: Path, cluster: Cluster, caplog: pytest.LogCaptureFixture
):
    folder = Path("painted")
    folder.mkdir()
    paint("painted", part=(1, 4))
    head = Manifest(folder).head
    with caplog.at_level(logging.WARNING):
        paint("painted", executor=cluster)
    # of a computer of its own, the first one may take more
    assert "a worker has" in caplog.text and "computes otherwise" not in caplog.text
    assert Manifest(folder).head == head
    assert cluster.submit(tasks.threads_here).result(PATIENCE) == head["threads"]


def test_workers_end_with_the_process_that_started_them():
    with Cluster("local:1") as cluster:
        _, pid = cluster.submit(tasks.add, 1, 1).result(PATIENCE)
        assert psutil.pid_exists(pid)
    ended = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < ended:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)


def test_two_futures_of_which_one_is_cancelled(cluster: Cluster):
    slow = [cluster.submit(tasks.add, i, 1) for i in range(6)]
    slow[-1].cancel()
    wait(slow[:-1], PATIENCE)
    assert all(future.result()[0] for future in slow[:-1])
