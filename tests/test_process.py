"""A library call leaves the process of its caller as it was: whether it succeeds, fails or is interrupted."""

from __future__ import annotations

import ast
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special  # noqa: F401  # adds a filter of warnings when it is first imported
import torch
from PIL import Image

import impasto
from impasto import SettingsError, SizeError, TransferInterrupted, TransferSettings, synthesise, top_patches, transfer_style
from impasto.explore.index import ExploreInterrupted
from impasto.files import one_line_is_enough
from impasto.networks.kernels import autotune

SETTINGS = TransferSettings(size=32, iterations=2, style_layers="relu1_1", content_layers="relu1_1")


def umask() -> int:
    before = os.umask(0o022)
    os.umask(before)
    return before


def process() -> dict[str, Any]:
    """What a call could change of its process."""
    loggers = {"": logging.root} | {
        name: logger for name, logger in logging.root.manager.loggerDict.items() if isinstance(logger, logging.Logger)
    }
    return {
        "umask": umask(),
        "loggers": {
            name: (one.level, one.disabled, one.propagate, list(one.handlers), list(one.filters))
            for name, one in loggers.items()
        },
        "logging": (logging.root.manager.disable, logging.raiseExceptions),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "torch": (
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.mkldnn.enabled,
            torch.backends.cudnn.enabled,
        ),
        "random": (
            torch.get_rng_state().tolist(),
            random.getstate(),
            [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
        ),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "signals": {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)},
        "pillow": (Image.MAX_IMAGE_PIXELS, Image.WARN_POSSIBLE_FORMATS),
        "numpy": (np.geterr(), np.get_printoptions()),
        "recursion": sys.getrecursionlimit(),
        "trace": (sys.gettrace(), sys.excepthook, sys.unraisablehook, threading.excepthook),
    }


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        values = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(values).resize((40, 32)).save(folder / f"{seed}.png")
    return folder


def cancel(*_: Any) -> None:
    raise KeyboardInterrupt


Call = Callable[[Path], Any]


def paints(folder: Path) -> Any:
    painting = transfer_style(folder / "0.png", folder / "1.png", SETTINGS, checkpoint=folder.parent / "kept")
    painting.write(folder.parent / "out.png")


def goes_on(folder: Path) -> Any:
    """A run that was cut off, with a choice of convolutions of its own, is taken up."""
    with pytest.raises(TransferInterrupted):
        transfer_style(
            folder / "0.png", folder / "1.png", SETTINGS, on_progress=cancel, checkpoint=folder.parent / "kept",
            checkpoint_every=0,
        )  # fmt: skip
    return paints(folder)


CALLS: dict[str, tuple[Call, type[BaseException] | None]] = {
    "transfer_style": (paints, None),
    "transfer_style, resumed": (goes_on, None),
    "transfer_style, little memory": (
        lambda folder: transfer_style(folder / "0.png", folder / "1.png", TransferSettings(**BASE, memory="200k")),
        SizeError,
    ),
    "transfer_style, interrupted": (
        lambda folder: transfer_style(folder / "0.png", folder / "1.png", SETTINGS, on_progress=cancel),
        TransferInterrupted,
    ),
    "top_patches": (lambda folder: top_patches(folder, "relu1_1", units="0-3", size=32), None),
    "top_patches, interrupted": (
        lambda folder: top_patches(folder, "relu1_1", size=32, on_progress=cancel),
        ExploreInterrupted,
    ),
    "synthesise": (lambda folder: synthesise("relu1_1:3", size=32, iterations=2), None),
    "synthesise, interrupted": (
        lambda folder: synthesise("relu1_1:3", size=32, iterations=2, on_progress=cancel),
        KeyboardInterrupt,
    ),
    "synthesise, refused": (lambda folder: synthesise("relu1_1:3000"), SettingsError),
}
BASE: dict[str, Any] = {"size": 32, "iterations": 2, "style_layers": "relu1_1", "content_layers": "relu1_1"}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_nothing_of_the_process_has_changed(name: str, pictures: Path):
    call, raised = CALLS[name]
    with warnings.catch_warnings():  # pytest's own filters are not the usual ones
        before = process()
        if raised is None:
            call(pictures)
        else:
            with pytest.raises(raised):
                call(pictures)
        after = process()
    loggers, known = after.pop("loggers"), before.pop("loggers")
    assert {name: loggers[name] for name in known} == known  # modules that were imported meanwhile have new ones
    for name in before:
        assert after[name] == before[name], name


def test_nothing_changes_while_it_runs(pictures: Path):
    """Seen from another thread."""
    before, seen, running = process(), [], threading.Event()
    worker = threading.Thread(target=lambda: (paints(pictures), running.set()))
    worker.start()
    while not running.is_set() and worker.is_alive():
        seen.append(process())
        running.wait(0.01)
    worker.join()
    assert running.is_set() and len(seen) > 2
    for name in ("umask", "logging", "torch", "random", "environment", "folder", "signals", "pillow", "numpy"):
        assert all(one[name] == before[name] for one in seen), name
    assert not any(disabled for one in seen for _, disabled, *_ in one["loggers"].values())


def test_files_are_not_open_to_all_while_another_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(mask: int) -> int:
        raise AssertionError("the umask is of all threads")

    monkeypatch.setattr(os, "umask", refuse)
    impasto.write_image(impasto.read_image(np.zeros((4, 4, 3), np.uint8)), tmp_path / "out.png")


def test_only_the_thread_that_reads_is_silenced(caplog: pytest.LogCaptureFixture):
    told: list[str] = []

    def tell(who: str) -> None:
        logging.getLogger("tifffile").warning(who)
        with pytest.warns(UserWarning, match=who) if who == "other" else one_line_is_enough():
            warnings.warn(who, UserWarning, stacklevel=1)
        told.append(who)

    filters = list(warnings.filters)
    with one_line_is_enough():
        warnings.warn("reader", UserWarning, stacklevel=1)  # an error in these tests, were it not silenced
        other = threading.Thread(target=tell, args=("other",))
        other.start()
        other.join()
        tell("reader")
    tell("afterwards")
    assert told == ["other", "reader", "afterwards"]
    assert [record.message for record in caplog.records] == ["other", "afterwards"]
    assert warnings.filters == filters


def test_what_another_thread_copied_meanwhile_silences_nobody():
    with one_line_is_enough():
        copy = warnings.catch_warnings()
        copy.__enter__()
    try:
        with pytest.raises(UserWarning):
            warnings.warn("heard", UserWarning, stacklevel=1)
    finally:
        copy.__exit__(None, None, None)
        filters: list[object] = warnings.filters  # pyright: ignore[reportAssignmentType]
        filters[:] = [entry for entry in filters if "_ThisThread" not in str(entry)]


def test_choices_are_of_one_run():
    @autotune.own_choices()
    def run() -> dict[str, bool]:
        autotune.choose_convolutions({"a shape": True})
        with autotune.own_choices():
            assert autotune.convolutions_chosen() == {}
        return autotune.convolutions_chosen()

    assert run() == {"a shape": True}
    assert autotune.convolutions_chosen() == {}


def test_the_noise_of_a_measurement_is_its_own():

    before = torch.get_rng_state()
    autotune._measure_gain(32, 32, 4)
    assert torch.equal(torch.get_rng_state(), before)


MALLOC = '''
import ctypes, sys, threading, numpy as np
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]
libc.mallinfo2.restype = Info

def mapped(size, count=1):
    before = libc.mallinfo2().hblks
    blocks = [libc.malloc(size) for _ in range(count)]
    after = libc.mallinfo2().hblks
    for block in blocks:
        libc.free(block)
    return after - before

def arenas(count=4):
    """How many heaps so many threads have that allocate at once."""
    places, together = set(), threading.Barrier(count)
    def work():
        together.wait()
        block = libc.malloc(4096)
        places.add(block >> 26)
        together.wait()
        libc.free(block)
    threads = [threading.Thread(target=work) for _ in range(count)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    return len(places)

def usual():
    mapped(30 << 20, 9)  # the threshold follows what is freed, if nobody has fixed it
    return mapped(30 << 20, 9) == 0, mapped(1 << 30) == 1, arenas() > 2

import impasto
from impasto import TransferSettings, top_patches, transfer_style
from impasto.networks.kernels.allocation import own_process
a, b = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
def paint(**how):
    transfer_style(a, b, TransferSettings(size=32, iterations=1, style_layers="relu1_1", content_layers="relu1_1", **how))
print(usual())
paint()
print(usual())
paint(memory=sys.argv[1])
top_patches({"a": a}, "relu1_1", size=32)
print(usual())
def watch(progress):
    print(usual())
with own_process():
    transfer_style(a, b, TransferSettings(size=32, iterations=1), on_progress=watch)
'''


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(__import__("ctypes").CDLL(None), "mallinfo2"), reason="a probe of glibc's malloc"
)
def test_malloc_is_as_the_process_has_it(tmp_path: Path):
    script = tmp_path / "probe.py"
    script.write_text(MALLOC)
    result = subprocess.run(
        [sys.executable, str(script), "2g"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    *ours, tuned = result.stdout.splitlines()
    assert ours == ["(True, True, True)"] * 3
    assert tuned == "(True, False, True)"  # the command line's own process is tuned, and the probe can tell


PACKAGE = Path(impasto.__file__).parent
# of the whole process: for its owner to change, which the command line and the studio are, and a worker of a cluster
OF_THE_PROCESS = {
    "os.umask", "os.chdir", "os.putenv", "signal.signal", "warnings.catch_warnings", "warnings.simplefilter",
    "warnings.filterwarnings", "logging.disable", "logging.basicConfig", "torch.manual_seed", "torch.seed",
    "torch.set_num_threads", "torch.set_default_dtype", "torch.set_grad_enabled", "torch.use_deterministic_algorithms",
    "torch.set_flush_denormal", "np.random.seed", "np.seterr", "random.seed", "faulthandler.enable", "locale.setlocale",
    "sys.setrecursionlimit", "socket.setdefaulttimeout", "matplotlib.use",
}  # fmt: skip

SHARED = ("os.environ", "Image.MAX_IMAGE_PIXELS", "torch.backends", "sys.excepthook")


@pytest.mark.parametrize(
    "path",
    [path for path in PACKAGE.rglob("*.py") if path.parent.name not in ("cli", "studio") and path.stem != "worker"],
    ids=lambda path: path.stem,
)
def test_no_module_of_the_library_changes_the_process(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in OF_THE_PROCESS, f"line {node.lineno}"
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        for target in targets:
            assert not ast.unparse(target).startswith(("os.environ", "Image.MAX_IMAGE_PIXELS", "torch.backends")), (
                f"line {target.lineno}"
            )
