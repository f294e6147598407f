"""An exploration by the processes of a cluster: the index is that of one process."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.cluster.executor import Cluster
from impasto.errors import SettingsError
from impasto.explore import elsewhere
from impasto.explore.index import PatchIndex
from tests.cluster import tasks

LAYERS = "relu1_1,relu2_1"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs of two sizes, of which some are nearly equal, far from one another, and one is none."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(14):
        part = Image.fromarray(data.coffee()[i * 14 : i * 14 + 200, i * 20 : i * 20 + 200])
        part.resize((48, 40 + 8 * (i % 2))).save(folder / f"{i:02}.png")
    Image.open(folder / "01.png").save(folder / "12 again.jpg", quality=95)
    Image.open(folder / "03.png").resize((40, 40)).save(folder / "99 smaller.png")
    (folder / "05 none.png").write_bytes(b"no picture")
    return folder


def index_of(photos: Path, **how: Any) -> PatchIndex:
    return impasto.top_patches(photos, LAYERS, top=4, **how)


def test_the_index_is_that_of_one_process(photos: Path, cluster: Cluster):
    alone = index_of(photos)
    seen: list[int] = []
    assert index_of(photos, executor=cluster, on_progress=lambda progress: seen.append(progress.done)) == alone
    assert seen == list(range(1, 18)) and len(alone.images) == 16 and len(alone.skipped) == 1
    assert len(set(alone.images.values())) < 16
    with ThreadPoolExecutor(2) as executor:
        assert index_of(photos, executor=executor, per_image=2) == index_of(photos, per_image=2)


def test_a_search_goes_on_by_a_cluster(photos: Path, cluster: Cluster):
    files = sorted(photos.iterdir())
    begun = impasto.top_patches(files[:7], LAYERS, top=4)
    assert index_of(photos, executor=cluster, resume=begun) == index_of(photos)


def test_an_image_that_kills_its_workers_is_skipped_and_the_rest_goes_on(
    photos: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(elsewhere, "look_elsewhere", tasks.look_or_die)
    monkeypatch.setattr(elsewhere, "_IMAGES", 2)
    index = index_of(photos, executor=cluster)
    killer = (photos / "07.png").as_posix()
    assert index.skipped[killer] == "its worker died 3 times" and len(index.images) == 15
    (photos / "07.png").unlink()
    assert index.layers == index_of(photos).layers


def test_a_worker_that_is_killed_changes_nothing(photos: Path, cluster: Cluster):
    killed: list[int] = []

    def kill(progress: Any) -> None:
        if progress.done in (2, 5):
            pid = cluster.submit(tasks.add, 1, 1).result(120)[1]
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    assert index_of(photos, executor=cluster, on_progress=kill) == index_of(photos)
    assert len(killed) == 2


def test_a_network_itself_cannot_be_sent(photos: Path, cluster: Cluster):
    with pytest.raises(SettingsError, match="its name was expected"):
        index_of(photos, executor=cluster, network=impasto.vgg19())


def test_bars_let_all_through_that_counts():
    bar = elsewhere.Bar({"a": np.arange(2), "b": np.arange(3)}, np.array([1, 2, 3, 4, 5], np.float32))
    assert bar.rows(("b",)).tolist() == [2, 3, 4] and bar.rows(("b", "a")).tolist() == [2, 3, 4, 0, 1]
    assert bar.may_change(0, bar.rows(("a",)), np.array([1, 1], np.float32)).tolist() == [True, False]
