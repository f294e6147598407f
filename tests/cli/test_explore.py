"""``impasto explore`` as a person uses it."""

from __future__ import annotations

import json
import os
import signal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from impasto.cli import watch
from impasto.cli.main import cli
from impasto.errors import SettingsError, SignalError, WeightsError
from impasto.explore import report, synthesis
from impasto.explore.index import PatchIndex
from impasto.explore.sheet import write_sheet
from impasto.explore.sources import Source, view
from impasto.media.signal import Signal
from impasto.networks.weights import load_weights


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["explore", *map(str, arguments)], catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for i in range(12):
        noise = np.random.default_rng(i).integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(noise).resize((48, 36)).save(folder / ("more" if i % 2 else ".") / f"p{i}.jpg")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.jpg").write_bytes(b"no picture")
    return folder


@pytest.mark.slow
def test_an_index_of_two_layers(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    result = run("patches", photos, "--layer", "relu2_1,relu1_1", "--units", "0-3", "-o", tmp_path / "index.json")
    assert result.return_value == 0
    assert "12 images, 8 units of relu1_1, relu2_1" in result.stdout
    assert "1 skipped:" in result.stderr
    assert "broken.jpg is not a picture" in result.stderr
    data = json.loads((tmp_path / "index.json").read_text())
    assert list(data["layers"]) == ["relu1_1", "relu2_1"]
    assert list(data["layers"]["relu2_1"]["units"]) == ["0", "1", "2", "3"]
    assert (photos / "more" / "p3.jpg").as_posix() in data["images"]


@pytest.mark.slow
def test_a_sheet_shows_the_patches_themselves(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = run("patches", photos, "--layer", "relu1_1", "--units", "0", "--show", "patches,gradients", "-o", out)
    assert result.return_value == 0
    with Image.open(out) as sheet:
        assert sheet.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(1 << 24) or []}
    index = run("patches", photos, "--layer", "relu1_1", "--units", "0", "-o", tmp_path / "index.json")
    assert index.return_value == 0
    best = PatchIndex.load(tmp_path / "index.json").layers["relu1_1"][0][0]
    (top, bottom), (left, right) = best.field
    values = view(best.image, 512).values[:, top:bottom, left:right]
    pixels = {tuple(pixel) for pixel in (values * 255).round().astype(int).reshape(3, -1).T.tolist()}
    assert pixels <= colours
    assert not list(tmp_path.glob("*.part.json"))


def test_ctrl_c_keeps_what_was_seen_and_the_same_command_goes_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    arguments = ["patches", photos, "--layer", "relu1_2", "--units", "0-9", "--top", "3", "-o"]
    assert run(*arguments, tmp_path / "whole.json").return_value == 0
    seen: list[Source] = []

    def view_and_interrupt(source: Source, size: int | str) -> Signal:
        seen.append(source)
        if len(seen) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return view(source, size)

    monkeypatch.setattr("impasto.explore.seen.view", view_and_interrupt)
    result = run(*arguments, tmp_path / "parts.json")
    assert result.return_value == 130
    assert "the same command goes on" in result.stderr
    part = PatchIndex.load(tmp_path / "parts.json")
    assert 0 < len(part.images) < 12
    assert not part.complete
    seen.extend([photos] * 9)
    with pytest.raises(SettingsError, match=r"different size .* delete .*parts\.json to begin anew"):
        run(*arguments[:2], *arguments[2:-1], "--size", "40", "-o", tmp_path / "parts.json")
    before = len(seen)
    result = run(*arguments, tmp_path / "parts.json")
    assert result.return_value == 0
    assert len(seen) - before == 12 - len(part.images)
    assert (tmp_path / "parts.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (["--layer", "relu9_1", "-o", "a.png"], SettingsError, "did you mean"),
        (["--units", "300", "-o", "a.png"], SettingsError, "relu3_1 has no unit 300; it has 256"),
        (["--size", "0", "-o", "a.png"], SettingsError, "size is 0; a whole number of at least 1 was expected"),
        (["--show", "colours", "-o", "a.png"], SettingsError, "patches, gradients, or both"),
        (["-o", "a.xyz"], SignalError, "no picture format"),
        (["-o", ""], SignalError, "holds other files"),
        (["-o", "missing/a.png"], SignalError, "there is no folder"),
        (["-o", "photos"], SignalError, "holds other files"),
        (["nowhere", "-o", "report"], SignalError, "no such file or folder"),
        (["--units", "0", "nowhere", "-o", "a.png"], SignalError, "no such file or folder"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    photos: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[Exception], text: str
) -> None:
    monkeypatch.chdir(photos.parent)
    before = sorted(photos.parent.rglob("*"))
    with pytest.raises(error, match=text) as caught:
        run("patches", "photos", *arguments)
    assert "\n" not in str(caught.value)
    assert sorted(photos.parent.rglob("*")) == before


def test_no_photographs_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SignalError, match="no such file or folder"):
        run("patches", "nowhere", "-o", "never-written.json")
    assert not Path("never-written.json").exists()


def test_when_the_drawing_is_interrupted_the_search_is_not_lost(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["patches", photos, "--layer", "relu1_1", "--units", "0-1", "-o", tmp_path / "report"]

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(click.exceptions.Abort):
        patched.setattr(report, "tiles_of_images", interrupt)
        run(*arguments)
    assert not (tmp_path / "report" / "index.html").exists()
    before = PatchIndex.load(tmp_path / "report" / "index.json")
    assert len(before.images) == 12
    result = run(*arguments)
    assert result.return_value == 0
    assert "which holds 12 images" in result.stderr
    assert PatchIndex.load(tmp_path / "report" / "index.json").complete
    assert (tmp_path / "report" / "index.html").exists()


@pytest.mark.slow
def test_indexes_are_merged_and_drawn(photos: Path, tmp_path: Path) -> None:
    arguments = ["--layer", "relu1_1,relu1_2", "--units", "0-3", "-o"]
    assert run("patches", photos / "more", *arguments, tmp_path / "a.json").return_value == 0
    rest = sorted(photos.glob("p*.jpg"))
    assert run("patches", *rest, *arguments, tmp_path / "b.json").return_value == 0
    assert run("patches", photos, *arguments, tmp_path / "whole.json").return_value == 0
    merged = run("patches", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "merged.json")
    assert merged.return_value == 0
    assert (tmp_path / "merged.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    result = run("patches", tmp_path / "merged.json", "--layer", "relu1_2", "-o", tmp_path / "report")
    assert result.return_value == 0
    assert (tmp_path / "report" / "index.html").exists()
    assert PatchIndex.load(tmp_path / "report" / "index.json").units() == {"relu1_2": (0, 1, 2, 3)}
    few = run("patches", tmp_path / "merged.json", "--units", "3,1", "-o", tmp_path / "few.json")
    assert few.return_value == 0
    assert PatchIndex.load(tmp_path / "few.json").units() == {"relu1_1": (1, 3), "relu1_2": (1, 3)}
    with pytest.raises(SettingsError, match="the index has no unit 7 of relu1_1"):
        run("patches", tmp_path / "merged.json", "--units", "7", "-o", tmp_path / "few.json")
    assert not (tmp_path / "report" / "relu1_1").exists()


def test_synthesise_a_unit_several_and_a_layer(tmp_path: Path) -> None:
    small = ["--size", "32", "--iterations", "2", "-o"]
    assert run("synthesise", "relu1_2:3=1,relu1_1:2=0.5", *small, tmp_path / "unit.png").return_value == 0
    with Image.open(tmp_path / "unit.png") as picture:
        assert picture.size == (32, 32)
        assert json.loads(picture.info["impasto"])["objective"] == "relu1_2:3=1,relu1_1:2=0.5"
    assert run("synthesise", "relu1_1:3", "--diverse", "2", *small, tmp_path / "two.png").return_value == 0
    assert run("synthesise", "relu1_1", "--units", "1,5-6", *small, tmp_path / "layer.png").return_value == 0
    for name in ("two", "layer"):
        with Image.open(tmp_path / f"{name}.png") as sheet:
            assert min(sheet.size) > 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["relu1_1:3"], "relu1_1:3 is after 5 of 9 steps"),
        (["relu1_1", "--units", "2-4"], "unit 2 is after 5 of 9 steps"),
    ],
)
def test_ctrl_c_keeps_the_picture_as_far_as_it_came(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, step = signal.getsignal(signal.SIGINT), synthesis._adam_step
    number = 0

    def step_and_interrupt(*how: Any) -> None:
        nonlocal number
        step(*how)
        number += 1
        if number == 5:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(synthesis, "_adam_step", step_and_interrupt)
    result = run("synthesise", *arguments, "--size", "32", "--iterations", "9", "-o", tmp_path / "unit.png")
    assert (result.return_value, number) == (130, 5)
    assert said in result.stderr
    with Image.open(tmp_path / "unit.png") as picture:
        assert json.loads(picture.info.get("impasto", '{"iterations": 5}'))["iterations"] == 5
    assert signal.getsignal(signal.SIGINT) is handler


def test_who_is_impatient_ends_an_ascent_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt_twice(*how: Any) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(synthesis, "_adam_step", interrupt_twice)
    with pytest.raises(click.exceptions.Abort):
        run("synthesise", "relu1_1:3", "--size", "32", "-o", tmp_path / "unit.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "text"),
    [("relu41", "did you mean"), ("relu4_1:600", "no unit 600"), ("relu4_1:x", "LAYER:UNIT"), ("relu4_1:3=nan", "finite")],
)
def test_a_target_that_does_not_exist_is_one_line(tmp_path: Path, target: str, text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        run("synthesise", target, "-o", tmp_path / "unit.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_recording_on_a_sheet(tmp_path: Path) -> None:
    recording, out = tmp_path / "waves.csv", tmp_path / "sheet.png"
    np.savetxt(recording, np.random.default_rng(0).normal(size=(300, 2)), delimiter=",")
    arguments = ("patches", recording, "--layer", "relu2_1", "--units", "0-3")
    assert run(*arguments, "--show", "patches,gradients", "-o", out).return_value == 0
    with Image.open(out) as sheet:
        assert min(sheet.size) > 200
    with pytest.raises(SettingsError, match="--synthesise makes pictures"):
        run(*arguments, "--synthesise", "-o", tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_an_index_is_kept_at_intervals_that_grow_with_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = 0.0, []

    def write(*_: object) -> None:
        nonlocal now
        written.append(now)
        now += 6  # as the index of two million images

    monkeypatch.setattr(watch.time, "monotonic", lambda: now)
    monkeypatch.setattr(watch, "keep_index", write)
    keep = watch.keeper(tmp_path / "index.json")
    while now < 3000:
        keep(SimpleNamespace(index=None))  # pyright: ignore[reportArgumentType]
        now += 1
    assert written[0] == 61
    assert all(300 <= later - earlier < 320 for earlier, later in pairwise(written))


@pytest.mark.slow
def test_weights_that_are_not_known_ask_for_the_preprocessing(photos: Path, tmp_path: Path) -> None:
    weights = {name: value.half() for name, value in load_weights().items()}
    weights["conv1_1.weight"] = weights["conv1_1.weight"].roll(1, 0)
    torch.save(weights, tmp_path / "mine.pth")
    patches = ["patches", photos, "--layer", "relu1_1", "--units", "0", "--size", "32", "--weights", tmp_path / "mine.pth"]
    synthesise = ["synthesise", "relu1_1:0", "--size", "32", "--iterations", "1", "--weights", tmp_path / "mine.pth"]
    for command, output in ((patches, "a.json"), (synthesise, "a.png")):
        with pytest.raises(WeightsError, match="--preprocessing caffe"):
            run(*command, "-o", tmp_path / output)
        assert run(*command, "--preprocessing", "torchvision", "-o", tmp_path / output).return_value == 0
    assert run(*patches, "--preprocessing", "caffe", "-o", tmp_path / "usual.json").return_value == 0
    assert PatchIndex.load(tmp_path / "a.json").network == "vgg19 (mine.pth, torchvision)"
    assert PatchIndex.load(tmp_path / "usual.json").network == "vgg19 (mine.pth)"  # as it was called by those of before


def test_a_sheet_as_an_array_and_one_too_long_for_its_format(tmp_path: Path) -> None:
    write_sheet(Image.new("RGB", (30, 20), "red"), tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (20, 30, 3)
    with pytest.raises(SignalError, match=r"a.webp: a WEBP of 20000 x 1 cannot be written"):
        write_sheet(Image.new("RGB", (20_000, 1)), tmp_path / "a.webp")
    assert not (tmp_path / "a.webp").exists()
