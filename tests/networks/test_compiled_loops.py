"""The compiled loops: kept in a file, and read from there without Numba."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from impasto.networks.kernels import compiled_loops, winograd

assert winograd  # importing it compiles the loops
CODE = compiled_loops.loops_file()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache; what is compiled is what the tests have compiled already."""
    kept = compiled_loops._read(CODE)
    assert kept
    monkeypatch.setattr(compiled_loops.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(compiled_loops, "_compiled", lambda: kept)
    return tmp_path / "impasto"


@pytest.mark.slow
def test_what_is_kept_is_read_without_numba():
    code = "import sys\nfrom impasto.networks.kernels import winograd\nprint('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    assert compiled_loops.load_loops()
    (kept,) = folder.iterdir()
    assert kept.read_bytes() == CODE.read_bytes()
    monkeypatch.setattr(compiled_loops, "_compiled", lambda: pytest.fail("compiled again"))
    assert compiled_loops.load_loops()


@pytest.mark.parametrize("damage", [lambda code: b"", lambda code: code[:1000], lambda code: code[:-1] + b"?"])
def test_damaged_code_is_never_run(folder: Path, damage):
    folder.mkdir()
    kept = folder / CODE.name
    kept.write_bytes(damage(CODE.read_bytes()))
    assert compiled_loops.load_loops()
    assert kept.read_bytes() == CODE.read_bytes()


def test_no_place_to_keep_it(folder: Path):
    folder.write_text("a file, where a folder was to be")
    assert compiled_loops.load_loops()


def test_another_processor_has_other_code(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled_loops, "_processor", lambda: ("pentium", "-avx2"))
    assert compiled_loops.loops_file() != CODE


def test_other_source_is_other_code(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled_loops, "_SOURCES", compiled_loops._SOURCES[1:])
    assert compiled_loops.loops_file() != CODE


def test_the_code_needs_nothing_of_numba():
    """What the code calls by name would have to be there, and be the same, in a process without Numba."""
    names = (b"numba_", b"NRT_", b"Py")
    assert not [name for name in names if b"\0" + name in CODE.read_bytes()]
