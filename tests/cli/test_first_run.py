"""What a first run on a machine tells of the time that it takes."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto import TransferSettings, transfer_style
from impasto.cli.imports import large_imports
from impasto.networks.kernels import autotune
from tests.conftest import Run


@pytest.fixture
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing has been measured, and what is measured is soon done."""
    monkeypatch.setattr(autotune.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    monkeypatch.setattr(autotune, "_measure_gain", lambda *_: 1.7)
    monkeypatch.delenv(autotune.VARIABLE)
    autotune._gain.cache_clear()
    yield
    autotune._gain.cache_clear()


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    picture = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)).save(picture)
    layers = ["--content-layers", "relu1_1", "--style-layers", "relu1_2"]
    return ["transfer", str(picture), str(picture), "-o", str(tmp_path / "out.png"), *layers, "--iterations", "1"]


def test_a_first_run_tells_what_it_measures_and_how_long_it_took(new_machine: None, command: list[str], run: Run):
    code, _, err = run(*command)
    assert code == 0
    began, ended = err.splitlines()
    assert began.startswith("impasto: measuring") and "once on a machine" in began
    assert re.fullmatch(r"impasto: measured in \d+\.\d s", ended)
    assert run(*command)[::2] == (0, "")


def test_not_to_whom_wants_quiet(new_machine: None, command: list[str], run: Run):
    assert run(*command, "--quiet")[::2] == (0, "")


def test_a_library_tells_nothing(new_machine: None, caplog: pytest.LogCaptureFixture, command: list[str]):
    transfer_style(command[1], command[2], TransferSettings(content_layers="relu1_1", style_layers="relu1_2", iterations=1))
    assert not caplog.records


def test_garbage_is_collected_after_large_imports(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(__import__("sys").modules, "torch")
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    with large_imports():
        assert not gc.isenabled()
    assert gc.isenabled() and frozen == [False]
