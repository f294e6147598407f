"""Images read in processes: the same ones as in threads, in the same order, and no process outlives the search."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from impasto.explore import patches, processes, reading
from impasto.explore.ahead import FEW
from impasto.explore.patches import empty_index, search
from impasto.explore.reading import FEWEST, Readers, read_images, readers_for
from impasto.explore.seen import Item, Seen
from impasto.explore.sources import Source, Sources, find_sources
from impasto.networks.convnet import ConvNet

SCRIPT = """
import sys
from impasto.explore import reading
from impasto.explore.sources import find_sources
reading.FEWEST, reading._cores, reading.free_memory = 2, lambda: 3, lambda _: 2**36
print("begun", flush=True)
sources = find_sources(sys.argv[1])
for _ in range(int(sys.argv[2])):
    for item in reading.read_images(list(sources), sources, 32, None, "cuda"):
        assert not isinstance(item, Exception), item
    print("read", flush=True)
"""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few images are enough, there are three cores and memory for them, and each image is a task."""
    monkeypatch.setattr(reading, "FEWEST", 2)
    monkeypatch.setattr(reading, "_cores", lambda: 3)
    monkeypatch.setattr(reading, "free_memory", lambda _: 2**36)
    monkeypatch.setattr(processes, "_MOST_TOGETHER", 1)


@pytest.fixture
def files(tmp_path: Path, make_photos: Callable[..., Path]) -> dict[str, Source]:
    """Pictures of three shapes, some in an archive, a copy of one, one that warns, and files that are no pictures."""
    folder = make_photos(12)
    make_photos(8, start=12, size=(32, 40))
    make_photos(1, start=20, size=(3, 3))
    (folder / "photo003b.png").write_bytes((folder / "photo003.png").read_bytes())
    (folder / "photo005b.png").write_bytes(b"no picture")
    (folder / "photo007b.png").write_bytes((folder / "photo007.png").read_bytes()[:-40])
    frames = [Image.fromarray(np.full((32, 32, 3), grey, np.uint8)) for grey in (0, 255)]
    frames[0].save(folder / "photo009b.gif", save_all=True, append_images=frames[1:])
    Image.open(folder / "photo001.png").convert("L").save(folder / "grey.jpg")
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for photo in sorted(make_photos(6, "inside", start=30).iterdir()):
            tar.add(photo, photo.name)
    return find_sources([str(folder), str(tmp_path / "shard.tar")])


def read(sources: Sources, device: str = "cuda") -> Iterator[Item]:
    return read_images(list(sources), sources, 32, "image", device)


def comparable(item: Item) -> tuple[object, ...]:
    if isinstance(item, Exception):
        return (str(item),)
    values = item.signal.values
    return item.signature, item.signal.kind, values.dtype, values.shape, values.strides, values.tobytes()


def workers(parent: int | None = None) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children(True) if "popen_loky" in " ".join(child.cmdline())]


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, 10)[1]


def test_who_reads() -> None:
    assert readers_for("cpu", 10**6, files=True, cores=64, memory=2**36) == Readers(1, FEW)
    assert readers_for("cuda", FEWEST, files=True, cores=64, memory=2**36) == Readers(16, 128, processes=True)
    assert readers_for("mps", FEWEST, files=True, cores=8, memory=2**36) == Readers(7, 128, processes=True)
    assert readers_for("cuda", FEWEST, files=True, cores=2, memory=2**36) == Readers(2, 128)
    assert readers_for("cuda", FEWEST - 1, files=True, cores=64, memory=2**36) == Readers(8, 128)
    assert readers_for("cuda", FEWEST, files=False, cores=64, memory=2**36) == Readers(8, 128)
    assert readers_for("cuda", FEWEST, files=True, cores=64, memory=2**31) == Readers(4, 128, processes=True)
    assert readers_for("cuda", FEWEST, files=True, cores=64, memory=2**29) == Readers(8, 128)


@pytest.mark.slow
@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("together", [1, 8])
def test_processes_read_what_threads_read(
    files: dict[str, Source], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(processes, "_MOST_TOGETHER", together)
    there = [comparable(item) for item in read(files)]
    told = sorted(caplog.messages)
    caplog.clear()
    assert there == [comparable(item) for item in read(files, "cpu")]
    assert told == sorted(caplog.messages) and any("animation" in line for line in told)
    assert not workers()


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_the_index_is_the_same(
    files: dict[str, Source], network: ConvNet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def found(device: str) -> bytes:
        monkeypatch.setattr(
            patches, "read_images", lambda names, sources, size, kind, _: read_images(names, sources, size, kind, device)
        )
        units = {name: tuple(range(4)) for name in ("relu1_1", "relu3_1")}
        *_, last = search(network, files, empty_index(units, network="small", size=32, top=5, per_image=1), "image")
        assert len(last.index.skipped) == 1
        last.index.save(path := tmp_path / "index.json")
        return path.read_bytes()

    assert found("cuda") == found("cpu")


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_when_a_process_is_killed_threads_go_on(files: dict[str, Source], caplog: pytest.LogCaptureFixture) -> None:
    items = read(files)
    there = [next(items)]
    children = workers()
    assert len(children) == 2
    children[0].kill()
    there += items
    assert [comparable(item) for item in there] == [comparable(item) for item in read(files, "cpu")]
    assert sum("from now on they are read in threads" in line for line in caplog.messages) == 1
    assert gone(children)


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_what_cannot_be_kept_is_read_in_threads(
    files: dict[str, Source], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    items = read(files)
    first = next(items)
    for folder in tmp_path.glob("impasto-*"):
        shutil.rmtree(folder)
    rest = list(items)
    assert [comparable(item) for item in (first, *rest)] == [comparable(item) for item in read(files, "cpu")]
    assert any("No such file" in line for line in caplog.messages)


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_nobody_is_left_when_the_search_is_left(files: dict[str, Source]) -> None:
    items = read(files)
    assert isinstance(next(items), Seen)
    children = workers()
    assert children and isinstance(items, Generator)
    items.close()
    assert gone(children)


def begun(folder: Path, script: Path, rounds: int) -> subprocess.Popen[str]:
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder), str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.slow
def test_a_script_without_a_guard_is_run_once(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    told, errors = begun(make_photos(20), tmp_path / "script.py", 1).communicate(timeout=120)
    assert (told.split(), errors) == (["begun", "read"], "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("ending", "wait"), [("SIGINT", 0), ("SIGINT", 2), ("SIGKILL", 2)])
def test_nobody_outlives_the_parent(make_photos: Callable[..., Path], tmp_path: Path, ending: str, wait: float) -> None:
    parent = begun(make_photos(300), tmp_path / "script.py", 1000)
    assert parent.stdout and parent.stdout.readline() == "begun\n"
    while len(children := workers(parent.pid)) < 2:
        time.sleep(0.02)
    time.sleep(wait)
    if ending == "SIGINT":
        os.killpg(parent.pid, signal.SIGINT)  # as the terminal does: to all of them
    else:
        parent.kill()
    _, errors = parent.communicate(timeout=30)
    assert gone(children)
    assert ending == "SIGKILL" or errors.count("KeyboardInterrupt") == 1


def test_what_the_processes_import_is_light() -> None:
    code = "import sys; import impasto.explore.processes; print({'torch', 'scipy', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.usefixtures("few")
def test_fewest_is_of_files_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read_in_processes", functools.partial(pytest.fail, "arrays cannot be read elsewhere"))
    arrays: dict[str, Source] = {name: np.zeros((8, 8, 3), np.uint8) for name in "abc"}
    assert len(list(read(arrays))) == 3


@pytest.mark.usefixtures("few")
def test_volumes_are_read_in_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To fit one torch is needed, which the processes do without."""
    monkeypatch.setattr(reading, "read_in_processes", functools.partial(pytest.fail, "processes would load torch"))
    for name in "abc":
        np.save(tmp_path / f"{name}.npy", np.zeros((20, 20, 20), np.float32))
    volumes: dict[str, Source] = {name: tmp_path / f"{name}.npy" for name in "abc"}
    assert len(list(read_images(list(volumes), volumes, 16, "volume", "cuda"))) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_nobody_is_left_when_the_search_fails(
    files: dict[str, Source], network: ConvNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[psutil.Process] = []

    def fail(*_: object) -> None:
        children.extend(workers())
        raise RuntimeError("in between")

    monkeypatch.setattr(
        patches, "read_images", lambda names, sources, size, kind, _: read_images(names, sources, size, kind, "cuda")
    )
    monkeypatch.setattr(patches.Responses, "find", fail)
    with pytest.raises(RuntimeError, match="in between") as kept:
        list(search(network, files, empty_index({"relu1_1": (0,)}, network="small", size=32, top=5, per_image=1), "image"))
    assert children and gone(children) and kept
