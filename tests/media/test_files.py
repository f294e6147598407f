from __future__ import annotations

import errno
import os
import re
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from impasto.errors import SignalError
from impasto.files import check_writable, optional_package, write_whole


def test_a_file_is_written_and_nothing_else(tmp_path: Path):
    path = tmp_path / "out.bin"
    for content in (b"first", b"", b"second" * 10000):
        check_writable(path)
        write_whole(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are of POSIX")
@pytest.mark.parametrize(("umask", "rights"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_gets_the_rights_of_any_new_file(tmp_path: Path, umask: int, rights: int):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "out", b"data")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == rights


@pytest.mark.skipif(sys.platform == "win32", reason="rights are of POSIX")
@pytest.mark.parametrize("rights", [0o600, 0o664, 0o444])
def test_what_is_overwritten_keeps_its_rights(tmp_path: Path, rights: int):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(rights)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == rights


def test_rights_that_cannot_be_given_do_not_cost_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "chmod", refuse)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_long_name_is_no_hindrance(tmp_path: Path):
    path = tmp_path / ("n" * 246 + ".png")
    check_writable(path)
    write_whole(path, b"data")
    assert path.read_bytes() == b"data"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("folder", id="a folder"),
        pytest.param("missing/out.png", id="in a missing folder"),
        pytest.param("file/out.png", id="in a file"),
        pytest.param("n" * 300 + ".png", id="too long"),
        pytest.param("/proc/out.png", marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")),
    ],
)
@pytest.mark.parametrize("function", [check_writable, lambda path: write_whole(path, b"data")], ids=["check", "write"])
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, function: Any):
    (tmp_path / "file").write_bytes(b"a file")
    (tmp_path / "folder").mkdir()
    path = tmp_path / name  # /proc stays /proc
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SignalError) as raised:
        function(path)
    assert path.name[:20] in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_a_full_disk_or_an_interruption_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: BaseException
):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def fail(*args: Any) -> None:
        raise failure

    monkeypatch.setattr(os if call == "fsync" else Path, call, fail)
    with pytest.raises(SignalError if isinstance(failure, OSError) else KeyboardInterrupt) as raised:
        write_whole(path, b"new")
    if isinstance(failure, OSError):
        assert os.strerror(errno.ENOSPC) in str(raised.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_the_operating_system_refuses_more_data(tmp_path: Path):
    import resource
    import signal

    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(SignalError, match="cannot be written"):
            write_whole(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


EXTRAS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("extra", ["sound", "movies", "volumes", "medical", "wfdb", "demo"])
def test_a_missing_package_is_told_with_a_command_that_works_without_a_release(extra: str):
    needed = [re.match(r"[\w.-]+", need) for need in EXTRAS["optional-dependencies"][extra]]
    names = [name[0] for name in needed if name and name[0] != "impasto"]
    with pytest.raises(SignalError) as caught:
        optional_package("nosuchpackage", "song.xyz", extra)
    command = "pip install " + " ".join(names)
    assert str(caught.value) == f"song.xyz is read by the package nosuchpackage, which is missing: {command}"


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link", tmp_path / "folder" / "target"
    link.symlink_to(target)
    for data in (b"first", b"second"):
        write_whole(link, data)
        assert link.is_symlink() and target.read_bytes() == data
    assert list(tmp_path.rglob("*")) and sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "link", "target"]
