"""``--cluster`` on the command line, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data

from impasto.explore.index import PatchIndex
from tests.conftest import Run
from tests.media.movies import make_movie

FEW = ["--size", "24", "--iterations", "3", "--content-layers", "relu1_1", "--style-layers", "relu1_1"]
PAINT = ["transfer", "photos", "wave.png", *FEW, "-o"]
NAMES = ["a 1.png", "a 2.png", "more/b.jpg", "more/c.png"]
HERE = Path(__file__).parent
PATIENCE = 200


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos/more").mkdir(parents=True)
    for i, name in enumerate(NAMES):
        Image.fromarray(data.coffee()[i * 40 :: 13, ::13]).resize((32, 24)).save(f"photos/{name}")
    Image.fromarray(data.chelsea()[::9, ::9]).save("wave.png")
    return tmp_path


def files(folder: str) -> dict[str, bytes]:
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def started(*words: str, record: Path | None = None) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    if record:
        environment["IMPASTO_TEST_CONNECTIONS"] = str(record)
    command = [sys.executable, "-m", *words]
    how: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, start_new_session=True, **how)


def told(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@contextmanager
def scheduler() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a scheduler with one worker, and its process."""
    here = ("--host", "127.0.0.1")
    file = Path("scheduler.json")
    how = (*here, "--no-dashboard", "--scheduler-file", str(file))
    boss = started("distributed.cli.dask_scheduler", *how, "--port", "0")
    worker = started(
        "distributed.cli.dask_worker", *here, "--nthreads", "1", "--no-dashboard", "--scheduler-file", str(file)
    )
    try:
        end = time.monotonic() + PATIENCE
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], boss
    finally:
        for process in (worker, boss):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def test_a_folder_and_an_exploration_by_workers_here_with_no_connection_to_anywhere_else():
    """The studio's proof: an audit hook in every process; what the user named is this computer."""
    record = Path("connections").absolute()
    code, out, err = told(started("impasto", *PAINT, "painted", "--cluster", "local:2", record=record))
    assert (code, err) == (0, "impasto: photos is a folder of 4 contents, which are painted one by one\n")
    assert out.splitlines()[-1].startswith("painted: 4 painted, ")
    assert told(started("impasto", *PAINT, "whole"))[0] == 0
    assert files("painted") == files("whole") and sorted(files("whole")) == NAMES
    explore = ["impasto", "explore", "patches", "photos", "--layer", "relu1_1", "--top", "2", "-o"]
    code, out, err = told(started(*explore, "two.json", "--cluster", "local:2", record=record))
    assert (code, err) == (0, "") and told(started(*explore, "one.json"))[0] == 0
    assert PatchIndex.load("two.json") == PatchIndex.load("one.json")
    lines = [line.split() for line in record.read_text().splitlines()]
    assert {host for _, event, host, *_ in lines} == {"127.0.0.1"}
    assert len({pid for pid, event, *_ in lines if event == "socket.connect"}) >= 6  # two commands with two workers each


def test_a_scheduler_that_somebody_has_started_and_nothing_else_is_connected_to():
    record = Path("connections").absolute()
    with scheduler() as (address, boss):
        code, _, err = told(started("impasto", *PAINT, "painted", "--cluster", address, record=record))
        assert code == 0 and sorted(files("painted")) == NAMES, err
        assert told(started("impasto", *PAINT, "whole"))[0] == 0
        assert files("painted") == files("whole")
        asked = [line.split() for line in record.read_text().splitlines() if " socket.connect " in line]
        assert {f"tcp://{host}:{port}" for _, _, host, port in asked} == {address}
        slow = started("impasto", *PAINT, "slow", "--iterations", "300", "-q", "--cluster", address)
        while not Path("slow", NAMES[0]).exists() and slow.poll() is None:
            time.sleep(0.02)
        os.killpg(boss.pid, signal.SIGKILL)
        code, _, err = told(slow)
        assert code == 1 and err == f"impasto: the connection to {address} is lost; the same call goes on\n"
        assert len(files("slow")) > 0


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_leaves_what_is_painted():
    process = started("impasto", *PAINT, "painted", "--iterations", "200", "-q", "--cluster", "local:2")
    while not any(Path("painted", name).exists() for name in NAMES) and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = told(process)
    left = 4 - len([name for name in NAMES if Path("painted", name).exists()])
    assert code == 130 and err == f"impasto: interrupted; {left} are left, and the same command goes on\n"


def test_a_movie_by_two_workers_is_the_file_of_one_process():
    frames = [data.coffee()[i : i + 24, 2 * i : 2 * i + 32] for i in range(3)]
    make_movie(Path("film.mkv"), [*frames, *[255 - frame for frame in frames]], codec="ffv1", pixels="bgr0")
    command = ["impasto", "transfer", "film.mkv", "wave.png", *FEW, "-o"]
    code, out, err = told(started(*command, "two.mkv", "--cluster", "local:2"))
    assert code == 0 and err.startswith("impasto: 2 scenes are painted, each anew; they begin at the frames 0, 3 ")
    assert told(started(*command, "one.mkv"))[::2] == (0, err)
    assert Path("two.mkv").read_bytes() == Path("one.mkv").read_bytes()
    assert out.startswith("two.mkv: 6 frames of 24 x 18, J ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([*PAINT, "painted", "--cluster", "local:none"], 2, "e.g. local:4 or tcp://HOST:8786 was expected"),
        ([*PAINT, "painted", "--cluster", "tcp://127.0.0.1:9"], 1, "cluster tcp://127.0.0.1:9 cannot be used"),
        (["transfer", "photos/a 1.png", "wave.png", "-o", "x.png", "--cluster", "local:1"], 2, "has no scenes"),
        (["transfer", "photos/a 1.png", "wave.png", "-o", "x.mkv", "--cluster", "local:1", "--dry-run"], 2, "one process"),
        (["explore", "patches", "photos", "-o", "x.json", "--cluster", "here"], 2, "local:4 or tcp://HOST:8786"),
    ],
)
def test_what_is_wrong_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, message: str):
    monkeypatch.setattr("impasto.cluster.connection._PATIENCE", "1s")
    found, _, err = run(*words)
    assert found == code and message in err and "Traceback" not in err and err.count("\n") <= 2
