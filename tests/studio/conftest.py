"""A studio in a process of its own, as people start it, for all tests of a module."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from skimage import data

from impasto.explore.patches import top_patches

MOST_BYTES = 2**20
PATIENCE = 240
MS = 120_000


class Studio(NamedTuple):
    """Where a studio answers, where it keeps things, and which connections it has attempted."""

    address: str
    folder: Path
    record: Path
    process: subprocess.Popen[str]


@contextmanager
def opened(folder: Path, *options: str) -> Iterator[Studio]:
    """A studio, ended as Ctrl-C ends it."""
    record, errors = (folder.with_name(folder.name + ending) for ending in ("-connections", "-errors"))
    arguments = [str(record), str(MOST_BYTES), "studio", "--no-browser", "--folder", str(folder), *options]
    with errors.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("recorded.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    assert process.stdout is not None
    with process.stdout as out:
        try:
            line = out.readline()
            assert "open: " in line, errors.read_text()
            yield Studio(line.split("open: ")[1].split()[0], folder, record, process)
            if process.poll() is None:  # not killed by the test
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, pictures: dict[str, Path]) -> Iterator[Studio]:
    """One studio for the tests of a module, with an index to explore."""
    index = tmp_path_factory.mktemp("index") / "index.json"
    top_patches(list(pictures.values()), "relu1_1,relu2_1", size=64).save(index)
    with opened(tmp_path_factory.mktemp("studio") / "folder", "--index", str(index)) as studio:
        yield studio


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A content and a style as files."""
    folder = tmp_path_factory.mktemp("pictures")
    found: dict[str, Path] = {}
    for name, array in (("content", data.coffee()), ("style", data.chelsea())):
        found[name] = folder / f"{name}.png"
        Image.fromarray(array).resize((96, 64)).save(found[name])
    return found


def wait_for(condition: Callable[[], object], what: str = "") -> None:
    """Until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Recorder(NamedTuple):
    """A proxy that connects nobody, and knows what was asked for."""

    port: int
    asked: list[str]


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    asked: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(2000).split(b"\r\n")[0].decode(errors="replace"))

    threading.Thread(target=serve, daemon=True).start()
    yield Recorder(server.getsockname()[1], asked)
    server.close()


@pytest.fixture(scope="module")
def browser(chromium: Callable[..., Any], recorder: Recorder) -> Iterator[Any]:
    started = chromium(proxy={"server": f"http://127.0.0.1:{recorder.port}", "bypass": "127.0.0.1"})
    yield started
    started.close()


@pytest.fixture
def page(browser: Any, studio: Studio) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield open_page(context, studio)
    context.close()


def open_page(context: Any, studio: Studio) -> Any:
    page = context.new_page()
    page.set_default_timeout(MS)
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith((studio.address, "data:", "blob:")) else page.trouble.append(r.url)
    )
    page.goto(studio.address)
    page.locator("#content .ready button").first.wait_for()
    return page
