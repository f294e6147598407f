"""Runs of the command line that are cut off, and go on."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.descent.tensor_tree import read_about, read_tree, write_tree
from impasto.media.image.read import read_image
from impasto.transfer.checkpoint import read_history
from tests.conftest import Run

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kill_and_resume.py"
PAINT = [
    "transfer", "photo.png", "style.png", "-o", "out.png", "--size", "40", "--iterations", "8",
    "--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_1",
]  # fmt: skip
KEEP = ["--checkpoint", "run.checkpoint", "--checkpoint-every", "0"]
EXTRAS = ["--trace", "trace", "--frames", "frames", "--frames-every", "3", "--plot", "J.png", "--json"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.coffee()).resize((48, 36)).save("photo.png")
    Image.fromarray(data.chelsea()).resize((48, 36)).save("style.png")
    return tmp_path


class KillError(BaseException):
    """A kill that leaves no time for anything."""


def killed_at(number: int, *options: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a transfer that ends after an evaluation, before that is kept."""
    from impasto.transfer import recorders

    trace_to = recorders.trace_to

    def killing(*given: Any) -> Any:
        write = trace_to(*given)

        def kill(progress: Any) -> None:
            write(progress)
            if progress.latest.evaluation == number:
                raise KillError

        return kill

    with monkeypatch.context() as patch, pytest.raises(KillError):
        patch.setattr(recorders, "trace_to", killing)
        run(*PAINT, *KEEP, *EXTRAS, *options)


def results(folder: str) -> dict[str, Any]:
    """All that a run has written, without the seconds and the plot of J."""
    root = Path(folder)
    found: dict[str, Any] = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    del found["J.png"]
    lines = [json.loads(line) for line in found["trace"].decode().splitlines()]
    assert [line["seconds"] for line in lines] == sorted(line.pop("seconds") for line in lines)
    return found | {"trace": lines}


def test_a_run_that_was_killed_goes_on_as_if_nothing_had_happened(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    code, out, err = run(*PAINT, *EXTRAS)
    assert (code, err) == (0, "")
    expected = json.loads(out)
    Path("whole").mkdir()
    for name in ("out.png", "trace", "frames", "J.png"):
        Path(name).rename(Path("whole") / name)
    killed_at(6, run=run, monkeypatch=monkeypatch)
    assert not Path("out.png").exists()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    code, out, err = run("resume", "../run.checkpoint")
    assert (code, err) == (0, f"impasto: going on from {desk / 'run.checkpoint'}: 5 evaluations are done\n")
    monkeypatch.chdir(desk)
    assert not any(Path("elsewhere").iterdir())
    for name in ("seconds", "peak_memory_mib"):
        del expected[name]
    assert expected.items() <= json.loads(out).items()
    Path("again").mkdir()
    for name in ("out.png", "trace", "frames", "J.png"):
        Path(name).rename(Path("again") / name)
    assert results("again") == results("whole")
    assert sorted(path.name for path in desk.iterdir()) == ["again", "elsewhere", "photo.png", "style.png", "whole"]


def test_the_same_command_goes_on_too_and_another_one_is_refused(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    killed_at(4, run=run, monkeypatch=monkeypatch)
    before = Path("run.checkpoint").read_bytes()
    code, out, err = run(*PAINT, *KEEP, "--beta", "50")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "beta 20.0, not 50.0" in err and "impasto resume run.checkpoint" in err
    Image.fromarray(data.astronaut()).resize((48, 36)).save("style.png")
    for command in ([*PAINT, *KEEP], ["resume", "run.checkpoint"]):
        code, out, err = run(*command)
        assert (code, out) == (2, "") and "another style" in err
    assert Path("run.checkpoint").read_bytes() == before
    Image.fromarray(data.chelsea()).resize((48, 36)).save("style.png")
    code, out, err = run(*PAINT, *KEEP)
    assert code == 0 and "3 evaluations are done" in caplog.text
    assert not Path("run.checkpoint").exists() and Path("out.png").exists()


def test_several_styles_go_on(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    Image.fromarray(data.astronaut()).resize((48, 36)).save("other.png")
    monkeypatch.setitem(globals(), "PAINT", [*PAINT[:2], "style.png:3", "other.png", *PAINT[3:]])
    assert run(*PAINT)[0] == 0
    whole = Path("out.png").read_bytes()
    Path("out.png").unlink()
    killed_at(4, run=run, monkeypatch=monkeypatch)
    assert run("resume", "run.checkpoint")[0] == 0
    assert np.array_equal(np.asarray(Image.open("out.png")), np.asarray(Image.open(io.BytesIO(whole))))


def test_an_interruption_says_how_to_go_on(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    import signal

    from impasto.transfer import recorders

    def interrupting(path: Path, before: Any) -> Any:
        return lambda p: os.kill(os.getpid(), signal.SIGTERM) if p.latest.evaluation == 3 else None

    monkeypatch.setattr(recorders, "trace_to", interrupting)
    code, out, _ = run(*PAINT, "--checkpoint", "run.checkpoint", "--trace", "trace")
    assert (code, out.split(":")[0]) == (130, "out.png")
    assert caplog.messages == ["interrupted after 3 of 8 evaluations; 'impasto resume run.checkpoint' goes on"]
    assert len(read_history(Path("run.checkpoint"))) == 3
    assert read_image("out.png").shape == (30, 40)


@pytest.mark.parametrize("options", [[], ["--no-checkpoint"]])
def test_short_runs_leave_nothing_behind(desk: Path, run: Run, options: list[str]):
    assert run(*PAINT, *options)[0] == 0
    assert sorted(path.name for path in desk.iterdir()) == ["out.png", "photo.png", "style.png"]


def test_runs_of_more_than_a_minute_are_kept_beside_the_result(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    from impasto.cli import paint

    written: list[Path] = []
    monkeypatch.setattr(paint, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr("impasto.transfer.checkpoint.write_tree", lambda path, *_: written.append(path))
    assert run(*PAINT)[0] == 0
    assert written == [Path("out.png.checkpoint")]
    written.clear()
    assert run(*PAINT, "--no-checkpoint")[0] == 0
    assert not written


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["resume", "missing"], "missing: no such file"),
        (["resume", "photo.png"], "photo.png is damaged, or no checkpoint"),
        (["resume", "."], "is a folder; a checkpoint was expected"),
        ([*PAINT, "--checkpoint", "photo.png"], "photo.png is an input"),
        ([*PAINT, "--checkpoint", "out.png"], "out.png is named for two outputs"),
        ([*PAINT, "--checkpoint", "no/where"], "there is no folder no"),
        ([*PAINT, "--checkpoint", "a", "--no-checkpoint"], "one of them was expected"),
        ([*PAINT, "--checkpoint-every", "-1"], "-1"),
    ],
)
def test_what_cannot_be_gone_on_with(desk: Path, run: Run, command: list[str], message: str):
    before = sorted(desk.iterdir())
    code, out, err = run(*command)
    assert code in (1, 2) and out == ""
    assert message in err and "Traceback" not in err
    assert sorted(desk.iterdir()) == before


def test_a_checkpoint_written_from_python_says_so(desk: Path, run: Run):
    settings = impasto.TransferSettings(size=16, style_layers="relu1_1", content_layers="relu1_1", iterations=2)  # pyright: ignore
    impasto.transfer_style("photo.png", "style.png", settings, checkpoint="run", checkpoint_every=0)
    code, _, err = run("resume", "run")
    assert code == 2 and "transfer_style" in err


# a full disk


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("option", ["--trace", "--frames"])
def test_a_full_disk_ends_what_is_written_on_the_way_and_not_the_painting(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch, option: str, caplog: pytest.LogCaptureFixture
):
    from impasto.transfer import recorders

    monkeypatch.setattr(
        recorders, *(("json", SimpleNamespace(dumps=full)) if option == "--trace" else ("write_image", full))
    )
    code, out, _ = run(*PAINT, option, "extra")
    assert code == 0 and out.startswith("out.png")
    (message,) = caplog.messages
    assert "extra" in message and os.strerror(errno.ENOSPC) in message
    assert read_image("out.png").shape == (30, 40)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_painting_that_cannot_be_written_is_kept_elsewhere(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch, everywhere: bool, tmp_path_factory: pytest.TempPathFactory
):
    killed_at(6, run=run, monkeypatch=monkeypatch)
    other = tmp_path_factory.mktemp("other")
    monkeypatch.setattr("tempfile.mkdtemp", full if everywhere else lambda **_: str(other))
    replace = Path.replace

    def full_here(path: Path, target: Path) -> None:
        full() if Path(target).name == "out.png" and path.parent != other else replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_here)
        code, out, err = run("resume", "run.checkpoint")
    assert (code, out) == (1, "") and "out.png cannot be written: No space left on device" in err
    if everywhere:
        assert f"'impasto resume {desk / 'run.checkpoint'}' goes on" in err
        assert run("resume", "run.checkpoint")[0] == 0
    else:
        assert f"the painting is in {other / 'out.png'}" in err
        assert read_image(other / "out.png").shape == (30, 40)
    assert not Path("run.checkpoint").exists()


@pytest.mark.skipif(not BENCHMARK.exists() or not hasattr(os, "fork"), reason="needs the clone, on POSIX")
def test_killed_at_random_points_and_while_writing(tmp_path: Path):
    command = [sys.executable, str(BENCHMARK), "--kills", "3", "--size", "24", "--iterations", "8"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= 3 and found["lost"] == found["differing"] == 0


def test_the_picture_of_a_resumed_run_tells_the_same(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    killed_at(3, run=run, monkeypatch=monkeypatch)
    assert run("resume", "run.checkpoint", "-q")[2] == ""
    resumed = np.asarray(Image.open("out.png"))
    with Image.open("out.png") as image:
        made = json.loads(image.text["impasto"])  # pyright: ignore[reportAttributeAccessIssue]
    assert (made["content"], made["style"]) == ("photo.png", "style.png")
    assert run(*PAINT)[0] == 0
    assert np.array_equal(np.asarray(Image.open("out.png")), resumed)


def test_settings_of_a_later_version_are_named(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    killed_at(3, run=run, monkeypatch=monkeypatch)
    about = read_about(Path("run.checkpoint"))
    about["settings"]["glaze"], tree = 3, about.pop("tree")
    kept = read_tree(Path("run.checkpoint"), tree)
    write_tree(Path("run.checkpoint"), {**about, "version": "9.0"}, kept)
    code, _, err = run("resume", "run.checkpoint")
    assert code == 2 and "settings that are not known here: glaze" in err and err.count("\n") == 1
